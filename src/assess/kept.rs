//! What an earlier clean-up moved away.

use super::Evidence;
use crate::fact::{Fact, Origin};

/// Evidence of an earlier clean-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The marker.
    pub origin: Origin,
    /// Id of the case whose checklist moved it.
    pub case: Box<str>,
    /// Archives with their digests.
    pub archives: usize,
}

/// The markers of earlier clean-ups, by place.
pub fn kept(evidence: &[Evidence]) -> Vec<Kept> {
    let kept = evidence.iter().filter_map(|e| match &e.seen.fact {
        Fact::KeptEvidence { case, archives } => {
            Some(Kept { origin: e.seen.origin.clone(), case: case.clone(), archives: *archives })
        }
        _ => None,
    });
    kept.collect()
}
