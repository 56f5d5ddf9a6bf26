//! What a payload that ran could take: each credential against what each incident harvests.

use super::{
    Account, Bounds, Case, Evidence, Finding,
    access::{can_read, unreadable},
    contained,
    harvest::{Doubt, Fit, Place, listed},
    layered::taken_out,
    ran_in::RanIn,
    running,
    threat::{Ran, Threat, threats},
    timeline,
    variables::{reads_every_process, sets_environment, takes_variable},
};
use crate::{
    accounts::Accounts,
    credential::{is_environ, is_environment},
    fact::{At, Credential, Fact, Origin, Seen, TreePath},
    ioc::{
        index::IncidentId,
        model::{Completeness, Harvest},
    },
    verdict::{Confidence, Reach, Urgency},
};

/// The rule of a payload whose list nobody published.
const UNPUBLISHED: &str = "readable by the account that ran it; the payload's list is not published";

/// Reach by one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachBy {
    /// Whose payload.
    pub incident: IncidentId,
    /// How far.
    pub reach: Reach,
    /// How sure.
    pub confidence: Confidence,
    /// The line of the harvest list, or the rule, that says so.
    pub rule: String,
    /// When to rotate because of it.
    pub rotate: Urgency,
}

/// A credential, judged.
#[derive(Debug, Clone)]
pub struct Judged {
    /// `c-` and 16 hex digits.
    pub id: String,
    /// What it is.
    pub credential: Credential,
    /// Where.
    pub origin: Origin,
    /// Numeric owner of the file.
    pub uid: Option<u32>,
    /// Last change of the file.
    pub modified: Option<At>,
    /// By incident.
    pub by: Vec<ReachBy>,
    /// The worst of `by`.
    pub reach: Reach,
    /// How sure the worst reach is.
    pub confidence: Option<Confidence>,
    /// The most urgent of `by`.
    pub rotate: Urgency,
    /// Why.
    pub reason: String,
}

/// Keys that an agent holds.
const AGENT_KEYS: &str = "ssh.user_private_key";

/// Judges every credential.
pub fn judge(case: &Case<'_>, findings: &[Finding]) -> Vec<Judged> {
    let threats = threats(case, findings);
    let mut judged: Vec<Judged> = case
        .evidence
        .iter()
        .filter_map(|e| match &e.seen.fact {
            Fact::Credential(c) => Some(judge_credential(case, &threats, !findings.is_empty(), e, c)),
            _ => None,
        })
        .collect();
    judged.sort_by(|a, b| {
        let key = |j: &Judged| (std::cmp::Reverse((j.rotate, j.reach)), j.credential.kind.clone());
        key(a).cmp(&key(b)).then_with(|| a.origin.cmp(&b.origin))
    });
    judged.dedup_by(|a, b| a.id == b.id);
    running::once_per_account(judged)
}

