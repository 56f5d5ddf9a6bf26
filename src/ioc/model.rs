//! The shape of `iocs/incidents/*.json`. `iocs/README.md` says the same in words, `iocs/schema/incident.schema.json` for machines.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::Ecosystem;

/// One compromise: when it was open, how to recognise it, what it takes, how to clean up.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// `dosimeter.incident/1`.
    pub schema: String,
    /// `litellm-2026-03`; also the file's name.
    pub id: String,
    /// One line.
    pub title: String,
    /// Day it became known or began, `YYYY-MM-DD`.
    pub date: String,
    /// A paragraph.
    pub summary: String,
    /// Numbers other databases give it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Whom the sources name, no further.
    #[serde(default)]
    pub attribution: Option<Attribution>,
    /// Where everything in this file comes from, by a short key.
    pub sources: BTreeMap<String, Source>,
    /// When the malicious artefacts could be had, one an artefact.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// Malicious package versions.
    #[serde(default)]
    pub packages: Vec<PackageIndicator>,
    /// Wheels, sdists and other downloadable files.
    #[serde(default)]
    pub artifacts: Vec<ArtifactIndicator>,
    /// Files: start-up hooks, trojaned modules, what the payload drops.
    #[serde(default)]
    pub files: Vec<FileIndicator>,
    /// Domains, addresses, URLs.
    #[serde(default)]
    pub network: Vec<NetworkIndicator>,
    /// Command lines of running processes.
    #[serde(default)]
    pub processes: Vec<ProcessIndicator>,
    /// Container images.
    #[serde(default)]
    pub images: Vec<ImageIndicator>,
    /// Objects in a Kubernetes cluster.
    #[serde(default)]
    pub kubernetes: Vec<Named>,
    /// Commits and repositories.
    #[serde(default)]
    pub git: Vec<Named>,
    /// What the payload reads.
    #[serde(default)]
    pub harvest: Harvest,
    /// Monitors that act when a token is revoked: disarm before rotating.
    #[serde(default)]
    pub dead_man_switches: Vec<Named>,
    /// How to clean up, beyond what the findings themselves say.
    #[serde(default)]
    pub cleanup: Vec<Cleanup>,
    /// Where sources contradict each other.
    #[serde(default)]
    pub disagreements: Vec<Disagreement>,
    /// Inputs that must give exactly these exposures.
    pub examples: Vec<Example>,
    /// Inputs that must give none.
    pub near_misses: Vec<Example>,
}

/// Whom the sources name.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Attribution {
    /// As the sources write it.
    pub actor: String,
    /// `high`, `medium`, `low`.
    pub confidence: String,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// Where a value comes from: a page, or a text that was relayed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is, in a few words.
    pub title: String,
    /// Its address.
    #[serde(default)]
    pub url: Option<String>,
    /// What it was, when there is no address to give: caps confidence at `likely`.
    #[serde(default)]
    pub relayed: Option<String>,
}

/// When one artefact could be had. UTC.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// `litellm 1.82.7`.
    pub artifact: String,
    /// First moment.
    pub start: Timestamp,
    /// The widest published end: this one counts.
    pub end: Timestamp,
    /// Other published ends and starts.
    #[serde(default)]
    pub published: Vec<Claim>,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// What one source says.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// In words.
    pub says: String,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// When malicious code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Every start of the interpreter.
    InterpreterStart,
    /// Import of a module.
    Import,
    /// An install hook.
    InstallHook,
    /// Building the source distribution.
    Build,
    /// A call of a function.
    RuntimeCall,
    /// Start of a container.
    ContainerRun,
}

impl Trigger {
    /// Runs by itself, without anybody using the package.
    pub fn by_itself(self) -> bool {
        matches!(self, Self::InterpreterStart | Self::InstallHook | Self::Build)
    }

    /// In words, after "runs".
    pub fn words(self) -> &'static str {
        match self {
            Self::InterpreterStart => "at every Python start",
            Self::Import => "when the trojaned module is imported",
            Self::InstallHook => "when it is installed",
            Self::Build => "when it is built from source",
            Self::RuntimeCall => "when the trojaned function is called",
            Self::ContainerRun => "when the container starts",
        }
    }
}

