//! The way of a version that a lock file or manifest names into a fact. Names and versions come from a file that anybody may have
//! written: what is not safe to show does not pass.

use super::integrity;
pub use crate::ecosystem::npm::shown::{is_name, is_version};
use crate::{
    ecosystem::npm::reference::{Target, read},
    fact::{Artifact, At, Ecosystem, Fact, Package, Placement, Requirement, TreePath},
    surface::{Flaw, Sink},
};

/// Larger lock files are not read. The largest of real monorepos have some 10 MB.
pub const FILE: usize = 64 << 20;
/// More entries than any project has; what comes after them is a gap.
const ENTRIES: u32 = 200_000;
/// Requirements that are taken of one package: no real one has so many.
const REQUIRED: usize = 5000;

/// Takes the packages of one file.
pub struct Listing<'o, 's> {
    out: &'o mut Sink<'s>,
    at: Option<At>,
    count: u32,
    odd: bool,
    /// What is said of the bytes of the next package.
    bytes: Vec<Artifact>,
}

impl<'o, 's> Listing<'o, 's> {
    /// For a file last changed at `at`.
    pub fn new(out: &'o mut Sink<'s>, at: Option<At>) -> Self {
        Self { out, at, count: 0, odd: false, bytes: Vec::new() }
    }

    /// A package in one version, and the line it stands on.
    pub fn push(&mut self, name: &str, version: &str, line: Option<u32>, requires: Vec<Requirement>) {
        let artifacts = std::mem::take(&mut self.bytes);
        if !is_name(name) || !is_version(version) {
            self.odd = true;
            return;
        }
        self.count = self.count.saturating_add(1);
        if self.count > ENTRIES {
            if self.count == ENTRIES + 1 {
                self.out.gap(None, &Flaw::malformed("list of packages", "more entries than are read"));
            }
            return;
        }
        let fact = Fact::Package(Package { artifacts, ..package(name, version, requires) });
        self.out.push_at(None, line, self.at.clone(), fact);
    }

    /// Notes what is said of the bytes of the package that comes next: its integrity, or the hash behind its address.
    pub fn has_bytes(&mut self, integrity: &str, address: &str) {
        self.bytes = integrity::digests(integrity).chain(integrity::behind(address)).map(integrity::archive).collect();
    }

    /// What the address says that an entry is fetched from, where it is another package than the entry claims to be: the address
    /// decides what is installed.
    pub fn push_fetched(&mut self, address: &str, name: &str, version: &str, line: Option<u32>) {
        let fetched = read(address);
        if let (Some(real), Some(at)) = (&fetched.name, fetched.version())
            && (real != name || at != version)
            && is_name(real)
        {
            self.push(real, at, line, Vec::new());
        }
    }

    /// A package that an indicator knows, asked for in no one version.
    pub fn push_open(&mut self, name: &str, line: Option<u32>) {
        if is_name(name) {
            self.out.push_at(None, line, self.at.clone(), Fact::Package(package(name, Package::ANY, Vec::new())));
        }
    }

    /// Something that should be a package and has no proper name or version.
    pub fn mark_odd(&mut self) {
        self.odd = true;
    }

    /// The file is read.
    ///
    /// # Errors
    /// When an entry had no proper name or version.
    pub fn end(self, what: &'static str) -> Result<(), Flaw> {
        if self.odd { Err(Flaw::malformed(what, "a package without a proper name and version")) } else { Ok(()) }
    }
}

/// A package that a file names.
pub fn package(name: &str, version: &str, requires: Vec<Requirement>) -> Package {
    Package {
        ecosystem: Ecosystem::Npm,
        name: name.into(),
        version: version.into(),
        placement: Placement::Listed,
        requires: requires.into(),
        artifacts: Vec::new(),
    }
}

/// Adds what a package asks for: name, text, and whether it may be missing. Of an alias the real name counts.
pub fn require(into: &mut Vec<Requirement>, name: &str, wanted: &str, marker: Option<&str>) {
    if into.len() >= REQUIRED || !is_name(name) {
        return;
    }
    let is_alias = ["npm:", "jsr:"].iter().any(|scheme| wanted.trim_start().starts_with(scheme));
    let real = is_alias.then(|| read(wanted).name).flatten();
    let plain = Requirement::new(real.as_deref().unwrap_or(name), format!("{name}@{wanted}"));
    into.push(Requirement { marker: marker.map(Into::into), ..plain });
}

/// Whether what is taken is no file of a registry: a repository, a folder, a member of the workspace. An archive on the disk is one.
pub fn is_source_tree(target: &Target) -> bool {
    match target {
        Target::Git { .. } => true,
        Target::Local(text) => ![".tgz", ".tar.gz"].iter().any(|end| text.ends_with(end)),
        _ => false,
    }
}

/// Whether a file belongs to an installed package: the lock files that packages bring along are used by nobody.
pub fn is_of_dependency(path: &TreePath) -> bool {
    path.components().any(|part| part == b"node_modules")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_to_show_passes() {
        for name in ["axios", "@s/x", "JSONStream", "a.b-c_d"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "@s", "@s/", "a/b", "a b", "a\u{1b}", "\u{202e}x", "@s/x/y", &"a".repeat(215)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_version("1.0.0-rc.1+b") && is_version("v2"));
        for version in ["", "latest", "1.0.0\n", "1 2", "^1", &"1".repeat(201)] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn archives_are_no_source_trees() {
        for text in ["github:a/b#main", "file:../x", "workspace:*", "link:./x"] {
            assert!(is_source_tree(&read(text).target), "{text}");
        }
        for text in ["1.0.0", "file:vendor/x-1.0.0.tgz", "https://registry.example/x.tgz", "latest"] {
            assert!(!is_source_tree(&read(text).target), "{text}");
        }
    }
}
