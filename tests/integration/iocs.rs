//! Looking indicators up, and laying more of them over an examination.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use sha2::Digest as _;

use crate::{
    machine::Machine,
    program::{exposure, finding, findings, report, report_with, run},
};

fn json(args: &[&str]) -> Vec<Value> {
    let said = run(args.iter().copied().chain(["--format", "json"]));
    let rows: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    // A search that finds nothing has a code of its own.
    let expected = if args[1] == "search" && rows.is_empty() { 4 } else { 0 };
    assert_eq!(said.code, expected, "{}", said.err);
    rows
}

fn search(text: &str) -> Vec<String> {
    let rows = json(&["iocs", "search", text]);
    rows.iter().map(|r| format!("{} {}", r["incident"].as_str().unwrap(), r["indicator"].as_str().unwrap())).collect()
}

#[test]
fn versions_are_looked_up_as_an_examination_matches_them() {
    for text in
        ["litellm==1.82.8", "pypi:LiteLLM@1.82.8", "pkg:pypi/litellm@1.82.8", "litellm@v1.82.8", "litellm==1.82.8+x"]
    {
        assert_eq!(search(text).len(), 1, "{text}: {:?}", search(text));
        assert!(search(text)[0].starts_with("litellm-2026-03 pypi/litellm@"), "{text}");
    }
    for text in
        ["litellm==1.82.6", "npm:litellm@1.82.8", "litellm-proxy==1.82.8", "litellm==1.82.80", "litellm==1.82.8.post1"]
    {
        assert_eq!(search(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn hosts_hashes_and_files_are_looked_up() {
    assert!(!search("models[.]litellm[.]cloud").is_empty());
    assert!(!search("hxxps://models[.]litellm[.]cloud/x").is_empty());
    assert!(!search("71E35AEF03099CD1F2D6446734273025A163597DE93912DF321EF118BF135238").is_empty());
    assert!(!search("litellm_init.pth").is_empty() && !search("~/.config/sysmon/sysmon.py").is_empty());
    for text in
        ["litellm.ai", "notlitellm.cloud", "github.com", "index.js", "__init__.py", "settings.json", "sysmon.service.d"]
    {
        assert_eq!(search(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_moved_tag_is_judged_with_the_time_it_was_used() {
    let at = |time: &str| json(&["iocs", "search", "tj-actions/changed-files@v45", "--at", time]).len();
    assert_eq!((at("2025-03-14T20:00:00Z"), at("2025-03-01T00:00:00Z"), at("2026-01-01T00:00:00Z")), (1, 0, 0));
    let commit = "tj-actions/changed-files@0e58ed8671d6b60d0890c21b07f8835ace038e67";
    assert_eq!(json(&["iocs", "search", commit, "--at", "2026-01-01T00:00:00Z"]).len(), 1);
}

#[test]
fn lists_can_be_narrowed() {
    let all = json(&["iocs", "list"]);
    assert!(all.len() > 100, "{}", all.len());
    let dates: Vec<&str> = all.iter().map(|r| r["date"].as_str().unwrap()).collect();
    assert!(dates.is_sorted_by(|a, b| a >= b));
    let ids = |args: &[&str]| -> BTreeSet<String> {
        let rows = json(&[&["iocs", "list"], args].concat());
        rows.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    };
    assert!(ids(&["litellm"]).contains("litellm-2026-10"));
    let cargo = ids(&["--ecosystem", "crates.io"]);
    assert!(cargo.contains("rustsec-malicious-crates") && !cargo.contains("litellm-2026-03"));
    assert!(ids(&["--ecosystem", "actions"]).contains("tj-actions-2025-03"));
    assert_eq!(
        ids(&["--since", "2026-10-21", "--until", "2026-10-21", "litellm"]),
        BTreeSet::from(["litellm-2026-10".into()])
    );
    assert!(ids(&["no such thing"]).is_empty());
    assert!(run(["iocs", "list", "--since", "yesterday"]).err.contains("--since"));
    // By an alias, an actor, a package, an action, a host; in any case.
    for (text, id) in [
        ("mal-2026-2254", "telnyx-2026-03"),
        ("TeamPCP", "litellm-2026-03"),
        ("plain-crypto-js", "axios-2026-03"),
        ("TJ-Actions/", "tj-actions-2025-03"),
        ("models[.]litellm[.]cloud", "litellm-2026-03"),
        ("aquasec/trivy", "trivy-2026-03"),
    ] {
        assert!(ids(&[text]).contains(id), "{text}");
    }
    assert!(ids(&["--ecosystem", "AUR"]).contains("aur-atomic-arch-2026-06"));
    let wrong = run(["iocs", "list", "--ecosystem", "nmp"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("pypi, npm, cargo") && wrong.err.contains("actions"), "{}", wrong.err);
}

#[test]
fn a_search_never_reassures() {
    let said = |args: &[&str]| {
        let said = run(["iocs", "search"].iter().chain(args).copied());
        (said.code, said.out)
    };
    let (code, out) = said(&["litellm", "1.82.8"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("litellm 1.82.8: pypi/litellm@1.82.8 ("), "{out}");
    let (code, out) = said(&["litellm:1.82.9"]);
    assert_eq!(code, 4);
    assert!(out.starts_with("litellm:1.82.9: not known\n  known of pypi/litellm: "), "{out}");
    assert!(out.contains("Not known is not safe: "), "{out}");
    let (code, out) = said(&["1.82.9"]);
    assert_eq!(code, 2);
    assert!(out.contains("cannot be looked up") && out.contains("iocs search 'NAME 1.82.9'"), "{out}");
    // One that is known is enough; what is not is said all the same.
    let (code, out) = said(&["litellm==1.82.8", "made-up==1.0", "1.0"]);
    assert_eq!(code, 0);
    assert!(out.contains("made-up==1.0: not known") && out.contains("a version without a name"), "{out}");
    assert_eq!(said(&["made-up==1.0", "1.0.0.0"]).0, 4);
    assert!(run(["iocs", "search", "--help"]).out.contains("Exit codes: 0 "));
}

#[test]
fn a_page_says_what_when_how_and_whence() {
    let page = run(["iocs", "show", "litellm-2026-03"]).out;
    for part in [
        "LiteLLM 1.82.7 and 1.82.8",
        "2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z",
        "at every Python start",
        "models[.]litellm[.]cloud",
        "sources disagree",
        "https://docs.litellm.ai/blog/security-update-march-2026",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(run(["iocs", "show", "MAL-2026-2144"]).out.contains("litellm-2026-03"));
    let unknown = run(["iocs", "show", "nothing"]);
    assert_eq!((unknown.code, unknown.err.contains("hint: ")), (2, true));
    assert!(json(&["iocs", "show", "nothing"]).is_empty());
}

#[test]
fn what_is_pasted_on_the_command_line_is_looked_for() {
    let machine = || Machine::new().venv("v").dist("made-up", "9.9.9").dist("other", "1.0");
    assert_eq!(exposure(&report(machine().root()).0), "none");
    let (found, code) = report_with(machine().root(), &["--ioc", "made_up==9.9.9"]);
    assert_eq!((exposure(&found), code), ("installed", 1));
    let finding = finding(&found, "pypi/made-up@9.9.9", "METADATA");
    assert_eq!(finding["indicator_source"], "--ioc");
    assert_eq!(found["indicators"]["layers"][0]["origin"], "--ioc");
    assert_eq!(exposure(&report_with(machine().root(), &["--ioc", "made-up==9.9.8"]).0), "none");
    let hosts = Machine::new().file("etc/hosts", "203.0.113.9 a.evil.example\n");
    assert_eq!(exposure(&report_with(hosts.root(), &["--ioc", "evil[.]example"]).0), "referenced");
    let dropped = Machine::new().home("x/evil.bin", "harmless");
    let hash: String = sha2::Sha256::digest("harmless").iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(exposure(&report_with(dropped.root(), &["--ioc", &hash.replace('a', "b")]).0), "none");
    let (report, _) = report_with(dropped.root(), &["--ioc", &hash]);
    assert_eq!(findings(&report), [format!("cached/confirmed sha256/{hash} /home/alice/x/evil.bin")]);
    for text in ["evil", "a/b@v1", "setup.py"] {
        let said = run(["scan", "--ioc", text, dropped.root().to_str().unwrap()]);
        assert_eq!((said.code, said.err.contains("hint: ")), (2, true), "{}", said.err);
    }
}

#[test]
fn a_file_of_the_users_adds_and_never_takes_away() {
    let text = include_str!("../../iocs/incidents/telnyx-2026-03.json");
    let mut incident: Value = serde_json::from_str(text).unwrap();
    incident["packages"][0]["name"] = "made-up".into();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("telnyx-2026-03.json");
    fs::write(&file, incident.to_string()).unwrap();
    let machine = Machine::new().venv("v").dist("made-up", "4.87.1").dist("telnyx", "4.87.1");
    for named in [file.as_path(), folder.path()] {
        let (report, _) = report_with(machine.root(), &["--iocs", named.to_str().unwrap()]);
        assert_eq!(findings(&report).len(), 2, "{:#?}", findings(&report));
        let source = |name: &str| finding(&report, name, "METADATA")["indicator_source"].as_str().unwrap().to_owned();
        assert_eq!(source("pypi/telnyx@4.87.1"), "built in");
        assert!(source("pypi/made-up@4.87.1").ends_with("telnyx-2026-03.json"));
    }
    let missing = run(["scan", "--iocs", "/nonexistent", "/nonexistent"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("/nonexistent"));
}

#[test]
fn a_package_that_is_malicious_as_a_whole_needs_no_version_and_no_time() {
    let typed = |line: &str| Machine::new().home(".bash_history", line);
    let with = |machine: &Machine| findings(&report_with(machine.root(), &["--ioc", "pypi:made-up-evil"]).0);
    let found = with(&typed("pip install made_up_evil\n"));
    assert_eq!(found, ["removed/likely pypi/made-up-evil@* /home/alice/.bash_history:1"]);
    assert_eq!(with(&typed("pip uninstall made-up-evil\npip install made-up-evil-2\n")), Vec::<String>::new());
}

/// What the database itself says, asked of the database: every version and hash is found, no safe version and no value that is
/// none.
#[test]
fn the_database_finds_what_it_lists_and_nothing_it_excludes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("iocs/incidents");
    let (mut listed, mut excluded) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(root).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_none_or(|e| e != "json") {
            continue;
        }
        let incident: Value = serde_json::from_str(&fs::read_to_string(entry.path()).unwrap()).unwrap();
        let list = |key: &str| incident[key].as_array().cloned().unwrap_or_default();
        for p in list("packages").iter().filter(|p| p["standing"]["withdrawn"].is_null()) {
            let name = |v: &Value| {
                format!("{}:{}@{}", p["ecosystem"].as_str().unwrap(), p["name"].as_str().unwrap(), v.as_str().unwrap())
            };
            let whole = p["versions"].as_array().unwrap().iter().any(|v| v == "*");
            listed.extend(
                p["versions"].as_array().unwrap().iter().filter(|v| !v.as_str().unwrap().starts_with('>')).map(name),
            );
            if !whole {
                excluded.extend(p["safe"].as_array().into_iter().flatten().map(name));
            }
        }
        for item in list("files").iter().chain(&list("artifacts")).filter(|f| f["standing"]["withdrawn"].is_null()) {
            listed.extend(item["sha256"].as_str().map(str::to_owned));
        }
        excluded.extend(list("not_indicators").iter().filter_map(|n| {
            let value = n["value"].as_str()?;
            (value.len() == 64).then(|| value.to_owned())
        }));
    }
    let asked = |texts: &BTreeSet<String>| -> BTreeSet<String> {
        let args = ["iocs", "search", "--"].into_iter().chain(texts.iter().map(String::as_str));
        let said = run(["iocs", "search", "--format", "json"].into_iter().chain(args.skip(2)));
        let rows: Vec<Value> = serde_json::from_str(&said.out).unwrap();
        rows.iter().map(|r| r["query"].as_str().unwrap().to_owned()).collect()
    };
    assert!(listed.len() > 500 && excluded.len() > 50);
    assert_eq!(listed.difference(&asked(&listed)).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(asked(&excluded), BTreeSet::new());
}
