//! Crates: Semantic Versioning 2, compared without build metadata, since the registry takes one release of each.

use std::cmp::Ordering;

use semver::{Version, VersionReq};

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

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

fn is_version(text: &str) -> bool {
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
