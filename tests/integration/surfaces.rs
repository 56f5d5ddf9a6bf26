//! `tests/fixtures/surface/<place>/<format>.json`: small trees, and the findings that the surface of that id must make of them. The
//! test goes through the surfaces that the program lists, not through the files: a new surface needs its own file and one of these.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use dosimeter::{
    coverage::PARTS,
    ioc::{Database, Index},
    surface::{SURFACES, Shows},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    machine::Machine,
    program::{described, findings, report_with, run},
    replan::agrees,
};

/// Surfaces whose input cannot be written as text files of a small tree. None of them may be added; one that has a fixture must go.
const WITHOUT_FIXTURE: &[&str] = &[
    // Made for a run, or no file of a tree.
    "credential/environment",
    "credential/file",
    "host/every-file",
    "host/every-text",
    "host/process",
    "image/config",
    "image/history",
    "python/record",
    // Databases, archives and bytecode: tested beside their readers.
    "extension/vsix",
    "history/atuin",
    "python/bytecode",
    "python/pip-cache",
    "python/wheel",
    "python/zip-app",
];

static INDEX: LazyLock<Index> = LazyLock::new(|| Index::new(Database::embedded().unwrap(), &[]));

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
    /// Path from the root to a file of `tests/fixtures`, for what is no text.
    #[serde(default)]
    copies: BTreeMap<String, String>,
    /// When files were written last, where that says something.
    #[serde(default)]
    times: BTreeMap<String, Timestamp>,
    /// Other surfaces that look too, where this one finds nothing by itself and explains what they find.
    #[serde(default)]
    with: Vec<String>,
    /// More indicators, as `--ioc` takes them.
    #[serde(default)]
    ioc: Vec<String>,
    /// Sorted.
    #[serde(default)]
    expect: Vec<Expected>,
}

/// A finding, evidence of an earlier clean-up (`kept CASE path`), or what the machine is part of (`platform NAME path`).
#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    /// `exposure/confidence indicator path[:line]`.
    Line(String),
    /// The same, with everything else that a report says of it.
    Whole(Whole),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    /// As above.
    finding: String,
    /// Its code.
    rule: String,
    /// `null` for what is no code.
    moment: Option<String>,
    /// `path (kind)`; `null` where it belongs to no environment.
    unit: Option<String>,
    /// "axios ← my-plugin (asked for)".
    chain: String,
    /// What the checklist moves to the evidence for all findings of the case together, each path with its item.
    removal: Vec<String>,
    /// A part of the reason.
    #[serde(default)]
    says: String,
}

impl Expected {
    fn line(&self) -> &str {
        match self {
            Self::Line(line) => line,
            Self::Whole(whole) => &whole.finding,
        }
    }
}

/// What a case gives, checked against all that it expects.
fn check(surface: &str, case: &Case) -> usize {
    let mut machine = case.files.iter().fold(Machine::new(), |m, (path, text)| m.file(path, text));
    for (path, from) in &case.copies {
        machine = machine.file(path, fs::read(folder().join("..").join(from)).unwrap());
    }
    for (path, time) in &case.times {
        let file = fs::File::options().write(true).open(machine.root().join(path)).unwrap();
        file.set_modified((*time).into()).unwrap();
    }
    let mut options = vec!["--only", surface];
    options.extend(case.with.iter().flat_map(|other| ["--only", other]));
    options.extend(case.ioc.iter().flat_map(|ioc| ["--ioc", ioc]));
    let (report, _) = report_with(machine.root(), &options);
    if case.ioc.is_empty() {
        agrees(&report, &INDEX);
    }
    shown_by_their_surfaces(&report);
    let mut found = findings(&report);
    for kept in report["kept_evidence"].as_array().into_iter().flatten() {
        found.push(format!("kept {} {}", kept["case"].as_str().unwrap(), kept["location"]["path"].as_str().unwrap()));
    }
    // Others say it beside what they are there for.
    let parts = report["platforms"].as_array().into_iter().flatten().filter(|_| surface == "host/platform");
    for part in parts {
        let (platform, path) = (part["platform"].as_str().unwrap(), part["location"]["path"].as_str().unwrap());
        found.push(format!("platform {platform} {path}"));
    }
    let expected: Vec<&str> = case.expect.iter().map(Expected::line).collect();
    assert_eq!(found, expected, "{surface}, {}", case.title);
    for whole in case.expect.iter().filter_map(|e| if let Expected::Whole(w) = e { Some(w) } else { None }) {
        details(&report, whole, &format!("{surface}, {}, {}", case.title, whole.finding));
    }
    report["coverage"]["gaps"].as_array().unwrap().len()
}

/// The list of an incident that holds the indicator of a finding.
fn list_of(finding: &Value) -> Shows {
    match finding["indicator"].as_str().unwrap().split('/').next().unwrap() {
        "path" => Shows::Files,
        "host" | "url" => Shows::Network,
        "string" => Shows::Strings,
        "process" => Shows::Processes,
        "git" => Shows::Git,
        "action" => Shows::Actions,
        "image" => Shows::Images,
        hash if hash.starts_with("sha") => Shows::Artifacts,
        _ => Shows::Packages,
    }
}

