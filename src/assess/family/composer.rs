//! PHP: a package is loaded from the `vendor` folder of a project. Composer runs no scripts of packages, but the code of plug-ins.

use super::{super::evidence::Draft, Family, Removal, Standing, Words, at_install};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
    text::escape,
};

/// What is said where nothing shows whether a plug-in was allowed to run.
const PRESUMED: &str =
    "Composer runs the code of a plug-in as soon as it is installed, unless `allow-plugins` forbids it";

/// Packages of PHP.
pub struct Composer;

impl Family for Composer {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Composer
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let project = draft.seen().unit.as_ref().map(|u| format!(" of `/{}`", escape(u.root.as_bytes())));
        let reason = format!("malicious version, among the installed packages{}; {runs}", project.unwrap_or_default());
        Standing::loadable(reason, by_itself).or_at_install(indicator, at_install, PRESUMED)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some(
                "start no Composer and no PHP of that project: both load what the packages want loaded",
            ),
            programs: Some("Composer, or PHP of that project"),
            uninstaller: Some("composer remove"),
            runs_by_itself: "its code has run, and runs again whenever Composer starts there",
            runs_on_use: "it runs as soon as the project loads its packages",
            by_hand: "stop the web server and the jobs that use it; use no Composer for this: it loads plug-ins first",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "PHP",
            at_start: "it runs whenever the project loads its packages",
            at_start_beside: "it runs whenever the project loads its packages",
            list: "its own list of files",
        }
    }

    /// The list is of all packages; the code stands in a folder of its name.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        match package.placement {
            Placement::Listed => None,
            _ => Some(vec![seen.unit.as_ref()?.folder.join(package.name.as_bytes())]),
        }
    }
}
