//! `tests/fixtures/surface/<place>/<format>.json`: small trees, and the findings that the surface of that file name must make of
//! them. A new surface needs its own file and one of these.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::{
    machine::Machine,
    program::{findings, report_with, run},
};

/// One fixture.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    /// Id of the surface: `host/cron`.
    surface: String,
    /// Trees with findings.
    finds: Vec<Case>,
    /// Their look-alikes.
    leaves: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    title: String,
    /// Path from the root to text.
    files: BTreeMap<String, String>,
    /// `exposure/confidence indicator path[:line]`, sorted.
    #[serde(default)]
    expect: Vec<String>,
}

fn found(surface: &str, case: &Case) -> Vec<String> {
    let machine = case.files.iter().fold(Machine::new(), |m, (path, text)| m.file(path, text));
    let (report, _) = report_with(machine.root(), &["--only", surface]);
    assert_eq!(report["coverage"]["gaps"].as_array().unwrap().len(), 0, "{surface}, {}", case.title);
    findings(&report)
}

#[test]
fn fixtures_give_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/surface");
    let listed = run(["surfaces", "--format", "json"]).out;
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap) {
        if !entry.file_type().is_file() {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let fixture: Fixture =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", entry.path().display()));
        let surface = fixture.surface.as_str();
        assert!(listed.contains(&format!("\"{surface}\"")), "no surface {surface}");
        assert!(!fixture.finds.is_empty() && !fixture.leaves.is_empty(), "{surface} needs both lists");
        for case in fixture.finds.iter().chain(&fixture.leaves) {
            assert_eq!(found(surface, case), case.expect, "{surface}, {}", case.title);
        }
        assert!(fixture.finds.iter().all(|c| !c.expect.is_empty()), "{surface} must find something");
        assert!(fixture.leaves.iter().all(|c| c.expect.is_empty()), "{surface} must leave look-alikes");
    }
}
