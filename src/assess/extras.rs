//! Which requirements count in an environment: by their markers, and by the extras that were asked for.

use std::collections::{BTreeSet, HashMap};

use super::units::Distribution;
use crate::{
    ecosystem::marker::{Machine, Marker},
    fact::Requirement,
};

/// How surely a requirement brought its package in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It holds here, and its extra was asked for.
    Certain,
    /// Whether it holds is not known.
    Open,
    /// Behind an extra that nothing recorded asks for.
    Unasked,
}

/// The extras of each package that were asked for, by the user or by another package that is there.
pub struct Extras<'d> {
    machine: Machine,
    /// A marker is read once, however many requirements have it.
    markers: HashMap<&'d str, Option<Marker>>,
    active: HashMap<&'d str, BTreeSet<&'d str>>,
}

impl<'d> Extras<'d> {
    /// Among these distributions, with what the user asked for. The work is that of reading each requirement once, and once more
    /// for each extra that it stands behind.
    pub fn new(distributions: &[&'d Distribution], asked: &[&'d Requirement], machine: Machine) -> Self {
        let mut extras = Self { machine, markers: HashMap::new(), active: HashMap::new() };
        let all = || distributions.iter().flat_map(|d| d.package.requires.iter().map(|r| (&*d.package.name, r)));
        for marker in all().map(|(_, r)| r).chain(asked.iter().copied()).filter_map(|r| r.marker.as_deref()) {
            extras.markers.entry(marker).or_insert_with(|| Marker::new(marker));
        }
        let mut behind: HashMap<(&str, String), Vec<&'d Requirement>> = HashMap::new();
        for (name, r) in all().filter(|(_, r)| !r.extras.is_empty()) {
            for extra in extras.marker(r).map(Marker::extras).unwrap_or_default() {
                behind.entry((name, extra)).or_default().push(r);
            }
        }
        let asks = |r: &'d Requirement| r.extras.iter().map(|extra| (&*r.name, &**extra));
        let without =
            all().map(|(_, r)| r).chain(asked.iter().copied()).filter(|r| extras.holds(r, None) != Some(false));
        let mut todo: Vec<(&str, &str)> = without.flat_map(asks).collect();
        while let Some((name, extra)) = todo.pop() {
            if extras.active.entry(name).or_default().insert(extra) {
                let listed = behind.get(&(name, extra.to_owned())).into_iter().flatten();
                todo.extend(listed.filter(|r| extras.holds(r, Some(extra)) != Some(false)).flat_map(|r| asks(r)));
            }
        }
        extras
    }

    /// Whether a requirement of the user holds here, as far as is known.
    pub fn may_hold(&self, asked: &Requirement) -> bool {
        self.holds(asked, None) != Some(false)
    }

    /// How surely a distribution needs what it requires; `None` where it does not.
    pub fn need(&self, of: &Distribution, requirement: &Requirement) -> Option<Need> {
        let surely = |held: Option<bool>| match held {
            Some(true) => Some(Need::Certain),
            None => Some(Need::Open),
            Some(false) => None,
        };
        if let Some(need) = surely(self.holds(requirement, None)) {
            return Some(need);
        }
        let behind = self.marker(requirement).map(Marker::extras).unwrap_or_default();
        let active = self.active.get(&*of.package.name);
        let is_active = |extra: &&String| active.is_some_and(|a| a.contains(extra.as_str()));
        let by_extra = |extra: &String| surely(self.holds(requirement, Some(extra)));
        let asked = behind.iter().filter(is_active).filter_map(by_extra).min();
        asked.or_else(|| behind.iter().any(|extra| by_extra(extra).is_some()).then_some(Need::Unasked))
    }

    fn marker(&self, requirement: &Requirement) -> Option<&Marker> {
        self.markers.get(requirement.marker.as_deref()?)?.as_ref()
    }

    /// Without a marker always; one that cannot be read may.
    fn holds(&self, requirement: &Requirement, extra: Option<&str>) -> Option<bool> {
        match &requirement.marker {
            None => Some(true),
            Some(_) => self.marker(requirement)?.holds(self.machine, extra),
        }
    }
}
