//! Fields for secrets that say only which store holds them.

use super::Evidence;
use crate::fact::{Fact, Origin, Store};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The store.
    pub store: Store,
    /// Where it stands.
    pub origin: Origin,
}

/// By store, then place, each once.
pub fn references(evidence: &[Evidence]) -> Vec<Reference> {
    let of = |e: &Evidence| match e.seen.fact {
        Fact::Reference(store) => Some(Reference { store, origin: e.seen.origin.clone() }),
        _ => None,
    };
    let mut all: Vec<Reference> = evidence.iter().filter_map(of).collect();
    all.sort();
    all.dedup();
    all
}
