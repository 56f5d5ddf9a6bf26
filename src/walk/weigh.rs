//! What an unreadable file may hide. A file that is text, and in which nothing could match an indicator, cannot hide a finding: it is
//! listed as unreadable without weight, and the examination is complete. Everything else is a gap.

use std::borrow::Cow;

use super::Inspector;
use crate::{
    coverage::{Gap, GapKind, Weight},
    fact::TreePath,
    sqlite::{Database, MAGIC, Value},
    tree::{Body, Entry, body::Beside},
};

/// Weighs the path and the bytes of a file that nobody could read as what it should be.
pub type Weigh<'w> = dyn Fn(&TreePath, &[u8]) -> Weight + Sync + 'w;

/// Larger files keep their weight.
const WHOLE: usize = 4 << 20;
/// Of a database the texts count, which are less.
const DATABASE: usize = 32 << 20;

/// Files of one tree, or of the layers of one input, that are listed as unreadable without weight.
pub(crate) const LISTED: usize = 5000;

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
        *weighed.0.get_or_insert_with(|| match self.text_of(body) {
            Some(bytes) => weigh(&entry.path, &bytes),
            None => Weight::Unknown,
        })
    }

    /// The bytes of a file, or the texts that a database holds; `None` where they are unavailable, or too many.
    pub(super) fn text_of<'b>(&self, body: &'b mut Body<'_>) -> Option<Cow<'b, [u8]>> {
        if !body.head(MAGIC.len()).ok()?.starts_with(MAGIC) {
            return body.all(WHOLE).ok().map(Cow::Borrowed);
        }
        let log = match body.beside("-wal", WHOLE).ok()? {
            Beside::Bytes(bytes) => bytes,
            Beside::Absent => Vec::new(),
            Beside::Unknown => return None,
        };
        texts_in(body.all(DATABASE).ok()?, &log).map(|text| Cow::Owned(text.into_bytes()))
    }
}

/// All texts of all tables, each on lines of its own.
fn texts_in(main: &[u8], log: &[u8]) -> Option<String> {
    let database = Database::new(main, Some(log)).ok()?;
    let mut texts = String::new();
    for table in database.tables().ok()? {
        let whole = database.rows(&table, &mut |_, row| {
            for value in row {
                if let Value::Text(text) = value {
                    texts.push_str(text);
                    texts.push('\n');
                }
            }
            texts.len() <= WHOLE
        });
        if texts.len() > WHOLE {
            return None;
        }
        // A table without row ids is not read: what stands in it is not known.
        whole.ok()?;
    }
    Some(texts)
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
