//! Smaller registries: the lock files of their tools, and where these keep what they fetched.

include!(concat!(env!("OUT_DIR"), "/surface_lockfile.rs"));
surface_modules!();

#[cfg(test)]
mod trial;

use crate::{
    ecosystem::{is_version, normal_name},
    fact::{Artifact, Ecosystem, Package, Placement, Requirement},
    surface::Flaw,
};

/// More than any project has.
const ENTRIES: usize = 50_000;
/// What one package may ask for.
const REQUIRED: usize = 500;

/// A package in a version, where both have their form.
fn package(ecosystem: Ecosystem, name: &str, version: &str, placement: Placement) -> Option<Package> {
    let showable = version.bytes().all(|b| b.is_ascii_graphic());
    (is_name(name) && showable && is_version(ecosystem, version)).then(|| Package {
        ecosystem,
        name: normal_name(ecosystem, name).into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    })
}

/// Whether a text can be a name in any of these registries, safe to show.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+/~-".contains(&b);
    (1..=300).contains(&text.len()) && text.bytes().all(plain) && text.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// What a package asks for: a name, and what its tool writes behind it.
fn requirement(ecosystem: Ecosystem, name: &str, asked: &str) -> Option<Requirement> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-~^<>=!*, ".contains(c);
    let sound = is_name(name) && asked.len() <= 200 && asked.chars().all(plain);
    sound.then(|| Requirement::new(normal_name(ecosystem, name), format!("{name} {asked}").trim_end()))
}

/// An archive with this SHA-256, where it is one.
fn archive(sha256: &str) -> Option<Artifact> {
    let sound = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    sound.then(|| Artifact { sha256: Some(sha256.to_ascii_lowercase()), ..Artifact::default() })
}

/// What is said where an entry has no proper name or version.
fn whole(whole: bool, what: &'static str) -> Result<(), Flaw> {
    if whole { Ok(()) } else { Err(Flaw::malformed(what, "entries of another form than its tool writes")) }
}
