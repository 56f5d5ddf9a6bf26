//! How each ecosystem writes and compares names and versions.

pub mod pypi;

use crate::fact::Ecosystem;

/// A name as its ecosystem compares it.
pub fn normal_name(ecosystem: Ecosystem, name: &str) -> Box<str> {
    match ecosystem {
        Ecosystem::Pypi => pypi::normalise(name).into(),
        Ecosystem::Npm | Ecosystem::Oci => name.into(),
    }
}

/// Whether a version that was found is the known one.
pub fn same_version(ecosystem: Ecosystem, known: &str, found: &str) -> bool {
    match ecosystem {
        Ecosystem::Pypi => pypi::same_version(known, found),
        Ecosystem::Npm | Ecosystem::Oci => known == found,
    }
}
