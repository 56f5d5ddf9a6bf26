//! Facts joined by the folder of their unit: what stands in it, and which environment it belongs to.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    Evidence,
    family::{self, FAMILIES, Project},
    on_path::OnPath,
};
use crate::fact::{At, EnvironmentKind, Fact, Package, Placement, Requirement, Seen, TreePath, Unit};

/// A folder of a tree.
pub type Folder = (Arc<str>, TreePath);

/// One installed distribution.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Name, version, requirements.
    pub package: Package,
    /// Its `.dist-info`, or whatever holds its metadata.
    pub folder: TreePath,
    /// Who installed it.
    pub installer: Option<Box<str>>,
    /// When, by `INSTALLER`.
    pub installed: Option<At>,
    /// The user asked for it by name.
    pub requested: bool,
    /// Its installer says so of everything.
    pub marked_with_all: bool,
}

/// What stands in the folder of one unit: a site folder, a `node_modules`.
#[derive(Debug, Default)]
pub struct FolderContents {
    /// By name.
    pub distributions: Vec<Distribution>,
    /// Files that some `RECORD` lists, with the SHA-256 it gives.
    pub owned: BTreeMap<TreePath, Option<String>>,
    unit: Option<Arc<Unit>>,
}

/// The environment of a unit: a prefix and the folders below it that code is loaded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitEnvironment {
    /// Its folder.
    pub prefix: TreePath,
    /// What made it.
    pub kind: EnvironmentKind,
}

/// All units and environments of an examination.
#[derive(Debug, Default)]
pub struct Units {
    pub(super) by_folder: BTreeMap<Folder, FolderContents>,
    environments: HashMap<Folder, (EnvironmentKind, Vec<Requirement>)>,
    /// The site folders of a prefix.
    pub(super) below: HashMap<Folder, Vec<TreePath>>,
    /// Positions in the evidence of the bytecode of a site folder.
    bytecode: HashMap<Folder, Vec<usize>>,
    /// Positions in the evidence of what is said of processes.
    processes: Vec<usize>,
    /// Folders outside of site folders that interpreters load.
    on_path: OnPath,
}

/// The folder that a fact's unit is loaded from; without a unit the folder of its file.
pub fn folder_of(seen: &Seen) -> TreePath {
    seen.unit.as_ref().map_or_else(|| seen.origin.path.parent(), |unit| unit.folder.clone())
}

impl Units {
    /// Joins the facts.
    pub fn new(evidence: &[Evidence], on_path: OnPath) -> Self {
        let mut units = Self { on_path, ..Self::default() };
        let mut installers: HashMap<Folder, (Box<str>, Option<At>)> = HashMap::new();
        let mut requested: BTreeSet<Folder> = BTreeSet::new();
        let mut required: BTreeMap<Folder, &Arc<[Requirement]>> = BTreeMap::new();
        let mut named: Vec<(Folder, Option<Arc<Unit>>, Distribution)> = Vec::new();
        let mut projects: Vec<(&Arc<str>, Project, &[Requirement])> = Vec::new();
        for (at, Evidence { seen, .. }) in evidence.iter().enumerate() {
            let tree = seen.origin.tree.clone();
            match &seen.fact {
                Fact::Package(p) if p.placement == Placement::Loadable => {
                    let folder = folder_of(seen);
                    let record = family::for_ecosystem(p.ecosystem).recorded_at(seen);
                    let contents = units.by_folder.entry((tree, folder)).or_default();
                    contents.unit = seen.unit.clone();
                    contents.distributions.push(Distribution {
                        package: p.clone(),
                        folder: seen.origin.path.parent(),
                        installer: None,
                        installed: record,
                        requested: false,
                        marked_with_all: false,
                    });
                }
                Fact::Named(p) if p.placement == Placement::Loadable => {
                    let folder = seen.origin.path.parent();
                    let package = p.clone();
                    let found = Distribution {
                        package,
                        folder,
                        installer: None,
                        installed: None,
                        requested: false,
                        marked_with_all: false,
                    };
                    named.push(((tree, folder_of(seen)), seen.unit.clone(), found));
                }
                Fact::Requires(requires) => {
                    required.insert((tree, seen.origin.path.parent()), requires);
                }
                Fact::Bytecode { .. } => units.bytecode.entry((tree, folder_of(seen))).or_default().push(at),
                Fact::Process { .. } | Fact::Executable { .. } | Fact::Loaded { .. } | Fact::SearchPath { .. } => {
                    units.processes.push(at);
                }
                Fact::Owned { file, sha256 } => {
                    let contents = units.by_folder.entry((tree, folder_of(seen))).or_default();
                    contents.unit = seen.unit.clone();
                    contents.owned.insert(file.clone(), sha256.clone());
                }
                Fact::Installer { name } => {
                    installers.insert((tree, seen.origin.path.parent()), (name.clone(), seen.at.clone()));
                }
                Fact::Requested => {
                    requested.insert((tree, seen.origin.path.parent()));
                }
                Fact::Environment { prefix, kind, asked } => units.add_environment(tree, prefix, kind, asked),
                Fact::Project { ecosystem, asked } if family::for_ecosystem(*ecosystem).asks_by_folder() => {
                    projects.push((&seen.origin.tree, Project::new(seen.origin.path.parent()), asked));
                }
                _ => {}
            }
        }
        // What no description says, by its name.
        for (key, unit, found) in named {
            let contents = units.by_folder.entry(key).or_default();
            contents.unit = contents.unit.take().or(unit);
            if !contents.distributions.iter().any(|d| d.folder == found.folder && d.package.name == found.package.name)
            {
                contents.distributions.push(found);
            }
        }
        for ((tree, _), contents) in &mut units.by_folder {
            for d in &mut contents.distributions {
                let key = (tree.clone(), d.folder.clone());
                d.requested = requested.contains(&key);
                if let Some(more) = required.get(&key) {
                    let known = d.package.requires.iter();
                    let new = more.iter().filter(|r| !d.package.requires.contains(r));
                    d.package.requires = known.chain(new).cloned().collect();
                }
                if let Some((name, at)) = installers.remove(&key) {
                    d.marked_with_all = family::for_ecosystem(d.package.ecosystem).marks_everything(&name);
                    d.installer = Some(name);
                    d.installed = at;
                }
            }
            contents.distributions.sort_by(|a, b| a.package.name.cmp(&b.package.name));
        }
        for ((tree, folder), contents) in &units.by_folder {
            let linked = units.on_path.link(tree, folder).map(|link| &link.from);
            if let Some(unit) = linked.or(contents.unit.as_ref()).filter(|u| u.is_part()) {
                units.below.entry((tree.clone(), unit.root.clone())).or_default().push(folder.clone());
            }
        }
        FAMILIES.iter().for_each(|family| family.date_installs(&mut units));
        for ((tree, prefix), (_, asked)) in &mut units.environments {
            let own = projects.iter().filter(|(t, project, _)| *t == tree && project.has(prefix));
            own.for_each(|(.., more)| asked.extend_from_slice(more));
        }
        units
    }

