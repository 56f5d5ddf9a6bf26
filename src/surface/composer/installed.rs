//! What Composer installed into a project, or for a user.
//!
//! ```text
//! project/vendor/                              `vendor-dir`; ~/.config/composer/vendor for `composer global require`
//! ├── composer/installed.json                  {"packages": [ { "name", "version", "type", … } ]}; a list alone before Composer 2
//! ├── acme/a/                                  the code
//! └── autoload.php                             loads files that packages name whenever it is loaded
//! ```
//!
//! A hit proves that the version stands where PHP loads it. Composer runs no scripts of a package, but the code of a plug-in (type
//! `composer-plugin`) runs as soon as it is installed, where `allow-plugins` of the project lets it. Documented in "The composer.json schema" and
//! "Plugins" of Composer.

use serde_json::Value;

use super::entries::{lines, packages, salvaged};
use crate::{
    ecosystem::composer::VENDOR,
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 32 << 20;
const WHAT: &str = "installed.json";

/// `vendor/composer/installed.json`.
pub struct Installed;

static META: Meta = Meta {
    id: "composer/installed",
    title: "packages that Composer installed",
    proves: "the version stands where PHP loads it; not that it ran",
};

impl Surface for Installed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let folder = path.parent().parent();
        let root = folder.parent();
        Some(Unit { ecosystem: Ecosystem::Composer, folder, root, kind: VENDOR, usual: true })
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("installed.json").in_tail("composer")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("\"version_normalized\"") && text.contains("\"name\""))
            .then_some("vendor/composer/installed.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of installed.json");
        let text = text(file.all(FILE)?);
        let json: Value = serde_json::from_str(&text).map_err(|_| Flaw::malformed(WHAT, "it is no JSON"))?;
        let (found, whole) = packages(json.get("packages").unwrap_or(&json), Placement::Loadable);
        let lines = lines(&text);
        for package in found {
            let line = lines.get(&*package.name).copied();
            out.push_at(None, line, at.clone(), Fact::Package(package));
        }
        if whole { Ok(()) } else { Err(Flaw::malformed(WHAT, "a package without a proper name and version")) }
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        let interest = file.interest;
        let found = file.head(FILE).map(|bytes| salvaged(&text(bytes), interest)).unwrap_or_default();
        found.into_iter().map(|(p, line)| (Package { placement: Placement::Loadable, ..p }, line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const PATH: &str = "p/vendor/composer/installed.json";

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Installed, PATH, text.as_bytes(), &[])
    }

    #[test]
    fn both_forms_are_read() {
        let entry = "[{\n\"name\": \"acme/a\",\n\"version\": \"1.2.3\",\n\"type\": \"composer-plugin\"\n},\n{\"name\": \"acme/b\", \"version\": \"dev-x\"}]";
        for text in [entry.to_owned(), format!("{{\"packages\": {entry}, \"dev\": true}}")] {
            let is = ["package acme/a 1.2.3 Loadable@2", "package acme/b dev-x Loadable"];
            assert_eq!(read(&text), (is.map(str::to_owned).to_vec(), None));
        }
        let unit = Installed.unit(&TreePath::new(PATH.as_bytes()).unwrap(), false).unwrap();
        assert_eq!((unit.folder.text(), unit.root.text()), ("/p/vendor".into(), "/p".into()));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in ["", "{", "\u{0}", "[7]", "[{\"name\": \"acme/a\"}]", &"[".repeat(100_000)] {
            let (said, flaw) = read(text);
            assert_eq!((said, flaw.is_some()), (vec![], true));
        }
        for text in ["{}", "[]", "{\"packages\": 7}"] {
            assert_eq!(read(text), (vec![], None), "{text}");
        }
    }
}
