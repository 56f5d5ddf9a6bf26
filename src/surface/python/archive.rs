//! What a wheel, an egg or an sdist is, by what stands in it. File names are hints only: caches name files by hashes, people
//! rename them.
//!
//! ```text
//! litellm-1.82.8-py3-none-any.whl      zip   litellm-1.82.8.dist-info/{METADATA, WHEEL}
//! six-1.17.0-py3.8.egg                 zip   EGG-INFO/PKG-INFO
//! telnyx-4.87.1.tar.gz, .zip           tar   telnyx-4.87.1/PKG-INFO, anywhere between the first and the last member
//! ```

use std::io::{Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::{
    dist_info::package,
    found::Found,
    identity,
    zip_directory::{Member, each_member, read_member},
};
use crate::{
    ecosystem::pypi::{is_name, is_version, normalise},
    fact::{Artifact, Ecosystem, Package, Placement},
    interest::Interest,
    surface::Flaw,
    text::hex,
};

/// Headers end long before this.
const HEADERS: u64 = 4 << 20;
/// Of an sdist whose name an indicator has; others are left after their first member.
const UNPACKED: u64 = 512 << 20;
const MEMBERS: usize = 200_000;

/// What a wheel or egg says of itself; `None` where a zip is neither. Its folder names it too, which is enough where the
/// description is missing or cannot be read.
///
/// # Errors
/// Where it is damaged.
pub fn of_zip<R: Read + Seek>(zip: &mut R, placement: Placement) -> Result<Option<Found>, Flaw> {
    let (mut about, mut tags, mut egg, mut sdist) = (None, None, None, None);
    let (mut stem, mut folder_of_sdist) = (Vec::new(), Vec::new());
    each_member(zip, &mut |name, member| match (folder_of(name, b"METADATA"), folder_of(name, b"WHEEL")) {
        (Some(folder), _) if folder.ends_with(b".dist-info") => {
            stem = folder.strip_suffix(b".dist-info").unwrap_or_default().to_vec();
            about = Some(member);
        }
        (_, Some(folder)) if folder.ends_with(b".dist-info") => {
            if about.is_none() {
                stem = folder.strip_suffix(b".dist-info").unwrap_or_default().to_vec();
            }
            tags = Some(member);
        }
        _ => match folder_of(name, b"PKG-INFO") {
            Some(b"EGG-INFO") => egg = Some(member),
            Some(folder) if sdist_parts(folder).is_some() => {
                folder_of_sdist = folder.to_vec();
                sdist = Some(member);
            }
            _ => {}
        },
    })?;
    let mut read = |member, what| package(&read_member(zip, member, HEADERS)?, what, placement);
    let named = |stem: &[u8]| sdist_parts(stem).map(|(name, version)| identity::package(name, version, placement));
    if about.is_none() && tags.is_none() {
        let Some(member) = egg.or(sdist) else {
            return Ok(None);
        };
        let by_folder = egg.is_none().then(|| named(&folder_of_sdist)).flatten();
        return Found::new(read(member, "PKG-INFO"), by_folder).map(Some);
    }
    let mut found = match (about, named(&stem)) {
        (Some(about), by_folder) => Found::new(read(about, "METADATA"), by_folder)?,
        (None, Some(by_folder)) => Found::undescribed(by_folder),
        (None, None) => return Ok(None),
    };
    found.package.artifacts = vec![Artifact { name: wheel_name(zip, &stem, tags), ..Artifact::default() }];
    Ok(Some(found))
}

/// The folder of `folder/file`, which stands at the top of the archive.
fn folder_of<'n>(name: &'n [u8], file: &[u8]) -> Option<&'n [u8]> {
    name.strip_suffix(file)?.strip_suffix(b"/").filter(|folder| !folder.contains(&b'/'))
}

