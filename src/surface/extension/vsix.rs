//! Packed extensions of VS Code and its kin: downloads that lie about, and those that the editor keeps.
//!
//! ```text
//! ~/Downloads/nrwl.angular-console-18.95.0.vsix                  a zip with extension/package.json
//! <config>/CachedExtensionVSIXs/nrwl.angular-console-18.95.0     the same without an ending; <config> is ~/.config/Code and its kin
//! ```
//!
//! What the manifest says counts; where it cannot be read, the name of a kept one does. A file does not say which marketplace it is from:
//! what an incident says of either is compared. Documented in VS Code's "Publishing Extensions", and read from `vsce package`.

use super::vscode::{manifest, package, package_of};
use crate::{
    ecosystem::extension::folder_name,
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        python::zip_directory::{each_member, read_member},
    },
    tree::Kind,
};

/// A manifest in a zip.
const MANIFEST: u64 = 8 << 20;
const KEPT: &str = "CachedExtensionVSIXs";

/// `*.vsix`, `CachedExtensionVSIXs/*`.
pub struct Vsix;

static META: Meta = Meta {
    id: "extension/vsix",
    title: "packed extensions of VS Code and its kin",
    proves: "the bytes were fetched; not that the version was installed",
};

impl Surface for Vsix {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing loads a packed one.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::suffix(".vsix"), Claim::any().in_tail(KEPT)]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let first = head.get(..200).unwrap_or(head);
        let is_one = ["extension.vsixmanifest", "extension/"]
            .iter()
            .any(|n| memchr::memmem::find(first, n.as_bytes()).is_some());
        (head.starts_with(b"PK\x03\x04") && is_one).then_some("*.vsix")
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let stem =
            path.name().strip_suffix(b".vsix").or((path.parent().name() == KEPT.as_bytes()).then(|| path.name()))?;
        let (name, version) = folder_name(std::str::from_utf8(stem).ok().filter(|_| kind == Kind::File)?)?;
        Some((
            path.clone(),
            Fact::Named(Package { placement: Placement::Cached, ..package(Ecosystem::Vscode, &name, &version) }),
        ))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the file");
        let kept = file.entry.path.parent().name() == KEPT.as_bytes();
        if !file.head(4)?.starts_with(b"PK\x03\x04") {
            // What the editor is still fetching, and notes beside it, have other forms.
            return if kept { Ok(()) } else { Err(Flaw::malformed("vsix", "it is no zip")) };
        }
        let mut zip = file.seekable()?;
        let mut about = None;
        each_member(&mut zip, &mut |name, member| {
            if name == b"extension/package.json" {
                about = Some(member);
            }
        })?;
        let Some(about) = about else {
            return Err(Flaw::malformed("vsix", "it has no extension/package.json"));
        };
        let manifest = manifest(&read_member(&mut zip, about, MANIFEST)?)?;
        drop(zip);
        let found = package_of(&manifest, Ecosystem::Vscode)?;
        out.push(at, Fact::Package(Package { placement: Placement::Cached, ..found }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::surface::python::trial::tried;

    fn packed(member: &str, text: &str) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in [("extension.vsixmanifest", "<x/>"), (member, text)] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn said(path: &str, bytes: &[u8]) -> (Vec<String>, bool) {
        let tried = tried(&Vsix, path, bytes, &Interest::default());
        (tried.packages(), tried.flaw.is_some())
    }

    const ABOUT: &str = r#"{"publisher":"Check","name":"ast","version":"1.2.3"}"#;

    #[test]
    fn a_packed_extension_is_its_manifest() {
        let bytes = packed("extension/package.json", ABOUT);
        for path in ["h/Downloads/x.vsix", "h/.config/Code/CachedExtensionVSIXs/check.ast-1.2.3"] {
            assert_eq!(said(path, &bytes), (vec!["check.ast 1.2.3 Cached".to_owned()], false), "{path}");
        }
        assert_eq!(Vsix.recognises(&bytes), Some("*.vsix"));
    }

    #[test]
    fn what_is_none_is_a_gap_where_its_name_says_so() {
        let cut = |bytes: &[u8]| bytes.get(..bytes.len() / 2).unwrap().to_vec();
        let whole = packed("extension/package.json", ABOUT);
        for bytes in [
            b"".to_vec(),
            b"rubbish".to_vec(),
            cut(&whole),
            packed("package.json", ABOUT),
            packed("extension/package.json", "{"),
            packed("extension/package.json", r#"{"publisher":"a\u001b","name":"b","version":"1.0.0"}"#),
        ] {
            assert_eq!(said("h/x.vsix", &bytes), (vec![], true));
        }
        assert_eq!(said("h/.config/Code/CachedExtensionVSIXs/.trash", b"x"), (vec![], false));
    }

    #[test]
    fn a_name_says_it_where_nothing_can_be_read() {
        let named = |path: &str| {
            let path = TreePath::new(path.as_bytes()).unwrap();
            match Vsix.named(&path, Kind::File, &Interest::default())?.1 {
                Fact::Named(p) => Some(format!("{} {}", p.name, p.version)),
                _ => None,
            }
        };
        assert_eq!(named("h/check.ast-1.2.3.vsix").as_deref(), Some("check.ast 1.2.3"));
        assert_eq!(named("h/CachedExtensionVSIXs/check.ast-1.2.3").as_deref(), Some("check.ast 1.2.3"));
        assert_eq!((named("h/x/check.ast-1.2.3"), named("h/notes.vsix")), (None, None));
    }
}
