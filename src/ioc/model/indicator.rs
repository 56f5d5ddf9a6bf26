//! The things to recognise, one kind a list of the incident.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::Trigger;
use crate::{fact::Ecosystem, verdict::Confidence};

/// How far one value may be trusted, and for how long. Absent: as far as its sources go, for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The most that a hit may claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// Evidence from before this moment is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Evidence from after this moment is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Found to be wrong: kept, so that old findings can be explained, and never matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawn>,
}

impl Standing {
    /// Says nothing beyond the sources.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether evidence of this time counts. A time that is not known counts.
    pub fn covers(&self, at: Option<Timestamp>) -> bool {
        self.withdrawn.is_none()
            && at.is_none_or(|at| self.valid_from.is_none_or(|from| at >= from) && self.until.is_none_or(|to| at <= to))
    }
}

/// Why a value is no indicator any more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The day.
    pub on: Date,
    /// The reason.
    pub why: String,
}

/// Malicious versions of one package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PackageIndicator {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// As the registry spells it.
    pub name: String,
    /// Exact versions, ranges (`>=1.2,<1.4`, in the ecosystem's own order), or `*`: every version.
    pub versions: Vec<String>,
    /// When the code in them runs.
    pub triggers: Vec<Trigger>,
    /// What runs, in words.
    pub runs: String,
    /// Versions known to be good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safe: Vec<String>,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// What the rows of the companion list have in common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PackageList {
    /// How many packages the list has.
    pub packages: usize,
    /// How many versions.
    pub versions: usize,
    /// When the code in them runs.
    pub triggers: Vec<Trigger>,
    /// What runs, in words.
    pub runs: String,
    /// How far they may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A downloadable file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactIndicator {
    /// File name.
    pub name: String,
    /// Hex, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Hex, lower case: what lock files and caches of npm say of an archive, as `integrity` in base64; no examination computes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha512: Option<String>,
    /// Hex, lower case: for looking up only, no examination computes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// Hex, lower case: for looking up only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// In bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// What it means to find a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRole {
    /// Start-up code in a site folder, distinctive by its name.
    Hook,
    /// A file of the package that carries the payload under a name that others use too: counts by hash, never by name.
    Module,
    /// A file of the package whose name nobody else uses: counts by name too.
    Payload,
    /// A name others use too: counts only in a folder that holds one of the incident's hooks.
    Companion,
    /// Put into repositories by the incident: it runs when the folder is opened, or the workflow is started. It travels with a
    /// clone, so it does not show that anything ran here.
    Planted,
    /// A lasting foothold that the payload dropped when it ran.
    Persistence,
    /// Left behind by the payload when it ran: lock files, staging archives.
    Trace,
}

/// When the place of a file speaks without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameWeight {
    /// Nobody else has a file of this name there.
    Distinctive,
    /// Others may have such a file, but no native program.
    Program,
}

/// A file to recognise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileIndicator {
    /// What a hit means.
    pub role: FileRole,
    /// Where: `~/…` below any home, `/…` from the root, `site:…` below a site folder, `any:…` below any folder. `*` stands for
    /// anything but `/`.
    pub paths: Vec<String>,
    /// Hex, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Hex, lower case: for looking up only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// Hex, lower case: for looking up only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// In bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The file counts only when it holds one of these (or has the hash): for names that others use too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<String>,
    /// Where the bytes are not the known ones and no text is asked for: what makes the name more than a possibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<NameWeight>,
    /// The package whose files these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// What it is, in words: "the payload's backdoor".
    pub what: String,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
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
    /// One URL and everything that it begins.
    Url,
}

/// A network name to recognise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkIndicator {
    /// What kind.
    pub kind: NetworkKind,
    /// Exact, not defanged.
    pub value: String,
    /// What it was for.
    pub what: String,
    /// A legitimate or shared host: never a finding alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_only: bool,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A running process to recognise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessIndicator {
    /// The command line holds this text.
    pub holds: String,
    /// Base names of programs, `*` for any run of letters: others that merely name the text (an editor, `grep`) do not count.
    pub programs: Vec<String>,
    /// What it is.
    pub what: String,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// An image to recognise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImageIndicator {
    /// `berriai/litellm` (Docker Hub), `ghcr.io/…`.
    pub repository: String,
    /// Tags that named nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Tags that move: they count only when used inside the window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub floating_tags: Vec<String>,
    /// `sha256:` and 12 to 64 hex digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A GitHub Action to recognise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ActionIndicator {
    /// `tj-actions/changed-files`; compared without regard to case.
    pub repository: String,
    /// Tags and branches that named nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Tags and branches that were moved and later moved back: judged with the time they were used. `*` is every tag.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved_tags: Vec<String>,
    /// Tags that were never moved: `moved_tags` of `*` leaves them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safe: Vec<String>,
    /// Malicious commits: exact, 40 hex digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<String>,
    /// When the tags were moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When they were moved back; absent where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What runs, in words.
    pub runs: String,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A text of the payload, for looking up and for searching everything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StringIndicator {
    /// Exact.
    pub value: String,
    /// Where it stands.
    pub what: String,
    /// Others use it too: never a finding alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_only: bool,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// What kind of trace in git or on a forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GitKind {
    /// A commit id, whole or cut.
    Commit,
    /// A branch name.
    Branch,
    /// A repository: `owner/name`, or a name that the payload gives.
    Repository,
    /// The description of a repository.
    Description,
    /// A commit message.
    Message,
    /// Author name or address of a commit.
    Author,
    /// A workflow file.
    Workflow,
    /// An account of a forge or registry.
    Account,
    /// A pull request, an issue, a release.
    Event,
}

/// A trace in git or on a forge.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GitIndicator {
    /// What kind.
    pub kind: GitKind,
    /// The value.
    pub value: String,
    /// What it is.
    pub what: String,
    /// Others have it too: never a finding alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_only: bool,
    /// How far it may be trusted.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// A value and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The value.
    pub value: String,
    /// What it is.
    pub what: String,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}
