//! What names in a layer say by themselves.

use std::sync::PoisonError;

use super::LayerReader;
use crate::{
    fact::{Seen, TreePath},
    tree,
    walk::named::{NAMED, undescribed},
};

impl LayerReader<'_> {
    /// What the name of a folder, or of a file that is not read, says alone: kept until it is known what the files in it say.
    pub(super) fn named(&mut self, path: &TreePath, kind: tree::Kind) {
        for (_, seen) in self.gate.named(path, kind) {
            let key = (seen.surface, seen.origin.path.clone());
            if self.by_name.len() < NAMED || self.by_name.contains_key(&key) {
                self.by_name.insert(key, seen);
            } else {
                self.unkept += 1;
            }
        }
    }

    /// What names say that no file of the layer says.
    pub(super) fn undescribed(&mut self, facts: &[Seen]) -> Vec<Seen> {
        let named = std::mem::take(&mut self.by_name).into_values().collect();
        let mut rest = undescribed(named, facts);
        let mut budget = self.job.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let before = budget.dropped();
        rest.retain_mut(|seen| budget.admit((self.job.keep)(seen), seen));
        self.unkept += budget.dropped() - before;
        rest
    }
}
