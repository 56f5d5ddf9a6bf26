//! What happened when, as far as the evidence has times.

use jiff::Timestamp;

use super::{Case, Finding, FindingKind, identity};
use crate::{
    ecosystem::purl,
    fact::{CommandAction, Fact},
    text::escape,
};

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// UTC.
    pub at: Timestamp,
    /// What happened.
    pub what: String,
    /// What the time was read from.
    pub source: String,
    /// Id of the finding.
    pub finding: Option<String>,
}

/// The times of the findings, and of commands that took a package out.
pub fn of(case: &Case<'_>, findings: &[Finding]) -> Vec<Moment> {
    let found = findings.iter().filter_map(|f| {
        let at = f.at.as_ref()?;
        Some(Moment { at: at.time, what: what(f), source: at.source.to_string(), finding: Some(f.id.clone()) })
    });
    let mut moments: Vec<Moment> = found.collect();
    for e in &case.evidence {
        let (Fact::Command(c), Some(at)) = (&e.seen.fact, &e.seen.at) else {
            continue;
        };
        if c.action != CommandAction::Uninstall {
            continue;
        }
        for w in c.wanted.iter().filter(|w| case.index.knows_package(w.ecosystem, &w.name)) {
            moments.push(Moment {
                at: at.time,
                what: format!("`{}` was told to uninstall `{}`", c.tool, w.name),
                source: at.source.to_string(),
                finding: None,
            });
        }
    }
    moments.sort();
    moments.dedup();
    moments
}

fn what(f: &Finding) -> String {
    let name = f.package.as_deref().map_or_else(|| f.indicator.clone(), purl::words);
    let place = f.environment.as_ref().map_or_else(|| f.origin.path.text(), |e| e.prefix.text().into_owned().into());
    let place = escape(place.as_bytes());
    match f.kind {
        FindingKind::Package if f.environment.is_some() => format!("{name} installed in {place}"),
        FindingKind::Package => format!("{name} in {place}"),
        FindingKind::Command => format!("a command for {name} in {place}"),
        FindingKind::File => format!("{} in {place}", f.indicator),
        FindingKind::Network | FindingKind::Process | FindingKind::Image => f.reason.clone(),
    }
}

/// Id of an anomaly or the like, by what it is and where.
pub fn id(prefix: &str, words: &[&str], origin: &crate::fact::Origin) -> String {
    format!("{prefix}-{}", identity(words, origin))
}
