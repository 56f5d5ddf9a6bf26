//! Runs one surface of these on one made-up file, for tests.

use crate::{
    fact::{Ecosystem, Fact},
    interest::Interest,
    surface::{Surface, python::trial},
};

/// As `trial::said`, where indicators know nothing.
pub fn said(surface: &dyn Surface, path: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
    trial::said(surface, path, bytes, (Ecosystem::Generic, &[]))
}

/// What the packages of a file ask for, in order.
pub fn asked(surface: &dyn Surface, path: &str, bytes: &[u8]) -> Vec<Vec<String>> {
    let tried = trial::tried(surface, path, bytes, &Interest::default());
    let of = |fact: &Fact| match fact {
        Fact::Package(p) => Some(p.requires.iter().map(|r| r.text.to_string()).collect()),
        _ => None,
    };
    tried.seen.iter().filter_map(|seen| of(&seen.fact)).collect()
}

/// Texts that are no file of any of these formats, or one that is empty.
pub const HOSTILE: [&str; 8] = ["{", "[", "\u{0}", "<<<<<<< HEAD", "{\"a\":", "\u{1b}[2J", "- - - -\n: :", "%{{{{"];
