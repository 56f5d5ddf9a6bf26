//! Installed packages that fit nothing, kept small until the walk is over: only what leads to a finding of the same unit becomes a fact.
//! A harmless machine has hundreds of thousands of them, most of which are the same releases again.
//!
//! What is kept beyond the bounds is chosen by place, not by who came first: units that stand last by path are given up.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    ecosystem::{only_lead, package_around},
    fact::{At, Fact, Origin, Package, Placement, Requirement, Seen, TreePath, Unit},
    interest::Interest,
};

/// Packages of one tree: forty bytes each.
const PACKAGES: usize = 2_000_000;
/// Bytes of different names, versions, paths and lists of requirements.
const TEXTS: usize = 64 << 20;
/// What a text costs beside its bytes.
const TEXT: usize = 80;

type Id = u32;

/// A requirement: name, text, and the marker where it has one.
type Edge = (Id, Id, Option<Id>);

/// Who holds a file, by which surface it was read, and what its time is called.
type Holder = (&'static str, Option<u32>, Option<u32>, Option<u32>, Option<&'static str>);

struct Row {
    /// Of its file, below the unit.
    path: Id,
    name: Id,
    version: Id,
    requires: Id,
    holder: Id,
    time: Option<Timestamp>,
}

/// Things by number, each once.
struct Numbered<T>(HashMap<T, Id>, Vec<T>);

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn new() -> Self {
        Self(HashMap::new(), Vec::new())
    }

    fn id(&mut self, thing: T) -> Option<Id> {
        if let Some(id) = self.0.get(&thing) {
            return Some(*id);
        }
        let id = Id::try_from(self.1.len()).ok()?;
        self.0.insert(thing.clone(), id);
        self.1.push(thing);
        Some(id)
    }

    fn get(&self, id: Id) -> Option<&T> {
        usize::try_from(id).ok().and_then(|at| self.1.get(at))
    }
}

/// The packages of one tree that fit nothing.
pub(super) struct Shelf {
    tree: Arc<str>,
    units: BTreeMap<TreePath, (Arc<Unit>, Vec<Row>)>,
    packages: usize,
    most: usize,
    /// Units that stand here or behind are given up.
    end: Option<TreePath>,
    /// Units of which some package found no place.
    cut: BTreeSet<TreePath>,
    texts: Numbered<Arc<str>>,
    lists: Numbered<Arc<[Edge]>>,
    holders: Numbered<Holder>,
    left: usize,
    /// Names of packages that fit something, by unit.
    wanted: BTreeMap<TreePath, BTreeSet<Box<str>>>,
}

/// Whether a fact can be kept so: an installed package of a name that no indicator knows, which can
/// only lead to another one.
pub(super) fn takes(seen: &Seen, interest: &Interest) -> bool {
    let Fact::Package(p) = &seen.fact else {
        return false;
    };
    let whole = seen.origin.inner.is_none() && seen.origin.line.is_none() && seen.origin.layer.is_none();
    only_lead(p.ecosystem)
        && seen.unit.as_ref().is_some_and(|unit| unit.ecosystem == p.ecosystem)
        && p.placement == Placement::Loadable
        && whole
        && p.artifacts.is_empty()
        && seen.at.as_ref().is_none_or(|at| matches!(at.source, Cow::Borrowed(_)))
        && p.requires.iter().all(|r| r.extras.is_empty() && !r.extra)
        && !interest.knows_package(p.ecosystem, &p.name)
}

impl Shelf {
    /// For a tree.
    pub(super) fn new(tree: Arc<str>) -> Self {
        Self::within(tree, PACKAGES, TEXTS)
    }

    fn within(tree: Arc<str>, most: usize, left: usize) -> Self {
        Self {
            tree,
            units: BTreeMap::new(),
            packages: 0,
            most,
            end: None,
            cut: BTreeSet::new(),
            texts: Numbered::new(),
            lists: Numbered::new(),
            holders: Numbered::new(),
            left,
            wanted: BTreeMap::new(),
        }
    }

    /// Keeps a package that `takes` admits. One that stands in no unit explains nothing.
    pub(super) fn put(&mut self, seen: &Seen) {
        let Some(unit) = &seen.unit else {
            return;
        };
        let folder = &unit.folder;
        if self.end.as_ref().is_some_and(|end| folder >= end) {
            return;
        }
        if let Some(row) = self.row(folder, seen) {
            self.units.entry(folder.clone()).or_insert_with(|| (unit.clone(), Vec::new())).1.push(row);
            self.packages += 1;
        } else {
            self.cut.insert(folder.clone());
        }
        while self.packages > self.most {
            let Some((unit, (_, rows))) = self.units.pop_last() else {
                break;
            };
            self.packages -= rows.len();
            self.end = Some(unit);
        }
    }

