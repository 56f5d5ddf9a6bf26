//! Histories that the kinds of credential list and no surface reads: what somebody typed there is not known, which is a gap unless the
//! text holds nothing that could match.

use super::{Inspector, weigh::Weighed};
use crate::{
    coverage::{Gap, GapKind},
    fact::{Fact, Seen},
    tree::{Body, Entry},
};

/// The kind of credential that lists histories.
const KIND: &str = "os.shell_history";

/// Whether a fact says that its file is a history.
pub(super) fn is_listed(seen: &Seen) -> bool {
    matches!(&seen.fact, Fact::Credential(c) if &*c.kind == KIND)
}

/// Whether a surface reads histories.
pub(super) fn reads(surface: &str) -> bool {
    surface.starts_with("history/")
}

impl Inspector<'_> {
    /// Reports a history that no surface reads.
    pub(super) fn unread_history(&self, entry: &Entry, body: &mut Body<'_>, weighed: &mut Weighed) {
        let detail = "listed as a history among the credentials, not read as one".to_owned();
        let gap = Gap { origin: self.origin(&entry.path), surface: "walk", kind: GapKind::Unsupported, detail };
        let weight = self.weight(entry, body, weighed);
        self.result().sort_gaps(vec![gap], weight, false);
    }
}
