//! Odd things that match no indicator: listed apart, never part of the verdict.

use super::{Case, family::FAMILIES, timeline, units::Units};
use crate::{
    fact::{At, Fact, Origin, Seen},
    matcher,
};

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// `a-` and 16 hex digits.
    pub id: String,
    /// Which surface read it.
    pub surface: &'static str,
    /// Where.
    pub origin: Origin,
    /// When.
    pub at: Option<At>,
    /// What is odd.
    pub what: String,
}

/// Hooks that no distribution owns, files whose bytes differ from what their distribution says, and distributions whose witnesses
/// disagree.
pub fn find(case: &Case<'_>, units: &Units) -> Vec<Anomaly> {
    let mut found: Vec<Anomaly> = case
        .evidence
        .iter()
        .filter(|e| e.gone.is_none() && matcher::hits(case.index, &e.seen).is_empty())
        .filter_map(|e| odd(units, &e.seen).map(|what| anomaly(&e.seen, what)))
        .collect();
    found.sort_by(|a, b| a.origin.cmp(&b.origin));
    found
}

fn anomaly(seen: &Seen, what: String) -> Anomaly {
    Anomaly {
        id: timeline::id("a", &[&what], &seen.origin),
        surface: seen.surface,
        origin: seen.origin.clone(),
        at: seen.at.clone(),
        what,
    }
}

fn odd(units: &Units, seen: &Seen) -> Option<String> {
    if let Fact::Disagreement { what, .. } = &seen.fact {
        return Some(format!("what names this distribution disagrees: {what}"));
    }
    FAMILIES.iter().find_map(|family| family.odd(units, seen))
}
