//! Java: an artifact is loaded by what is built or run with it. What Maven and Gradle fetch they keep in stores of their own.

use super::{super::evidence::Draft, Family, Removal, Standing, Words};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
};

/// Artifacts of Maven repositories.
pub struct Maven;

impl Family for Maven {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Maven
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        Standing::loadable(format!("malicious version, where Java loads it; {runs}"), by_itself)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some("build nothing with it on this machine: tests and plug-ins run its code"),
            programs: Some("Maven, Gradle, or a program that holds it"),
            uninstaller: None,
            runs_by_itself: "it runs without anybody using it",
            runs_on_use: "it runs as soon as a program runs that it was built into",
            by_hand: "stop the services and jobs that use it; build again, without it, every program that was built with it",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "Java",
            at_start: "it runs whenever a program starts that holds it",
            at_start_beside: "it runs whenever a program starts that holds it",
            list: "its own list of files",
        }
    }

    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        (package.placement != Placement::Listed).then(|| vec![seen.origin.path.clone()])
    }
}
