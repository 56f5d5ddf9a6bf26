//! `kubectl get secret,serviceaccount -o json`, of a namespace or of all.
//!
//! ```text
//! {"kind": "List", "items": [{"kind": "Secret", "type": "kubernetes.io/service-account-token",
//!   "metadata": {"name": "n", "namespace": "ns", "uid": "…", "creationTimestamp": "…"}, "data": {…}}]}
//! ```
//!
//! Of a secret's `data` nothing is read. Only names, times and uids are.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, Entries, Entry, Form, Standing, id, text, time};

/// The form.
pub struct Objects;

impl Form for Objects {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn command(&self) -> &'static str {
        "kubectl get secret,serviceaccount -o json"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["k8s.service_account_token", "k8s.cluster_secrets", "k8s.kubeconfig_token"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        let mut all = objects(document).peekable();
        match all.peek() {
            None => document.json().is_some_and(is_empty_list),
            Some(_) => all.all(|o| is_known(o) && o.get("metadata").is_some()),
        }
    }

    fn read(&self, document: &Document<'_>, _: Timestamp, out: &mut Entries) {
        let token = document.json().and_then(|d| d.get("metadata")).and_then(|m| text(m, "continue"));
        if token.is_some() {
            out.is_cut("it is one page of several");
        }
        for object in objects(document) {
            let Some(metadata) = object.get("metadata") else { continue };
            let Some(name) = text(metadata, "name").and_then(id) else { continue };
            let kind = text(object, "kind").unwrap_or("object").to_ascii_lowercase();
            let account = text(metadata, "namespace").map(|n| format!("namespace {n}"));
            let created = time(metadata, "creationTimestamp");
            out.push(Entry { id: format!("{kind} {name}"), label: None, account, standing: Standing::Active, created });
        }
    }

    fn nameless(&self) -> Option<&'static str> {
        Some("a token's file does not say which object it was made for")
    }
}

fn is_known(object: &Value) -> bool {
    matches!(text(object, "kind"), Some("Secret" | "ServiceAccount"))
}

fn is_empty_list(page: &Value) -> bool {
    let listed = matches!(text(page, "kind"), Some("List" | "SecretList" | "ServiceAccountList"));
    listed && page.get("items").and_then(Value::as_array).is_some_and(Vec::is_empty)
}

/// The objects of a list, or the one that it is.
fn objects<'d>(document: &Document<'d>) -> impl Iterator<Item = &'d Value> {
    let json = document.json();
    let items = json.and_then(|d| d.get("items")).and_then(Value::as_array);
    let single = json.filter(|d| items.is_none() && is_known(d));
    items.into_iter().flatten().chain(single)
}
