//! Whose payload may have run, as whom, and what of the machine it had before it.

use std::{collections::HashMap, sync::Arc};

use super::{Account, Bounds, Case, Finding};
use crate::{
    accounts::Accounts,
    fact::{EnvironmentKind, TreePath},
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
    /// The projects whose environments hold it: what runs there mostly runs in their folder.
    pub projects: Vec<TreePath>,
}

/// The incidents whose payload may have run, by tree.
pub fn threats<'i>(case: &'i Case<'_>, findings: &'i [Finding]) -> Vec<Threat<'i>> {
    let mut threats: Vec<Threat<'i>> = Vec::new();
    let positions: HashMap<_, usize> = case
        .evidence
        .iter()
        .filter_map(|e| Some(((&*e.seen.origin.tree, e.seen.origin.layer.as_deref()?), e.layers?.made)))
        .collect();
    for f in findings.iter().filter(|f| f.exposure >= Exposure::Removed) {
        let Some(incident) = case.index.incident(f.incident) else {
            continue;
        };
        let tree = &*f.origin.tree;
        let known = threats.iter().position(|t| t.id == f.incident && t.tree == tree);
        let at = known.unwrap_or_else(|| {
            let (strong, weak, projects) = (Vec::new(), Vec::new(), Vec::new());
            threats.push(Threat { id: f.incident, incident, tree, strong, weak, since: Some(usize::MAX), projects });
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
        if let Some(project) = project_of(f).filter(|p| !threat.projects.contains(p))
            && threat.projects.len() < PROJECTS
        {
            threat.projects.push(project);
        }
        let list = if strong { &mut threat.strong } else { &mut threat.weak };
        list.push((f.account, f.confidence, f.bounds.clone()));
    }
    threats
}

/// Projects of one incident that count.
const PROJECTS: usize = 1000;

/// The project that a finding's environment belongs to: that folder itself, or the one that a virtual environment stands in. A home,
/// and what lies directly below the root, is no project.
fn project_of(finding: &Finding) -> Option<TreePath> {
    let environment = finding.environment.as_ref()?;
    let project = match environment.kind.word() {
        kind if kind.ends_with("-project") => environment.prefix.clone(),
        _ if environment.kind == EnvironmentKind::VENV => environment.prefix.parent(),
        _ => return None,
    };
    (project.components().count() > 1 && Accounts::default().below_home(&project).is_none_or(|rest| !rest.is_empty()))
        .then_some(project)
}
