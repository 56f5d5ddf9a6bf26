//! Package files of pacman, downloaded or built.
//!
//! ```text
//! var/cache/pacman/pkg/alvr-20.13.0-1-x86_64.pkg.tar.zst     what pacman downloaded; kept until somebody empties the cache
//! ~/.cache/yay/alvr/alvr-20.13.0-1-x86_64.pkg.tar.zst        what a helper built; likewise of the others
//! └── .PKGINFO    pkgname = alvr, pkgbase = alvr, pkgver = 20.13.0-1, builddate = 1781162280
//! ```
//!
//! A hit proves that the file is stored; in the folder of a helper, that its recipe was built there. The archive is opened where an
//! indicator knows the name of the file: what its `.PKGINFO` says counts. Of archives that are packed otherwise than by zstd or gzip the
//! name alone is known. Documented in makepkg's source and in PKGINFO(5) of alpm.

use std::io::{BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::{fact, is_name, package, recipe::is_built_in};
use crate::{
    ecosystem::{aur, is_version, normal_name},
    fact::{At, Ecosystem, Fact, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

const WHAT: &str = "package of pacman";
/// `.PKGINFO` is among the first members.
const MEMBERS: usize = 16;
/// Its bytes.
const INFO: u64 = 1 << 20;
/// Unpacked bytes of what stands before it: `.MTREE` and `.BUILDINFO`.
const BEFORE: u64 = 64 << 20;
/// The largest window of a zstd frame, as a power of two: the builders of Arch Linux pack with 27.
const WINDOW: u32 = 27;
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
const GZIP: &[u8] = b"\x1f\x8b";

/// `*.pkg.tar.zst` and its kin.
pub struct PacmanPackage;

static META: Meta = Meta {
    id: "system/pacman-package",
    title: "package files of pacman",
    proves: "the package is stored, or was built here; not that it was installed",
};

impl Surface for PacmanPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [".pkg.tar.zst", ".pkg.tar.xz", ".pkg.tar.gz", ".pkg.tar.bz2", ".pkg.tar"].map(Claim::suffix).into()
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let named = by_name(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(Ecosystem::Aur, named.0, named.1, placement(path))?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = &file.entry.path;
        let written = file.mtime("mtime of the package file");
        let Some((name, version)) = by_name(path) else {
            return Ok(());
        };
        let interest = file.interest;
        let known = |name: &str| interest.knows_package(Ecosystem::Aur, &normal_name(Ecosystem::Aur, name));
        let by_name = || package(Ecosystem::Aur, name, version, placement(path)).map(Fact::Named);
        if !known(name) {
            by_name().into_iter().for_each(|named| out.push(written.clone(), named));
            return Ok(());
        }
        let info = match info(file) {
            Ok(info) => info,
            Err(flaw) => {
                by_name().into_iter().for_each(|named| out.push(written.clone(), named));
                return Err(flaw);
            }
        };
        let Some(info) = info.as_deref().and_then(Info::new) else {
            by_name().into_iter().for_each(|named| out.push(written.clone(), named));
            return Ok(());
        };
        let built = info.built.and_then(|at| At::unix(at, "time of the build in the package file")).or(written);
        if (info.name, info.version) != (name, version) {
            let what = format!("its file name says {name} {version}, the package says {} {}", info.name, info.version);
            out.push(None, Fact::Disagreement { names: [name.into(), info.name.into()], what });
            by_name().into_iter().for_each(|named| out.push(built.clone(), named));
        }
        for name in [Some(info.name), info.base.filter(|base| *base != info.name && known(base))].into_iter().flatten()
        {
            let found = fact(Ecosystem::Aur, name, info.version, placement(path));
            found.into_iter().for_each(|found| out.push(built.clone(), found));
        }
        Ok(())
    }
}

fn by_name(path: &TreePath) -> Option<(&str, &str)> {
    aur::split(std::str::from_utf8(path.name()).ok()?).filter(|(name, _)| is_name(name))
}

fn placement(path: &TreePath) -> Placement {
    if is_built_in(path) { Placement::Built } else { Placement::Cached }
}

/// The text of `.PKGINFO`; `None` where the archive is packed in a way that is not read.
fn info(file: &mut Opened<'_, '_>) -> Result<Option<String>, Flaw> {
    let head = file.head(ZSTD.len())?;
    let (zstd, gzip) = (head.starts_with(ZSTD), head.starts_with(GZIP));
    let raw = BufReader::with_capacity(1 << 16, file.reader());
    if zstd {
        let mut unpacked = zstd::Decoder::with_buffer(raw)?;
        unpacked.window_log_max(WINDOW)?;
        return member(unpacked).map(Some);
    }
    if gzip {
        return member(MultiGzDecoder::new(raw)).map(Some);
    }
    Ok(None)
}

fn member(unpacked: impl Read) -> Result<String, Flaw> {
    let mut archive = tar::Archive::new(unpacked.take(BEFORE));
    let damaged = |_| Flaw::malformed(WHAT, "its archive is damaged");
    for member in archive.entries().map_err(damaged)?.take(MEMBERS) {
        let member = member.map_err(damaged)?;
        if &*member.path_bytes() == b".PKGINFO" {
            let mut bytes = Vec::new();
            member.take(INFO).read_to_end(&mut bytes).map_err(damaged)?;
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Err(Flaw::malformed(WHAT, "it has no .PKGINFO at its start"))
}

/// What `.PKGINFO` says.
struct Info<'t> {
    name: &'t str,
    version: &'t str,
    base: Option<&'t str>,
    built: Option<i64>,
}

impl<'t> Info<'t> {
    fn new(text: &'t str) -> Option<Self> {
        let value = |key: &str| {
            text.lines().filter_map(|l| l.split_once(" = ")).find(|(k, _)| *k == key).map(|(_, v)| v.trim())
        };
        Some(Self {
            name: value("pkgname").filter(|n| is_name(n))?,
            version: value("pkgver").filter(|v| is_version(Ecosystem::Aur, v))?,
            base: value("pkgbase").filter(|n| is_name(n)),
            built: value("builddate").and_then(|d| d.parse().ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};
    use crate::surface::python::trial::tar_gz;

    const INFO: &str =
        "# Generated by makepkg 6.0.2\npkgname = alvr\npkgbase = alvr\npkgver = 20.13.0-1\nbuilddate = 1781162280\n";
    const PLACE: &str = "var/cache/pacman/pkg/alvr-20.13.0-1-any.pkg.tar.gz";

    fn of(path: &str, bytes: &[u8]) -> Vec<String> {
        said(&PacmanPackage, path, bytes, &[(Ecosystem::Aur, "alvr")])
    }

    fn packed(info: &str) -> Vec<u8> {
        tar_gz(&[(".BUILDINFO", "format = 2\n"), (".PKGINFO", info), ("usr/bin/alvr", "x")])
    }

    #[test]
    fn what_the_package_says_counts_and_its_place_says_whether_it_was_built() {
        let found = |how: &str| [format!("alvr 20.13.0-1 {how} 2026-06-11T07:18:00Z")];
        assert_eq!(of(PLACE, &packed(INFO)), found("Cached"));
        assert_eq!(of("home/a/.cache/yay/alvr/alvr-20.13.0-1-any.pkg.tar.gz", &packed(INFO)), found("Built"));
        let split = of(PLACE, &packed(&INFO.replace("pkgname = alvr", "pkgname = alvr-x")));
        assert!(split[0].contains("its file name says alvr 20.13.0-1, the package says alvr-x 20.13.0-1"), "{split:?}");
        assert_eq!(split.len(), 4, "{split:?}");
        // The same bytes, packed by zstd.
        let mut tar = Vec::new();
        MultiGzDecoder::new(packed(INFO).as_slice()).read_to_end(&mut tar).unwrap();
        let zstd = zstd::encode_all(tar.as_slice(), 3).unwrap();
        assert_eq!(of("x/alvr-20.13.0-1-any.pkg.tar.zst", &zstd), found("Cached"));
    }

    #[test]
    fn of_other_packings_and_other_packages_the_name_is_known() {
        let by_name = "named alvr 20.13.0-1 Cached 2026-03-24T11:00:00Z";
        assert_eq!(of("x/alvr-20.13.0-1-any.pkg.tar.xz", b"\xfd7zXZ\0\0"), [by_name]);
        assert_eq!(of(PLACE, &packed("pkgname = alvr\n")), [by_name]);
        let other = "x/paru-2.0-1-x86_64.pkg.tar.zst";
        assert_eq!(of(other, b"no archive"), ["named paru 2.0-1 Cached 2026-03-24T11:00:00Z"]);
        for path in
            ["x/alvr.pkg.tar.gz", "x/alvr-1-any.pkg.tar.gz", "x/-1-1-any.pkg.tar.gz", "x/alvr-20.13.0-1-z80.pkg.tar.gz"]
        {
            assert_eq!(of(path, &packed(INFO)), [""; 0], "{path}");
        }
    }

    #[test]
    fn damaged_archives_are_flaws_beside_the_name() {
        let whole = packed(INFO);
        let damaged: [&[u8]; 4] = [GZIP, &whole[..30], &[ZSTD, b"xxxxxxxxxxxx"].concat(), &tar_gz(&[("usr/x", "x")])];
        for bytes in damaged {
            let found = of(PLACE, bytes);
            assert_eq!(found.len(), 2, "{found:?}");
            assert!(
                found[0].starts_with("named alvr") && found[1].starts_with("flaw: not a valid package of pacman"),
                "{found:?}"
            );
        }
        // A bomb before it.
        let bomb = tar_gz(&[("x", &"0".repeat(usize::try_from(BEFORE).unwrap())), (".PKGINFO", INFO)]);
        assert!(of(PLACE, &bomb)[1].starts_with("flaw: not a valid"));
    }
}
