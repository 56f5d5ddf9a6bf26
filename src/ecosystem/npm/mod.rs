//! npm: names compared exactly (some old ones have capitals), versions as `node-semver` reads them: `v` and `=` in front and
//! build metadata count nothing.

pub mod layout;
pub mod reference;
pub mod shown;
pub mod volta;

use std::cmp::Ordering;

use nodejs_semver::{Range, Version as NodeVersion};
use semver::Version;

use crate::fact::{Ecosystem, EnvironmentKind, TreePath, Unit};

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// Where `node_modules` lie. No start-up code of a Node stands among its packages.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Npm,
    unit: unit_of,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: Some(|path| layout::package_of(path).map(|installed| installed.name)),
    store_entry: layout::store_entry,
};

/// A project with a `node_modules`.
pub const PROJECT: EnvironmentKind = EnvironmentKind::new("node-project");
/// The global packages of a Node, below its prefix.
pub const GLOBAL: EnvironmentKind = EnvironmentKind::new("node-global");

/// What is loaded together with a file, by the layout of its path.
pub fn unit_of(path: &TreePath) -> Option<Unit> {
    let layout::ModulesUnit { folder, root } = layout::unit_of(path)?;
    let global = folder.parent().name() == b"lib" && folder.parent().parent() == root;
    let kind = if global { GLOBAL } else { PROJECT };
    Some(Unit { ecosystem: Ecosystem::Npm, folder, root, kind, usual: true })
}

/// `@scope%2fname` is `@scope/name`.
fn name(name: &str) -> String {
    name.replace("%2f", "/").replace("%2F", "/").replace("%40", "@")
}

fn same(known: &str, found: &str) -> bool {
    order(known, found) == Some(Ordering::Equal)
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.cmp_precedence(&parse(b)?))
}

fn parse(text: &str) -> Option<Version> {
    Version::parse(without_prefix(text)).ok()
}

fn without_prefix(text: &str) -> &str {
    text.trim_start_matches(|c: char| c == 'v' || c == '=' || c.is_whitespace())
}

fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// As `npm install` would choose: a pre-release only where the range names one of the same numbers. A tag may be any version.
fn admits(specifier: &str, version: &str) -> bool {
    let specifier = specifier.trim_start_matches("npm:");
    match (Range::parse(specifier), NodeVersion::parse(without_prefix(version))) {
        (Ok(range), Ok(version)) => range.satisfies(&version),
        _ => true,
    }
}