/// A surface says of each kind of indicator that it shows that it can.
fn shown_by_their_surfaces(report: &Value) {
    for finding in report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap()) {
        let (id, list) = (finding["surface"].as_str().unwrap(), list_of(finding));
        let Some(surface) = SURFACES.iter().find(|s| s.meta().id == id) else { continue };
        assert!(surface.shows().contains(&list), "{id} does not say that it shows {}: {finding:#}", list.as_str());
    }
}

/// Compares the rest of what is said of a finding.
fn details(report: &Value, whole: &Whole, title: &str) {
    let mut all = report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap());
    let found = all.find(|f| whole.finding == described(f)).unwrap();
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let environment = &found["environment"];
    let unit = text(&environment["path"]).map(|path| format!("{path} ({})", environment["kind"].as_str().unwrap()));
    let link = |l: &Value| {
        let asked = if l["requested"] == true { " (asked for)" } else { "" };
        format!("{}{asked}", l["name"].as_str().unwrap())
    };
    let chain: Vec<String> = found["chain"].as_array().unwrap().iter().rev().map(link).collect();
    let steps = report["checklist"].as_array().unwrap().iter().flat_map(|i| i["steps"].as_array().unwrap());
    let keeps = steps.filter_map(|s| s["command"].as_str()?.strip_prefix("keep s-"));
    let removal: Vec<&str> = keeps.flat_map(|k| k.split(' ').skip(1)).collect();
    assert_eq!(found["rule"], whole.rule, "{title}");
    assert_eq!(text(&found["moment"]), whole.moment, "{title}");
    assert_eq!(unit, whole.unit, "{title}");
    assert_eq!(chain.join(" ← "), whole.chain, "{title}");
    assert_eq!(removal, whole.removal, "{title}");
    assert!(found["reason"].as_str().unwrap().contains(&whole.says), "{title}: {}", found["reason"]);
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
            assert_eq!(check(id, case), 0, "{id}, {}: gaps", case.title);
        }
        for case in &fixture.malformed {
            assert!(check(id, case) > 0, "{id}, {}: no gap", case.title);
        }
        assert!(fixture.finds.iter().all(|c| !c.expect.is_empty()), "{id} must find something");
        let alone = fixture.leaves.iter().filter(|c| c.with.is_empty());
        assert!(alone.clone().all(|c| c.expect.is_empty()), "{id} must leave look-alikes");
        let finds = || fixture.finds.iter().flat_map(|c| &c.expect);
        let whole = finds().any(|e| {
            matches!(e, Expected::Whole(_)) || e.line().starts_with("kept ") || e.line().starts_with("platform ")
        });
        assert!(whole, "{id} must say by which rule, when, where, why and how it is taken out");
    }
}

/// Lists of incidents that no file of a machine can show: what stands at a forge, or in a cluster.
const ELSEWHERE: &[&str] = &["kubernetes"];
/// The same of the list of what stands in git.
const AT_THE_FORGE: &[&str] = &["account", "description", "event"];

#[test]
fn each_kind_of_indicator_has_a_surface() {
    for kind in Shows::ALL {
        assert!(SURFACES.iter().any(|s| s.shows().contains(&kind)), "nothing shows {}", kind.as_str());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("iocs/incidents");
    let lists = |incident: &Value| -> Vec<String> {
        let fields = incident.as_object().unwrap().iter();
        let holds =
            |value: &Value| value.as_array().is_some_and(|a| a.first().is_some_and(|i| !i["sources"].is_null()));
        fields.filter(|(_, value)| holds(value)).map(|(key, _)| key.clone()).collect()
    };
    let other =
        ["cleanup", "disagreements", "not_indicators", "near_misses", "windows", "dead_man_switches", "examples"];
    for file in
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "json"))
    {
        let incident: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for list in lists(&incident).iter().map(String::as_str).filter(|list| !other.contains(list)) {
            let known = Shows::ALL.iter().any(|kind| kind.as_str() == list) || ELSEWHERE.contains(&list);
            assert!(known, "{}: no surface shows {list}", file.display());
        }
        for git in incident["git"].as_array().into_iter().flatten() {
            let kind = git["kind"].as_str().unwrap();
            let here = ["repository", "branch", "commit", "author", "message", "workflow"].contains(&kind);
            assert!(here || AT_THE_FORGE.contains(&kind), "{}: no surface shows {kind}", file.display());
        }
    }
}

#[test]
fn the_page_is_what_the_program_writes() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/surfaces.md");
    let said = run(["surfaces", "--format", "markdown"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let kept = fs::read_to_string(kept).unwrap();
    assert!(kept == said.out, "write it with `dosimeter surfaces --format markdown > docs/surfaces.md`");
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