fn judge_credential(
    case: &Case<'_>,
    threats: &[Threat<'_>],
    any: bool,
    evidence: &Evidence,
    credential: &Credential,
) -> Judged {
    let seen = &evidence.seen;
    let accounts = case.accounts.get(&seen.origin.tree);
    let here = threats.iter().filter(|t| t.tree == &*seen.origin.tree);
    let by: Vec<ReachBy> = here.map(|t| by_threat(t, accounts, evidence, credential)).collect();
    let worst = by.iter().max_by_key(|b| (b.rotate, b.reach, b.confidence));
    let reach = by.iter().map(|b| b.reach).max().unwrap_or(Reach::OutOfReach);
    let nothing_ran = if any {
        "nothing that was found ran with access to it: the malicious code is only stored or named"
    } else {
        "nothing was found that could have taken it"
    };
    let still = |gone| format!("; {}, but whoever has the image can read it", taken_out(case.index, gone));
    let still = evidence.gone.as_ref().map(still).unwrap_or_default();
    Judged {
        id: timeline::id("c", &[&credential.kind, credential.identifier.as_deref().unwrap_or_default()], &seen.origin),
        credential: credential.clone(),
        origin: seen.origin.clone(),
        uid: seen.uid,
        modified: seen.at.clone(),
        reach,
        confidence: by.iter().filter(|b| b.reach == reach).map(|b| b.confidence).max(),
        rotate: worst.map_or(Urgency::No, |b| b.rotate),
        reason: worst.map_or_else(|| nothing_ran.to_owned(), |b| reason(b, accounts, seen)) + &still,
        by,
    }
}

fn reason(by: &ReachBy, accounts: Option<&Accounts>, seen: &Seen) -> String {
    let owner = match (accounts, seen.uid) {
        (Some(accounts), Some(uid)) => format!(", belongs to {}", accounts.name(uid)),
        _ => String::new(),
    };
    match by.reach {
        Reach::Harvested if by.rule == UNPUBLISHED => format!("{UNPUBLISHED}{owner}"),
        Reach::Harvested => format!("on the payload's list ({}){owner}", by.rule),
        Reach::Exposed | Reach::OutOfReach => by.rule.clone(),
    }
}

fn by_threat(
    threat: &Threat<'_>,
    accounts: Option<&Accounts>,
    evidence: &Evidence,
    credential: &Credential,
) -> ReachBy {
    let seen = &evidence.seen;
    let out_of_reach = |rule: &str| ReachBy {
        incident: threat.id,
        reach: Reach::OutOfReach,
        confidence: Confidence::Likely,
        rule: rule.to_owned(),
        rotate: Urgency::No,
    };
    if threat.incident.harvest.completeness == Completeness::None {
        return out_of_reach("the payload takes nothing from this host");
    }
    let gone = evidence.layers.and_then(|l| l.gone);
    if gone.zip(threat.since).is_some_and(|(gone, since)| gone < since) {
        return out_of_reach("taken out by a layer below the first that holds the malicious code");
    }
    let readable = |list: &[Ran]| {
        let had = list.iter().filter(|(_, _, bounds)| had(bounds.as_deref(), accounts, seen));
        had.filter(|(account, ..)| can_read(*account, accounts, seen)).map(|(_, confidence, _)| *confidence).max()
    };
    let (sure, mut harvested, mut exposed) = match (readable(&threat.strong), readable(&threat.weak)) {
        (Some(sure), _) => (sure, Urgency::Now, Urgency::Soon),
        (None, Some(sure)) => (sure, Urgency::Soon, Urgency::No),
        (None, None) => {
            if let Some(rotate) = by_agent(threat, accounts, seen, credential) {
                return ReachBy {
                    reach: Reach::Exposed,
                    confidence: Confidence::Possible,
                    rotate,
                    ..out_of_reach(FORWARDED)
                };
            }
            let ran = || threat.strong.iter().chain(&threat.weak);
            if let Some(rotate) = by_mount(threat, accounts, seen) {
                return ReachBy {
                    reach: Reach::Exposed,
                    confidence: Confidence::Possible,
                    rotate,
                    ..out_of_reach(MOUNTED)
                };
            }
            if ran().all(|(account, _, bounds)| *account == Account::Elsewhere || bounds.is_some()) {
                return out_of_reach(ELSEWHERE);
            }
            return out_of_reach(&unreadable(accounts, seen, ran().map(|(account, ..)| *account)));
        }
    };
    let readers = Readers::new(threat, accounts, seen);
    let harvest = &threat.incident.harvest;
    let by_kind = harvest.kinds.iter().any(|k| **k == *credential.kind);
    let exported = sets_environment(accounts, &seen.origin.path) && takes_variable(harvest, &seen.origin);
    let (reach, confidence, rule) = match (readers.on_list(harvest, credential), harvest.completeness) {
        (Some(Fit { line, doubt: Doubt::None }), _) => (Reach::Harvested, sure.min(Confidence::Likely), line),
        (Some(Fit { line, doubt: Doubt::Home }), _) => {
            (Reach::Harvested, Confidence::Possible, format!("{line}, if it reads the homes of other accounts too"))
        }
        (Some(Fit { line, doubt: Doubt::Folder }), known) if !exported && !by_kind => {
            // Beside a list that is not whole, what it does not name is no less urgent.
            harvested = if known == Completeness::Exact { harvested.min(Urgency::Soon) } else { harvested };
            (Reach::Harvested, Confidence::Possible, format!("{line}, if it ran in a folder above, which is not known"))
        }
        (_, _) if exported => (
            Reach::Harvested,
            sure.min(Confidence::Likely),
            "every environment variable: this file sets those of what is started from it".to_owned(),
        ),
        (_, _) if by_kind => (Reach::Harvested, sure.min(Confidence::Likely), format!("kind {}", credential.kind)),
        (_, Completeness::Exact) if readers.by_mount => (
            Reach::Harvested,
            Confidence::Possible,
            "mounted into the container where it ran, under a name there that is not known".to_owned(),
        ),
        (Some(Fit { line, doubt: Doubt::OtherHome }), Completeness::Exact) => {
            // That a list names no such home was read out of its code, not watched: no reason to wait.
            exposed = harvested;
            (
                Reach::Exposed,
                Confidence::Possible,
                format!("{line}, in a home that is not one of those on the payload's list"),
            )
        }
        (Some(Fit { line, doubt: Doubt::Deeper }), Completeness::Exact) => {
            let why = "on the payload's list, and this lies in more folders than it searches: a second stage could have taken it";
            (Reach::Exposed, Confidence::Possible, format!("{line} is {why}"))
        }
        (None, Completeness::Exact) => (
            Reach::Exposed,
            Confidence::Possible,
            "readable by the account that ran it, and not on the payload's list: a second stage could have taken it"
                .to_owned(),
        ),
        (_, Completeness::Partial | Completeness::Unknown | Completeness::None | Completeness::Exact) => {
            (Reach::Harvested, Confidence::Possible, UNPUBLISHED.to_owned())
        }
    };
    let rotate = if reach == Reach::Harvested { harvested } else { exposed };
    ReachBy { incident: threat.id, reach, confidence, rule, rotate }
}

/// What could read one credential of what ran, and how it met it.
struct Readers<'r> {
    seen: &'r Seen,
    accounts: Option<&'r Accounts>,
    ran_in: &'r RanIn,
    /// The accounts.
    ran_as: Vec<Account>,
    /// Some of it ran on the machine, not in a container or another system of it.
    on_host: bool,
    /// The path as some of it met it that ran in a container, or in the system that this is a copy of.
    inside: Option<TreePath>,
    /// Some of it ran in a container that had this mounted.
    by_mount: bool,
}

