//! Packages of a system: what pacman, dpkg, rpm and apk installed for the whole machine, and what they wrote down of it.

include!(concat!(env!("OUT_DIR"), "/surface_system.rs"));
surface_modules!();

mod berkeley;
mod rpm_header;
pub(in crate::surface) mod text_lines;

use std::collections::HashSet;

use crate::{
    ecosystem::is_version,
    fact::{Ecosystem, Fact, Package, Placement},
};

/// A version of a package, where name and version have the form that their ecosystem gives them.
fn package(ecosystem: Ecosystem, name: &str, version: &str, placement: Placement) -> Option<Package> {
    (is_name(name) && is_version(ecosystem, version)).then(|| Package {
        ecosystem,
        name: name.into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    })
}

/// The same as a fact.
fn fact(ecosystem: Ecosystem, name: &str, version: &str, placement: Placement) -> Option<Fact> {
    package(ecosystem, name, version, placement).map(Fact::Package)
}

/// Whether a text is a name of a package of any of these systems, safe to show.
fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '@');
    starts && text.len() <= 200 && text.chars().all(|c| c.is_ascii_alphanumeric() || "@._+-".contains(c))
}

/// Versions of which one log remembers that it named them.
const REPORTED: usize = 50_000;

/// What a log named before.
#[derive(Default)]
struct Reported(HashSet<String>);

impl Reported {
    /// Whether this version is named for the first time.
    fn is_new(&mut self, name: &str, version: &str) -> bool {
        let key = format!("{name} {version}");
        !self.0.contains(&key) && (self.0.len() >= REPORTED || key.len() > 1000 || self.0.insert(key))
    }
}

#[cfg(test)]
mod trial {
    use crate::{
        fact::{Ecosystem, Fact, Seen},
        interest::Interest,
        surface::{Surface, python::trial},
    };

    /// What a surface says of one file, where indicators know these packages: `name version Placement[ time][:line]` for each package,
    /// then what is wrong.
    pub fn said(surface: &dyn Surface, path: &str, bytes: &[u8], known: &[(Ecosystem, &str)]) -> Vec<String> {
        let mut interest = Interest::default();
        known.iter().for_each(|(ecosystem, name)| interest.packages.insert(*ecosystem, name));
        let tried = trial::tried(surface, path, bytes, &interest);
        let flaw = tried.flaw.map(|flaw| format!("flaw: {flaw}"));
        tried.seen.iter().map(words).chain(flaw).collect()
    }

    fn words(seen: &Seen) -> String {
        let fact = match &seen.fact {
            Fact::Package(p) => format!("{} {} {:?}", p.name, p.version, p.placement),
            Fact::Named(p) => format!("named {} {} {:?}", p.name, p.version, p.placement),
            Fact::InstallScript { name, version, outcome, .. } => format!("script {name} {version} {outcome:?}"),
            other => format!("{other:?}"),
        };
        let at = seen.at.as_ref().map(|at| format!(" {}", at.time)).unwrap_or_default();
        let line = seen.origin.line.map(|line| format!(" :{line}")).unwrap_or_default();
        format!("{fact}{at}{line}")
    }
}
