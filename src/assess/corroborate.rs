//! A file that only its name speaks for is no more than possible, unless something else of the same incident was found in the tree.

use std::collections::HashSet;

use super::Finding;
use crate::verdict::{Confidence, Exposure};

/// Gives findings by name alone the confidence that other evidence beside them lends.
pub fn lift(findings: &mut [Finding]) {
    let speaks = |f: &&Finding| {
        f.corroborated.is_none() && f.exposure >= Exposure::Removed && f.confidence >= Confidence::Likely
    };
    let known: HashSet<_> = findings.iter().filter(speaks).map(|f| (f.incident, f.origin.tree.clone())).collect();
    for f in findings.iter_mut().filter(|f| known.contains(&(f.incident, f.origin.tree.clone()))) {
        if let Some((rule, sure, why)) = f.corroborated.take() {
            f.set_rule(rule, f.confidence.max(sure));
            f.reason = why;
        }
    }
}
