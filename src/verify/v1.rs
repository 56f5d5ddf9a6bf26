//! The answer, version 1: the public types of `dosimeter.verify/1`. Within version 1 anything may be added and nothing renamed;
//! `docs/schema/verify-1.schema.json` says the same for machines.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    report::v1::{Gap, Location, Target, Tool},
    verdict::{Confidence, Exposure, Urgency},
};

/// The value of `schema`.
pub const SCHEMA: &str = "dosimeter.verify/1";

/// What is closed, open and unknown of one report's checklist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// `dosimeter.verify/1`.
    pub schema: String,
    /// What wrote it.
    pub tool: Tool,
    /// When, UTC.
    pub started: Timestamp,
    /// The report or plan that was asked about.
    pub case: CaseRef,
    /// What was examined now; `null` where nothing was.
    pub examined: Option<Examined>,
    /// Counts, and one line.
    pub summary: Summary,
    /// One for each credential of the checklist, in its order.
    pub items: Vec<Item>,
    /// Of a report of several machines: how far each is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<MachineState>,
    /// What of the incidents is still found, worst first.
    pub findings: Vec<Still>,
    /// Credentials that a listing has, that were made since the incident began and that nobody on the list owns.
    pub unclaimed: Vec<Unclaimed>,
    /// The files that were handed in, and what they say of themselves.
    pub sources: Vec<Source>,
    /// What could not be examined now.
    pub gaps: Vec<Gap>,
}

/// The report or plan that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRef {
    /// The file.
    pub file: String,
    /// Its `schema`.
    pub schema: String,
    /// What it examined.
    pub target: Target,
    /// When, UTC.
    pub examined: Timestamp,
    /// The public name of the key of its tags.
    pub case_key: Option<String>,
}

/// The examination that places were looked at again with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examined {
    /// What.
    pub target: Target,
    /// The account it ran as.
    pub user: String,
    /// Whether that account may read everything.
    pub privileged: bool,
    /// Whether everything that should be was examined.
    pub complete: bool,
    /// The public name of the key of the tags.
    pub case_key: Option<String>,
}

/// How many items are in which state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Of the items: proven here, at the provider and in the logs, or attested.
    pub closed: usize,
    /// Something speaks against it.
    pub open: usize,
    /// Nothing does, and something is not proven.
    pub unknown: usize,
    /// Credentials of the report that its checklist does not ask to rotate; they are not among the items.
    pub not_asked: usize,
    /// Items of the checklist that are about secrets and name no credential of this machine: nothing here answers for them.
    pub without_credential: usize,
    /// What the plan calls them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_names: Vec<String>,
    /// One line.
    pub text: String,
}

/// How many items of one machine are in which state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineState {
    /// As the report calls it.
    pub machine: String,
    /// Whether it was examined now.
    pub examined: bool,
    /// Of its items.
    pub closed: usize,
    /// Of its items.
    pub open: usize,
    /// Of its items.
    pub unknown: usize,
}

/// The state of an item, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Each of the three facts is proven, or attested where no file shows it.
    Closed,
    /// Nothing speaks against it, and something is not proven.
    Unknown,
    /// One of the facts speaks against it.
    Open,
}

impl State {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Unknown => "unknown",
            Self::Open => "open",
        }
    }
}

/// One credential of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// As in the report.
    pub id: String,
    /// What the plan calls the item that replaces it: `B5`; `null` where it has none.
    #[serde(default)]
    pub label: Option<String>,
    /// The id of that item.
    #[serde(default)]
    pub item: Option<String>,
    /// As in the report.
    pub kind: String,
    /// As in the report.
    pub provider: String,
    /// As in the report.
    pub location: Location,
    /// As in the report.
    pub owner: Option<String>,
    /// The public identifier that the report has.
    pub identifier: Option<String>,
    /// As in the report.
    pub rotate: Urgency,
    /// Of all three facts.
    pub state: State,
    /// What stands at its place now.
    pub here: Here,
    /// Whether the old one is accepted where it was.
    pub provider_state: AtProvider,
    /// Whether the old one was used since.
    pub silence: Silence,
    /// What people answer for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attested: Vec<Attested>,
}

