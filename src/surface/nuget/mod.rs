//! .NET: where packages of NuGet are named, stored, built in and installed.

include!(concat!(env!("OUT_DIR"), "/surface_nuget.rs"));
surface_modules!();

pub(super) mod libraries;
#[cfg(test)]
mod trial;
pub(super) mod xml;

use crate::{
    ecosystem::{is_version, normal_name, nuget::is_name},
    fact::{Ecosystem, Package, Placement, Requirement},
};

/// A package in a version, where both have their form.
fn package(name: &str, version: &str, placement: Placement) -> Option<Package> {
    (is_name(name) && is_version(Ecosystem::Nuget, version)).then(|| Package {
        ecosystem: Ecosystem::Nuget,
        name: normal_name(Ecosystem::Nuget, name).into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    })
}

/// What a package asks for: `B 1.0`, `B [1.0, 2.0)`.
fn requirement(name: &str, asked: &str) -> Option<Requirement> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-+*[](), ".contains(c);
    let sound = is_name(name) && asked.len() <= 200 && asked.chars().all(plain);
    sound.then(|| Requirement::new(normal_name(Ecosystem::Nuget, name), format!("{name} {asked}").trim_end()))
}

/// The one version that a reference asks for: `1.2.3`, `[1.2.3]`. The lowest one that fits is taken, so that a bare version is that one.
fn exact(asked: &str) -> Option<&str> {
    let asked = asked.trim();
    let version = asked.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(asked).trim();
    is_version(Ecosystem::Nuget, version).then_some(version)
}
