//! Archives of packages that lie about: downloads, what `npm pack` made, offline mirrors, folders of `file:` dependencies.
//!
//! ```text
//! ~/Downloads/axios-1.14.1.tgz, axios-1.14.1 (1).tgz      as the registry, `npm pack`, `yarn pack` name it; `s-x-1.0.0.tgz` of `@s/x`
//! vendor/@s-x-1.0.0.tgz, axios.tgz, axios-1.14.1.tar.gz   yarn classic's offline mirror; renamed
//! npm-axios-1.14.1-<40 hex>-integrity/node_modules/axios/.yarn-tarball.tgz   yarn classic's cache: read where an indicator names it
//!   package/package.json                                  in the gzipped tar, anywhere between its first and last member
//! ```
//!
//! Every `.tgz` whose first member lies in `package/` is read, so that a renamed one is found; a `.tar.gz`, and one with another
//! folder, only where its name starts with a package that an indicator names. Of a large one under another name the first description
//! of a package that no indicator knows ends the reading, and in a package of another ecosystem it is left: wheels of Python carry
//! programs for Node (`_jsii/aws-cdk-lib@2.275.0.jsii.tgz`) that unpack to hundreds of megabytes. What a forge makes of a repository has
//! the folder `axios-1.14.1` and is another thing. A hit proves that the bytes are on the disk. Documented in npm's `pack` page.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::{
    about,
    identity::{is_name, is_version, package},
};
use crate::{
    ecosystem::{around, package_around, store_entry},
    fact::{Artifact, Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
    tree::Kind,
};

/// What of the start is looked at to recognise what it is.
const HEAD: usize = 64 << 10;
/// Unpacked; the largest of npm's packages have a few hundred megabytes.
const UNPACKED: u64 = 512 << 20;
const MEMBERS: usize = 200_000;
/// Packed: smaller ones are read to their end, in case a second description follows the first.
const LARGE: u64 = 4 << 20;
/// A longer `package.json` is none.
const MANIFEST: u64 = 4 << 20;
/// What may be said of the member behind it: a longer path, in PAX or GNU form.
const EXTENSION: u64 = 64 << 10;
/// Descriptions that are taken of one archive.
const DESCRIPTIONS: usize = 8;
const WHAT: &str = "package archive";
/// The folder that packers make.
const FOLDER: &[u8] = b"package";

/// `*.tgz`, and `*.tar.gz` of packages that indicators name.
pub struct PackageArchive;

static META: Meta = Meta {
    id: "node/tarball",
    title: "archives of Node packages lying about",
    proves: "the bytes are on the disk; not that it was installed",
};

impl Surface for PackageArchive {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Artifacts]
    }

    /// Nothing loads an archive.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [".tgz", ".tar.gz"].map(Claim::suffix).into()
    }

    fn named(&self, path: &TreePath, kind: Kind, interest: &Interest) -> Option<(TreePath, Fact)> {
        if kind == Kind::Dir {
            return None;
        }
        let (name, version) = known_by_name(path.name(), interest)?;
        Some((path.clone(), Fact::Named(package(&name, &version, Placement::Cached))))
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        (first_folder(head).as_deref() == Some(FOLDER)).then_some("*.tgz")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the archive");
        let (interest, path) = (file.interest, file.entry.path.clone());
        if let Some((name, version)) = entry_of_yarn(&path).filter(|(n, _)| !interest.knows_package(Ecosystem::Npm, n))
        {
            let artifacts = vec![artifact(&name, &version, file.entry.len, None)];
            out.push(at, Fact::Package(Package { artifacts, ..package(&name, &version, Placement::Cached) }));
            return Ok(());
        }
        let known = known_by_name(path.name(), interest);
        let starts = known.is_some() || starts_with_known(path.name(), interest);
        let size = file.entry.len;
        let is_carried = || size > LARGE && around(&path).is_some_and(|ecosystem| ecosystem != Ecosystem::Npm);
        if !starts && (!path.name().ends_with(b".tgz") || is_carried()) {
            return Ok(());
        }
        let folder = first_folder(file.head(HEAD)?);
        let is_package = folder.as_deref() == Some(FOLDER);
        if !is_package && !starts {
            return Ok(());
        }
        let Some(folder) = folder else {
            return known.map_or(Ok(()), |_| Err(Flaw::malformed(WHAT, "it is no gzipped tar")));
        };
        let known_package = |p: &Package| interest.knows_package(Ecosystem::Npm, &p.name);
        let enough = |p: &Package| size > LARGE && !starts && !known_package(p);
        let (found, whole) = found_in(file.seekable()?, is_package, &enough)?;
        let hash = found.iter().any(known_package);
        let sha256 = if hash { file.sha256_or_gap(out) } else { None };
        let is_empty = found.is_empty();
        for package in found {
            let base = package.name.rsplit('/').next().unwrap_or_default();
            // A package may bear its own name in place of `package`.
            if !is_package && folder != base.as_bytes() {
                continue;
            }
            let artifacts = vec![artifact(&package.name, &package.version, size, sha256.clone())];
            out.push(at.clone(), Fact::Package(Package { artifacts, ..package }));
        }
        match known {
            Some(_) if is_package && is_empty && !whole => Err(Flaw::Truncated(WHAT)),
            Some(_) if is_package && is_empty => Err(Flaw::malformed(WHAT, "nothing in it says what it is")),
            _ => Ok(()),
        }
    }
}

