//! The answer of a report, in one line.

use std::collections::BTreeSet;

use super::FLEET;
use crate::{coverage::GapKind, report::v1, verdict::Confidence};

/// Says anew how a report stands that was put together of several.
pub fn settle(report: &mut v1::Report) {
    let interrupted = report.coverage.gaps.iter().any(|g| g.kind == GapKind::Interrupted);
    report.verdict.complete &= report.coverage.gaps.is_empty();
    let outcome = Outcome::new(report.verdict.complete, interrupted);
    report.verdict.summary = summary(&report.incidents, &report.run.target, outcome);
}

/// How far the examination came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Outcome {
    Complete,
    Incomplete,
    Interrupted,
}

impl Outcome {
    pub(in crate::report) fn new(complete: bool, interrupted: bool) -> Self {
        match (interrupted, complete) {
            (true, _) => Self::Interrupted,
            (false, true) => Self::Complete,
            (false, false) => Self::Incomplete,
        }
    }

    /// What is said of it behind the answer.
    fn said(self) -> Option<&'static str> {
        match self {
            Self::Complete => None,
            Self::Incomplete => Some("examination incomplete"),
            Self::Interrupted => Some("examination incomplete: interrupted"),
        }
    }
}

/// The answer in one line. It says what was found or that nothing was, and never more than what was examined can carry.
pub(in crate::report) fn summary(incidents: &[v1::IncidentReport], target: &v1::Target, outcome: Outcome) -> String {
    if incidents.is_empty() {
        return match outcome.said() {
            None => "nothing found in what was examined".to_owned(),
            Some(how) => format!("nothing found, {how}"),
        };
    }
    let found = incidents.iter().map(|i| {
        let maybe = if i.confidence == Confidence::Possible { "possibly " } else { "" };
        format!("{} {maybe}{}", i.id, i.exposure.as_str())
    });
    let found: Vec<String> = found.collect();
    let rest = outcome.said().map(|how| format!("; {how}")).unwrap_or_default();
    format!("exposed: {} {}{rest}", found.join(", "), whereabouts(incidents, target))
}

fn whereabouts(incidents: &[v1::IncidentReport], target: &v1::Target) -> String {
    let findings = || incidents.iter().flat_map(|i| &i.findings);
    let images: BTreeSet<&str> =
        findings().filter(|f| f.location.layer.is_some()).map(|f| f.location.tree.as_str()).collect();
    let image = images.first().filter(|_| images.len() == 1);
    let jobs: BTreeSet<&str> =
        findings().map(|f| f.location.tree.as_str()).filter(|tree| crate::fact::is_job(tree)).collect();
    if !jobs.is_empty() && findings().all(|f| crate::fact::is_job(&f.location.tree)) {
        let runs = crate::report::count(jobs.len(), "run");
        return format!("in {runs} of CI whose logs were read");
    }
    match (target.kind.as_str(), image) {
        ("host", _) => "on this machine".to_owned(),
        (FLEET, _) => {
            let machines =
                machines_with(incidents).iter().filter(|tree| !images.contains(*tree) && !jobs.contains(*tree)).count();
            let on = (machines > 0).then(|| format!("on {}", crate::report::count(machines, "machine")));
            let within = (!images.is_empty()).then(|| format!("in {}", crate::report::count(images.len(), "image")));
            on.into_iter().chain(within).collect::<Vec<_>>().join(" and ")
        }
        (_, Some(image)) => format!("in image {image}"),
        ("images", None) if !images.is_empty() => format!("in {} images", images.len()),
        _ => match &target.name {
            Some(name) => format!("on {name} ({})", target.id),
            None => format!("in {}", target.id),
        },
    }
}

/// The trees of findings.
pub(in crate::report) fn machines_with(incidents: &[v1::IncidentReport]) -> BTreeSet<&str> {
    incidents.iter().flat_map(|i| &i.findings).map(|f| f.location.tree.as_str()).collect()
}
