//! Runs one surface of PHP on one made-up file, for tests.

use crate::{
    fact::{Ecosystem, Fact},
    interest::Interest,
    surface::{Surface, python::trial},
};

/// `package x 1.0.0 Cached@3` for each fact, in order, and what is wrong with the file.
pub fn said(surface: &dyn Surface, path: &str, bytes: &[u8], known: &[&str]) -> (Vec<String>, Option<String>) {
    let mut interest = Interest::default();
    known.iter().for_each(|name| interest.packages.insert(Ecosystem::Composer, name));
    let tried = trial::tried(surface, path, bytes, &interest);
    let said = tried.seen.iter().map(|seen| {
        let line = seen.origin.line.map_or(String::new(), |line| format!("@{line}"));
        match &seen.fact {
            Fact::Package(p) => format!("package {} {} {:?}{line}", p.name, p.version, p.placement),
            Fact::Named(p) => format!("named {} {} {:?}{line}", p.name, p.version, p.placement),
            Fact::InstallScript { name, version, outcome, .. } => format!("script {name} {version} {outcome:?}"),
            Fact::Disagreement { what, .. } => format!("disagreement {what}"),
            other => format!("{other:?}"),
        }
    });
    (said.collect(), tried.flaw.map(|flaw| flaw.to_string()))
}