impl<'r> Readers<'r> {
    fn new(threat: &'r Threat<'_>, accounts: Option<&'r Accounts>, seen: &'r Seen) -> Self {
        let ran = threat.strong.iter().chain(&threat.weak);
        let reads = ran.filter(|(account, _, bounds)| {
            had(bounds.as_deref(), accounts, seen) && can_read(*account, accounts, seen)
        });
        let (mut ran_as, mut on_host, mut bounded) = (Vec::new(), false, false);
        for (account, _, bounds) in reads {
            ran_as.push(*account);
            on_host |= bounds.is_none();
            bounded |= bounds.is_some();
        }
        let inside = contained::seen_inside(&seen.origin.path, accounts).filter(|_| bounded);
        let by_mount = bounded && inside.is_none();
        Self { seen, accounts, ran_in: &threat.ran_in, ran_as, on_host, inside, by_mount }
    }

    /// The line of the list that names it.
    fn on_list(&self, harvest: &Harvest, credential: &Credential) -> Option<Fit> {
        let origin = &self.seen.origin;
        if is_environment(self.seen.surface) {
            return takes_variable(harvest, origin).then(|| Fit::certain("environment of the process"));
        }
        if is_environ(&origin.path) {
            let own = |account: &Account| match account {
                Account::Uid(uid) => self.seen.uid == Some(*uid),
                _ => true,
            };
            if reads_every_process(harvest) {
                return Some(Fit::certain("environment of every process that the account may read"));
            }
            let same = takes_variable(harvest, origin) && self.ran_as.iter().any(own);
            return same.then(|| Fit::certain("environment of a process of the account that ran it"));
        }
        let named_by = credential.named_by.as_deref();
        let fit = |path: &TreePath, accounts: Option<&Accounts>| {
            let lives_here = accounts.and_then(|a| a.home_owner(path)).or(self.seen.uid);
            let own = self.ran_as.iter().any(|account| match account {
                Account::Uid(uid) => lives_here.is_none_or(|home| home == *uid),
                Account::All | Account::Elsewhere => true,
            });
            let variable = origin.inner.as_deref();
            listed(harvest, &credential.kind, &Place { path, accounts, named_by, variable, ran_in: self.ran_in, own })
        };
        let on_host = (self.on_host || self.by_mount).then(|| fit(&origin.path, self.accounts)).flatten();
        // Homes of a container are where they are everywhere.
        let inside = self.inside.as_ref().and_then(|path| fit(path, None));
        on_host.into_iter().chain(inside).min_by_key(|fit| fit.doubt)
    }
}

