//! .NET: a package is built into programs, or is one. Nothing of it runs when it is restored, but what it adds to builds runs with each of
//! them: `.props`, `.targets`, analyzers.

use super::{super::evidence::Draft, Family, Removal, Standing, Words, at_install};
use crate::{
    ecosystem::nuget::{PROGRAM, PROJECT, unpacked},
    fact::{Ecosystem, Fact, Package, Placement, Seen, TreePath},
    ioc::model::PackageIndicator,
    text::escape,
};

/// What is said where no other evidence shows whether a build was made.
const RESTORED: &str = "what it adds to builds runs with each of them, and the project was restored with it";
const BUILT: &str = "what it adds to builds ran when this program was built";
/// What is said of a package that was unpacked for builds.
const STORED: &str = "the malicious version is stored here, from where builds of projects that use it load it";

/// Packages of NuGet.
pub struct Nuget;

impl Family for Nuget {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Nuget
    }

    fn loadable(&self, draft: &Draft<'_, '_>, _: &Package, indicator: &PackageIndicator) -> Standing {
        let (runs, by_itself) = draft.when_it_runs(indicator, Placement::Loadable);
        let unit = draft.seen().unit.as_deref();
        let root = unit.map(|unit| escape(unit.root.as_bytes()).to_string()).unwrap_or_default();
        let (place, presumed) = match unit {
            Some(unit) if unit.kind == PROJECT => (format!("which each build of `/{root}` loads"), Some(RESTORED)),
            Some(unit) if unit.kind == PROGRAM => {
                // A program that was only copied here was built elsewhere.
                let here = [b"/bin/Debug".as_slice(), b"/bin/Release"];
                let here = here.iter().any(|part| memchr::memmem::find(unit.root.as_bytes(), part).is_some());
                (format!("built into the program in `/{root}`"), here.then_some(BUILT))
            }
            _ => ("installed as a program".to_owned(), None),
        };
        let here = Standing::loadable(format!("malicious version, {place}; {runs}"), by_itself && presumed.is_some());
        match presumed {
            Some(presumed) => here.or_at_install(indicator, at_install, presumed),
            None => here,
        }
    }

    fn stored(&self, seen: &Seen) -> Option<&'static str> {
        unpacked(&seen.origin.path).map(|_| STORED)
    }

    fn removal(&self) -> &'static Removal {
        &Removal {
            start_nothing: Some(
                "build no project that uses it, and open none in an editor: both load what it adds to builds",
            ),
            programs: Some("dotnet, MSBuild, an editor that builds, or a program that holds it"),
            uninstaller: None,
            runs_by_itself: "its code has run, and runs again with each build of a project that uses it",
            runs_on_use: "it runs as soon as a program runs that it was built into",
            by_hand: "stop the services and jobs that use it; build again, without it, every program that was built with it",
            unpacked: None,
        }
    }

    fn words(&self) -> &'static Words {
        &Words {
            interpreter: ".NET",
            at_start: "it runs whenever a program starts that holds it",
            at_start_beside: "it runs whenever a program starts that holds it",
            list: "its own list of files",
        }
    }

    fn publishes_with(&self) -> &'static [&'static str] {
        &["dotnet", "nuget"]
    }

    /// What was unpacked goes as a whole; the list beside a program is of all its packages.
    fn holdings(&self, seen: &Seen) -> Option<Vec<TreePath>> {
        let path = &seen.origin.path;
        let (Fact::Package(package) | Fact::Named(package)) = &seen.fact else {
            return None;
        };
        match (package.placement, seen.unit.as_deref()) {
            (Placement::Listed, _) => None,
            (Placement::Loadable, Some(unit)) if unit.kind == PROGRAM => Some(Vec::new()),
            (Placement::Loadable, Some(unit)) if unit.kind != PROJECT => Some(vec![unit.folder.clone()]),
            _ => Some(vec![unpacked(path).map_or_else(|| path.clone(), |(folder, ..)| folder)]),
        }
    }
}
