//! What a finding is judged by: the distributions of its environment, put together once for all findings of one unit's folder. An
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
    units::{Distribution, Folder, Units},
};
use crate::{
    ecosystem::marker::Machine,
    fact::{At, Requirement, TreePath, Unit},
};

/// The environment of one unit.
pub struct UnitView<'u> {
    /// Every distribution of it.
    pub distributions: Vec<&'u Distribution>,
    asked: &'u [Requirement],
    machine: Machine,
    by_folder: HashMap<&'u TreePath, &'u Distribution>,
    /// What was installed, by time, with what installed it.
    by_time: Vec<(&'u At, &'u str, &'u str, &'u TreePath)>,
    chains: RefCell<BTreeMap<String, Vec<Link>>>,
}

impl<'u> UnitView<'u> {
    fn new(units: &'u Units, tree: &Arc<str>, unit: &Unit) -> Self {
        let (distributions, asked) = units.environment_contents(tree, unit);
        let mut by_folder = HashMap::new();
        for d in &distributions {
            by_folder.entry(&d.folder).or_insert(*d);
        }
        let dated =
            |d: &&'u Distribution| Some((d.installed.as_ref()?, &*d.package.name, d.installer.as_deref()?, &d.folder));
        let mut by_time: Vec<_> = distributions.iter().filter_map(dated).collect();
        by_time.sort_unstable();
        Self {
            distributions,
            asked,
            machine: family::for_ecosystem(unit.ecosystem).machine(unit),
            by_folder,
            by_time,
            chains: RefCell::default(),
        }
    }

    /// The distribution whose metadata this folder holds.
    pub fn of_folder(&self, folder: &TreePath) -> Option<&'u Distribution> {
        self.by_folder.get(folder).copied()
    }

    /// What one installer put there after a time, in its order, and the folder that describes it.
    pub fn installed_after(&self, there: Timestamp, by: &str) -> impl Iterator<Item = (&'u At, &'u str, &'u TreePath)> {
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

/// All units, and the view of the last that was asked for: findings come in the order of their places.
pub struct UnitCache<'u> {
    units: &'u Units,
    last: RefCell<Option<(Folder, Rc<UnitView<'u>>)>>,
}

impl<'u> UnitCache<'u> {
    /// Of these units.
    pub fn new(units: &'u Units) -> Self {
        Self { units, last: RefCell::default() }
    }

    /// The view of a unit. Findings of one folder share it.
    pub fn view(&self, tree: &Arc<str>, unit: &Unit) -> Rc<UnitView<'u>> {
        let mut last = self.last.borrow_mut();
        if let Some(((of_tree, of_folder), view)) = last.as_ref()
            && of_tree == tree
            && *of_folder == unit.folder
        {
            return view.clone();
        }
        let view = Rc::new(UnitView::new(self.units, tree, unit));
        *last = Some(((tree.clone(), unit.folder.clone()), view.clone()));
        view
    }
}

impl Deref for UnitCache<'_> {
    type Target = Units;

    fn deref(&self) -> &Units {
        self.units
    }
}
