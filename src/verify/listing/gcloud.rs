//! `gcloud iam service-accounts keys list --iam-account=EMAIL --format=json`.
//!
//! ```text
//! [{"name": "projects/P/serviceAccounts/EMAIL/keys/0123…", "keyType": "USER_MANAGED", "validAfterTime": "…",
//!   "validBeforeTime": "9999-12-31T23:59:59Z", "disabled": true}]
//! ```
//!
//! The name of each key holds the account, as the key's own file does. Keys that Google makes for itself (`SYSTEM_MANAGED`) are
//! passed over. Documented as `ServiceAccountKey` of the IAM API.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, Standing, id, text, time, until};

/// The form.
pub struct Keys;

impl Form for Keys {
    fn name(&self) -> &'static str {
        "gcloud"
    }

    fn command(&self) -> &'static str {
        "gcloud iam service-accounts keys list --format=json"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["gcp.service_account_key"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        document.lists(&["name", "validAfterTime"])
            && document.objects().is_some_and(|list| list.iter().all(|key| parts(key).is_some()))
    }

    fn read(&self, document: &Document<'_>, now: Timestamp, out: &mut Entries) {
        for key in document.objects().into_iter().flatten() {
            let (Some((account, own)), Some(false)) =
                (parts(key), Some(text(key, "keyType") == Some("SYSTEM_MANAGED")))
            else {
                continue;
            };
            let Some(id) = id(own) else { continue };
            let standing = match key.get("disabled").and_then(Value::as_bool) {
                Some(true) => Standing::Ended { how: "disabled, and not deleted", at: None },
                _ => until(time(key, "validBeforeTime"), now),
            };
            let created = time(key, "validAfterTime");
            out.push(Entry { id, label: None, account: Some(account.to_owned()), standing, created });
        }
    }
}

/// The account and the key of a name.
fn parts(key: &Value) -> Option<(&str, &str)> {
    let (_, rest) = text(key, "name")?.split_once("/serviceAccounts/")?;
    rest.split_once("/keys/")
}