    /// Remembers where something fits, and in which package.
    pub(super) fn want(&mut self, seen: &Seen) {
        let Some(unit) = seen.unit.as_ref().filter(|u| only_lead(u.ecosystem)) else {
            return;
        };
        let names = self.wanted.entry(unit.folder.clone()).or_default();
        match &seen.fact {
            Fact::Package(p) | Fact::Named(p) | Fact::Recorded { package: p, .. } => {
                names.insert((*p.name).into());
            }
            _ => names.extend(package_around(unit.ecosystem, &seen.origin.path)),
        }
    }

    fn row(&mut self, unit: &TreePath, seen: &Seen) -> Option<Row> {
        let Fact::Package(p) = &seen.fact else {
            return None;
        };
        let path = std::str::from_utf8(seen.origin.path.below(unit)?).ok()?;
        let edges: Option<Vec<Edge>> = p
            .requires
            .iter()
            .map(|r| {
                let marker = r.marker.as_deref().map(|m| self.text(m));
                let marker = if let Some(id) = marker { Some(id?) } else { None };
                Some((self.text(&r.name)?, self.text(&r.text)?, marker))
            })
            .collect();
        let source =
            seen.at.as_ref().and_then(|at| if let Cow::Borrowed(fixed) = at.source { Some(fixed) } else { None });
        Some(Row {
            path: self.text(path)?,
            name: self.text(&p.name)?,
            version: self.text(&p.version)?,
            requires: self.list(edges?)?,
            holder: self.holders.id((seen.surface, seen.uid, seen.gid, seen.mode, source))?,
            time: seen.at.as_ref().map(|at| at.time),
        })
    }

    fn text(&mut self, text: &str) -> Option<Id> {
        if let Some(id) = self.texts.0.get(text) {
            return Some(*id);
        }
        self.left = self.left.checked_sub(text.len() + TEXT)?;
        self.texts.id(text.into())
    }

    fn list(&mut self, edges: Vec<Edge>) -> Option<Id> {
        let list: Arc<[Edge]> = edges.into();
        if let Some(id) = self.lists.0.get(&list) {
            return Some(*id);
        }
        self.left = self.left.checked_sub(size_of_val(&*list) + TEXT)?;
        self.lists.id(list)
    }

    /// The packages that lead to what fits something, in order, and of how many units some are not known.
    pub(super) fn explain(self) -> (Vec<Seen>, u64) {
        let given_up = |unit: &TreePath| self.end.as_ref().is_some_and(|end| unit >= end) || self.cut.contains(unit);
        let unknown = self.wanted.keys().filter(|u| given_up(u)).count();
        let mut seen = Vec::new();
        for (unit, names) in &self.wanted {
            let Some((unit, rows)) = self.units.get(unit) else {
                continue;
            };
            let mut found: Vec<Seen> = self.leading_to(rows, names).filter_map(|row| self.seen(unit, row)).collect();
            found.sort_by(|a, b| a.origin.cmp(&b.origin));
            seen.extend(found);
        }
        (seen, u64::try_from(unknown).unwrap_or(u64::MAX))
    }

