//! `aws iam list-access-keys`: one user's keys. Several users' outputs may stand in one file, one after the other.
//!
//! ```text
//! {"AccessKeyMetadata": [{"UserName": "ci", "AccessKeyId": "AKIA…", "Status": "Active", "CreateDate": "2026-11-01T09:00:00+00:00"}]}
//! IsTruncated, Marker, NextToken     there is another page
//! ```
//!
//! `get-access-key-last-used` is known too, and does not name the key that it is about. Documented in the IAM API reference,
//! `ListAccessKeys`. A key that was made inactive can be made active again: delete it.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, Standing, id, text, time};

/// The form.
pub struct Keys;

impl Form for Keys {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn command(&self) -> &'static str {
        "aws iam list-access-keys"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["aws.access_key"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        let has = |field| document.json().and_then(|d| d.get(field)).is_some();
        document.json().and_then(|d| d.get("AccessKeyMetadata")).is_some_and(Value::is_array)
            || has("AccessKeyLastUsed")
    }

    fn read(&self, document: &Document<'_>, _: Timestamp, out: &mut Entries) {
        let Some(page) = document.json() else { return };
        if page.get("AccessKeyLastUsed").is_some() {
            return out.is_cut("`get-access-key-last-used` does not name the key that it is about");
        }
        let more = page.get("IsTruncated").is_some_and(|t| t.as_bool() != Some(false));
        if more
            || page.get("NextToken").is_some_and(|t| !t.is_null())
            || page.get("Marker").is_some_and(|t| !t.is_null())
        {
            out.is_cut("it is one page of several");
        }
        for key in page.get("AccessKeyMetadata").and_then(Value::as_array).into_iter().flatten() {
            let Some(id) = text(key, "AccessKeyId").and_then(id) else { continue };
            let standing = match text(key, "Status") {
                Some(status) if status.eq_ignore_ascii_case("active") => Standing::Active,
                Some(_) => Standing::Ended { how: "inactive, and not deleted", at: None },
                None => Standing::Active,
            };
            let account = text(key, "UserName").map(|user| format!("user {user}"));
            out.push(Entry { id, label: None, account, standing, created: time(key, "CreateDate") });
        }
    }
}
