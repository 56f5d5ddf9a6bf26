//! Installs that name no malicious package themselves: from lists (`pip install -r requirements.txt`, `uv sync`, `npm ci`), and of
//! packages that are known to need one. What a list says is joined with the command that was typed where it stands; a command whose own
//! environment shows a good version took that one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    Account, Case, Finding, FindingKind,
    evidence::{first_moment, runs},
    rule::Rule,
    typed::{is_before_upload, is_typed, window_of, withdrawn_before},
    whereabouts::{Ran, folder},
};
use crate::{
    accounts::{Accounts, HistoryOf},
    ecosystem::{admits, purl::Purl},
    fact::{Command, CommandAction, Ecosystem, Fact, Package, Placement, Requirement, Seen, TreePath},
    ioc::{
        index::IncidentId,
        model::{Incident, PackageIndicator},
    },
    text::escape,
    verdict::Confidence,
};

/// How long an install may take until the package stands there.
const INSTALL: SignedDuration = SignedDuration::from_mins(10);
/// How far the history's clock may be behind: it counts whole seconds.
const BEFORE: SignedDuration = SignedDuration::from_secs(2);
/// Packages between one that was asked for and one that it needs.
const DEPTH: usize = 8;
/// Findings that one examination makes so.
const MOST: usize = 5000;

/// A list that names a package which indicators know, and what it asks for.
struct Named<'c> {
    seen: &'c Seen,
    ecosystem: Ecosystem,
    name: &'c str,
    /// The exact version, else a range.
    version: Result<&'c str, &'c str>,
}

/// A version of such a package that stands in an environment.
struct Stands<'c> {
    tree: &'c str,
    package: &'c Package,
    root: TreePath,
    at: Option<Timestamp>,
}

struct Known<'c> {
    case: &'c Case<'c>,
    lists: Vec<Named<'c>>,
    stands: Vec<Stands<'c>>,
    /// What installed packages need, by tree, ecosystem and name.
    needs: BTreeMap<(&'c str, Ecosystem, &'c str), Vec<&'c Requirement>>,
}

/// Adds findings for such commands.
pub fn look_for_installs(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let typed = case.evidence.iter().map(|e| &e.seen).filter_map(|seen| {
        let Fact::Command(c) = &seen.fact else {
            return None;
        };
        let installs = matches!(c.action, CommandAction::Install | CommandAction::Run);
        let accounts = case.accounts.get(&seen.origin.tree);
        let own = accounts.is_none_or(|a| a.history_of(&seen.origin.path) == HistoryOf::Account);
        let here = c.whereabouts.machine.is_none() && own && is_typed(seen.surface) && installs;
        Some((seen, c, seen.at.as_ref()?.time)).filter(|_| here)
    });
    let typed: Vec<_> = typed.collect();
    if typed.is_empty() {
        return;
    }
    let known = Known::new(case);
    let mut found = Vec::new();
    for (seen, command, at) in typed {
        found.extend(
            known.lists_of(seen, command).filter_map(|(list, sure)| known.listed(seen, command, at, list, sure)),
        );
        known.needed(seen, command, at, &mut found);
        if found.len() > MOST {
            break;
        }
    }
    findings.append(&mut found);
}

impl<'c> Known<'c> {
    fn new(case: &'c Case<'c>) -> Self {
        let mut known = Self { case, lists: Vec::new(), stands: Vec::new(), needs: BTreeMap::new() };
        for seen in case.evidence.iter().map(|e| &e.seen).filter(|s| s.origin.layer.is_none()) {
            let tree = &*seen.origin.tree;
            match &seen.fact {
                Fact::Package(p) if p.is_listed() && case.index.knows_package(p.ecosystem, &p.name) => {
                    let (ecosystem, name, version) = (p.ecosystem, &*p.name, Ok(&*p.version));
                    known.lists.push(Named { seen, ecosystem, name, version });
                }
                Fact::Package(p) if p.placement == Placement::Loadable => {
                    known.needs.entry((tree, p.ecosystem, &p.name)).or_default().extend(p.requires.iter());
                    let root = seen.unit.as_ref().map_or_else(|| seen.origin.path.parent(), |unit| unit.root.clone());
                    known.stands.push(Stands { tree, package: p, root, at: seen.at.as_ref().map(|at| at.time) });
                }
                Fact::Project { ecosystem, asked } => {
                    for r in asked.iter().filter(|r| case.index.knows_package(*ecosystem, &r.name)) {
                        let version = Err(range_of(r));
                        known.lists.push(Named { seen, ecosystem: *ecosystem, name: &r.name, version });
                    }
                }
                _ => {}
            }
        }
        known
    }

