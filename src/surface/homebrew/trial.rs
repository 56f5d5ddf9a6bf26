//! Runs one surface of Homebrew on one made-up file, for tests.

use crate::{
    fact::Ecosystem,
    surface::{Surface, python::trial},
};

/// As `trial::said`, where indicators know `xz`.
pub fn said(surface: &dyn Surface, path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
    trial::said(surface, path, bytes, (Ecosystem::Brew, &["xz"]))
}
