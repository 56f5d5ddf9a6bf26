//! `GET /v1/organizations/api_keys` of Anthropic's Admin API.
//!
//! ```text
//! {"data": [{"type": "api_key", "id": "apikey_…", "name": "ci", "status": "active", "created_at": "…", "partial_key_hint": "…"}],
//!  "has_more": false}
//! ```
//!
//! `status` is `active`, `inactive`, `archived` or `expired`. The hint is the start and end of the key and is never read.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, Standing, id, label, text, time};

/// The form.
pub struct Keys;

impl Form for Keys {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn command(&self) -> &'static str {
        "GET /v1/organizations/api_keys"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["llm.anthropic", "aitool.claude_code"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        // An empty page has no `object` beside it, as those of others have.
        let page = document.json().is_some_and(|d| d.get("has_more").is_some() && d.get("object").is_none());
        data(document).is_some_and(|list| match list.is_empty() {
            true => page,
            false => list.iter().all(|key| text(key, "type") == Some("api_key")),
        })
    }

    fn read(&self, document: &Document<'_>, _: Timestamp, out: &mut Entries) {
        if document.json().and_then(|d| d.get("has_more")).is_some_and(|more| more.as_bool() != Some(false)) {
            out.is_cut("it is one page of several");
        }
        for key in data(document).into_iter().flatten() {
            let Some(id) = text(key, "id").and_then(id) else { continue };
            let standing = match text(key, "status") {
                Some("inactive") => Standing::Ended { how: "inactive", at: None },
                Some("archived") => Standing::Ended { how: "archived", at: None },
                Some("expired") => Standing::Ended { how: "expired", at: time(key, "expires_at") },
                _ => Standing::Active,
            };
            let account = text(key, "workspace_id").map(|w| format!("workspace {w}"));
            out.push(Entry { id, label: label(key, "name"), account, standing, created: time(key, "created_at") });
        }
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the listing names keys by ids that do not stand in the file")
    }
}

fn data<'d>(document: &Document<'d>) -> Option<&'d Vec<Value>> {
    document.json()?.get("data")?.as_array()
}
