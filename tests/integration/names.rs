//! Inventories that hold every name, and what indicators of another day are told of files that nobody opened.

use std::fs;

use serde_json::{Value, json};

use crate::{
    inventory::{Kept, clean, compared, exposures, matched, python},
    machine::Machine,
    program::run,
};

fn gaps(report: &Value) -> Vec<String> {
    let all = report["coverage"]["gaps"].as_array().unwrap().iter();
    all.map(|g| format!("{} {}", g["location"]["path"].as_str().unwrap(), g["detail"].as_str().unwrap())).collect()
}

/// An incident of one file, as somebody publishes it.
fn incident(folder: &Kept, file: Value) -> String {
    let all = json!({
        "schema": "dosimeter.incident/1", "id": "new-2026-11", "title": "New", "date": "2026-11-28", "summary": "New.",
        "sources": {"a": {"url": "https://news.example/new", "title": "New"}}, "files": [file],
        "examples": [], "near_misses": []
    });
    let path = folder.path("new-2026-11.json");
    fs::write(&path, all.to_string()).unwrap();
    path
}

#[test]
fn a_name_answers_for_a_file_that_nobody_asked_for() {
    let machine = clean().home(".cache/stage2.bin", "inert").home("src/other.bin", "inert");
    let with = Kept::of(&machine, "i.ndjson.zst", &["--names"]);
    let without = Kept::of(&machine, "i.ndjson.zst", &[]);
    let root = machine.root().to_str().unwrap();
    let scan = run(["scan", "--built-in", "--root", root, "--format", "json", "--ioc", "file:stage2.bin"]);
    let found = matched(&with.path("i.ndjson.zst"), &["--ioc", "file:stage2.bin"]);
    assert_eq!(found.code, 1);
    let found = compared(&found);
    assert_eq!(exposures(&found), exposures(&compared(&scan)), "by name, as a scan finds it");
    assert_eq!(exposures(&found).len(), 1);
    assert!(gaps(&found).is_empty(), "{:?}", gaps(&found));
    // The twin: no file is called so, and all names are known.
    let none = matched(&with.path("i.ndjson.zst"), &["--ioc", "file:stage3.bin"]);
    assert_eq!((none.code, exposures(&compared(&none)).len()), (0, 0));
    let reasons = compared(&none)["coverage"]["exclusions"].to_string();
    assert!(reasons.contains("1 incident asks for what, by all that was recorded, is not there"));
    // Without the names nobody can say.
    let unknown = matched(&without.path("i.ndjson.zst"), &["--ioc", "file:stage3.bin"]);
    assert_eq!(unknown.code, 3);
    let unknown = gaps(&compared(&unknown));
    assert!(unknown.len() == 1 && unknown[0].contains("was not looked for"), "{unknown:?}");
}

#[test]
fn a_file_that_has_to_be_opened_is_a_gap_that_names_it() {
    // Of the second one an indicator of the program asks for the name: it was opened, and searched for other texts.
    let machine = Machine::new().home(".config/walk-in.sh", "echo").home(".config/run.sh", "x".repeat(400));
    let kept = Kept::of(&machine, "i.ndjson", &["--names"]);
    let file = kept.path("i.ndjson");
    let gap = "new-2026-11 asks for what this file holds";
    let text =
        |path: &str| json!({"paths": [path], "role": "trace", "what": "x", "holds": ["beacon-x"], "sources": ["a"]});
    let hash = "1".repeat(64);
    let sized = |size: u64| json!({"paths": ["any:walk-in.sh"], "role": "payload", "what": "x", "sha256": hash, "size": size, "sources": ["a"]});
    for (indicator, expected) in
        [(text("~/.config/walk-in.sh"), 1), (text("~/.config/run.sh"), 1), (text("~/bin/walk-in.sh"), 0)]
    {
        let iocs = incident(&kept, indicator);
        let said = matched(&file, &["--iocs", &iocs]);
        let report = compared(&said);
        assert_eq!(
            gaps(&report).iter().filter(|g| g.contains(gap) && g.starts_with("/home/alice/.config/")).count(),
            expected,
            "{:?}",
            gaps(&report)
        );
        assert_eq!((said.code, gaps(&report).len()), (if expected == 1 { 3 } else { 0 }, expected), "{}", said.err);
    }
    // By its name it is a finding; the hash only makes it sure.
    let iocs = incident(&kept, sized(4));
    assert_eq!(exposures(&compared(&matched(&file, &["--iocs", &iocs]))).len(), 1);
}

