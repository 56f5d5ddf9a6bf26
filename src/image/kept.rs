//! What is kept of one layer while it is read, within bounds. Of more than fits, what stands first by path is kept.

use super::codec::Limits;
use crate::{
    coverage::{Coverage, Gap},
    fact::{Seen, TreePath},
    walk::{
        Bounds, ByPlace, Finished, Keep, Kept, LISTED, Worth,
        named::{NAMED, undescribed},
    },
};

/// Links to names that their layer does not hold.
const ELSEWHERE: usize = 100_000;
/// A layer is a tree of its own.
const LAYER: u32 = 0;

/// How much of one layer is still kept.
#[derive(Debug, Clone, Copy)]
struct Left {
    facts: Bounds,
    gaps: usize,
    weightless: usize,
    elsewhere: usize,
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
    /// Links that lead to names that this layer does not hold, with those names.
    pub(super) elsewhere: Vec<(TreePath, TreePath)>,
    /// How many more of them there were.
    pub(super) not_looked_at: u64,
}

/// What is kept so far.
#[derive(Debug)]
pub(super) struct Keeping {
    left: Left,
    facts: Kept,
    /// What names of folders say, until it is known what the files in them say.
    named: ByPlace<Seen>,
    /// With whether its file names what an indicator knows.
    gaps: ByPlace<(Gap, bool)>,
    weightless: ByPlace<Gap>,
    elsewhere: ByPlace<TreePath>,
}

impl Keeping {
    pub(super) fn new(limits: &Limits) -> Self {
        let gaps = usize::try_from(limits.gaps).unwrap_or(usize::MAX);
        Self::within(Left { facts: limits.facts, gaps, weightless: LISTED, elsewhere: ELSEWHERE })
    }

    fn within(left: Left) -> Self {
        Self {
            left,
            facts: Kept::new(left.facts),
            named: ByPlace::default(),
            gaps: ByPlace::default(),
            weightless: ByPlace::default(),
            elsewhere: ByPlace::default(),
        }
    }

    /// How much is kept so far: facts, and what they ask for.
    pub(super) fn count(&self) -> usize {
        self.facts.count()
    }

    /// Keeps a fact that was read of a member.
    pub(super) fn put(&mut self, member: &TreePath, worth: Worth, seen: Seen) {
        self.facts.put_at((LAYER, member.clone(), seen.surface), worth, seen);
    }

    /// Keeps the problems with a member.
    pub(super) fn put_problems(&mut self, member: &TreePath, coverage: Coverage) {
        for gap in coverage.gaps {
            let leads = coverage.leading.contains(&gap.origin.whole_file());
            self.put_gap(member, gap, leads);
        }
        for gap in coverage.weightless {
            let place = (LAYER, member.clone(), gap.surface);
            self.weightless.put_within(self.left.weightless, place, gap);
        }
    }

    /// Keeps one problem with a member.
    pub(super) fn put_gap(&mut self, member: &TreePath, gap: Gap, leads: bool) {
        let place = (LAYER, member.clone(), gap.surface);
        self.gaps.put_within(self.left.gaps, place, (gap, leads));
    }

    /// Another member of this name comes after the one that was read: a container sees that one.
    pub(super) fn supersede(&mut self, member: &TreePath) {
        self.facts.supersede(LAYER, member);
        self.gaps.supersede(LAYER, member);
        self.weightless.supersede(LAYER, member);
    }

    /// Keeps what the name of a folder says, or of a file that is not read. Each is handed in once.
    pub(super) fn put_named(&mut self, seen: Seen) {
        let place = (LAYER, seen.origin.path.clone(), seen.surface);
        self.named.put_within(NAMED, place, seen);
    }

    /// A link, or a file that others name, whose target this layer does not hold.
    pub(super) fn put_elsewhere(&mut self, path: TreePath, target: TreePath) {
        self.elsewhere.put_within(self.left.elsewhere, (LAYER, path, ""), target);
    }

    /// What is kept. What is put from now on has what is left of the bounds.
    pub(super) fn finish(&mut self, keep: &Keep<'_>) -> LayerKept {
        let mut facts = std::mem::replace(&mut self.facts, Kept::new(self.left.facts));
        let named = std::mem::take(&mut self.named);
        let beyond = named.dropped();
        let waiting = named.into_iter().map(|(_, seen)| seen).collect();
        for seen in undescribed(waiting, facts.iter().map(|(_, seen)| seen)) {
            facts.put_at((LAYER, seen.origin.path.clone(), seen.surface), keep(&seen), seen);
        }
        let left = Left {
            facts: facts.left(),
            gaps: self.left.gaps.saturating_sub(self.gaps.len()),
            weightless: self.left.weightless.saturating_sub(self.weightless.len()),
            elsewhere: self.left.elsewhere.saturating_sub(self.elsewhere.len()),
        };
        let rest = std::mem::replace(self, Self::within(left));
        let Finished { mut facts, dropped } = facts.finish();
        facts.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut kept = LayerKept {
            facts: facts.into_iter().map(|(_, seen)| seen).collect(),
            dropped: dropped.values().sum::<u64>().saturating_add(beyond),
            unlisted: rest.gaps.dropped(),
            not_looked_at: rest.elsewhere.dropped(),
            elsewhere: rest.elsewhere.into_iter().map(|((_, path, _), target)| (path, target)).collect(),
            coverage: Coverage { weightless_unlisted: rest.weightless.dropped(), ..Coverage::default() },
        };
        for (_, (gap, leads)) in rest.gaps.into_iter() {
            kept.coverage.leading.extend(leads.then(|| gap.origin.whole_file()));
            kept.coverage.gaps.push(gap);
        }
        kept.coverage.weightless = rest.weightless.into_iter().map(|(_, gap)| gap).collect();
        kept
    }
}
