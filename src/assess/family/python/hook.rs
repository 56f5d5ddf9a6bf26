//! What became of an incident's start-up hooks: which still run, and which somebody emptied, renamed, replaced or took out.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::assess::{
    Case, Finding, FindingKind,
    evidence::{Draft, missing, path_name, runs},
    rule::Rule,
    unit_view::UnitCache,
    units::folder_of,
};
use crate::{
    ecosystem::{normal_name, pypi},
    fact::{Ecosystem, Fact, HookContent, Origin, Placement, Seen, TreePath},
    ioc::{
        Index,
        index::IncidentId,
        model::{FileIndicator, FileRole, Moment, PackageIndicator, Trigger},
    },
    matcher::{self, By},
    text::escape,
    verdict::Confidence,
};

/// What was looked for and could not be read: its absence among the facts shows nothing.
#[derive(Debug, Default)]
pub struct Unread {
    /// Files with a gap, by tree and path.
    pub files: HashSet<(Arc<str>, TreePath)>,
    /// Start-up code was left out of the examination.
    pub hooks: bool,
}

/// A hook of an incident in one site folder.
type Place = (IncidentId, Arc<str>, TreePath);

/// A hook that a distribution's list names and that is not there.
#[derive(Debug)]
pub struct Missing {
    /// Position in the evidence of the row that lists it.
    pub listed: usize,
    /// Its indicator.
    pub indicator: (IncidentId, usize),
    /// Where it stood.
    pub path: TreePath,
}

/// The hooks of an examination.
#[derive(Debug, Default)]
pub struct Hooks {
    live: HashSet<Place>,
    /// By place, what is said of one that no longer runs.
    dead: HashMap<Place, String>,
    /// In the order of the evidence.
    pub missing: Vec<Missing>,
}

impl Hooks {
    /// Looks through the evidence.
    pub fn new(case: &Case<'_>, unread: &Unread) -> Self {
        let mut hooks = Self::default();
        let mut there: HashSet<(&Arc<str>, TreePath)> = HashSet::new();
        for e in &case.evidence {
            let Fact::Hook { content, .. } = &e.seen.fact else {
                continue;
            };
            let tree = &e.seen.origin.tree;
            for hit in matcher::hits(case.index, &e.seen) {
                let Some((place, name)) = place_of(case.index, hit, &e.seen) else {
                    continue;
                };
                there.insert((tree, place.2.join(&name)));
                match (content, &e.gone) {
                    (HookContent::Runs, None) => {
                        hooks.live.insert(place);
                    }
                    (HookContent::Runs, Some(_)) => hooks.die(place, &name, "was taken out by a later layer"),
                    (HookContent::Renamed, _) => hooks.die(place, &name, "was renamed"),
                    (HookContent::Empty | HookContent::Paths, _) => hooks.die(place, &name, "was emptied"),
                }
            }
        }
        if !unread.hooks {
            hooks.look_for_missing(case, unread, &there);
        }
        hooks
    }

    fn die(&mut self, place: Place, name: &[u8], how: &str) {
        self.dead.entry(place).or_insert_with(|| format!("`{}` {how}", escape(name)));
    }

    /// Rows of `RECORD` that list a hook of the malicious version itself, where no such file is.
    fn look_for_missing(&mut self, case: &Case<'_>, unread: &Unread, there: &HashSet<(&Arc<str>, TreePath)>) {
        for (listed, e) in case.evidence.iter().enumerate().filter(|(_, e)| e.gone.is_none()) {
            let Fact::Owned { file, sha256 } = &e.seen.fact else {
                continue;
            };
            let tree = &e.seen.origin.tree;
            let Some(site) = e.seen.unit.as_ref().filter(|u| u.usual && file.below(&u.folder).is_some()) else {
                continue;
            };
            let site = &site.folder;
            let mut asked = case.index.files_at(file, file.below(site));
            asked.retain(|(_, indicator)| indicator.role == FileRole::Hook);
            if asked.is_empty()
                || there.contains(&(tree, file.clone()))
                || unread.files.contains(&(tree.clone(), file.clone()))
            {
                continue;
            }
            let of_bad = incidents_of(case.index, &e.seen.origin.path.parent());
            for ((incident, at), indicator) in asked {
                let known = sha256.is_some() && *sha256 == indicator.sha256;
                let live = self.live.contains(&(incident, tree.clone(), site.clone()));
                if live || !(known || of_bad.contains(&incident)) {
                    continue;
                }
                self.die((incident, tree.clone(), site.clone()), file.name(), "is gone, though RECORD lists it");
                self.missing.push(Missing { listed, indicator: (incident, at), path: file.clone() });
            }
        }
    }

