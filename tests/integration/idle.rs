//! What no indicator of a `match` asks for is left aside early: it is checked like the rest, counted, and found when it is asked for.

use std::fs;

use serde_json::json;

use crate::{
    inventory::{Kept, clean, compared, exposures, matched},
    machine::Machine,
    program::run,
};

#[test]
fn what_nobody_asks_for_is_as_sound_as_the_rest() {
    let kept = Kept::of(&clean(), "i.ndjson", &[]);
    let text = fs::read_to_string(kept.path("i.ndjson")).unwrap();
    let end = text.trim_end().rfind('\n').unwrap() + 1;
    let (lines, last) = text.split_at(end);
    let count = |n: usize| last.replacen(&format!("\"lines\":{n}"), &format!("\"lines\":{}", n + 1), 1);
    let last = count(lines.lines().count());
    let file = r#""file":{"path":"/x/yarn.lock","size":1}"#;
    let package = |placement: &str| {
        format!(r#"{{"package":{{"ecosystem":"npm","name":"idle","version":"1.0.0","placement":"{placement}"}}}}"#)
    };
    let line = |facts: &str, further: &str| {
        format!(
            r#"{{"read":{{"surface":"node/yarn-lock",{file},"facts":[{{"fact":{facts}}}],"further":[{{"fact":{further}}}],"asked":["npm/idle"]}}}}"#
        )
    };
    let listed = |path: &str| format!(r#"{{"listed":{{"paths":["{path}"]}}}}"#);
    for (facts, further, is_sound) in [
        (package("listed"), listed("/x/a"), true),
        (package("lifted"), listed("/x/a"), false),
        (package("listed"), listed("/x/../a"), false),
        (package("listed"), listed("/x/\\u0000a"), false),
        (package("listed"), package("lifted"), false),
        (package("listed"), r#"{"use":{"kind":"image","name":"x","reference":"1","usage":"named"}}"#.to_owned(), true),
        (package("listed"), r#"{"use":{"kind":"imago","name":"x","reference":"1","usage":"named"}}"#.to_owned(), false),
        (package("listed"), r#"{"package":{"ecosystem":"npm"}}"#.to_owned(), false),
    ] {
        fs::write(kept.path("more.ndjson"), format!("{lines}{}\n{last}", line(&facts, &further))).unwrap();
        let said = matched(&kept.path("more.ndjson"), &["--ioc", "npm:left-lib@1.2.3"]);
        let with = format!("{facts} {further}: {}", said.err);
        if !is_sound {
            assert!(
                said.code == 2
                    && said.out.is_empty()
                    && said.err.contains("a word that is none") | said.err.contains("form"),
                "{with}"
            );
            continue;
        }
        let surfaces = compared(&said)["coverage"]["surfaces"].clone();
        let lock = surfaces.as_array().unwrap().iter().find(|s| s["id"] == "node/yarn-lock").unwrap().clone();
        assert_eq!((&lock["files"], &lock["facts"]), (&json!(1), &json!(1)), "{with}");
    }
}

#[test]
fn indicators_ask_for_what_is_idle_without_them() {
    let kept = Kept::of(&clean(), "i.ndjson", &[]);
    // By name in a lock file, whatever else is asked for.
    for (ioc, found) in [
        ("pypi:quiet-lib@1.0.1", true),
        ("pypi:Quiet_Lib@1.0.1", true),
        ("pypi:quiet-lib@9.9", false),
        ("npm:quiet-lib@1.0.1", false),
    ] {
        let said = matched(&kept.path("i.ndjson"), &["--ioc", ioc]);
        let report = compared(&said);
        let lock = exposures(&report).iter().any(|e| e.contains("poetry.lock"));
        assert_eq!(lock, found, "{ioc}");
    }
}

#[test]
fn a_bundle_that_lies_in_a_tree_is_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let osv = r#"{"id":"MAL-2099-1","modified":"2026-04-20T00:00:00Z","affected":[{"package":{"ecosystem":"pypi","name":"left-lib"},"versions":["1.2.3"]}]}"#;
    fs::write(at("osv.ndjson"), format!("{osv}\n")).unwrap();
    let said = run(["iocs", "import", &at("osv.ndjson"), "-o", &at("new.bundle")]);
    assert_eq!(said.code, 0, "{}", said.err);
    let bundle = fs::read(at("new.bundle")).unwrap();
    let scan = |machine: &Machine| {
        let root = machine.root().to_str().unwrap();
        let said = run(["scan", "--built-in", "--root", root, "--format", "json", "--ioc", "pypi:left-lib@1.2.3"]);
        (exposures(&compared(&said)).len(), said.code)
    };
    // As what it is, and under the names of a lock file and a manifest.
    let machine = clean()
        .home("case/new.bundle", &bundle)
        .home("src/a/uv.lock", &bundle)
        .home("src/b/package-lock.json", &bundle)
        .home("src/c/package.json", &bundle);
    assert_eq!(scan(&machine), (0, 0));
    // What is none, and names the package, is not left alone.
    let broken = "[[package]\nname = \"left-lib\"\nversion = \"1.2.3\"\n";
    assert_eq!(scan(&clean().home("src/a/uv.lock", broken)), (1, 1));
}
