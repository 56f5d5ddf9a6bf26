//! `glab api /personal_access_tokens`, and those of projects and groups.
//!
//! ```text
//! [{"id": 42, "name": "ci", "revoked": false, "active": true, "created_at": "…", "expires_at": "2027-01-01", "user_id": 7,
//!   "last_used_at": "…", "scopes": ["api"]}]
//! ```
//!
//! Documented in the REST reference of GitLab.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, Standing, label, time};

/// The form.
pub struct Tokens;

impl Form for Tokens {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn command(&self) -> &'static str {
        "glab api /personal_access_tokens"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["gitlab.tokens", "git.credential_store"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        document.lists(&["id", "revoked", "scopes"])
    }

    fn read(&self, document: &Document<'_>, _: Timestamp, out: &mut Entries) {
        for token in document.objects().into_iter().flatten() {
            let Some(id) = token.get("id").and_then(Value::as_u64) else { continue };
            let flag = |field: &str| token.get(field).and_then(Value::as_bool);
            let standing = match (flag("revoked"), flag("active")) {
                (Some(true), _) => Standing::Ended { how: "revoked", at: None },
                (_, Some(false)) => Standing::Ended { how: "not active", at: None },
                _ => Standing::Active,
            };
            let account = token.get("user_id").and_then(Value::as_u64).map(|user| format!("user {user}"));
            let (label, created) = (label(token, "name"), time(token, "created_at"));
            out.push(Entry { id: format!("token {id}"), label, account, standing, created });
        }
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the listing names tokens by numbers that do not stand in the file")
    }
}