/// As the registry names it.
fn artifact(name: &str, version: &str, size: u64, sha256: Option<String>) -> Artifact {
    let base = name.rsplit('/').next().unwrap_or_default();
    Artifact { name: Some(format!("{base}-{version}.tgz")), size: Some(size), sha256, ..Artifact::default() }
}

/// What an entry of yarn classic's cache is called, which holds the archive beside the package unpacked:
/// `npm-@s-x-1.0.0-<40 hex>-integrity/node_modules/@s/x/.yarn-tarball.tgz`.
fn entry_of_yarn(path: &TreePath) -> Option<(String, String)> {
    if path.name() != b".yarn-tarball.tgz" {
        return None;
    }
    let name = package_around(Ecosystem::Npm, path)?;
    let entry = store_entry(path)?;
    let entry = std::str::from_utf8(entry.name()).ok()?;
    let rest = entry.strip_prefix("npm-")?.strip_prefix(&name.replace('/', "-"))?.strip_prefix('-')?;
    let (version, _) = rest.strip_suffix("-integrity").unwrap_or(rest).rsplit_once('-')?;
    (is_name(&name) && is_version(version)).then(|| (name.into(), version.to_owned()))
}

/// The name without its ending, and without what a browser adds: `axios-1.14.1 (1)`.
fn stem(file: &[u8]) -> Option<&str> {
    let file = std::str::from_utf8(file).ok()?;
    let stem = file.strip_suffix(".tgz").or_else(|| file.strip_suffix(".tar.gz"))?;
    Some(stem.split([' ', '(']).next().unwrap_or(stem))
}

/// The names that a file name may stand for: `tanstack-react-router` is `@tanstack/react-router`, or itself.
fn names_of(stem: &str) -> impl Iterator<Item = String> {
    let bare = stem.trim_start_matches('@');
    let scoped = bare.match_indices('-').filter_map(|(at, _)| {
        let (scope, rest) = bare.split_at_checked(at)?;
        Some(format!("@{scope}/{}", rest.get(1..)?))
    });
    std::iter::once(bare.to_owned()).chain(scoped)
}

/// The package that an indicator names, by the name of a file.
fn known_by_name(file: &[u8], interest: &Interest) -> Option<(String, String)> {
    let stem = stem(file)?;
    let versions = stem.match_indices('-').filter_map(|(at, _)| Some((stem.get(..at)?, stem.get(at + 1..)?)));
    let (name, version) = versions.into_iter().find(|(_, v)| is_version(v) && v.contains('.'))?;
    let known = |n: &String| is_name(n) && interest.knows_package(Ecosystem::Npm, n);
    names_of(name).find(known).map(|name| (name, version.to_owned()))
}

/// Whether a name starts with a package that an indicator names: `axios`, `axios-copy`.
fn starts_with_known(file: &[u8], interest: &Interest) -> bool {
    let Some(stem) = stem(file).filter(|s| s.len() <= 214) else {
        return false;
    };
    let ends = stem.match_indices(['-', '.', '_']).map(|(at, _)| at).chain([stem.len()]);
    ends.filter_map(|at| stem.get(..at)).any(|start| is_name(start) && interest.knows_package(Ecosystem::Npm, start))
}

