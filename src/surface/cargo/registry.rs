//! What cargo fetched from registries: the crates, and their sources unpacked.
//!
//! ```text
//! ~/.cargo/registry/
//! ├── cache/HOST-0a1b2c3d4e5f6a7b/NAME-VERSION.crate   a gzipped tar; its SHA-256 is the `checksum` of Cargo.lock
//! └── src/HOST-0a1b2c3d4e5f6a7b/NAME-VERSION/          unpacked when something is built
//!     └── .cargo-ok                                    `{"v":1}` (`ok` before cargo 1.75): unpacking ended
//! ~/Downloads/x.crate                                  elsewhere the folder in the archive says what it is
//! ```
//!
//! A hit proves that the bytes were fetched; not that anything was built from them. `cargo fetch`, `cargo vendor` and editors do it too.
//! Where the name of an archive says nothing, or a name that an indicator knows, the folder that its first member lies in is read as well.
//! Documented in "Cargo Home" of the Cargo Book.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::{crate_file, package};
use crate::{
    ecosystem::{
        cargo::{full_name, unpacked},
        normal_name,
    },
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// What of the start is unpacked for the first name in it.
const HEAD: usize = 16 << 10;

/// `*.crate`, `registry/src/*/*/.cargo-ok`.
pub struct Registry;

static META: Meta = Meta {
    id: "cargo/registry",
    title: "crates that cargo fetched, packed and unpacked",
    proves: "the bytes were fetched; not that anything was built from them",
};

impl Surface for Registry {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".crate"), Claim::name(".cargo-ok").within("src")]
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        if kind != Kind::Dir {
            let (name, version) = by_name(path)?;
            return Some((path.clone(), Fact::Named(package(name, version, Placement::Cached))));
        }
        // Asked of each folder.
        let (_, name, version) = unpacked(path).filter(|(folder, ..)| folder == path)?;
        Some((path.join(b".cargo-ok"), Fact::Named(package(name, version, Placement::Cached))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        if path.name() == b".cargo-ok" {
            if let Some((_, name, version)) = unpacked(&path).filter(|(folder, ..)| *folder == path.parent()) {
                out.push(file.mtime("mtime of .cargo-ok"), Fact::Package(package(name, version, Placement::Cached)));
            }
            return Ok(());
        }
        let at = file.mtime("mtime of the crate");
        let interest = file.interest;
        let knows = |name: &str| interest.knows_package(Ecosystem::Cargo, &normal_name(Ecosystem::Cargo, name));
        let named = by_name(&path);
        let known = named.is_some_and(|(name, _)| knows(name));
        let inside = if known || named.is_none() { first_folder(file.head(HEAD)?) } else { None };
        let inside = inside.as_deref().and_then(full_name);
        let hashed = known || inside.is_some_and(|(name, _)| knows(name));
        let sha256 = if hashed { file.sha256_or_gap(out) } else { None };
        let size = Some(file.entry.len);
        let found = |name: &str, version: &str| {
            let artifact = crate::fact::Artifact { size, ..crate_file(name, version, sha256.clone()) };
            Package { artifacts: vec![artifact], ..package(name, version, Placement::Cached) }
        };
        match (named, inside) {
            (Some((name, version)), Some((own, at_version))) if (name, version) != (own, at_version) => {
                let what = format!("its file name says {name} {version}, the folder in it says {own} {at_version}");
                let names = [name, own].map(|n| normal_name(Ecosystem::Cargo, n));
                out.push(None, Fact::Disagreement { names, what });
                out.push(at.clone(), Fact::Named(found(name, version)));
                out.push(at, Fact::Package(found(own, at_version)));
            }
            (Some((name, version)), None) if known => {
                // The name still says it; nothing in the file does.
                out.push(at, Fact::Named(found(name, version)));
                return Err(Flaw::malformed("crate", "it is no gzipped tar with the folder of a crate"));
            }
            (Some((name, version)), _) | (None, Some((name, version))) => {
                out.push(at, Fact::Package(found(name, version)));
            }
            (None, None) => {}
        }
        Ok(())
    }
}

