//! The rules by which one ecosystem loads, runs, depends and is removed: a file or a folder each, behind one trait, in one slice. What
//! asks them (`evidence`, `anomaly`, `unit_view` …) knows no ecosystem.

pub mod browser;
pub mod cargo;
pub mod composer;
pub mod dart;
pub mod extension;
pub mod golang;
pub mod hex;
pub mod homebrew;
pub mod maven;
pub mod node;
pub mod nuget;
pub mod python;
pub mod ruby;
pub mod system;

use super::{
    Case, Finding,
    evidence::Draft,
    rule::Rule,
    unit_view::UnitCache,
    units::{Distribution, Units},
};
use crate::{
    ecosystem::marker::Machine,
    fact::{At, Ecosystem, EnvironmentKind, Package, Placement, Seen, TreePath, Unit},
    ioc::model::{Incident, Moment, PackageIndicator, Trigger},
    verdict::Confidence,
};
pub use python::{
    hook::{Hooks, Missing, Unread},
    project::Project,
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
    pub in_place: bool,
}

impl Standing {
    /// The malicious version stands where code is loaded from, and no more is known.
    fn loadable(reason: String, by_itself: bool) -> Self {
        let (rule, confidence) = (Rule::PackageLoadable, Confidence::Confirmed);
        Self { rule, confidence, reason, sign: None, by_itself, in_place: true }
    }

    /// What has a trigger that runs while it is installed has run, it is presumed, since it is installed: `sign` says why.
    fn or_at_install(self, indicator: &PackageIndicator, runs: fn(Trigger) -> bool, sign: &str) -> Self {
        match indicator.triggers.iter().any(|t| runs(*t)) {
            true => Self {
                rule: Rule::InstallScriptPresumed,
                confidence: Confidence::Likely,
                sign: Some(sign.to_owned()),
                ..self
            },
            false => self,
        }
    }
}

/// Whether a trigger is one of an install.
fn at_install(trigger: Trigger) -> bool {
    trigger.moment() == Moment::AtInstall
}

/// How its code is taken out without running it, in words.
pub struct Removal {
    /// What is started nowhere on the machine before that, where something starts its code by itself.
    pub start_nothing: Option<&'static str>,
    /// The programs of it, for a list of what is not started.
    pub programs: Option<&'static str>,
    /// What takes a package out and runs its code on the way.
    pub uninstaller: Option<&'static str>,
    /// Why it is taken out, where its code runs by itself.
    pub runs_by_itself: &'static str,
    /// The same, where it runs when it is used.
    pub runs_on_use: &'static str,
    /// What is not used for it.
    pub by_hand: &'static str,
    /// Where else its code lies, where it was in an archive that runs as a program.
    pub unpacked: Option<&'static str>,
}

/// What loads its code, and when, in words.
pub struct Words {
    /// `Python`.
    pub interpreter: &'static str,
    /// When start-up code runs.
    pub at_start: &'static str,
    /// The same, beside packages that only a setting puts on a path.
    pub at_start_beside: &'static str,
    /// The list of files that a package brings.
    pub list: &'static str,
}

/// One ecosystem.
pub trait Family: Sync {
    /// Which.
    fn ecosystem(&self) -> Ecosystem;

    /// Whether packages of this ecosystem are its own too.
    fn is_of(&self, ecosystem: Ecosystem) -> bool {
        ecosystem == self.ecosystem()
    }

    /// What a malicious version is worth that stands where code is loaded from.
    fn loadable(&self, draft: &Draft<'_, '_>, package: &Package, indicator: &PackageIndicator) -> Standing;

    /// What its leftovers show, in words: `when` is when its code runs.
    fn left_over(&self, _seen: &Seen, when: &str) -> String {
        format!("left behind when the malicious version was removed; {when}")
    }

