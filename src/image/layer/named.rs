//! What names in a layer say by themselves.

use std::sync::PoisonError;

use super::Layer;
use crate::{fact::TreePath, tree};

impl Layer<'_> {
    /// What the name of a folder, or of a file that is not read, says alone: beside what is found in it, since that may say less.
    pub(super) fn named(&mut self, path: &TreePath, kind: tree::Kind) {
        for (worth, mut seen) in self.gate.named(path, kind) {
            // The key stands for the folder: its files come and go by themselves.
            let (facts, _) = self.found.entry(path.clone()).or_default();
            if facts.iter().any(|known| known.fact == seen.fact) {
                continue;
            }
            let mut room = self.job.room.lock().unwrap_or_else(PoisonError::into_inner);
            if room.take(worth, &mut seen) {
                facts.push(seen);
            } else {
                self.unkept += 1;
            }
        }
    }
}
