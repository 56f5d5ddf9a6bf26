//! What names in a layer say by themselves.

use super::LayerReader;
use crate::{fact::TreePath, tree, walk::named::NAMED};

impl LayerReader<'_> {
    /// What the name of a folder, or of a file that is not read, says alone: kept until it is known what the files in it say.
    pub(super) fn named(&mut self, path: &TreePath, kind: tree::Kind) {
        if let Some(recording) = self.recording.filter(|_| kind == tree::Kind::Dir) {
            recording.folder(self.gate.surfaces(), path);
        }
        for (_, seen) in self.gate.named(path, kind) {
            self.by_name.insert((seen.origin.path.clone(), seen.surface), seen);
            if self.by_name.len() > NAMED {
                self.by_name.pop_last();
                self.unkept += 1;
            }
        }
    }
}