/// The outermost folder of the first member of a gzipped tar, by its first bytes.
fn first_folder(head: &[u8]) -> Option<Vec<u8>> {
    if !head.starts_with(b"\x1f\x8b") {
        return None;
    }
    let mut start = Vec::new();
    // What is cut off ends in an error behind what was unpacked.
    let _ = MultiGzDecoder::new(head).take(u64::try_from(HEAD).unwrap_or(0)).read_to_end(&mut start);
    let mut first = None;
    let _ = each_member(start.as_slice(), &mut |path, _| {
        first = path.split(|b| *b == b'/').next().filter(|_| path.contains(&b'/')).map(<[u8]>::to_vec);
        Ok(false)
    });
    first
}

type Found = Vec<Package>;

/// The packages that an archive describes: one, or several where somebody put two descriptions into it, of which an installer takes the
/// last. And whether it could be read to its end, or as far as it was `enough`.
fn found_in(gzip: impl Read, in_package: bool, enough: &dyn Fn(&Package) -> bool) -> Result<(Found, bool), Flaw> {
    let mut found = Found::new();
    let mut stopped = None;
    let end = each_member(MultiGzDecoder::new(gzip).take(UNPACKED), &mut |path, body| {
        let parts: Vec<&[u8]> = path.split(|b| *b == b'/').filter(|p| !matches!(*p, b"" | b".")).collect();
        if let [folder, b"package.json"] = parts.as_slice()
            && (!in_package || *folder == FOLDER)
        {
            let mut bytes = Vec::new();
            body.take(MANIFEST).read_to_end(&mut bytes)?;
            let about = about::read(&bytes).unwrap_or_default();
            if let Some((name, version)) = about.name.zip(about.version).filter(|(n, v)| is_name(n) && is_version(v)) {
                let package = Package {
                    requires: about.requires.as_slice().into(),
                    ..package(&name, &version, Placement::Cached)
                };
                let more = !enough(&package);
                if !found.contains(&package) && found.len() < DESCRIPTIONS {
                    found.push(package);
                }
                return Ok(more);
            }
        }
        Ok(true)
    });
    if let Err(error) = end {
        // The medium's fault is said; damage is known by its end.
        if error.get_ref().is_some_and(|e| e.is::<crate::tree::body::BodyError>()) {
            stopped = Some(error);
        } else {
            return Ok((found, false));
        }
    }
    stopped.map_or(Ok((found, true)), |error| Err(error.into()))
}

type Each<'e> = dyn FnMut(&[u8], &mut dyn Read) -> io::Result<bool> + 'e;

