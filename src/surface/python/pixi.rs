//! The manifest of pixi.
//!
//! ```text
//! project/
//! └── pixi.toml        [dependencies], [pypi-dependencies] litellm = "==1.82.8", {version = "==1.82.8"}, {url = "https://…whl"}
//!                      also in [feature.NAME.…] and [target.PLATFORM.…]
//! ```
//!
//! Written by people and by `pixi add`. Names of conda packages are taken as names of PyPI, which they mostly are. A hit proves
//! that the project asks for the version; not that it was installed. Documented as "Pixi Manifest" of pixi.

use super::{
    listing::{Listing, text},
    pyproject::{Pins, by_line, pixi},
    toml_doc::{DOCUMENT, Lines, parse},
};
use crate::{
    fact::Package,
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, line_starts},
    },
};

/// `pixi.toml`.
pub struct PixiToml;

static META: Meta = Meta {
    id: "python/pixi",
    title: "the manifest of pixi",
    proves: "the project asks for the version; not that it was installed",
};

impl Surface for PixiToml {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("pixi.toml")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "[dependencies]") && line_starts(&text, "channels") || has_line(&text, "[pypi-dependencies]"))
            .then_some("pixi.toml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of pixi.toml");
        let interest = file.interest;
        let text = text(file.all(DOCUMENT)?);
        let mut listing = Listing::new(out, at);
        let document = parse(&text, "pixi.toml").inspect_err(|_| by_line(&text, &mut listing))?;
        let mut pins = Pins { lines: Lines::new(&text, 0), listing: &mut listing };
        pixi(Some(&document), &mut pins, 2);
        listing.end_of_manifest(interest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    #[test]
    fn pins_of_both_worlds() {
        let text = "[workspace]\nname = 'x'\n[dependencies]\nlitellm = '==1.82.7'\npython = '3.12.*'\n[pypi-dependencies]\n\
                    litellm = {version = '==1.82.8', extras = ['proxy']}\ndspy = '>=2,!=2.1'\n\
                    [feature.dev.target.linux-64.pypi-dependencies]\nx = '==1'\n[feature.dev.tasks]\ny = '==1'\n";
        let got = read(&PixiToml, "p/pixi.toml", text.as_bytes());
        assert_eq!(got.pins, ["litellm 1.82.7@4", "litellm 1.82.8@7", "x 1@10"]);
        assert_eq!(got.asked, ["litellm", "python", "dspy", "x"]);
        let got = read(&PixiToml, "p/pixi.toml", b"[dependencies]\n<<<<<<< a\nlitellm = '==1.82.7'\n# x = '==1'\n");
        assert_eq!((got.pins, got.gaps.len()), (vec!["litellm 1.82.7@3".to_owned()], 1));
    }
}