/// The file name that the index gave this wheel, put together from its `WHEEL`; `None` where that does not say.
fn wheel_name<R: Read + Seek>(zip: &mut R, stem: &[u8], tags: Option<Member>) -> Option<String> {
    let about = read_member(zip, tags?, 1 << 16).ok()?;
    let about = std::str::from_utf8(&about).ok()?;
    let (mut build, mut sets) = (None, [const { Vec::new() }; 3]);
    for (key, value) in about.lines().filter_map(|line| line.split_once(": ")) {
        match key {
            "Build" => build = Some(value.trim()),
            "Tag" => {
                for (set, tag) in sets.iter_mut().zip(value.trim().splitn(3, '-')) {
                    if !set.contains(&tag) && set.len() < 32 {
                        set.push(tag);
                    }
                }
            }
            _ => {}
        }
    }
    let stem = std::str::from_utf8(stem).ok()?;
    let parts = [Some(stem.to_owned()), build.map(str::to_owned)].into_iter().flatten();
    let name = parts.chain(sets.map(|set| set.join("."))).collect::<Vec<_>>().join("-") + ".whl";
    wheel_parts(&name).is_some().then_some(name)
}

/// Name and version of a wheel's file name; `None` where it is not one, so that what passes is safe to show.
pub fn wheel_parts(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".whl")?;
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version) = (*parts.first()?, *parts.get(1)?);
    let tags = parts.iter().skip(2).all(|t| !t.is_empty() && is_version(t));
    let fits = (parts.len() == 5 || parts.len() == 6) && is_name(name) && is_version(version) && tags;
    (fits && file.len() <= 300).then_some((name, version))
}

/// Name and version of `telnyx-4.87.1`, the stem of an sdist and the name of its folder.
pub fn sdist_parts(stem: &[u8]) -> Option<(&str, &str)> {
    let (name, version) = std::str::from_utf8(stem).ok()?.rsplit_once('-')?;
    let fits = is_name(name) && is_version(version) && version.starts_with(|c: char| c.is_ascii_digit());
    fits.then_some((name, version))
}

/// What an sdist says of itself; `None` where a gzip is none, or where it is one of a package that no indicator names.
/// Its folder names it too, which is enough where `PKG-INFO` is missing or cannot be reached.
///
/// # Errors
/// Where it is damaged.
pub fn of_sdist<R: Read>(gzip: R, interest: &Interest, placement: Placement) -> Result<Option<Found>, Flaw> {
    // Raw: long names would be read into memory whole, and no sdist needs them for what is looked for.
    let mut tar = tar::Archive::new(MultiGzDecoder::new(gzip).take(UNPACKED));
    let damaged = |_| Flaw::malformed("sdist", "it cannot be unpacked");
    let mut top: Option<Package> = None;
    for member in tar.entries().map_err(damaged)?.raw(true).take(MEMBERS) {
        let Ok(member) = member else {
            return Ok(top.map(Found::sure));
        };
        if !matches!(member.header().entry_type().as_byte(), b'0' | b'\0' | b'5') {
            continue;
        }
        let path = member.path_bytes().into_owned();
        let path = path.strip_prefix(b"./").unwrap_or(&path);
        let folder = path.split(|b| *b == b'/').next().unwrap_or_default();
        let Some((name, version)) = sdist_parts(folder) else {
            return Ok(top.map(Found::sure));
        };
        if !of_interest(interest, &normalise(name)) {
            return Ok(None);
        }
        let named = Package { artifacts: sdist_file(folder), ..identity::package(name, version, placement) };
        if folder_of(path, b"PKG-INFO") == Some(folder) {
            let mut bytes = Vec::new();
            let read = member.take(HEADERS).read_to_end(&mut bytes).map_err(damaged);
            let described = read.and_then(|_| package(&bytes, "PKG-INFO", placement));
            let mut found = Found::new(described, Some(named))?;
            found.package.artifacts = sdist_file(folder);
            return Ok(Some(found));
        }
        top.get_or_insert(named);
    }
    Ok(top.map(Found::sure))
}

/// The index names an sdist as the folder in it.
fn sdist_file(folder: &[u8]) -> Vec<Artifact> {
    let name = std::str::from_utf8(folder).ok().map(|f| format!("{f}.tar.gz"));
    vec![Artifact { name, ..Artifact::default() }]
}

/// Whether an indicator names the package.
pub fn of_interest(interest: &Interest, normal_name: &str) -> bool {
    interest.knows_package(Ecosystem::Pypi, normal_name)
}

