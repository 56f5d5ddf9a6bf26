//! Archives of Java where they are loaded, by what Maven wrote into them of the artifacts in them.
//!
//! ```text
//! srv/tomcat/webapps/shop/WEB-INF/lib/a-1.2.3.jar      also usr/share/java, and .jar, .war, .ear of projects and programs
//! ├── META-INF/maven/GROUP/ARTIFACT/pom.properties     its own, and one of each that was shaded into it: version=, groupId=, artifactId=
//! └── BOOT-INF/lib/b-2.0.jar, WEB-INF/lib/b-2.0.jar    looked into as well, one level down
//! ```
//!
//! What Gradle builds has none. Of each archive the table of contents is read and those members alone. A hit proves that the code is part of
//! an archive that stands there; not that it ran. Documented in "Apache Maven Archiver".

use std::io::{Cursor, Read, Seek};

use super::package;
use crate::{
    ecosystem::{
        is_version,
        maven::{ARCHIVE, is_group, is_part, stored},
    },
    fact::{At, Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        python::zip_directory::{Member, each_member, read_member, window},
    },
};

/// A `pom.properties` has some hundred bytes.
const PROPERTIES: u64 = 4 << 10;
/// Artifacts of one archive, and archives in it.
const ARTIFACTS: usize = 5_000;
const INNER: usize = 2_000;
/// An archive in one that is packed is unpacked to this size, and all of them to that.
const UNPACKED: u64 = 64 << 20;
const ALL_UNPACKED: u64 = 256 << 20;
const ENDINGS: [&str; 3] = [".jar", ".war", ".ear"];

/// `*.jar` where they are loaded.
pub struct Archive;

static META: Meta = Meta {
    id: "maven/archive",
    title: "artifacts in archives of Java",
    proves: "the code is part of an archive that stands there; not that it ran",
};

impl Surface for Archive {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        Some(Unit { ecosystem: Ecosystem::Maven, folder: path.clone(), root: path.clone(), kind: ARCHIVE, usual: true })
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let of = |end: &'static str| {
            let system = ["usr/share/java", "usr/lib/java"].map(|root| Claim::suffix(end).below(root));
            [Claim::suffix(end).in_own_work()].into_iter().chain(system)
        };
        ENDINGS.into_iter().flat_map(of).map(Claim::without_links).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        // A store is another surface's.
        if stored(&file.entry.path).is_some() || !file.head(4)?.starts_with(b"PK") {
            return Ok(());
        }
        let at = file.mtime("mtime of the archive");
        let mut zip = file.seekable()?;
        let (inner, count) = artifacts(&mut zip, "", at.as_ref(), out)?;
        let mut budget = (ARTIFACTS.saturating_sub(count), ALL_UNPACKED);
        for (name, member) in inner {
            if let Err(flaw) = look_into(&mut zip, &name, member, at.as_ref(), &mut budget, out) {
                out.gap(Some(&name), &flaw);
            }
            if budget.0 == 0 {
                return Err(Flaw::Unsupported("an archive of more than 5000 artifacts"));
            }
        }
        Ok(())
    }
}

/// An archive in an archive.
fn look_into<R: Read + Seek>(
    zip: &mut R,
    name: &str,
    member: Member,
    at: Option<&At>,
    budget: &mut (usize, u64),
    out: &mut Sink<'_>,
) -> Result<(), Flaw> {
    let within = format!("{name}!/");
    let (_, count) = if let Some(mut window) = window(zip, member)? {
        artifacts(&mut window, &within, at, out)?
    } else {
        let limit = UNPACKED.min(budget.1);
        let bytes = read_member(zip, member, limit)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        budget.1 = budget.1.saturating_sub(size);
        if size >= limit {
            return Err(Flaw::TooLarge(limit));
        }
        artifacts(&mut Cursor::new(bytes), &within, at, out)?
    };
    budget.0 = budget.0.saturating_sub(count);
    Ok(())
}

/// Pushes the artifacts that an archive says are in it; gives the archives in it, and how many artifacts there were.
fn artifacts<R: Read + Seek>(
    zip: &mut R,
    within: &str,
    at: Option<&At>,
    out: &mut Sink<'_>,
) -> Result<(Vec<(String, Member)>, usize), Flaw> {
    let (mut found, mut inner) = (Vec::new(), Vec::new());
    each_member(zip, &mut |name, member| {
        let is_properties = name.ends_with(b"/pom.properties") || name == b"pom.properties";
        let is_archive = name.ends_with(b".jar") && (name.starts_with(b"BOOT-INF/lib/") || is_below_lib(name));
        if is_properties && found.len() < ARTIFACTS {
            found.push((String::from_utf8_lossy(name).into_owned(), member));
        } else if is_archive && inner.len() < INNER && within.is_empty() {
            inner.push((String::from_utf8_lossy(name).into_owned(), member));
        }
    })?;
    let count = found.len();
    for (name, member) in found {
        let text = read_member(zip, member, PROPERTIES)?;
        if let Some(package) = described(&name, &String::from_utf8_lossy(&text)) {
            let place = format!("{within}{name}");
            out.push_at(Some(&place), None, at.cloned(), Fact::Package(package));
        }
    }
    Ok((inner, count))
}