/// What stands at a place now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// No such credential any more.
    Gone,
    /// Another value.
    Replaced,
    /// The value of the report, there or elsewhere.
    Same,
    /// Nobody can say.
    Unknown,
}

/// What shows whether a value is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A public identifier that each value has of its own.
    Identifier,
    /// A keyed tag of the value.
    Tag,
}

/// The first fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    /// The answer.
    pub answer: Change,
    /// What shows it; `null` where it is gone or unknown.
    pub by: Option<By>,
    /// Why.
    pub reason: String,
    /// What to do next; `null` where nothing is to be done.
    #[serde(default)]
    pub next: Option<String>,
    /// Something that points to an answer and proves none.
    pub hint: Option<String>,
    /// The identifier that stands there now, where it is another.
    pub identifier_now: Option<String>,
    /// Where the old value stands now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Location>,
}

/// Whether it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// It was revoked, deactivated, deleted, or expired.
    Dead,
    /// It is accepted.
    Alive,
    /// Nobody can say.
    Unknown,
}

/// The second fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtProvider {
    /// The answer.
    pub answer: Life,
    /// Why.
    pub reason: String,
    /// What to do next; `null` where nothing is to be done.
    #[serde(default)]
    pub next: Option<String>,
    /// When it ended, where a file says so, UTC.
    pub ended: Option<Timestamp>,
    /// The file that shows it.
    pub source: Option<String>,
}

/// Whether it was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quiet {
    /// No use for the days of the watch since it ended, in extracts that run on from then.
    Silent,
    /// It was used after it should have ended.
    Used,
    /// Nobody can say.
    Unknown,
}

/// The third fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The answer.
    pub answer: Quiet,
    /// Why.
    pub reason: String,
    /// What to do next; `null` where nothing is to be done.
    #[serde(default)]
    pub next: Option<String>,
    /// From when on it must be silent, UTC.
    pub since: Option<Timestamp>,
    /// The last use that succeeded, UTC.
    pub last_use: Option<Timestamp>,
    /// Uses that succeeded after `since`.
    pub uses_after: u64,
    /// Uses after `since` that were refused: somebody still tries.
    pub refused_after: u64,
    /// Uses that succeeded between the start of the incident and `since`: what the thief may have done with it.
    pub uses_before: u64,
    /// The file that shows it.
    pub source: Option<String>,
}

/// A named person answers for a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// `here`, `provider` or `silence`.
    pub fact: String,
    /// Who.
    pub by: String,
    /// What they say.
    pub text: String,
}

/// Something of an incident that is still found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// As reports have it.
    pub id: String,
    /// Of the incident.
    pub incident: String,
    /// What it is a finding by.
    pub indicator: String,
    /// How far it got.
    pub exposure: Exposure,
    /// How sure.
    pub confidence: Confidence,
    /// Where.
    pub location: Location,
    /// Whether the report has it too; `null` for a plan, which has no findings.
    pub known: Option<bool>,
}

/// A credential that nobody on the list owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unclaimed {
    /// Its public identifier or name.
    pub id: String,
    /// Of which account, where the listing says it.
    pub account: Option<String>,
    /// What the listing calls it.
    pub label: Option<String>,
    /// When it was made, UTC.
    pub created: Timestamp,
    /// It was made after the incident began and before the report was written: open. Later ones may be the replacements.
    pub in_window: bool,
    /// The file that has it.
    pub source: String,
}

/// A file that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub file: String,
    /// What it is: `aws iam list-access-keys`, `CloudTrail`.
    pub form: String,
    /// Whose credentials or events they are, where it says so.
    pub accounts: Vec<String>,
    /// Entries or events.
    pub entries: u64,
    /// Why it is not all there is; `null` where nothing says so.
    pub incomplete: Option<String>,
    /// Of a log: its first event, UTC.
    pub from: Option<Timestamp>,
    /// Of a log: its last event, UTC.
    pub to: Option<Timestamp>,
}