/// Adds what is known of the archive as a file: its name where it is a plausible one, its size, and its SHA-256 where an
/// indicator names the package.
///
/// # Errors
/// When the medium fails.
pub fn with_artifact<R: Read + Seek>(
    mut found: Package,
    archive: &mut R,
    file: Option<&str>,
    interest: &Interest,
) -> Result<Package, Flaw> {
    let inside = found.artifacts.pop().and_then(|a| a.name);
    let fits = |(name, version): (&str, &str)| normalise(name) == *found.name && version == &*found.version;
    let outside = file.filter(|f| wheel_parts(f).or_else(|| archive_parts(f)).is_some_and(fits));
    let size = archive.seek(SeekFrom::End(0))?;
    let sha256 = of_interest(interest, &found.name).then(|| hash_of(archive)).transpose()?;
    found.artifacts =
        vec![Artifact { name: outside.map(str::to_owned).or(inside), size: Some(size), sha256, ..Artifact::default() }];
    Ok(found)
}

/// Name and version of an sdist's or egg's file name.
fn archive_parts(file: &str) -> Option<(&str, &str)> {
    if let Some(stem) = file.strip_suffix(".egg") {
        let mut parts = stem.split('-');
        let (name, version) = (parts.next()?, parts.next()?);
        return (is_name(name) && is_version(version) && parts.all(is_version)).then_some((name, version));
    }
    sdist_parts(file.strip_suffix(".tar.gz").or_else(|| file.strip_suffix(".zip"))?.as_bytes())
}

fn hash_of<R: Read + Seek>(archive: &mut R) -> Result<String, Flaw> {
    archive.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match archive.read(&mut block)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(block.get(..n).unwrap_or_default()),
        }
    }
}

/// Whether a file's name starts with a package that an indicator names: `litellm-1.82.8 (1)`.
pub fn starts_with_interest(interest: &Interest, stem: &[u8]) -> bool {
    let name = normalise(&String::from_utf8_lossy(stem));
    let ends = name.match_indices('-').map(|(at, _)| at).chain([name.len()]);
    ends.filter_map(|at| name.get(..at)).any(|start| of_interest(interest, start))
}

#[cfg(test)]
pub mod made {
    //! Archives of an inert stand-in, made for tests.

    use std::io::{Cursor, Write as _};

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// With one indicator: litellm.
    pub fn interest() -> Interest {
        let mut interest = Interest::default();
        interest.packages.insert(Ecosystem::Pypi, "litellm");
        interest
    }

