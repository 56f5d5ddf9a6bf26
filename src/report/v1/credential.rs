//! A credential that was found, and how far each incident reached it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Location;
use crate::verdict::{Confidence, Reach, Urgency};

/// A credential. No field can hold its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// `c-` and 16 hex digits.
    pub id: String,
    /// `aws.access_key`.
    pub kind: String,
    /// `aws`.
    pub provider: String,
    /// Where.
    pub location: Location,
    /// Name of the account that owns the file, or its number.
    pub owner: Option<String>,
    /// Number of that account.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Its public identifier, where the kind declares one.
    pub identifier: Option<String>,
    /// What else may be said: "passphrase-protected", names of variables.
    pub note: Option<String>,
    /// The keyed tag of its value: 26 characters; absent without `--case-key`, and for passwords and short values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// UTC.
    pub modified: Option<Timestamp>,
    /// The worst of `reach_by`.
    pub reach: Reach,
    /// How sure the worst reach is; `null` where nothing reached anything.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// By incident.
    pub reach_by: Vec<ReachBy>,
    /// When to rotate.
    pub rotate: Urgency,
    /// Why.
    pub reason: String,
}

/// Reach by one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReachBy {
    /// Its id.
    pub incident: String,
    /// How far.
    pub reach: Reach,
    /// How sure.
    pub confidence: Confidence,
    /// The line of the harvest list, or the rule, that says so.
    pub rule: String,
    /// When to rotate because of it; `null` in reports of early versions.
    #[serde(default)]
    pub rotate: Option<Urgency>,
}
