//! Indicators of other people's formats. What cannot be taken over is told, never dropped.

mod native;

use std::collections::BTreeMap;

use super::{feed::FeedRow, model::Incident};
use crate::fact::Ecosystem;

/// What came out of one or more files.
#[derive(Debug, Default)]
pub struct Imported {
    /// Incidents, one a document that describes one.
    pub incidents: Vec<Incident>,
    /// Packages without more to say than their versions: ecosystem, name as written, advisory and versions.
    pub rows: Vec<(Ecosystem, String, FeedRow)>,
    /// How many of each kind were taken: `package versions` → 288078.
    pub taken: BTreeMap<&'static str, usize>,
    /// What was left out and why, with how often and one example.
    pub left: BTreeMap<String, Left>,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// How often.
    pub count: usize,
    /// The first one: its file, or its text.
    pub example: String,
}

/// A file that is none of the known formats, or is broken: its author's fault.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No format fits.
    #[error("{file}: not a format that can be taken over")]
    Unknown {
        /// Name.
        file: String,
    },
    /// A format fits, and the file is broken.
    #[error("{file}: {what}")]
    Broken {
        /// Name.
        file: String,
        /// What is wrong, and where.
        what: String,
    },
}

impl Imported {
    /// Counts something that was taken.
    pub fn took(&mut self, kind: &'static str, count: usize) {
        *self.taken.entry(kind).or_default() += count;
    }

    /// Notes something that was left out.
    pub fn leave(&mut self, why: impl Into<String>, example: &str) {
        let entry = self.left.entry(why.into());
        entry.or_insert_with(|| Left { count: 0, example: example.chars().take(120).collect() }).count += 1;
    }

    /// Adds what another file gave.
    pub fn merge(&mut self, other: Self) {
        self.incidents.extend(other.incidents);
        self.rows.extend(other.rows);
        for (kind, count) in other.taken {
            self.took(kind, count);
        }
        for (why, left) in other.left {
            let entry = self.left.entry(why).or_insert(Left { count: 0, example: left.example });
            entry.count += left.count;
        }
    }
}

/// Everything that some files can give, each by its own form.
///
/// # Errors
/// A file of no known form, or a broken one.
pub fn read(files: &[(String, Vec<u8>)]) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    for (file, bytes) in files {
        let text = std::str::from_utf8(bytes).map_err(|_| ImportError::Unknown { file: file.clone() })?;
        imported.merge(native::read(file, text, files)?);
    }
    Ok(imported)
}
