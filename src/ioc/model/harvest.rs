//! What a payload reads.

use serde::{Deserialize, Serialize};

use super::Beyond;

/// How well the harvest list is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// Read from the payload itself.
    Exact,
    /// Some of it is published.
    Partial,
    /// Nothing is published: everything readable counts.
    #[default]
    Unknown,
    /// It takes nothing from this host (a miner, a wiper, code for browsers): nothing has to be replaced because of it.
    None,
}

/// What the payload reads.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Harvest {
    /// How well this list is known.
    #[serde(default)]
    pub completeness: Completeness,
    /// In words, with its limits.
    #[serde(default)]
    pub note: String,
    /// Files.
    #[serde(default)]
    pub paths: Vec<HarvestRule>,
    /// The homes that `~` stands for, where the payload does not read every one: `/home/*`, `/root`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub homes: Vec<String>,
    /// Every environment variable of the process that ran it.
    #[serde(default)]
    pub environment: bool,
    /// Only variables whose name fits one of these, in any case, where the payload picks some; `*` stands for anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// Kinds of credential that it takes wherever they stand, by id.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// What it takes by other ways than reading files and its own environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<Beyond>,
    /// The same in words only, of which nothing more is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond_files: Vec<String>,
    /// Keys of `sources`.
    #[serde(default)]
    pub sources: Vec<String>,
}

impl Harvest {
    /// What it takes by other ways than files and its own environment, in words.
    pub fn beyond_in_words(&self) -> impl Iterator<Item = &str> {
        self.beyond.iter().map(|b| b.what.as_str()).chain(self.beyond_files.iter().map(String::as_str))
    }
}

/// Files that the payload reads: each name in `names`, in each folder of `under`, down to `depth` folders below it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HarvestRule {
    /// `~` is every home, or each of `homes`, `cwd` the working directory of the process (any folder, since it is not known), `cwd/x` a
    /// folder in it, `$VARIABLE` the file that a variable names.
    pub under: Vec<String>,
    /// Paths relative to that folder; `*` stands for anything but `/`.
    pub names: Vec<String>,
    /// Folders below `under` that are searched: 0 is that folder only, absent without limit.
    #[serde(default)]
    pub depth: Option<u32>,
    /// Set where `depth` is not limited.
    #[serde(default)]
    pub unlimited: bool,
    /// Kinds of credential that the payload looks for in these files, by id; empty: it takes the whole file.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Only lines that name a variable or a setting like one of these, in any case; empty: it takes the whole file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
}