    /// What is said of a stored version, where more is known than that it did not run from there.
    fn stored(&self, _seen: &Seen) -> Option<&'static str> {
        None
    }

    /// By which rule it counts that a file of this surface lists a version, where that is another one than that it names it.
    fn listed(&self, _seen: &Seen) -> Option<Rule> {
        None
    }

    /// What the place of a unit says of the interpreter and the system that use it.
    fn machine(&self, _unit: &Unit) -> Machine {
        Machine::default()
    }

    /// Whether it stands where a tool keeps what one program alone needs: a program that settings start by name is that one.
    fn is_of_one_program(&self, _finding: &Finding) -> bool {
        false
    }

    /// Adds and lifts findings for signs that something which stood there also ran.
    fn look_for_signs(&self, _case: &Case<'_>, _units: &UnitCache<'_>, _findings: &mut Vec<Finding>) {}

    /// Takes out findings that say nothing because of what else was found, or was not.
    fn sort_out(&self, _findings: &mut Vec<Finding>) {}

    /// How it is taken out.
    fn removal(&self) -> &'static Removal;

    /// What is said of how it loads.
    fn words(&self) -> &'static Words {
        &WORDS
    }

    /// Programs that speak to its registry: their commands belong on a clean machine.
    fn publishes_with(&self) -> &'static [&'static str] {
        &[]
    }

    /// The files and folders that a package is, by the file that describes it; `None` where its own list says it.
    fn holdings(&self, _seen: &Seen) -> Option<Vec<TreePath>> {
        None
    }

    /// Gives findings the files and folders that they are, where lists of other files say it.
    fn find_holdings(&self, _case: &Case<'_>, _units: &Units, _findings: &mut [Finding]) {}

    /// Whether what a project asks for is said of the environments in its folder; else the family's own chains know it.
    fn asks_by_folder(&self) -> bool {
        false
    }

    /// The folder that describes a package, where this is a file in it.
    fn described_in(&self, _file: &TreePath) -> Option<TreePath> {
        None
    }

    /// The same of a member of an archive.
    fn described_by<'i>(&self, member: &'i str) -> &'i str {
        member
    }

    /// What alone says the name of a package whose description does not, in words.
    fn witness(&self, _file: &TreePath, _member: Option<&str>) -> Option<&'static str> {
        None
    }

    /// When a package was installed, where the file that describes it is written then.
    fn recorded_at(&self, _seen: &Seen) -> Option<At> {
        None
    }

    /// Dates installs by what else stands in their environment.
    fn date_installs(&self, _units: &mut Units) {}

    /// Whether a package has a time of its own: others beside it may share its folder.
    fn has_own_time(&self, _package: &Distribution) -> bool {
        false
    }

    /// Whether an installer says of everything that the user asked for it.
    fn marks_everything(&self, _installer: &str) -> bool {
        false
    }

    /// Why an environment of this kind was certainly started once it was made, in words.
    fn made_to_run(&self, _kind: &EnvironmentKind) -> Option<&'static str> {
        None
    }

    /// Whether an installer is a program of the interpreter whose packages it changes: a removal starts that too.
    fn runs_inside(&self, _installer: &str) -> bool {
        false
    }

    /// What a start names where it loads the code of this finding, which runs when it is used; empty where that is not known.
    fn named_by_starts(&self, _incident: &Incident, _finding: &Finding) -> Vec<String> {
        Vec::new()
    }

    /// Whether code is loaded from a folder because of where it stands.
    fn is_load_folder(&self, _folder: &TreePath) -> bool {
        false
    }

    /// What is odd about a fact that fits no indicator.
    fn odd(&self, _units: &Units, _seen: &Seen) -> Option<String> {
        None
    }
}

/// Where nothing better is known.
static WORDS: Words = Words {
    interpreter: "what loads it",
    at_start: "it runs whenever what loads it starts",
    at_start_beside: "it runs whenever something starts that has this folder on its path",
    list: "its own list of files",
};

/// All of them.
pub static FAMILIES: &[&dyn Family] = &[
    &python::Python,
    &node::Node,
    &ruby::Ruby,
    &cargo::Cargo,
    &golang::Go,
    &composer::Composer,
    &maven::Maven,
    &nuget::Nuget,
    &hex::Hex,
    &dart::Dart,
    &homebrew::Homebrew,
    &extension::Extension,
    &browser::Browser,
    &system::PACMAN,
    &system::DPKG,
    &system::RPM,
    &system::APK,
    &Plain,
];

/// The family of an ecosystem; what has no rules of its own is read by the plain ones.
pub fn for_ecosystem(ecosystem: Ecosystem) -> &'static dyn Family {
    FAMILIES.iter().copied().find(|f| f.is_of(ecosystem)).unwrap_or(&Plain)
}

/// Whether a program speaks to the registry of some family.
pub fn publishes(program: &str) -> bool {
    FAMILIES.iter().any(|family| family.publishes_with().contains(&program))
}

/// The folder that describes a package, where a file is one of those in it.
pub fn described_in(file: &TreePath) -> Option<TreePath> {
    FAMILIES.iter().find_map(|family| family.described_in(file))
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
            start_nothing: None,
            programs: None,
            uninstaller: None,
            runs_by_itself: "it runs without anybody using it",
            runs_on_use: "it runs when it is used",
            by_hand: "stop the services and jobs that use it; use no package manager for this: one may run its code",
            unpacked: None,
        }
    }
}
