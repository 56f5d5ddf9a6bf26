//! `npm token list --json`: the tokens of the account that is logged in.
//!
//! ```text
//! [{"key": "…", "token": "npm_ab", "created": "2026-11-01T09:00:00.000Z", "readonly": false, "cidr_whitelist": null}]
//! ```
//!
//! `key` (`id` in newer versions) is what `npm token revoke` takes; it is made from the token in a way that nobody documents.
//! `token` is its start, which is never read. Tokens that were revoked are not listed.

use jiff::Timestamp;

use super::{Document, Entries, Entry, Form, id, label, text, time, until};

/// The form.
pub struct Tokens;

impl Form for Tokens {
    fn name(&self) -> &'static str {
        "npm"
    }

    fn command(&self) -> &'static str {
        "npm token list --json"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["npm.token"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        let named = document.lists(&["key"]) || document.lists(&["id"]);
        named && document.lists(&["token", "created"])
    }

    fn read(&self, document: &Document<'_>, now: Timestamp, out: &mut Entries) {
        for token in document.objects().into_iter().flatten() {
            let Some(id) = text(token, "key").or_else(|| text(token, "id")).and_then(id) else { continue };
            let standing = until(time(token, "expires").or_else(|| time(token, "expiry")), now);
            let created = time(token, "created");
            out.push(Entry { id, label: label(token, "name"), account: None, standing, created });
        }
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the listing names tokens by ids that do not stand in the file")
    }
}
