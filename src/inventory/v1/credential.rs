//! Secrets, by everything but their value.

use serde::{Deserialize, Serialize};

use crate::fact;

/// That a secret stood there; never its value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Id of the kind.
    pub kind: String,
    /// Its public identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// What else may be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The variable that leads to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_by: Option<String>,
    /// The keyed tag of its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl From<&fact::Credential> for Credential {
    fn from(c: &fact::Credential) -> Self {
        Self {
            kind: c.kind.to_string(),
            identifier: c.identifier.clone(),
            note: c.note.clone(),
            named_by: c.named_by.as_deref().map(str::to_owned),
            tag: c.tag.clone(),
        }
    }
}

impl Credential {
    /// What the program works with. A tag that has not the form of one is left out.
    pub fn read(self) -> fact::Credential {
        fact::Credential {
            kind: self.kind.into(),
            identifier: self.identifier,
            note: self.note,
            named_by: self.named_by.map(Into::into),
            tag: self.tag.filter(|tag| crate::credential::tag::is_tag(tag)),
        }
    }
}
