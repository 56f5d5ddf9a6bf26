//! Files that name container images.

include!(concat!(env!("OUT_DIR"), "/surface_container.rs"));
surface_modules!();

use crate::{
    ecosystem::oci,
    fact::{Fact, Usage, Use, UseKind},
};

/// An image that a file names: `[registry/]path[:tag][@digest]`, with `docker://` in front or without. `None` where it has no such
/// form, as with a variable in it.
pub fn used(text: &str) -> Option<Fact> {
    named(text, Usage::Named)
}

/// One that a command takes.
pub fn typed(text: &str) -> Option<Fact> {
    named(text, Usage::Typed)
}

fn named(text: &str, usage: Usage) -> Option<Fact> {
    let image = oci::parse(text).filter(|_| text.len() <= 500)?;
    Some(Fact::Use(Use {
        kind: UseKind::Image,
        name: name(text).into(),
        reference: image.tag.unwrap_or_default().into(),
        digest: image.digest.map(Into::into),
        usage,
    }))
}

/// Without its tag and digest, as written.
fn name(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("docker://").unwrap_or(text);
    let text = text.split('@').next().unwrap_or(text);
    let slash = text.rfind('/').unwrap_or(0);
    text.rfind(':').filter(|colon| *colon >= slash).and_then(|colon| text.get(..colon)).unwrap_or(text)
}
