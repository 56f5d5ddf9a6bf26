//! What a command without a version took: the version that its own environment, or its layer of an image, shows.
//!
//! An environment that the command names answers with what it holds, unless that was put there later. Of a command that names
//! none, the environment answers in which its installer put the package within minutes, with no other such command in between.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{Case, Finding, FindingKind, Moment, typed::is_typed};
use crate::{
    accounts::Accounts,
    ecosystem::purl::Purl,
    fact::{At, Command, CommandAction, Ecosystem, Fact, Origin, Placement, Seen, TreePath},
    ioc::index::IncidentId,
    text::escape,
};

/// How long an install may take until the package stands there.
const INSTALL: SignedDuration = SignedDuration::from_mins(10);
/// How far the history's clock may be behind: it counts whole seconds.
const BEFORE: SignedDuration = SignedDuration::from_secs(2);

/// Environments with one package that are looked at for each command.
const MOST: usize = 1000;

type Name<'c> = (&'c str, Ecosystem, &'c str);

/// A version of a package that stands in an environment.
struct Stands<'c> {
    prefix: TreePath,
    version: &'c str,
    installed: Option<&'c At>,
    installer: Option<&'c str>,
    layer: Option<&'c str>,
}

/// Drops the findings of such commands; each becomes a line of the timeline.
pub fn drop_what_took_a_good_version(case: &Case<'_>, findings: &mut Vec<Finding>) -> Vec<Moment> {
    let open = |f: &Finding| f.kind == FindingKind::Command && f.package.is_some();
    if !findings.iter().any(open) {
        return Vec::new();
    }
    let stands = stands(case);
    let (mut at_origin, mut typed): (HashMap<&Origin, Vec<&Seen>>, BTreeMap<Name<'_>, Vec<Timestamp>>) =
        Default::default();
    for e in &case.evidence {
        if let Fact::Command(c) = &e.seen.fact {
            at_origin.entry(&e.seen.origin).or_default().push(&e.seen);
            let installs = c.action == CommandAction::Install && c.whereabouts.is_here();
            for w in c.wanted.iter().filter(|_| installs && is_typed(e.seen.surface)) {
                let times = typed.entry((&*e.seen.origin.tree, w.ecosystem, &*w.name)).or_default();
                times.extend(e.seen.at.as_ref().map(|at| at.time));
            }
        }
    }
    typed.values_mut().for_each(|times| times.sort_unstable());
    let mut moments = Vec::new();
    findings.retain(|f| {
        let Some(seen) = at_origin.get(&f.origin).filter(|_| open(f)) else {
            return true;
        };
        let took = took_good(case, f.incident, f, seen, &stands, &typed);
        let Some(how) = took else {
            return true;
        };
        moments.extend(f.at.as_ref().map(|at| Moment {
            at: at.time,
            what: how,
            source: at.source.to_string(),
            finding: None,
        }));
        false
    });
    moments
}

/// Versions of packages that indicators name, in environments, by name.
fn stands<'c>(case: &'c Case<'_>) -> BTreeMap<Name<'c>, Vec<Stands<'c>>> {
    let mut installers: HashMap<(&Arc<str>, TreePath), (&str, Option<&At>)> = HashMap::new();
    for e in &case.evidence {
        if let Fact::Installer { name } = &e.seen.fact {
            installers.insert((&e.seen.origin.tree, e.seen.origin.path.parent()), (&**name, e.seen.at.as_ref()));
        }
    }
    let mut stands: BTreeMap<Name<'c>, Vec<Stands<'c>>> = BTreeMap::new();
    for e in &case.evidence {
        let Fact::Package(p) = &e.seen.fact else {
            continue;
        };
        if p.placement != Placement::Loadable || !case.index.knows_package(p.ecosystem, &p.name) {
            continue;
        }
        let origin = &e.seen.origin;
        let installer = installers.get(&(&origin.tree, origin.path.parent()));
        stands.entry((&*origin.tree, p.ecosystem, &*p.name)).or_default().push(Stands {
            prefix: e.seen.unit.as_ref().map_or_else(|| origin.path.parent(), |unit| unit.root.clone()),
            version: &p.version,
            installed: installer.and_then(|(_, at)| *at),
            installer: installer.map(|(name, _)| *name),
            layer: origin.layer.as_deref(),
        });
    }
    stands
}

