//! What Homebrew fetched.
//!
//! ```text
//! ~/Library/Caches/Homebrew/downloads/<64 hex>--xz--5.6.1.arm64_sonoma.bottle.tar.gz       ~/.cache/Homebrew; `$HOMEBREW_CACHE`
//! │                                   <64 hex>--xz--5.6.1.tar.gz                              a source; the hash is that of the address
//! │                                   <64 hex>--xz-5.6.1.bottle_manifest.json                 says which bottles there are
//! ~/Library/Caches/Homebrew/xz--5.6.1                                                         a link to the first
//! ```
//!
//! A hit proves that the bytes were fetched; not that anything was installed from them. What a cask fetches is mostly called like at its address,
//! which says no version. Read in Homebrew's code.

use super::package;
use crate::{
    fact::{Artifact, Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// Endings of what is fetched.
const ENDINGS: [&str; 12] =
    [".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".tgz", ".tar", ".zip", ".dmg", ".pkg", ".gz", ".xz", ".bz2"];

/// `Homebrew/downloads/*`.
pub struct Download;

static META: Meta = Meta {
    id: "homebrew/download",
    title: "what Homebrew fetched",
    proves: "the bytes were fetched; not that anything was installed from them",
};

impl Surface for Download {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ENDINGS.map(|end| Claim::suffix(end).in_tail("Homebrew/downloads").without_links()).to_vec()
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        Some((path.clone(), Fact::Named(by_name(path).filter(|_| kind != Kind::Dir)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let Some(found) = by_name(&file.entry.path) else {
            return Ok(());
        };
        let at = file.mtime("mtime of the download");
        let known = file.interest.knows_package(Ecosystem::Brew, &found.name);
        let sha256 = if known { file.sha256_or_gap(out) } else { None };
        let artifact = Artifact { size: Some(file.entry.len), sha256, ..Artifact::default() };
        out.push(at, Fact::Package(Package { artifacts: vec![artifact], ..found }));
        Ok(())
    }
}

/// `<64 hex>--NAME--VERSION…`
fn by_name(path: &TreePath) -> Option<Package> {
    let mut parts = std::str::from_utf8(path.name()).ok()?.splitn(3, "--");
    let hash = parts.next().filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    let (name, rest) = hash.and_then(|_| parts.next().zip(parts.next()))?;
    let version = ENDINGS.iter().find_map(|end| rest.strip_suffix(end))?;
    // `5.6.1.arm64_sonoma.bottle`, `5.6.1.x86_64_linux.bottle.1`
    let version = match version.rsplit_once(".bottle") {
        Some((version, _)) => version.rsplit_once('.')?.0,
        None => version,
    };
    package(name, version, Placement::Cached)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(name: &str) -> Vec<String> {
        let hash = "0123456789abcdef".repeat(4);
        said(&Download, &format!("Users/a/Library/Caches/Homebrew/downloads/{hash}--{name}"), b"x").0
    }

    #[test]
    fn bottles_and_sources_are_found_and_others_left_alone() {
        for (name, version) in [
            ("xz--5.6.1.arm64_sonoma.bottle.tar.gz", "5.6.1"),
            ("xz--5.6.1_1.x86_64_linux.bottle.2.tar.gz", "5.6.1_1"),
            ("xz--5.6.1.tar.gz", "5.6.1"),
            ("xz--1.2.3,456.dmg", "1.2.3,456"),
        ] {
            assert_eq!(read(name), [format!("package xz {version} Cached")], "{name}");
        }
        for name in [
            "xz-5.6.1.bottle_manifest.json",
            "xz-5.6.1.tar.gz",
            "xz--5.6.1",
            "a b--1.0.tar.gz",
            "xz--\u{1b}.tar.gz",
            "--.tar.gz",
        ] {
            assert_eq!(read(name), [""; 0], "{name}");
        }
        assert_eq!(said(&Download, "Homebrew/downloads/0a--xz--5.6.1.tar.gz", b"").0, [""; 0]);
    }
}
