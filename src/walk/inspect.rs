//! One file and one surface: facts and problems are collected, within bounds, and a panic costs this pair only.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    Bounds, FactBudget, GAPS_OF_A_FILE, Inspector, Worth, history,
    lists::Lists,
    record::{FileUnits, Inspection, RECORDED, unrecorded},
    shelf, weigh,
    weigh::Weighed,
};
use crate::{
    coverage::{Exclusion, Gap, GapKind, Weight},
    fact::{Fact, Origin, Placement, Seen, TreePath},
    guard::quietly,
    surface::{Opened, Sink, Surface},
    tree::{Body, Entry, Kind, Visit as _},
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
    /// It only has the name of what the surface reads.
    pub(super) foreign: bool,
}

/// What is kept of one file.
pub(super) struct Admitted {
    pub(super) seen: Vec<(Worth, Seen)>,
    budget: FactBudget,
    lists: Lists,
    read: Read,
    /// Something in it says what it is.
    pub(super) identified: bool,
}

impl Default for Admitted {
    fn default() -> Self {
        Self {
            seen: Vec::new(),
            budget: FactBudget::new(Bounds::FILE),
            lists: Lists::default(),
            read: Read::default(),
            identified: false,
        }
    }
}

impl Admitted {
    /// Keeps a fact that is worth it.
    pub(super) fn admit(&mut self, inspector: &Inspector<'_>, mut fact: Seen) {
        self.read.facts += 1;
        self.read.history |= history::is_listed(&fact);
        self.identified |= matches!(fact.fact, Fact::Package(_) | Fact::Named(_));
        let worth = (inspector.keep)(&fact);
        if worth == Worth::Nothing {
            self.lists.hold(fact);
        } else if self.budget.admit(worth, &mut fact) {
            self.seen.push((worth, fact));
        }
    }

    /// Counts facts that are worth nothing.
    pub(super) fn pass(&mut self, facts: u64) {
        self.read.facts = self.read.facts.saturating_add(facts);
    }

    /// What was read of a broken file says less.
    fn doubt(&mut self, inspector: &Inspector<'_>) {
        self.lists = Lists::default();
        for (worth, fact) in &mut self.seen {
            doubt(fact);
            if matches!(fact.fact, Fact::Named(_)) {
                *worth = (inspector.keep)(fact);
            }
        }
        self.seen.retain(|(worth, _)| *worth != Worth::Nothing);
    }
}

/// Whether a file is not what it should be, so that what was read of it before the fault is no more than its text.
pub(super) fn is_broken(kind: GapKind) -> bool {
    matches!(kind, GapKind::Malformed | GapKind::Truncated)
}

