//! Go: where modules are named, stored, vendored and built in.

include!(concat!(env!("OUT_DIR"), "/surface_golang.rs"));
surface_modules!();

pub(super) mod image;

#[cfg(test)]
mod trial;

use crate::fact::{Ecosystem, Package, Placement};

/// A module in a version, as its file writes both.
fn package(name: &str, version: &str, placement: Placement) -> Package {
    Package {
        ecosystem: Ecosystem::Golang,
        name: name.into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}
