//! Bounds of a fleet's report, and machines that were not read.

use super::*;

fn example() -> v1::Report {
    serde_json::from_str(include_str!("../../../tests/fixtures/report/example.json")).unwrap()
}

fn named(tree: &str) -> Named {
    Named { tree: tree.to_owned(), inventory: format!("{tree}.ndjson"), examined: None }
}

fn whole(fleet: Fleet) -> v1::Report {
    let own = example();
    fleet.report(Run {
        id: "x".to_owned(),
        started: own.run.started,
        finished: own.run.finished,
        argv: Vec::new(),
        user: "u".to_owned(),
        indicators: own.indicators,
    })
}

#[test]
fn what_is_beyond_the_bounds_is_counted_at_its_machine() {
    let own = example();
    let findings: usize = own.incidents.iter().map(|i| i.findings.len()).sum();
    assert!(findings > 1 && own.verdict.exposure.is_some());
    let mut fleet = Fleet::within(Most { findings, ..Most::default() });
    for tree in ["a", "b"] {
        fleet.add(Part::new(&named(tree), example()));
    }
    let report = whole(fleet);
    let unlisted: Vec<usize> = report.machines.iter().map(|m| m.unlisted).collect();
    assert_eq!(unlisted, [0, findings], "the first by name is whole");
    assert_eq!(report.machines[1].exposure, own.verdict.exposure, "how it stands is said all the same");
    let kept: usize = report.incidents.iter().map(|i| i.findings.len()).sum();
    assert_eq!((kept, report.verdict.complete), (findings, false));
    assert!(report.coverage.gaps.iter().any(|g| g.detail.contains("than one report holds")));
}

#[test]
fn one_that_was_not_read_makes_it_incomplete() {
    let mut fleet = Fleet::default();
    let location =
        v1::Location { tree: "a".into(), path: v1::PathText(b"/".to_vec()), inner: None, line: None, layer: None };
    let gap = v1::Gap { location, surface: "inventory".into(), kind: GapKind::Truncated, detail: "short".into() };
    fleet.unread(&named("a"), gap);
    let report = whole(fleet);
    assert_eq!((report.verdict.exposure, report.verdict.complete), (None, false));
    assert_eq!(report.verdict.summary, "nothing found, examination incomplete");
    assert_eq!((report.machines[0].gaps, report.machines[0].target.is_none()), (1, true));
}
