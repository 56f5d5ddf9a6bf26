//! What was examined, what was not, and why. A problem with the evidence is data, never a log line only.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::fact::{Origin, TreePath};

/// A part of the program that reports problems of its own in a gap's `surface`, and is no surface: it reads no kind of place, so
/// `--only` and `--skip` do not know it.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// As it stands in reports.
    pub id: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// The walk through a tree.
pub const WALK: &str = "walk";
/// The reading of an image's archive, its manifests and its configuration.
pub const IMAGE: &str = "image";
/// The reading of one layer of an image.
pub const LAYER: &str = "image/layer";
/// The reading of an inventory, or of a bill of materials.
pub const INVENTORY: &str = "inventory";
/// The judgement.
pub const ASSESS: &str = "assess";
/// The making of the checklist.
pub const ROTATE: &str = "rotate";

/// Every such part. Whatever else stands as a `surface` in a report is one that `dosimeter surfaces` lists.
pub static PARTS: &[Part] = &[
    Part { id: WALK, about: "goes through the files and folders of a tree" },
    Part { id: IMAGE, about: "reads an image's archive, manifests and configuration" },
    Part { id: LAYER, about: "unpacks one layer of an image" },
    Part { id: INVENTORY, about: "reads inventories and bills of materials" },
    Part { id: ASSESS, about: "judges what was read" },
    Part { id: ROTATE, about: "makes the checklist" },
];

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

/// What a file that a surface cannot read may keep from an examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It is text, and nothing in it could match an indicator.
    Nothing,
    /// Nobody can say: it is no text, or too long.
    Unknown,
    /// Its text or its path names what an indicator knows.
    Names,
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
    /// Files and folders examined while walking.
    pub files_seen: u64,
    /// Bytes read from the target.
    pub bytes_read: u64,
    /// Files and folders that had to be opened without `O_NOATIME`.
    pub atime_changed: u64,
    /// By surface.
    pub surfaces: BTreeMap<&'static str, SurfaceCount>,
    /// Every problem met.
    pub gaps: Vec<Gap>,
    /// Files that could not be read and hold nothing that could be a finding: no gaps.
    pub weightless: Vec<Gap>,
    /// How many more of them there are than are listed.
    pub weightless_unlisted: u64,
    /// Files behind some of the gaps, which name what an indicator knows: these gaps come first.
    pub leading: BTreeSet<Origin>,
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
        self.weightless.extend(other.weightless);
        self.weightless_unlisted += other.weightless_unlisted;
        self.leading.extend(other.leading);
        self.exclusions.extend(other.exclusions);
    }

    /// Adds files that could not be read and hold nothing, as long as one more is admitted.
    pub fn list_weightless(&mut self, gaps: Vec<Gap>, mut admit: impl FnMut() -> bool) {
        for gap in gaps {
            if admit() { self.weightless.push(gap) } else { self.weightless_unlisted += 1 }
        }
    }

    /// Once something was found, what this surface could not read matters after all: a credential that is not listed is not
    /// rotated.
    pub fn give_weight(&mut self, surface: &str) {
        let matter = |g: &Gap| g.surface == surface;
        let (heavy, light) = std::mem::take(&mut self.weightless).into_iter().partition(matter);
        self.weightless = light;
        self.gaps.extend::<Vec<Gap>>(heavy);
    }

    /// That the user ended the examination: what was not reached is not known, so it is never complete.
    pub fn interrupted(&mut self) {
        let tree = self.trees.first().map_or_else(|| "host".into(), |t| t.as_str().into());
        self.gaps.push(Gap {
            origin: Origin::file(&tree, TreePath::root()),
            surface: WALK,
            kind: GapKind::Interrupted,
            detail: "interrupted: what comes after was not examined".to_owned(),
        });
    }

    /// Sorts and removes repetitions, so that two runs say the same.
    pub fn sort_and_dedup(&mut self) {
        self.gaps.sort();
        self.gaps.dedup();
        let leads = |g: &Gap| self.leading.contains(&g.origin.whole_file());
        self.gaps.sort_by_key(|g| !leads(g));
        self.weightless.sort();
        self.weightless.dedup();
        self.exclusions.sort();
        self.exclusions.dedup();
        self.trees.sort();
        self.trees.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(surface: &'static str, path: &str) -> Gap {
        let origin = Origin::file(&"t".into(), TreePath::new(path.as_bytes()).unwrap());
        Gap { origin, surface, kind: GapKind::Malformed, detail: String::new() }
    }

    #[test]
    fn what_names_an_indicator_comes_first() {
        let mut coverage = Coverage { gaps: ["a", "b", "c"].map(|p| gap("s", p)).into(), ..Coverage::default() };
        coverage.gaps[1].origin.line = Some(7);
        coverage.leading.insert(gap("s", "b").origin);
        coverage.sort_and_dedup();
        let paths: Vec<&[u8]> = coverage.gaps.iter().map(|g| g.origin.path.as_bytes()).collect();
        assert_eq!(paths, [b"b", b"a", b"c"]);
    }

    #[test]
    fn only_the_surface_that_is_named_gets_weight_again() {
        let weightless = ["credential/file", "credentials/x", "python/hook"].map(|s| gap(s, "a"));
        let mut coverage = Coverage { weightless: weightless.into(), ..Coverage::default() };
        assert!(coverage.complete());
        coverage.give_weight("credential/file");
        assert_eq!(
            (coverage.gaps.len(), coverage.gaps[0].surface, coverage.weightless.len()),
            (1, "credential/file", 2)
        );
    }
}
