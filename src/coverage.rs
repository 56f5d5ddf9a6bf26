//! What was examined, what was not, and why. A problem with the evidence is data, never a log line only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fact::{Origin, TreePath};

/// Why something could not be examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Permission, I/O error, name too long.
    Unreadable,
    /// The bytes are not what the format says.
    Malformed,
    /// Larger than the reader's limit.
    TooLarge,
    /// It ends too early.
    Truncated,
    /// A format, version or compression that this program does not read.
    Unsupported,
    /// The user ended the examination before this.
    Interrupted,
    /// A parser panicked: a fault of this program, brought out by the input.
    Panicked,
}

/// Something that should have been examined and could not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Where.
    pub origin: Origin,
    /// Id of the surface, or `walk`.
    pub surface: &'static str,
    /// Why.
    pub kind: GapKind,
    /// One line for people; never holds bytes of the target.
    pub detail: String,
}

/// Something left out on purpose: no gap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exclusion {
    /// Where.
    pub origin: Origin,
    /// One line for people.
    pub reason: String,
}

/// What one surface did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SurfaceCount {
    /// Files it inspected.
    pub files: u64,
    /// Facts it read.
    pub facts: u64,
}

/// The account of one examination.
#[derive(Debug, Default, Clone)]
pub struct Coverage {
    /// Labels of the trees examined.
    pub trees: Vec<String>,
    /// Names met while walking.
    pub files_seen: u64,
    /// Bytes read from the target.
    pub bytes_read: u64,
    /// Files and folders that had to be opened without `O_NOATIME`.
    pub atime_changed: u64,
    /// By surface.
    pub surfaces: BTreeMap<&'static str, SurfaceCount>,
    /// Every problem met.
    pub gaps: Vec<Gap>,
    /// What was left out on purpose.
    pub exclusions: Vec<Exclusion>,
}

impl Coverage {
    /// Whether all that should have been examined was.
    pub fn complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Adds another account to this one.
    pub fn absorb(&mut self, other: Self) {
        self.trees.extend(other.trees);
        self.files_seen += other.files_seen;
        self.bytes_read += other.bytes_read;
        self.atime_changed += other.atime_changed;
        for (id, count) in other.surfaces {
            let mine = self.surfaces.entry(id).or_default();
            mine.files += count.files;
            mine.facts += count.facts;
        }
        self.gaps.extend(other.gaps);
        self.exclusions.extend(other.exclusions);
    }

    /// That the user ended the examination: what was not reached is not known, so it is never complete.
    pub fn interrupted(&mut self) {
        let tree = self.trees.first().map_or_else(|| "host".into(), |t| t.as_str().into());
        self.gaps.push(Gap {
            origin: Origin::file(&tree, TreePath::root()),
            surface: "walk",
            kind: GapKind::Interrupted,
            detail: "interrupted: what comes after was not examined".to_owned(),
        });
    }

    /// Sorts and removes repetitions, so that two runs say the same.
    pub fn settle(&mut self) {
        self.gaps.sort();
        self.gaps.dedup();
        self.exclusions.sort();
        self.exclusions.dedup();
        self.trees.sort();
        self.trees.dedup();
    }
}
