mod head;
mod markdown;
mod table;

use insta::assert_snapshot;
use serde_json::Value;

use super::*;
use crate::{
    accounts::Accounts,
    assess::{Assessment, Case, Evidence, assess},
    coverage::{Coverage, Exclusion, Gap, GapKind, SurfaceCount},
    credential::Catalog,
    fact::{At, Credential, Ecosystem, Fact, Origin, Package, Placement, Requirement, Seen, TreePath},
    ioc::{Database, Index},
};

const EXAMPLE: &str = include_str!("../../tests/fixtures/report/example.json");
/// Made up, so that a change of the real indicators changes no snapshot.
const INCIDENT: &str = include_str!("../../tests/fixtures/report/incident.json");
const REPORT_SCHEMA: &str = include_str!("../../docs/schema/report-1.schema.json");
const NDJSON_SCHEMA: &str = include_str!("../../docs/schema/ndjson-1.schema.json");

pub(super) fn example() -> v1::Report {
    serde_json::from_str(EXAMPLE).unwrap()
}

fn valid(schema: &str, value: &Value) {
    let shared = jsonschema::Resource::from_contents(serde_json::from_str(REPORT_SCHEMA).unwrap()).unwrap();
    let options = jsonschema::options().with_resource("urn:dosimeter:report:1", shared);
    let schema = options.build(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = schema.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn shown(format: &str, report: &v1::Report, style: Style) -> String {
    let mut out = Vec::new();
    Format::named(format).unwrap().render(Document::Report, report, &mut out, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn at_width(width: usize) -> Style {
    Style { width, colour: Colour::Never }
}

/// Every value of `part` stands in `whole`, at the same place.
fn holds(whole: &Value, part: &Value, at: &str) {
    match (whole, part) {
        (Value::Object(w), Value::Object(p)) => p.iter().for_each(|(k, v)| holds(&w[k], v, &format!("{at}/{k}"))),
        (Value::Array(w), Value::Array(p)) => {
            assert_eq!(w.len(), p.len(), "{at}");
            w.iter().zip(p).for_each(|(w, p)| holds(w, p, at));
        }
        _ => assert_eq!(whole, part, "{at}"),
    }
}

fn path(raw: &[u8]) -> TreePath {
    TreePath::new(raw).unwrap()
}

/// A machine with one bad environment, through the whole judgement; some of its names are hostile.
fn examined(found: bool, gaps: bool) -> v1::Report {
    let header = r#"{"sequence": 7, "created": "2026-11-22T00:00:00Z"}"#;
    let database = Database::parse(("database.json", header), &[("made-up-2026-03.json", INCIDENT)]).unwrap();
    let index = Index::new(database, &[]);
    let tree: std::sync::Arc<str> = "host".into();
    let mut evidence = Vec::new();
    let mut add = |surface: &'static str, at: &[u8], fact: Fact| {
        let seen = Seen {
            surface,
            origin: Origin::file(&tree, path(at)),
            at: Some(At::new("2026-03-24T11:05:00Z".parse().unwrap(), "mtime of INSTALLER")),
            uid: Some(1000),
            gid: Some(1000),
            mode: Some(0o600),
            unit: Some(std::sync::Arc::new(crate::ecosystem::pypi::unit_around(&path(at), false))),
            fact,
        };
        evidence.push(Evidence::from(seen));
    };
    let package = |name: &str, version: &str, requires: &[&str]| {
        Fact::Package(Package {
            ecosystem: Ecosystem::Pypi,
            name: name.into(),
            version: version.into(),
            placement: Placement::Loadable,
            requires: requires.iter().map(|r| Requirement::new(*r, *r)).collect(),
            artifacts: Vec::new(),
        })
    };
    let site = b"home/alice/a|b`c\x1b[31m\xff/.venv/lib/python3.11/site-packages";
    if found {
        let below = |tail: &str| [site.as_slice(), b"/", tail.as_bytes()].concat();
        add("python/dist-info", &below("examplelib-1.2.3.dist-info/METADATA"), package("examplelib", "1.2.3", &[]));
        add("python/dist-info", &below("dspy-2.6.0.dist-info/METADATA"), package("dspy", "2.6.0", &["examplelib"]));
        add("python/dist-info", &below("dspy-2.6.0.dist-info/REQUESTED"), Fact::Requested);
        let unit = b"home/alice/.config/example/beacon.py";
        add("text/config", b"home/alice/x.ini", Fact::Host { name: "evil.example".into(), sinkholed: false });
        add("host/file", unit, Fact::File { sha256: None, digest: None, size: 9, texts: Vec::new(), program: false });
    }
    let key = |kind: &str, identifier: Option<&str>| {
        let identifier = identifier.map(str::to_owned);
        Fact::Credential(Credential { kind: kind.into(), identifier, note: None, named_by: None, tag: None })
    };
    add("credential/aws", b"home/alice/.aws/credentials", key("aws.access_key", Some("AKIAIOSFODNN7EXAMPLE")));
    add("credential/ssh", "home/alice/.ssh/id\u{202e}<b>x</b>\n# y".as_bytes(), key("ssh.key", None));
    let accounts = std::collections::BTreeMap::from([(
        tree.clone(),
        Accounts::new(b"alice:x:1000:1000::/home/alice:/bin/sh\n", []),
    )]);
    let catalog = Catalog::default();
    let case = Case { index: &index, catalog: &catalog, evidence, accounts: accounts.clone() };
    let assessment: Assessment = assess(case);
    let mut coverage =
        Coverage { trees: vec!["host".into()], files_seen: 812_345, bytes_read: 73_400_320, ..Coverage::default() };
    coverage.surfaces.insert("python/dist-info", SurfaceCount { files: 41, facts: 44 });
    let reason = "pseudo file system".to_owned();
    coverage.exclusions.push(Exclusion { origin: Origin::file(&tree, path(b"proc")), reason });
    if gaps {
        let detail = "permission denied".to_owned();
        let origin = Origin::file(&tree, path(b"root/\x1b]0;x\x07"));
        coverage.gaps.push(Gap { origin, surface: "walk", kind: GapKind::Unreadable, detail });
    }
    build(Examination {
        layers: Vec::new(),
        index: &index,
        catalog: &catalog,
        assessment: &assessment,
        coverage,
        accounts: &accounts,
        target: v1::Target {
            kind: "host".into(),
            id: "build-7".into(),
            name: None,
            installation: None,
            os: Some("debian 12".into()),
        },
        started: "2026-11-25T08:00:00Z".parse().unwrap(),
        finished: "2026-11-25T08:00:02Z".parse().unwrap(),
        argv: vec!["dosimeter".into()],
        user: "root".into(),
        privileged: true,
        scope: crate::rotate::Scope::default(),
    })
}

#[test]
fn the_contract_is_kept_in_both_directions() {
    let contract: Value = serde_json::from_str(EXAMPLE).unwrap();
    valid(REPORT_SCHEMA, &contract);
    let report = example();
    let written = serde_json::to_value(&report).unwrap();
    holds(&written, &contract, "");
    valid(REPORT_SCHEMA, &written);
    assert_eq!(serde_json::from_value::<v1::Report>(written).unwrap(), report);
}

#[test]
fn what_is_built_keeps_the_contract_too() {
    for (found, gaps) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut report = examined(found, gaps);
        let images = ["a:1", "b:1"].map(|tree| sweep::tests::described(tree, &["sha256:1", "sha256:2"]));
        sweep::add(&mut report, images.to_vec(), 2, 9, &|_| vec![sweep::tests::user()]);
        let json = shown("json", &report, Style::default());
        let value: Value = serde_json::from_str(&json).unwrap();
        valid(REPORT_SCHEMA, &value);
        assert_eq!(serde_json::from_value::<v1::Report>(value).unwrap(), report);
        let lines = shown("ndjson", &report, Style::default());
        let types: Vec<String> = lines
            .lines()
            .map(|line| {
                let record: Value = serde_json::from_str(line).unwrap();
                valid(NDJSON_SCHEMA, &record);
                record["type"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(types.first().map(String::as_str), Some("run_start"));
        assert_eq!(types.last().map(String::as_str), Some("run_summary"));
    }
}

#[test]
fn the_schema_refuses_what_breaks_the_contract() {
    let schema = jsonschema::validator_for(&serde_json::from_str(REPORT_SCHEMA).unwrap()).unwrap();
    let broken = |pointer: &str, value: Value| {
        let mut report: Value = serde_json::from_str(EXAMPLE).unwrap();
        *report.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&report), "{pointer}");
    };
    broken("/verdict/summary", "this machine is clean".into());
    broken("/incidents/0/findings/0/location/path", "relative/path".into());
    broken("/incidents/0/findings/0/at", "2026-03-24T11:05:00+01:00".into());
    broken("/credentials/0/rotate", "later".into());
    broken("/schema", "dosimeter.report/2".into());
}

#[test]
fn the_answer_says_what_was_found_and_never_more() {
    let answer = |found, gaps| examined(found, gaps).verdict.summary;
    assert_eq!(answer(true, false), "exposed: made-up-2026-03 executed on this machine");
    assert_eq!(answer(true, true), "exposed: made-up-2026-03 executed on this machine; examination incomplete");
    assert_eq!(answer(false, false), "nothing found in what was examined");
    assert_eq!(answer(false, true), "nothing found, examination incomplete");
}

#[test]
fn nothing_hostile_reaches_a_terminal_or_leaves_its_span() {
    let report = examined(true, true);
    assert!(!shown("table", &report, at_width(80)).contains("evil.example"), "hosts are no links");
    for format in ["table", "markdown"] {
        for width in [80, 200] {
            let text = shown(format, &report, at_width(width));
            assert!(!text.chars().any(|c| c != '\n' && crate::text::hidden(c)), "{text}");
            assert!(text.contains(r"/.ssh/id\u{202e}<b>x</b>\n# y"), "the whole path is somewhere\n{text}");
        }
    }
    let coloured = shown("table", &report, Style { width: 80, colour: Colour::Always });
    let plain = shown("table", &report, at_width(80));
    let mut bare = coloured.clone();
    for code in ["1", "1;31", "1;33", "36", "0"] {
        bare = bare.replace(&format!("\x1b[{code}m"), "");
    }
    assert_ne!(coloured, plain);
    assert_eq!(bare, plain, "colour adds nothing but colour");
}
