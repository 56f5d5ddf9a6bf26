//! Histories, lock files and caches: what was typed, named and stored.

use std::io::Write as _;

use crate::{
    machine::Machine,
    program::{exposure, finding, findings, report, report_with},
};

const INSIDE: i64 = 1_774_350_000; // 2026-03-24T11:00:00Z
const A_DAY_LATER: i64 = 1_774_440_000;

#[test]
fn histories_of_three_shells_with_their_times() {
    let machine = Machine::new()
        .home(".bash_history", format!("#{INSIDE}\npip install litellm\n#{A_DAY_LATER}\npip install litellm\n#{INSIDE}\npip install 'litellm!=1.82.7,!=1.82.8'\n"))
        .file("root/.zsh_history", format!(": {INSIDE}:0;sudo -H uv pip install -U litellm\n: {A_DAY_LATER}:0;pip install litellm==1.82.8\n: {INSIDE}:0;grep litellm x\n"))
        .home(".local/share/fish/fish_history", format!("- cmd: uv tool install litellm@1.82.7\n  when: {A_DAY_LATER}\n- cmd: echo pip install litellm==1.82.8\n  when: {INSIDE}\n- cmd: pip uninstall -y litellm\n  when: {A_DAY_LATER}\n"));
    let (report, code) = report(machine.root());
    assert_eq!(code, 1);
    // A day later both versions were withdrawn: only a mirror or a cache can have had them.
    assert_eq!(
        findings(&report),
        [
            "removed/possible pypi/litellm@1.82.7 /home/alice/.local/share/fish/fish_history:1",
            "removed/possible pypi/litellm@1.82.7|1.82.8 /home/alice/.bash_history:2",
            "removed/possible pypi/litellm@1.82.7|1.82.8 /root/.zsh_history:1",
            "removed/possible pypi/litellm@1.82.8 /root/.zsh_history:2",
        ]
    );
    let inside = Machine::new().home(".zsh_history", format!(": {INSIDE}:0;pip install litellm==1.82.8\n"));
    let inside = findings(&self::report(inside.root()).0);
    assert_eq!(inside, ["removed/likely pypi/litellm@1.82.8 /home/alice/.zsh_history:1"]);
    let bash = finding(&report, "pypi/litellm@1.82.7|1.82.8", ".bash_history");
    assert_eq!(bash["at"], "2026-03-24T11:00:00Z");
    assert!(bash["reason"].as_str().unwrap().contains("2026-03-24T16:00:00Z"));
    let summary = |r: &serde_json::Value| r["verdict"]["summary"].as_str().unwrap().to_owned();
    assert!(summary(&report).starts_with("exposed: litellm-2026-03 possibly removed in "), "{}", summary(&report));
    let maybe = Machine::new().home(".bash_history", format!("#{INSIDE}\npip install litellm\n"));
    let maybe = summary(&self::report(maybe.root()).0);
    assert!(maybe.starts_with("exposed: litellm-2026-03 possibly removed in "), "{maybe}");
    let moments = report["timeline"].as_array().unwrap();
    assert!(moments.iter().any(|m| m["what"].as_str().unwrap().contains("uninstall") && m["finding"].is_null()));
}

#[test]
fn a_cutoff_keeps_a_version_away() {
    let typed = |commands: &[&str]| {
        let text: String = commands.iter().map(|c| format!("#{INSIDE}\n{c}\n")).collect();
        let (report, _) = report(Machine::new().home(".bash_history", text).root());
        findings(&report)
    };
    let kept = [
        "uv pip install --exclude-newer 2026-03-01 litellm",
        "uv add litellm --exclude-newer '7 days'",
        "pip install --uploaded-prior-to=2026-03-24T10:39:00Z litellm",
    ];
    assert_eq!(typed(&kept), [""; 0]);
    // The day of the attack, an age of minutes, and a time between both uploads; the last installs nothing.
    let taken = [
        "uv pip install --exclude-newer 2026-03-24 litellm",
        "uvx --exclude-newer=PT5M litellm",
        "pip install --uploaded-prior-to 2026-03-24T10:45:00Z litellm",
        "pip install --dry-run litellm",
    ];
    assert_eq!(
        typed(&taken),
        [
            "removed/possible pypi/litellm@1.82.7 /home/alice/.bash_history:6",
            "removed/possible pypi/litellm@1.82.7|1.82.8 /home/alice/.bash_history:2",
            "removed/possible pypi/litellm@1.82.7|1.82.8 /home/alice/.bash_history:4",
        ]
    );
}

