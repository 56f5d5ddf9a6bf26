//! `gh api /orgs/ORG/personal-access-tokens`: fine-grained tokens that may reach an organisation.
//!
//! ```text
//! [{"id": 25381, "owner": {"login": "al"}, "token_id": 98716, "token_name": "ci", "token_expired": false,
//!   "token_expires_at": "…", "token_last_used_at": null, "access_granted_at": "2026-11-01T09:00:00Z"}]
//! ```
//!
//! Documented in the REST reference of GitHub. Classic tokens are in no listing.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, Standing, label, text, time, until};

/// The form.
pub struct Tokens;

impl Form for Tokens {
    fn name(&self) -> &'static str {
        "github"
    }

    fn command(&self) -> &'static str {
        "gh api /orgs/ORG/personal-access-tokens"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["github.pat", "github.oauth_cli", "git.credential_store", "aitool.copilot"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        document.lists(&["owner", "token_id", "token_expired"])
    }

    fn read(&self, document: &Document<'_>, now: Timestamp, out: &mut Entries) {
        for token in document.objects().into_iter().flatten() {
            let Some(id) = token.get("token_id").and_then(Value::as_u64) else { continue };
            let ends = time(token, "token_expires_at");
            let standing = match token.get("token_expired").and_then(Value::as_bool) {
                Some(true) => Standing::Ended { how: "expired", at: ends },
                _ => until(ends, now),
            };
            let account = token.get("owner").and_then(|o| text(o, "login")).map(str::to_owned);
            let (label, created) = (label(token, "token_name"), time(token, "access_granted_at"));
            out.push(Entry { id: format!("token {id}"), label, account, standing, created });
        }
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the listing names tokens by numbers that do not stand in the file, and lists no classic ones")
    }
}
