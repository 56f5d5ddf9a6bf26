//! What pub fetched.
//!
//! ```text
//! ~/.pub-cache/hosted/REGISTRY/NAME-VERSION/pubspec.yaml      `$PUB_CACHE`; %LOCALAPPDATA%\Pub\Cache
//! ```
//!
//! Builds take it from there, where a project says so. Pub runs nothing of a package when it fetches it, but a build may (`hook/build.dart`). A hit proves
//! that the code was fetched. Documented in "Glossary" of Dart.

use super::package;
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// `hosted/*/NAME-VERSION`.
pub struct PubCache;

static META: Meta = Meta {
    id: "lockfile/pub-cache",
    title: "packages that pub fetched",
    proves: "the code was fetched; not that anything was built with it",
};

impl Surface for PubCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there but by what is built.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("pubspec.yaml").within("hosted")]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        Some((path.clone(), Fact::Named(stored(path).filter(|_| kind != Kind::Dir)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if let Some(found) = stored(&file.entry.path) {
            out.push(file.mtime("mtime of pubspec.yaml"), Fact::Package(found));
        }
        Ok(())
    }
}

/// By the folder: no name of a package has a `-`.
fn stored(path: &TreePath) -> Option<Package> {
    let folder = path.parent();
    let hosted = folder.parent().parent();
    let (name, version) = std::str::from_utf8(folder.name()).ok()?.split_once('-')?;
    let found = package(Ecosystem::Pub, name, version, Placement::Cached);
    found.filter(|_| hosted.name() == b"hosted")
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(path: &str) -> Vec<String> {
        said(&PubCache, path, b"name: x").0
    }

    #[test]
    fn packages_of_the_cache_are_found_and_others_left_alone() {
        let home = "h/.pub-cache/hosted/registry.example";
        assert_eq!(read(&format!("{home}/http-1.1.0/pubspec.yaml")), ["package http 1.1.0 Cached"]);
        assert_eq!(read(&format!("{home}/a_b-1.0.0-dev.2+1/pubspec.yaml")), ["package a_b 1.0.0-dev.2+1 Cached"]);
        for path in
            ["http-1.1.0/example/pubspec.yaml", "http/pubspec.yaml", "http-x/pubspec.yaml", "h\u{1b}-1.0/pubspec.yaml"]
        {
            assert_eq!(read(&format!("{home}/{path}")), [""; 0], "{path}");
        }
        assert_eq!(read("h/hosted/pubspec.yaml"), [""; 0]);
        assert_eq!(read("h/git/x/http-1.1.0/pubspec.yaml"), [""; 0]);
    }
}
