//! Java: where Maven and Gradle name and store artifacts.

include!(concat!(env!("OUT_DIR"), "/surface_maven.rs"));
surface_modules!();

#[cfg(test)]
mod trial;

use crate::fact::{Ecosystem, Package, Placement};

/// An artifact in a version; the name is `group:artifact`.
fn package(group: &str, artifact: &str, version: &str, placement: Placement) -> Package {
    Package {
        ecosystem: Ecosystem::Maven,
        name: format!("{group}:{artifact}").into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}
