//! Elixir and Erlang: a package is compiled in the project that uses it, by code of its own (`mix.exs`, `rebar.config`, macros).

use super::{super::evidence::Draft, Family, Removal, Standing, Words, at_install};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
    text::escape,
};

/// What is said where no other evidence shows whether it was compiled.
const PRESUMED: &str = "its own code compiles it, and it stands among what the project has fetched to compile";

/// Packages of Hex.
pub struct Hex;

impl Family for Hex {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Hex
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let project = draft.seen().unit.as_ref().map(|u| format!(" of `/{}`", escape(u.root.as_bytes())));
        let reason = format!("malicious version, among the packages{}; {runs}", project.unwrap_or_default());
        Standing::loadable(reason, by_itself).or_at_install(indicator, at_install, PRESUMED)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some("start no mix and no rebar3 in that project: both load code of its packages"),
            programs: Some("mix, rebar3, or the project"),
            uninstaller: None,
            runs_by_itself: "its code has run, and runs again with each build of the project",
            runs_on_use: "it runs as soon as the project runs",
            by_hand: "stop the services and jobs that run it; move `_build` away too, and build the project again without it",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: "the project",
            at_start: "it runs whenever the project starts",
            at_start_beside: "it runs whenever the project starts",
            list: "its own list of files",
        }
    }

    fn publishes_with(&self) -> &'static [&'static str] {
        &["mix", "rebar3"]
    }

    /// The folder that the description stands in.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        (package.placement != Placement::Listed).then(|| vec![seen.origin.path.parent()])
    }
}