#[test]
fn a_hash_without_a_name_is_a_gap_unless_everything_was_hashed() {
    let machine = clean().home("x/y.bin", "inert");
    let hash = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    for (more, code) in [(&[][..], 3), (&["--names"][..], 3), (&["--deep"][..], 0)] {
        let kept = Kept::of(&machine, "i.ndjson", more);
        let said = matched(&kept.path("i.ndjson"), &["--ioc", hash]);
        assert_eq!(said.code, code, "{more:?}: {:?}", gaps(&compared(&said)));
        assert!(!said.err.contains("is hashed"), "nothing is hashed now: {}", said.err);
    }
}

#[test]
fn names_change_nothing_else() {
    let machine = clean().file("srv/a\u{e9}b", "").file("srv/many/x", "");
    fs::write(machine.root().join("srv/many").join(std::ffi::OsStr::new("n\u{2028}l")), "").unwrap();
    let raw = std::os::unix::ffi::OsStrExt::from_bytes(b"srv/\xff\n");
    fs::write(machine.root().join::<&std::ffi::OsStr>(raw), "").unwrap();
    let plain = Kept::of(&machine, "i.ndjson", &[]);
    let kept = Kept::of(&machine, "i.ndjson", &["--names"]);
    assert_eq!(kept.scan, plain.scan);
    assert_eq!(compared(&matched(&kept.path("i.ndjson"), &[])), plain.scan);
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/inventory-1.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let text = fs::read_to_string(kept.path("i.ndjson")).unwrap();
    let names: Vec<&str> = text.lines().filter(|l| l.starts_with("{\"names\"")).collect();
    assert!(names.len() > 5 && text.contains("[{\"bytes\":\"/wo=\"},0,"), "{names:?}");
    for line in names {
        let faults: Vec<String> =
            schema.iter_errors(&serde_json::from_str(line).unwrap()).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{line}: {faults:?}");
    }
    // A name that leads elsewhere is refused.
    for bad in ["..", "a/b", "", "a\\u0000"] {
        let text = text.replacen("[[\"x\",0,", &format!("[[\"{bad}\",0,"), 1);
        fs::write(kept.path("bad.ndjson"), text).unwrap();
        let said = matched(&kept.path("bad.ndjson"), &["--ioc", "file:zz"]);
        assert!(said.code == 2 && said.err.contains("names a path or a word that is none"), "{bad}: {}", said.err);
    }
    let alone = run(["scan", "--names", "--root", machine.root().to_str().unwrap()]);
    assert!(alone.code == 2 && alone.err.contains("--inventory"), "{}", alone.err);
}

/// What this program writes names what it found, under whatever name it lies in a tree.
#[test]
fn own_files_under_other_names_are_no_findings() {
    let kept = Kept::of(&python(), "i.ndjson", &["--names"]);
    assert!(!exposures(&kept.scan).is_empty());
    let root = tempfile::tempdir().unwrap();
    let file = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let (inventory, bundle) = (kept.path("i.ndjson"), file("all.csv"));
    let mut args = vec!["match", "--built-in", "-q", inventory.as_str()];
    let outs: Vec<String> = ["r.json", "r.ndjson", "r.md", "r.sh", "r.txt"].map(&file).into();
    outs.iter().for_each(|o| args.extend(["-o", o]));
    assert_eq!(run(args).code, 1);
    assert_eq!(run(["iocs", "export", "--built-in", "--format", "csv", "-o", &bundle]).code, 0);
    let mut own: Vec<Vec<u8>> = outs.iter().chain([&inventory, &bundle]).map(|o| fs::read(o).unwrap()).collect();
    own.push(include_bytes!("../../iocs/incidents/litellm-2026-03.json").to_vec());
    own.push(zstd::encode_all(own[5].as_slice(), 3).unwrap());
    own.push(zstd::encode_all(own[0].as_slice(), 3).unwrap());
    for name in
        ["poetry.lock", "uv.lock", "Pipfile.lock", "pyproject.toml", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"]
    {
        let mut machine = clean();
        for (n, bytes) in own.iter().enumerate() {
            machine = machine.home(&format!("case/{n}/{name}"), bytes);
        }
        let report = run(["scan", "--built-in", "--root", machine.root().to_str().unwrap(), "--format", "json"]);
        let report = compared(&report);
        assert_eq!((exposures(&report), gaps(&report)), (Default::default(), Vec::new()), "{name}");
    }
    // What only begins so and can be read all the same hides nothing.
    let line = String::from_utf8_lossy(&own[5]).lines().next().unwrap().to_owned();
    let history = format!("{line}\n#1774350600\npip install litellm==1.82.8\n");
    let pins = "# exposed: litellm-2026-03\nlitellm==1.82.8\n";
    let machine = clean().home(".bash_history", history).home("src/requirements.txt", pins);
    let report = run(["scan", "--built-in", "--root", machine.root().to_str().unwrap(), "--format", "json"]);
    assert_eq!(exposures(&compared(&report)).len(), 2);
}