    /// The findings of what is missing.
    pub fn findings(&self, case: &Case<'_>, units: &UnitCache<'_>) -> Vec<Finding> {
        self.missing.iter().filter_map(|gone| missing(case, units, self, gone)).collect()
    }

    /// What is said of an incident's hook in a site folder, where none of them runs any more.
    fn dead(&self, place: &Place) -> Option<&str> {
        self.dead.get(place).filter(|_| !self.live.contains(place)).map(String::as_str)
    }
}

/// Where the hook of a hit stood in its site folder, and under which name.
fn place_of(index: &Index, hit: matcher::Hit, seen: &Seen) -> Option<(Place, Vec<u8>)> {
    let By::File { at, .. } = hit.by else {
        return None;
    };
    let indicator = index.incident(hit.incident)?.files.get(at)?;
    if indicator.role != FileRole::Hook {
        return None;
    }
    let Origin { tree, path, .. } = &seen.origin;
    let site = seen.unit.as_ref().filter(|u| u.usual)?.folder.clone();
    let name = pypi::original_hook(path.name()).unwrap_or_else(|| path.name());
    Some(((hit.incident, tree.clone(), site), name.to_vec()))
}

/// The incidents that call the version malicious which the name of a `.dist-info` says.
fn incidents_of(index: &Index, info: &TreePath) -> Vec<IncidentId> {
    let name = String::from_utf8_lossy(info.name()).into_owned();
    let Some((name, version)) = name.strip_suffix(".dist-info").and_then(|stem| stem.rsplit_once('-')) else {
        return Vec::new();
    };
    let name = normal_name(Ecosystem::Pypi, name);
    index.version(Ecosystem::Pypi, &name, version).into_iter().map(|((incident, _), _)| incident).collect()
}

impl Draft<'_, '_> {
    /// When a version runs here, in words, and whether without anybody using it. A hook that is gone runs nothing.
    pub(in crate::assess) fn when_it_runs(&self, indicator: &PackageIndicator, placement: Placement) -> (String, bool) {
        let triggers = || indicator.triggers.iter().copied();
        let seen = self.seen();
        let place = (self.hit.incident, seen.origin.tree.clone(), folder_of(seen));
        let dead = self.hooks.dead(&place).filter(|_| placement == Placement::Loadable && seen.origin.inner.is_none());
        let Some(dead) = dead.filter(|_| triggers().any(|t| t == Trigger::InterpreterStart)) else {
            return (runs(triggers()), triggers().any(Trigger::by_itself));
        };
        let left: Vec<Trigger> = triggers().filter(|t| *t != Trigger::InterpreterStart).collect();
        let by_itself = left.iter().any(|t| t.by_itself());
        let rest = if left.is_empty() { "nothing else of it runs".to_owned() } else { runs(left) };
        (format!("its start-up hook {dead}, so that no start of Python runs it now; {rest}"), by_itself)
    }

    /// Why a hook that stands here no longer runs.
    pub(in crate::assess) fn out_of_action(&self) -> Option<&'static str> {
        match self.seen().fact {
            Fact::Hook { content: HookContent::Renamed, .. } => Some(
                "somebody renamed it, so that Python no longer runs it: it was there, and ran at every start until then",
            ),
            Fact::Hook { content: HookContent::Empty | HookContent::Paths, .. } => {
                Some("somebody emptied it: it was there, and runs nothing now")
            }
            _ => None,
        }
    }

    /// A hook that its own distribution lists and that is gone.
    pub(in crate::assess) fn missing_hook(&self, indicator: &FileIndicator, path: &TreePath) -> Finding {
        let reason = format!(
            "{}: RECORD lists `{}`, and it is not there; somebody took it out, and until then it ran at every Python start",
            indicator.what,
            escape(path.name())
        );
        let judgement = (Rule::HookMissing, Confidence::Likely, reason);
        let mut finding = self.finding(FindingKind::File, path_name(indicator), judgement);
        finding.origin.path = path.clone();
        finding.role = Some(FileRole::Hook);
        finding.by_itself = true;
        finding.moment = Some(Moment::AtStart);
        self.settle_in(&mut finding, indicator.package.as_deref());
        finding
    }
}
