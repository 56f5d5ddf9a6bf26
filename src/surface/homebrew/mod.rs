//! Homebrew: what it installed, and what it fetched.

include!(concat!(env!("OUT_DIR"), "/surface_homebrew.rs"));
surface_modules!();

#[cfg(test)]
mod trial;

use crate::{
    ecosystem::{
        brew::{is_name, is_version},
        normal_name,
    },
    fact::{Ecosystem, Package, Placement},
};

/// A formula or a cask in a version, where both have their form.
fn package(name: &str, version: &str, placement: Placement) -> Option<Package> {
    (is_name(name) && is_version(version)).then(|| Package {
        ecosystem: Ecosystem::Brew,
        name: normal_name(Ecosystem::Brew, name).into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    })
}

/// `owner/tap/name`; of Homebrew's own taps the name alone.
fn of_tap(tap: Option<&str>, name: &str) -> String {
    match tap {
        Some(tap) if !tap.starts_with("homebrew/") => format!("{tap}/{name}"),
        _ => name.to_owned(),
    }
}
