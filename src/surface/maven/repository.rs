//! What Maven and Gradle fetched.
//!
//! ```text
//! ~/.m2/repository/org/acme/a/1.2.3/a-1.2.3.jar                            `a-1.2.3-linux.jar`: one of several files; also .war, .aar
//! ~/.gradle/caches/modules-2/files-2.1/org.acme/a/1.2.3/<SHA-1>/a-1.2.3.jar
//! ```
//!
//! A `.pom` alone says nothing of the code: it is read to choose versions. A hit proves that the bytes were fetched; not that anything was built or run
//! with them. `localRepository` and `-Dmaven.repo.local` may put the first elsewhere: a folder called `repository` is looked for. Documented in
//! Maven's "Introduction to Repositories", Gradle's in "The Directories and Files Gradle Uses".

use super::package;
use crate::{
    ecosystem::maven::{Stored, stored},
    fact::{Artifact, Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// `*.jar` in local repositories.
pub struct Repository;

static META: Meta = Meta {
    id: "maven/repository",
    title: "artifacts that Maven and Gradle fetched",
    proves: "the bytes were fetched; not that anything was built or run with them",
};

impl Surface for Repository {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there but by what was built.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let of = |end| ["repository", "files-2.1"].map(|folder| Claim::suffix(end).within(folder));
        [".jar", ".war", ".aar"].into_iter().flat_map(of).collect()
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let found = stored(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(of(&found))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let Some(found) = stored(&path) else {
            return Ok(());
        };
        let (at, package) = (file.mtime("mtime of the artifact"), of(&found));
        if !file.interest.knows_package(Ecosystem::Maven, &package.name) {
            out.push(at, Fact::Package(package));
            return Ok(());
        }
        let is_archive = file.head(4)?.starts_with(b"PK");
        let sha256 = file.sha256_or_gap(out);
        let name = std::str::from_utf8(path.name()).ok().map(str::to_owned);
        let artifact = Artifact { name, size: Some(file.entry.len), sha256, ..Artifact::default() };
        let package = Package { artifacts: vec![artifact], ..package };
        if is_archive {
            out.push(at, Fact::Package(package));
            return Ok(());
        }
        out.push(at, Fact::Named(package));
        Err(Flaw::malformed("jar", "it is no archive"))
    }
}

fn of(found: &Stored) -> Package {
    package(&found.group, &found.artifact, &found.version, Placement::Cached)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        said(&Repository, path, bytes, &["org.acme:a"])
    }

    #[test]
    fn artifacts_of_both_stores_are_found() {
        for path in [
            "h/.m2/repository/org/acme/a/1.2.3/a-1.2.3.jar",
            "h/.m2/repository/org/acme/a/1.2.3/a-1.2.3-linux-x86_64.jar",
            "srv/repository/org/acme/a/1.2.3/a-1.2.3.war",
            "h/.gradle/caches/modules-2/files-2.1/org.acme/a/1.2.3/0a1b/a-1.2.3.jar",
        ] {
            assert_eq!(read(path, b"PK\x03\x04"), (vec!["package org.acme:a 1.2.3 Cached".into()], None), "{path}");
        }
        let other = "h/.m2/repository/org/acme/b/1.0/b-1.0.jar";
        assert_eq!(read(other, b""), (vec!["package org.acme:b 1.0 Cached".into()], None));
    }

    #[test]
    fn other_files_are_left_alone() {
        for path in [
            "h/.m2/repository/org/acme/a/1.2.3/b-1.2.3.jar",
            "h/.m2/repository/org/acme/a/1.2.3/a-1.2.4.jar",
            "h/.m2/repository/org/acme/a/1.2.3/a-1.2.3-sources.jar",
            "h/.m2/repository/org/acme/a/1.2.3/a-1.2.3-javadoc.jar",
            "h/src/org/acme/a/1.2.3/a-1.2.3.jar",
            "h/.m2/repository/a/1.2.3/a-1.2.3.jar",
            "h/.m2/repository/a.jar",
            "h/.gradle/caches/modules-2/files-2.1/org.acme/a/1.2.3/a-1.2.3.jar",
        ] {
            assert_eq!(read(path, b"PK\x03\x04"), (vec![], None), "{path}");
        }
    }

    #[test]
    fn a_known_one_that_is_no_archive_counts_by_its_name() {
        for bytes in [b"".as_slice(), b"text", b"\0\0\0\0"] {
            let (said, flaw) = read("h/.m2/repository/org/acme/a/1.2.3/a-1.2.3.jar", bytes);
            assert_eq!((said, flaw.is_some()), (vec!["named org.acme:a 1.2.3 Cached".to_owned()], true));
        }
    }
}
