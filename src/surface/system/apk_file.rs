//! Package files of Alpine in the caches of apk.
//!
//! ```text
//! var/cache/apk/xz-5.6.1-r0.0a1b2c3d.apk       etc/apk/cache, mostly a link there; eight digits of a hash behind the release
//! ```
//!
//! A hit proves that the file is stored. Name and version are those of its name. Documented in apk-cache(5).

use super::package;
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// `*.apk` in a cache of apk; elsewhere it is one of Android.
pub struct ApkFile;

static META: Meta = Meta {
    id: "system/apk-file",
    title: "package files of Alpine",
    proves: "the package is stored; not that it was installed",
};

impl Surface for ApkFile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["cache/apk", "apk/cache"].map(|tail| Claim::suffix(".apk").in_tail(tail)).to_vec()
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        Some((path.clone(), Fact::Named(by_name(path).filter(|_| kind != Kind::Dir)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the package file");
        let Some(found) = by_name(&file.entry.path) else {
            return Ok(());
        };
        // Three packed streams in a row, or the form of apk 3.
        let head = file.head(4)?;
        let is_package = head.starts_with(b"\x1f\x8b") || head.starts_with(b"ADB");
        out.push(at, if is_package { Fact::Package(found) } else { Fact::Named(found) });
        Ok(())
    }
}

/// `xz-5.6.1-r0.0a1b2c3d.apk`: a version has a release, and no `-` before it.
fn by_name(path: &TreePath) -> Option<Package> {
    let stem = std::str::from_utf8(path.name()).ok()?.strip_suffix(".apk")?;
    let hash = |h: &str| h.len() == 8 && h.bytes().all(|b| b.is_ascii_hexdigit());
    let stem = stem.rsplit_once('.').filter(|(_, h)| hash(h)).map_or(stem, |(stem, _)| stem);
    let (before, _) = stem.rsplit_once("-r")?;
    let (name, _) = before.rsplit_once('-')?;
    package(Ecosystem::Apk, name, stem.get(name.len() + 1..)?, Placement::Cached)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn of(name: &str, bytes: &[u8]) -> Vec<String> {
        let said = said(&ApkFile, &format!("var/cache/apk/{name}"), bytes, &[]);
        said.iter().map(|line| line.replace(" 2026-03-24T11:00:00Z", "")).collect()
    }

    #[test]
    fn files_are_found_by_their_names() {
        for name in ["xz-libs-5.6.1-r0.0a1b2c3d.apk", "xz-libs-5.6.1-r0.apk"] {
            assert_eq!(of(name, b"\x1f\x8b\x08"), ["xz-libs 5.6.1-r0 Cached"], "{name}");
            assert_eq!(of(name, b""), ["named xz-libs 5.6.1-r0 Cached"], "{name}");
        }
        for name in ["APKINDEX.0a1b2c3d.tar.gz", "app-release.apk", "xz.apk", "a\u{1b}-1.0-r0.apk", "-1.0-r0.apk"] {
            assert!(of(name, b"\x1f\x8b").is_empty(), "{name}");
        }
    }
}
