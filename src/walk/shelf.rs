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

use super::{
    explained::is_below,
    numbered::{Id, Numbered},
};
use crate::{
    ecosystem::{only_lead, package_around},
    fact::{At, Ecosystem, Fact, Origin, Package, Placement, Requirement, Seen, TreePath, Unit},
    interest::Interest,
};

/// Packages of one tree: forty bytes each.
const PACKAGES: usize = 2_000_000;
/// Bytes of different names, versions, paths and lists of requirements.
const TEXTS: usize = 64 << 20;
/// What a text costs beside its bytes.
const TEXT: usize = 80;

/// A requirement: name, text, and the marker where it has one.
type Edge = (Id, Id, Option<Id>);

/// Who holds a file, by which surface it was read, and what its time is called.
type Holder = (&'static str, Option<u32>, Option<u32>, Option<u32>, Option<&'static str>);

/// Whose rows they are.
enum Owner {
    Unit(Arc<Unit>),
    Project(Ecosystem),
}

struct Row {
    /// Of its file, below the unit.
    path: Id,
    name: Id,
    version: Id,
    requires: Id,
    holder: Id,
    time: Option<Timestamp>,
}

/// The packages of one tree that fit nothing.
pub(super) struct Shelf {
    tree: Arc<str>,
    /// By the folder of the unit; of projects by their manifest.
    units: BTreeMap<TreePath, (Owner, Vec<Row>)>,
    packages: usize,
    most: usize,
    /// Units that stand here or behind are given up.
    end: Option<TreePath>,
    /// Units of which some package cannot be kept so.
    cut: BTreeSet<TreePath>,
    texts: Numbered<Arc<str>>,
    lists: Numbered<Arc<[Edge]>>,
    holders: Numbered<Holder>,
    /// Bytes of the texts and lists, and how many there may be.
    used: usize,
    texts_most: usize,
    /// Roots of units in which something fits, and the names of those packages, by the folder of the unit.
    wanted: BTreeMap<TreePath, (TreePath, BTreeSet<Box<str>>)>,
}

/// Whether a fact can be kept so: an installed package of a name that no indicator knows, which can only lead to another one, or what a
/// project asks for.
pub(super) fn admits(seen: &Seen, interest: &Interest) -> bool {
    let whole = seen.origin.inner.is_none() && seen.origin.line.is_none() && seen.origin.layer.is_none();
    let dated = seen.at.as_ref().is_none_or(|at| matches!(at.source, Cow::Borrowed(_)));
    let plain = |all: &[Requirement]| all.iter().all(|r| r.extras.is_empty() && !r.extra);
    let fits = match &seen.fact {
        Fact::Package(p) => {
            only_lead(p.ecosystem)
                && seen.unit.as_ref().is_some_and(|unit| unit.ecosystem == p.ecosystem)
                && p.placement == Placement::Loadable
                && p.artifacts.is_empty()
                && plain(&p.requires)
                && !interest.knows_package(p.ecosystem, &p.name)
        }
        Fact::Project { ecosystem, asked } => {
            let asks_for_known = || asked.iter().any(|r| interest.knows_package(*ecosystem, &r.name));
            only_lead(*ecosystem) && seen.unit.is_none() && plain(asked) && !asks_for_known()
        }
        _ => false,
    };
    whole && dated && fits
}

impl Shelf {
    /// For a tree.
    pub(super) fn new(tree: Arc<str>) -> Self {
        Self::within(tree, PACKAGES, TEXTS)
    }

