//! The audit log of a Kubernetes API server: JSON lines of `audit.k8s.io`, or a list of them.
//!
//! ```text
//! {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "requestReceivedTimestamp": "…",
//!  "user": {"username": "admin", "extra": {"authentication.kubernetes.io/credential-id": ["X509SHA256=<64 hex digits>"]}},
//!  "responseStatus": {"code": 200}}
//! {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [{"auditID": "…", "stage": "…", …}]}
//! ```
//!
//! Newer servers name the credential: `X509SHA256=` and the SHA-256 of a client certificate, `JTI=` and the `jti` of a service
//! account's token. Older ones name the user alone, who keeps the name with a new credential: an event without the field shows nothing of
//! any credential. A request that was not authenticated (401) names no user. Documented in the reference of `audit.k8s.io/v1`.

use serde_json::{Map, Value};

use super::{Event, Log, text, time};

/// The field.
const CREDENTIAL: &str = "/user/extra/authentication.kubernetes.io~1credential-id";

/// The log.
pub struct Audit;

impl Log for Audit {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn title(&self) -> &'static str {
        "Kubernetes audit log"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["k8s.kubeconfig_client_cert", "k8s.kubeconfig_token", "k8s.service_account_token", "k8s.control_plane_files"]
    }

    fn fits(&self, record: &Value) -> bool {
        // In a list the elements need not say their version.
        let listed = ["auditID", "stage", "requestReceivedTimestamp"].iter().all(|field| record.get(*field).is_some());
        listed || text(record, "/apiVersion").is_some_and(is_version)
    }

    fn holds(&self, list: &str, around: &Map<String, Value>) -> bool {
        list == "items" && around.get("apiVersion").and_then(Value::as_str).is_some_and(is_version)
    }

    fn event(&self, record: &Value) -> Option<Event> {
        let at = time(record, "/requestReceivedTimestamp").or_else(|| time(record, "/stageTimestamp"))?;
        let by = record.pointer(CREDENTIAL).and_then(|list| list.get(0)).and_then(Value::as_str).map(str::to_owned);
        Some(Event { at, by, ..Event::default() })
    }

    fn unnamed(&self) -> Option<&'static str> {
        Some(
            "the log names users and no credentials, as older servers write it, and who was given a new one keeps the name",
        )
    }
}

fn is_version(version: &str) -> bool {
    version.starts_with("audit.k8s.io/")
}
