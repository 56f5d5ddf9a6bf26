//! Programs that say nothing to any surface, so that a hard link beside one need not be read: each Debian links `perl5.36.0` to
//! `perl`. What is kept between runs names each file that was read, so that nothing is spared while such an entry is made.

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
        if self.inspect_with(entry, &mut Cursor::new(&start).chain(body), None) {
            self.is_silent_program(hash, &entry.path, &start);
        }
    }

    /// Remembers a file that says nothing, where it is a program by its first bytes.
    pub(super) fn is_silent_program(&mut self, hash: u64, path: &TreePath, bytes: &[u8]) -> bool {
        let fits = self.recording.is_none() && bytes.starts_with(ELF) && self.silent.0.len() < MOST;
        if fits {
            self.silent.0.insert(hash, path.clone());
        }
        fits
    }

    /// Whether a hard link to this member says nothing: it stands in the same folder, and what wants the link has read the file. What a
    /// text says can depend on its name, what a program holds cannot.
    pub(super) fn is_silent(&self, link: &TreePath, target: u64) -> bool {
        let gate = &self.gate;
        let wants_both = |file: &TreePath| {
            let ids = gate.surfaces().iter().map(|surface| surface.meta().id);
            ids.into_iter().all(|id| gate.claims(id, file) || !gate.claims(id, link))
        };
        let beside = self.silent.0.get(&target).filter(|file| file.parent() == link.parent());
        beside.is_some_and(wants_both)
    }
}
