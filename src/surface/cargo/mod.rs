//! Rust: where cargo names, stores, builds and installs crates.

include!(concat!(env!("OUT_DIR"), "/surface_cargo.rs"));
surface_modules!();

#[cfg(test)]
mod trial;

use crate::fact::{Artifact, Ecosystem, Package, Placement, Requirement};

/// A crate, named as its file writes it.
fn package(name: &str, version: &str, placement: Placement) -> Package {
    Package {
        ecosystem: Ecosystem::Cargo,
        name: crate::ecosystem::normal_name(Ecosystem::Cargo, name).into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}

/// The file that the registry serves, with its SHA-256 in hex.
fn crate_file(name: &str, version: &str, sha256: Option<String>) -> Artifact {
    Artifact { name: Some(format!("{name}-{version}.crate")), sha256, ..Artifact::default() }
}

/// What one crate asks for.
fn requirement(name: &str, text: String) -> Requirement {
    Requirement::new(crate::ecosystem::normal_name(Ecosystem::Cargo, name), text)
}

/// A SHA-256 in hex.
fn sha256(text: &str) -> Option<String> {
    (text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}