    /// A zip of these members.
    pub fn zip(members: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// A wheel of this distribution.
    pub fn wheel(name: &str, version: &str) -> Vec<u8> {
        let info = format!("{name}-{version}.dist-info");
        zip(&[
            (&format!("{name}/__init__.py"), ""),
            (&format!("{name}_init.pth"), "import os\n"),
            (&format!("{name}/_vendor/other-9.dist-info/METADATA"), "Name: other\nVersion: 9\n"),
            (&format!("{info}/METADATA"), &format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n")),
            (&format!("{info}/WHEEL"), "Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n"),
        ])
    }

    /// A gzipped tar of these members.
    pub fn tar_gz(members: &[(&str, &str)]) -> Vec<u8> {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        for (name, text) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(text.len()).unwrap());
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn zipped(bytes: &[u8], file: Option<&str>) -> Result<Option<(String, String, Artifact)>, Flaw> {
        let mut archive = Cursor::new(bytes);
        let Some(found) = of_zip(&mut archive, Placement::Cached)? else {
            return Ok(None);
        };
        let mut found = with_artifact(found.package, &mut archive, file, &made::interest())?;
        Ok(Some((found.name.to_string(), found.version.to_string(), found.artifacts.remove(0))))
    }

    #[test]
    fn a_wheel_is_known_by_its_content() {
        let bytes = made::wheel("litellm", "1.82.8");
        let (name, version, artifact) = zipped(&bytes, Some("renamed.whl")).unwrap().unwrap();
        assert_eq!((&*name, &*version), ("litellm", "1.82.8"));
        assert_eq!(artifact.name.as_deref(), Some("litellm-1.82.8-py2.py3-none-any.whl"));
        assert_eq!(artifact.sha256.map(|h| h.len()), Some(64));
        let (.., artifact) = zipped(&bytes, Some("litellm-1.82.8-py3-none-any.whl")).unwrap().unwrap();
        assert_eq!(artifact.name.as_deref(), Some("litellm-1.82.8-py3-none-any.whl"));
    }

    #[test]
    fn a_package_without_indicator_is_not_hashed() {
        let (.., artifact) = zipped(&made::wheel("six", "1.0"), None).unwrap().unwrap();
        assert_eq!((artifact.sha256, artifact.size.is_some()), (None, true));
    }

    #[test]
    fn eggs_and_zipped_sdists_are_known_and_other_zips_are_not() {
        let about = "Name: litellm\nVersion: 1.82.8\n";
        for member in ["EGG-INFO/PKG-INFO", "litellm-1.82.8/PKG-INFO"] {
            assert!(zipped(&made::zip(&[(member, about)]), None).unwrap().is_some(), "{member}");
        }
        for member in
            ["docs/litellm-1.82.8.dist-info/METADATA", "METADATA", "PKG-INFO", "a/PKG-INFO", "x.dist-info/WHEEL"]
        {
            assert!(zipped(&made::zip(&[(member, about)]), None).unwrap().is_none(), "{member}");
        }
    }

    #[test]
    fn a_wheel_file_that_lies_about_its_tags_gives_no_name() {
        let info = "litellm-1.82.8.dist-info";
        let bytes = made::zip(&[
            (&format!("{info}/METADATA"), "Name: litellm\nVersion: 1.82.8\n"),
            (&format!("{info}/WHEEL"), "Tag: py3-none-any\u{1b}[2J\n"),
        ]);
        assert_eq!(zipped(&bytes, None).unwrap().unwrap().2.name, None);
    }

    fn unpacked(bytes: &[u8]) -> Option<String> {
        let found = of_sdist(bytes, &made::interest(), Placement::Cached).unwrap();
        found.map(|f| format!("{} {}", f.package.name, f.package.version))
    }

    #[test]
    fn an_sdist_is_known_wherever_its_pkg_info_stands() {
        let about = "Name: litellm\nVersion: 1.82.8\n";
        let last = [("litellm-1.82.8/a.py", "x"), ("litellm-1.82.8/PKG-INFO", about)];
        assert_eq!(unpacked(&made::tar_gz(&last)).as_deref(), Some("litellm 1.82.8"));
        let none = [("litellm-1.82.8/a.py", "x"), ("litellm-1.82.8/tests/PKG-INFO", "Name: x\nVersion: 2\n")];
        assert_eq!(unpacked(&made::tar_gz(&none)).as_deref(), Some("litellm 1.82.8"));
        assert_eq!(unpacked(&made::tar_gz(&[("six-1.0/PKG-INFO", "Name: six\nVersion: 1.0\n")])), None);
        assert_eq!(unpacked(&made::tar_gz(&[("notes/litellm-1.82.8/PKG-INFO", about)])), None);
        assert_eq!(unpacked(b"\x1f\x8bnot really"), None);
    }

    #[test]
    fn a_cut_sdist_is_still_named_by_its_folder() {
        let body = "x".repeat(1 << 20);
        let bytes = made::tar_gz(&[("litellm-1.82.8/a.py", &body), ("litellm-1.82.8/PKG-INFO", "Name: litellm\n")]);
        assert_eq!(unpacked(&bytes[..bytes.len() / 2]).as_deref(), Some("litellm 1.82.8"));
    }

    #[test]
    fn file_names_are_taken_apart() {
        assert_eq!(wheel_parts("a_b-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl"), Some(("a_b", "1.0")));
        for other in ["a.whl", "a-1.whl", "a-1-py3-none-any.zip", "a-1-py3--any.whl", "a-\u{1b}-py3-none-any.whl"] {
            assert_eq!(wheel_parts(other), None, "{other}");
        }
        assert_eq!(sdist_parts(b"my-lib-1.0rc1"), Some(("my-lib", "1.0rc1")));
        assert_eq!(sdist_parts(b"backup-of-things"), None);
        let interest = made::interest();
        assert!(starts_with_interest(&interest, b"LiteLLM-1.82.8 (1)") && starts_with_interest(&interest, b"litellm"));
        assert!(!starts_with_interest(&interest, b"litellmx-1") && !starts_with_interest(&interest, b"my-litellm-1"));
    }
}
