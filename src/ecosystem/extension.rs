//! Extensions of Visual Studio Code and Open VSX: `publisher.name` without regard to case; a platform behind a version
//! (`1.0.0-linux-x64`, `1.0.0@win32-arm64`) is another file of the same release.

use std::cmp::Ordering;

use semver::Version;

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

const PLATFORMS: [&str; 13] = [
    "win32-x64",
    "win32-ia32",
    "win32-arm64",
    "linux-x64",
    "linux-arm64",
    "linux-armhf",
    "alpine-x64",
    "alpine-arm64",
    "darwin-x64",
    "darwin-arm64",
    "web",
    "universal",
    "undefined",
];

/// Open VSX writes `publisher/name` in addresses.
fn name(name: &str) -> String {
    name.replacen('/', ".", 1).to_lowercase()
}

/// Version and platform, the latter empty where there is none.
pub fn split(text: &str) -> (&str, &str) {
    let platform = |p: &&&str| text.strip_suffix(**p).is_some_and(|rest| rest.ends_with(['-', '@']));
    match PLATFORMS.iter().find(platform) {
        Some(p) => (text.strip_suffix(p).map_or(text, |rest| rest.trim_end_matches(['-', '@'])), p),
        None => (text, ""),
    }
}

/// A known one without a platform is found with any.
fn same(known: &str, found: &str) -> bool {
    let (wanted, platform) = (split(known).1, split(found).1);
    order(known, found) == Some(Ordering::Equal) && (wanted.is_empty() || wanted == platform)
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.cmp_precedence(&parse(b)?))
}

fn parse(text: &str) -> Option<Version> {
    let version = split(text).0;
    Version::parse(version.strip_prefix('v').unwrap_or(version)).ok()
}

fn is_version(text: &str) -> bool {
    parse(text).is_some()
}

fn admits(specifier: &str, version: &str) -> bool {
    parse(specifier).is_none() || same(version, specifier)
}
