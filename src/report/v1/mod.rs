//! The report, version 1: the public types. Everything that is shown, in any format, comes from one of these. Within version
//! 1 anything may be added and nothing renamed; `docs/schema/report-1.schema.json` says the same for machines.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    fact::{Ecosystem, EnvironmentKind, Platform},
    ioc::model::{FileRole, Moment as RunsAt},
    rotate::page::Page,
    verdict::{Confidence, Exposure},
};

mod account;
mod checklist;
mod coverage;
mod credential;
mod exposure_or_none;
mod image;
mod machine;
mod place;
mod work;

pub use self::{
    account::Account,
    checklist::{Item, Step},
    coverage::{Coverage, Exclusion, Gap, ImageDigests, Login, Scope, SurfaceCount},
    credential::{Credential, ReachBy},
    image::{Base, ImageUser, Sweep, SweptImage},
    machine::{Machine, MachineIncident},
    place::{Location, PathText},
    work::{State, Work},
};

/// The value of `schema`.
pub const SCHEMA: &str = "dosimeter.report/1";

/// The value of `schema` of a plan: a report, or several in one, that is worked on.
pub const PLAN: &str = "dosimeter.plan/1";

/// One examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `dosimeter.report/1`.
    pub schema: String,
    /// What wrote it.
    pub tool: Tool,
    /// The indicators it used.
    pub indicators: Indicators,
    /// When, where, how.
    pub run: Run,
    /// The answer.
    pub verdict: Verdict,
    /// By exposure, worst first.
    pub incidents: Vec<IncidentReport>,
    /// Credentials found, most urgent first.
    pub credentials: Vec<Credential>,
    /// What the first page says beside the checklist; absent in reports of early versions and of several machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// What to do, in order.
    pub checklist: Vec<Item>,
    /// By time.
    pub timeline: Vec<Moment>,
    /// Odd things that match no indicator; they never change the verdict.
    pub anomalies: Vec<Anomaly>,
    /// Evidence that an earlier clean-up moved away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_evidence: Vec<KeptEvidence>,
    /// What each machine is part of, as far as its files say: it can have credentials that stand in no file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PartOf>,
    /// The machines of a report of several, by `tree`; empty in every other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<Machine>,
    /// The images of a sweep; absent in every other report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// How far the items of a plan are; a report has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub work: Vec<Work>,
    /// What was examined and what was not.
    pub coverage: Coverage,
}

impl Report {
    /// The items that are shown to people.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        self.checklist.iter().filter(|i| !i.left_out)
    }
}

/// What wrote the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `dosimeter`.
    pub name: String,
    /// Semantic version.
    pub version: String,
}

/// The indicators that were used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicators {
    /// Counts releases of the database.
    pub sequence: u64,
    /// UTC.
    pub created: Timestamp,
    /// Over all files.
    pub digest: String,
    /// How many.
    pub incidents: usize,
    /// Malicious package versions.
    pub packages: usize,
    /// Whole days from `created` to the start of the run.
    pub age_days: i64,
    /// What was laid over the indicators of the program, in the order it was read.
    #[serde(default)]
    pub layers: Vec<Layer>,
}

/// One source of indicators beside the program itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// A path, or `--ioc`.
    pub origin: String,
    /// What it says of itself.
    pub title: String,
    /// Its number, where it has one.
    pub sequence: Option<u64>,
    /// UTC, where it has a date.
    pub created: Option<Timestamp>,
    /// Incidents in it.
    pub incidents: usize,
    /// Packages of its list.
    pub packages: usize,
    /// The key that signed it, where that was checked; `null`: whoever could write the file is trusted.
    pub signed_by: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// 16 hex digits.
    pub id: String,
    /// UTC.
    pub started: Timestamp,
    /// UTC.
    pub finished: Timestamp,
    /// What was examined.
    pub target: Target,
    /// The command line.
    pub argv: Vec<String>,
    /// The account it ran as.
    pub user: String,
    /// Whether that account may read everything.
    pub privileged: bool,
    /// What the kernel held the program to; `null` in reports of versions that did not ask for it.
    #[serde(default)]
    pub sandbox: Option<Sandbox>,
    /// The public name of the case key that tags were made with: 16 hex digits; absent without `--case-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_key: Option<String>,
}

/// What the kernel held the program to while it read the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The profile, by its command.
    pub profile: String,
    /// Version of landlock's interface; `null` where it did not hold.
    pub landlock: Option<u32>,
    /// Whether system calls were filtered.
    pub seccomp: bool,
    /// Whether no program could gain rights.
    pub no_new_privs: bool,
    /// Whether other processes could not look into the memory.
    pub memory_closed: bool,
    /// Whether a crash would have left no image of the memory.
    pub no_core: bool,
}

impl From<crate::sandbox::Held> for Sandbox {
    fn from(held: crate::sandbox::Held) -> Self {
        let crate::sandbox::Held { profile, landlock, seccomp, no_new_privs, memory_closed, no_core } = held;
        Self { profile: profile.to_owned(), landlock, seccomp, no_new_privs, memory_closed, no_core }
    }
}

impl Sandbox {
    /// One line.
    pub fn words(&self) -> String {
        let landlock = self.landlock.map_or_else(|| "no landlock".to_owned(), |v| format!("landlock {v}"));
        let yes = |holds: bool, what: &str| if holds { what.to_owned() } else { format!("no {what}") };
        let seccomp = yes(self.seccomp, "filter of system calls");
        let closed = if self.memory_closed && self.no_core { "memory closed" } else { "memory not closed" };
        format!("sandbox `{}`: {landlock}, {seccomp}, {closed}", self.profile)
    }
}

