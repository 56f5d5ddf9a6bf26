//! A payload may write into its own description what it likes: what its folder, its file and its lists are called still names it.

use std::{fs, os::unix::fs as unix};

use crate::{
    hostile::fifo,
    machine::Machine,
    program::{findings, report},
};

const SITE: &str = "home/alice/v/lib/python3.11/site-packages";
const INFO: &str = "home/alice/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info";
const ABOUT: &str = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";

/// Exposure, confidence and indicator of each finding, the exit code, and whether nothing is missing.
fn reported(machine: &Machine) -> (Vec<String>, i32, bool) {
    let (report, code) = report(machine.root());
    // Without its place.
    let said = findings(&report).into_iter().map(|f| f.split(' ').take(2).collect::<Vec<_>>().join(" "));
    let said: Vec<String> = said.collect();
    let panicked = report.to_string().contains("\"panicked\"");
    assert!(!panicked, "{:#?}", report["coverage"]["gaps"]);
    (said, code, report["coverage"]["gaps"].as_array().unwrap().is_empty())
}

const CONFIRMED: &str = "installed/confirmed pypi/litellm@1.82.8";
const LIKELY: &str = "installed/likely pypi/litellm@1.82.8";
const POSSIBLE: &str = "installed/possible pypi/litellm@1.82.8";

fn venv() -> Machine {
    Machine::new().venv("v")
}

#[test]
fn a_malformed_rest_costs_the_rest_only() {
    for rest in [
        "Requires-Dist: x- >1",
        "Requires-Dist: (((((",
        "Requires-Dist: a ; ((((b",
        "\u{0}\u{1b}[2J",
        "Requires-Dist: \u{202e}é[",
        "Provides-Extra: ]",
    ] {
        let machine = venv().file(&format!("{INFO}/METADATA"), format!("{ABOUT}{rest}\nRequires-Dist: openai\n\n"));
        assert_eq!(reported(&machine), (vec![CONFIRMED.to_owned()], 1, true), "{rest:?}");
    }
    let deep = format!("{ABOUT}Requires-Dist: a ; {}\n", "(".repeat(1 << 20));
    assert_eq!(reported(&venv().file(&format!("{INFO}/METADATA"), deep)).0, [CONFIRMED]);
}

#[test]
fn a_folder_names_what_its_metadata_does_not() {
    let utf16: Vec<u8> = ABOUT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        "".as_bytes(),
        b"\0\0\0\0",
        b"\xff\xfe\xfa",
        b"Name: litellm\n",
        b"Version: 1.82.8\n",
        b"Name: \x1b\nVersion: 1\n",
        b"Na",
        &utf16,
    ] {
        let machine = venv().file(&format!("{INFO}/METADATA"), body);
        assert_eq!(reported(&machine), (vec![POSSIBLE.to_owned()], 1, false), "{body:?}");
        let record =
            machine.file(&format!("{INFO}/RECORD"), "litellm/__init__.py,,\nlitellm-1.82.8.dist-info/METADATA,,\n");
        assert_eq!(reported(&record).0, [POSSIBLE], "listed, and not there: {body:?}");
        let code = record.file(&format!("{SITE}/litellm/__init__.py"), "# inert\n");
        assert_eq!(reported(&code), (vec![LIKELY.to_owned()], 1, false), "{body:?}");
    }
    // The look-alikes: another version, another name, a folder that is none.
    for name in [
        "litellm-1.82.6.dist-info",
        "litellm_x-1.82.8.dist-info",
        "litellm-1.82.8.dist-info.bak",
        "~itellm-1.82.8.dist-info",
    ] {
        let machine = venv().file(&format!("{SITE}/{name}/METADATA"), "");
        assert!(reported(&machine).0.is_empty(), "{name}");
    }
}