    /// The packages that ask for one of these, or for one that does.
    fn leading_to<'s>(&'s self, rows: &'s [Row], names: &BTreeSet<Box<str>>) -> impl Iterator<Item = &'s Row> {
        let mut asking: HashMap<Id, Vec<usize>> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            for (name, ..) in self.lists.get(row.requires).into_iter().flat_map(|list| list.iter()) {
                asking.entry(*name).or_default().push(at);
            }
        }
        let mut waiting: Vec<Id> = names.iter().filter_map(|n| self.texts.0.get(&**n).copied()).collect();
        let (mut done, mut chosen) = (HashSet::new(), BTreeSet::new());
        while let Some(name) = waiting.pop() {
            if !done.insert(name) {
                continue;
            }
            for at in asking.get(&name).into_iter().flatten() {
                if chosen.insert(*at) {
                    waiting.extend(rows.get(*at).map(|row| row.name));
                }
            }
        }
        chosen.into_iter().filter_map(|at| rows.get(at))
    }

    fn seen(&self, unit: &Arc<Unit>, row: &Row) -> Option<Seen> {
        let text = |id: Id| self.texts.get(id);
        let requires = self.lists.get(row.requires)?.iter().filter_map(|(name, wanted, marker)| {
            let plain = Requirement::plain(&**text(*name)?, &**text(*wanted)?);
            Some(Requirement { marker: marker.and_then(text).map(|m| (**m).into()), ..plain })
        });
        let (surface, uid, gid, mode, source) = *self.holders.get(row.holder)?;
        let path = TreePath::new(&[unit.folder.as_bytes(), b"/", text(row.path)?.as_bytes()].concat())?;
        let fact = Fact::Package(Package {
            ecosystem: unit.ecosystem,
            name: text(row.name)?.clone(),
            version: text(row.version)?.clone(),
            placement: Placement::Loadable,
            requires: requires.collect(),
            artifacts: Vec::new(),
        });
        let at = row.time.zip(source).map(|(time, source)| At::new(time, source));
        let unit = Some(unit.clone());
        Some(Seen { surface, origin: Origin::file(&self.tree, path), at, uid, gid, mode, unit, fact })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Ecosystem;

    fn package(path: &str, name: &str, requires: &[&str]) -> Seen {
        let fact = Fact::Package(Package {
            ecosystem: Ecosystem::Npm,
            name: name.into(),
            version: "1.0.0".into(),
            placement: Placement::Loadable,
            requires: requires.iter().map(|r| Requirement::plain(*r, format!("{r}@^1"))).collect(),
            artifacts: Vec::new(),
        });
        let path = TreePath::new(format!("{path}/node_modules/{name}/package.json").as_bytes()).unwrap();
        let at = Timestamp::from_second(1_774_350_000).ok().map(|t| At::new(t, "mtime of package.json"));
        let origin = Origin::file(&"host".into(), path);
        let unit = crate::ecosystem::unit_of(&origin.path).map(Arc::new);
        Seen { surface: "s", origin, at, uid: Some(7), gid: None, mode: Some(0o644), unit, fact }
    }

    fn names(shelf: Shelf) -> (Vec<String>, u64) {
        let (seen, unknown) = shelf.explain();
        (seen.iter().map(|s| s.origin.path.text().into_owned()).collect(), unknown)
    }

    fn filled(most: usize, left: usize, order: &[usize]) -> Shelf {
        let all = [
            package("a", "plugin", &["axios", "left"]),
            package("a", "app", &["plugin"]),
            package("a", "left", &[]),
            package("a", "loop", &["loop2"]),
            package("a", "loop2", &["loop", "plugin"]),
            package("b", "plugin", &["axios"]),
            package("c", "plugin", &["axios"]),
        ];
        let mut shelf = Shelf::within("host".into(), most, left);
        order.iter().for_each(|at| shelf.put(&all[*at]));
        shelf
    }

    #[test]
    fn only_what_leads_to_a_finding_of_the_same_unit_becomes_a_fact() {
        let mut shelf = filled(100, 1 << 20, &[0, 1, 2, 3, 4, 5]);
        shelf.want(&package("a", "axios", &[]));
        let is = ["app", "loop", "loop2", "plugin"].map(|n| format!("/a/node_modules/{n}/package.json"));
        assert_eq!(names(shelf), (is.to_vec(), 0));
        assert_eq!(names(filled(100, 1 << 20, &[0, 1, 2, 3, 4, 5])), (Vec::new(), 0));
    }

    #[test]
    fn a_fact_comes_back_as_it_was() {
        let one = package("a", "plugin", &["axios"]);
        let mut shelf = filled(100, 1 << 20, &[]);
        shelf.put(&one);
        shelf.want(&package("a", "axios", &[]));
        assert_eq!(shelf.explain().0, [one]);
    }

    #[test]
    fn what_is_given_up_depends_on_the_place_alone() {
        for order in [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [5, 0, 6, 1, 4, 2, 3]] {
            let mut shelf = filled(6, 1 << 20, &order);
            for unit in ["a", "b", "c"] {
                shelf.want(&package(unit, "axios", &[]));
            }
            let (seen, unknown) = names(shelf);
            // `c` is given up, which a finding in it makes known.
            assert_eq!((seen.len(), unknown), (5, 1), "{order:?}");
            assert!(seen.iter().all(|p| !p.starts_with("/c")), "{seen:?}");
        }
        assert_eq!(names(filled(2, 1 << 20, &[0, 1, 2, 3, 4, 5])), (Vec::new(), 0));
    }

    #[test]
    fn texts_have_a_bound() {
        let mut shelf = filled(100, 600, &[0, 1, 2, 3, 4]);
        shelf.want(&package("a", "axios", &[]));
        assert_eq!(names(shelf).1, 1);
    }

    #[test]
    fn known_names_and_other_facts_stay_facts() {
        let mut interest = Interest::default();
        interest.packages.insert(Ecosystem::Npm, "axios");
        assert!(takes(&package("a", "plugin", &[]), &interest));
        assert!(!takes(&package("a", "axios", &[]), &interest));
        let mut layer = package("a", "plugin", &[]);
        layer.origin.layer = Some("sha256:0".into());
        assert!(!takes(&layer, &interest));
        let hook = Seen { fact: Fact::Requested, ..package("a", "plugin", &[]) };
        assert!(!takes(&hook, &interest));
    }
}
