//! `tests/fixtures/surface/<place>/<format>.json`: small trees, and the findings that the surface of that id must make of them. The
//! test goes through the surfaces that the program lists, not through the files: a new surface needs its own file and one of these.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use dosimeter::{coverage::PARTS, surface::SURFACES};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    machine::Machine,
    program::{findings, report_with, run},
};

/// Surfaces whose input cannot be written as text files of a small tree, or that still need a fixture. None of them may be added;
/// one that has a fixture must go.
const WITHOUT_FIXTURE: &[&str] = &[
    // Made for a run, or no file of a tree.
    "credential/environment",
    "credential/file",
    "host/every-file",
    "host/process",
    "image/config",
    "image/history",
    "python/record",
    // Databases, archives and bytecode: tested beside their readers.
    "history/atuin",
    "python/bytecode",
    "python/pip-cache",
    "python/wheel",
    "python/zip-app",
    // To be written.
    "host/file",
    "host/kept-evidence",
    "python/conda-meta",
    "python/environment",
    "python/hook",
    "python/on-path",
    "python/uv-cache",
    "systemd/unit",
    "node/bun-lockb",
    "node/hidden-lock",
    "node/install-record",
    "node/npm-log",
    "node/script-settings",
];

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
    /// Trees with a file that is not of its format: each must end as a gap, whatever is still found in it.
    #[serde(default)]
    malformed: Vec<Case>,
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

fn examined(surface: &str, case: &Case) -> (Vec<String>, usize) {
    let machine = case.files.iter().fold(Machine::new(), |m, (path, text)| m.file(path, text));
    let (report, _) = report_with(machine.root(), &["--only", surface]);
    let gaps = report["coverage"]["gaps"].as_array().unwrap().len();
    (findings(&report), gaps)
}

fn listed() -> BTreeSet<String> {
    let listed: Value = serde_json::from_str(&run(["surfaces", "--format", "json"]).out).unwrap();
    listed.as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/surface")
}

/// Where the fixture of a surface is: as its source, `host/desktop_entry`.
fn fixture_of(id: &str) -> PathBuf {
    folder().join(format!("{}.json", id.replace('-', "_")))
}

#[test]
fn each_surface_finds_what_its_fixture_says() {
    for id in listed().iter().filter(|id| !WITHOUT_FIXTURE.contains(&id.as_str())) {
        let text = fs::read_to_string(fixture_of(id)).unwrap_or_else(|e| panic!("{id} needs a fixture: {e}"));
        let fixture: Fixture = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{id}: {e}"));
        assert_eq!(fixture.surface, *id);
        assert!(!fixture.finds.is_empty() && !fixture.leaves.is_empty(), "{id} needs both lists");
        for case in fixture.finds.iter().chain(&fixture.leaves) {
            assert_eq!(examined(id, case), (case.expect.clone(), 0), "{id}, {}", case.title);
        }
        for case in &fixture.malformed {
            let (found, gaps) = examined(id, case);
            assert_eq!(found, case.expect, "{id}, {}", case.title);
            assert!(gaps > 0, "{id}, {}: no gap", case.title);
        }
        assert!(fixture.finds.iter().all(|c| !c.expect.is_empty()), "{id} must find something");
        assert!(fixture.leaves.iter().all(|c| c.expect.is_empty()), "{id} must leave look-alikes");
    }
}

#[test]
fn each_fixture_belongs_to_a_surface() {
    let listed = listed();
    let files = walkdir::WalkDir::new(folder()).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
    let expected: BTreeSet<PathBuf> = listed.iter().map(|id| fixture_of(id)).collect();
    for file in files {
        assert!(expected.contains(file.path()), "{} belongs to no surface", file.path().display());
    }
    for id in WITHOUT_FIXTURE {
        assert!(listed.contains(*id), "there is no {id}");
        assert!(!fixture_of(id).exists(), "{id} has a fixture");
    }
}

/// The id of a surface is its folder and file: who reads one in a report knows where to look.
#[test]
fn folder_and_id_agree() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/surface");
    let mut met = BTreeSet::new();
    for surface in SURFACES {
        let id = surface.meta().id;
        assert!(met.insert(id), "{id} is declared twice");
        let file = source.join(format!("{}.rs", id.replace('-', "_")));
        let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{id} is not in {}", file.display()));
        assert!(text.contains(&format!("\"{id}\"")), "{} does not declare {id}", file.display());
    }
    let declared = walkdir::WalkDir::new(&source).into_iter().map(Result::unwrap);
    let texts = declared.filter(|e| e.file_type().is_file()).map(|e| fs::read_to_string(e.path()).unwrap());
    let count = texts.filter(|text| text.lines().any(|l| l.starts_with("impl Surface for "))).count();
    assert_eq!(count, SURFACES.len(), "a surface in the sources is not registered");
}

#[test]
fn parts_of_the_program_are_no_surfaces() {
    let (listed, machine) = (listed(), Machine::new());
    for part in PARTS {
        assert!(!listed.contains(part.id) && !part.about.is_empty(), "{}", part.id);
        // `image` is also the folder of surfaces of images.
        let folder = listed.iter().any(|id| id.starts_with(&format!("{}/", part.id)));
        let said = run(["scan", "--only", part.id, "--root", machine.root().to_str().unwrap()]);
        let refused = said.err.starts_with(&format!("error: no surface `{}`", part.id));
        assert!(if folder { said.code == 0 } else { refused }, "{}: {}", part.id, said.err);
    }
}

#[test]
fn every_surface_can_be_chosen_and_left_out() {
    let machine = Machine::new();
    for id in listed() {
        for option in ["--only", "--skip"] {
            let (report, code) = report_with(machine.root(), &[option, &id]);
            assert_eq!((code, findings(&report).len()), (0, 0), "{option} {id}");
        }
    }
}
