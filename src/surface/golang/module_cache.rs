//! What Go fetched: modules, packed and unpacked.
//!
//! ```text
//! ~/go/pkg/mod/                                       `$GOMODCACHE`, `$GOPATH/pkg/mod`
//! ├── cache/download/example.com/!x/y/@v/
//! │   ├── v1.2.3.zip                                  the code; `!x` is `X`
//! │   └── v1.2.3.info, .mod, .ziphash, list           chosen among or summed: says nothing of its code
//! └── example.com/!x/y@v1.2.3/                        unpacked when something is built
//! ```
//!
//! A folder that is copied to serve as a proxy (`GOPROXY=file://…/cache/download`) has the same form. A hit proves that the code was fetched; Go runs nothing of a
//! module when it fetches or builds it. Documented in "Go Modules Reference".

use super::package;
use crate::{
    ecosystem::golang::{downloaded, unpacked},
    fact::{Artifact, Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// The first member's name stands there.
const HEAD: usize = 1024;

/// `@v/*.zip`, `pkg/mod/*@*`.
pub struct ModuleCache;

static META: Meta = Meta {
    id: "golang/module-cache",
    title: "modules that Go fetched, packed and unpacked",
    proves: "the code was fetched; not that anything was built from it",
};

impl Surface for ModuleCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".zip").in_tail("@v"), Claim::name("go.mod").within("mod")]
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        if kind == Kind::Dir {
            // Asked of each folder.
            let (folder, name, version) = unpacked(path).filter(|(folder, ..)| folder == path)?;
            return Some((folder.join(b"go.mod"), Fact::Named(package(&name, &version, Placement::Cached))));
        }
        let (name, version) = downloaded(path)?;
        Some((path.clone(), Fact::Named(package(&name, &version, Placement::Cached))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let at = file.mtime("mtime in the module cache");
        if path.name() == b"go.mod" {
            if let Some((_, name, version)) = unpacked(&path).filter(|(folder, ..)| *folder == path.parent()) {
                out.push(at, Fact::Package(package(&name, &version, Placement::Cached)));
            }
            return Ok(());
        }
        let Some((name, version)) = downloaded(&path) else {
            return Ok(());
        };
        if !file.interest.knows_package(Ecosystem::Golang, &name) {
            out.push(at, Fact::Package(package(&name, &version, Placement::Cached)));
            return Ok(());
        }
        let inside = starts_with(file.head(HEAD)?, &format!("{name}@{version}/"));
        let sha256 = file.sha256_or_gap(out);
        let artifact = Artifact { size: Some(file.entry.len), sha256, ..Artifact::default() };
        let found = Package { artifacts: vec![artifact], ..package(&name, &version, Placement::Cached) };
        if inside {
            out.push(at, Fact::Package(found));
            return Ok(());
        }
        out.push(at, Fact::Named(found));
        Err(Flaw::malformed("module archive", "its first member is not of the module that its name says"))
    }
}

/// Whether the first member of a zip lies in this folder.
fn starts_with(head: &[u8], folder: &str) -> bool {
    let name = head.get(30..).unwrap_or_default();
    head.starts_with(b"PK\x03\x04") && name.starts_with(folder.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const KNOWN: &[&str] = &["github.com/BufferZoneCorp/log-core"];
    const FOLDER: &str = "h/go/pkg/mod/cache/download/github.com/!buffer!zone!corp/log-core/@v";

    fn read(path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        said(&ModuleCache, path, bytes, KNOWN)
    }

    fn zip(first: &str) -> Vec<u8> {
        [b"PK\x03\x04".as_slice(), &[0; 26], first.as_bytes(), b"/go.mod"].concat()
    }

    #[test]
    fn archives_and_folders_are_found() {
        let good = zip("github.com/BufferZoneCorp/log-core@v1.0.0");
        let is = (vec!["package github.com/BufferZoneCorp/log-core v1.0.0 Cached".to_owned()], None);
        assert_eq!(read(&format!("{FOLDER}/v1.0.0.zip"), &good), is);
        let folder = "h/go/pkg/mod/github.com/!buffer!zone!corp/log-core@v1.0.0";
        assert_eq!(read(&format!("{folder}/go.mod"), b"module x"), is);
        let named =
            |path: &str| ModuleCache.named(&TreePath::new(path.as_bytes()).unwrap(), Kind::Dir, &Interest::default());
        assert!(named(folder).is_some() && named(&format!("{folder}/x")).is_none() && named("h/a@v1.0.0").is_none());
        let other = "h/go/pkg/mod/cache/download/x.example/y/@v/v1.0.0.zip";
        assert_eq!(read(other, b""), (vec!["package x.example/y v1.0.0 Cached".into()], None));
    }

    #[test]
    fn look_alikes_and_broken_archives() {
        for path in [
            format!("{FOLDER}/list.zip"),
            format!("{FOLDER}/../v1.0.0.zip").replace("../", ""),
            "h/go/pkg/mod/x/go.mod".into(),
        ] {
            let of_name = path.ends_with("v1.0.0.zip");
            assert_eq!(read(&path, b"").0.is_empty(), !of_name, "{path}");
        }
        for bytes in [b"".to_vec(), b"PK\x03\x04".to_vec(), zip("harmless.example/x@v1.0.0"), vec![0; 5000]] {
            let (said, flaw) = read(&format!("{FOLDER}/v1.0.0.zip"), &bytes);
            assert_eq!(said, ["named github.com/BufferZoneCorp/log-core v1.0.0 Cached"]);
            assert!(flaw.is_some());
        }
    }
}
