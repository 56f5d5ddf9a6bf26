//! `GET /v1/organization/projects/PROJECT/api_keys` and `…/admin_api_keys` of OpenAI's administration API.
//!
//! ```text
//! {"object": "list", "data": [{"object": "organization.project.api_key", "id": "key_…", "name": "ci", "created_at": 1762000000,
//!   "redacted_value": "sk-…", "owner": {…}}], "has_more": false}
//! ```
//!
//! Keys that were deleted are not listed. The redacted value holds parts of the key and is never read.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, Standing, id, label, text, time};

/// The form.
pub struct Keys;

impl Form for Keys {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn command(&self) -> &'static str {
        "GET /v1/organization/projects/PROJECT/api_keys"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["llm.openai", "aitool.codex"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        let is_key = |key: &Value| text(key, "object").is_some_and(|o| o.ends_with("api_key"));
        let page = document.json().is_some_and(|d| text(d, "object") == Some("list") && d.get("has_more").is_some());
        data(document).is_some_and(|list| if list.is_empty() { page } else { list.iter().all(is_key) })
    }

    fn read(&self, document: &Document<'_>, _: Timestamp, out: &mut Entries) {
        if document.json().and_then(|d| d.get("has_more")).is_some_and(|more| more.as_bool() != Some(false)) {
            out.is_cut("it is one page of several");
        }
        for key in data(document).into_iter().flatten() {
            let Some(id) = text(key, "id").and_then(id) else { continue };
            let created = time(key, "created_at");
            out.push(Entry { id, label: label(key, "name"), account: None, standing: Standing::Active, created });
        }
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the listing names keys by ids that do not stand in the file")
    }
}

fn data<'d>(document: &Document<'d>) -> Option<&'d Vec<Value>> {
    document.json()?.get("data")?.as_array()
}
