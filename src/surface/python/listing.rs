//! The way of a pin into a fact.

use std::collections::BTreeSet;

use super::pin::Pin;
pub use crate::surface::content::text;
use crate::{
    ecosystem::pypi::{is_name, normalise, requirement},
    fact::{At, Ecosystem, Fact, Package, Placement, Requirement},
    interest::Interest,
    surface::{Flaw, Sink},
};

/// More pins than any project has; what comes after them is a gap.
const PINS: u32 = 50_000;

/// More direct requirements than any project has.
const ASKED: usize = 5000;

/// Takes the pins of one file.
pub struct Listing<'o, 's> {
    out: &'o mut Sink<'s>,
    at: Option<At>,
    count: u32,
    asked: Vec<Requirement>,
    /// Packages that an indicator knows and that are asked for in no one version, with their lines.
    open: Vec<(Box<str>, Option<u32>)>,
    pinned: BTreeSet<String>,
}

impl<'o, 's> Listing<'o, 's> {
    /// For a file last changed at `at`.
    pub fn new(out: &'o mut Sink<'s>, at: Option<At>) -> Self {
        Self { out, at, count: 0, asked: Vec::new(), open: Vec::new(), pinned: BTreeSet::new() }
    }

    /// A direct requirement of the project, pinned or not, in PEP 508 or only its name.
    pub fn asks_for(&mut self, text: &str) {
        let named = || Requirement::new(normalise(text), text);
        let found = requirement(text).or_else(|| is_name(text).then(named));
        if let Some(found) = found.filter(|f| self.asked.len() < ASKED && !self.asked.contains(f)) {
            self.asked.push(found);
        }
    }

    /// The same, on a line, of a package that an indicator knows and that is asked for in no one version.
    pub fn asks_openly(&mut self, text: &str, line: u32) {
        self.asks_for(text);
        if let Some(asked) = self.asked.last().filter(|_| self.open.len() < ASKED) {
            self.open.push((asked.name.clone(), Some(line)));
        }
    }

    /// The manifest is read: reports what its project asks for.
    pub fn end_of_manifest(mut self, interest: &Interest) {
        let open = |r: &&Requirement| {
            let known = interest.knows_package(Ecosystem::Pypi, &r.name) && !self.pinned.contains(&*r.name);
            known && !self.open.iter().any(|(name, _)| *name == r.name)
        };
        let without_line: Vec<_> = self.asked.iter().filter(open).map(|r| (r.name.clone(), None)).collect();
        for (name, line) in std::mem::take(&mut self.open).into_iter().chain(without_line) {
            let pin = Pin { name: name.into(), version: Package::ANY.to_owned(), ..Pin::default() };
            self.push(pin, line);
        }
        if !self.asked.is_empty() {
            self.out.push(self.at, Fact::Project { ecosystem: Ecosystem::Pypi, asked: self.asked });
        }
    }

    /// A pin, and the line it stands on.
    pub fn push(&mut self, pin: Pin, line: Option<u32>) {
        self.count = self.count.saturating_add(1);
        if self.count > PINS {
            if self.count == PINS + 1 {
                self.gap(&Flaw::malformed("list of packages", "more entries than are read"));
            }
            return;
        }
        if !self.pinned.contains(&pin.name) {
            self.pinned.insert(pin.name.clone());
        }
        let package = Package {
            ecosystem: Ecosystem::Pypi,
            name: pin.name.into(),
            version: pin.version.into(),
            placement: Placement::Listed,
            requires: pin.requires.into(),
            artifacts: pin.artifacts,
        };
        self.out.push_at(None, line, self.at.clone(), Fact::Package(package));
    }

    /// Something in the file that could not be read.
    pub fn gap(&mut self, flaw: &Flaw) {
        self.out.gap(None, flaw);
    }
}

/// Lines of a text with their numbers, from 1.
pub fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines())
}
