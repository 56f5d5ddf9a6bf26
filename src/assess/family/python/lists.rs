//! Why a lock file names a malicious version: the chain of requirements in the same file, from what the project beside it asks for.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    assess::{
        Case, Finding, FindingKind,
        chain::{self, EXPLAINED},
        units::Distribution,
    },
    ecosystem::{marker::Machine, purl::Purl},
    fact::{Ecosystem, Fact, Requirement, TreePath},
    verdict::Exposure,
};

/// The tree and the file.
type Place = (Arc<str>, TreePath);

#[derive(Default)]
struct Held {
    packages: Vec<Distribution>,
    /// What the project asks for.
    asked: Vec<Requirement>,
    explained: usize,
}

/// Gives each finding in a lock file its chain.
pub fn link(case: &Case<'_>, findings: &mut [Finding]) {
    let mut lists: BTreeMap<Place, Held> = BTreeMap::new();
    let mut folders: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
    let is_listed = |f: &Finding| {
        let named = f.exposure == Exposure::Referenced && f.kind == FindingKind::Package;
        named && f.unit.is_none() && f.ecosystem == Some(Ecosystem::Pypi)
    };
    for f in findings.iter().filter(|f| is_listed(f)) {
        let place = (f.origin.tree.clone(), f.origin.path.clone());
        let folder = (f.origin.tree.clone(), f.origin.path.parent());
        if lists.insert(place.clone(), Held::default()).is_none() {
            folders.entry(folder).or_default().push(place);
        }
    }
    if lists.is_empty() {
        return;
    }
    for seen in case.evidence.iter().filter(|e| e.gone.is_none()).map(|e| &e.seen) {
        let (tree, path) = (&seen.origin.tree, &seen.origin.path);
        match &seen.fact {
            Fact::Package(package) if package.is_listed() && seen.unit.is_none() => {
                if let Some(held) = lists.get_mut(&(tree.clone(), path.clone())) {
                    held.packages.push(Distribution {
                        package: package.clone(),
                        folder: path.clone(),
                        installer: None,
                        installed: None,
                        requested: false,
                        marked_with_all: false,
                    });
                }
            }
            Fact::Project { ecosystem: Ecosystem::Pypi, asked } => {
                // That a manifest asks for what it names is no news.
                let beside = folders.get(&(tree.clone(), path.parent())).into_iter().flatten();
                for place in beside.filter(|(_, list)| list != path) {
                    if let Some(held) = lists.get_mut(place) {
                        held.asked.extend(asked.iter().cloned());
                    }
                }
            }
            _ => {}
        }
    }
    for f in findings.iter_mut().filter(|f| is_listed(f)) {
        let Some(held) = lists.get_mut(&(f.origin.tree.clone(), f.origin.path.clone())) else {
            continue;
        };
        let Some(package) = f.package.as_deref().and_then(Purl::parse).filter(|_| held.explained < EXPLAINED) else {
            continue;
        };
        held.explained += 1;
        let around: Vec<&Distribution> = held.packages.iter().collect();
        let mut links = chain::chain(&package.name, &around, &held.asked, Machine::default());
        if let (Some(last), Some(version)) = (links.last_mut(), package.version) {
            // A lock may hold several, for different machines.
            last.version = Some(version);
        }
        // That it stands alone is no news.
        f.chain = Some(links).filter(|all| all.len() > 1 || all.iter().any(|l| l.requested)).unwrap_or_default();
    }
}