/// Hands on each file and folder with its path, until the answer is no.
fn each_member(tar: impl Read, each: &mut Each<'_>) -> io::Result<()> {
    // Raw: what says a longer path would be read into memory whole.
    let mut tar = tar::Archive::new(tar);
    let mut longer: Option<Vec<u8>> = None;
    for member in tar.entries()?.raw(true).take(MEMBERS) {
        let mut member = member?;
        match member.header().entry_type().as_byte() {
            b'x' | b'L' => {
                let is_pax = member.header().entry_type().as_byte() == b'x';
                let mut bytes = Vec::new();
                (&mut member).take(EXTENSION).read_to_end(&mut bytes)?;
                longer = if is_pax { pax_path(&bytes).or(longer) } else { Some(bytes) };
            }
            b'0' | b'\0' | b'5' | b'7' => {
                let path = longer.take().unwrap_or_else(|| member.path_bytes().into_owned());
                let path = path.split(|b| *b == 0).next().unwrap_or_default();
                let path = path.strip_prefix(b"./").unwrap_or(path);
                if !each(path, &mut member)? {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `30 path=package/package.json\n`
fn pax_path(records: &[u8]) -> Option<Vec<u8>> {
    let mut path = None;
    for line in records.split(|b| *b == b'\n') {
        let record = line.iter().position(|b| *b == b' ').and_then(|at| line.get(at + 1..)).unwrap_or_default();
        path = record.strip_prefix(b"path=").map(<[u8]>::to_vec).or(path);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};
    use crate::surface::python::trial::tar_gz;

    const AXIOS: &str = r#"{"name":"axios","version":"1.14.1","dependencies":{"plain-crypto-js":"^4.2.1"}}"#;
    const KNOWN: &[&str] = &["axios", "@tanstack/react-router"];

    fn packed(folder: &str, about: &str) -> Vec<u8> {
        tar_gz(&[(&format!("{folder}/LICENSE"), "MIT"), (&format!("{folder}/package.json"), about)])
    }

    fn said(path: &str, bytes: &[u8]) -> Vec<String> {
        tried(&PackageArchive, path, bytes, KNOWN).said
    }

    #[test]
    fn archives_are_found_under_any_name() {
        let axios = packed("package", AXIOS);
        for path in [
            "h/Downloads/axios-1.14.1.tgz",
            "h/Downloads/axios-1.14.1 (1).tgz",
            "h/Downloads/holiday.tgz",
            "a/vendor/axios-1.14.1.tar.gz",
            "h/.cache/yarn/v6/npm-axios-1.14.1-0a/.yarn-tarball.tgz",
        ] {
            assert_eq!(said(path, &axios), ["package axios 1.14.1 Cached"], "{path}");
        }
        let scoped = packed("package", r#"{"name":"@s/x","version":"1.0.0"}"#);
        assert_eq!(said("mirror/@s-x-1.0.0.tgz", &scoped), ["package @s/x 1.0.0 Cached"]);
        // As `@types` packs.
        assert_eq!(said("h/axios-1.14.1.tgz", &packed("axios", AXIOS)), ["package axios 1.14.1 Cached"]);
    }

    #[test]
    fn the_file_is_hashed_where_an_indicator_names_the_package() {
        let artifact = |about: &str| {
            let tried = tried(&PackageArchive, "h/x.tgz", &packed("package", about), KNOWN);
            let Fact::Package(p) = &tried.seen[0].fact else { panic!("no package") };
            p.artifacts[0].clone()
        };
        let known = artifact(AXIOS);
        assert_eq!((known.name.as_deref(), known.sha256.map(|h| h.len())), (Some("axios-1.14.1.tgz"), Some(64)));
        assert_eq!(artifact(r#"{"name":"b","version":"1.0.0"}"#).sha256, None);
    }

    #[test]
    fn other_archives_are_left_alone() {
        let forge = packed("axios-1.14.1", AXIOS);
        let backup = packed("src", AXIOS);
        let deep = tar_gz(&[("package/LICENSE", "MIT"), ("package/test/package.json", AXIOS)]);
        for (path, bytes) in [
            ("h/axios-1.14.1.tar.gz", &forge),
            ("h/axios-1.14.1.tgz", &forge),
            ("h/backup.tgz", &backup),
            ("h/holiday.tar.gz", &packed("package", AXIOS)),
            ("h/x.tgz", &deep),
        ] {
            let tried = tried(&PackageArchive, path, bytes, KNOWN);
            assert_eq!((tried.said, tried.flaw.is_some()), (vec![], false), "{path}");
        }
    }

    #[test]
    fn all_that_is_put_in_twice_counts() {
        let harmless = r#"{"name":"b","version":"1.0.0"}"#;
        let twice = tar_gz(&[("package/package.json", harmless), ("package/./package.json", AXIOS)]);
        assert_eq!(said("h/x.tgz", &twice), ["package b 1.0.0 Cached", "package axios 1.14.1 Cached"]);
        let long = format!("package/{}", "d/".repeat(200));
        let behind = tar_gz(&[("package/LICENSE", ""), (&format!("{long}x"), ""), ("package/package.json", AXIOS)]);
        assert_eq!(said("h/x.tgz", &behind), ["package axios 1.14.1 Cached"]);
    }

    #[test]
    fn entries_of_a_cache_say_what_their_archives_are() {
        let entry = |entry: &str, name: &str| {
            let sha1 = "0a".repeat(20);
            format!("h/.cache/yarn/v6/npm-{entry}-{sha1}-integrity/node_modules/{name}/.yarn-tarball.tgz")
        };
        let other = packed("package", r#"{"name":"other","version":"9.0.0"}"#);
        for (path, is) in [
            // One that no indicator names is not read.
            (entry("@s-x-1.0.0-rc.1", "@s/x"), "package @s/x 1.0.0-rc.1 Cached"),
            (entry("x-1.0.0", "x"), "package x 1.0.0 Cached"),
            (entry("axios-1.14.1", "axios"), "package other 9.0.0 Cached"),
            // No entry of that cache, or one that somebody renamed.
            (entry("y-1.0.0", "x"), "package other 9.0.0 Cached"),
            ("p/node_modules/x/.yarn-tarball.tgz".to_owned(), "package other 9.0.0 Cached"),
        ] {
            assert_eq!(said(&path, &other), [is], "{path}");
        }
    }

    #[test]
    fn large_ones_in_packages_of_other_ecosystems_are_theirs() {
        let bulk = "x".repeat(usize::try_from(LARGE).unwrap() + 1);
        let tar = [("package/bulk", bulk.as_str()), ("package/package.json", AXIOS)];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        io::copy(&mut MultiGzDecoder::new(tar_gz(&tar).as_slice()), &mut gzip).unwrap();
        let large = gzip.finish().unwrap();
        let small = packed("package", AXIOS);
        for (path, bytes, found) in [
            ("v/lib/python3.12/site-packages/cdk/_jsii/lib@2.jsii.tgz", &large, false),
            ("c/uv/archive-v0/SwJqFGqkJxEEAgSd/cdk/_jsii/lib@2.jsii.tgz", &large, false),
            ("v/lib/python3.12/site-packages/cdk/_jsii/axios.tgz", &large, true),
            ("v/lib/python3.12/site-packages/cdk/_jsii/lib@2.jsii.tgz", &small, true),
            ("p/node_modules/x/vendor/lib.tgz", &large, true),
            ("h/Downloads/lib.tgz", &large, true),
        ] {
            assert_eq!(!said(path, bytes).is_empty(), found, "{path}");
        }
    }

    #[test]
    fn the_name_speaks_where_the_content_does_not() {
        let mut interest = Interest::default();
        KNOWN.iter().for_each(|name| interest.packages.insert(Ecosystem::Npm, name));
        let says = |file: &str| known_by_name(file.as_bytes(), &interest).map(|(n, v)| format!("{n} {v}"));
        for (file, is) in [
            ("axios-1.14.1.tgz", Some("axios 1.14.1")),
            ("axios-1.14.1-rc.1.tgz", Some("axios 1.14.1-rc.1")),
            ("axios-1.14.1 (2).tgz", Some("axios 1.14.1")),
            ("tanstack-react-router-1.169.5.tgz", Some("@tanstack/react-router 1.169.5")),
            ("@tanstack-react-router-1.169.5.tgz", Some("@tanstack/react-router 1.169.5")),
            ("axios-mock-1.14.1.tgz", None),
            ("axios-1.tgz", None),
            ("axios.tgz", None),
            ("my-axios-1.14.1.tgz", None),
            ("axios-1.14.1.zip", None),
            ("\u{1b}-1.14.1.tgz", None),
        ] {
            assert_eq!(says(file).as_deref(), is, "{file}");
        }
        let flaw = |path: &str, bytes: &[u8]| tried(&PackageArchive, path, bytes, KNOWN).flaw.is_some();
        let axios = packed("package", AXIOS);
        let cut = axios.get(..axios.len() / 2).unwrap();
        for bytes in [b"<html>".as_slice(), b"", &axios[..20], cut, &packed("package", "{"), &packed("package", "[]")] {
            assert!(flaw("h/axios-1.14.1.tgz", bytes), "{} bytes", bytes.len());
            assert!(!flaw("h/other-1.0.0.tgz", bytes), "{} bytes", bytes.len());
        }
    }

    #[test]
    fn hostile_archives_are_bounded() {
        // A header that says a longer path of four gigabytes, and one that says that the file is as long.
        for kind in [b'x', b'L', b'0'] {
            let mut header = tar::Header::new_gnu();
            header.set_path("package/package.json").unwrap();
            header.set_entry_type(tar::EntryType::new(kind));
            header.set_size(4 << 30);
            header.set_cksum();
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            io::Write::write_all(&mut gzip, header.as_bytes()).unwrap();
            io::Write::write_all(&mut gzip, &[b'a'; 4096]).unwrap();
            assert_eq!(said("h/x.tgz", &gzip.finish().unwrap()), [""; 0]);
        }
        let many: Vec<(String, &str)> = (0..20_000).map(|n| (format!("package/{n}/package.json"), "{")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        assert_eq!(said("h/x.tgz", &tar_gz(&many)), [""; 0]);
        let pax = pax_path(b"30 mtime=1\n33 path=package/package.json\n");
        assert_eq!(pax.as_deref(), Some(b"package/package.json".as_slice()));
    }
}
