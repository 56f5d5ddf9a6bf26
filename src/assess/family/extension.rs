//! Extensions of editors: each stands in a folder of its own, and runs as whoever uses the editor once something activates it.

use super::{super::evidence::Draft, Family, Removal, Standing, Words};
use crate::{
    fact::{Ecosystem, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
};

/// Extensions of all marketplaces.
pub struct Extension;

impl Family for Extension {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Vscode
    }

    fn is_of(&self, ecosystem: Ecosystem) -> bool {
        matches!(ecosystem, Ecosystem::Vscode | Ecosystem::Openvsx | Ecosystem::Jetbrains)
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        Standing::loadable(format!("malicious version, among the extensions of an editor; {runs}"), by_itself)
    }

    fn left_over(&self, _: &Seen, when: &str) -> String {
        format!("the editor noted that it was uninstalled or replaced: it was installed until then; {when}")
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some("open no editor on this machine, and connect none to it"),
            programs: Some("an editor"),
            uninstaller: Some("uninstall an extension in the editor"),
            runs_by_itself: "the editor starts it again at its next start",
            runs_on_use: "the editor runs it when it is used",
            by_hand: "close the editor and end its servers (`code tunnel`, remote sessions); do not take it out with the editor itself, \
                      which would start it; let no settings be synchronised from another machine that still has it",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "the editor",
            at_start: "it runs at every start of the editor",
            at_start_beside: "it runs at every start of the editor",
            list: "its own list of files",
        }
    }

    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let folder = seen.unit.as_ref().map(|u| &u.folder).filter(|folder| path.is_within(folder));
        Some(vec![folder.unwrap_or(path).clone()])
    }
}
