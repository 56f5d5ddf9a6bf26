//! Small files of a layer that is being read, in memory for a while: a link that comes later may lead to one, another file may name one.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{LayerReader, SHARED, entry};
use crate::{
    fact::TreePath,
    image::{
        entries::{Entries, Member},
        input::to_u64,
    },
    tree::{self, Entry},
};

/// A wanted file up to this size is held until the layer ends.
const WANTED: u64 = 128 << 10;
const WANTED_TOTAL: usize = 8 << 20;
/// A file that nobody asked for is held up to this size, until later ones need the room: what names it stands near it.
const LIKELY: u64 = 64 << 10;
const LIKELY_TOTAL: usize = 4 << 20;
/// What a held file costs beside its bytes.
const EACH: usize = 256;
/// What lists of requirements are called that no surface wants for their names.
const ENDINGS: &[&[u8]] = &[b".txt", b".in", b".pip", b".lst", b".req"];
/// The certificates that a system trusts in one file, to which `cert.pem` of OpenSSL is a link: 220 KB in Debian 12.
const TRUSTED: &[u8] = b".crt";
const TRUSTED_LEN: u64 = 512 << 10;

/// Files by the hash of their names.
#[derive(Default)]
pub(super) struct Held {
    wanted: HashMap<u64, (Entry, Vec<u8>)>,
    wanted_bytes: usize,
    /// What wanted links lead to.
    awaited: HashSet<u64>,
    likely: HashMap<u64, (Entry, Vec<u8>)>,
    /// As they came, with what they cost. Some may be gone.
    order: VecDeque<(u64, usize)>,
    likely_bytes: usize,
}

impl Held {
    /// A wanted link leads to this name: where it comes, it is held as a wanted file is.
    pub(super) fn hold(&mut self, target: u64) {
        self.awaited.insert(target);
    }

    /// Whether there is room for a wanted file.
    pub(super) fn has_room(&self, len: u64) -> bool {
        len <= WANTED && len <= to_u64(WANTED_TOTAL.saturating_sub(self.wanted_bytes))
    }

    /// Holds a file until the layer ends.
    pub(super) fn put_wanted(&mut self, hash: u64, entry: Entry, bytes: Vec<u8>) {
        self.wanted_bytes += bytes.len() + EACH;
        self.wanted.insert(hash, (entry, bytes));
    }

    /// Whether another file may name one with this name and size.
    pub(super) fn is_likely(name: &[u8], len: u64) -> bool {
        (len <= LIKELY && ENDINGS.iter().any(|end| name.ends_with(end)))
            || (len <= TRUSTED_LEN && name.ends_with(TRUSTED))
    }

    /// Holds a file until others need its room.
    pub(super) fn put_likely(&mut self, hash: u64, entry: Entry, bytes: Vec<u8>) {
        let cost = bytes.len() + EACH;
        self.likely_bytes += cost;
        self.order.push_back((hash, cost));
        self.likely.insert(hash, (entry, bytes));
        while self.likely_bytes > LIKELY_TOTAL
            && let Some((oldest, cost)) = self.order.pop_front()
        {
            self.likely_bytes = self.likely_bytes.saturating_sub(cost);
            self.likely.remove(&oldest);
        }
    }

    /// Another member has this name now.
    pub(super) fn remove(&mut self, hash: u64) {
        self.wanted.remove(&hash);
        self.likely.remove(&hash);
    }

    /// The file of this name.
    pub(super) fn get(&self, hash: u64) -> Option<&(Entry, Vec<u8>)> {
        self.wanted.get(&hash).or_else(|| self.likely.get(&hash))
    }
}

impl LayerReader<'_> {
    /// Reads a file that is wanted for its name, or because others named it before, and holds it where it may be asked for again.
    pub(super) fn file(
        &mut self,
        path: TreePath,
        hash: u64,
        member: &Member,
        members: &mut dyn Entries,
        named: &[&'static str],
    ) {
        let is_wanted = self.wants(&path, tree::Kind::File);
        let entry = entry(path, member);
        let named = if member.len > SHARED { &[] } else { named };
        let is_asked_for = is_wanted || self.held.awaited.contains(&hash);
        let is_held =
            if is_asked_for { self.held.has_room(member.len) } else { Held::is_likely(entry.path.name(), member.len) };
        let body = members.body();
        if !is_held && named.is_empty() {
            if is_wanted {
                self.large(hash, &entry, body);
            }
            return;
        }
        let mut bytes = Vec::new();
        // Where the archive ends inside the file, what is left of it is still evidence; `next` reports the end.
        let _ = body.read_to_end(&mut bytes);
        let is_silent = is_wanted && self.inspect_with(&entry, &mut bytes.as_slice(), None);
        // Programs would need all the room.
        let is_held = is_held && !(is_silent && self.is_silent_program(hash, &entry.path, &bytes));
        if !named.is_empty() {
            self.inspect_with(&entry, &mut bytes.as_slice(), Some(named));
            self.included.was_read(&entry.path, named);
        }
        match is_asked_for {
            true if is_held => self.held.put_wanted(hash, entry, bytes),
            false if is_held => self.held.put_likely(hash, entry, bytes),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(len: usize) -> (Entry, Vec<u8>) {
        let len_u64 = to_u64(len);
        let entry =
            Entry { path: TreePath::root(), len: len_u64, mtime: None, btime: None, uid: None, gid: None, mode: None };
        (entry, vec![b'x'; len])
    }

    #[test]
    fn wanted_files_are_held_while_there_is_room() {
        let mut held = Held::default();
        let mut count = 0;
        while held.has_room(100_000) {
            let (entry, bytes) = file(100_000);
            held.put_wanted(count, entry, bytes);
            count += 1;
        }
        assert!((80..=84).contains(&count) && (0..count).all(|hash| held.get(hash).is_some()));
        assert!(!Held::default().has_room(WANTED + 1));
        held.remove(3);
        assert!(held.get(3).is_none());
    }

    #[test]
    fn of_likely_files_the_last_are_held() {
        let mut held = Held::default();
        for hash in 0..1000 {
            let (entry, bytes) = file(60_000);
            held.put_likely(hash, entry, bytes);
        }
        assert!(held.get(999).is_some() && held.get(940).is_some() && held.get(900).is_none());
        assert!(held.likely_bytes <= LIKELY_TOTAL && held.order.len() == held.likely.len());
        assert!(Held::is_likely(b"base.txt", LIKELY) && !Held::is_likely(b"base.txt", LIKELY + 1));
        assert!(!Held::is_likely(b"lib.so", 1));
        assert!(Held::is_likely(b"ca-certificates.crt", 230_000) && !Held::is_likely(b"ca-certificates.crt", 1 << 20));
    }
}
