//! Crates: Semantic Versioning 2, compared without build metadata, since the registry takes one release of each. Where cargo keeps and
//! builds them.
//!
//! ```text
//! ~/.cargo/registry/cache/HOST-0a1b2c3d4e5f6a7b/NAME-VERSION.crate   or below `$CARGO_HOME`: /usr/local/cargo
//! ~/.cargo/registry/src/HOST-0a1b2c3d4e5f6a7b/NAME-VERSION/
//! PROJECT/vendor/NAME/Cargo.toml
//! PROJECT/target/debug/build/NAME-0a1b2c3d4e5f6a7b/                  also target/TRIPLE/release/build
//! ```

use std::cmp::Ordering;

use semver::{Version, VersionReq};

use crate::fact::{Ecosystem, EnvironmentKind, TreePath, Unit};

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// How crates lie. What a file says decides which of these places it is, so that the surfaces make the units.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Cargo,
    unit: |_| None,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: None,
    store_entry: |path| unpacked(path).map(|(entry, ..)| entry),
};

/// The crates that a project has beside its own code.
pub const VENDOR: EnvironmentKind = EnvironmentKind::new("cargo-vendor");
/// What cargo built for a project.
pub const TARGET: EnvironmentKind = EnvironmentKind::new("cargo-target");
/// The programs that `cargo install` put into a home of cargo.
pub const HOME: EnvironmentKind = EnvironmentKind::new("cargo-home");

/// A program that says which crates are in it.
pub const PROGRAM: EnvironmentKind = EnvironmentKind::new("cargo-program");

/// A unit of crates.
pub fn unit(folder: TreePath, root: TreePath, kind: EnvironmentKind) -> Unit {
    Unit { ecosystem: Ecosystem::Cargo, folder, root, kind, usual: true }
}

/// The folder of a crate that cargo unpacked, below `registry/src/HOST`, with its name and version, of a path that is it or lies in it.
pub fn unpacked(path: &TreePath) -> Option<(TreePath, &str, &str)> {
    let (above, below) = behind_registry(path.as_bytes())?;
    let own = below.split(|b| *b == b'/').next()?;
    let (name, version) = full_name(std::str::from_utf8(own).ok()?)?;
    Some((TreePath::new(path.as_bytes().get(..above + own.len())?)?, name, version))
}

/// Whether a path lies in the sources that cargo unpacked.
pub fn is_unpacked(path: &TreePath) -> bool {
    behind_registry(path.as_bytes()).is_some()
}

/// The length of `…/registry/src/HOST/`, and what follows it.
fn behind_registry(path: &[u8]) -> Option<(usize, &[u8])> {
    const SRC: &[u8] = b"registry/src/";
    let at = memchr::memmem::find(path, SRC)?;
    if at > 0 && path.get(at - 1) != Some(&b'/') {
        return None;
    }
    let start = at + SRC.len();
    let host = memchr::memchr(b'/', path.get(start..)?)?;
    let above = start + host + 1;
    Some((above, path.get(above..)?))
}

/// Whether a path lies in a repository that cargo checked out, or in a crate that it packed to publish it.
pub fn is_checkout(path: &TreePath) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(path.as_bytes(), part).is_some();
    has(b"git/checkouts/") || has(b"target/package/")
}

/// The folder of a profile (`target/debug`) that a file lies in which cargo built: above its `build` or `deps`.
pub fn profile_of(path: &TreePath) -> Option<TreePath> {
    let mut here = path.parent();
    while !here.as_bytes().is_empty() {
        if matches!(here.name(), b"build" | b"deps") {
            return Some(here.parent());
        }
        here = here.parent();
    }
    None
}

/// What cargo built, with the folder of a profile: the `target` above it, or itself.
pub fn target_of(profile: &TreePath) -> TreePath {
    let above = [profile.parent(), profile.parent().parent()];
    above.into_iter().find(|folder| folder.name() == b"target").unwrap_or_else(|| profile.clone())
}

/// The name of the package whose build folder this is: `arrayref-0a1b2c3d4e5f6a7b`.
pub fn built(folder: &[u8]) -> Option<&str> {
    let (name, hash) = std::str::from_utf8(folder).ok()?.rsplit_once('-')?;
    (is_name(name) && hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(name)
}

/// `proc-macro-en-0.1.0-rc.1` is `proc-macro-en` and `0.1.0-rc.1`. A name has no dot.
pub fn full_name(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.match_indices('-').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    parts.find(|(name, version)| is_name(name) && version.len() < 200 && is_version(version))
}

/// Whether a text can be the name of a crate, so that it is safe to show.
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    (1..=100).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether where a lock file or a receipt says a crate comes from is a registry.
pub fn is_registry(source: &str) -> bool {
    ["registry+", "sparse+"].iter().any(|kind| source.starts_with(kind))
}

/// Case, `-` and `_` make no difference on the registry.
fn name(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn same(known: &str, found: &str) -> bool {
    order(known, found) == Some(Ordering::Equal)
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.cmp_precedence(&parse(b)?))
}

/// Whether a text is a version of a crate.
pub fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

fn admits(specifier: &str, version: &str) -> bool {
    match (VersionReq::parse(specifier), parse(version)) {
        (Ok(range), Some(version)) => range.matches(&version),
        _ => true,
    }
}

fn parse(text: &str) -> Option<Version> {
    // A tag is often written for the release.
    Version::parse(text.strip_prefix(['v', 'V']).unwrap_or(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_is_taken_apart() {
        for (full, is) in [
            ("arrayref-0.3.10", Some(("arrayref", "0.3.10"))),
            ("proc-macro1-1.0.0-rc.1+b.2", Some(("proc-macro1", "1.0.0-rc.1+b.2"))),
            ("a-1-0.1.0", Some(("a-1", "0.1.0"))),
            ("a", None),
            ("a-b", None),
            ("a-1.0", None),
            ("-1.0.0", None),
            ("a.b-1.0.0", None),
            ("a\u{1b}-1.0.0", None),
        ] {
            assert_eq!(full_name(full), is, "{full}");
        }
    }

    #[test]
    fn the_folder_of_an_unpacked_crate_is_found() {
        let of = |path: &str| {
            let path = TreePath::new(path.as_bytes()).unwrap();
            unpacked(&path).map(|(folder, name, version)| format!("{} {name} {version}", folder.text()))
        };
        let folder = "h/.cargo/registry/src/index.example-0a1b/arrayref-0.3.10";
        for end in ["", "/Cargo.toml", "/src/lib.rs"] {
            let is = format!("/{folder} arrayref 0.3.10");
            assert_eq!(of(&format!("{folder}{end}")), Some(is), "{end}");
        }
        for path in
            ["h/.cargo/registry/src/index.example-0a1b", "my-registry/src/x/a-1.0.0", "registry/cache/x/a-1.0.0"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
