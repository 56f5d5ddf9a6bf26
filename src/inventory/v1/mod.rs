//! The lines of an inventory, version 1: own types, so that what the program works with may change while stored inventories stay
//! readable. Within version 1 anything may be added, nothing renamed or taken away.

mod account;
mod command;
mod credential;
mod fact;
mod file;
mod known;
mod place;
#[cfg(test)]
mod tests;
mod traces;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    account::Accounts,
    command::{Command, Container, Cutoff, Wanted, Whereabouts},
    credential::Credential,
    fact::{Artifact, At, Fact, Package, Requirement, Stood},
    file::File,
    known::Known,
    place::{Entry, Gap, Name, NameText, Names, Origin, Path, Unit},
    traces::{Trace, Use},
};
use crate::{coverage::Weight, report::v1::Target};

/// What the first line names.
pub const FORMAT: &str = "dosimeter-inventory";
/// The version that is written, and the newest that is read.
pub const VERSION: u64 = 1;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Head {
    /// Always `dosimeter-inventory`.
    pub format: String,
    /// Of this format.
    pub version: u64,
    /// The program that wrote it, `dosimeter 0.1.0`.
    pub tool: String,
    /// When the examination began, UTC.
    pub started: Timestamp,
    /// What was examined.
    pub target: Target,
    /// The label of its tree.
    pub tree: String,
    /// What limited the facts that only indicators ask for.
    pub indicators: Indicators,
    /// Whether the account that read may read everything.
    pub privileged: bool,
    /// The surfaces that were chosen; empty for all.
    #[serde(default)]
    pub only: Vec<String>,
    /// The surfaces that were left out.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Every file was hashed.
    #[serde(default)]
    pub deep: bool,
    /// Every path stands in it, with its size.
    #[serde(default, skip_serializing_if = "is_false")]
    pub names: bool,
    /// Names of users, hosts and repositories are replaced.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redacted: bool,
    /// The public name of the case key that tags of credentials were made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_key: Option<String>,
}

/// The indicators of the examination.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Indicators {
    /// Of all that they ask for: equal digests ask for the same.
    pub digest: String,
    /// When the database was made, UTC.
    pub created: Timestamp,
    /// A digest of the files, hosts and processes that each incident asks for, by its id: what is not among them was not looked for.
    #[serde(default)]
    pub asked: BTreeMap<String, String>,
}

/// What one surface read in one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inspection {
    /// Id of the surface.
    pub surface: String,
    /// The file.
    pub file: Entry,
    /// Somebody named the file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_hand: bool,
    /// What the file is loaded with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What its members are loaded with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_unit: Option<Unit>,
    /// What the surface says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Stood>,
    /// What it says besides where an indicator names one of the packages of `asked`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Stood>,
    /// Packages that it asked the indicators for, `pypi/name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// Packages that the text names where it cannot be parsed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub salvaged: Vec<Stood>,
    /// There was more of these three than is kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
    /// It cannot be read as what it should be.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flawed: bool,
    /// Its problems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Problems beyond the bound.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_gaps: u64,
    /// What it may hide from those indicators, where there are problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Hides>,
}

/// A problem that counts by what its file weighs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Weighed {
    /// The problem.
    pub gap: Gap,
    /// What it may hide.
    pub weight: Hides,
    /// Somebody named the file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_hand: bool,
}

/// Something left out on purpose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exclusion {
    /// Where.
    pub place: Origin,
    /// One line for people.
    pub reason: String,
}

/// What differs from what its distribution lists, found by comparing every file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Compared {
    /// Id of the surface.
    pub surface: String,
    /// The file that is spoken of.
    pub file: Entry,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What is said.
    pub fact: Stood,
}

/// The last line: without it, the inventory was not written to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct End {
    /// Lines before this one.
    pub lines: u64,
    /// Names of files and folders that were seen.
    pub files_seen: u64,
    /// Files and folders whose access time may have changed.
    pub atime_changed: u64,
    /// Files of which a surface said nothing, by surface.
    #[serde(default)]
    pub silent: BTreeMap<String, u64>,
    /// Files that were compared with what lists them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub compared: u64,
    /// Of the system's release file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Who lives there.
    pub accounts: Accounts,
    /// Problems that stand beside the walk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Somebody ended the examination.
    #[serde(default, skip_serializing_if = "is_false")]
    pub interrupted: bool,
}

/// One line. A line of a sort that this version does not know is an error: it would be lost silently.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A file was read.
    Read(Box<Inspection>),
    /// A folder whose name says something.
    Folder(Path),
    /// The files of a folder, by name.
    Names(Names),
    /// The walk met a problem.
    Gap(Gap),
    /// A problem by weight.
    Weighed(Weighed),
    /// Something was left out.
    Exclusion(Exclusion),
    /// A file differs.
    Compared(Box<Compared>),
    /// The last one.
    End(Box<End>),
}

/// What an unreadable file may hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hides {
    /// Nothing.
    Nothing,
    /// Nobody can say.
    Unknown,
    /// It names something.
    Names,
}

impl From<Weight> for Hides {
    fn from(weight: Weight) -> Self {
        match weight {
            Weight::Nothing => Self::Nothing,
            Weight::Unknown => Self::Unknown,
            Weight::Names => Self::Names,
        }
    }
}

impl From<Hides> for Weight {
    fn from(hides: Hides) -> Self {
        match hides {
            Hides::Nothing => Self::Nothing,
            Hides::Unknown => Self::Unknown,
            Hides::Names => Self::Names,
        }
    }
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
