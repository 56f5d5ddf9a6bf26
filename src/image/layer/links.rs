//! What is remembered of a layer's names by hash, in little memory.

use std::collections::BTreeMap;

use crate::fact::TreePath;

/// Which link names which target. Links that nobody wants may stand between a wanted one and its target.
#[derive(Default)]
pub(super) struct Via(Vec<(u64, u64)>, BTreeMap<TreePath, Option<TreePath>>);

/// Links in the root of a layer that are remembered by path: Debian has four for `usr/bin` and its kin.
const TOPS: usize = 64;

impl Via {
    /// Remembers a link, unless there are `most` already.
    pub(super) fn add(&mut self, link: u64, target: u64, most: u64) -> bool {
        let fits = u64::try_from(self.0.len()).is_ok_and(|held| held < most);
        if fits {
            self.0.push((link, target));
        }
        fits
    }

    /// Remembers a symbolic link in the root: names of other links lead through it. Whether there was none of this name; where there
    /// are two, neither is followed.
    pub(super) fn add_top(&mut self, link: &TreePath, target: &TreePath) -> bool {
        let is_new = self.1.len() < TOPS && !self.1.contains_key(link);
        if is_new {
            self.1.insert(link.clone(), Some(target.clone()));
        } else if let Some(known) = self.1.get_mut(link) {
            *known = None;
        }
        is_new
    }

    /// The real place of a name that leads through a link in the root: `lib/x` is `usr/lib/x`.
    pub(super) fn through_top(&self, names: &TreePath) -> Option<TreePath> {
        let (top, rest) = names.as_bytes().split_at_checked(names.as_bytes().iter().position(|b| *b == b'/')?)?;
        let target = self.1.get(&TreePath::new(top)?)?.as_ref()?;
        TreePath::new(&[target.as_bytes(), rest].concat())
    }

    /// Once all are known. Of two links with one name the last counts.
    pub(super) fn sort(&mut self) {
        self.0.reverse();
        self.0.sort_by_key(|(link, _)| *link);
        self.0.dedup_by_key(|(link, _)| *link);
    }

    /// What a link names.
    pub(super) fn get(&self, link: u64) -> Option<u64> {
        let at = self.0.binary_search_by_key(&link, |(link, _)| *link).ok()?;
        self.0.get(at).map(|(_, target)| *target)
    }
}

/// Members of which something is kept: a filter that says so too often, never too seldom.
#[derive(Default)]
pub(super) struct Noted(Vec<u64>);

const BITS: u64 = 1 << 16;

impl Noted {
    pub(super) fn add(&mut self, hash: u64) {
        if self.0.is_empty() {
            self.0 = vec![0; usize::try_from(BITS / 64).unwrap_or_default()];
        }
        let (word, bit) = place(hash);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = place(hash);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

fn place(hash: u64) -> (usize, u64) {
    let at = hash % BITS;
    (usize::try_from(at / 64).unwrap_or_default(), 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_links_with_one_name_the_last_counts() {
        let mut via = Via::default();
        let added: Vec<bool> =
            [(9, 1), (4, 2), (9, 3), (7, 4), (5, 5)].map(|(link, target)| via.add(link, target, 4)).into();
        via.sort();
        assert_eq!(added, [true, true, true, true, false]);
        assert_eq!([9, 4, 7, 5].map(|link| via.get(link)), [Some(3), Some(2), Some(4), None]);
    }

    #[test]
    fn what_was_noted_is_known() {
        let mut noted = Noted::default();
        assert!(!noted.may_have(8));
        let hashes: Vec<u64> = (1..2000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & !3).collect();
        hashes.iter().for_each(|hash| noted.add(*hash));
        assert!(hashes.iter().all(|hash| noted.may_have(*hash)));
        // And not everything is.
        assert!((0..2000_u64).any(|n| !noted.may_have(n << 2)));
    }
}
