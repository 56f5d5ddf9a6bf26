//! One of several machines of a report.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Target, exposure_or_none};
use crate::verdict::{Confidence, Exposure};

/// One machine of a report of several. Its findings, credentials and gaps stand among those of all, with its `tree`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// What `location.tree` says of it: no other machine of the report is called so.
    pub tree: String,
    /// The file that it was judged by.
    pub inventory: String,
    /// What was examined; `null` where the file could not be read.
    pub target: Option<Target>,
    /// When it was examined, UTC; `null` where the file does not say.
    pub examined: Option<Timestamp>,
    /// Whether the account that examined it may read everything.
    pub privileged: bool,
    /// The public name of the case key that tags of its credentials were made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_key: Option<String>,
    /// The worst, or `none`.
    #[serde(with = "exposure_or_none")]
    pub exposure: Option<Exposure>,
    /// Whether everything that should be was examined.
    pub complete: bool,
    /// The incidents that left evidence, worst first.
    pub incidents: Vec<MachineIncident>,
    /// Credentials to rotate.
    pub to_rotate: usize,
    /// What could not be examined.
    pub gaps: usize,
    /// Of all this, what is beyond the bounds of one report and listed nowhere else in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: usize,
}

/// One incident on one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineIncident {
    /// Its id.
    pub id: String,
    /// The worst of its findings.
    pub exposure: Exposure,
    /// The best confidence at that exposure.
    pub confidence: Confidence,
    /// How many there are.
    pub findings: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}
