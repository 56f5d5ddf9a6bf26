//! Extensions of browsers: each stands by itself, and its background code runs with the browser of whoever has it in a profile.

use super::{super::evidence::Draft, Family, Removal, Standing, Words};
use crate::{
    fact::{Ecosystem, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
};

/// Extensions of browsers of all kinds.
pub struct Browser;

impl Family for Browser {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Chrome
    }

    fn is_of(&self, ecosystem: Ecosystem) -> bool {
        matches!(ecosystem, Ecosystem::Chrome | Ecosystem::Firefox)
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        Standing::loadable(format!("malicious version, among the extensions of a browser; {runs}"), by_itself)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some("open no browser with this profile"),
            programs: Some("a browser"),
            uninstaller: Some("remove an extension in the browser"),
            runs_by_itself: "the browser starts it again at its next start",
            runs_on_use: "the browser runs it when it is used",
            by_hand: "close the browser and end what it left running; do not take it out with the browser itself, which would start it; let \
                      no extensions be synchronised from another machine that still has it",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "the browser",
            at_start: "it runs at every start of the browser",
            at_start_beside: "it runs at every start of the browser",
            list: "its own list of files",
        }
    }

    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let folder = seen.unit.as_ref().map(|u| &u.folder).filter(|folder| path.is_within(folder));
        Some(vec![folder.unwrap_or(path).clone()])
    }
}
