//! Eggs and egg-info: what setuptools and distutils installed before wheels, still shipped by distributions of Linux.
//!
//! ```text
//! dist-packages/
//! ├── foo-1.0.egg-info                       one file: the text of PKG-INFO (distutils, Debian)
//! ├── My.Egg_pkg-1.2-py3.8.egg-info/PKG-INFO, requires.txt (setup.py install, pip before wheels; some write METADATA)
//! ├── six-1.17.0-py3.8.egg/EGG-INFO/PKG-INFO (easy_install)
//! └── six-1.17.0-py3.8.egg                   the same as one zip
//! src/litellm.egg-info/PKG-INFO              a source checkout or unpacked sdist: no version in the folder's name
//! ```
//!
//! A hit proves that the version stands where an interpreter loads it, but for two forms, which count as cached: an egg-info
//! without version in its name outside a site folder (setuptools writes it beside the sources at each build, installed or not; an
//! editable install has a dist-info or a link in the site folder too), and a zipped egg outside a site folder and `.eggs`.
//! Documented in setuptools, "The Internal Structure of Python Eggs".

use super::{
    archive::{of_interest, of_zip},
    dist_info::package,
    identity, placement, requires,
};
use crate::{
    ecosystem::pypi::{is_site, normalise, unit_around},
    fact::{Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

const HEADERS: usize = 4 << 20;
const REQUIRES: usize = 4 << 20;

/// `*.egg-info`, `*.egg`.
pub struct Egg;

static META: Meta = Meta {
    id: "python/egg",
    title: "distributions installed as eggs",
    proves: "the version stands where an interpreter loads it, or as cached beside its sources; not that it ran",
};

impl Surface for Egg {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name("PKG-INFO").in_suffix(".egg-info"),
            Claim::name("METADATA").in_suffix(".egg-info"),
            Claim::name("requires.txt").in_suffix(".egg-info"),
            Claim::name("PKG-INFO").in_tail("EGG-INFO"),
            Claim::name("installed-files.txt").in_suffix(".egg-info"),
            Claim::name("METADATA").in_tail("EGG-INFO"),
            Claim::name("requires.txt").in_tail("EGG-INFO"),
            Claim::suffix(".egg-info"),
            Claim::suffix(".egg"),
        ]
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let is_egg = path.name().ends_with(b".egg");
        if is_egg || path.name().ends_with(b".egg-info") {
            if kind == Kind::Dir {
                return identity::of_folder(path);
            }
            let (name, version) = identity::folder_parts(path.name())?;
            let place = if is_egg { zipped(path) } else { info(path) };
            return Some((path.clone(), Fact::Named(identity::package(name, version, place))));
        }
        if kind == Kind::Dir {
            return None;
        }
        let folder = path.parent();
        match folder.name() {
            b"EGG-INFO" => identity::of_folder(&folder.parent()),
            name if name.ends_with(b".egg-info") => identity::of_folder(&folder),
            _ => None,
        }
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = &file.entry.path;
        let at = file.mtime("mtime of the egg");
        if path.name() == b"installed-files.txt" {
            let (info, interest) = (path.parent(), file.interest);
            let paths = super::own_list::of_egg_info(&info, file.head(HEADERS)?, interest);
            if !paths.is_empty() {
                out.push(at, Fact::Listed { paths });
            }
            return Ok(());
        }
        if path.name().ends_with(b".egg") {
            // Nothing says what it is; its name does, where it is one that matters.
            let known = |(name, _): (&str, &str)| of_interest(file.interest, &normalise(name));
            let nothing = match identity::folder_parts(path.name()).is_some_and(known) {
                true => Err(Flaw::malformed("egg", "nothing in it says what it is")),
                false => Ok(()),
            };
            if file.head(2)? != b"PK" {
                return nothing;
            }
            let (interest, name) = (file.interest, std::str::from_utf8(path.name()).ok());
            let mut archive = file.seekable()?;
            return match of_zip(&mut archive, zipped(path))? {
                Some(found) => found.push(&mut archive, name, interest, at, out),
                None => nothing,
            };
        }
        if path.name() == b"requires.txt" {
            let requires = requires::read(file.all(REQUIRES)?);
            out.push(at, Fact::Requires(requires.into()));
            return Ok(());
        }
        let inside = matches!(path.name(), b"PKG-INFO" | b"METADATA");
        let folder = path.parent();
        let (place, described) = match folder.name() {
            b"EGG-INFO" if inside => (unpacked(&folder), folder.parent()),
            _ if inside => (unpacked(&folder), folder),
            _ => (info(path), path.clone()),
        };
        let what = if path.name() == b"METADATA" { "METADATA" } else { "PKG-INFO" };
        let found = package(file.head(HEADERS)?, what, place)?;
        let named = identity::folder_parts(described.name());
        // Of a folder the walk asks for the name; a file has no other reader.
        if identity::compare(out, named, "its name", &found, what)
            && !inside
            && let Some((name, version)) = named
        {
            out.push(at.clone(), Fact::Named(identity::package(name, version, place)));
        }
        out.push(at, Fact::Package(found));
        Ok(())
    }
}