/// What was examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `host`, `root`, `home`, `path`, `images`, `sbom`, `inventories`.
    pub kind: String,
    /// Host name, or the folder or files named.
    pub id: String,
    /// What a mounted disk calls its machine, by its own `/etc/hostname`; absent where it says nothing, and of all else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which installation a mounted disk holds: a digest of its `/etc/machine-id`; absent likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
    /// Operating system of the target, `debian 12`; `null` where it is not known.
    pub os: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The worst, or `none`.
    #[serde(with = "exposure_or_none")]
    pub exposure: Option<Exposure>,
    /// Whether everything that should be was examined.
    pub complete: bool,
    /// One line; never says "clean".
    pub summary: String,
}

/// One incident that left evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// Its id.
    pub id: String,
    /// One line.
    pub title: String,
    /// The worst of its findings.
    pub exposure: Exposure,
    /// The best confidence at that exposure.
    pub confidence: Confidence,
    /// Addresses of its sources.
    pub references: Vec<String>,
    /// When its artefacts were available.
    pub windows: Vec<Window>,
    /// The evidence.
    pub findings: Vec<Finding>,
}

/// When one artefact was available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// `litellm 1.82.7`.
    pub artifact: String,
    /// UTC.
    pub start: Timestamp,
    /// UTC; the widest published end, or `null` where nobody published one.
    pub end: Option<Timestamp>,
}

impl Window {
    /// "A to B", in words.
    pub fn span(&self) -> String {
        match self.end {
            Some(end) => format!("from {} to {end}", self.start),
            None => format!("from {}; nobody published an end", self.start),
        }
    }
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `f-` and 16 hex digits, the same from run to run.
    pub id: String,
    /// `pypi/litellm@1.82.8`, `path/~/.config/…`.
    pub indicator: String,
    /// Where the indicator comes from: `built in`, a file, `--ioc`.
    #[serde(default)]
    pub indicator_source: String,
    /// `package`, `file`, `command`, `network`, `process`, `image`.
    pub kind: String,
    /// How far it got.
    pub exposure: Exposure,
    /// How sure.
    pub confidence: Confidence,
    /// Which surface read it.
    pub surface: String,
    /// Package URL.
    pub package: Option<String>,
    /// Where.
    pub location: Location,
    /// The environment it belongs to.
    pub environment: Option<Environment>,
    /// The wheel, sdist or layer it is in.
    pub artifact: Option<Artifact>,
    /// UTC.
    pub at: Option<Timestamp>,
    /// What `at` was read from.
    pub at_source: Option<String>,
    /// Why it is a finding, and when the code runs.
    pub reason: String,
    /// What shows, or is presumed to show, that it ran or did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<String>,
    /// From what was asked for to the package.
    pub chain: Vec<Link>,
    /// The stable code of why it is a finding, as `docs/rules.md` lists them; empty in reports of early versions.
    #[serde(default)]
    pub rule: String,
    /// When its code runs first; `null` where nobody knows, and for what is no code.
    #[serde(default)]
    pub moment: Option<RunsAt>,
    /// Whether its code runs without anybody using the package.
    #[serde(default)]
    pub runs_by_itself: bool,
    /// What the file is in its incident; `null` for what is no file.
    #[serde(default)]
    pub role: Option<FileRole>,
    /// By whose rules it is loaded and taken out.
    #[serde(default)]
    pub ecosystem: Option<Ecosystem>,
    /// What it is loaded with, where the place of a file says so.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// Whose code ran, or would run; `null` in reports of early versions.
    #[serde(default)]
    pub account: Option<Account>,
    /// Whose home its place is in, else the same as `account`.
    #[serde(default)]
    pub lives_at: Option<Account>,
    /// The files and folders that are taken out with it, absolute within the tree; `null` where that is the file of `location`.
    #[serde(default)]
    pub files: Option<Vec<PathText>>,
    /// Ids of other incidents that leave the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<String>,
}

/// What is loaded or run together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// By whose rules it loads.
    pub ecosystem: Ecosystem,
    /// The folder that code is loaded from, or the archive, absolute within the tree.
    pub folder: PathText,
    /// The whole: the prefix of an environment, a project.
    pub root: PathText,
    /// What its place says it is.
    pub kind: EnvironmentKind,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its folder, absolute within the tree.
    pub path: PathText,
    /// What made it.
    pub kind: EnvironmentKind,
}

/// A downloadable file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// File name.
    pub name: Option<String>,
    /// In bytes.
    pub size: Option<u64>,
    /// Hex.
    pub sha256: Option<String>,
}

/// One step of a chain of requirements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Normalised.
    pub name: String,
    /// As installed; `null` for a project or tool without one.
    pub version: Option<String>,
    /// The requirement of the previous step that brought it in.
    pub requirement: Option<String>,
    /// Whether the user asked for it.
    pub requested: bool,
}

/// Evidence that an earlier clean-up moved away: its checklist still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEvidence {
    /// The marker in the folder.
    pub location: Location,
    /// Id of the case whose checklist moved it.
    pub case: String,
    /// Archives that the marker lists with their digests.
    pub archives: usize,
}

/// That a machine is part of a cloud, a cluster or a CI service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOf {
    /// Of which.
    pub platform: Platform,
    /// The file that says so.
    pub location: Location,
}

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// UTC.
    pub at: Timestamp,
    /// What it was read from.
    pub source: String,
    /// What happened.
    pub what: String,
    /// Id of the finding.
    pub finding: Option<String>,
    /// Id of the credential.
    pub credential: Option<String>,
}

/// Something odd that matches no indicator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// `a-` and 16 hex digits.
    pub id: String,
    /// Which surface read it.
    pub surface: String,
    /// Where.
    pub location: Location,
    /// UTC.
    pub at: Option<Timestamp>,
    /// What is odd.
    pub what: String,
}
