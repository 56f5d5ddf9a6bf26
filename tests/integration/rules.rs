//! The rules: the document is what the program writes.

use std::{fs, path::Path};

use dosimeter::assess::rule::Rule;
use serde_json::Value;

use super::program::run;

#[test]
fn the_document_is_what_the_program_writes() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let said = run(["rules", "--format", "markdown"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let kept = fs::read_to_string(kept).unwrap();
    assert!(kept == said.out, "write it with `dosimeter rules --format markdown > docs/rules.md`");
}

#[test]
fn the_rules_can_be_listed() {
    let said = run(["rules", "--format", "json"]);
    let rules: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    assert_eq!(rules.len(), Rule::all().count());
    let loadable = rules.iter().find(|r| r["rule"] == "package-loadable").unwrap();
    assert_eq!((&loadable["exposure"], &loadable["confidence_up_to"]), (&"installed".into(), &"confirmed".into()));
    assert!(run(["rules"]).out.contains("install-script-ran"));
}
