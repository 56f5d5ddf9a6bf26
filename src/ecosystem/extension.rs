//! Extensions of Visual Studio Code and Open VSX: `publisher.name` without regard to case; a platform behind a version
//! (`1.0.0-linux-x64`, `1.0.0@win32-arm64`) is another file of the same release.

use std::cmp::Ordering;

use semver::Version;

use crate::fact::{Ecosystem, EnvironmentKind, TreePath, Unit};

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// How installed extensions lie. Each is loaded by itself.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Vscode,
    unit: unit_of,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: None,
    store_entry: |_| None,
};

/// An extension of an editor.
pub const EXTENSION: EnvironmentKind = EnvironmentKind::new("extension");

/// Folders of editors that hold `extensions`, and where these take extensions from by default.
const EDITORS: &[(&str, Ecosystem)] = &[
    (".vscode", Ecosystem::Vscode),
    (".vscode-insiders", Ecosystem::Vscode),
    (".vscode-server", Ecosystem::Vscode),
    (".vscode-server-insiders", Ecosystem::Vscode),
    (".vscode-remote", Ecosystem::Vscode),
    (".vscode-oss", Ecosystem::Openvsx),
    (".vscodium", Ecosystem::Openvsx),
    (".vscodium-server", Ecosystem::Openvsx),
    (".cursor", Ecosystem::Openvsx),
    (".cursor-server", Ecosystem::Openvsx),
    (".windsurf", Ecosystem::Openvsx),
    (".windsurf-next", Ecosystem::Openvsx),
    (".windsurf-server", Ecosystem::Openvsx),
    (".antigravity", Ecosystem::Openvsx),
    (".antigravity-server", Ecosystem::Openvsx),
    (".trae", Ecosystem::Openvsx),
    (".trae-server", Ecosystem::Openvsx),
    (".kiro", Ecosystem::Openvsx),
    (".kiro-server", Ecosystem::Openvsx),
    (".void", Ecosystem::Openvsx),
    (".void-server", Ecosystem::Openvsx),
    (".positron", Ecosystem::Openvsx),
    (".positron-server", Ecosystem::Openvsx),
    (".openvscode-server", Ecosystem::Openvsx),
    ("code-server", Ecosystem::Openvsx),
];

/// Folders of editors that hold `extensions`.
pub fn editors() -> impl Iterator<Item = &'static str> {
    EDITORS.iter().map(|(name, _)| *name)
}

/// Where an editor takes extensions from by default, by the folder that holds them: `~/.cursor/extensions`. `None` where the folder is no
/// known editor's.
pub fn marketplace(extensions: &TreePath) -> Option<Ecosystem> {
    let editor = extensions.parent();
    let is = |(name, _): &&(&str, Ecosystem)| editor.name() == name.as_bytes();
    EDITORS.iter().find(is).filter(|_| extensions.name() == b"extensions").map(|(_, marketplace)| *marketplace)
}

/// The folder of the extension that a path is or lies in, and where its editor takes extensions from.
pub fn installed(path: &TreePath) -> Option<(TreePath, Ecosystem)> {
    let parts: Vec<&[u8]> = path.components().collect();
    let at = parts.iter().position(|part| *part == b"extensions")?;
    let own = *parts.get(at + 1)?;
    let folder = TreePath::new(&parts.get(..at + 2)?.join(&b'/'))?;
    let known = marketplace(&folder.parent());
    let named = || std::str::from_utf8(own).is_ok_and(|own| folder_name(own).is_some());
    let marketplace = known.or_else(|| named().then_some(Ecosystem::Vscode))?;
    (!own.starts_with(b".") && !own.ends_with(b".json")).then_some((folder, marketplace))
}

/// Name and version by the folder of an extension: `publisher.name-1.2.3`, with a platform behind it or without.
pub fn folder_name(text: &str) -> Option<(String, String)> {
    // The name may hold `-` and digits: the version is the first part that can be one.
    let mut starts = text.match_indices('-').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    let (id, version) =
        starts.find(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()) && is_version(version))?;
    is_name(id).then(|| (id.to_lowercase(), version.to_owned()))
}

/// Whether a text is `publisher.name`, safe to show.
pub fn is_name(text: &str) -> bool {
    let good = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let (publisher, name) = text.split_once('.').unwrap_or_default();
    text.len() <= 200 && good(publisher) && name.split('.').all(good)
}

fn unit_of(path: &TreePath) -> Option<Unit> {
    // Asked of each file, and most are in no such folder.
    memchr::memmem::find(path.as_bytes(), b"extensions/")?;
    let (folder, ecosystem) = installed(path)?;
    Some(Unit { ecosystem, root: folder.clone(), folder, kind: EXTENSION, usual: true })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_an_extension_says_name_and_version() {
        let says =
            |text: &str| folder_name(text).map(|(name, version)| format!("{name} {version}")).unwrap_or_default();
        for (folder, is) in [
            ("Checkmarx.ast-results-2.53.0", "checkmarx.ast-results 2.53.0"),
            ("a.b-1.0.0-linux-x64", "a.b 1.0.0-linux-x64"),
            ("a.b-2-c-1.0.0", "a.b-2-c 1.0.0"),
            ("a.b.c-1.0.0-beta.1", "a.b.c 1.0.0-beta.1"),
        ] {
            assert_eq!(says(folder), is, "{folder}");
        }
        for folder in ["a.b", "a.b-1.0", "a-1.0.0", ".a-1.0.0", "a.b-1.0.0\u{1b}", "a b.c-1.0.0", "", "a.-1.0.0"] {
            assert_eq!(says(folder), "", "{folder}");
        }
    }

    #[test]
    fn a_unit_is_one_extension() {
        let unit = |path: &str| {
            unit_of(&TreePath::new(path.as_bytes()).unwrap()).map(|u| format!("{} {:?}", u.root.text(), u.ecosystem))
        };
        for (path, is) in [
            ("home/a/.vscode/extensions/a.b-1.0.0/out/x.js", Some("/home/a/.vscode/extensions/a.b-1.0.0 Vscode")),
            ("home/a/.cursor/extensions/a.b-1.0.0", Some("/home/a/.cursor/extensions/a.b-1.0.0 Openvsx")),
            (
                "home/a/.local/share/code-server/extensions/a.b-1.0.0/package.json",
                Some("/home/a/.local/share/code-server/extensions/a.b-1.0.0 Openvsx"),
            ),
            ("opt/code/data/extensions/a.b-1.0.0/package.json", Some("/opt/code/data/extensions/a.b-1.0.0 Vscode")),
            ("home/a/.vscode/extensions/extensions.json", None),
            ("home/a/.vscode/extensions/.0a1b/package.json", None),
            ("srv/app/extensions/git/package.json", None),
            ("home/a/.vscode/extensions", None),
            ("home/a/.vscode", None),
        ] {
            assert_eq!(unit(path).as_deref(), is, "{path}");
        }
    }
}
