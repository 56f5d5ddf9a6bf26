//! What is kept of all layers of one input, within bounds. Threads hand in what they read in any order; of more than fits, what stands
//! first is kept: by the layer's rank in the plan, then by path. So the same images give the same answer, and memory is bounded while
//! they are read.

use std::collections::BTreeMap;

use super::{codec::Limits, entries::Names};
use crate::{
    coverage::{Coverage, Gap},
    fact::{Seen, TreePath},
    walk::{
        Bounds, ByPlace, Finished, Keep, Kept, LISTED, Worth,
        named::{NAMED, undescribed},
    },
};

/// Links and files named by others that wait for the next pass over their layers.
const WAITING: usize = 100_000;
/// Links to names that their layer does not hold.
const ELSEWHERE: usize = 100_000;

/// How much of one input is still kept. An archive may hold several folders with images, which are read one after the other.
#[derive(Debug, Clone, Copy)]
struct Left {
    facts: Bounds,
    gaps: usize,
    weightless: usize,
    names: usize,
    elsewhere: usize,
}

/// What waits for the next pass, by the hash of the member that is to be read.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// By the name of the link.
    pub(super) links: ByPlace<u64>,
    /// By the name of the file and the surface that is to read it.
    pub(super) files: ByPlace<u64>,
}

/// What is kept of one layer.
#[derive(Debug, Default)]
pub(super) struct LayerKept {
    /// By path.
    #[expect(clippy::vec_box, reason = "they stay in the boxes that they were kept in: a fact has 400 bytes")]
    pub(super) facts: Vec<Box<Seen>>,
    /// How many more were worth keeping.
    pub(super) dropped: u64,
    /// Problems with single files, and such as are listed without weight.
    pub(super) coverage: Coverage,
    /// How many problems more there were.
    pub(super) unlisted: u64,
    /// Links to names that this layer does not hold, by hash.
    pub(super) elsewhere: Vec<(TreePath, u64)>,
    /// How many more of them there were.
    pub(super) not_looked_at: u64,
}

/// What is kept of all layers so far.
#[derive(Debug)]
pub(super) struct InputKept {
    left: Left,
    facts: Kept,
    /// What names of folders say, until it is known what the files in them say.
    named: ByPlace<Seen>,
    /// With whether its file names what an indicator knows.
    gaps: ByPlace<(Gap, bool)>,
    weightless: ByPlace<Gap>,
    names: BTreeMap<u32, Names>,
    names_held: usize,
    names_end: Option<u32>,
    waiting: Waiting,
    elsewhere: ByPlace<u64>,
}

impl InputKept {
    pub(super) fn new(limits: &Limits) -> Self {
        let most = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Self::within(Left {
            facts: limits.facts,
            gaps: most(limits.gaps),
            weightless: LISTED,
            names: most(limits.names),
            elsewhere: ELSEWHERE,
        })
    }

    fn within(left: Left) -> Self {
        Self {
            left,
            facts: Kept::new(left.facts),
            named: ByPlace::default(),
            gaps: ByPlace::default(),
            weightless: ByPlace::default(),
            names: BTreeMap::new(),
            names_held: 0,
            names_end: None,
            waiting: Waiting::default(),
            elsewhere: ByPlace::default(),
        }
    }

    /// Keeps a fact that was read of a member.
    pub(super) fn put(&mut self, rank: u32, member: &TreePath, worth: Worth, seen: Seen) {
        self.facts.put_at((rank, member.clone(), seen.surface), worth, seen);
    }

    /// Keeps the problems with a member.
    pub(super) fn put_problems(&mut self, rank: u32, member: &TreePath, coverage: Coverage) {
        for gap in coverage.gaps {
            let leads = coverage.leading.contains(&gap.origin.whole_file());
            self.put_gap(rank, member, gap, leads);
        }
        for gap in coverage.weightless {
            let place = (rank, member.clone(), gap.surface);
            self.weightless.put_within(self.left.weightless, place, gap);
        }
    }

    /// Keeps one problem with a member.
    pub(super) fn put_gap(&mut self, rank: u32, member: &TreePath, gap: Gap, leads: bool) {
        let place = (rank, member.clone(), gap.surface);
        self.gaps.put_within(self.left.gaps, place, (gap, leads));
    }

    /// Another member of this name comes after the one that was read: a container sees that one.
    pub(super) fn supersede(&mut self, rank: u32, member: &TreePath) {
        self.facts.supersede(rank, member);
        self.gaps.supersede(rank, member);
        self.weightless.supersede(rank, member);
    }

    /// Keeps what the name of a folder says, or of a file that is not read. Each is handed in once.
    pub(super) fn put_named(&mut self, rank: u32, seen: Seen) {
        let place = (rank, seen.origin.path.clone(), seen.surface);
        self.named.put_within(NAMED, place, seen);
    }

