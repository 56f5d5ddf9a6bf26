//! Facts joined by folder: what stands in one site folder, and which environment it belongs to.

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

/// What stands in one site folder.
#[derive(Debug, Default)]
pub struct Site {
    /// By name.
    pub distributions: Vec<Distribution>,
    /// Files that some `RECORD` lists, with the SHA-256 it gives.
    pub owned: BTreeMap<TreePath, Option<String>>,
    unit: Option<Arc<Unit>>,
}

/// An environment: a prefix and the site folders below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its folder.
    pub prefix: TreePath,
    /// What made it.
    pub kind: EnvironmentKind,
}

/// All site folders and environments of an examination.
#[derive(Debug, Default)]
pub struct Sites {
    pub(super) sites: BTreeMap<Folder, Site>,
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

impl Sites {
    /// Joins the facts.
    pub fn new(evidence: &[Evidence], on_path: OnPath) -> Self {
        let mut sites = Self { on_path, ..Self::default() };
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
                    let record = family::of(p.ecosystem).recorded_at(seen);
                    let site = sites.sites.entry((tree, folder)).or_default();
                    site.unit = seen.unit.clone();
                    site.distributions.push(Distribution {
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
                Fact::Bytecode { .. } => sites.bytecode.entry((tree, folder_of(seen))).or_default().push(at),
                Fact::Process { .. } | Fact::Executable { .. } | Fact::Loaded { .. } | Fact::SearchPath { .. } => {
                    sites.processes.push(at);
                }
                Fact::Owned { file, sha256 } => {
                    let site = sites.sites.entry((tree, folder_of(seen))).or_default();
                    site.unit = seen.unit.clone();
                    site.owned.insert(file.clone(), sha256.clone());
                }
                Fact::Installer { name } => {
                    installers.insert((tree, seen.origin.path.parent()), (name.clone(), seen.at.clone()));
                }
                Fact::Requested => {
                    requested.insert((tree, seen.origin.path.parent()));
                }
                Fact::Environment { prefix, kind, asked } => sites.environment(tree, prefix, kind, asked),
                Fact::Project { ecosystem, asked } if family::of(*ecosystem).asks_by_folder() => {
                    projects.push((&seen.origin.tree, Project::new(seen.origin.path.parent()), asked));
                }
                _ => {}
            }
        }
        // What no description says, by its name.
        for (key, unit, found) in named {
            let site = sites.sites.entry(key).or_default();
            site.unit = site.unit.take().or(unit);
            if !site.distributions.iter().any(|d| d.folder == found.folder && d.package.name == found.package.name) {
                site.distributions.push(found);
            }
        }
        for ((tree, _), site) in &mut sites.sites {
            for d in &mut site.distributions {
                let key = (tree.clone(), d.folder.clone());
                d.requested = requested.contains(&key);
                if let Some(more) = required.get(&key) {
                    let known = d.package.requires.iter();
                    let new = more.iter().filter(|r| !d.package.requires.contains(r));
                    d.package.requires = known.chain(new).cloned().collect();
                }
                if let Some((name, at)) = installers.remove(&key) {
                    d.marked_with_all = family::of(d.package.ecosystem).marks_everything(&name);
                    d.installer = Some(name);
                    d.installed = at;
                }
            }
            site.distributions.sort_by(|a, b| a.package.name.cmp(&b.package.name));
        }
        for ((tree, folder), site) in &sites.sites {
            let linked = sites.on_path.link(tree, folder).map(|link| &link.from);
            if let Some(unit) = linked.or(site.unit.as_ref()).filter(|u| u.is_part()) {
                sites.below.entry((tree.clone(), unit.root.clone())).or_default().push(folder.clone());
            }
        }
        FAMILIES.iter().for_each(|family| family.date_installs(&mut sites));
        for ((tree, prefix), (_, asked)) in &mut sites.environments {
            let own = projects.iter().filter(|(t, project, _)| *t == tree && project.has(prefix));
            own.for_each(|(.., more)| asked.extend_from_slice(more));
        }
        sites
    }

    /// A receipt of a tool says more than the `pyvenv.cfg` beside it.
    fn environment(&mut self, tree: Arc<str>, prefix: &TreePath, kind: &EnvironmentKind, asked: &[Requirement]) {
        let known = self.environments.entry((tree, prefix.clone())).or_insert_with(|| (kind.clone(), Vec::new()));
        if known.0 == EnvironmentKind::VENV {
            known.0 = kind.clone();
        }
        known.1.extend_from_slice(asked);
    }

    /// One site folder.
    pub fn site(&self, tree: &Arc<str>, folder: &TreePath) -> Option<&Site> {
        self.sites.get(&(tree.clone(), folder.clone()))
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
    pub fn environment_of(&self, tree: &Arc<str>, unit: &Unit) -> Environment {
        let unit = self.on_path.link(tree, &unit.folder).map_or(unit, |link| &*link.from);
        let known = self.environments.get(&(tree.clone(), unit.root.clone())).filter(|_| unit.is_part());
        Environment { prefix: unit.root.clone(), kind: known.map_or(&unit.kind, |(kind, _)| kind).clone() }
    }

    /// Every distribution of the environment that a unit belongs to, with what its user asked for.
    pub fn around(&self, tree: &Arc<str>, unit: &Unit) -> (Vec<&Distribution>, &[Requirement]) {
        let site = &unit.folder;
        let environment = self.environment_of(tree, unit);
        let key = (tree.clone(), environment.prefix);
        let below = self.below.get(&key).map_or(&[][..], Vec::as_slice);
        // A site folder that is no part of a prefix stands for itself.
        let alone = (!below.contains(site)).then_some(site);
        let here = below.iter().chain(alone).filter_map(|folder| self.site(tree, folder));
        let distributions = here.flat_map(|s| &s.distributions).collect();
        let asked = self.environments.get(&key);
        (distributions, asked.map_or(&[], |(_, asked)| asked.as_slice()))
    }
}
