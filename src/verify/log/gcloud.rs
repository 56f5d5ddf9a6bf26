//! Cloud Audit Logs of Google Cloud: `gcloud logging read … --format=json`.
//!
//! ```text
//! [{"timestamp": "…", "logName": "…", "protoPayload": {"methodName": "…", "resourceName": "…", "status": {"code": 7},
//!   "authenticationInfo": {"principalEmail": "…", "serviceAccountKeyName": "//iam.googleapis.com/projects/…/keys/0123…"}}}]
//! ```
//!
//! Code 16 says that the credential was not accepted; 7 that it was, and the request was not. Documented as `AuditLog`.

use serde_json::{Map, Value};

use super::{Event, Log, text, time};

/// The log.
pub struct Audit;

impl Log for Audit {
    fn name(&self) -> &'static str {
        "gcloud"
    }

    fn title(&self) -> &'static str {
        "Cloud Audit Logs"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["gcp.service_account_key"]
    }

    fn fits(&self, record: &Value) -> bool {
        record.pointer("/protoPayload/methodName").is_some() && record.get("timestamp").is_some()
    }

    fn holds(&self, list: &str, _: &Map<String, Value>) -> bool {
        list == "entries"
    }

    fn event(&self, record: &Value) -> Option<Event> {
        let key = |name: &str| name.rsplit_once("/keys/").map(|(_, key)| key.to_owned());
        let at = time(record, "/timestamp")?;
        let by = text(record, "/protoPayload/authenticationInfo/serviceAccountKeyName").and_then(key);
        let code = record.pointer("/protoPayload/status/code").and_then(Value::as_i64).unwrap_or(0);
        let method = text(record, "/protoPayload/methodName").unwrap_or_default();
        let how = match method.rsplit('.').next() {
            Some("DeleteServiceAccountKey") => Some(Some("deleted")),
            Some("DisableServiceAccountKey") => Some(Some("disabled")),
            Some("EnableServiceAccountKey") => Some(None),
            _ => None,
        };
        let target = text(record, "/protoPayload/resourceName").filter(|_| code == 0).and_then(key);
        let account = text(record, "/resource/labels/project_id").map(str::to_owned);
        Some(Event {
            at,
            by,
            refused: code == 16,
            changes: target.zip(how),
            manages: method.ends_with("ServiceAccountKey"),
            account,
            part: None,
        })
    }
}
