//! Which names of a layer are those of files and links, while it is read. It can have a million, so they are kept as keyed hashes. The
//! key is drawn anew for each layer, so that nobody can craft a name that stands for another.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
};

/// Turns paths into keyed hashes.
#[derive(Debug, Clone, Default)]
pub(in crate::image) struct Key(RandomState);

impl Key {
    pub(in crate::image) fn hash(&self, path: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(path);
        hasher.finish()
    }
}

/// Hashes of names.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    hashes: Vec<u64>,
    most: u64,
    dropped: bool,
    doubled: bool,
}

impl Leaves {
    /// At most so many.
    pub(super) fn new(most: u64) -> Self {
        Self { most, ..Self::default() }
    }

    pub(super) fn add(&mut self, hash: u64) {
        if u64::try_from(self.hashes.len()).is_ok_and(|held| held < self.most) {
            self.hashes.push(hash);
        } else {
            self.dropped = true;
        }
    }

    /// Once all are known.
    pub(super) fn sort(&mut self) {
        self.hashes.sort_unstable();
        let all = self.hashes.len();
        self.hashes.dedup();
        self.doubled = self.hashes.len() < all;
        self.hashes.shrink_to_fit();
    }

    /// Whether each name is known to stand in the layer once.
    pub(super) fn are_single(&self) -> bool {
        !self.dropped && !self.doubled
    }

    /// Whether names are missing here.
    pub(super) fn dropped(&self) -> bool {
        self.dropped
    }

    /// Whether it is one of them, as far as is known.
    pub(super) fn may_have(&self, hash: u64) -> bool {
        self.dropped || self.hashes.binary_search(&hash).is_ok()
    }
}
