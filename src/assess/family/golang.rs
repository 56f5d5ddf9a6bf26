//! Go: a module is compiled into the program that uses it, and nothing of it runs before: not when it is fetched, nor when it is built.

use super::{
    super::{evidence::Draft, rule::Rule},
    Family, Removal, Standing, Words,
};
use crate::{
    ecosystem::golang::{PROGRAM, VENDOR, unpacked},
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
    surface::golang::go_sum,
    text::escape,
};

/// Modules of Go.
pub struct Go;

impl Family for Go {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Golang
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let unit = draft.seen().unit.as_deref();
        let reason = match unit {
            Some(unit) if unit.kind == PROGRAM => format!("malicious version, built into this program; {runs}"),
            Some(unit) if unit.kind == VENDOR => {
                let root = escape(unit.root.as_bytes());
                format!("malicious version, among the vendored modules of `/{root}`, which each build takes; {runs}")
            }
            _ => format!("malicious version, where builds take it; {runs}"),
        };
        Standing::loadable(reason, by_itself)
    }

    /// The sums of versions that are not taken any more stay.
    fn listed(&self, seen: &Seen) -> Option<Rule> {
        go_sum::reads(seen.surface).then_some(Rule::PackageInSums)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some(
                "start no program that holds the module, and test nothing that does: `go test` and `go run` run its code",
            ),
            programs: Some("a program that holds it, `go run` or `go test`"),
            uninstaller: None,
            runs_by_itself: "it runs without anybody using it",
            runs_on_use: "it runs as soon as a program runs that it was built into",
            by_hand: "stop the services and jobs that run it; remove every program that was built with it, and build them again without it; \
                      `go clean -modcache` would take the evidence with it",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "the program",
            at_start: "it runs whenever a program starts that holds it",
            at_start_beside: "it runs whenever a program starts that holds it",
            list: "its own list of files",
        }
    }

    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        match (package.placement, seen.unit.as_deref()) {
            (Placement::Listed, _) => None,
            // The list is of all modules; a replaced one stands under the name that it replaces.
            (Placement::Loadable, Some(unit)) if unit.kind == VENDOR => {
                let old = package.artifacts.iter().find_map(|a| a.name.as_deref());
                Some(vec![unit.folder.join(old.unwrap_or(&package.name).as_bytes())])
            }
            _ => Some(vec![unpacked(path).map_or_else(|| path.clone(), |(folder, ..)| folder)]),
        }
    }
}
