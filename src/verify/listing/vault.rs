//! `vault token lookup -format=json -accessor ACCESSOR`: one token, by its accessor.
//!
//! ```text
//! {"request_id": "…", "data": {"accessor": "…", "creation_time": 1762000000, "expire_time": "…", "display_name": "ldap-al"}}
//! ```
//!
//! A token that was revoked has no lookup: the command fails with 403.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, id, label, text, time, until};

/// The form.
pub struct Lookup;

impl Form for Lookup {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn command(&self) -> &'static str {
        "vault token lookup -format=json -accessor"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["vault.token"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        data(document).is_some_and(|data| data.get("accessor").is_some() && data.get("creation_time").is_some())
    }

    fn read(&self, document: &Document<'_>, now: Timestamp, out: &mut Entries) {
        let Some(data) = data(document) else { return };
        let Some(id) = text(data, "accessor").and_then(id) else { return };
        let standing = until(time(data, "expire_time"), now);
        out.push(Entry {
            id,
            label: label(data, "display_name"),
            account: None,
            standing,
            created: time(data, "creation_time"),
        });
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("a token's file does not hold its accessor")
    }
}

fn data<'d>(document: &Document<'d>) -> Option<&'d Value> {
    document.json()?.get("data")
}
