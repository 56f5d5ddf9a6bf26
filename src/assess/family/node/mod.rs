//! Node: a package is loaded from the `node_modules` of a project, or of a prefix for what is installed globally; install scripts run
//! while it is put there, unless the tool was run with an option against it.

mod chains;
mod recorded;
mod relinked;
mod scripts;
#[cfg(test)]
mod tests;
mod tools;
mod typed;

use self::scripts::Scripts;
use super::{
    super::{Case, Finding, FindingKind, evidence::Draft, unit_view::UnitCache},
    Family, Removal, Standing, Words,
};
use crate::{
    ecosystem::{npm::GLOBAL, store_entry},
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::{Moment, PackageIndicator, Trigger},
    text::escape,
    verdict::Exposure,
};

/// What is said where no other evidence shows whether the script ran.
const PRESUMED: &str =
    "it stands where installers put it once its scripts have run, and nothing says that they were blocked";

/// npm's packages, whatever installs them.
pub struct Node;

impl Family for Node {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    fn is_of_one_program(&self, finding: &Finding) -> bool {
        // `npx`, `pnpm dlx`
        finding.origin.path.components().any(|c| matches!(c, b"_npx" | b"dlx"))
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let reason = format!("malicious version, {}; {runs}", loads(draft));
        Standing::loadable(reason, by_itself).or_at_install(indicator, runs_at_install, PRESUMED)
    }

    fn left_over(&self, _: &Seen, when: &str) -> String {
        format!("left behind when the malicious version was taken out; {when}")
    }

    fn look_for_signs(&self, case: &Case<'_>, _: &UnitCache<'_>, findings: &mut Vec<Finding>) {
        recorded::weigh(case, findings);
        relinked::look_for_copies(case, findings);
        let scripts = Scripts::new(case);
        let here = |f: &&mut Finding| {
            f.ecosystem == Some(Ecosystem::Npm) && f.kind == FindingKind::Package && f.exposure >= Exposure::Installed
        };
        findings.iter_mut().filter(here).for_each(|finding| scripts.weigh(finding));
        chains::link(case, findings);
        // What stands there now is not what a log reports.
        let of_log = |f: &&mut Finding| f.kind == FindingKind::Package && recorded::is_log(&f.origin.path);
        findings.iter_mut().filter(of_log).for_each(|f| f.holdings = Some(Vec::new()));
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some(
                "start no Node and no tool written in it on this machine: no npm, npx, pnpm, yarn or bun; open none of its \
                            projects in an editor, which starts its own",
            ),
            programs: Some("Node, npm, pnpm, yarn, bun or an editor"),
            uninstaller: Some("npm uninstall"),
            runs_by_itself: "its script has run, and runs again with each install; whatever requires it runs its code",
            runs_on_use: "it runs as soon as something requires it",
            by_hand: "stop the services and jobs that use it; use no npm, pnpm, yarn or bun for this (an uninstall may run scripts, and \
                      may fetch it again), and start nothing there until it is made anew",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "Node",
            at_start: "it runs at every start of a Node whose settings load it",
            at_start_beside: "it runs at every start of a Node whose settings load it",
            list: "its own list of files",
        }
    }

    fn publishes_with(&self) -> &'static [&'static str] {
        &["npm"]
    }

    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let installed = seen.unit.as_ref().is_some_and(|u| path.is_within(&u.folder)) && path.name() == b"package.json";
        if installed {
            return Some(vec![path.parent()]);
        }
        // A store's entry goes as a whole; of npm's cache the bytes lie apart from what says of what they are.
        let own = store_entry(path).unwrap_or_else(|| path.clone());
        Some(std::iter::once(own).chain(blob_of(seen)).collect())
    }
}

/// The bytes of an entry of npm's cache: `_cacache/content-v2/sha512/aa/bb/<124 hex>` of `_cacache/index-v5/aa/bb/<60 hex>`.
fn blob_of(seen: &Seen) -> Option<TreePath> {
    let Fact::Package(package) = &seen.fact else {
        return None;
    };
    let index = seen.origin.path.parent().parent().parent();
    let (algorithm, hex) = package.artifacts.iter().find_map(|a| a.digest.as_deref()?.split_once(':'))?;
    let (first, rest) = hex.split_at_checked(2)?;
    let (second, rest) = rest.split_at_checked(2)?;
    let blob = format!("content-v2/{algorithm}/{first}/{second}/{rest}");
    (index.name() == b"index-v5").then(|| index.parent().resolve(blob.as_bytes())).flatten()
}

/// Whether an installer runs a script of the package itself. `prepare` is run of what comes from git, not of what comes from a registry;
/// what a package brings in is a finding of its own.
fn runs_at_install(trigger: Trigger) -> bool {
    trigger.moment() == Moment::AtInstall && !matches!(trigger, Trigger::Prepare | Trigger::DependencyInstall)
}

/// In words.
fn loads(draft: &Draft<'_, '_>) -> String {
    match &draft.seen().unit {
        Some(unit) if unit.kind == GLOBAL => "among the global packages of Node".to_owned(),
        Some(unit) => format!("where Node loads it for what runs in `/{}`", escape(unit.root.as_bytes())),
        None => "where Node loads it".to_owned(),
    }
}
