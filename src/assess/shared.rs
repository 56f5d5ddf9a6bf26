//! What several incidents left alike. A family of payloads drops the same files and calls the same hosts; one such trace is one
//! finding, of the incident that the rest of the evidence speaks for, and its reason names the others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, FindingKind};
use crate::{
    fact::Origin,
    ioc::{Index, index::IncidentId},
};

/// Leaves one finding of each trace.
pub fn merge(index: &Index, findings: &mut Vec<Finding>) {
    let own: BTreeSet<_> = findings.iter().filter(|f| speaks(f)).map(|f| (f.incident, f.origin.tree.clone())).collect();
    let mut alike: BTreeMap<(Origin, &str), Vec<usize>> = BTreeMap::new();
    for (n, f) in findings.iter().enumerate().filter(|(_, f)| !speaks(f)) {
        alike.entry((f.origin.clone(), f.kind.as_str())).or_default().push(n);
    }
    let mut dropped = BTreeSet::new();
    let mut others: BTreeMap<usize, BTreeSet<IncidentId>> = BTreeMap::new();
    for group in alike.values().filter(|g| g.len() > 1) {
        let weight = |n: &usize| {
            let f = findings.get(*n)?;
            let known = own.contains(&(f.incident, f.origin.tree.clone()));
            Some((known, f.exposure, f.confidence, std::cmp::Reverse(*n)))
        };
        let Some(best) = group.iter().copied().max_by_key(weight) else {
            continue;
        };
        let kept = findings.get(best).map(|f| f.incident);
        for n in group.iter().copied().filter(|n| *n != best) {
            let incident = findings.get(n).map(|f| f.incident).filter(|i| Some(*i) != kept);
            if let Some(other) = incident {
                dropped.insert(n);
                others.entry(best).or_default().insert(other);
            }
        }
    }
    for (n, ids) in others {
        if let Some(f) = findings.get_mut(n) {
            f.alike = ids.into_iter().collect();
            let mut ids: Vec<&str> = f.alike.iter().filter_map(|i| Some(index.incident(*i)?.id.as_str())).collect();
            ids.sort_unstable();
            f.reason = format!("{}; {} left the same", f.reason, ids.join(", "));
        }
    }
    let mut n = 0;
    findings.retain(|_| {
        n += 1;
        !dropped.contains(&(n - 1))
    });
}

/// Whether a finding speaks for its incident alone: a version, a command or an image does, a dropped file or a host may be many's.
fn speaks(f: &Finding) -> bool {
    match f.kind {
        FindingKind::Package | FindingKind::Command | FindingKind::Image | FindingKind::Action => true,
        FindingKind::File | FindingKind::Network | FindingKind::Process | FindingKind::Git | FindingKind::Text => false,
    }
}
