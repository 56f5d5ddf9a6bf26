//! A STIX 2.1 bundle: an indicator a value, and a report an incident, which carries the whole incident in an extension. Ids are
//! made of what they name (UUIDv5), so that the same incidents give the same bundle.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Exported, live, moment, whole};
use crate::{
    ecosystem::is_range,
    ioc::{
        model::{FileRole, Incident, NetworkKind, Standing},
        pattern,
    },
};

/// Of this program's ids.
const SPACE: Uuid = Uuid::from_u128(0x6f0d_5c41_9a3e_5f7b_8d26_41c0_77ae_92d5);
/// When the identity and the extension were defined.
const DEFINED: &str = "2026-11-25T00:00:00.000Z";

const NOT_SAID: &str = "a STIX pattern cannot say them, they stand in the extension of the report";

fn id(kind: &str, name: &str) -> String {
    format!("{kind}--{}", Uuid::new_v5(&SPACE, format!("{kind}\0{name}").as_bytes()))
}

/// The bundle.
///
/// # Errors
/// Where a value cannot be said in JSON.
pub fn stix(incidents: &[&Incident]) -> Result<Exported, serde_json::Error> {
    let mut out = Exported::default();
    let identity = id("identity", "dosimeter");
    let extension = id("extension-definition", "incident/1");
    let mut objects = vec![
        json!({
            "type": "identity", "spec_version": "2.1", "id": identity, "created": DEFINED, "modified": DEFINED,
            "name": "dosimeter", "identity_class": "system",
        }),
        json!({
            "type": "extension-definition", "spec_version": "2.1", "id": extension, "created_by_ref": identity,
            "created": DEFINED, "modified": DEFINED, "name": "dosimeter incident",
            "description": "The incident file that a report was made of",
            "schema": "iocs/schema/incident.schema.json", "version": "1.0.0",
            "extension_types": ["property-extension"],
        }),
    ];
    for incident in incidents {
        let first = objects.len();
        indicators(incident, &identity, &mut objects, &mut out);
        let mut refs: Vec<Value> = objects.iter().skip(first).filter_map(|o| o.get("id").cloned()).collect();
        if refs.is_empty() {
            refs.push(json!(identity));
        }
        let made = milliseconds(&moment(incident));
        let references: Vec<Value> = incident
            .sources
            .values()
            .map(|s| match &s.url {
                Some(url) => json!({"source_name": s.title, "url": url}),
                None => json!({"source_name": s.title, "description": s.relayed}),
            })
            .collect();
        objects.push(json!({
            "type": "report", "spec_version": "2.1", "id": id("report", &incident.id), "created_by_ref": identity,
            "created": made, "modified": made, "published": made, "name": incident.title,
            "description": incident.summary, "report_types": ["campaign"], "object_refs": refs,
            "external_references": references,
            "extensions": {
                extension.as_str(): {"extension_type": "property-extension", "dosimeter_incident": whole(incident)?},
            },
        }));
    }
    let names: Vec<&str> = incidents.iter().map(|i| i.id.as_str()).collect();
    let bundle = json!({"type": "bundle", "id": id("bundle", &names.join("\0")), "objects": objects});
    out.records.push(("indicators.stix.json".to_owned(), format!("{}\n", crate::text::json::pretty(&bundle)?)));
    Ok(out)
}

/// An indicator a value that a pattern can say.
fn indicators(i: &Incident, identity: &str, objects: &mut Vec<Value>, out: &mut Exported) {
    let made = milliseconds(&moment(i));
    let mut met = std::collections::BTreeSet::new();
    let mut put = |name: String, what: &str, pattern: String, standing: &Standing| {
        let own = id("indicator", &format!("{}\0{pattern}\0{name}", i.id));
        if !met.insert(own.clone()) {
            return;
        }
        let from = standing.valid_from.map_or_else(|| made.clone(), |t| milliseconds(&t.to_string()));
        let mut indicator = json!({
            "type": "indicator", "spec_version": "2.1", "id": own, "created_by_ref": identity, "created": made,
            "modified": made, "name": name, "description": if what.is_empty() { &i.title } else { what },
            "indicator_types": ["malicious-activity"], "pattern": pattern, "pattern_type": "stix",
            "pattern_version": "2.1", "valid_from": from,
        });
        if let (Some(until), Some(indicator)) = (standing.until, indicator.as_object_mut()) {
            indicator.insert("valid_until".to_owned(), json!(milliseconds(&until.to_string())));
        }
        objects.push(indicator);
    };
    for p in i.packages.iter().filter(|p| live(&p.standing)) {
        for v in &p.versions {
            if v == "*" || is_range(v) {
                out.cannot(&format!("packages in every version or a range: {NOT_SAID}"), 1);
                continue;
            }
            let pattern = format!("[software:name = {} AND software:version = {}]", quoted(&p.name), quoted(v));
            put(format!("{}/{}@{v}", p.ecosystem.purl_type(), p.name), &p.runs, pattern, &p.standing);
        }
    }
    for a in i.artifacts.iter().filter(|a| live(&a.standing)) {
        for hash in hashes([&a.sha256, &a.sha1, &a.md5, &a.sha512]) {
            put(a.name.clone(), "a file of the incident", format!("[{hash}]"), &a.standing);
        }
    }
    for f in i.files.iter().filter(|f| live(&f.standing)) {
        for hash in hashes([&f.sha256, &f.sha1, &f.md5, &None]) {
            put(f.what.clone(), &f.what, format!("[{hash}]"), &f.standing);
        }
        let alone = !matches!(f.role, FileRole::Module | FileRole::Companion) && f.holds.is_empty();
        for path in &f.paths {
            let name = pattern::base(path);
            if !alone || name.contains('*') || pattern::COMMON.contains(&name) {
                out.cannot(&format!("file patterns: {NOT_SAID}"), 1);
                continue;
            }
            put(path.clone(), &f.what, format!("[file:name = {}]", quoted(name)), &f.standing);
        }
    }
    for n in i.network.iter().filter(|n| live(&n.standing) && !n.context_only) {
        let object = match n.kind {
            NetworkKind::Domain => "domain-name",
            NetworkKind::Ip if n.value.contains(':') => "ipv6-addr",
            NetworkKind::Ip => "ipv4-addr",
            NetworkKind::Url => "url",
        };
        put(n.value.clone(), &n.what, format!("[{object}:value = {}]", quoted(&n.value)), &n.standing);
    }
    for (what, count) in [
        ("processes", i.processes.len()),
        ("images", i.images.len()),
        ("actions", i.actions.len()),
        ("strings", i.strings.len()),
        ("traces in git", i.git.len()),
        ("Kubernetes objects", i.kubernetes.len()),
    ] {
        out.cannot(&format!("{what}: {NOT_SAID}"), count);
    }
}

/// STIX wants them in every time.
fn milliseconds(time: &str) -> String {
    let seconds = time.split(['.', 'Z']).next().unwrap_or(time);
    format!("{seconds}.000Z")
}

fn hashes(of: [&Option<String>; 4]) -> Vec<String> {
    let names = ["'SHA-256'", "'SHA-1'", "MD5", "'SHA-512'"].into_iter();
    names.zip(of).filter_map(|(name, hash)| Some(format!("file:hashes.{name} = {}", quoted(hash.as_ref()?)))).collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
