//! The shape of `iocs/incidents/*.json`. `iocs/README.md` says the same in words, `iocs/schema/incident.schema.json` for machines.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::verdict::Confidence;

mod beyond;
mod cleanup;
mod harvest;
mod indicator;
mod trigger;

pub use self::{
    beyond::{Beyond, Way},
    cleanup::{Cleanup, CleanupStep},
    harvest::{Completeness, Harvest, HarvestRule},
    indicator::{
        ActionIndicator, ArtifactIndicator, FileIndicator, FileRole, GitIndicator, GitKind, ImageIndicator, NameWeight,
        Named, NetworkIndicator, NetworkKind, PackageIndicator, PackageList, ProcessIndicator, Standing,
        StringIndicator, Withdrawn,
    },
    trigger::{Moment, Trigger},
};

/// One compromise: when it was open, how to recognise it, what it takes, how to clean up.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
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
    /// When the malicious artefacts were available, one per artefact.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// Malicious package versions.
    #[serde(default)]
    pub packages: Vec<PackageIndicator>,
    /// The companion file `<id>.csv` beside this one: what its rows have in common.
    #[serde(default)]
    pub package_list: Option<PackageList>,
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
    /// GitHub Actions.
    #[serde(default)]
    pub actions: Vec<ActionIndicator>,
    /// Texts of the payload.
    #[serde(default)]
    pub strings: Vec<StringIndicator>,
    /// Objects in a Kubernetes cluster.
    #[serde(default)]
    pub kubernetes: Vec<Named>,
    /// Commits, branches, repositories, accounts.
    #[serde(default)]
    pub git: Vec<GitIndicator>,
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
    /// Values that were published as indicators and are none: no file of the database may list them.
    #[serde(default)]
    pub not_indicators: Vec<Named>,
    /// Inputs that must give exactly these exposures.
    pub examples: Vec<Example>,
    /// Inputs that must give none.
    pub near_misses: Vec<Example>,
    /// Where it was read: `built in`, a file, `--ioc`.
    #[serde(skip)]
    pub origin: Arc<str>,
}

impl Incident {
    /// As an incident file, one item per line.
    ///
    /// # Errors
    /// Where a value cannot be said in JSON.
    pub fn to_text(&self) -> serde_json::Result<String> {
        crate::text::json::indented(self, " ")
    }

    /// The most that a hit on a value may claim: what its standing says, and `likely` where every source was relayed.
    pub fn ceiling(&self, standing: &Standing, sources: &[String]) -> Confidence {
        let relayed = |key: &String| self.sources.get(key).is_some_and(|s| s.url.is_none());
        match standing.confidence {
            Some(confidence) => confidence,
            None if !sources.is_empty() && sources.iter().all(relayed) => Confidence::Likely,
            None => Confidence::Confirmed,
        }
    }
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

/// When one artefact was available. UTC.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// `litellm 1.82.7`, in words.
    pub artifact: String,
    /// What it is a window of: `pypi/litellm@1.82.7`, `npm/foo`. Empty: everything of the incident.
    #[serde(default)]
    pub covers: Vec<String>,
    /// First moment.
    pub start: Timestamp,
    /// The widest published end: this one counts. `null` where nobody published one.
    pub end: Option<Timestamp>,
    /// Other published ends and starts.
    #[serde(default)]
    pub published: Vec<Claim>,
    /// Keys of `sources`.
    pub sources: Vec<String>,
}

/// How long an artefact is taken to have been had where nobody published an end.
const ASSUMED: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Window {
    /// The last moment that counts: the published end, or a week after the start.
    pub fn last(&self) -> Timestamp {
        self.end.unwrap_or_else(|| self.start.saturating_add(ASSUMED).unwrap_or(self.start))
    }

    /// Whether a moment is inside.
    pub fn holds(&self, time: Timestamp) -> bool {
        (self.start..=self.last()).contains(&time)
    }

    /// "2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z"
    pub fn span(&self) -> String {
        match self.end {
            Some(end) => format!("{} to {end}", self.start),
            None => format!("from {}, end not published: a week is assumed", self.start),
        }
    }
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
    /// What somebody would type at `iocs search` or after `--ioc`: in an example each is found, in a near miss none.
    #[serde(default)]
    pub lookups: Vec<String>,
    /// When the action or moving tag of `lookups` was used.
    #[serde(default)]
    pub at: Option<Timestamp>,
}
