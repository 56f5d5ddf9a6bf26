//! What of the facts is kept, and how much. Whoever fills a disk decides how many facts there are; these bounds decide how much memory
//! they take.

use std::{collections::HashSet, sync::Arc};

use crate::fact::{Fact, Requirement, Seen};

/// What a fact is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// It is not kept.
    Nothing,
    /// It explains others: what is installed where, who asked for it, what runs.
    Context,
    /// It becomes a finding or an anomaly: a few kilobytes of the report.
    Evidence,
    /// A secret stood there.
    Credential,
}

/// Says what a fact is worth. Answers in the worker, so that what is dropped costs no memory.
pub type Keep<'k> = dyn Fn(&Seen) -> Worth + Sync + 'k;

/// How many facts of each worth are kept. Each has a bound of its own: a million planted secrets shall not crowd out the finding.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Facts, different units, and the requirements of different lists: half a kilobyte each, or less.
    pub context: u64,
    /// Three kilobytes each.
    pub evidence: u64,
    /// A kilobyte each.
    pub credentials: u64,
}

impl Bounds {
    /// Of one file. A history that an attacker filled may have millions; none of its owner's has so many that matter.
    pub const FILE: Self = Self { context: 50_000, evidence: 5_000, credentials: 5_000 };
    /// Of one tree, or of all images of one run.
    pub const TREE: Self = Self { context: 200_000, evidence: 20_000, credentials: 20_000 };
}

/// How many more facts are kept.
#[derive(Debug)]
pub struct FactBudget {
    left: Bounds,
    dropped: u64,
    /// The same release asks for the same in each environment: one copy serves all.
    requires: HashSet<Arc<[Requirement]>>,
}

impl FactBudget {
    /// A budget of so many facts.
    pub fn new(bounds: Bounds) -> Self {
        Self { left: bounds, dropped: 0, requires: HashSet::new() }
    }

    /// How many were worth keeping and did not fit.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a fact is to be kept; takes its place.
    pub fn admit(&mut self, worth: Worth, seen: &mut Seen) -> bool {
        let left = match worth {
            Worth::Nothing => return false,
            Worth::Context => &mut self.left.context,
            Worth::Evidence => &mut self.left.evidence,
            Worth::Credential => &mut self.left.credentials,
        };
        let rest = left.checked_sub(1);
        *left = rest.unwrap_or(0);
        if rest.is_none() {
            self.dropped += 1;
            return false;
        }
        match &mut seen.fact {
            Fact::Package(package) => self.share(&mut package.requires),
            Fact::Requires(requires) => self.share(requires),
            _ => {}
        }
        true
    }

    fn share(&mut self, requires: &mut Arc<[Requirement]>) {
        if let Some(known) = self.requires.get(requires) {
            *requires = known.clone();
            return;
        }
        let cost = u64::try_from(requires.len()).unwrap_or(u64::MAX);
        if let Some(rest) = self.left.context.checked_sub(cost) {
            self.left.context = rest;
            self.requires.insert(requires.clone());
        } else {
            *requires = [].into();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ecosystem, Origin, Package, Placement, TreePath};

    fn package(requires: &[&str]) -> Seen {
        let requires = requires.iter().map(|r| Requirement::new(*r, *r));
        let fact = Fact::Package(Package {
            ecosystem: Ecosystem::Pypi,
            name: "x".into(),
            version: "1".into(),
            placement: Placement::Loadable,
            requires: requires.collect(),
            artifacts: Vec::new(),
        });
        let origin = Origin::file(&"t".into(), TreePath::root());
        Seen { surface: "s", origin, at: None, uid: None, gid: None, mode: None, unit: None, fact }
    }

    fn requires(seen: &Seen) -> usize {
        let Fact::Package(package) = &seen.fact else {
            return 0;
        };
        package.requires.len()
    }

    #[test]
    fn one_kind_does_not_crowd_out_another() {
        let mut budget = FactBudget::new(Bounds { context: 2, evidence: 1, credentials: 1 });
        let mut admits = |worth| budget.admit(worth, &mut package(&[]));
        assert!(admits(Worth::Credential) && !admits(Worth::Credential) && !admits(Worth::Nothing));
        assert!(admits(Worth::Evidence) && !admits(Worth::Evidence));
        assert!(admits(Worth::Context) && admits(Worth::Context) && !admits(Worth::Context));
        assert_eq!(budget.dropped(), 3);
    }

    #[test]
    fn requirements_are_paid_for_once() {
        let mut budget = FactBudget::new(Bounds { context: 9, evidence: 2, credentials: 0 });
        let mut admits = |worth, requires: &[&str]| {
            let mut seen = package(requires);
            budget.admit(worth, &mut seen).then(|| self::requires(&seen))
        };
        assert_eq!(admits(Worth::Context, &["a", "b", "c"]), Some(3));
        assert_eq!(admits(Worth::Context, &["a", "b", "c"]), Some(3));
        assert_eq!(admits(Worth::Evidence, &["a", "b"]), Some(2));
        // A finding is kept though nothing explains it any more.
        assert_eq!(admits(Worth::Evidence, &["d", "e", "f"]), Some(0));
        assert_eq!(budget.dropped(), 1);
    }
}
