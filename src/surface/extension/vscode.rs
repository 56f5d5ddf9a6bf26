//! Installed extensions of VS Code and its kin: the `package.json` of each folder.
//!
//! ```text
//! ~/.vscode/extensions/PUBLISHER.NAME-1.2.3[-linux-x64]/package.json      also .vscode-insiders, .vscode-server, .vscode-oss, .cursor,
//! ~/.local/share/code-server/extensions/…                                 .windsurf, .antigravity, .trae, .kiro, .positron and their servers
//! data/extensions/PUBLISHER.NAME-1.2.3/package.json                       portable, or moved by `--extensions-dir`
//! ```
//!
//! What the file says counts; where it cannot be read, the name of its folder does. Where an extension was taken from is not recorded
//! there: Microsoft's editors take them from the Visual Studio Marketplace, others from Open VSX. Those that come with the editor stand
//! elsewhere. A hit proves that the version stands where the editor loads it; not that it was activated. Documented in VS Code's "Extension
//! Manifest".

use serde::Deserialize;

use crate::{
    ecosystem::{
        extension::{folder_name, installed, is_name},
        is_version,
    },
    fact::{Ecosystem, Fact, Package, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// Manifests with all their commands and translations are smaller.
const FILE: usize = 8 << 20;

/// `extensions/*/package.json`.
pub struct Vscode;

static META: Meta = Meta {
    id: "extension/vscode",
    title: "installed extensions of VS Code and its kin",
    proves: "the version stands where the editor loads it; not that it was activated",
};

#[derive(Deserialize)]
pub(super) struct Manifest {
    publisher: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

impl Surface for Vscode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("package.json").in_packages("extensions")]
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        // Asked of each folder.
        let folder = if kind == Kind::Dir { path.clone() } else { path.parent() };
        (folder.parent().name() == b"extensions").then_some(())?;
        let (own, marketplace) = installed(&folder).filter(|(own, _)| *own == folder)?;
        let (name, version) = folder_name(std::str::from_utf8(own.name()).ok()?)?;
        Some((folder.join(b"package.json"), Fact::Named(package(marketplace, &name, &version))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let Some((_, marketplace)) = installed(&path).filter(|(folder, _)| *folder == path.parent()) else {
            return Ok(());
        };
        let at = file.mtime("mtime of package.json");
        let bytes = file.all(FILE)?;
        out.push(at, Fact::Package(package_of(&manifest(bytes)?, marketplace)?));
        Ok(())
    }
}

/// The manifest of an extension.
pub(super) fn manifest(bytes: &[u8]) -> Result<Manifest, Flaw> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|_| Flaw::malformed("package.json", "it is no JSON of that form"))
}

/// What a manifest says, of an extension of that marketplace.
pub(super) fn package_of(manifest: &Manifest, marketplace: Ecosystem) -> Result<Package, Flaw> {
    let nothing = Flaw::malformed("package.json", "it says no publisher, name and version of an extension");
    found(manifest, marketplace).ok_or(nothing)
}

fn found(manifest: &Manifest, marketplace: Ecosystem) -> Option<Package> {
    let name = format!("{}.{}", manifest.publisher.as_deref()?, manifest.name.as_deref()?);
    let version = manifest.version.as_deref().filter(|v| is_version(marketplace, v))?;
    is_name(&name).then(|| package(marketplace, &name.to_lowercase(), version))
}

pub(super) fn package(ecosystem: Ecosystem, name: &str, version: &str) -> Package {
    Package {
        ecosystem,
        name: name.into(),
        version: version.into(),
        placement: Placement::Loadable,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    fn said(path: &str, text: &str) -> (Vec<String>, bool) {
        let tried = tried(&Vscode, path, text.as_bytes(), &Interest::default());
        (tried.packages(), tried.flaw.is_some())
    }

    #[test]
    fn the_manifest_of_a_folder_counts() {
        let text =
            "\u{feff}{\"publisher\":\"Check\",\"name\":\"ast\",\"version\":\"1.2.3\",\"engines\":{\"vscode\":\"*\"}}";
        for folder in [
            "h/.vscode/extensions/check.ast-1.2.3",
            "h/.cursor/extensions/x",
            "opt/data/extensions/check.ast-1.2.3-linux-x64",
        ] {
            let is = (vec!["check.ast 1.2.3 Loadable".to_owned()], false);
            assert_eq!(said(&format!("{folder}/package.json"), text), is, "{folder}");
        }
        for path in [
            "srv/extensions/x/package.json",
            "h/.vscode/extensions/a.b-1.0.0/sub/package.json",
            "h/.vscode/extensions/.x/package.json",
        ] {
            assert_eq!(said(path, text), (Vec::new(), false), "{path}");
        }
    }

    #[test]
    fn a_manifest_that_says_nothing_is_a_gap() {
        for text in [
            "{",
            "",
            "[]",
            "{\"name\":\"b\",\"version\":\"1.0.0\"}",
            "{\"publisher\":\"a\",\"name\":\"b\",\"version\":\"latest\"}",
            "{\"publisher\":\"a\\u001b\",\"name\":\"b\",\"version\":\"1.0.0\"}",
            "{\"publisher\":7,\"name\":\"b\",\"version\":\"1.0.0\"}",
        ] {
            assert_eq!(said("h/.vscode/extensions/a.b-1.0.0/package.json", text), (Vec::new(), true), "{text}");
        }
        let named = |path: &str| {
            Vscode.named(&TreePath::new(path.as_bytes()).unwrap(), Kind::Dir, &Interest::default()).is_some()
        };
        assert!(named("h/.vscode/extensions/a.b-1.0.0") && !named("h/.vscode/extensions/a.b-1.0.0/out"));
        assert!(!named("h/.vscode/extensions") && !named("h/x/a.b-1.0.0"));
    }
}
