//! What belongs to a malicious distribution, by its own list, and what an earlier clean-up moved away.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Evidence,
    site::{Folder, Sites, folder_of},
};
use crate::{
    ecosystem::pypi::normalise,
    fact::{Fact, Origin, TreePath},
};

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

/// Paths by the metadata of their distribution.
#[derive(Debug, Default)]
pub struct Belongings(BTreeMap<Folder, Vec<TreePath>>);

impl Belongings {
    /// Collects the lists. A list is written by whoever made the package: what bears the name of another distribution beside it
    /// stays where it is.
    pub fn new(evidence: &[Evidence], sites: &Sites) -> Self {
        let mut all = BTreeMap::new();
        for Evidence { seen, .. } in evidence {
            let Fact::Listed { paths } = &seen.fact else {
                continue;
            };
            let (tree, key) = (seen.origin.tree.clone(), key(&seen.origin.path));
            let own = stem(key.name());
            let beside = sites.site(&tree, &folder_of(seen));
            let others = || beside.into_iter().flat_map(|s| &s.distributions).filter(|d| *d.package.name != *own);
            let foreign = |p: &&TreePath| {
                let name = stem(p.name());
                name != own && others().any(|d| *d.package.name == *name)
            };
            all.insert((tree, key), paths.iter().filter(|p| !foreign(p)).cloned().collect());
        }
        Self(all)
    }

    /// What the distribution says is its, by the file that holds its metadata; `None` where it has no list.
    pub fn of(&self, tree: &Arc<str>, metadata: &TreePath) -> Option<&[TreePath]> {
        self.0.get(&(tree.clone(), key(metadata))).map(Vec::as_slice)
    }
}

/// conda has a file for each distribution, the others a folder.
fn key(path: &TreePath) -> TreePath {
    if path.parent().name() == b"conda-meta" { path.clone() } else { path.parent() }
}

/// The distribution's or module's name in a file's name.
fn stem(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name = name.split('-').next().unwrap_or_default();
    normalise(name.split_once(".py").map_or(name, |(stem, _)| stem))
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
