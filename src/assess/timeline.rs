//! What happened when, as far as the evidence has times.

use jiff::Timestamp;

use super::{Case, Finding, FindingKind, identity, typed};
use crate::{
    ecosystem::purl,
    fact::{Command, CommandAction, Fact, Seen},
    matcher::{self, By},
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
pub fn moments(case: &Case<'_>, findings: &[Finding]) -> Vec<Moment> {
    let found = findings.iter().filter_map(|f| {
        let at = f.at.as_ref()?;
        Some(Moment { at: at.time, what: what(f), source: at.source.to_string(), finding: Some(f.id.clone()) })
    });
    let mut moments: Vec<Moment> = found.collect();
    for e in &case.evidence {
        let (Fact::Command(c), Some(at)) = (&e.seen.fact, &e.seen.at) else {
            continue;
        };
        let mut push = |what: String| {
            moments.push(Moment { at: at.time, what, source: at.source.to_string(), finding: None });
        };
        match c.action {
            CommandAction::Uninstall => {
                for w in c.wanted.iter().filter(|w| case.index.knows_package(w.ecosystem, &w.name)) {
                    push(format!("`{}` was asked to uninstall `{}`", c.tool, w.name));
                }
            }
            CommandAction::Resolve => {
                let open = c.wanted.iter().filter(|w| w.pinned.is_none());
                for w in open.filter(|w| case.index.knows_package(w.ecosystem, &w.name)) {
                    push(format!("`{}` was asked to choose a version of `{}`, which installs nothing", c.tool, w.name));
                }
            }
            CommandAction::Start => {}
            CommandAction::Install | CommandAction::Run | CommandAction::Download => {}
        }
        if typed::is_typed(e.seen.surface) {
            too_early(case, &e.seen, c).into_iter().for_each(&mut push);
        }
    }
    moments.sort();
    moments.dedup();
    moments
}

/// Malicious versions that a command asked for before anybody had uploaded them.
fn too_early(case: &Case<'_>, seen: &Seen, c: &Command) -> Vec<String> {
    let Some(at) = &seen.at else {
        return Vec::new();
    };
    let early = matcher::hits(case.index, seen).into_iter().filter_map(|hit| {
        let By::Pinned(indicator, wanted) = hit.by else {
            return None;
        };
        let incident = case.index.incident(hit.incident)?;
        let wanted = c.wanted.get(wanted)?;
        typed::is_before_upload(incident, incident.packages.get(indicator)?, at.time).then(|| {
            let version = wanted.pinned.as_deref().map(|v| format!("@{v}")).unwrap_or_default();
            let package = format!("{}/{}{version}", wanted.ecosystem.purl_type(), wanted.name);
            format!("`{}` was asked to take {package}, which nobody had uploaded yet: it cannot have succeeded", c.tool)
        })
    });
    let mut early: Vec<String> = early.collect();
    early.sort();
    early.dedup();
    early
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
        FindingKind::Action | FindingKind::Git | FindingKind::Text => f.reason.clone(),
    }
}

/// Id of an anomaly or the like, by what it is and where.
pub fn id(prefix: &str, words: &[&str], origin: &crate::fact::Origin) -> String {
    format!("{prefix}-{}", identity(words, origin))
}
