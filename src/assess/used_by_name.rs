//! What a start names where it loads code that runs when it is used: such a start is a use.

use super::{Case, Finding, FindingKind, family};
use crate::{ecosystem::purl::Purl, fact::Ecosystem, ioc::model::Moment, verdict::Exposure};

/// The names of what a finding's code is loaded by. Empty where it does not run when it is used, or does not stand where it is loaded.
pub fn names(case: &Case<'_>, finding: &Finding) -> Vec<String> {
    let stands =
        matches!(finding.kind, FindingKind::Package | FindingKind::File) && finding.exposure == Exposure::Installed;
    let Some(incident) = case.index.incident(finding.incident).filter(|_| stands && runs_on_use(case, finding)) else {
        return Vec::new();
    };
    family::for_ecosystem(finding.ecosystem.unwrap_or(Ecosystem::Generic)).named_by_starts(incident, finding)
}

/// Whether something of it runs when it is used, whatever else it does.
fn runs_on_use(case: &Case<'_>, finding: &Finding) -> bool {
    if finding.moment == Some(Moment::OnUse) {
        return true;
    }
    let package = finding.package.as_deref().and_then(Purl::parse);
    let version = |p: Purl| Some((p.name, p.version?));
    let (Some((name, version)), Some(ecosystem)) = (package.and_then(version), finding.ecosystem) else {
        return false;
    };
    let known = case.index.version(ecosystem, &name, &version);
    let own = known.iter().filter(|((incident, _), _)| *incident == finding.incident);
    own.flat_map(|(_, p)| &p.triggers).any(|t| t.moment() == Moment::OnUse)
}