/// `WEB-INF/lib/x.jar`, `lib/x.jar`; of an `.ear` also at its root.
fn is_below_lib(name: &[u8]) -> bool {
    name.starts_with(b"WEB-INF/lib/") || name.starts_with(b"lib/") || !name.contains(&b'/')
}

/// What a `pom.properties` says; at its usual place the folders say group and artifact too.
fn described(name: &str, text: &str) -> Option<Package> {
    let mut parts = name.strip_prefix("META-INF/maven/").unwrap_or_default().split('/').filter(|part| !part.is_empty());
    let (group, artifact) = (parts.next().map(str::to_owned), parts.next().map(str::to_owned));
    let said = |key: &str| {
        let of =
            |line: &str| Some(line.trim().strip_prefix(key)?.trim_start().strip_prefix(['=', ':'])?.trim().to_owned());
        text.lines().find_map(of).filter(|value| !value.is_empty())
    };
    let group = said("groupId").or(group)?;
    let artifact = said("artifactId").or(artifact)?;
    let version = said("version")?;
    let sound = is_group(&group) && is_part(&artifact) && is_part(&version) && is_version(Ecosystem::Maven, &version);
    sound.then(|| package(&group, &artifact, &version, Placement::Loadable))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::{super::trial::said, *};

    fn zip(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn jar(group: &str, artifact: &str, version: &str) -> Vec<u8> {
        let place = format!("META-INF/maven/{group}/{artifact}/pom.properties");
        let text = format!("#Created by Maven\nversion={version}\ngroupId={group}\nartifactId={artifact}\n");
        zip(&[("META-INF/MANIFEST.MF", b"x"), (&place, text.as_bytes())], CompressionMethod::Deflated)
    }

    fn read(path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        said(&Archive, path, bytes, &["org.acme:a"])
    }

    #[test]
    fn artifacts_are_found_in_jars_and_one_level_down() {
        let own = jar("org.acme", "a", "1.2.3");
        let is = (vec!["package org.acme:a 1.2.3 Loadable".to_owned()], None);
        assert_eq!(read("srv/app/a.jar", &own), is);
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            for place in ["BOOT-INF/lib/a-1.2.3.jar", "WEB-INF/lib/a-1.2.3.jar", "a.jar"] {
                assert_eq!(read("srv/app/shop.war", &zip(&[("x", b"y"), (place, &own)], method)), is, "{place}");
            }
            let deep = zip(&[("lib/b.jar", &zip(&[("lib/a.jar", &own)], method))], method);
            assert_eq!(read("srv/app/deep.ear", &deep), (vec![], None));
        }
        let shaded = zip(
            &[
                ("META-INF/maven/org.acme/a/pom.properties", b"version = 1.2.3\r\n"),
                ("META-INF/maven/g/b/pom.properties", b"version=2\ngroupId=g\nartifactId=b"),
                ("META-INF/maven/g/c/pom.xml", b"<version>1</version>"),
                ("other/META-INF/maven/g/d/pom.properties", b"version=1"),
                ("target/pom.properties", b"version=3\ngroupId=g\nartifactId=e"),
            ],
            CompressionMethod::Deflated,
        );
        assert_eq!(
            read("srv/app/fat.jar", &shaded).0,
            ["package org.acme:a 1.2.3 Loadable", "package g:b 2 Loadable", "package g:e 3 Loadable"]
        );
    }

    #[test]
    fn stores_and_other_files_are_left_alone() {
        let own = jar("org.acme", "a", "1.2.3");
        assert_eq!(read("srv/repository/org/acme/a/1.2.3/a-1.2.3.jar", &own), (vec![], None));
        for bytes in [b"".as_slice(), b"text", &[0; 5000]] {
            assert_eq!(read("srv/app/a.jar", bytes), (vec![], None));
        }
    }

    #[test]
    fn hostile_archives_are_gaps() {
        let own = jar("org.acme", "a", "1.2.3");
        for end in 4..own.len() {
            assert!(read("srv/app/a.jar", &own[..end]).1.is_some(), "{end}");
        }
        for at in 0..own.len() {
            let mut broken = own.clone();
            broken[at] = 0x7f;
            read("srv/app/a.jar", &broken);
        }
        for (group, version) in [("org\u{1b}", "1.0"), ("../x", "1.0"), ("g", ""), ("g", "1 0"), ("g", "${v}")] {
            assert_eq!(read("srv/app/a.jar", &jar(group, "a", version)).0, [""; 0], "{group} {version}");
        }
        let bomb = zip(&[("META-INF/maven/g/b/pom.properties", &vec![b'\n'; 32 << 20])], CompressionMethod::Deflated);
        assert_eq!(read("srv/app/a.jar", &bomb).0, [""; 0]);
        let inner = zip(&[("lib/b.jar", &vec![0; 80 << 20])], CompressionMethod::Deflated);
        assert_eq!(read("srv/app/a.jar", &inner).0, [""; 0]);
    }
}