    /// A receipt of a tool says more than the `pyvenv.cfg` beside it.
    fn add_environment(&mut self, tree: Arc<str>, prefix: &TreePath, kind: &EnvironmentKind, asked: &[Requirement]) {
        let known = self.environments.entry((tree, prefix.clone())).or_insert_with(|| (kind.clone(), Vec::new()));
        if known.0 == EnvironmentKind::VENV {
            known.0 = kind.clone();
        }
        known.1.extend_from_slice(asked);
    }

    /// What stands in a unit's folder.
    pub fn in_folder(&self, tree: &Arc<str>, folder: &TreePath) -> Option<&FolderContents> {
        self.by_folder.get(&(tree.clone(), folder.clone()))
    }

    /// Positions in the evidence of the bytecode of a site folder.
    pub fn bytecode(&self, tree: &Arc<str>, folder: &TreePath) -> &[usize] {
        self.bytecode.get(&(tree.clone(), folder.clone())).map_or(&[], Vec::as_slice)
    }

    /// Positions in the evidence of what is said of processes.
    pub fn processes(&self) -> &[usize] {
        &self.processes
    }

    /// The file that makes interpreters load a folder outside of their site folders, or an egg.
    pub fn link_to(&self, tree: &Arc<str>, folder: &TreePath) -> Option<&TreePath> {
        self.on_path.link(tree, folder).map(|link| &link.file)
    }

    /// The environment that a unit belongs to.
    pub fn environment_of(&self, tree: &Arc<str>, unit: &Unit) -> UnitEnvironment {
        let unit = self.on_path.link(tree, &unit.folder).map_or(unit, |link| &*link.from);
        let known = self.environments.get(&(tree.clone(), unit.root.clone())).filter(|_| unit.is_part());
        UnitEnvironment { prefix: unit.root.clone(), kind: known.map_or(&unit.kind, |(kind, _)| kind).clone() }
    }

    /// Every distribution of the environment that a unit belongs to, with what its user asked for.
    pub fn environment_contents(&self, tree: &Arc<str>, unit: &Unit) -> (Vec<&Distribution>, &[Requirement]) {
        let folder = &unit.folder;
        let environment = self.environment_of(tree, unit);
        let key = (tree.clone(), environment.prefix);
        let below = self.below.get(&key).map_or(&[][..], Vec::as_slice);
        // A site folder that is no part of a prefix stands for itself.
        let alone = (!below.contains(folder)).then_some(folder);
        let here = below.iter().chain(alone).filter_map(|folder| self.in_folder(tree, folder));
        let distributions = here.flat_map(|s| &s.distributions).collect();
        let asked = self.environments.get(&key);
        (distributions, asked.map_or(&[], |(_, asked)| asked.as_slice()))
    }
}
