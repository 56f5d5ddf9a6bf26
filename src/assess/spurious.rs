//! Findings that say nothing because of what else was found, or was not.

use std::collections::HashSet;

use super::{Finding, FindingKind};
use crate::{ioc::model::FileRole, verdict::Exposure};

/// A companion counts only where a hook of its incident, or the bad version, stands in the same site folder.
pub fn drop_lonely_companions(findings: &mut Vec<Finding>) {
    let company: HashSet<_> = findings
        .iter()
        .filter(|f| f.role == Some(FileRole::Hook) || (f.kind == FindingKind::Package && f.environment.is_some()))
        .map(|f| (f.incident, f.origin.tree.clone(), f.usual_folder().cloned()))
        .filter(|(_, _, site)| site.is_some())
        .collect();
    findings.retain(|f| {
        let here = (f.incident, f.origin.tree.clone(), f.usual_folder().cloned());
        f.role != Some(FileRole::Companion) || company.contains(&here)
    });
}

/// That the resolver looked at a version says nothing where the version itself is stored beside it.
pub fn drop_looks_at_what_is_stored(findings: &mut Vec<Finding>) {
    let key = |f: &Finding| (f.incident, f.indicator.clone(), f.origin.tree.clone(), f.origin.path.parent());
    let stored = findings.iter().filter(|f| f.exposure == Exposure::Cached && f.surface == "python/uv-cache");
    let stored: HashSet<_> = stored.map(key).collect();
    findings.retain(|f| {
        let look = f.exposure == Exposure::Referenced && f.surface == "python/uv-cache";
        !look || !stored.contains(&key(f))
    });
}
