//! Python: interpreters read hooks in their site folders at every start and load packages from there; an installer writes down what it
//! put where, and most compile it.

pub(in crate::assess) mod hook;
mod odd;
mod signs;
mod source;
mod unpacked;

use std::collections::HashSet;

use super::{
    super::{Case, Finding, FindingKind, around::Neighbours, evidence::Draft, rule::Rule, site::Sites},
    Family, Removal, Standing,
};
use crate::{
    ecosystem::{marker::Machine, pypi},
    fact::{Ecosystem, Package, Placement, Seen, Unit},
    ioc::model::{FileRole, PackageIndicator},
    surface::python::{conda_meta, uv_cache},
    verdict::{Confidence, Exposure},
};

/// PyPI's packages, wherever they come from.
pub struct Python;

impl Family for Python {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pypi
    }

    fn loadable(&self, draft: &Draft<'_, '_>, package: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        if draft.unpacked(package) {
            let reason = "the malicious version, unpacked from its wheel: no installer put it here (there is no INSTALLER, which \
                          each of them writes), so that nothing loads it"
                .to_owned();
            let (rule, confidence) = (Rule::PackageUnpacked, Confidence::Confirmed);
            return Standing { rule, confidence, reason, sign: None, by_itself, settled: false };
        }
        let reason = format!("malicious version, {}; {runs}", draft.loads());
        Standing::loadable(reason, by_itself)
    }

    fn left_over(&self, seen: &Seen, when: &str) -> String {
        match seen.surface {
            conda_meta::ID => format!("conda took the malicious version out; {when}"),
            _ => format!("left behind when pip removed the malicious version; {when}"),
        }
    }

    fn listed(&self, seen: &Seen) -> Option<Rule> {
        (seen.surface == uv_cache::ID).then_some(Rule::PackageConsidered)
    }

    fn machine(&self, unit: &Unit) -> Machine {
        pypi::machine_of(&unit.folder)
    }

    fn look_for_signs(&self, case: &Case<'_>, sites: &Neighbours<'_>, findings: &mut Vec<Finding>) {
        signs::look_for_signs(case, sites, findings);
        source::weigh(case, findings);
    }

    fn sort_out(&self, findings: &mut Vec<Finding>) {
        drop_lonely_companions(findings);
        drop_looks_at_what_is_stored(findings);
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: "start no Python and no tool written in it on this machine: no pip, aws, az, gcloud, ansible, certbot; \
                            each start can run the payload again",
            runs_by_itself: "it runs at every start of any Python there; uninstalling starts that very Python",
            runs_on_use: "it runs when it is used; uninstalling starts the very Python that loads it",
            by_hand: "stop the services and jobs that use it; never use pip for this, and start no Python there until it is made \
                      anew",
        }
    }

    fn odd(&self, sites: &Sites, seen: &Seen) -> Option<String> {
        odd::odd(sites, seen)
    }
}

/// A companion counts only where a hook of its incident, or the bad version, stands in the same site folder.
fn drop_lonely_companions(findings: &mut Vec<Finding>) {
    let company: HashSet<_> = findings
        .iter()
        .filter(|f| f.role == Some(FileRole::Hook) || (f.kind == FindingKind::Package && f.environment.is_some()))
        .map(|f| (f.incident, f.origin.tree.clone(), f.usual_folder().cloned()))
        .filter(|(_, _, site)| site.is_some())
        .collect();
    findings.retain(|f| {
        let here = (f.incident, f.origin.tree.clone(), f.usual_folder().cloned());
        f.role != Some(FileRole::Companion) || company.contains(&here)
    });
}

/// That the resolver looked at a version says nothing where the version itself is stored beside it.
fn drop_looks_at_what_is_stored(findings: &mut Vec<Finding>) {
    let key = |f: &Finding| (f.incident, f.indicator.clone(), f.origin.tree.clone(), f.origin.path.parent());
    let stored = findings.iter().filter(|f| f.exposure == Exposure::Cached && f.surface == uv_cache::ID);
    let stored: HashSet<_> = stored.map(key).collect();
    findings.retain(|f| {
        let look = f.rule == Rule::PackageConsidered;
        !look || !stored.contains(&key(f))
    });
}
