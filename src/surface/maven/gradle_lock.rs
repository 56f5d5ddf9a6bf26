//! The lock files of Gradle.
//!
//! ```text
//! project/gradle.lockfile, buildscript-gradle.lockfile, gradle/dependency-locks/NAME.lockfile before Gradle 7
//! │   # This is a Gradle generated file for dependency locking.
//! │   org.acme:a:1.2.3=compileClasspath,runtimeClasspath
//! │   empty=annotationProcessor
//! ```
//!
//! A hit proves that the project resolves to the version; not that it was fetched or built. Documented in "Locking Versions" of Gradle.

use super::package;
use crate::{
    ecosystem::{
        is_version,
        maven::{is_group, is_part},
    },
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{mostly, text},
    },
};

const FILE: usize = 16 << 20;
const LINES: usize = 200_000;

/// `gradle.lockfile`.
pub struct GradleLock;

static META: Meta = Meta {
    id: "maven/gradle-lock",
    title: "lock files of Gradle",
    proves: "the project resolves to the version; not that it was fetched or built",
};

impl Surface for GradleLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let whole = ["gradle.lockfile", "buildscript-gradle.lockfile"].map(Claim::name);
        whole.into_iter().chain([Claim::suffix(".lockfile").in_tail("dependency-locks")]).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("Gradle generated file") && mostly(&text, |line| line.contains('=')))
            .then_some("gradle.lockfile")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the lock file");
        let text = text(file.all(FILE)?);
        let mut whole = text.lines().nth(LINES).is_none();
        for (number, line) in (1_u32..).zip(text.lines()).take(LINES) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
                continue;
            }
            match entry(line) {
                Some(package) => out.push_at(None, Some(number), at.clone(), Fact::Package(package)),
                None => whole = false,
            }
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("gradle.lockfile", "lines of another form than Gradle writes")) }
    }
}

/// `org.acme:a:1.2.3=compileClasspath`; without configurations before Gradle 7.
fn entry(line: &str) -> Option<Package> {
    let mut parts = line.split('=').next()?.split(':');
    let (group, artifact, version) = (parts.next()?, parts.next()?, parts.next()?);
    let sound = parts.next().is_none() && is_group(group) && is_part(artifact) && is_part(version);
    (sound && is_version(Ecosystem::Maven, version)).then(|| package(group, artifact, version, Placement::Listed))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&GradleLock, "p/gradle.lockfile", text.as_bytes(), &[])
    }

    #[test]
    fn entries_are_read() {
        let text = "# x\norg.acme:a:1.2.3=compileClasspath,runtimeClasspath\norg.acme:b:2.0\nempty=x\n";
        let is = ["package org.acme:a 1.2.3 Listed@2", "package org.acme:b 2.0 Listed@3"];
        assert_eq!(read(text), (is.map(str::to_owned).to_vec(), None));
        assert_eq!(read("# org.acme:a:1.2.3=x\n"), (vec![], None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for bad in ["x", "a:b", "a:b:c:d=x", "a\u{1b}:b:1=x", "a:b:=x", "\u{0}", "<<<<<<< HEAD"] {
            let (said, flaw) = read(&format!("g:a:1.0=x\n{bad}\n"));
            assert_eq!((said.len(), flaw.is_some()), (1, true), "{bad}");
        }
        assert_eq!(read(""), (vec![], None));
        assert_eq!(read(&"g:a:1.0=x\n".repeat(50_000)).0.len(), 50_000);
    }
}
