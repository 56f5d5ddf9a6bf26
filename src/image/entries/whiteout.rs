//! What a layer does to the layers below it: the paths it fills, and its whiteouts (OCI image specification, "Layer Filesystem
//! Changeset").
//!
//! ```text
//! a/.wh.name        `a/name`, and everything below it, is gone
//! a/.wh..wh..opq    everything that lower layers have in `a` is gone
//! a/.wh..wh.plnk    bookkeeping of aufs: nothing
//! ```
//!
//! A layer can have a million names, so they are kept as keyed hashes of 62 bits with what stands there in the other two. The
//! key is drawn anew for each examination, so that nobody can craft a name that hides another.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
};

use crate::fact::{TreePath, parent};

const WHITEOUT: &[u8] = b".wh.";
const META: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What stands at a path of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::image) enum Mark {
    /// Anything but a folder.
    Leaf,
    Dir,
    /// Lower layers' content is gone: the path itself.
    Whiteout,
    /// Lower layers' content is gone: what is in the folder.
    Opaque,
}

/// What a member's name says about the layers below.
pub(in crate::image) enum MemberName {
    /// An ordinary name.
    Plain,
    /// A mark on another path.
    Mark(TreePath, Mark),
    /// Bookkeeping of the storage driver.
    Nothing,
    /// A whiteout of no name, or of one that would leave the image.
    Bad,
}

/// Reads whiteouts.
pub(in crate::image) fn member_name(path: &TreePath) -> MemberName {
    let name = path.name();
    if name == OPAQUE {
        return MemberName::Mark(path.parent(), Mark::Opaque);
    }
    if name.starts_with(META) {
        return MemberName::Nothing;
    }
    match name.strip_prefix(WHITEOUT) {
        None => MemberName::Plain,
        Some(b"" | b"." | b"..") => MemberName::Bad,
        Some(gone) => MemberName::Mark(path.parent().join(gone), Mark::Whiteout),
    }
}

/// Turns paths into keyed hashes.
#[derive(Debug, Clone, Default)]
pub(in crate::image) struct Key(RandomState);

impl Key {
    /// The upper 62 bits.
    pub(in crate::image) fn hash(&self, path: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(path);
        hasher.finish() & !3
    }
}

/// The names of one layer.
#[derive(Debug, Default)]
pub(in crate::image) struct Names {
    /// Sorted once the layer is read.
    marks: Vec<u64>,
    /// Names that were not kept.
    dropped: bool,
}

impl Names {
    /// Those of a layer whose names are not kept.
    pub(in crate::image) fn all_dropped() -> Self {
        Self { marks: Vec::new(), dropped: true }
    }

    /// Remembers a name, unless there are `most` already.
    pub(in crate::image) fn add(&mut self, key: &Key, path: &[u8], mark: Mark, most: usize) {
        if self.marks.len() >= most {
            self.dropped = true;
            return;
        }
        self.marks.push(key.hash(path) | bits(mark));
    }

    pub(in crate::image) fn sort_and_dedup(&mut self) {
        self.marks.sort_unstable();
        self.marks.dedup();
        self.marks.shrink_to_fit();
    }

    /// How many are remembered.
    pub(in crate::image) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether names are missing here, so that `hides` may say no too often.
    pub(in crate::image) fn dropped(&self) -> bool {
        self.dropped
    }

    /// Whether something other than a folder stands at a path with this hash.
    pub(in crate::image) fn has_leaf(&self, hash: u64) -> bool {
        self.has(hash, Mark::Leaf)
    }

    fn has(&self, hash: u64, mark: Mark) -> bool {
        self.marks.binary_search(&(hash | bits(mark))).is_ok()
    }

    /// Whether a file of a lower layer at `path` cannot be seen through this layer.
    pub(in crate::image) fn hides(&self, key: &Key, path: &TreePath) -> bool {
        if self.marks.is_empty() {
            return false;
        }
        let own = key.hash(path.as_bytes());
        if [Mark::Leaf, Mark::Dir, Mark::Whiteout].into_iter().any(|m| self.has(own, m)) {
            return true;
        }
        let mut above = path.as_bytes();
        while !above.is_empty() {
            above = parent(above);
            let hash = key.hash(above);
            // The root of an image can be opaque, but nothing replaces it.
            let marks =
                if above.is_empty() { &[Mark::Opaque][..] } else { &[Mark::Opaque, Mark::Leaf, Mark::Whiteout] };
            if marks.iter().any(|m| self.has(hash, *m)) {
                return true;
            }
        }
        false
    }
}

fn bits(mark: Mark) -> u64 {
    match mark {
        Mark::Leaf => 0,
        Mark::Dir => 1,
        Mark::Whiteout => 2,
        Mark::Opaque => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(key: &Key, marks: &[(&str, Mark)]) -> Names {
        let mut names = Names::default();
        for (path, mark) in marks {
            names.add(key, path.as_bytes(), *mark, 100);
        }
        names.sort_and_dedup();
        names
    }

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_layer_hides() {
        let key = Key::default();
        let hides = |marks: &[(&str, Mark)], p: &str| layer(&key, marks).hides(&key, &path(p));
        for mark in [Mark::Leaf, Mark::Dir, Mark::Whiteout] {
            assert!(hides(&[("a/b", mark)], "a/b"), "{mark:?}");
        }
        assert!(hides(&[("a", Mark::Whiteout)], "a/b/c") && hides(&[("a", Mark::Leaf)], "a/b/c"));
        assert!(hides(&[("a", Mark::Opaque)], "a/b/c") && hides(&[("", Mark::Opaque)], "a"));
        // A folder that is merely listed again, a folder's opacity for itself, a longer name, an empty layer.
        assert!(!hides(&[("a", Mark::Dir)], "a/b") && !hides(&[("a/b", Mark::Opaque)], "a/b"));
        assert!(!hides(&[("a/b", Mark::Whiteout)], "a/bc") && !hides(&[("a/b", Mark::Leaf)], "a") && !hides(&[], "a"));
    }

    #[test]
    fn whiteouts_are_read_from_names() {
        let marked = |p: &str| match member_name(&path(p)) {
            MemberName::Mark(path, mark) => Some((path.text().into_owned(), mark)),
            _ => None,
        };
        assert_eq!(marked("a/.wh.b"), Some(("/a/b".into(), Mark::Whiteout)));
        assert_eq!(marked(".wh.b"), Some(("/b".into(), Mark::Whiteout)));
        assert_eq!(marked("a/.wh..wh..opq"), Some(("/a".into(), Mark::Opaque)));
        assert!(matches!(member_name(&path("a/.wh..wh.plnk")), MemberName::Nothing));
        assert!(
            matches!(member_name(&path("a/.wh...")), MemberName::Bad)
                && matches!(member_name(&path("a/.wh.")), MemberName::Bad)
        );
        assert!(
            matches!(member_name(&path("a/x.wh.b")), MemberName::Plain)
                && matches!(member_name(&path(".wh.d/b")), MemberName::Plain)
        );
    }

    #[test]
    fn names_over_the_budget_are_reported() {
        let (key, mut names) = (Key::default(), Names::default());
        names.add(&key, b"a", Mark::Leaf, 1);
        assert!(!names.dropped());
        names.add(&key, b"b", Mark::Leaf, 1);
        assert!(names.dropped());
    }
}
