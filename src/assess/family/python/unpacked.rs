//! Whether a description that could be loaded was only unpacked: a wheel taken apart for a look, or test data.
//!
//! ```text
//! ~/analysis/unpacked/litellm-1.82.8.dist-info/{METADATA,RECORD}              unzip of a wheel: no INSTALLER, no REQUESTED
//! srv/lambda/litellm-1.82.8.dist-info/{METADATA,RECORD,INSTALLER}             pip --target, uv --target: an installer was here
//! var/task, opt/python                                                        a function's own folders: what is there is loaded
//! …/site-packages/foo/tests/data/litellm-1.82.8.dist-info                     data of a package
//! …/site-packages/setuptools/_vendor/x-1.dist-info                            a package's own copies, which it loads
//! ```
//!
//! pip, uv, poetry, pdm, conda and Debian's tools all write `INSTALLER`; no wheel contains one. What runs bundles that were made by
//! unpacking wheels (AWS SAM, Chalice) has them in the folders above, in an image, or in an archive.

use crate::assess::{evidence::Draft, units::folder_of};
use crate::fact::{Package, Placement, TreePath};

/// Folders of a package's own tests and examples.
const TEST_DATA: &[&[u8]] =
    &[b"test", b"tests", b"testing", b"testdata", b"test_data", b"test-data", b"fixtures", b"examples", b"samples"];

/// Where whatever stands is on the path of an interpreter: a function's folders, what a distribution ships.
const LOADED: &[&[u8]] = &[b"var/task/", b"opt/python/", b"usr/"];

impl Draft<'_, '_> {
    /// Whether nothing installed this description.
    pub(in crate::assess) fn unpacked(&self, p: &Package) -> bool {
        let seen = self.seen();
        let info = seen.origin.path.parent();
        let ends = info.as_bytes().ends_with(b".dist-info");
        if p.placement != Placement::Loadable || !ends || seen.origin.inner.is_some() || self.evidence.layers.is_some()
        {
            return false;
        }
        let folder = info.parent();
        let site = seen.unit.as_ref().filter(|u| u.usual).map(|u| &u.folder);
        let place = match site {
            Some(site) if *site != folder => vendored(site, &folder),
            // A site folder is on the path of its interpreter, whatever put things there, unless it is somebody's test data.
            Some(_) => !is_test_data(&folder),
            None => is_loaded(&folder),
        };
        // A line of a `.pth` may put any folder on the path.
        let linked = self.units.link_to(&seen.origin.tree, &folder).is_some();
        !place && !linked && !self.installed_in(&folder)
    }

    /// Whether an installer put something into this folder.
    fn installed_in(&self, folder: &TreePath) -> bool {
        let seen = self.seen();
        let site = self.units.in_folder(&seen.origin.tree, &folder_of(seen));
        let here = site.into_iter().flat_map(|s| &s.distributions).filter(|d| d.folder.parent() == *folder);
        here.into_iter().any(|d| d.installer.is_some() || d.requested)
    }

    /// Whether a hook outside every site folder stands beside what an installer put there (`pip install --target`).
    pub(in crate::assess) fn beside_installed(&self) -> bool {
        let seen = self.seen();
        let folder = seen.origin.path.parent();
        let site = self.units.in_folder(&seen.origin.tree, &folder);
        let any = site.is_some_and(|s| !s.distributions.is_empty());
        let wheel = |d: &crate::assess::units::Distribution| d.folder.as_bytes().ends_with(b".dist-info");
        let only_wheels = site.is_some_and(|s| s.distributions.iter().all(wheel));
        let loose = only_wheels && self.evidence.layers.is_none() && !is_loaded(&folder) && !self.installed_in(&folder);
        any && !loose
    }
}

/// PEX keeps each wheel in a folder of its own, and puts them on the path.
fn is_loaded(folder: &TreePath) -> bool {
    let below = |start: &&[u8]| folder.join(b"").as_bytes().starts_with(start);
    LOADED.iter().any(below) || folder.components().any(|c| c == b"installed_wheels" || c == b".deps")
}

/// Whether a folder below a site folder holds a package's own copies of others.
fn vendored(site: &TreePath, folder: &TreePath) -> bool {
    let below = folder.below(site).unwrap_or_default();
    let mut parts = below.split(|b| *b == b'/');
    parts.clone().all(|c| !TEST_DATA.contains(&c)) && parts.any(|c| memchr::memmem::find(c, b"vendor").is_some())
}

fn is_test_data(folder: &TreePath) -> bool {
    folder.components().any(|c| TEST_DATA.contains(&c))
}
