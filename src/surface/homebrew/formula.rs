//! Formulae that Homebrew installed.
//!
//! ```text
//! PREFIX/Cellar/NAME/VERSION/INSTALL_RECEIPT.json      PREFIX: /opt/homebrew, /usr/local, /home/linuxbrew/.linuxbrew
//! │   "time": 1722991679, "poured_from_bottle": true, "installed_on_request": true,
//! │   "runtime_dependencies": [ { "full_name": "openssl@3", "version": "3.3.1" } ],
//! │   "source": { "tap": "homebrew/core", "versions": { "stable": "1.67.0" } }
//! ```
//!
//! The folder says the version, with the revision of the formula behind `_`. A hit proves that the version is installed there; not that
//! anybody used it. Documented in `brew(1)` and "Formula Cookbook".

use super::{of_tap, package};
use crate::{
    ecosystem::{brew::KEG, normal_name},
    fact::{At, Ecosystem, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
    tree::Kind,
};
use serde_json::Value;

const FILE: usize = 4 << 20;
const REQUIRED: usize = 1_000;

/// `Cellar/*/*/INSTALL_RECEIPT.json`.
pub struct Formula;

static META: Meta = Meta {
    id: "homebrew/formula",
    title: "formulae that Homebrew installed",
    proves: "the version is installed there; not that anybody used it",
};

impl Surface for Formula {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let keg = path.parent();
        Some(Unit { ecosystem: Ecosystem::Brew, folder: keg.clone(), root: keg, kind: KEG, usual: true })
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("INSTALL_RECEIPT.json").within("Cellar")]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (name, version) = keg(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(&name, &version, Placement::Loadable)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let Some((name, version)) = keg(&file.entry.path) else {
            return Ok(());
        };
        let mtime = file.mtime("mtime of the receipt");
        let json: Option<Value> = serde_json::from_str(&text(file.all(FILE)?)).ok();
        let Some(json) = json.filter(Value::is_object) else {
            let found = package(&name, &version, Placement::Loadable).map(Fact::Named);
            found.into_iter().for_each(|found| out.push(mtime.clone(), found));
            return Err(Flaw::malformed("INSTALL_RECEIPT.json", "it is no JSON object"));
        };
        let tap = json.get("source").and_then(|source| source.get("tap")).and_then(Value::as_str);
        let at = json.get("time").and_then(Value::as_i64).and_then(|time| At::unix(time, "time in the receipt"));
        let needs = json.get("runtime_dependencies").and_then(Value::as_array).into_iter().flatten();
        let requires = needs.filter_map(required).take(REQUIRED).collect();
        if let Some(found) = package(&of_tap(tap, &name), &version, Placement::Loadable) {
            out.push(at.or(mtime), Fact::Package(Package { requires, ..found }));
        }
        Ok(())
    }
}

/// Name and version by the folders.
fn keg(path: &TreePath) -> Option<(String, String)> {
    let keg = path.parent();
    let rack = keg.parent();
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    (rack.parent().name() == b"Cellar").then_some(())?;
    Some((text(rack.name())?, text(keg.name())?))
}

fn required(need: &Value) -> Option<Requirement> {
    let text = |key: &str| need.get(key).and_then(Value::as_str);
    let found = package(text("full_name")?, text("version").unwrap_or("0"), Placement::Listed)?;
    Some(Requirement::new(normal_name(Ecosystem::Brew, &found.name), format!("{} {}", found.name, found.version)))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const PATH: &str = "opt/homebrew/Cellar/xz/5.6.1_1/INSTALL_RECEIPT.json";

    #[test]
    fn receipts_are_read_with_their_tap() {
        let of = |tap: &str| {
            format!(
                "{{\"time\": 1722991679, \"runtime_dependencies\": [{{\"full_name\": \"gettext\", \"version\": \"0.22.5\"}}], \"source\": {{\"tap\": \"{tap}\"}}}}"
            )
        };
        assert_eq!(
            said(&Formula, PATH, of("homebrew/core").as_bytes()),
            (vec!["package xz 5.6.1_1 Loadable".into()], None)
        );
        assert_eq!(said(&Formula, PATH, of("ada/tools").as_bytes()).0, ["package ada/tools/xz 5.6.1_1 Loadable"]);
        assert_eq!(said(&Formula, PATH, b"{}").0, ["package xz 5.6.1_1 Loadable"]);
        let unit = Formula.unit(&TreePath::new(PATH.as_bytes()).unwrap(), false).unwrap();
        assert_eq!(unit.root.text(), "/opt/homebrew/Cellar/xz/5.6.1_1");
    }

    #[test]
    fn look_alikes_and_broken_receipts() {
        for path in [
            "opt/Cellar/xz/INSTALL_RECEIPT.json",
            "Cellar/x/xz/5.6.1/a/INSTALL_RECEIPT.json",
            "x/xz/5.6.1/INSTALL_RECEIPT.json",
        ] {
            assert_eq!(said(&Formula, path, b"{}"), (vec![], None), "{path}");
        }
        for text in ["", "{", "[]", "\u{0}", "7", &"[".repeat(100_000)] {
            let (said, flaw) = said(&Formula, PATH, text.as_bytes());
            assert_eq!((said, flaw.is_some()), (vec!["named xz 5.6.1_1 Loadable".to_owned()], true));
        }
        assert_eq!(said(&Formula, PATH, b"{\"time\": 9e99, \"source\": {\"tap\": \"a\\u001b/b\"}}"), (vec![], None));
    }
}