/// A version that a broken file lists is named by it, and no more.
pub(super) fn doubt(seen: &mut Seen) {
    if let Fact::Package(p) = &seen.fact
        && p.placement == Placement::Listed
    {
        seen.fact = Fact::Named(p.clone());
    }
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
        let (mut gaps, mut more) = (Vec::new(), 0_u64);
        let mut admitted = Admitted::default();
        let mut recorded = self.recording.map(|_| Vec::new());
        let outcome = {
            let mut units = FileUnits::default();
            let mut keep = |mut fact: Seen| {
                units.assign(surface, &mut fact);
                // One more than is kept shows that there are more.
                if let Some(all) = recorded.as_mut().filter(|all| all.len() <= RECORDED) {
                    all.push(fact.clone());
                }
                admitted.admit(self, fact);
            };
            let mut gap = |gap: Gap| match gaps.len() {
                0..GAPS_OF_A_FILE => gaps.push(gap),
                _ => more += 1,
            };
            let mut sink = Sink::new(id, origin.clone(), entry, &mut keep, &mut gap);
            let mut file = Opened::new(&shown_entry, self.interest, body);
            let outcome = catch_unwind(AssertUnwindSafe(|| surface.inspect(&mut file, &mut sink)));
            (outcome, sink.is_foreign(), sink.left_out())
        };
        let (outcome, foreign, left_out) = outcome;
        if let Some(reason) = left_out {
            self.exclude(Exclusion { origin: origin.clone(), reason: reason.to_owned() });
        }
        if foreign && matches!(outcome, Ok(Ok(()))) {
            return Read { foreign, ..Read::default() };
        }
        let flaw = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(flaw)) => Some((flaw.kind(), flaw.to_string())),
            // The message of a panic may quote the file: it is never shown.
            Err(_) => Some((GapKind::Panicked, "the parser failed on this file".to_owned())),
        };
        let flawed = flaw.is_some();
        if flaw.as_ref().is_some_and(|(kind, _)| is_broken(*kind)) {
            recorded.iter_mut().flatten().for_each(doubt);
            admitted.doubt(self);
        }
        gaps.extend(flaw.map(|(kind, detail)| Gap { origin: origin.clone(), surface: id, kind, detail }));
        // What it is called, where nothing in it could be read that says what it is.
        if flawed && !admitted.identified {
            let named = quietly(|| self.named_by(surface, &entry.path, Kind::File, Some(entry)));
            admitted.seen.extend(named.flatten());
        }
        let unclear = gaps.iter().any(weigh::not_understood);
        let mut weight = if unclear { self.weight(entry, body, weighed) } else { Weight::Unknown };
        if flawed && weight == Weight::Nothing {
            // It holds nothing, or is a report of this program under another name.
            admitted.seen.retain(|(_, s)| !matches!(s.fact, Fact::Named(_)));
        } else if flawed {
            let more = self.salvaged(surface, entry, body, &admitted.seen);
            admitted.seen.extend(more);
        }
        if let Some(facts) = recorded.as_mut().filter(|all| all.len() > RECORDED) {
            facts.truncate(RECORDED);
            gaps.push(unrecorded(&origin, id));
        }
        if !unclear && gaps.iter().any(weigh::not_understood) {
            weight = self.weight(entry, body, weighed);
        }
        if let (Some(recording), Some(facts)) = (self.recording, recorded) {
            let read = Inspection {
                surface: id,
                entry: entry.clone(),
                by_hand: shown.by_hand,
                facts,
                passed: 0,
                further: Vec::new(),
                asked: BTreeSet::new(),
                salvaged: Vec::new(),
                cut: false,
                flawed,
                gaps: gaps.clone(),
                more_gaps: more,
                weight,
            };
            recording.inspection(surface, &shown_entry, body, &origin, read, self.interest);
        }
        self.put_away(id, &origin, admitted, (gaps, more), weight, shown.by_hand)
    }

    /// Keeps what was admitted of one file, and its problems with the number of those beyond the bound.
    pub(super) fn put_away(
        &self,
        id: &'static str,
        origin: &Origin,
        admitted: Admitted,
        (mut gaps, more): (Vec<Gap>, u64),
        weight: Weight,
        by_hand: bool,
    ) -> Read {
        let Admitted { mut seen, budget, lists, mut read, .. } = admitted;
        seen.extend(lists.leading_to(&seen).into_iter().map(|leading| (Worth::Context, leading)));
        read.problems = gaps.len();
        let gap = |detail| Gap { origin: origin.clone(), surface: id, kind: GapKind::TooLarge, detail };
        if more > 0 {
            gaps.push(gap(format!("{more} more problems in this file")));
        }
        let shelves =
            |worth: Worth, s: &Seen| self.shelving && worth == Worth::Context && shelf::admits(s, self.interest);
        let shelved = seen.extract_if(.., |(worth, s)| shelves(*worth, s));
        let shelved: Vec<Seen> = shelved.map(|(_, s)| s).collect();
        let mut result = self.result();
        shelved.iter().for_each(|s| result.shelf.put(s));
        result.keep(seen);
        result.sort_gaps(gaps, weight, by_hand);
        if budget.dropped() > 0 {
            result.report(vec![gap(format!("{} more matches than are kept of one file", budget.dropped()))]);
        }
        let count = result.surfaces.entry(id).or_default();
        count.files += 1;
        count.facts += read.facts;
        read
    }
}
