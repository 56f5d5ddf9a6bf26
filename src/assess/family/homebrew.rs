//! Homebrew: programs that `brew` pours or builds into a folder for each version, and links into one prefix.

use super::{super::evidence::Draft, Family, Removal, Standing, Words, at_install};
use crate::{
    ecosystem::purl::Purl,
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::{Incident, PackageIndicator},
    text::escape,
};

/// What is said where no other evidence shows whether code ran while it was installed.
const PRESUMED: &str = "what builds it, or runs behind its install, runs as whoever installs it, and it is installed";

/// Formulae and casks.
pub struct Homebrew;

impl Family for Homebrew {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Brew
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let keg = draft.seen().unit.as_ref().map(|u| format!(" in `/{}`", escape(u.root.as_bytes())));
        let reason = format!("malicious version, which Homebrew installed{}; {runs}", keg.unwrap_or_default());
        Standing::loadable(reason, by_itself).or_at_install(indicator, at_install, PRESUMED)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: None,
            programs: Some("brew, or a program of it"),
            uninstaller: Some("brew uninstall"),
            runs_by_itself: "it runs without anybody using it",
            runs_on_use: "it runs as soon as somebody starts it, or a program loads it",
            by_hand: "stop its services (`brew services list` says which) and jobs; of a cask, move the application away too; use no \
                      `brew uninstall` for this: it may run what the cask brings for that",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "the program",
            at_start: "it runs whenever something starts it",
            at_start_beside: "it runs whenever something starts it",
            list: "its own list of files",
        }
    }

    /// The folder of the version; of a download the file.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        match (package.placement, &seen.unit) {
            (Placement::Listed, _) => None,
            (Placement::Loadable, Some(unit)) => Some(vec![unit.folder.clone()]),
            _ => Some(vec![seen.origin.path.clone()]),
        }
    }

    /// The program of a formula is mostly called like it.
    fn named_by_starts(&self, _: &Incident, finding: &super::super::Finding) -> Vec<String> {
        let name = finding.package.as_deref().and_then(Purl::parse).map(|p| p.name);
        name.iter().filter_map(|name| name.rsplit('/').next()).map(str::to_owned).collect()
    }
}
