//! What there is to do beyond what the findings themselves say.

use serde::{Deserialize, Serialize};

use crate::verdict::{Exposure, Phase};

/// One step of cleaning up.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cleanup {
    /// A phase of the checklist.
    pub phase: Phase,
    /// One line.
    pub title: String,
    /// The reason.
    pub why: String,
    /// What to do, in order.
    pub steps: Vec<CleanupStep>,
    /// At least this exposure, or the step is left out.
    #[serde(default)]
    pub from: Option<Exposure>,
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
    /// What it shows where all is well.
    #[serde(default)]
    pub expect: Option<String>,
    /// By what the command was checked. Without it the plan says that nobody did, but for commands of a POSIX system's own tools.
    #[serde(default)]
    pub checked: Option<String>,
}