/// What shows that every command of this place which the finding is about took a good version, in words.
fn took_good(
    case: &Case<'_>,
    incident: IncidentId,
    finding: &Finding,
    seen: &[&Seen],
    stands: &BTreeMap<Name<'_>, Vec<Stands<'_>>>,
    typed: &BTreeMap<Name<'_>, Vec<Timestamp>>,
) -> Option<String> {
    let mut how = None;
    let mut looked = HashSet::new();
    for one in seen {
        let Fact::Command(c) = &one.fact else {
            continue;
        };
        for w in c.wanted.iter().filter(|w| w.pinned.is_none()) {
            let purl = Purl::new(w.ecosystem, &w.name, None).to_string();
            if finding.package.as_deref() != Some(&purl) || !looked.insert((&w.name, w.ecosystem, &c.tool)) {
                continue;
            }
            if !matches!(c.action, CommandAction::Install) || !c.whereabouts.is_here() {
                return None;
            }
            let name = (&*one.origin.tree, w.ecosystem, &*w.name);
            let known = stands.get(&name).filter(|known| known.len() <= MOST)?;
            let good = |s: &&Stands<'_>| {
                let bad = case.index.version(w.ecosystem, &w.name, s.version);
                !bad.iter().any(|((other, _), _)| *other == incident)
            };
            let times = typed.get(&name).map_or(&[][..], Vec::as_slice);
            let accounts = case.accounts.get(&one.origin.tree);
            let own: Vec<&Stands<'_>> = known.iter().filter(|s| is_own(s, c, one, accounts, times)).collect();
            // Where one of several holds the bad version, or none is its own, it stays.
            let first = own.first().filter(|_| own.iter().all(|s| good(s)))?;
            let place = escape(&[b"/", first.prefix.as_bytes()].concat());
            how = Some(match first.layer {
                Some(_) => format!("`{}` took `{}` {}, as its layer shows", c.tool, w.name, first.version),
                None => format!("`{}` took `{}` {}, as {place} shows", c.tool, w.name, first.version),
            });
        }
    }
    how
}

/// Whether what stands there is what this command put or found there.
fn is_own(s: &Stands<'_>, c: &Command, seen: &Seen, accounts: Option<&Accounts>, times: &[Timestamp]) -> bool {
    if !is_typed(seen.surface) {
        return s.layer.is_some() && s.layer == seen.origin.layer.as_deref();
    }
    let (Some(typed), Some(installed)) = (seen.at.as_ref().map(|at| at.time), s.installed.map(|at| at.time)) else {
        return false;
    };
    let soon = installed <= typed.saturating_add(INSTALL).unwrap_or(typed);
    let here = match c.whereabouts.environment.as_deref() {
        Some(folder) if folder.starts_with('/') => {
            return soon && TreePath::new(folder.as_bytes()).as_ref() == Some(&s.prefix);
        }
        Some(folder) if folder.starts_with("~/") => {
            let home = accounts.and_then(|a| a.home_of(&seen.origin.path));
            let home = home.or_else(|| Accounts::default().home_of(&seen.origin.path));
            let rest = folder.trim_start_matches("~/").as_bytes();
            return soon && home.and_then(|h| h.resolve(rest)).as_ref() == Some(&s.prefix);
        }
        // Below a folder that is not known.
        Some(folder) => {
            let end = [b"/", folder.as_bytes()].concat();
            [b"/", s.prefix.as_bytes()].concat().ends_with(&end)
        }
        None => true,
    };
    let by_tool = s.installer.is_some_and(|i| i.to_ascii_lowercase().starts_with(&*c.tool));
    let before = times.partition_point(|t| t.checked_sub(BEFORE).is_ok_and(|t| t <= installed));
    let last = before.checked_sub(1).and_then(|at| times.get(at));
    // Two that were typed in the same second cannot be told apart.
    let alone = times.partition_point(|t| *t <= typed) == times.partition_point(|t| *t < typed) + 1;
    let began = typed.checked_sub(BEFORE).unwrap_or(typed) <= installed;
    here && by_tool && soon && began && alone && last == Some(&typed)
}