/// `arrayref-0.3.10 (1).crate` is `arrayref` and `0.3.10`.
fn by_name(path: &TreePath) -> Option<(&str, &str)> {
    let stem = std::str::from_utf8(path.name()).ok()?.strip_suffix(".crate")?;
    full_name(stem.split([' ', '(']).next().unwrap_or(stem))
}

/// The outermost folder of the first member of a gzipped tar, by its first bytes.
fn first_folder(head: &[u8]) -> Option<String> {
    if !head.starts_with(b"\x1f\x8b") {
        return None;
    }
    let mut start = Vec::new();
    // What is cut off ends in an error behind what was unpacked.
    let _ = MultiGzDecoder::new(head).take(u64::try_from(HEAD).unwrap_or(0)).read_to_end(&mut start);
    let name = start.get(..100)?.split(|b| *b == 0).next()?;
    let folder = name.split(|b| *b == b'/').next()?;
    String::from_utf8(folder.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::surface::python::trial::tar_gz;

    const CACHE: &str = "h/.cargo/registry/cache/index.example-0a1b";

    fn packed(folder: &str) -> Vec<u8> {
        tar_gz(&[(&format!("{folder}/Cargo.toml"), "x"), (&format!("{folder}/src/lib.rs"), "y")])
    }

    fn read(path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        said(&Registry, path, bytes, &["arrayref"])
    }

    #[test]
    fn a_crate_is_found_under_any_name() {
        let bytes = packed("arrayref-0.3.10");
        for path in ["arrayref-0.3.10.crate", "arrayref-0.3.10 (1).crate", "x.crate"] {
            let is = vec!["package arrayref 0.3.10 Cached".to_owned()];
            assert_eq!(read(&format!("{CACHE}/{path}"), &bytes), (is, None), "{path}");
        }
        assert_eq!(read(&format!("{CACHE}/libc-0.2.1.crate"), b"").0, ["package libc 0.2.1 Cached"]);
    }

    #[test]
    fn other_files_are_left_alone() {
        for (path, bytes) in [
            ("x.crate", b"".as_slice()),
            ("x.crate", b"\x1f\x8b"),
            ("a-1.crate", b"text"),
            ("x.crate", &packed("src")),
            (".cargo-ok", b"{\"v\":1}"),
        ] {
            assert_eq!(read(&format!("{CACHE}/{path}"), bytes), (vec![], None), "{path}");
        }
    }

    #[test]
    fn what_is_unpacked_is_known_by_its_folder() {
        let folder = "h/.cargo/registry/src/index.example-0a1b/arrayref-0.3.10";
        let is = (vec!["package arrayref 0.3.10 Cached".to_owned()], None);
        assert_eq!(read(&format!("{folder}/.cargo-ok"), b""), is);
        assert_eq!(read(&format!("{folder}/src/.cargo-ok"), b""), (vec![], None));
        let named =
            |path: &str| Registry.named(&TreePath::new(path.as_bytes()).unwrap(), Kind::Dir, &Interest::default());
        assert!(
            named(folder).is_some()
                && named(&format!("{folder}/src")).is_none()
                && named("h/arrayref-0.3.10").is_none()
        );
    }

    #[test]
    fn a_crate_that_is_another_one_disagrees_with_its_name() {
        let (said, flaw) = read(&format!("{CACHE}/arrayref-0.3.10.crate"), &packed("harmless-1.0.0"));
        let says = "disagreement its file name says arrayref 0.3.10, the folder in it says harmless 1.0.0";
        assert_eq!(said, [says, "named arrayref 0.3.10 Cached", "package harmless 1.0.0 Cached"]);
        assert!(flaw.is_none());
        let (said, flaw) = read(&format!("{CACHE}/arrayref-0.3.10.crate"), b"\x1f\x8b\x08\0");
        assert_eq!((said, flaw.is_some()), (vec!["named arrayref 0.3.10 Cached".to_owned()], true));
    }
}