#[test]
fn what_stands_in_place_of_metadata_hides_nothing() {
    let bare = |name: &str| {
        let machine = venv().file(&format!("{INFO}/INSTALLER"), "pip\n");
        (machine.root().join(INFO).join(name), machine)
    };
    let (_, missing) = bare("METADATA");
    assert_eq!(reported(&missing).0, [POSSIBLE]);
    let (path, dangling) = bare("METADATA");
    unix::symlink("/nowhere", path).unwrap();
    assert_eq!(reported(&dangling).0, [POSSIBLE]);
    let (path, folder) = bare("METADATA");
    fs::create_dir_all(path.join("x")).unwrap();
    assert_eq!(reported(&folder).0, [POSSIBLE]);
    let (path, pipe) = bare("METADATA");
    fifo(&path);
    assert_eq!(reported(&pipe).0, [POSSIBLE]);
    let (path, sparse) = bare("METADATA");
    fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(reported(&sparse).0, [POSSIBLE]);
    let empty = venv();
    fs::create_dir_all(empty.root().join(INFO)).unwrap();
    assert_eq!(reported(&empty).0, [POSSIBLE]);
}

#[test]
fn witnesses_that_disagree_all_count() {
    let other = "Name: litellm\nVersion: 1.0\n";
    let odd = |machine: &Machine| {
        let (report, _) = report(machine.root());
        report["anomalies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["what"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let folder = venv().file(&format!("{INFO}/METADATA"), other);
    assert_eq!(reported(&folder), (vec![POSSIBLE.to_owned()], 1, true));
    assert_eq!(
        odd(&folder),
        ["what names this distribution disagrees: its folder says litellm 1.82.8, METADATA says litellm 1.0"]
    );
    for name in ["litellm-1.0.dist-info", "six-1.0.dist-info"] {
        let metadata = venv().file(&format!("{SITE}/{name}/METADATA"), ABOUT);
        assert_eq!(reported(&metadata), (vec![CONFIRMED.to_owned()], 1, true), "{name}");
        assert_eq!(odd(&metadata).len(), 1, "{name}");
    }
    let by_record = venv()
        .file(&format!("{SITE}/litellm-1.0.dist-info/METADATA"), other)
        .file(&format!("{SITE}/litellm-1.0.dist-info/RECORD"), "litellm-1.82.8.dist-info/METADATA,,\n");
    assert_eq!(reported(&by_record).0, [POSSIBLE]);
    let by_url = venv().file(&format!("{SITE}/litellm-1.0.dist-info/METADATA"), other).file(
        &format!("{SITE}/litellm-1.0.dist-info/direct_url.json"),
        r#"{"url":"https://u:hunter2@registry.example/litellm-1.82.8-py3-none-any.whl","archive_info":{}}"#,
    );
    assert_eq!(reported(&by_url).0, [POSSIBLE]);
    assert!(!report(by_url.root()).0.to_string().contains("hunter2"));
    // The forms in which one version is written are one version.
    for (name, version) in
        [("litellm-1.82.8", "v1.82.8.0"), ("Lite_LLM-1.0+cu117", "1.0+CU117"), ("litellm-1.0.post1", "1.0-1")]
    {
        let about = format!("Name: {}\nVersion: {version}\n", name.split('-').next().unwrap());
        let same = venv().file(&format!("{SITE}/{name}.dist-info/METADATA"), about);
        assert_eq!(odd(&same), [""; 0], "{name}");
    }
}

#[test]
fn what_was_built_from_a_repository_is_not_the_registry_s_file() {
    let from = |text: &str| venv().dist("litellm", "1.82.8").file(&format!("{INFO}/direct_url.json"), text);
    for vcs in ["git", "hg"] {
        let text =
            format!(r#"{{"url":"https://u:hunter2@code.example/x","vcs_info":{{"vcs":"{vcs}","commit_id":"0a1b"}}}}"#);
        let machine = from(&text);
        let (report, code) = report(machine.root());
        assert_eq!((findings(&report), code), (vec![format!("{POSSIBLE} /{INFO}/METADATA")], 1), "{vcs}");
        let why = report["incidents"][0]["findings"][0]["reason"].as_str().unwrap();
        assert!(why.contains(&format!("built from a {vcs} repository")) && !why.contains("hunter2"), "{why}");
    }
    for other in [
        r#"{"url":"https://registry.example/litellm-1.82.8.tar.gz","archive_info":{}}"#,
        r#"{"url":"file:///srv/litellm","dir_info":{}}"#,
        r#"{"url":"https://code.example/x","vcs_info":{"vcs":"carrier pigeon"}}"#,
    ] {
        assert_eq!(reported(&from(other)), (vec![CONFIRMED.to_owned()], 1, true), "{other}");
    }
    // Of one environment nothing is said about the next.
    let next = from(r#"{"url":"x","vcs_info":{"vcs":"git"}}"#).venv("srv/next").dist("litellm", "1.82.8");
    let found = findings(&report(next.root()).0);
    assert_eq!(found.iter().filter(|f| f.starts_with("installed/confirmed")).count(), 1, "{found:?}");
    let broken = from(r#"{"vcs_info":{"vcs":"git"#);
    assert!(reported(&broken).0[0].starts_with("installed/confirmed"));
}

#[test]
fn one_distribution_is_one_finding() {
    let machine = venv()
        .dist("litellm", "1.82.8")
        .file(&format!("{INFO}/PKG-INFO"), ABOUT)
        .file(&format!("{INFO}/direct_url.json"), r#"{"url":"https://registry.example/litellm-1.82.8.tar.gz"}"#);
    assert_eq!(reported(&machine), (vec![CONFIRMED.to_owned()], 1, true));
    let egg = Machine::new()
        .file("srv/t/litellm-1.82.8-py3.8.egg-info/PKG-INFO", ABOUT)
        .file("srv/t/litellm-1.82.8-py3.8.egg-info/METADATA", ABOUT);
    assert_eq!(reported(&egg), (vec![CONFIRMED.to_owned()], 1, true));
}

#[test]
fn eggs_archives_and_records_are_named_too() {
    for (path, says) in [
        ("usr/lib/python3/dist-packages/litellm-1.82.8.egg-info", POSSIBLE),
        ("usr/lib/python3/dist-packages/litellm-1.82.8-py3.8.egg-info/PKG-INFO", POSSIBLE),
        ("usr/lib/python3/dist-packages/litellm-1.82.8-py3.8.egg/EGG-INFO/PKG-INFO", POSSIBLE),
        ("opt/c/conda-meta/litellm-1.82.8-py_0.json", POSSIBLE),
        ("home/alice/Downloads/litellm-1.82.8-py3-none-any.whl", "cached/possible pypi/litellm@1.82.8"),
        ("home/alice/Downloads/litellm-1.82.8.tar.gz", "cached/possible pypi/litellm@1.82.8"),
        ("home/alice/.cache/uv/wheels-v5/pypi/litellm/1.82.8-py3-none-any.http", "cached/possible pypi/litellm@1.82.8"),
        ("home/alice/six-1.0-py3-none-any.whl", ""),
        ("usr/lib/python3/dist-packages/litellm-1.82.6.egg-info", ""),
        ("usr/lib/python3/dist-packages/litellm.egg-info/PKG-INFO", ""),
    ] {
        let expected: Vec<String> = Some(says.to_owned()).into_iter().filter(|s| !s.is_empty()).collect();
        assert_eq!(reported(&Machine::new().file(path, "not what it should be")).0, expected, "{path}");
    }
}

#[test]
fn a_lock_file_that_cannot_be_parsed_still_names_a_pair() {
    let says = vec!["referenced/possible pypi/litellm@1.82.8".to_owned()];
    let text = "{\"default\": {\"litellm\": {\"hashes\": [], \"version\": \"==1.82.8\"}, <<<<<<<";
    assert_eq!(reported(&Machine::new().home("p/Pipfile.lock", text)), (says.clone(), 1, false));
    assert!(reported(&Machine::new().home("p/Pipfile.lock", text.replace("1.82.8", "1.82.6"))).0.is_empty());
    // A byte order mark that lies.
    for (version, expected) in [("1.82.8", says), ("1.82.6", vec![])] {
        let text = format!("[[package]]\nname = \"litellm\"\nversion = \"{version}\"\n");
        let bytes = [b"\xff\xfe\x00", text.as_bytes()].concat();
        assert_eq!(reported(&Machine::new().home("p/uv.lock", bytes)).0, expected, "{version}");
    }
}

#[test]
fn a_gap_of_a_known_name_leads() {
    let machine = Machine::new()
        .file("a/aaa-1.0.dist-info/METADATA", "")
        .file("z/litellm.egg-info/PKG-INFO", "")
        .file("b/bbb-1.0.dist-info/METADATA", "");
    let (report, code) = report(machine.root());
    let first = report["coverage"]["gaps"][0]["location"]["path"].as_str().unwrap();
    assert_eq!((first, code), ("/z/litellm.egg-info/PKG-INFO", 3));
}
