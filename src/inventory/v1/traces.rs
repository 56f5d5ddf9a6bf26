//! What is used by a reference, and what an attack leaves in texts, in own types.

use serde::{Deserialize, Serialize};

use super::fact::{value, word};
use crate::fact::{self, Held, Logged, TraceKind, Usage, UseKind};

/// Something that is used by a reference.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Use {
    /// `action`, `image`, `extension`.
    pub kind: String,
    /// As written.
    pub name: String,
    /// A tag, a branch, a version, or empty.
    pub reference: String,
    /// `sha256:…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// `named`, `recorded`, `fetched`, `logged-…`.
    pub usage: String,
}

/// What an attack leaves in a text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trace {
    /// `url`, `host`, `string`, `repository`, `branch`, `commit`, `author`, `message`, `workflow`.
    pub kind: String,
    /// The value.
    pub value: String,
    /// `named`, `fetched`, `run`, `starts`, `in-project`.
    pub held: String,
}

const USAGES: [(Usage, &str); 9] = [
    (Usage::Named, "named"),
    (Usage::Recorded, "recorded"),
    (Usage::Fetched, "fetched"),
    (Usage::Typed, "typed"),
    (Usage::Logged(Logged::Resolved), "logged-resolved"),
    (Usage::Logged(Logged::Downloaded), "logged-downloaded"),
    (Usage::Logged(Logged::Blocked), "logged-blocked"),
    (Usage::Logged(Logged::Installed), "logged-installed"),
    (Usage::Logged(Logged::Ran), "logged-ran"),
];
const HELD: [(Held, &str); 8] = [
    (Held::Stored, "stored"),
    (Held::Named, "named"),
    (Held::Taken, "taken"),
    (Held::Installed, "installed"),
    (Held::Fetched, "fetched"),
    (Held::Run, "run"),
    (Held::Starts, "starts"),
    (Held::InProject, "in-project"),
];

impl From<&fact::Use> for Use {
    fn from(u: &fact::Use) -> Self {
        Self {
            kind: u.kind.as_str().to_owned(),
            name: u.name.to_string(),
            reference: u.reference.to_string(),
            digest: u.digest.as_deref().map(str::to_owned),
            usage: word(&USAGES, u.usage),
        }
    }
}

impl Use {
    /// `None` where a word of it is not known.
    pub fn read(self) -> Option<fact::Use> {
        Some(fact::Use {
            kind: UseKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind)?,
            name: self.name.into(),
            reference: self.reference.into(),
            digest: self.digest.map(Into::into),
            usage: value(&USAGES, &self.usage)?,
        })
    }
}

impl From<&fact::Trace> for Trace {
    fn from(t: &fact::Trace) -> Self {
        Self { kind: t.kind.as_str().to_owned(), value: t.value.to_string(), held: word(&HELD, t.held) }
    }
}

impl Trace {
    /// `None` where a word of it is not known.
    pub fn read(self) -> Option<fact::Trace> {
        let kind = TraceKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind)?;
        Some(fact::Trace { kind, value: self.value.into(), held: value(&HELD, &self.held)? })
    }
}
