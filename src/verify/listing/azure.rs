//! `az ad app credential list --id APP`: the secrets and certificates of one application.
//!
//! ```text
//! [{"keyId": "…", "displayName": "ci", "hint": "abc", "startDateTime": "2026-11-01T09:00:00Z", "endDateTime": "…"}]
//! ```
//!
//! `hint` is the start of the secret and is never read. The listing does not name its application.

use jiff::Timestamp;

use super::{Document, Entries, Entry, Form, id, label, text, time, until};

/// The form.
pub struct Credentials;

impl Form for Credentials {
    fn name(&self) -> &'static str {
        "azure"
    }

    fn command(&self) -> &'static str {
        "az ad app credential list"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["azure.service_principal"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        document.lists(&["keyId", "endDateTime"])
    }

    fn read(&self, document: &Document<'_>, now: Timestamp, out: &mut Entries) {
        for secret in document.objects().into_iter().flatten() {
            let Some(id) = text(secret, "keyId").and_then(id) else { continue };
            let standing = until(time(secret, "endDateTime"), now);
            let (label, created) = (label(secret, "displayName"), time(secret, "startDateTime"));
            out.push(Entry { id, label, account: None, standing, created });
        }
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the listing names secrets by ids that do not stand in the file")
    }
}
