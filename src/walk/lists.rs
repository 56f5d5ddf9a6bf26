//! Lock files name hundreds of packages. Those that lead to a malicious one in the same file are kept, since they explain it; the others
//! are dropped when the file is read.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::Worth;
use crate::fact::{Fact, Package, Placement, Requirement, Seen};

/// Bytes that are held of one file, as estimated: more than the largest of real lock files needs. What comes after them explains nothing.
const HELD: usize = 16 << 20;
/// What a package and a requirement cost beside their texts.
const PACKAGE: usize = 500;
const REQUIREMENT: usize = 200;
/// Packages that are kept of them: the nearest.
const NEAREST: usize = 2_000;

/// The packages of one file that fit nothing.
#[derive(Default)]
pub(super) struct Lists {
    held: Vec<Seen>,
    bytes: usize,
}

impl Lists {
    /// Holds what may lead to another package of the same list.
    pub(super) fn hold(&mut self, seen: Seen) {
        let Some(package) = listed(&seen).filter(|package| !package.requires.is_empty()) else {
            return;
        };
        let texts = |r: &Requirement| r.name.len() + r.text.len() + r.marker.as_ref().map_or(0, |m| m.len());
        let requires: usize = package.requires.iter().map(|r| REQUIREMENT + texts(r)).sum();
        let bytes = PACKAGE + package.name.len() + package.version.len() + requires;
        if self.bytes + bytes <= HELD {
            self.bytes += bytes;
            self.held.push(seen);
        }
    }

    /// The packages that require one of the list that was found, or one that does.
    pub(super) fn leading_to(self, found: &[(Worth, Seen)]) -> Vec<Seen> {
        let bad = found.iter().filter(|(worth, _)| *worth == Worth::Evidence).filter_map(|(_, seen)| listed(seen));
        let mut waiting: VecDeque<&str> = bad.map(|package| &*package.name).collect();
        if waiting.is_empty() {
            return Vec::new();
        }
        let mut requiring: HashMap<&str, Vec<(usize, &Package)>> = HashMap::new();
        for (at, package) in self.held.iter().enumerate().filter_map(|(at, seen)| Some((at, listed(seen)?))) {
            for requirement in package.requires.iter() {
                requiring.entry(&requirement.name).or_default().push((at, package));
            }
        }
        let mut chosen = BTreeSet::new();
        while let Some(name) = waiting.pop_front() {
            for (at, package) in requiring.remove(name).unwrap_or_default() {
                if chosen.len() < NEAREST && chosen.insert(at) {
                    waiting.push_back(&package.name);
                }
            }
        }
        let chosen = |at: usize| chosen.contains(&at);
        let keep: Vec<bool> = (0..self.held.len()).map(chosen).collect();
        self.held.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(seen, _)| seen).collect()
    }
}

/// The package that a list names.
fn listed(seen: &Seen) -> Option<&Package> {
    match &seen.fact {
        Fact::Package(package) if package.placement == Placement::Listed && seen.unit.is_none() => Some(package),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ecosystem, Origin, TreePath};

    fn seen(name: &str, requires: &[&str], placement: Placement) -> Seen {
        let fact = Fact::Package(Package {
            ecosystem: Ecosystem::Npm,
            name: name.into(),
            version: "1.0.0".into(),
            placement,
            requires: requires.iter().map(|r| Requirement::new(*r, format!("{r}@^1"))).collect(),
            artifacts: Vec::new(),
        });
        let origin = Origin::file(&"host".into(), TreePath::new(b"a/package-lock.json").unwrap());
        Seen { surface: "s", origin, at: None, uid: None, gid: None, mode: None, unit: None, fact }
    }

    fn leading(held: &[(&str, &[&str])], found: &[(Worth, Seen)]) -> Vec<String> {
        let mut lists = Lists::default();
        held.iter().for_each(|(name, requires)| lists.hold(seen(name, requires, Placement::Listed)));
        let names = |seen: &Seen| listed(seen).map(|package| package.name.to_string());
        lists.leading_to(found).iter().filter_map(names).collect()
    }

    #[test]
    fn what_requires_a_finding_is_kept() {
        let bad = |worth, placement| vec![(worth, seen("bad", &[], placement))];
        let held: &[(&str, &[&str])] = &[
            ("app", &["plugin", "left"]),
            ("left", &["right"]),
            ("plugin", &["bad"]),
            ("bad", &["app"]),
            ("right", &[]),
        ];
        assert_eq!(leading(held, &bad(Worth::Evidence, Placement::Listed)), ["app", "plugin", "bad"]);
        for other in [bad(Worth::Context, Placement::Listed), bad(Worth::Evidence, Placement::Loadable), Vec::new()] {
            assert_eq!(leading(held, &other), [""; 0]);
        }
    }

    #[test]
    fn a_long_list_has_a_bound() {
        let names: Vec<String> = (0..NEAREST + 10).map(|n| format!("p{n}")).collect();
        let held: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), ["bad"].as_slice())).collect();
        let found = [(Worth::Evidence, seen("bad", &[], Placement::Listed))];
        assert_eq!(leading(&held, &found).len(), NEAREST);
        // A text of a megabyte counts as such, and a small one that comes later still has its place.
        let long = "x".repeat(1 << 20);
        let mut lists = Lists::default();
        (0..100).for_each(|_| lists.hold(seen("p", &[&long, "bad"], Placement::Listed)));
        assert!(lists.held.len() < 10, "{}", lists.held.len());
        lists.hold(seen("q", &["bad"], Placement::Listed));
        let last = lists.held.last().and_then(listed);
        assert!(lists.bytes <= HELD && last.is_some_and(|package| &*package.name == "q"));
    }
}