const ELSEWHERE: &str = "it ran on another machine, or in a container or another system that did not have it";
const MOUNTED: &str = "it ran in a container of this machine: only a mount could have given it this file";
const FORWARDED: &str = "may have been in the SSH agent that was forwarded to another machine where it ran";

/// Whether what ran had this file before it at all.
fn had(bounds: Option<&Bounds>, accounts: Option<&Accounts>, seen: &Seen) -> bool {
    let Some(bounds) = bounds else {
        return true;
    };
    let exported = || is_environment(seen.surface) || sets_environment(accounts, &seen.origin.path);
    bounds.folders.iter().any(|f| seen.origin.path == *f || seen.origin.path.is_within(f))
        || (bounds.environment && exported())
}

/// When to rotate a key that may have been in an agent which was forwarded to where the payload ran.
fn by_agent(threat: &Threat<'_>, accounts: Option<&Accounts>, seen: &Seen, credential: &Credential) -> Option<Urgency> {
    let forwarded = |list: &[Ran]| {
        let mut with_agent = list.iter().filter(|(_, _, bounds)| bounds.as_ref().is_some_and(|b| b.agent));
        with_agent.any(|(account, ..)| can_read(*account, accounts, seen))
    };
    if &*credential.kind != AGENT_KEYS {
        return None;
    }
    if forwarded(&threat.strong) {
        return Some(Urgency::Soon);
    }
    forwarded(&threat.weak).then_some(Urgency::No)
}