/// By the folder that holds `PKG-INFO`.
fn unpacked(folder: &TreePath) -> Placement {
    if folder.name() == b"EGG-INFO" { placement::of_info(&folder.parent()) } else { info(folder) }
}

/// By a folder or file called `*.egg-info`.
fn info(path: &TreePath) -> Placement {
    let stem = path.name().strip_suffix(b".egg-info").unwrap_or_default();
    let versioned = stem.split(|b| *b == b'-').skip(1).any(|p| p.first().is_some_and(u8::is_ascii_digit));
    if versioned || is_site(path.parent().as_bytes()) { placement::of_info(path) } else { Placement::Cached }
}

fn zipped(path: &TreePath) -> Placement {
    let folder = path.parent();
    let loads = is_site(folder.as_bytes()) || folder.name() == b".eggs";
    if loads { placement::of_info(path) } else { Placement::Cached }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{archive::made, trial::tried},
        *,
    };

    const ABOUT: &str = "Metadata-Version: 1.1\nName: litellm\nVersion: 1.82.8\n\n";

    fn packages(path: &str, bytes: &[u8]) -> Vec<String> {
        tried(&Egg, path, bytes, &made::interest()).packages()
    }

    #[test]
    fn every_form_is_read_and_judged_by_its_place() {
        let zip = made::zip(&[("EGG-INFO/PKG-INFO", ABOUT)]);
        for (path, bytes, says) in [
            ("usr/lib/python3/dist-packages/litellm-1.82.8.egg-info", ABOUT.as_bytes(), "Loadable"),
            ("v/site-packages/litellm.egg-info/PKG-INFO", ABOUT.as_bytes(), "Loadable"),
            ("srv/target/litellm-1.82.8-py3.8.egg-info/PKG-INFO", ABOUT.as_bytes(), "Loadable"),
            ("h/src/litellm.egg-info/PKG-INFO", ABOUT.as_bytes(), "Cached"),
            ("h/src/lite-llm.egg-info/PKG-INFO", ABOUT.as_bytes(), "Cached"),
            ("v/site-packages/litellm-1.82.8-py3.8.egg/EGG-INFO/PKG-INFO", ABOUT.as_bytes(), "Loadable"),
            ("v/site-packages/litellm-1.82.8-py3.8.egg", &zip, "Loadable"),
            ("h/src/.eggs/litellm-1.82.8-py3.8.egg", &zip, "Loadable"),
            ("h/src/dist/litellm-1.82.8-py3.8.egg", &zip, "Cached"),
            ("v/site-packages/~itellm-1.82.8.egg-info/PKG-INFO", ABOUT.as_bytes(), "Leftover"),
        ] {
            assert_eq!(packages(path, bytes), [format!("litellm 1.82.8 {says}")], "{path}");
        }
    }

    #[test]
    fn what_is_no_egg_is_left_alone_or_a_flaw() {
        assert_eq!(packages("h/chicken.egg", b"CHICKEN scheme"), [""; 0]);
        assert!(tried(&Egg, "h/litellm-1.82.8-py3.8.egg", b"", &made::interest()).flaw.is_some());
        assert!(tried(&Egg, "v/site-packages/x-1.egg-info", b"", &made::interest()).flaw.is_some());
        assert!(tried(&Egg, "v/site-packages/x-1.egg", b"PK\x03\x04", &made::interest()).flaw.is_some());
    }
}
