//! Audit events of GitLab: `glab api /audit_events`, of a group or project too.
//!
//! ```text
//! [{"id": 1, "author_id": 7, "entity_id": 2, "entity_type": "Project", "details": {"author_name": "al"}, "created_at": "…"}]
//! ```
//!
//! They name people and what they changed, not the token that was used.

use serde_json::Value;

use super::{Event, Log, time};

/// The log.
pub struct Audit;

impl Log for Audit {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn title(&self) -> &'static str {
        "GitLab audit events"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["gitlab.tokens", "git.credential_store"]
    }

    fn fits(&self, record: &Value) -> bool {
        ["author_id", "entity_type", "created_at"].iter().all(|field| record.get(*field).is_some())
    }

    fn event(&self, record: &Value) -> Option<Event> {
        Some(Event { at: time(record, "/created_at")?, ..Event::default() })
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the log names people, not the token that was used")
    }
}
