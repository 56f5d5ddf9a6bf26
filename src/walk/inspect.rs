//! One file and one surface: facts and problems are collected, within bounds, and a panic costs this pair only.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{Bounds, GAPS_OF_A_FILE, Inspector, Room, Worth, history, shelf, weigh, weigh::Weighed};
use crate::{
    coverage::{Gap, GapKind, Weight},
    fact::{Fact, Seen, TreePath},
    guard::quietly,
    surface::{Opened, Sink, Surface},
    tree::{Body, Entry, Kind},
};

/// As what a file is read.
#[derive(Clone, Copy)]
pub(super) struct As<'p> {
    /// Where the surface is to believe that it stands. Facts and problems keep the file's own path.
    pub(super) path: &'p TreePath,
    /// Whether somebody named it on the command line.
    pub(super) by_hand: bool,
}

impl<'p> As<'p> {
    /// A file that the walk found where it stands.
    pub(super) fn found(path: &'p TreePath) -> Self {
        Self { path, by_hand: false }
    }
}

/// What became of it.
#[derive(Default)]
pub(super) struct Read {
    pub(super) facts: u64,
    pub(super) problems: usize,
    /// It is listed as a history among the credentials.
    pub(super) history: bool,
}

impl Inspector<'_> {
    /// Hands one file to one surface.
    pub(super) fn inspect_as(
        &self,
        surface: &dyn Surface,
        entry: &Entry,
        shown: As<'_>,
        body: &mut Body<'_>,
        weighed: &mut Weighed,
    ) -> Read {
        let id = surface.meta().id;
        let origin = self.origin(&entry.path);
        let shown_entry = Entry { path: shown.path.clone(), ..entry.clone() };
        let (mut seen, mut gaps, mut more) = (Vec::new(), Vec::new(), 0_u64);
        let (mut room, mut read) = (Room::new(Bounds::FILE), Read::default());
        let mut identified = false;
        let outcome = {
            let mut units = [None, None];
            let mut keep = |mut fact: Seen| {
                let inner = fact.origin.inner.is_some();
                let [whole, member] = &mut units;
                let unit = if inner { member } else { whole };
                fact.unit.clone_from(unit.get_or_insert_with(|| surface.unit(&entry.path, inner).map(Arc::new)));
                read.facts += 1;
                read.history |= history::is_listed(&fact);
                identified |= matches!(fact.fact, Fact::Package(_) | Fact::Named(_));
                let worth = (self.keep)(&fact);
                if room.take(worth, &mut fact) {
                    seen.push((worth, fact));
                }
            };
            let mut gap = |gap: Gap| match gaps.len() {
                0..GAPS_OF_A_FILE => gaps.push(gap),
                _ => more += 1,
            };
            let mut sink = Sink::new(id, origin.clone(), entry, &mut keep, &mut gap);
            let mut file = Opened::new(&shown_entry, self.interest, body);
            catch_unwind(AssertUnwindSafe(|| surface.inspect(&mut file, &mut sink)))
        };
        let flaw = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(flaw)) => Some((flaw.kind(), flaw.to_string())),
            // The message of a panic may quote the file: it is never shown.
            Err(_) => Some((GapKind::Panicked, "the parser failed on this file".to_owned())),
        };
        let flawed = flaw.is_some();
        gaps.extend(flaw.map(|(kind, detail)| Gap { origin: origin.clone(), surface: id, kind, detail }));
        // What it is called, where nothing in it could be read that says what it is.
        if flawed && !identified {
            let named = quietly(|| self.named_by(surface, &entry.path, Kind::File, Some(entry)));
            seen.extend(named.flatten());
        }
        if flawed {
            let more = self.salvaged(surface, entry, body, &seen);
            seen.extend(more);
        }
        read.problems = gaps.len();
        let unclear = gaps.iter().any(weigh::not_understood);
        let weight = if unclear { self.weight(entry, body, weighed) } else { Weight::Unknown };
        let gap = |detail| Gap { origin: origin.clone(), surface: id, kind: GapKind::TooLarge, detail };
        if more > 0 {
            gaps.push(gap(format!("{more} more problems in this file")));
        }
        let shelves =
            |worth: Worth, s: &Seen| self.shelving && worth == Worth::Context && shelf::takes(s, self.interest);
        let shelved = seen.extract_if(.., |(worth, s)| shelves(*worth, s));
        let shelved: Vec<Seen> = shelved.map(|(_, s)| s).collect();
        let mut result = self.result();
        shelved.iter().for_each(|s| result.shelf.put(s));
        result.keep(seen);
        result.sort_gaps(gaps, weight, shown.by_hand);
        if room.lost() > 0 {
            result.tell(vec![gap(format!("{} more matches than are kept of one file", room.lost()))]);
        }
        let count = result.surfaces.entry(id).or_default();
        count.files += 1;
        count.facts += read.facts;
        read
    }
}
