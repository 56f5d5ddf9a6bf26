//! Large programs that say nothing to any surface, so that a hard link beside one need not be read: each Debian links `perl5.36.0`
//! to `perl`.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

use super::LayerReader;
use crate::{fact::TreePath, tree::Entry};

const ELF: &[u8] = b"\x7fELF";
/// Programs of one layer that are remembered.
const MOST: usize = 10_000;

/// Their paths, by the hash of them.
#[derive(Default)]
pub(super) struct Silent(HashMap<u64, TreePath>);

impl Silent {
    /// Another member has this name now.
    pub(super) fn remove(&mut self, hash: u64) {
        self.0.remove(&hash);
    }
}

impl LayerReader<'_> {
    /// Reads a wanted file that is too large to be held.
    pub(super) fn large(&mut self, hash: u64, entry: &Entry, body: &mut dyn Read) {
        let mut start = Vec::new();
        let _ = body.take(4).read_to_end(&mut start);
        let is_program = start == ELF;
        let is_silent = self.inspect_with(entry, &mut Cursor::new(start).chain(body), None);
        if is_program && is_silent && self.silent.0.len() < MOST {
            self.silent.0.insert(hash, entry.path.clone());
        }
    }

    /// Whether a hard link to this member says nothing: it stands in the same folder, and the same surfaces want both names. What a
    /// text says can depend on its name, what a program holds cannot. What is kept between runs names each file that was read.
    pub(super) fn is_silent(&self, link: &TreePath, target: u64) -> bool {
        let gate = &self.gate;
        let wants_both = |file: &TreePath| {
            let ids = gate.surfaces().iter().map(|surface| surface.meta().id);
            ids.into_iter().all(|id| gate.claims(id, file) == gate.claims(id, link))
        };
        let beside = self.silent.0.get(&target).filter(|file| file.parent() == link.parent());
        self.recording.is_none() && beside.is_some_and(wants_both)
    }
}
