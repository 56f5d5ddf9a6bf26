//! Rust: a crate is compiled into the program that uses it. Its build script and its procedural macros run while something is built that
//! needs it; the rest of its code, when that program runs.

use std::{collections::HashMap, sync::Arc};

use super::{
    super::{Case, Finding, FindingKind, evidence::Draft, rule::Rule, unit_view::UnitCache},
    Family, Removal, Standing, Words, at_install,
};
use crate::{
    ecosystem::{
        cargo::{HOME, PROGRAM, TARGET, VENDOR, profile_of, unpacked},
        purl::Purl,
    },
    fact::{Ecosystem, Fact, Package, Placement, ScriptOutcome, Seen, TreePath},
    ioc::model::{Moment, PackageIndicator},
    text::escape,
    verdict::Confidence,
};

/// What is said where nothing but a receipt shows that a crate was built.
const PRESUMED: &str = "cargo builds what it installs, and the code of the crate runs while it is built";

/// The folder of a profile with what says that a build script ran there.
type Ran<'s> = (&'s TreePath, &'s Seen);

/// Crates, whatever builds them.
pub struct Cargo;

impl Family for Cargo {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Cargo
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let unit = draft.seen().unit.as_deref();
        let root = unit.map(|u| format!("`/{}`", escape(u.root.as_bytes()))).unwrap_or_default();
        if unit.is_some_and(|u| u.kind == HOME) {
            let reason = format!("malicious version, in a program that cargo installed into {root}; {runs}");
            return Standing::loadable(reason, by_itself).or_at_install(indicator, at_install, PRESUMED);
        }
        if unit.is_some_and(|u| u.kind == PROGRAM) {
            return Standing::loadable(format!("malicious version, which this program was built with; {runs}"), false);
        }
        let whose = if unit.is_some_and(|u| u.kind == VENDOR) { format!(" of {root}") } else { String::new() };
        Standing::loadable(
            format!("malicious version, among the vendored crates{whose}, which each build takes; {runs}"),
            false,
        )
    }

    /// What cargo writes when it runs a build script shows that it ran, to its end or not. It says no version: what was compiled in the
    /// same folder does, and of a vendored crate there is one.
    fn look_for_signs(&self, case: &Case<'_>, _: &UnitCache<'_>, findings: &mut Vec<Finding>) {
        let mut ran: HashMap<(&Arc<str>, &str), Vec<Ran<'_>>> = HashMap::new();
        for seen in case.evidence.iter().map(|e| &e.seen) {
            if let Fact::InstallScript { name, folder: Some(folder), outcome, .. } = &seen.fact
                && matches!(outcome, ScriptOutcome::Started | ScriptOutcome::Succeeded)
                && seen.unit.as_ref().is_some_and(|u| u.ecosystem == Ecosystem::Cargo)
            {
                ran.entry((&seen.origin.tree, name)).or_default().push((folder, seen));
            }
        }
        let of_crate = |f: &&mut Finding| f.kind == FindingKind::Package && f.moment == Some(Moment::AtInstall);
        for finding in findings.iter_mut().filter(|f| f.ecosystem == Some(Ecosystem::Cargo)).filter(of_crate) {
            let (Some(unit), Some(package)) = (&finding.unit, finding.package.as_deref().and_then(Purl::parse)) else {
                continue;
            };
            let Some(folders) = ran.get(&(&finding.origin.tree, &*package.name)) else {
                continue;
            };
            // What ended says more than what was started.
            let found = |here: &dyn Fn(&TreePath) -> bool| {
                let mut all = folders.iter().filter(|(folder, _)| here(folder));
                all.clone().find(|(_, seen)| ended(seen)).or_else(|| all.next())
            };
            let (found, sure) = match &unit.kind {
                kind if *kind == TARGET => {
                    let profile = profile_of(&finding.origin.path);
                    (found(&|folder| Some(folder) == profile.as_ref()), Confidence::Confirmed)
                }
                kind if *kind == VENDOR => (found(&|folder| folder.is_within(&unit.root)), Confidence::Likely),
                _ => continue,
            };
            if let Some((_, seen)) = found {
                let why =
                    format!("`{}` says that its build script was run", escape(seen.origin.path.text().as_bytes()));
                finding.ran(Rule::InstallScriptRan, sure, why);
            }
        }
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some(
                "build nothing in Rust on this machine: no cargo, no rustc, and no editor with rust-analyzer, which builds by itself",
            ),
            programs: Some("cargo, rust-analyzer or anything that builds Rust"),
            uninstaller: None,
            runs_by_itself: "its code runs while something is built that needs it, and every build takes it again",
            runs_on_use: "it runs as soon as a program runs that it was built into",
            by_hand: "close the editor: rust-analyzer runs build scripts when a folder is opened; stop the services and jobs that run or \
                      build the program; remove every program that was built with it",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "cargo",
            at_start: "it runs whenever something is built that needs it",
            at_start_beside: "it runs whenever something is built that needs it",
            list: "its own list of files",
        }
    }

    fn publishes_with(&self) -> &'static [&'static str] {
        &["cargo"]
    }

    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        let unit = seen.unit.as_deref();
        match (package.placement, unit) {
            (Placement::Listed, _) => None,
            // What was compiled is in everything that was linked with it.
            (Placement::Built, Some(unit)) if unit.kind == TARGET => Some(vec![unit.folder.clone()]),
            // The receipt is of all programs.
            (Placement::Loadable, Some(unit)) if unit.kind == HOME => {
                let programs = package.artifacts.iter().filter_map(|a| a.name.as_deref());
                Some(programs.map(|name| unit.folder.join(b"bin").join(name.as_bytes())).collect())
            }
            (Placement::Loadable, Some(unit)) if unit.kind == PROGRAM => Some(vec![path.clone()]),
            (Placement::Loadable, _) => Some(vec![path.parent()]),
            _ if path.name() == b"Cargo.toml" => Some(vec![path.parent()]),
            _ => Some(vec![unpacked(path).map_or_else(|| path.clone(), |(folder, ..)| folder)]),
        }
    }
}

/// Whether a build script ran to its end.
fn ended(seen: &Seen) -> bool {
    matches!(&seen.fact, Fact::InstallScript { outcome: ScriptOutcome::Succeeded, .. })
}
