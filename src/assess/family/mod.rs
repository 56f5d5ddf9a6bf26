//! The rules by which one ecosystem loads, runs, depends and is removed: a file or a folder each, behind one trait, in one slice. What
//! asks them (`evidence`, `anomaly`, `around` …) knows no ecosystem.

pub mod node;
pub mod python;

use super::{Case, Finding, around::Neighbours, evidence::Draft, rule::Rule, site::Sites};
use crate::{
    ecosystem::marker::Machine,
    fact::{Ecosystem, Package, Placement, Seen, TreePath, Unit},
    ioc::model::PackageIndicator,
    verdict::Confidence,
};

/// What a malicious version is worth where code is loaded from, or was.
pub struct Standing {
    /// By which rule.
    pub rule: Rule,
    /// How sure.
    pub confidence: Confidence,
    /// Why, and when its code runs.
    pub reason: String,
    /// What is presumed of whether it ran.
    pub sign: Option<String>,
    /// Its code runs without anybody using the package.
    pub by_itself: bool,
    /// It stands there, so that its unit, chain and account are known.
    pub settled: bool,
}

impl Standing {
    /// The malicious version stands where code is loaded from, and no more is known.
    fn loadable(reason: String, by_itself: bool) -> Self {
        let (rule, confidence) = (Rule::PackageLoadable, Confidence::Confirmed);
        Self { rule, confidence, reason, sign: None, by_itself, settled: true }
    }
}

/// How its code is taken out without running it, in words.
pub struct Removal {
    /// What is started nowhere on the machine before that.
    pub start_nothing: &'static str,
    /// Why it is taken out, where its code runs by itself.
    pub runs_by_itself: &'static str,
    /// The same, where it runs when it is used.
    pub runs_on_use: &'static str,
    /// What is not used for it.
    pub by_hand: &'static str,
}

/// One ecosystem.
pub trait Family: Sync {
    /// Which.
    fn ecosystem(&self) -> Ecosystem;

    /// What a malicious version is worth that stands where code is loaded from.
    fn loadable(&self, draft: &Draft<'_, '_>, package: &Package, indicator: &PackageIndicator) -> Standing;

    /// What its leftovers show, in words: `when` is when its code runs.
    fn left_over(&self, _seen: &Seen, when: &str) -> String {
        format!("left behind when the malicious version was removed; {when}")
    }

    /// By which rule it counts that a file of this surface lists a version, where that is another one than that it names it.
    fn listed(&self, _seen: &Seen) -> Option<Rule> {
        None
    }

    /// What the place of a unit says of the interpreter and the system that use it.
    fn machine(&self, _unit: &Unit) -> Machine {
        Machine::default()
    }

    /// Adds and lifts findings for signs that something which stood there also ran.
    fn look_for_signs(&self, _case: &Case<'_>, _sites: &Neighbours<'_>, _findings: &mut Vec<Finding>) {}

    /// Takes out findings that say nothing because of what else was found, or was not.
    fn sort_out(&self, _findings: &mut Vec<Finding>) {}

    /// How it is taken out.
    fn removal(&self) -> &'static Removal;

    /// The files and folders that a package is, by the file that describes it; `None` where its own list says it.
    fn holdings(&self, _seen: &Seen) -> Option<Vec<TreePath>> {
        None
    }

    /// What is odd about a fact that fits no indicator.
    fn odd(&self, _sites: &Sites, _seen: &Seen) -> Option<String> {
        None
    }
}

/// All of them.
pub static FAMILIES: &[&dyn Family] = &[&python::Python, &node::Node, &Plain];

/// The family of an ecosystem; what has no rules of its own is read by the plain ones.
pub fn of(ecosystem: Ecosystem) -> &'static dyn Family {
    FAMILIES.iter().copied().find(|f| f.ecosystem() == ecosystem).unwrap_or(&Plain)
}

/// An ecosystem without rules of its own.
struct Plain;

impl Family for Plain {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Generic
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let reason = format!("malicious version, where it is loaded; {runs}");
        Standing::loadable(reason, by_itself)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: "start no program that could load it",
            runs_by_itself: "it runs without anybody using it",
            runs_on_use: "it runs when it is used",
            by_hand: "stop the services and jobs that use it; use no package manager for this: one may run its code",
        }
    }
}
