//! What an unreadable file may hide. A file that is text, and in which nothing could match an indicator, cannot hide a finding: it is
//! listed as unreadable without weight, and the examination is complete. Everything else is a gap.

use super::Inspector;
use crate::{
    coverage::{Gap, GapKind, Weight},
    fact::TreePath,
    tree::{Body, Entry},
};

/// Weighs the path and the bytes of a file that nobody could read as what it should be.
pub type Weigh<'w> = dyn Fn(&TreePath, &[u8]) -> Weight + Sync + 'w;

/// Larger files keep their weight.
const WHOLE: usize = 4 << 20;

/// Files of one tree that are listed as unreadable without weight.
pub(super) const LISTED: usize = 5000;

/// What is added to a gap whose file names something that an indicator knows.
const NAMES: &str = "; it names what an indicator knows";

/// What a file weighs, worked out once however many surfaces fail on it.
#[derive(Default)]
pub(super) struct Weighed(Option<Weight>);

impl Inspector<'_> {
    /// What a file weighs that was not understood.
    pub(super) fn weight(&self, entry: &Entry, body: &mut Body<'_>, weighed: &mut Weighed) -> Weight {
        let Some(weigh) = self.weigh else {
            return Weight::Unknown;
        };
        *weighed.0.get_or_insert_with(|| match body.all(WHOLE) {
            Ok(bytes) => weigh(&entry.path, bytes),
            Err(_) => Weight::Unknown,
        })
    }
}

/// Whether such a problem says that the bytes are there and were not understood.
pub(super) fn not_understood(gap: &Gap) -> bool {
    matches!(gap.kind, GapKind::Malformed | GapKind::Unsupported | GapKind::Panicked | GapKind::TooLarge)
}

/// Says of a problem that it could hide something known.
pub(super) fn mark(gap: &mut Gap) {
    if !gap.detail.ends_with(NAMES) {
        gap.detail.push_str(NAMES);
    }
}
