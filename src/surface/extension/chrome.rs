//! Installed extensions of Chrome and its kin: Chromium, Edge, Brave, Vivaldi, Opera, Arc.
//!
//! ```text
//! <data of the browser>/<profile>/Extensions/<id>/<version>_<n>/manifest.json      {"manifest_version": 3, "version": "1.2.3"}
//!
//! ~/.config/google-chrome  ~/.config/chromium  ~/.config/BraveSoftware/Brave-Browser  ~/.config/microsoft-edge      Linux
//! ~/snap/chromium/common/chromium  ~/.var/app/com.google.Chrome/config/google-chrome                               snap, flatpak
//! ~/Library/Application Support/Google/Chrome                                                                      macOS
//! ~/AppData/Local/Google/Chrome/User Data  ~/AppData/Local/Microsoft/Edge/User Data                                Windows
//! ```
//!
//! The place is known by the form of its folders, so that any browser of the kind counts. The id is that of the folder. A hit proves that
//! the version stands in a profile; whether it is switched on is not said there. Extensions that somebody loads unpacked stand anywhere and
//! are not found. Documented in "Manifest file format" of Chrome for Developers, and by Chromium's source, `extensions/common/file_util.cc`.

use serde::Deserialize;

use crate::{
    ecosystem::{
        browser::{folder_version, installed},
        is_version,
    },
    fact::{Ecosystem, Fact, Package, Placement, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, node::json::without_comments},
    tree::Kind,
};

const FILE: usize = 4 << 20;

/// `Extensions/*/*/manifest.json`.
pub struct Chrome;

static META: Meta = Meta {
    id: "extension/chrome",
    title: "installed extensions of Chrome and its kin",
    proves: "the version stands in a profile of the browser; not that it was switched on",
};

#[derive(Deserialize)]
struct Manifest {
    version: Option<String>,
}

impl Surface for Chrome {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("manifest.json").within("Extensions")]
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        // Asked of each folder.
        memchr::memmem::find(path.as_bytes(), b"Extensions/")?;
        let folder = if kind == Kind::Dir { path.clone() } else { path.parent() };
        (folder.parent().parent().name() == b"Extensions").then_some(())?;
        let (_, id) = installed(&folder).filter(|(own, _)| *own == folder)?;
        let version = folder_version(folder.name())?;
        Some((folder.join(b"manifest.json"), Fact::Named(package(&id, &version))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let Some((_, id)) = installed(&path).filter(|(folder, _)| *folder == path.parent()) else {
            return Ok(());
        };
        let at = file.mtime("mtime of manifest.json");
        let bytes = file.all(FILE)?;
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        // The browser takes comments.
        let Ok(manifest) = serde_json::from_str::<Manifest>(&without_comments(&text)) else {
            return Err(Flaw::malformed("manifest.json", "it is no JSON of that form"));
        };
        let Some(version) = manifest.version.filter(|v| is_version(Ecosystem::Chrome, v)) else {
            return Err(Flaw::malformed("manifest.json", "it says no version"));
        };
        out.push(at, Fact::Package(package(&id, &version)));
        Ok(())
    }
}

fn package(id: &str, version: &str) -> Package {
    Package {
        ecosystem: Ecosystem::Chrome,
        name: id.into(),
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

    const ID: &str = "abcdefghijklmnopabcdefghijklmnop";

    fn said(path: &str, text: &str) -> (Vec<String>, bool) {
        let tried = tried(&Chrome, path, text.as_bytes(), &Interest::default());
        (tried.packages(), tried.flaw.is_some())
    }

    #[test]
    fn the_manifest_in_a_profile_counts() {
        let text = "\u{feff}{ // x\n\"manifest_version\": 3, \"name\": \"__MSG_x__\", \"version\": \"1.2.3\"}";
        for base in [
            "home/a/.config/google-chrome/Default",
            "home/a/snap/chromium/common/chromium/Profile 1",
            "Users/b/Library/Application Support/BraveSoftware/Brave-Browser/Default",
            "Users/b/AppData/Local/Microsoft/Edge/User Data/Default",
        ] {
            let path = format!("{base}/Extensions/{ID}/1.2.3_0/manifest.json");
            assert_eq!(said(&path, text), (vec![format!("{ID} 1.2.3 Loadable")], false), "{path}");
        }
        for path in [
            format!("srv/Extensions/{ID}/1.2.3_0/sub/manifest.json"),
            format!("srv/extensions/{ID}/1.2.3_0/manifest.json"),
            "srv/Extensions/x/1.2.3_0/manifest.json".to_owned(),
        ] {
            assert_eq!(said(&path, text), (vec![], false), "{path}");
        }
    }

    #[test]
    fn a_manifest_that_says_nothing_is_a_gap() {
        for text in ["", "{", "[]", "{}", "{\"version\": 1}", "{\"version\": \"x\"}", "{\"version\": \"1\\u001b\"}"] {
            assert_eq!(said(&format!("a/Extensions/{ID}/1.0_0/manifest.json"), text), (vec![], true), "{text}");
        }
        let named = |path: &str| {
            Chrome.named(&TreePath::new(path.as_bytes()).unwrap(), Kind::Dir, &Interest::default()).is_some()
        };
        assert!(named(&format!("a/Extensions/{ID}/1.0_0")) && !named(&format!("a/Extensions/{ID}")));
        assert!(!named(&format!("a/Extensions/{ID}/Temp")) && !named("a/Extensions/x/1.0_0"));
    }
}
