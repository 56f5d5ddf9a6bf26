//! What stands around a finding: the distributions of its environment, put together once for all findings of one site folder. An
//! attacker may put thousands of them into one.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    ops::Deref,
    rc::Rc,
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    chain::{self, Link},
    family,
    site::{Distribution, Folder, Sites},
};
use crate::{
    ecosystem::marker::Machine,
    fact::{At, Requirement, TreePath, Unit},
};

/// The environment of one site folder.
pub struct Around<'s> {
    /// Every distribution of it.
    pub distributions: Vec<&'s Distribution>,
    asked: &'s [Requirement],
    machine: Machine,
    by_folder: HashMap<&'s TreePath, &'s Distribution>,
    /// What was installed, by time, with what installed it.
    by_time: Vec<(&'s At, &'s str, &'s str, &'s TreePath)>,
    chains: RefCell<BTreeMap<String, Vec<Link>>>,
}

impl<'s> Around<'s> {
    fn new(sites: &'s Sites, tree: &Arc<str>, unit: &Unit) -> Self {
        let (distributions, asked) = sites.around(tree, unit);
        let mut by_folder = HashMap::new();
        for d in &distributions {
            by_folder.entry(&d.folder).or_insert(*d);
        }
        let dated =
            |d: &&'s Distribution| Some((d.installed.as_ref()?, &*d.package.name, d.installer.as_deref()?, &d.folder));
        let mut by_time: Vec<_> = distributions.iter().filter_map(dated).collect();
        by_time.sort_unstable();
        Self {
            distributions,
            asked,
            machine: family::of(unit.ecosystem).machine(unit),
            by_folder,
            by_time,
            chains: RefCell::default(),
        }
    }

    /// The distribution whose metadata this folder holds.
    pub fn of_folder(&self, folder: &TreePath) -> Option<&'s Distribution> {
        self.by_folder.get(folder).copied()
    }

    /// What one installer put there after a time, in its order, and the folder that describes it.
    pub fn installed_after(&self, there: Timestamp, by: &str) -> impl Iterator<Item = (&'s At, &'s str, &'s TreePath)> {
        let from = self.by_time.partition_point(|(at, ..)| at.time <= there);
        let later = self.by_time.get(from..).unwrap_or_default().iter();
        later.filter(move |(_, _, installer, _)| *installer == by).map(|(at, name, _, folder)| (*at, *name, *folder))
    }

    /// Why a package is there.
    pub fn chain(&self, package: &str) -> Vec<Link> {
        let mut chains = self.chains.borrow_mut();
        if let Some(known) = chains.get(package) {
            return known.clone();
        }
        let found = chain::chain(package, &self.distributions, self.asked, self.machine);
        chains.insert(package.to_owned(), found.clone());
        found
    }
}

/// All sites, and what stands around the last that was asked for: findings come in the order of their places.
pub struct Neighbours<'s> {
    sites: &'s Sites,
    last: RefCell<Option<(Folder, Rc<Around<'s>>)>>,
}

impl<'s> Neighbours<'s> {
    /// Of these sites.
    pub fn new(sites: &'s Sites) -> Self {
        Self { sites, last: RefCell::default() }
    }

    /// What stands around a unit.
    pub fn of(&self, tree: &Arc<str>, unit: &Unit) -> Rc<Around<'s>> {
        let mut last = self.last.borrow_mut();
        if let Some(((of_tree, of_site), around)) = last.as_ref()
            && of_tree == tree
            && *of_site == unit.folder
        {
            return around.clone();
        }
        let around = Rc::new(Around::new(self.sites, tree, unit));
        *last = Some(((tree.clone(), unit.folder.clone()), around.clone()));
        around
    }
}

impl Deref for Neighbours<'_> {
    type Target = Sites;

    fn deref(&self) -> &Sites {
        self.sites
    }
}
