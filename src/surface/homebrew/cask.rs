//! Casks that Homebrew installed.
//!
//! ```text
//! PREFIX/Caskroom/TOKEN/.metadata/VERSION/20260331101500.123/Casks/TOKEN.json     or TOKEN.rb
//! │   "token": "firefox", "tap": "homebrew/cask", "version": "130.0.1"
//! ```
//!
//! The folder above says when, in UTC. The application itself is moved elsewhere (`/Applications`). A hit proves that the version was installed, and not taken
//! out by brew since; not that anybody used it. Read in Homebrew's code.

use super::{of_tap, package};
use crate::{
    ecosystem::brew::KEG,
    fact::{At, Ecosystem, Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
    tree::Kind,
};
use jiff::civil::DateTime;
use serde_json::Value;

const FILE: usize = 4 << 20;

/// `Caskroom/*/.metadata/*/*/Casks/*`.
pub struct Cask;

static META: Meta = Meta {
    id: "homebrew/cask",
    title: "casks that Homebrew installed",
    proves: "the version was installed, and not taken out by brew since; not that anybody used it",
};

impl Surface for Cask {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, _: bool) -> Option<Unit> {
        let (folder, ..) = installed(path)?;
        Some(Unit { ecosystem: Ecosystem::Brew, folder: folder.clone(), root: folder, kind: KEG, usual: true })
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [".json", ".rb"].map(|end| Claim::suffix(end).nested("Caskroom", "Casks")).to_vec()
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (_, token, version, _) = installed(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(&token, &version, Placement::Loadable)?)))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let Some((_, token, version, at)) = installed(&file.entry.path) else {
            return Ok(());
        };
        let at = at.or(file.mtime("mtime of the cask"));
        let is_json = file.entry.path.name().ends_with(b".json");
        let tap = if is_json {
            let json: Option<Value> = serde_json::from_str(&text(file.all(FILE)?)).ok();
            let Some(json) = json else {
                let found = package(&token, &version, Placement::Loadable).map(Fact::Named);
                found.into_iter().for_each(|found| out.push(at.clone(), found));
                return Err(Flaw::malformed("cask", "it is no JSON"));
            };
            json.get("tap").and_then(Value::as_str).map(str::to_owned)
        } else {
            None
        };
        let found = package(&of_tap(tap.as_deref(), &token), &version, Placement::Loadable);
        found.into_iter().for_each(|found| out.push(at.clone(), Fact::Package(found)));
        Ok(())
    }
}

/// The folder of the cask, its token, its version, and when it was installed.
fn installed(path: &TreePath) -> Option<(TreePath, String, String, Option<At>)> {
    let moment = path.parent().parent();
    let version = moment.parent();
    let folder = version.parent().parent();
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let token = text(folder.name())?;
    let (stem, _) = std::str::from_utf8(path.name()).ok()?.rsplit_once('.')?;
    let placed = path.parent().name() == b"Casks"
        && version.parent().name() == b".metadata"
        && folder.parent().name() == b"Caskroom"
        && stem == token;
    let time = std::str::from_utf8(moment.name()).ok().and_then(at);
    placed.then_some((folder, token, text(version.name())?, time))
}

/// `20260331101500.123`
fn at(text: &str) -> Option<At> {
    let (whole, _) = text.split_once('.')?;
    let time = DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(At::new(time.timestamp(), "time in the name of its folder"))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    const FOLDER: &str = "opt/homebrew/Caskroom/xz/.metadata/1.2.3,456/20260331101500.123/Casks";

    #[test]
    fn casks_are_found_with_their_time() {
        let json = b"{\"token\": \"xz\", \"tap\": \"homebrew/cask\"}";
        assert_eq!(
            said(&Cask, &format!("{FOLDER}/xz.json"), json),
            (vec!["package xz 1.2.3,456 Loadable".into()], None)
        );
        assert_eq!(said(&Cask, &format!("{FOLDER}/xz.rb"), b"cask").0, ["package xz 1.2.3,456 Loadable"]);
        assert_eq!(
            said(&Cask, &format!("{FOLDER}/xz.json"), b"{\"tap\": \"ada/tools\"}").0,
            ["package ada/tools/xz 1.2.3,456 Loadable"]
        );
        assert_eq!(at("20260331101500.123").unwrap().time.to_string(), "2026-03-31T10:15:00Z");
        for bad in ["", "2026", "x.1", "99999999999999.1", "20260331101500"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn look_alikes_and_broken_files() {
        for path in ["y.json", "x/xz.json"] {
            assert_eq!(said(&Cask, &format!("{FOLDER}/{path}"), b"{}"), (vec![], None), "{path}");
        }
        assert_eq!(said(&Cask, "opt/Caskroom/Casks/xz.json", b"{}"), (vec![], None));
        for text in ["", "{", "\u{0}"] {
            let (said, flaw) = said(&Cask, &format!("{FOLDER}/xz.json"), text.as_bytes());
            assert_eq!((said, flaw.is_some()), (vec!["named xz 1.2.3,456 Loadable".to_owned()], true));
        }
    }
}
