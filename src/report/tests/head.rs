//! What the first lines say of several incidents, packages and machines.

use super::*;
use crate::verdict::{Confidence, Exposure};

fn lines(report: &v1::Report, lead: &str) -> Vec<String> {
    let all = page::page(report, 120);
    let from = all.iter().position(|l| l.starts_with(lead)).unwrap();
    let more = all[from + 1..].iter().take_while(|l| l.starts_with("       "));
    std::iter::once(&all[from]).chain(more).map(|l| l[7..].to_owned()).collect()
}

/// The package of the example alone, under another name and incident.
fn of(id: &str, package: &str, exposure: Exposure, sign: Option<&str>) -> v1::IncidentReport {
    let mut incident = example().incidents.remove(0);
    incident.id = id.to_owned();
    incident.findings.retain(|f| f.package.is_some());
    incident.findings.truncate(1);
    for f in &mut incident.findings {
        f.package = Some(package.to_owned());
        (f.exposure, f.confidence, f.sign) = (exposure, Confidence::Likely, sign.map(str::to_owned));
    }
    incident
}

#[test]
fn each_of_several_incidents_is_answered() {
    let mut report = example();
    report.incidents = vec![
        of("a-2026-01", "pkg:npm/a@1.0.0", Exposure::Executed, Some("its script has run")),
        of("b-2026-02", "pkg:npm/b@1.0.0", Exposure::Removed, None),
        of("c-2026-03", "pkg:npm/c@1.0.0", Exposure::Referenced, None),
    ];
    assert_eq!(
        lines(&report, "RAN?"),
        ["a-2026-01: presume yes: its script has run", "b-2026-02: presume yes: it was there, and is gone"]
    );
    for n in 0..3 {
        report.incidents.push(of(&format!("d-{n}"), "pkg:npm/d@1.0.0", Exposure::Removed, None));
    }
    let several = lines(&report, "RAN?");
    assert_eq!((several.len(), several[2].as_str()), (3, "3 more incidents"));
}

#[test]
fn what_came_together_is_named_together() {
    let mut report = example();
    let mut incident = of("a-2026-01", "pkg:npm/worker@4.2.0", Exposure::Executed, None);
    incident.findings.extend(of("", "pkg:npm/asked@1.14.1", Exposure::Installed, None).findings);
    incident.findings.extend(of("", "pkg:npm/worker@4.2.0", Exposure::Installed, None).findings);
    let mut elsewhere = of("", "pkg:npm/worker@4.2.0", Exposure::Installed, None).findings.remove(0);
    elsewhere.environment.as_mut().unwrap().path = serde_json::from_str("\"/srv/other\"").unwrap();
    incident.findings.push(elsewhere);
    report.incidents = vec![incident];
    let hits = lines(&report, "HIT");
    assert!(hits[0].starts_with("worker 4.2.0, asked 1.14.1 executed in "), "{hits:?}");
    assert!(hits[1].starts_with("worker 4.2.0 installed in /srv/other"), "{hits:?}");
    assert_eq!(hits.len(), 2);
}
