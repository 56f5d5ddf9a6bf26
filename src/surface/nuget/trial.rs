//! Runs one surface of .NET on one made-up file, for tests.

use crate::{
    fact::Ecosystem,
    surface::{Surface, python::trial},
};

/// As `trial::said`, where indicators know these packages.
pub fn said(surface: &dyn Surface, path: &str, bytes: &[u8], known: &[&str]) -> (Vec<String>, Option<String>) {
    trial::said(surface, path, bytes, (Ecosystem::Nuget, known))
}
