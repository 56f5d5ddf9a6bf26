//! What cargo says.
//!
//! ```text
//!   Downloaded itoa v1.0.10
//!    Compiling itoa v1.0.10                     its build script and its macros run then
//!     Checking itoa v1.0.10
//!    Compiling c1 v0.1.0 (/srv/c1)              no crate of a registry
//!    Installed package `ripgrep v14.1.0` (executable `rg`)
//! ```
//!
//! Watched with cargo 1.9x.

use super::packages::Take;
use crate::{
    ecosystem::is_version,
    fact::{Ecosystem, Logged},
};

/// What a line says.
pub fn said(text: &str, take: &mut Take<'_>) {
    let Some((verb, rest)) = text.trim_start().split_once(' ') else {
        return;
    };
    let (rest, logged) = match verb {
        "Compiling" | "Checking" => (rest, Logged::Installed),
        "Downloaded" => (rest, Logged::Downloaded),
        "Installed" => {
            let Some((inside, _)) = rest.strip_prefix("package `").and_then(|r| r.split_once('`')) else {
                return;
            };
            (inside, Logged::Installed)
        }
        _ => return,
    };
    let mut words = rest.splitn(3, ' ');
    let (Some(name), Some(version)) = (words.next(), words.next().and_then(|v| v.strip_prefix('v'))) else {
        return;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_name = !name.is_empty() && name.len() <= 100 && name.chars().all(plain);
    // A folder, a repository.
    let from_registry = words.next().is_none_or(|from| from.starts_with("(registry"));
    if is_name && from_registry && is_version(Ecosystem::Cargo, version) {
        take(name, version, logged);
    }
}
