//! Code that is installed in place: a link in a site folder puts the folder of its sources on the path of an interpreter, so what
//! stands there is loaded, though it looks like sources or a store.

use std::{collections::HashMap, sync::Arc};

use super::{
    Evidence,
    family::FAMILIES,
    units::{Folder, folder_of},
};
use crate::fact::{Fact, Placement, TreePath, Unit};

/// What puts a folder, or an egg, on a path.
#[derive(Debug)]
pub struct Linked {
    /// The unit whose path it is.
    pub from: Arc<Unit>,
    /// The file there that says so.
    pub file: TreePath,
}

/// The folders, and eggs, that are on a path because of a link.
#[derive(Debug, Default)]
pub struct OnPath(HashMap<Folder, Linked>);

impl OnPath {
    /// From the links that are still there. The first of several counts; a site folder that another one names stays its own.
    pub fn new(evidence: &[Evidence]) -> Self {
        let mut links = HashMap::new();
        for Evidence { seen, .. } in evidence.iter().filter(|e| e.gone.is_none()) {
            if let (Fact::OnPath { entry, .. }, Some(from)) = (&seen.fact, &seen.unit)
                && !FAMILIES.iter().any(|family| family.is_load_folder(entry))
            {
                let key = (seen.origin.tree.clone(), entry.clone());
                links.entry(key).or_insert_with(|| Linked { from: from.clone(), file: seen.origin.path.clone() });
            }
        }
        Self(links)
    }

    /// What is stored where a link leads is loaded from there.
    pub fn mark_linked_loadable(&self, evidence: &mut [Evidence]) {
        for Evidence { seen, .. } in evidence.iter_mut().filter(|_| !self.0.is_empty()) {
            let tree = &seen.origin.tree;
            let linked = [folder_of(seen), seen.origin.path.clone()].iter().any(|f| self.link(tree, f).is_some());
            if let Fact::Package(package) = &mut seen.fact
                && package.placement == Placement::Cached
                && linked
            {
                package.placement = Placement::Loadable;
            }
        }
    }

    /// What makes interpreters load a folder.
    pub fn link(&self, tree: &Arc<str>, folder: &TreePath) -> Option<&Linked> {
        if self.0.is_empty() { None } else { self.0.get(&(tree.clone(), folder.clone())) }
    }
}
