//! The audit log of an organisation or enterprise on GitHub: the export as JSON or CSV, the REST API, the export of git events.
//!
//! ```text
//! [{"@timestamp": 1762000000000, "action": "git.clone", "actor": "al", "hashed_token": "base64 of SHA-256",
//!   "programmatic_access_type": "SSH key"}]
//! ```
//!
//! Of an SSH key the hash is that of its fingerprint. Of a token it is one of the token itself, which no report holds: it would
//! link reports of one token without a key. `echo -n TOKEN | openssl dgst -sha256 -binary | base64` makes it where it is needed.

use serde_json::Value;

use super::{Event, Log, text, time};

/// The log.
pub struct Audit;

impl Log for Audit {
    fn name(&self) -> &'static str {
        "github"
    }

    fn title(&self) -> &'static str {
        "GitHub audit log"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["ssh.user_private_key", "github.pat", "github.oauth_cli", "git.credential_store", "aitool.copilot"]
    }

    fn fits(&self, record: &Value) -> bool {
        let timed = record.get("@timestamp").is_some() || record.get("created_at").is_some();
        timed && record.get("action").is_some_and(Value::is_string) && record.get("entity_type").is_none()
    }

    fn event(&self, record: &Value) -> Option<Event> {
        let at = time(record, "/@timestamp").or_else(|| time(record, "/created_at"))?;
        let by = text(record, "/hashed_token").map(|hash| format!("SHA256:{}", hash.trim_end_matches('=')));
        let account = text(record, "/org").or_else(|| text(record, "/business")).map(str::to_owned);
        Some(Event { at, by, account, ..Event::default() })
    }
}
