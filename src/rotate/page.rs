//! What the first page says beside the items: what must not be done, and which traces were looked for in vain.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Item, before::on_disk, secrets, situation::Situation};
use crate::{
    assess::{Finding, FindingKind, family_of, rule::Rule},
    fact::Ecosystem,
    ioc::model::{FileRole, Incident, NetworkKind},
    text::defang,
    verdict::{Exposure, Phase},
};

/// The values of the first page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What must not be done, the worst first.
    pub never: Vec<Never>,
    /// Traces of the payload, as its incident's file writes them, that were looked for and not found.
    pub not_found: Vec<String>,
    /// Every place was examined: what was not found is not there.
    pub everywhere: bool,
    /// Hosts of those that may have run, defanged: what logs of the network are searched for.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// What must not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Never {
    /// Revoke a token before the monitors are off.
    RevokeFirst,
    /// Start a program that runs the payload again.
    Start {
        /// "Python, pip, aws, az or gcloud".
        programs: String,
    },
    /// Take a package out with what runs its code.
    Uninstall {
        /// "pip uninstall".
        command: String,
    },
    /// Start a container of an image that holds it.
    RunImage,
    /// Run a job again, or start the runner, that fetched a malicious action.
    RunJob,
    /// Open a wallet on the examined machine.
    OpenWallet,
    /// Try whether a stolen secret still works.
    TryStolen,
}

/// Prohibitions of one page.
const NEVER: usize = 4;

/// Of a situation and its items.
pub fn page(s: &Situation<'_>, items: &[Item]) -> Page {
    let ran: Vec<_> = s.ran().into_iter().map(|(incident, _)| incident).collect();
    Page { never: never(s, items), not_found: not_found(s), everywhere: s.scope.whole, hosts: hosts(&ran) }
}

/// The hosts of incidents, defanged; not those that others use as well.
pub fn hosts(incidents: &[&Incident]) -> Vec<String> {
    let own = incidents.iter().flat_map(|i| &i.network).filter(|n| !n.context_only && n.kind != NetworkKind::Url);
    // Names before numbers: they say more. A name stands for what is below it.
    let hosts: BTreeSet<(bool, &str)> = own.map(|n| (n.kind == NetworkKind::Ip, n.value.as_str())).collect();
    let above = |host: &str| hosts.iter().any(|(_, h)| host.strip_suffix(h).is_some_and(|below| below.ends_with('.')));
    hosts.iter().filter(|(_, host)| !above(host)).map(|(_, host)| defang(host)).collect()
}

fn never(s: &Situation<'_>, items: &[Item]) -> Vec<Never> {
    let mut never = Vec::new();
    if items.iter().any(|i| i.blocked == Some(Phase::Disarm)) {
        never.push(Never::RevokeFirst);
    }
    let loaded = s.findings(|f| on_disk(f) && !s.is_of_image(f) && f.exposure >= Exposure::Removed);
    let removals = || {
        let mut ecosystems: BTreeSet<Ecosystem> = loaded.iter().filter_map(|f| f.ecosystem).collect();
        // A trace alone says what its own incident brought; whoever leaves the same may never have been here.
        if ecosystems.is_empty() {
            ecosystems.extend(loaded.iter().filter(|f| f.alike.is_empty()).flat_map(|f| s.ecosystems(f)));
        }
        ecosystems.into_iter().map(|e| family_of(e).removal())
    };
    let programs: BTreeSet<&str> = removals().filter_map(|r| r.programs).collect();
    if !programs.is_empty() {
        never.push(Never::Start { programs: each_once(&programs) });
    }
    let is_package = |f: &&&Finding| f.kind == FindingKind::Package && f.exposure >= Exposure::Installed;
    let commands: BTreeSet<&str> = removals().filter_map(|r| r.uninstaller).collect();
    if loaded.iter().any(|f| is_package(&f)) && !commands.is_empty() {
        never.push(Never::Uninstall { command: Vec::from_iter(commands).join("; ") });
    }
    if s.assessment.findings.iter().any(|f| s.is_of_image(f) && f.exposure >= Exposure::Removed) {
        never.push(Never::RunImage);
    }
    if s.assessment.findings.iter().any(|f| f.kind == FindingKind::Action || f.rule == Rule::ActionFetched) {
        never.push(Never::RunJob);
    }
    if secrets::has_wallets(s) {
        never.push(Never::OpenWallet);
    }
    if items.iter().any(|i| i.phase == Phase::Rotate) {
        never.push(Never::TryStolen);
    }
    never.truncate(NEVER);
    never
}

/// "Node, npm or an editor; Python or pip": a program that two families name stands once.
fn each_once(lists: &BTreeSet<&str>) -> String {
    // What names many comes first, so that what names one of them falls out.
    let mut longest = Vec::from_iter(lists.iter().copied());
    longest.sort_by_key(|list| std::cmp::Reverse(list.len()));
    let (mut known, mut kept): (BTreeSet<&str>, BTreeSet<&str>) = (BTreeSet::new(), BTreeSet::new());
    for list in longest {
        let programs = || list.split(',').flat_map(|part| part.split(" or ")).map(str::trim);
        if programs().any(|p| !known.contains(p)) {
            kept.insert(list);
        }
        known.extend(programs());
    }
    Vec::from_iter(kept).join("; ")
}

/// The traces of every incident that may have run, but for those that were found.
fn not_found(s: &Situation<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for (incident, _) in s.ran().into_iter().filter(|(incident, _)| s.is_here(incident)) {
        let of = |f: &&Finding| s.incident_of(f) == incident.id;
        let found: BTreeSet<&str> = s.assessment.findings.iter().filter(of).map(|f| f.indicator.as_str()).collect();
        let traces = incident.files.iter().filter(|f| matches!(f.role, FileRole::Persistence | FileRole::Trace));
        for path in traces.flat_map(|f| &f.paths) {
            let known = found.iter().any(|i| i.strip_prefix("path/").is_some_and(|p| p == path));
            if !known && !all.contains(path) {
                all.push(path.clone());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_two_families_name_stands_once() {
        let said = |lists: &[&'static str]| each_once(&lists.iter().copied().collect());
        assert_eq!(said(&["an editor", "Node, npm or an editor"]), "Node, npm or an editor");
        assert_eq!(said(&["an editor", "Python, pip or gcloud"]), "Python, pip or gcloud; an editor");
        assert_eq!(said(&["an editor"]), "an editor");
        assert_eq!(said(&[]), "");
    }
}
