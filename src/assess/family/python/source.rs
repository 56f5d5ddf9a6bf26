//! Where a distribution came from: what was built from a repository has the version's number and not the registry's bytes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    assess::{Case, Finding, FindingKind},
    fact::{Fact, TreePath},
    ioc::{
        index::IncidentId,
        model::{FileIndicator, FileRole},
    },
    verdict::{Confidence, Exposure},
};

/// Lowers what `direct_url.json` says is no file of the registry. A wheel can bring that file along: it excuses nothing where what only
/// the malicious file has stands beside it, or where its bytes or a command for this version are found too.
pub(super) fn weigh(case: &Case<'_>, findings: &mut [Finding]) {
    let mut built = HashMap::new();
    for seen in case.evidence.iter().map(|e| &e.seen) {
        if let Fact::FromRepository { vcs } = &seen.fact {
            built.insert((seen.origin.tree.clone(), seen.origin.path.parent()), &**vcs);
        }
    }
    if built.is_empty() {
        return;
    }
    let of_registry: HashSet<_> = findings.iter().filter_map(|f| contradiction(f, &built)).collect();
    let listed = listed_hooks(case, &built);
    for finding in findings.iter_mut().filter(|f| f.kind == FindingKind::Package) {
        let place = (finding.origin.tree.clone(), finding.origin.path.parent());
        let Some(vcs) = built.get(&place) else {
            continue;
        };
        let tree = &finding.origin.tree;
        let here = Witness::Here(tree.clone(), finding.incident, place.1.parent());
        let anywhere = Witness::Anywhere(tree.clone(), finding.incident, finding.package.clone());
        let claim = format!("`direct_url.json` says that it was built from a {vcs} repository");
        if of_registry.contains(&here) || of_registry.contains(&anywhere) || listed.contains(&place) {
            finding.reason = format!("{}; {claim}, which what else was found contradicts", finding.reason);
        } else {
            finding.confidence = Confidence::Possible;
            finding.reason = format!(
                "{}; but {claim}: it is not the file of the registry unless somebody pushed the same code there",
                finding.reason
            );
        }
    }
}

/// What shows that the file of the registry was there.
#[derive(PartialEq, Eq, Hash)]
enum Witness {
    /// Its own hook or module stands in this site folder.
    Here(Arc<str>, IncidentId, TreePath),
    /// Its bytes are stored, or it was asked for by its version.
    Anywhere(Arc<str>, IncidentId, Option<String>),
}

fn contradiction(f: &Finding, built: &HashMap<(Arc<str>, TreePath), &str>) -> Option<Witness> {
    let tree = f.origin.tree.clone();
    let stored = f.exposure == Exposure::Cached && f.kind == FindingKind::Package;
    match f.kind {
        FindingKind::File => f.usual_folder().map(|site| Witness::Here(tree, f.incident, site.clone())),
        FindingKind::Command => Some(Witness::Anywhere(tree, f.incident, f.package.clone())),
        _ if stored && !built.contains_key(&(tree.clone(), f.origin.path.parent())) => {
            Some(Witness::Anywhere(tree, f.incident, f.package.clone()))
        }
        _ => None,
    }
}

/// Distributions of these whose own list has a start-up hook that indicators name, whether or not it is still there.
fn listed_hooks(case: &Case<'_>, built: &HashMap<(Arc<str>, TreePath), &str>) -> HashSet<(Arc<str>, TreePath)> {
    let lists = case.evidence.iter().map(|e| &e.seen).filter_map(|seen| {
        let place = (seen.origin.tree.clone(), seen.origin.path.parent());
        let Fact::Owned { file, .. } = &seen.fact else {
            return None;
        };
        let hook = |(_, f): &(_, &FileIndicator)| f.role == FileRole::Hook;
        let named = built.contains_key(&place) && case.index.files_named(file.name()).iter().any(hook);
        named.then_some(place)
    });
    lists.collect()
}
