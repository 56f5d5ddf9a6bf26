//! Whose payload may have run, as whom, and what of the machine it had before it.

use std::{collections::HashMap, sync::Arc};

use super::{
    Account, Bounds, Case, Finding,
    ran_in::{FOLDERS, RanIn, project_of, starts},
};
use crate::{
    fact::TreePath,
    ioc::{index::IncidentId, model::Incident},
    verdict::{Confidence, Exposure},
};

/// Whose code one finding says ran, how sure it is, and what it had before it.
pub type Ran = (Account, Confidence, Option<Arc<Bounds>>);

/// How strong the evidence of one incident in one tree is, by account.
pub struct Threat<'i> {
    pub id: IncidentId,
    pub incident: &'i Incident,
    pub tree: &'i str,
    /// Ran, or runs by itself.
    pub strong: Vec<Ran>,
    /// Runs only when used, or may never have been there.
    pub weak: Vec<Ran>,
    /// The lowest layer of an image that holds it, where that is known.
    pub since: Option<usize>,
    /// Folders that it most likely ran in: the projects whose environments hold it, and those that the starts of these name.
    pub ran_in: RanIn,
}

/// The incidents whose payload may have run, by tree.
pub fn threats<'i>(case: &'i Case<'_>, findings: &'i [Finding]) -> Vec<Threat<'i>> {
    let mut threats: Vec<Threat<'i>> = Vec::new();
    let positions: HashMap<_, usize> = case
        .evidence
        .iter()
        .filter_map(|e| Some(((&*e.seen.origin.tree, e.seen.origin.layer.as_deref()?), e.layers?.made)))
        .collect();
    // Most machines hold nothing.
    let starts = if findings.is_empty() { Vec::new() } else { starts(case) };
    let mut named: HashMap<(&str, &TreePath), Vec<TreePath>> = HashMap::new();
    for (tree, prefix, folder) in &starts {
        named.entry((tree, prefix)).or_default().push(folder.clone());
    }
    for f in findings.iter().filter(|f| f.exposure >= Exposure::Removed) {
        let Some(incident) = case.index.incident(f.incident) else {
            continue;
        };
        let tree = &*f.origin.tree;
        let known = threats.iter().position(|t| t.id == f.incident && t.tree == tree);
        let at = known.unwrap_or_else(|| {
            let (strong, weak, ran_in) = (Vec::new(), Vec::new(), RanIn::default());
            threats.push(Threat { id: f.incident, incident, tree, strong, weak, since: Some(usize::MAX), ran_in });
            threats.len() - 1
        });
        let Some(threat) = threats.get_mut(at) else {
            continue;
        };
        // Where one piece of evidence is in no known layer, nothing is known to have gone before it.
        let layer = f.origin.layer.as_deref().and_then(|layer| positions.get(&(tree, layer)).copied());
        threat.since = threat.since.zip(layer).map(|(known, this)| known.min(this));
        let strong = match f.exposure {
            // A name alone is no sign that anything ran.
            Exposure::Executed => f.confidence >= Confidence::Likely,
            Exposure::Installed => f.by_itself,
            _ => f.confidence >= Confidence::Likely,
        };
        let prefix = f.environment.as_ref().map(|e| (tree, &e.prefix));
        let named = prefix.and_then(|prefix| named.get(&prefix)).into_iter().flatten();
        for folder in project_of(case, f).iter().chain(named) {
            if threat.ran_in.len() < FOLDERS {
                threat.ran_in.add(folder.clone());
            }
        }
        let list = if strong { &mut threat.strong } else { &mut threat.weak };
        list.push((f.account, f.confidence, f.bounds.clone()));
    }
    threats
}
