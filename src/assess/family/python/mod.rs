//! Python: interpreters read hooks in their site folders at every start and load packages from there; an installer writes down what it
//! put where, and most compile it.

mod compiled;
mod conda;
mod described;
mod holdings;
pub(in crate::assess) mod hook;
mod lists;
mod odd;
pub(in crate::assess) mod project;
mod running;
mod same_interpreter;
mod signs;
mod source;
mod started;
mod unpacked;

use std::collections::HashSet;

use super::{
    super::{
        Case, Finding, FindingKind,
        evidence::Draft,
        rule::Rule,
        unit_view::UnitCache,
        units::{Distribution, Units, folder_of},
    },
    Family, Removal, Standing, Words,
};
use crate::{
    ecosystem::{marker::Machine, pypi},
    fact::{At, Ecosystem, EnvironmentKind, Package, Placement, Seen, TreePath, Unit},
    ioc::model::{FileRole, Incident, PackageIndicator},
    surface::python::{conda_meta, uv_cache},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// PyPI's packages, wherever they come from.
pub struct Python;

impl Family for Python {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pypi
    }

    fn is_of_one_program(&self, finding: &Finding) -> bool {
        let kinds = [pypi::EPHEMERAL, pypi::UV_TOOL, pypi::PIPX];
        finding.environment.as_ref().is_some_and(|environment| kinds.contains(&environment.kind))
    }

    fn loadable(&self, draft: &Draft<'_, '_>, package: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        if draft.unpacked(package) {
            let reason = "the malicious version, unpacked from its wheel: no installer put it here (there is no INSTALLER, which \
                          each of them writes), so that nothing loads it"
                .to_owned();
            let (rule, confidence) = (Rule::PackageUnpacked, Confidence::Confirmed);
            return Standing { rule, confidence, reason, sign: None, by_itself, in_place: false };
        }
        let reason = format!("malicious version, {}; {runs}", loads(draft));
        Standing::loadable(reason, by_itself)
    }

    fn left_over(&self, seen: &Seen, when: &str) -> String {
        match conda_meta::reads(seen.surface) {
            true => format!("conda took the malicious version out; {when}"),
            false => format!("left behind when pip removed the malicious version; {when}"),
        }
    }

    fn listed(&self, seen: &Seen) -> Option<Rule> {
        uv_cache::reads(seen.surface).then_some(Rule::PackageConsidered)
    }

    fn machine(&self, unit: &Unit) -> Machine {
        pypi::machine_of(&unit.folder)
    }

    fn look_for_signs(&self, case: &Case<'_>, units: &UnitCache<'_>, findings: &mut Vec<Finding>) {
        signs::look_for_signs(case, units, findings);
        source::weigh(case, findings);
        lists::link(case, findings);
    }

    fn sort_out(&self, findings: &mut Vec<Finding>) {
        drop_lonely_companions(findings);
        drop_looks_at_what_is_stored(findings);
    }

    fn asks_by_folder(&self) -> bool {
        true
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some(
                "start no Python and no tool written in it on this machine: no pip, aws, az, gcloud, ansible, certbot; \
                            each start can run the payload again",
            ),
            programs: Some("Python, pip, aws or gcloud"),
            uninstaller: Some("pip uninstall"),
            runs_by_itself: "it runs at every start of any Python there; uninstalling starts that very Python",
            runs_on_use: "it runs when it is used; uninstalling starts the very Python that loads it",
            by_hand: "stop the services and jobs that use it; never use pip for this, and start no Python there until it is made \
                      anew",
            unpacked: Some(
                "a program of pex or shiv unpacks itself: look into .pex, .cache/pex and .shiv of whoever ran it",
            ),
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "Python",
            at_start: "it runs at every Python start",
            at_start_beside: "it runs at every Python start that has this folder as a site folder or on its path",
            list: "RECORD",
        }
    }

    fn find_holdings(&self, case: &Case<'_>, units: &Units, findings: &mut [Finding]) {
        holdings::find(case, units, findings);
    }

    fn described_in(&self, file: &TreePath) -> Option<TreePath> {
        described::folder(file)
    }

    fn described_by<'i>(&self, member: &'i str) -> &'i str {
        described::member(member)
    }

    fn witness(&self, file: &TreePath, member: Option<&str>) -> Option<&'static str> {
        described::witness(file, member)
    }

    fn recorded_at(&self, seen: &Seen) -> Option<At> {
        conda::recorded_at(seen)
    }

    fn date_installs(&self, units: &mut Units) {
        conda::date_what_it_linked(units);
    }

    fn has_own_time(&self, package: &Distribution) -> bool {
        package.folder.name().ends_with(b"-info")
    }

    fn marks_everything(&self, installer: &str) -> bool {
        installer == "uv"
    }

    fn made_to_run(&self, kind: &EnvironmentKind) -> Option<&'static str> {
        let by_pipx = "the tool that made this environment starts its Python after each install, to look at it";
        let at_once = "this environment was made in a tool's cache to run a program at once";
        let known = [(pypi::EPHEMERAL, at_once), (pypi::PIPX, by_pipx)];
        known.into_iter().find(|(k, _)| k == kind).map(|(_, why)| why)
    }

    fn runs_inside(&self, installer: &str) -> bool {
        installer == "pip"
    }

    fn named_by_starts(&self, incident: &Incident, finding: &Finding) -> Vec<String> {
        started::names(incident, finding)
    }

    fn is_load_folder(&self, folder: &TreePath) -> bool {
        pypi::is_site(folder.as_bytes())
    }

    fn odd(&self, units: &Units, seen: &Seen) -> Option<String> {
        odd::odd(units, seen)
    }
}

/// In words.
fn loads(draft: &Draft<'_, '_>) -> String {
    let seen = draft.seen();
    let folders = [folder_of(seen), seen.origin.path.clone()];
    let link = folders.iter().find_map(|folder| draft.units.link_to(&seen.origin.tree, folder));
    match (&seen.origin.inner, link) {
        (_, Some(link)) => format!("where Python loads it: `{}` puts it on the path", escape(link.text().as_bytes())),
        (Some(_), None) => "in an archive that Python runs as a program".to_owned(),
        (None, None) => "where Python loads it".to_owned(),
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
    let stored = findings.iter().filter(|f| f.exposure == Exposure::Cached && uv_cache::reads(f.surface));
    let stored: HashSet<_> = stored.map(key).collect();
    findings.retain(|f| {
        let look = f.rule == Rule::PackageConsidered;
        !look || !stored.contains(&key(f))
    });
}
