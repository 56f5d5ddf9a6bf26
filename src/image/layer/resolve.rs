//! Links of one layer: which of them are wanted, and the files that they lead to.

use super::{LINKS, LayerReader};
use crate::{
    fact::TreePath,
    surface::Flaw,
    tree::{self, Entry},
};

/// A wanted link, until the layer is read.
pub(super) struct Link {
    pub(super) target: u64,
    pub(super) names: TreePath,
    pub(super) hard: bool,
}

impl LayerReader<'_> {
    /// Takes note of a link.
    pub(super) fn link(&mut self, path: TreePath, hash: u64, names: TreePath, hard: bool) {
        let target = self.key.hash(names.as_bytes());
        if self.links.len() >= LINKS || !self.via.add(hash, target, self.job.limits.links) {
            self.too_many_links = true;
            return;
        }
        if !hard && path.components().count() == 1 && self.via.add_top(&path, &names) {
            let through = |link: &Link| Some(self.key.hash(self.via.through_top(&link.names)?.as_bytes()));
            let awaited: Vec<u64> = self.links.values().filter_map(through).collect();
            awaited.into_iter().for_each(|target| self.held.hold(target));
        }
        if self.wants(&path, if hard { tree::Kind::File } else { tree::Kind::Symlink }) {
            self.held.hold(target);
            if let Some(names) = self.via.through_top(&names) {
                self.held.hold(self.key.hash(names.as_bytes()));
            }
            self.links.insert(path, Link { target, names, hard });
        }
    }

    /// Gives each link the file it names: from memory, in a second pass, or not from this layer.
    pub(super) fn resolve(&mut self) {
        let held = std::mem::take(&mut self.held);
        for (path, link) in std::mem::take(&mut self.links) {
            let mut target =
                self.via.through_top(&link.names).map_or(link.target, |names| self.key.hash(names.as_bytes()));
            for _ in 0..8 {
                match self.via.get(target) {
                    Some(next) if held.get(target).is_none() => target = next,
                    _ => break,
                }
            }
            if let Some((entry, bytes)) = held.get(target) {
                self.inspect(&Entry { path, ..entry.clone() }, &mut bytes.as_slice());
            } else if link.hard && self.is_silent(&path, target) {
                // It was read under its other name.
            } else if self.leaves.may_have(target) {
                self.second.entry(target).or_default().push(path);
            } else if link.hard {
                self.problem(&path, &Flaw::malformed("layer", "a hard link names a file that the layer does not hold"));
            } else {
                self.kept.put_elsewhere(path, link.names);
            }
        }
        self.held = held;
    }
}