/// When to rotate what a container had only if somebody mounted it.
fn by_mount(threat: &Threat<'_>, accounts: Option<&Accounts>, seen: &Seen) -> Option<Urgency> {
    let mounted = |list: &[Ran]| {
        let mut may = list.iter().filter(|(_, _, bounds)| bounds.as_ref().is_some_and(|b| b.mounts_unknown));
        may.any(|(account, ..)| can_read(*account, accounts, seen))
    };
    if mounted(&threat.strong) {
        return Some(Urgency::Soon);
    }
    mounted(&threat.weak).then_some(Urgency::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lower_layer_held_was_in_reach_of_what_came_in_below_its_end() {
        use crate::{
            assess::{Layers, assess},
            credential::Catalog,
            fact::{Ecosystem, Package, Placement},
            ioc::{Database, Index},
        };
        let index = Index::new(Database::embedded().unwrap(), &[]);
        let seen = |layer: usize, path: &str, fact: Fact| {
            let mut origin = Origin::file(&"app:1".into(), TreePath::new(path.as_bytes()).unwrap());
            origin.layer = Some(format!("sha256:{layer}").into());
            Seen { surface: "x", origin, at: None, uid: None, gid: None, mode: None, unit: None, fact }
        };
        let judged = |made: usize, gone: Option<usize>| {
            let package = Package {
                ecosystem: Ecosystem::Pypi,
                name: "litellm".into(),
                version: "1.82.8".into(),
                placement: Placement::Loadable,
                artifacts: Vec::new(),
                requires: [].into(),
            };
            let key =
                Credential { kind: "aws.access_key".into(), identifier: None, note: None, named_by: None, tag: None };
            let place = |seen: Seen, made, gone: Option<usize>| Evidence {
                gone: gone.map(|_| crate::assess::Gone { step: None }),
                layers: Some(Layers { made, gone }),
                ..Evidence::from(seen)
            };
            let bad = "srv/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA";
            let evidence = vec![
                place(seen(2, bad, Fact::Package(package)), 2, Some(3)),
                place(seen(made, "root/.aws/credentials", Fact::Credential(key)), made, gone),
            ];
            let case = Case { index: &index, catalog: &Catalog::default(), evidence, accounts: Default::default() };
            let one = assess(case).credentials.remove(0);
            (one.reach, one.rotate, one.reason.ends_with("but whoever has the image can read it"))
        };
        assert_eq!(judged(1, None), (Reach::Harvested, Urgency::Now, false));
        assert_eq!(judged(1, Some(3)), (Reach::Harvested, Urgency::Now, true));
        assert_eq!(judged(1, Some(2)), (Reach::Harvested, Urgency::Now, true));
        assert_eq!(judged(0, Some(1)), (Reach::OutOfReach, Urgency::No, true));
    }

    #[test]
    fn a_payload_that_takes_nothing_puts_nothing_in_reach() {
        use crate::{
            assess::assess,
            credential::Catalog,
            fact::{Ecosystem, Package, Placement},
            ioc::{Database, Index},
        };
        let judged = |completeness: Completeness| {
            let mut database = Database::embedded().unwrap();
            database.incidents.retain(|i| i.id == "litellm-2026-03");
            for incident in &mut database.incidents {
                incident.harvest = Default::default();
                incident.harvest.completeness = completeness;
            }
            let index = Index::new(database, &[]);
            let package = Package {
                ecosystem: Ecosystem::Pypi,
                name: "litellm".into(),
                version: "1.82.8".into(),
                placement: Placement::Loadable,
                artifacts: Vec::new(),
                requires: [].into(),
            };
            let key =
                Credential { kind: "aws.access_key".into(), identifier: None, note: None, named_by: None, tag: None };
            let seen = |path: &str, fact: Fact| {
                let path = TreePath::new(path.as_bytes()).unwrap();
                let unit = crate::ecosystem::unit_of(&path).map(std::sync::Arc::new);
                let origin = Origin::file(&"host".into(), path);
                Evidence::from(Seen { surface: "x", origin, at: None, uid: None, gid: None, mode: None, unit, fact })
            };
            let bad = "srv/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA";
            let evidence =
                vec![seen(bad, Fact::Package(package)), seen("root/.aws/credentials", Fact::Credential(key))];
            let case = Case { index: &index, catalog: &Catalog::default(), evidence, accounts: Default::default() };
            let one = assess(case).credentials.remove(0);
            (one.reach, one.rotate)
        };
        assert_eq!(judged(Completeness::Unknown), (Reach::Harvested, Urgency::Now));
        assert_eq!(judged(Completeness::Exact), (Reach::Exposed, Urgency::Soon));
        assert_eq!(judged(Completeness::None), (Reach::OutOfReach, Urgency::No));
    }
}
