//! The audit log of a Kubernetes API server: JSON lines of `audit.k8s.io`.
//!
//! ```text
//! {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "requestReceivedTimestamp": "…",
//!  "user": {"username": "admin"}, "responseStatus": {"code": 200}}
//! ```
//!
//! It names users, not credentials: one who was given a new certificate or token keeps the name.

use serde_json::Value;

use super::{Event, Log, time};

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
        super::text(record, "/apiVersion").is_some_and(|version| version.starts_with("audit.k8s.io/"))
    }

    fn event<'v>(&self, record: &'v Value) -> Option<Event<'v>> {
        let at = time(record, "/requestReceivedTimestamp").or_else(|| time(record, "/stageTimestamp"))?;
        Some(Event { at, ..Event::default() })
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("the log names users, and one who was given a new credential keeps the name")
    }
}
