//! Files that other files name (`-r deps/base.txt`), whatever their own names: read as the archive comes by them, or from memory where
//! it is past them. Where it is past them and they are not in memory, and for targets of links, there are further passes over the
//! layer. One in another layer is a gap, as a link to one is.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{LayerReader, SHARED, entry, place::clean};
use crate::{
    fact::TreePath,
    image::{
        codec::{Decoded, Hashing},
        entries::{Entries, Kind, Member, Members},
        input::Bytes,
        source::Content,
    },
    surface::Flaw,
    tree::Entry,
};

/// Files of one layer that are read in one pass because others name them.
const MOST: usize = 10_000;
/// Passes over a layer: a file that is named names others in turn.
pub(in crate::image) const PASSES: usize = 4;

/// What is named, and what was read of it.
#[derive(Default)]
pub(super) struct Included {
    done: BTreeSet<(&'static str, TreePath)>,
    /// Named since the last pass.
    new: BTreeSet<(TreePath, &'static str)>,
    /// Of those that the first pass named: read in that pass.
    read: BTreeSet<(TreePath, &'static str)>,
    /// Hashes of the names that were named in the first pass: it may come by them yet.
    ahead: HashSet<u64>,
    /// Named since this was looked at last, in the first pass.
    fresh: Vec<(TreePath, &'static str)>,
    /// Files that were read from memory.
    from_memory: usize,
    /// To be read in the next pass, by the hash of the member's name.
    pub(super) wanted: HashMap<u64, Vec<(TreePath, Vec<&'static str>)>>,
    passes: usize,
}

impl Included {
    /// The surfaces that shall read a member that the first pass comes by, because others named it.
    pub(super) fn due(&mut self, hash: u64, path: &TreePath) -> Vec<&'static str> {
        if !self.ahead.contains(&hash) {
            return Vec::new();
        }
        let from = (path.clone(), "");
        let named: Vec<&'static str> =
            self.new.range(from..).take_while(|(named, _)| named == path).map(|(_, surface)| *surface).collect();
        // Of two members with one name the last counts.
        for surface in &named {
            self.read.remove(&(path.clone(), *surface));
        }
        named
    }

    /// Those have read it.
    pub(super) fn was_read(&mut self, path: &TreePath, surfaces: &[&'static str]) {
        self.read.extend(surfaces.iter().map(|surface| (path.clone(), *surface)));
    }
}

impl LayerReader<'_> {
    /// Reads what the member before named, where that is in memory.
    pub(super) fn read_named(&mut self) {
        while let Some((path, surface)) = self.included.fresh.pop() {
            let hash = self.key.hash(path.as_bytes());
            let is_read = self.included.read.contains(&(path.clone(), surface));
            if !is_read && self.inspect_held(&path, surface, hash) {
                self.included.was_read(&path, &[surface]);
            }
        }
    }

    /// Reads a file that others name, where the member of this hash is in memory.
    fn inspect_held(&mut self, path: &TreePath, surface: &'static str, member: u64) -> bool {
        if self.included.from_memory == MOST {
            return false;
        }
        let held = std::mem::take(&mut self.held);
        let found = held.get(member);
        if let Some((entry, bytes)) = found {
            self.included.from_memory += 1;
            let named = Entry { path: path.clone(), ..entry.clone() };
            self.inspect_with(&named, &mut bytes.as_slice(), Some(&[surface]));
        }
        let is_read = found.is_some();
        self.held = held;
        is_read
    }

    /// In the next pass, reads a file that others name.
    fn will_read(&mut self, file: TreePath, surface: &'static str, member: u64) {
        self.included.done.insert((surface, file.clone()));
        let here = self.included.wanted.entry(member).or_default();
        match here.iter_mut().find(|(path, _)| *path == file) {
            Some((_, surfaces)) => surfaces.push(surface),
            None => here.push((file, vec![surface])),
        }
    }

    /// Whether targets of links, or files that others name, have to be read now.
    pub(in crate::image) fn needs_another(&self) -> bool {
        !self.second.is_empty() || !self.included.wanted.is_empty()
    }

    /// Reads the layer for those only.
    pub(in crate::image) fn read_again(&mut self, content: Content<'_>) {
        let read = match content {
            Content::Blob(mut bytes) => self.blob_again(&mut *bytes),
            Content::Unpacked(mut entries) => self.targets(&mut *entries),
        };
        if let Err(flaw) = read {
            self.trouble(&flaw);
        }
        self.second.clear();
        self.missed();
        self.look_for_named();
    }

    fn blob_again(&mut self, source: &mut dyn Bytes) -> Result<(), Flaw> {
        let mut raw = Hashing::new(source);
        let mut decoded = Decoded::new(&mut raw, self.job.limits, self.job.stop)?;
        self.targets(&mut Members::new(&mut decoded))
    }

    fn targets(&mut self, members: &mut dyn Entries) -> Result<(), Flaw> {
        let mut second = std::mem::take(&mut self.second);
        // Of a name that comes twice the last counts: then the layer is read to its end.
        let single = self.leaves.are_single();
        while let Some(member) = members.next()? {
            let Some(path) = clean(&member.path) else {
                continue;
            };
            if member.kind != Kind::File {
                continue;
            }
            let hash = self.key.hash(path.as_bytes());
            let read = self.named_by_others(hash, &member, members);
            match (second.get(&hash), read) {
                (Some(links), Some(bytes)) => {
                    links.iter().for_each(|link| self.inspect(&entry(link.clone(), &member), &mut bytes.as_slice()));
                }
                (Some(links), None) => self.target(links, &member, members),
                (None, _) => {}
            }
            if single {
                second.remove(&hash);
                if second.is_empty() && self.included.wanted.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn target(&mut self, links: &[TreePath], member: &Member, members: &mut dyn Entries) {
        if let [link] = links {
            return self.inspect(&entry(link.clone(), member), members.body());
        }
        if member.len > SHARED {
            return links.iter().for_each(|link| self.problem(link, &Flaw::TooLarge(SHARED)));
        }
        let mut bytes = Vec::new();
        let _ = members.body().read_to_end(&mut bytes);
        for link in links {
            self.inspect(&entry(link.clone(), member), &mut bytes.as_slice());
        }
    }

    /// Notes what a file names that is not read because of its own name.
    pub(super) fn names_others(&mut self, named: BTreeSet<(&'static str, TreePath)>) {
        for (surface, path) in named {
            if self.gate.claims(surface, &path) || self.included.done.contains(&(surface, path.clone())) {
                continue;
            }
            let is_first_pass = self.included.passes == 0;
            if self.included.new.insert((path.clone(), surface)) && is_first_pass {
                self.included.ahead.insert(self.key.hash(path.as_bytes()));
                self.included.fresh.push((path, surface));
            }
            if self.included.new.len() > MOST {
                self.included.new.pop_last();
                self.unkept += 1;
            }
        }
    }

    /// Sorts what was named in a pass: read already, in memory, elsewhere in this layer, or not.
    pub(super) fn look_for_named(&mut self) {
        self.included.passes += 1;
        self.included.ahead = HashSet::new();
        self.included.fresh = Vec::new();
        // What is in memory names others in turn.
        while !self.included.new.is_empty() {
            for (path, surface) in std::mem::take(&mut self.included.new) {
                self.look_for(path, surface);
            }
        }
    }

    fn look_for(&mut self, path: TreePath, surface: &'static str) {
        if self.included.read.remove(&(path.clone(), surface)) {
            self.included.done.insert((surface, path));
            return;
        }
        if self.included.done.contains(&(surface, path.clone())) {
            return;
        }
        let mut hash = self.key.hash(path.as_bytes());
        for _ in 0..8 {
            match self.via.get(hash) {
                Some(next) if self.held.get(hash).is_none() => hash = next,
                _ => break,
            }
        }
        let here = self.leaves.may_have(hash);
        // It may name itself.
        let is_held = self.held.get(hash).is_some() && self.included.done.insert((surface, path.clone()));
        if is_held && self.inspect_held(&path, surface, hash) {
            return;
        }
        if here && self.included.passes < PASSES {
            self.will_read(path, surface, hash);
        } else if here {
            self.unread(&path);
        } else {
            self.kept.put_elsewhere(path.clone(), path);
        }
    }

    /// What the last pass did not come by: a link, where nothing else was known of it.
    pub(super) fn missed(&mut self) {
        for (path, _) in std::mem::take(&mut self.included.wanted).into_values().flatten() {
            if !self.leaves.dropped() {
                self.unread(&path);
            }
        }
    }

    fn unread(&mut self, path: &TreePath) {
        self.problem(path, &Flaw::Unsupported("a file that others name, through links or many steps,"));
    }

    /// Reads a member that others name; its bytes, where they fit.
    pub(super) fn named_by_others(&mut self, hash: u64, member: &Member, members: &mut dyn Entries) -> Option<Vec<u8>> {
        let named = self.included.wanted.remove(&hash)?;
        if member.len > SHARED {
            named.iter().for_each(|(path, _)| self.problem(path, &Flaw::TooLarge(SHARED)));
            return None;
        }
        let mut bytes = Vec::new();
        let _ = members.body().read_to_end(&mut bytes);
        for (path, surfaces) in named {
            self.inspect_with(&entry(path, member), &mut bytes.as_slice(), Some(&surfaces));
        }
        Some(bytes)
    }
}
