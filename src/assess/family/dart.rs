//! Dart and Flutter: a package is fetched into a store of the user, and built from there into the program that uses it.

use super::{super::evidence::Draft, Family, Removal, Standing};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
};

/// Packages of pub.
pub struct Dart;

impl Family for Dart {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pub
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        Standing::loadable(format!("malicious version, where Dart loads it; {runs}"), by_itself)
    }

    fn stored(&self, _: &Seen) -> Option<&'static str> {
        Some("the malicious version is stored here, from where builds of projects that use it load it")
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some("build no project that uses it: a build may run its code"),
            programs: Some("dart, flutter, or a program that holds it"),
            uninstaller: None,
            runs_by_itself: "it runs without anybody using it",
            runs_on_use: "it runs as soon as a program runs that it was built into",
            by_hand: "stop what uses it; build again, without it, every program that was built with it",
            unpacked: None,
        }
    }

    fn publishes_with(&self) -> &'static [&'static str] {
        &["dart", "flutter"]
    }

    /// The folder that its description stands in.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        (package.placement != Placement::Listed).then(|| vec![seen.origin.path.parent()])
    }
}
