//! Ruby: where gems are named, stored, built and installed.

include!(concat!(env!("OUT_DIR"), "/surface_ruby.rs"));
surface_modules!();

#[cfg(test)]
mod trial;

use crate::fact::{Ecosystem, Package, Placement};

/// A gem in a version, as its file writes both.
fn package(name: &str, version: &str, placement: Placement) -> Package {
    Package {
        ecosystem: Ecosystem::Gem,
        name: name.into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}