    /// The lists that a command read, and whether its folder says so; else those of that name in the home that holds the history.
    fn lists_of<'k>(&'k self, seen: &'k Seen, command: &'k Command) -> impl Iterator<Item = (&'k Named<'c>, bool)> {
        let accounts = self.case.accounts.get(&seen.origin.tree);
        let home = accounts.and_then(|a| a.home_of(&seen.origin.path));
        let home = home.or_else(|| Accounts::default().home_of(&seen.origin.path));
        let place = |list: &str| match command.whereabouts.folder.as_deref() {
            _ if list.starts_with(['/', '~']) => folder(list, accounts, &seen.origin.path),
            Some(now) => folder(now, accounts, &seen.origin.path).and_then(|f| f.resolve(list.as_bytes())),
            None => None,
        };
        let wanted: Vec<(&str, Option<TreePath>)> = command.lists.iter().map(|l| (&**l, place(l))).collect();
        let lists = if wanted.is_empty() { &[] } else { self.lists.as_slice() };
        let of_tree = lists.iter().filter(|named| named.seen.origin.tree == seen.origin.tree);
        of_tree.filter_map(move |named| {
            let path = &named.seen.origin.path;
            let exact = wanted.iter().any(|(_, place)| place.as_ref() == Some(path));
            let ends = |list: &str| [b"/", path.as_bytes()].concat().ends_with(format!("/{list}").as_bytes());
            let in_home = || home.as_ref().is_some_and(|home| path.is_within(home));
            let may = || wanted.iter().any(|(list, place)| place.is_none() && ends(list)) && in_home();
            (exact || may()).then_some((named, exact))
        })
    }

    /// What a command is worth that installed from a list.
    fn listed(&self, seen: &Seen, c: &Command, at: Timestamp, list: &Named<'_>, sure: bool) -> Option<Finding> {
        let path = &list.seen.origin.path;
        let shown = escape(&[b"/", path.as_bytes()].concat());
        let indicators = self.case.index.package(list.ecosystem, list.name);
        let pinned = |p: &PackageIndicator, v: &str| p.versions.iter().any(|bad| bad == v);
        let mut all = indicators.into_iter().filter_map(|((incident, _), p)| {
            let i = self.case.index.incident(incident)?;
            match list.version {
                Ok(version) if pinned(p, version) && !is_before_upload(i, p, at) => Some((incident, i, p)),
                Err(range) if p.versions.iter().any(|v| admits(list.ecosystem, range, v)) => {
                    window_of(i, p, at).map(|_| (incident, i, p))
                }
                _ => None,
            }
        });
        let (incident, i, p) = all.next()?;
        let guess = if sure { "" } else { ", which may be another one: its folder is not known" };
        match list.version {
            Ok(version) => {
                let later = list.seen.at.as_ref().is_some_and(|l| l.time > at.saturating_add(INSTALL).unwrap_or(at));
                let withdrawn = withdrawn_before(i, p, at).is_some();
                let mut reason = format!(
                    "`{}` was asked to install what `{shown}` says{guess}, which names the malicious version (it was typed; whether it \
                     succeeded is not recorded); {}",
                    c.tool,
                    runs(p.triggers.iter().copied())
                );
                if later {
                    reason.push_str("; the file was changed after the command");
                }
                if withdrawn {
                    reason.push_str("; it was withdrawn by then: a mirror or a cache may still have had it");
                }
                let likely = sure && !later && !withdrawn;
                let confidence = if likely { Confidence::Likely } else { Confidence::Possible };
                Some(self.finding(seen, c, (incident, i, p), Some(version), (confidence, reason)))
            }
            Err(_) => {
                // A lock beside the manifest says which version it was.
                let locks = self.lists.iter().filter(|other| other.name == list.name && other.version.is_ok());
                let mut beside = locks.filter(|other| other.seen.origin.path.parent() == path.parent());
                let project = path.parent();
                if beside.any(|other| c.lists.iter().any(|l| l.as_bytes().ends_with(other.seen.origin.path.name())))
                    || self.took_good(seen, (list.ecosystem, list.name), at, |s| {
                        s.root.is_within(&project) || s.root == project
                    })
                {
                    return None;
                }
                let reason = format!(
                    "`{}` was asked to install what `{shown}` says{guess}, which admits the malicious version of `{}`, while it was \
                     available",
                    c.tool, list.name
                );
                Some(self.finding(seen, c, (incident, i, p), None, (Confidence::Possible, reason)))
            }
        }
    }

    /// Adds what a command without a version is worth that asked for a package which needs a malicious one.
    fn needed(&self, seen: &Seen, c: &Command, at: Timestamp, found: &mut Vec<Finding>) {
        for wanted in c.wanted.iter().filter(|w| !self.case.index.knows_package(w.ecosystem, &w.name)) {
            let mut looked = BTreeSet::from([&*wanted.name]);
            let mut level = vec![&*wanted.name];
            for _ in 0..DEPTH {
                let mut next = Vec::new();
                let key = |name| (&*seen.origin.tree, wanted.ecosystem, name);
                for r in
                    level.iter().filter_map(|name: &&str| self.needs.get(&key(*name))).flatten().filter(|r| !r.extra)
                {
                    if !looked.insert(&r.name) {
                        continue;
                    }
                    next.push(&*r.name);
                    let range = range_of(r);
                    let indicators = self.case.index.package(wanted.ecosystem, &r.name);
                    let open = indicators.into_iter().find_map(|((incident, _), p)| {
                        let i = self.case.index.incident(incident)?;
                        let admitted = p.versions.iter().any(|v| admits(wanted.ecosystem, range, v));
                        window_of(i, p, at).filter(|_| admitted).map(|_| (incident, i, p))
                    });
                    let Some(open) = open else {
                        continue;
                    };
                    // Where it stands beside what was asked for.
                    let beside = |s: &Stands<'_>| {
                        self.stands.iter().any(|o| o.root == s.root && *o.package.name == *wanted.name)
                    };
                    if self.took_good(seen, (wanted.ecosystem, &r.name), at, beside) {
                        continue;
                    }
                    let reason = format!(
                        "`{}` was asked to install `{}`, which needs `{}` as installed packages here say, while a malicious version of that \
                         was available",
                        c.tool, wanted.name, r.name
                    );
                    found.push(self.finding(seen, c, open, None, (Confidence::Possible, reason)));
                }
                level = next;
            }
        }
    }

    /// Whether an environment that may be the command's shows a good version of a package, put there by it or before it, and none of
    /// them a malicious one.
    fn took_good(
        &self,
        seen: &Seen,
        (ecosystem, name): (Ecosystem, &str),
        at: Timestamp,
        own: impl Fn(&Stands<'_>) -> bool,
    ) -> bool {
        let began = at.checked_sub(BEFORE).unwrap_or(at);
        let ended = at.saturating_add(INSTALL).unwrap_or(at);
        let of_package = |s: &&Stands<'_>| {
            s.tree == &*seen.origin.tree && s.package.ecosystem == ecosystem && *s.package.name == *name
        };
        let mut any = false;
        for s in self.stands.iter().filter(of_package) {
            let Some(put) = s.at.filter(|put| *put <= ended) else {
                continue;
            };
            if own(s) || put >= began {
                if !self.case.index.version(ecosystem, name, &s.package.version).is_empty() {
                    return false;
                }
                any = true;
            }
        }
        any
    }

    fn finding(
        &self,
        seen: &Seen,
        c: &Command,
        (incident, i, p): (IncidentId, &Incident, &PackageIndicator),
        version: Option<&str>,
        (confidence, reason): (Confidence, String),
    ) -> Finding {
        let typist = seen.uid.map_or(Account::All, Account::Uid);
        let ran = Ran::new(&c.whereabouts, self.case.accounts.get(&seen.origin.tree), &seen.origin.path, typist);
        let ceiling = i.ceiling(&p.standing, &p.sources);
        let confidence = if ran.unsure { Confidence::Possible } else { confidence.min(ceiling) };
        let versions = version.map_or_else(|| p.versions.join("|"), str::to_owned);
        Finding {
            id: String::new(),
            incident,
            indicator: format!("{}/{}@{versions}", p.ecosystem.purl_type(), p.name),
            kind: FindingKind::Command,
            rule: Rule::InstallFromList,
            exposure: Rule::InstallFromList.exposure(),
            confidence,
            surface: seen.surface,
            package: Some(Purl::new(p.ecosystem, &p.name, version).to_string()),
            origin: seen.origin.clone(),
            ecosystem: None,
            holdings: None,
            unit: None,
            environment: None,
            artifact: None,
            at: seen.at.clone(),
            reason: ran.note.map_or_else(|| reason.clone(), |note| format!("{reason}; {note}")),
            sign: None,
            chain: Vec::new(),
            moment: first_moment(&p.triggers),
            by_itself: p.triggers.iter().any(|t| t.by_itself()),
            corroborated: None,
            account: ran.account,
            bounds: ran.bounds,
            role: None,
            alike: Vec::new(),
        }
    }
}

/// `>=1.60` of `litellm>=1.60`, `^1.0` of `axios@^1.0`.
fn range_of(r: &Requirement) -> &str {
    let rest = r
        .text
        .strip_prefix(&*r.name)
        .unwrap_or_else(|| r.text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c)));
    rest.trim_start_matches(['@', ' '])
}

#[cfg(test)]
mod tests;
