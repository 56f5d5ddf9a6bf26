//! How far an item of a plan is worked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far an item is. A report has none of these; a plan has one for each item that somebody touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The item's id.
    pub item: String,
    /// How far.
    #[serde(default)]
    pub state: State,
    /// Who sees to it: a person or a team.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Who did it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub done_by: String,
    /// The second person, who saw that it is done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub checked_by: String,
    /// When the last of its old secrets was revoked, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// When the first of its new secrets was issued, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Timestamp>,
    /// When the second person saw it, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<Timestamp>,
    /// Anything: a ticket, the reason why it is left.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// How far an item is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not begun.
    #[default]
    Open,
    /// Somebody has begun.
    Begun,
    /// A new secret was issued, the old one still lives.
    Issued,
    /// The old secret is revoked.
    Revoked,
    /// Done, and seen by a second person where it is about a secret.
    Closed,
    /// It is not there, or not ours; the note says why.
    NotApplicable,
    /// Left as it is; the note says who decided it.
    AcceptedRisk,
}

impl State {
    /// All, in the order in which an item goes through them.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::Begun, Self::Issued, Self::Revoked, Self::Closed, Self::NotApplicable, Self::AcceptedRisk];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Begun => "begun",
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Closed => "closed",
            Self::NotApplicable => "not_applicable",
            Self::AcceptedRisk => "accepted_risk",
        }
    }

    /// Whether nothing is left to do.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::NotApplicable | Self::AcceptedRisk)
    }
}