    /// Keeps the names of a layer, once its first pass is over. Of layers that do not fit none are kept.
    pub(super) fn put_names(&mut self, rank: u32, names: Names) {
        if self.names_end.is_some_and(|end| rank >= end) {
            return;
        }
        self.names_held += names.len();
        self.names.insert(rank, names);
        while self.names_held > self.left.names
            && let Some((last, names)) = self.names.pop_last()
        {
            self.names_held -= names.len();
            self.names_end = Some(last);
        }
    }

    /// The names of a layer, once the first pass over all layers is over.
    pub(super) fn take_names(&mut self, rank: u32) -> Names {
        self.names.remove(&rank).unwrap_or_else(Names::all_dropped)
    }

    /// A link whose target is to be read in the next pass.
    pub(super) fn await_link(&mut self, rank: u32, link: TreePath, target: u64) {
        self.waiting.links.put_within(WAITING, (rank, link, ""), target);
    }

    /// A file that is to be read in the next pass because others name it.
    pub(super) fn await_file(&mut self, rank: u32, file: TreePath, surface: &'static str, member: u64) {
        self.waiting.files.put_within(WAITING, (rank, file, surface), member);
    }

    /// What waits for the next pass.
    pub(super) fn take_waiting(&mut self) -> Waiting {
        std::mem::take(&mut self.waiting)
    }

    /// A link, or a file that others name, whose target this layer does not hold.
    pub(super) fn put_elsewhere(&mut self, rank: u32, path: TreePath, target: u64) {
        self.elsewhere.put_within(self.left.elsewhere, (rank, path, ""), target);
    }

    /// What is kept of each of so many layers. What is put from now on has what is left of the bounds.
    pub(super) fn finish(&mut self, layers: u32, keep: &Keep<'_>) -> Vec<LayerKept> {
        let mut facts = std::mem::replace(&mut self.facts, Kept::new(self.left.facts));
        let named = std::mem::take(&mut self.named);
        let beyond: Vec<u64> = (0..layers).map(|rank| named.dropped_of(rank)).collect();
        for (rank, seen) in undescribed_names(named, &facts) {
            facts.put_at((rank, seen.origin.path.clone(), seen.surface), keep(&seen), seen);
        }
        let left = Left {
            facts: facts.left(),
            gaps: self.left.gaps.saturating_sub(self.gaps.len()),
            weightless: self.left.weightless.saturating_sub(self.weightless.len()),
            names: self.left.names.saturating_sub(self.names_held),
            elsewhere: self.left.elsewhere.saturating_sub(self.elsewhere.len()),
        };
        let rest = std::mem::replace(self, Self::within(left));
        let mut all = rest.share_out(facts.finish(), layers);
        all.iter_mut().zip(beyond).for_each(|(layer, names)| layer.dropped += names);
        all
    }

    fn share_out(self, facts: Finished, layers: u32) -> Vec<LayerKept> {
        let Finished { mut facts, dropped } = facts;
        facts.sort_by(|(a, _), (b, _)| a.cmp(b));
        let counts = |rank| LayerKept {
            dropped: dropped.get(&rank).copied().unwrap_or(0),
            unlisted: self.gaps.dropped_of(rank),
            not_looked_at: self.elsewhere.dropped_of(rank),
            coverage: Coverage { weightless_unlisted: self.weightless.dropped_of(rank), ..Coverage::default() },
            ..LayerKept::default()
        };
        let mut all: Vec<LayerKept> = (0..layers).map(counts).collect();
        for ((rank, ..), seen) in facts {
            of_rank(&mut all, rank, |layer| layer.facts.push(seen));
        }
        for ((rank, ..), (gap, leads)) in self.gaps.into_iter() {
            of_rank(&mut all, rank, |layer| {
                layer.coverage.leading.extend(leads.then(|| gap.origin.whole_file()));
                layer.coverage.gaps.push(gap);
            });
        }
        for ((rank, ..), gap) in self.weightless.into_iter() {
            of_rank(&mut all, rank, |layer| layer.coverage.weightless.push(gap));
        }
        for ((rank, path, _), target) in self.elsewhere.into_iter() {
            of_rank(&mut all, rank, |layer| layer.elsewhere.push((path, target)));
        }
        all
    }
}

fn of_rank(all: &mut [LayerKept], rank: u32, put: impl FnOnce(&mut LayerKept)) {
    if let Some(layer) = usize::try_from(rank).ok().and_then(|at| all.get_mut(at)) {
        put(layer);
    }
}

/// Of what names say, what no file of the same layer says.
fn undescribed_names(named: ByPlace<Seen>, facts: &Kept) -> Vec<(u32, Seen)> {
    let mut by_rank: BTreeMap<u32, (Vec<Seen>, Vec<&Seen>)> = BTreeMap::new();
    for ((rank, ..), seen) in named.into_iter() {
        by_rank.entry(rank).or_default().0.push(seen);
    }
    for ((rank, ..), seen) in facts.iter() {
        if let Some((_, read)) = by_rank.get_mut(rank) {
            read.push(seen);
        }
    }
    let rest = by_rank.into_iter().map(|(rank, (named, read))| (rank, undescribed(named, read)));
    rest.flat_map(|(rank, named)| named.into_iter().map(move |seen| (rank, seen))).collect()
}
