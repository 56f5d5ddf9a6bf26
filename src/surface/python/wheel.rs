//! Wheels and sdists that lie about: downloads, `dist/`, wheelhouses, and the caches that keep them under their own names.
//!
//! ```text
//! ~/Downloads/litellm-1.82.8-py3-none-any.whl
//! ~/.cache/pip/wheels/85/e6/d2/<50 hex>/telnyx-4.87.1-py3-none-any.whl         pip built it here from the sdist
//! ~/.cache/uv/sdists-v9/pypi/telnyx/4.87.1/<id>/telnyx-4.87.1-….whl            uv built it here
//! ~/.cache/pypoetry/artifacts/1f/12/bd/<58 hex>/litellm-1.82.8-py3-none-any.whl
//! somewhere/telnyx-4.87.1.tar.gz
//! ```
//!
//! Every `.whl` is opened, so that a renamed one is found; a `.tar.gz` or `.zip` only where its name starts with a package that an
//! indicator names. A hit proves that the bytes are on the disk; one that was built here also that the sdist's own code ran here.
//! Documented in the binary distribution format of packaging.python.org.

use super::{
    archive::{of_interest, of_sdist, of_zip, sdist_parts, starts_with_interest},
    identity, placement,
};
use crate::{
    ecosystem::pypi::{normalise, unit_around},
    fact::{Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
    tree::Kind,
};

/// `*.whl`, and `*.tar.gz` and `*.zip` of packages that indicators name.
pub struct Wheel;

static META: Meta = Meta {
    id: "python/wheel",
    title: "wheels and sdists lying about",
    proves: "the bytes are on the disk, and where pip or uv built the wheel here, that the sdist's code ran",
};

impl Surface for Wheel {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Artifacts, Shows::Files]
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [".whl", ".tar.gz", ".zip"].map(Claim::suffix).into()
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        if kind == Kind::Dir || path.name().ends_with(b".egg") || path.name().ends_with(b".egg-info") {
            return None;
        }
        let (name, version) = identity::file_parts(path.name())?;
        let placement = if path.name().ends_with(b".whl") { placement::of_wheel(path) } else { Placement::Cached };
        Some((path.clone(), Fact::Named(identity::package(name, version, placement))))
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        match head {
            [b'P', b'K', 3, 4, ..] => Some("*.zip"),
            [0x1f, 0x8b, ..] => Some("*.tar.gz"),
            _ => None,
        }
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let entry = file.entry;
        let name = entry.path.name();
        let at = file.mtime("mtime of the archive");
        let (interest, text) = (file.interest, std::str::from_utf8(name).ok());
        let is_known = |name| identity::file_parts(name).is_some_and(|(n, _)| of_interest(interest, &normalise(n)));
        let wheel = name.ends_with(b".whl");
        let stem = [b".whl".as_slice(), b".tar.gz", b".zip"].iter().find_map(|end| name.strip_suffix(*end));
        if !wheel && !starts_with_interest(interest, stem.unwrap_or_default()) {
            return Ok(());
        }
        let placement = if wheel { placement::of_wheel(&entry.path) } else { Placement::Cached };
        let zip = match file.head(2)? {
            b"PK" => true,
            b"\x1f\x8b" if !wheel => false,
            _ if is_known(name) => {
                let (what, why) = if wheel { ("wheel", "it is no zip") } else { ("sdist", "it is no archive") };
                return Err(Flaw::malformed(what, why));
            }
            _ => return Ok(()),
        };
        let mut archive = file.seekable()?;
        let found = if zip { of_zip(&mut archive, placement)? } else { of_sdist(&mut archive, interest, placement)? };
        // A name that an indicator has, and nothing inside that says what it is.
        let named = || stem.and_then(sdist_parts).is_some_and(|(n, _)| of_interest(interest, &normalise(n)));
        match found {
            Some(found) => return found.push(&mut archive, text, interest, at, out),
            None if !wheel && !zip && named() => return Err(Flaw::malformed("sdist", "nothing in it says what it is")),
            None if wheel && is_known(name) => return Err(Flaw::malformed("wheel", "nothing in it says what it is")),
            None => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{archive::made, trial::tried},
        *,
    };

    fn packages(path: &str, bytes: &[u8]) -> Vec<String> {
        tried(&Wheel, path, bytes, &made::interest()).packages()
    }

    #[test]
    fn wheels_are_found_under_any_name() {
        let wheel = made::wheel("litellm", "1.82.8");
        for path in
            ["h/Downloads/litellm-1.82.8-py3-none-any.whl", "h/renamed.whl", "h/litellm-1.82.8-py3-none-any.whl.zip"]
        {
            assert_eq!(packages(path, &wheel), ["litellm 1.82.8 Cached"], "{path}");
        }
        let built = format!("c/pip/wheels/85/e6/d2/{}/litellm-1.82.8-py3-none-any.whl", "0".repeat(50));
        assert_eq!(packages(&built, &wheel), ["litellm 1.82.8 Built"]);
        assert_eq!(packages("h/holiday.zip", &wheel), [""; 0]);
    }

    #[test]
    fn sdists_are_opened_only_by_a_name_of_interest() {
        let sdist = made::tar_gz(&[("litellm-1.82.8/PKG-INFO", "Name: litellm\nVersion: 1.82.8\n")]);
        assert_eq!(packages("h/litellm-1.82.8.tar.gz", &sdist), ["litellm 1.82.8 Cached"]);
        assert_eq!(packages("h/litellm-1.82.8 (1).tar.gz", &sdist), ["litellm 1.82.8 Cached"]);
        assert_eq!(packages("h/backup.tar.gz", &sdist), [""; 0]);
        let other = made::tar_gz(&[("notes.txt", "x")]);
        let flaw = |path: &str| tried(&Wheel, path, &other, &made::interest()).flaw.is_some();
        assert!(flaw("h/litellm-1.82.8.tar.gz") && !flaw("h/other-1.82.8.tar.gz") && !flaw("h/litellm-notes.tar.gz"));
    }

    #[test]
    fn each_witness_of_a_wheel_counts() {
        let (name, path) = ("litellm-1.82.8.dist-info", "h/litellm-1.82.8-py3-none-any.whl");
        let tried = |path: &str, members: &[(&str, &str)]| tried(&Wheel, path, &made::zip(members), &made::interest());
        // What describes it is damaged or missing: the folder in it says it, under any name.
        for body in ["", "Name: litellm\n", "\u{1b}"] {
            let got = tried("h/x.whl", &[(&format!("{name}/METADATA"), body)]);
            assert_eq!((got.named(), got.packages()), (vec!["litellm 1.82.8 Cached".to_owned()], vec![]), "{body:?}");
        }
        let got = tried("h/x.whl", &[(&format!("{name}/WHEEL"), "Tag: py3-none-any\n")]);
        assert_eq!((got.named(), got.packages()), (vec!["litellm 1.82.8 Cached".to_owned()], vec![]));
        // They disagree.
        let about = "Name: litellm\nVersion: 1.0\n";
        let got = tried(path, &[(&format!("{name}/METADATA"), about)]);
        assert_eq!(got.packages(), ["litellm 1.0 Cached"]);
        assert_eq!(got.named(), ["litellm 1.82.8 Cached", "litellm 1.82.8 Cached"]);
        assert_eq!(
            got.disagreements(),
            [
                "its folder says litellm 1.82.8, its description says litellm 1.0",
                "its file name says litellm 1.82.8, its content says litellm 1.0"
            ]
        );
        // Nothing in it says anything: its own name does (`named`), and the flaw asks for it.
        let other = [("notes.txt", "x")];
        assert!(tried(path, &other).flaw.is_some() && tried("h/six-1.0-py3-none-any.whl", &other).flaw.is_none());
        let same = tried(path, &[(&format!("{name}/METADATA"), "Name: Lite.LLM\nVersion: 1.0\n")]);
        assert_eq!(same.disagreements().len(), 2);
    }

    #[test]
    fn a_damaged_wheel_is_a_flaw_and_another_file_of_that_ending_is_nothing() {
        let wheel = made::wheel("litellm", "1.82.8");
        let flaw = |path, bytes| tried(&Wheel, path, bytes, &made::interest()).flaw;
        assert!(flaw("h/x.whl", &wheel[..wheel.len() / 2]).is_some());
        assert!(flaw("h/litellm-1.82.8-py3-none-any.whl", b"<html>").is_some());
        assert!(flaw("h/empty-1-py3-none-any.whl", b"").is_none());
        assert!(flaw("h/litellm-1.82.8.tar.gz", b"").is_some() && flaw("h/other-1.0.tar.gz", b"").is_none());
        assert!(flaw("h/litellm-notes.zip", b"text").is_none());
    }
}