    fn within(tree: Arc<str>, most: usize, texts_most: usize) -> Self {
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
            used: 0,
            texts_most,
            wanted: BTreeMap::new(),
        }
    }

    /// Keeps what `admits` lets in. A package that stands in no unit explains nothing.
    pub(super) fn put(&mut self, seen: &Seen) {
        let (place, owner) = match (&seen.unit, &seen.fact) {
            (Some(unit), _) => (unit.folder.clone(), Owner::Unit(unit.clone())),
            (None, Fact::Project { ecosystem, .. }) => (seen.origin.path.clone(), Owner::Project(*ecosystem)),
            (None, _) => return,
        };
        if self.end.as_ref().is_some_and(|end| place >= *end) {
            return;
        }
        if let Some(row) = self.row(&place, seen) {
            self.units.entry(place).or_insert_with(|| (owner, Vec::new())).1.push(row);
            self.packages += 1;
        } else {
            self.cut.insert(place);
        }
        while (self.packages > self.most || self.used > self.texts_most)
            && let Some((unit, (_, rows))) = self.units.pop_last()
        {
            self.packages -= rows.len();
            rows.iter().for_each(|row| self.release(row));
            self.end = Some(unit);
        }
    }

    /// Takes back what a row used.
    fn release(&mut self, row: &Row) {
        if let Some(list) = self.lists.release(row.requires) {
            self.used -= size_of_val(&*list) + TEXT;
            list.iter().for_each(|edge| self.release_edge(edge));
        }
        [row.path, row.name, row.version].into_iter().for_each(|id| self.release_text(id));
    }

    /// Remembers where something fits, and in which package.
    pub(super) fn want(&mut self, seen: &Seen) {
        let Some(unit) = seen.unit.as_ref().filter(|u| only_lead(u.ecosystem)) else {
            // A list explains itself, but for what the project beside it asks for.
            if matches!(&seen.fact, Fact::Package(p) if p.placement == Placement::Listed && only_lead(p.ecosystem)) {
                let folder = seen.origin.path.parent();
                self.wanted.entry(seen.origin.path.clone()).or_insert_with(|| (folder, BTreeSet::new()));
            }
            return;
        };
        let names =
            &mut self.wanted.entry(unit.folder.clone()).or_insert_with(|| (unit.root.clone(), BTreeSet::new())).1;
        match &seen.fact {
            Fact::Package(p) | Fact::Named(p) | Fact::Recorded { package: p, .. } => {
                names.insert((*p.name).into());
            }
            _ => names.extend(package_around(unit.ecosystem, &seen.origin.path)),
        }
    }

    fn row(&mut self, unit: &TreePath, seen: &Seen) -> Option<Row> {
        let (path, name, version, requires) = match &seen.fact {
            Fact::Package(p) => {
                (std::str::from_utf8(seen.origin.path.below(unit)?).ok()?, &*p.name, &*p.version, &*p.requires)
            }
            Fact::Project { asked, .. } => ("", "", "", asked.as_slice()),
            _ => return None,
        };
        let source =
            seen.at.as_ref().and_then(|at| if let Cow::Borrowed(fixed) = at.source { Some(fixed) } else { None });
        Some(Row {
            path: self.text(path),
            name: self.text(name),
            version: self.text(version),
            requires: self.list(requires),
            holder: self.holders.id((seen.surface, seen.uid, seen.gid, seen.mode, source)).0,
            time: seen.at.as_ref().map(|at| at.time),
        })
    }

    fn text(&mut self, text: &str) -> Id {
        if let Some(id) = self.texts.user(text) {
            return id;
        }
        self.used += text.len() + TEXT;
        self.texts.id(text.into()).0
    }

    /// The texts of a list have one user, the list.
    fn list(&mut self, requires: &[Requirement]) -> Id {
        let edges = requires.iter().map(|r| {
            let marker = r.marker.as_deref().map(|m| self.text(m));
            (self.text(&r.name), self.text(&r.text), marker)
        });
        let list: Arc<[Edge]> = edges.collect();
        let (id, is_new) = self.lists.id(list.clone());
        if is_new {
            self.used += size_of_val(&*list) + TEXT;
        } else {
            list.iter().for_each(|edge| self.release_edge(edge));
        }
        id
    }

    fn release_text(&mut self, id: Id) {
        self.used -= self.texts.release(id).map_or(0, |text| text.len() + TEXT);
    }

    fn release_edge(&mut self, (name, text, marker): &Edge) {
        [Some(*name), Some(*text), *marker].into_iter().flatten().for_each(|id| self.release_text(id));
    }

    /// The packages that lead to what fits something, in order, and of how many units some are not known.
    pub(super) fn explain(self) -> (Vec<Seen>, u64) {
        let given_up = |place: &TreePath| self.end.as_ref().is_some_and(|end| place >= end) || self.cut.contains(place);
        let manifest = |root: &TreePath| root.join(b"package.json");
        let unknown = self.wanted.iter().filter(|(u, (root, _))| given_up(u) || given_up(&manifest(root))).count();
        let mut seen = Vec::new();
        for (unit, (_, names)) in &self.wanted {
            let Some((Owner::Unit(unit), rows)) = self.units.get(unit) else {
                continue;
            };
            let mut found: Vec<Seen> = self.leading_to(rows, names).filter_map(|row| self.seen(unit, row)).collect();
            found.sort_by(|a, b| a.origin.cmp(&b.origin));
            seen.extend(found);
        }
        // What the projects of such a unit ask for, and those below it: members of its workspace.
        let roots: BTreeSet<TreePath> = self.wanted.values().map(|(root, _)| root.clone()).collect();
        for (manifest, (owner, rows)) in &self.units {
            if let Owner::Project(ecosystem) = owner
                && is_below(manifest, &roots)
            {
                seen.extend(rows.iter().filter_map(|row| self.project(manifest, *ecosystem, row)));
            }
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
        let mut waiting: Vec<Id> = names.iter().filter_map(|n| self.texts.known(&**n)).collect();
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
        let path = TreePath::new(&[unit.folder.as_bytes(), b"/", text(row.path)?.as_bytes()].concat())?;
        let fact = Fact::Package(Package {
            ecosystem: unit.ecosystem,
            name: text(row.name)?.clone(),
            version: text(row.version)?.clone(),
            placement: Placement::Loadable,
            requires: self.requires(row).into(),
            artifacts: Vec::new(),
        });
        self.read(path, row, Some(unit.clone()), fact)
    }

    fn project(&self, manifest: &TreePath, ecosystem: Ecosystem, row: &Row) -> Option<Seen> {
        let fact = Fact::Project { ecosystem, asked: self.requires(row) };
        self.read(manifest.clone(), row, None, fact)
    }

    fn requires(&self, row: &Row) -> Vec<Requirement> {
        let text = |id: Id| self.texts.get(id);
        let edges = self.lists.get(row.requires).into_iter().flat_map(|list| list.iter());
        let requirement = |(name, wanted, marker): &Edge| {
            let plain = Requirement::new(&**text(*name)?, &**text(*wanted)?);
            Some(Requirement { marker: marker.and_then(text).map(|m| (**m).into()), ..plain })
        };
        edges.filter_map(requirement).collect()
    }

    fn read(&self, path: TreePath, row: &Row, unit: Option<Arc<Unit>>, fact: Fact) -> Option<Seen> {
        let (surface, uid, gid, mode, source) = *self.holders.get(row.holder)?;
        let at = row.time.zip(source).map(|(time, source)| At::new(time, source));
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
            requires: requires.iter().map(|r| Requirement::new(*r, format!("{r}@^1"))).collect(),
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
    fn what_projects_ask_for_is_kept_where_it_explains_a_finding() {
        let asks = |path: &str| {
            let fact = Fact::Project {
                ecosystem: Ecosystem::Npm,
                asked: vec![Requirement::new("plugin", "plugin@^1"), Requirement::new("left", "left@1")],
            };
            let origin = Origin::file(&"host".into(), TreePath::new(path.as_bytes()).unwrap());
            Seen { origin, unit: None, fact, ..package("a", "plugin", &[]) }
        };
        let all = [asks("a/package.json"), asks("a/web/package.json"), asks("ab/package.json"), asks("b/package.json")];
        let interest = Interest::default();
        assert!(all.iter().all(|s| admits(s, &interest)));
        let mut shelf = filled(100, 1 << 20, &[0]);
        all.iter().for_each(|s| shelf.put(s));
        shelf.want(&package("a", "axios", &[]));
        let (seen, unknown) = shelf.explain();
        assert_eq!((seen[1..].to_vec(), unknown), (all[..2].to_vec(), 0));
        // The manifest was given up, its unit was not.
        let mut shelf = filled(1, 1 << 20, &[0]);
        shelf.put(&all[0]);
        shelf.want(&package("a", "axios", &[]));
        let (seen, unknown) = shelf.explain();
        assert_eq!((seen.len(), unknown), (1, 1));
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
        // One unit's texts have some 2,200 bytes, most of which the next ones share.
        for order in [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [5, 0, 6, 1, 4, 2, 3]] {
            let all = |left| {
                let mut shelf = filled(100, left, &order);
                ["a", "b", "c"].iter().for_each(|unit| shelf.want(&package(unit, "axios", &[])));
                let (seen, unknown) = names(shelf);
                (seen.len(), unknown)
            };
            assert_eq!((all(1 << 20), all(600)), ((6, 0), (0, 3)), "{order:?}");
        }
        // What was given up leaves nothing behind.
        let shelf = filled(100, 600, &[0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((shelf.used, shelf.packages, shelf.texts.len(), shelf.lists.len()), (0, 0, 0, 0));
    }

    #[test]
    fn known_names_and_other_facts_stay_facts() {
        let mut interest = Interest::default();
        interest.packages.insert(Ecosystem::Npm, "axios");
        assert!(admits(&package("a", "plugin", &[]), &interest) && !admits(&package("a", "axios", &[]), &interest));
        let mut layer = package("a", "plugin", &[]);
        layer.origin.layer = Some("sha256:0".into());
        let hook = Seen { fact: Fact::Requested, ..package("a", "plugin", &[]) };
        assert!(!admits(&layer, &interest) && !admits(&hook, &interest));
    }
}