/// Malicious versions of one package.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PackageIndicator {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// As the registry spells it.
    pub name: String,
    /// Exact versions; `*` is every version.
    pub versions: Vec<String>,
    /// When the code in them runs.
    pub triggers: Vec<Trigger>,
    /// What runs, in words.
    pub runs: String,
    /// Versions known to be good.
    #[serde(default)]
    pub safe: Vec<String>,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A downloadable file.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactIndicator {
    /// File name.
    pub name: String,
    /// Hex, lower case.
    pub sha256: String,
    /// In bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// What it means to find a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRole {
    /// Start-up code in a site folder, distinctive by its name.
    Hook,
    /// A module that carries the payload: counts by hash, never by name.
    Module,
    /// A name others use too: counts only in a folder that holds one of the incident's hooks.
    Companion,
    /// A lasting foothold that the payload dropped when it ran.
    Persistence,
    /// Left behind by the payload when it ran: lock files, staging archives.
    Trace,
}

/// A file to recognise.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileIndicator {
    /// What a hit means.
    pub role: FileRole,
    /// Where: `~/…` below any home, `/…` from the root, `site:…` below a site folder. `*` stands for anything but `/`.
    pub paths: Vec<String>,
    /// Hex, lower case.
    #[serde(default)]
    pub sha256: Option<String>,
    /// In bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The file counts only when it holds one of these (or has the hash): for names that others use too.
    #[serde(default)]
    pub holds: Vec<String>,
    /// The package whose files these are.
    #[serde(default)]
    pub package: Option<String>,
    /// What it is, in words: "the payload's backdoor".
    pub what: String,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// What kind of network name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    /// A domain and everything below it.
    Domain,
    /// One address.
    Ip,
    /// One URL.
    Url,
}

/// A network name to recognise.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkIndicator {
    /// What kind.
    pub kind: NetworkKind,
    /// Exact, not defanged.
    pub value: String,
    /// What it was for.
    pub what: String,
    /// A legitimate or shared host: never a finding alone.
    #[serde(default)]
    pub context_only: bool,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A running process to recognise.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessIndicator {
    /// The command line holds this text.
    pub holds: String,
    /// Base names of programs, `*` for any run of letters: others that merely name the text (an editor, `grep`) do not count.
    pub programs: Vec<String>,
    /// What it is.
    pub what: String,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// An image to recognise.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImageIndicator {
    /// `berriai/litellm` (Docker Hub), `ghcr.io/…`.
    pub repository: String,
    /// Tags that named nothing else.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Tags that move: they count only when used inside the window.
    #[serde(default)]
    pub floating_tags: Vec<String>,
    /// `sha256:` and 12 to 64 hex digits.
    #[serde(default)]
    pub digests: Vec<String>,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A value and what it is.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The value.
    pub value: String,
    /// What it is.
    pub what: String,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

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
    /// Every environment variable of the process that ran it.
    #[serde(default)]
    pub environment: bool,
    /// Kinds of credential taken by other ways (metadata service, cluster API, secret stores), by id.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The same in words, for the report.
    #[serde(default)]
    pub beyond_files: Vec<String>,
    /// Keys of `sources`.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// Files that the payload reads: each name in `names`, in each folder of `under`, down to `depth` folders below it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HarvestRule {
    /// `~` is every home, `cwd` the working directory of the process (any folder, since it is not known).
    pub under: Vec<String>,
    /// Paths relative to that folder; `*` stands for anything but `/`.
    pub names: Vec<String>,
    /// Folders below `under` that are searched: 0 is that folder only, absent without limit.
    #[serde(default)]
    pub depth: Option<u32>,
    /// Set where `depth` is not limited.
    #[serde(default)]
    pub unlimited: bool,
}

/// One step of cleaning up.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cleanup {
    /// A phase of the checklist.
    pub phase: crate::verdict::Phase,
    /// One line.
    pub title: String,
    /// The reason.
    pub why: String,
    /// What to do, in order.
    pub steps: Vec<CleanupStep>,
    /// At least this exposure, or the step is left out.
    #[serde(default)]
    pub from: Option<crate::verdict::Exposure>,
}

/// One thing to do.
#[derive(Debug, Clone, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CleanupStep {
    /// In words.
    #[serde(rename = "do")]
    pub what: String,
    /// A command that starts no interpreter of an affected environment.
    #[serde(default)]
    pub command: Option<String>,
}

/// Where sources contradict each other.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Disagreement {
    /// About what.
    pub topic: String,
    /// Who says what.
    pub claims: Vec<Claim>,
}

/// A small input and what must come of it. Paths are in a made-up tree with one home, `/home/dev`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// Files of the tree: path to text.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What must be found, as `exposure/confidence`; empty for a near miss.
    #[serde(default)]
    pub expect: Vec<String>,
}