#[test]
fn a_range_that_admits_only_some_versions() {
    let typed = |spec: &str| {
        let machine = Machine::new().home(".bash_history", format!("#{INSIDE}\npip install '{spec}'\n"));
        exposure(&report(machine.root()).0).to_owned()
    };
    assert_eq!(typed("litellm>=1.80"), "removed");
    assert_eq!(typed("litellm[proxy]"), "removed");
    assert_eq!(typed("litellm<1.82"), "none");
    assert_eq!(typed("litellm==1.82.6"), "none");
    assert_eq!(typed("litellm-proxy-extras"), "none");
}

#[test]
fn undated_and_unpinned_is_counted_only() {
    let machine = Machine::new().home(".bash_history", "pip install litellm\npip install requests\n");
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("none", 0));
    assert_eq!(report["coverage"]["undated_commands"], 1);
}

#[test]
fn lock_files_and_manifests_name_it() {
    let hash = "d2a0d5f564628773b6af7b9c11f6b86531a875bd2d186d7081ab62748a800ebb";
    let machine = Machine::new()
        .home("a/requirements.txt", "requests\nlitellm==1.82.8 ; python_version >= '3.8'\n")
        .home("b/uv.lock", "version = 1\n\n[[package]]\nname = \"litellm\"\nversion = \"1.82.7\"\nsource = { registry = \"https://registry.example/simple\" }\n")
        .home("c/poetry.lock", "[[package]]\nname = \"litellm\"\nversion = \"1.107.0\"\nfiles = []\n")
        .home("d/Pipfile.lock", r#"{"_meta":{},"default":{"litellm":{"version":"==1.82.8"}},"develop":{}}"#)
        .home("e/pyproject.toml", "[project]\nname = \"x\"\ndependencies = [\"litellm==1.82.7\"]\n")
        .home("f/pylock.toml", "lock-version = \"1.0\"\n[[packages]]\nname = \"litellm\"\nversion = \"1.82.8\"\n")
        .home("g/pdm.lock", "[[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\n")
        .home("h/requirements.txt", format!("litellm==9.9 --hash=sha256:{hash}\n"));
    let (report, _) = report(machine.root());
    let found: Vec<String> = findings(&report).iter().map(|f| f.split('/').nth(5).unwrap_or("").to_owned()).collect();
    assert_eq!(found.len(), 8, "{:#?}", findings(&report));
    // The hash of the wheel was only relayed.
    let relayed = |f: &String| f.starts_with("referenced/likely sha256/");
    assert!(
        findings(&report).iter().all(|f| f.starts_with("referenced/confirmed") || relayed(f)),
        "{:#?}",
        findings(&report)
    );
    assert!(
        finding(&report, &format!("sha256/{hash}"), "h/requirements.txt")["reason"]
            .as_str()
            .unwrap()
            .contains("1.82.8-py3")
    );
    let good = Machine::new()
        .home(
            "a/requirements.txt",
            "litellm!=1.82.7,!=1.82.8\n# litellm==1.82.8\nlitellm>=1.82\nlitellm==1.82.6\nlitellm==1.82.*\n",
        )
        .home("b/uv.lock", "version = 1\n\n[[package]]\nname = \"litellm\"\nversion = \"1.82.6\"\n")
        .home("e/pyproject.toml", "[project]\nname = \"x\"\ndependencies = [\"litellm>=1.80,!=1.82.7,!=1.82.8\"]\n");
    assert_eq!(exposure(&crate::program::report(good.root()).0), "none");
}

#[test]
fn deep_finds_addresses_and_texts_in_any_file() {
    let machine = |host: &str| {
        let text = format!("\0const to = 'https://{host}/up';\n");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        Machine::new().home("src/x.bin", &text).home("old.log.gz", packed.finish().unwrap())
    };
    let bad = machine("models.litellm.cloud");
    let (deep, code) = report_with(bad.root(), &["--deep"]);
    let url = "referenced/possible url/https://models.litellm.cloud/ /home/alice";
    assert_eq!((findings(&deep), code), (vec![format!("{url}/old.log.gz"), format!("{url}/src/x.bin")], 1));
    assert_eq!(findings(&report(bad.root()).0), [""; 0]);
    let (good, code) = report_with(machine("models.litellm.example").root(), &["--deep"]);
    assert_eq!((findings(&good), code), (vec![], 0));
}
