//! STIX 2.1 bundles: indicators whose pattern names plain values. Revoked ones are left out.
//!
//! `valid_from` counts where it lies before the object was made: most tools set it to that moment, which says nothing of when
//! the value was in use, and an examination looks at the past.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Context, Imported,
    draft::Draft,
    json::{field, items, texts, time},
    observable::{self, Comparison},
};
use crate::{
    ioc::model::{Incident, Standing},
    verdict::Confidence,
};

/// Every object of a bundle.
pub fn bundle(value: &Value, context: Context<'_>, out: &mut Imported) -> Result<(), String> {
    let objects = items(value, "objects")?;
    let mut ours = BTreeSet::new();
    for (n, object) in objects.iter().enumerate() {
        let Some(own) = own_incident(object) else { continue };
        let incident: Incident = serde_json::from_value(own.clone()).map_err(|e| format!("objects[{n}]: {e}"))?;
        out.took("incidents", 1);
        out.incidents.push(incident);
        ours.extend(texts(object, "object_refs")?);
        out.dated(time(object, "modified"));
    }
    let mut draft = Draft::of_file(context, "STIX bundle");
    for (n, object) in objects.iter().enumerate() {
        let id = field(object, "id")?.unwrap_or_default();
        match object.get("type").and_then(Value::as_str) {
            Some("indicator") if !ours.contains(id) => {
                indicator(object, &mut draft, out).map_err(|what| format!("objects[{n}]: {what}"))?;
            }
            Some("file" | "domain-name" | "ipv4-addr" | "ipv6-addr" | "url" | "software" | "observed-data") => {
                out.leave("something observed, not an indicator", id);
            }
            _ => {}
        }
    }
    draft.finish(out);
    Ok(())
}

/// The incident that a report of this program's own export carries.
fn own_incident(object: &Value) -> Option<&Value> {
    let extensions = object.get("extensions")?.as_object()?;
    extensions.values().find_map(|e| e.get("dosimeter_incident"))
}

/// An indicator that stands in no bundle.
pub fn alone(value: &Value, context: Context<'_>, out: &mut Imported) -> Result<(), String> {
    let mut draft = Draft::of_file(context, "STIX indicators");
    indicator(value, &mut draft, out)?;
    draft.finish(out);
    Ok(())
}

fn indicator(object: &Value, draft: &mut Draft, out: &mut Imported) -> Result<(), String> {
    let name = field(object, "name")?.or(field(object, "id")?).unwrap_or_default();
    let pattern = field(object, "pattern")?.ok_or("an indicator without `pattern`")?;
    if object.get("revoked") == Some(&Value::Bool(true)) {
        out.leave("revoked by its publisher", name);
        return Ok(());
    }
    if texts(object, "indicator_types")?.contains(&"benign") {
        out.leave("marked benign", name);
        return Ok(());
    }
    let language = field(object, "pattern_type")?.unwrap_or("stix");
    if language != "stix" {
        out.leave(format!("a pattern in `{}`", language.chars().take(20).collect::<String>()), name);
        return Ok(());
    }
    out.dated(time(object, "modified"));
    let created = time(object, "created");
    draft.standing = Standing {
        confidence: match object.get("confidence").and_then(Value::as_u64) {
            Some(..30) => Some(Confidence::Possible),
            Some(..70) => Some(Confidence::Likely),
            _ => None,
        },
        valid_from: time(object, "valid_from").filter(|from| created.is_some_and(|made| *from < made)),
        until: time(object, "valid_until"),
        withdrawn: None,
    };
    draft.what = super::draft::line(name, 200);
    match observable::parse(pattern) {
        Some(any) => any.iter().for_each(|together| values(together, draft, out)),
        None => out.leave("a pattern that says more than values joined by AND and OR", pattern),
    }
    Ok(())
}

/// Comparisons that hold together: one file by several of its properties, or one value.
fn values(together: &[Comparison], draft: &mut Draft, out: &mut Imported) {
    let hashes: Vec<&str> =
        together.iter().filter(|(path, _)| is_hash_path(path)).map(|(_, value)| value.as_str()).collect();
    let name = together.iter().find(|(path, _)| path == "file:name").map(|(_, value)| value.as_str());
    let of_file = together.iter().all(|(path, _)| is_hash_path(path) || path == "file:name");
    match together {
        _ if of_file && !hashes.is_empty() => draft.hashes(out, &hashes, name),
        [(path, value)] => match path.as_str() {
            "file:name" => draft.file_name(out, value),
            "domain-name:value" | "ipv4-addr:value" | "ipv6-addr:value" => draft.host(out, value, false),
            "url:value" => draft.url(out, value, false),
            _ => out.leave(format!("`{}` is not examined", path.chars().take(60).collect::<String>()), value),
        },
        _ if together.iter().any(|(path, _)| path.starts_with("software:")) => {
            out.leave("a package without its ecosystem (`software`)", &shown(together));
        }
        _ => out.leave("values of several objects that must hold together", &shown(together)),
    }
}

fn is_hash_path(path: &str) -> bool {
    let name = path.strip_prefix("file:hashes.").map(|n| n.to_ascii_uppercase().replace('-', ""));
    name.is_some_and(|n| ["SHA256", "SHA512", "SHA1", "MD5"].contains(&n.as_str()))
}

fn shown(together: &[Comparison]) -> String {
    together.iter().map(|(p, v)| format!("{p} = '{v}'")).collect::<Vec<_>>().join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, read};
    use super::*;

    fn imported(objects: &str) -> Imported {
        let text = format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{objects}]}}"#);
        read(&[("feed.json".to_owned(), text.into_bytes())], Reading::default()).unwrap()
    }

    fn indicator(pattern: &str, more: &str) -> String {
        let pattern = serde_json::to_string(pattern).unwrap();
        format!(
            r#"{{"type":"indicator","id":"indicator--1","name":"n","pattern":{pattern},"pattern_type":"stix",
               "created":"2026-03-30T00:00:00Z","modified":"2026-04-01T00:00:00Z"{more}}}"#
        )
    }

    #[test]
    fn plain_values_are_taken() {
        let sha = "ab".repeat(32);
        let i = imported(
            &[
                indicator(&format!("[file:hashes.'SHA-256' = '{sha}' AND file:name = 'evil.js']"), ""),
                indicator("[domain-name:value = 'evil.example'] OR [ipv4-addr:value = '203.0.113.9']", ""),
                indicator(
                    "[url:value = 'https://evil.example/x']",
                    r#","valid_from":"2026-03-01T00:00:00Z","valid_until":"2026-05-01T00:00:00Z""#,
                ),
                indicator("[file:name = 'evil_init.pth']", r#","valid_from":"2026-03-30T00:00:00Z""#),
            ]
            .join(","),
        );
        let incident = &i.incidents[0];
        assert_eq!(incident.artifacts[0].sha256.as_ref(), Some(&sha));
        assert_eq!(incident.artifacts[0].name, "evil.js");
        assert_eq!(incident.network.len(), 3);
        assert_eq!(incident.network[2].standing.valid_from.unwrap().to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(incident.network[2].standing.until.unwrap().to_string(), "2026-05-01T00:00:00Z");
        assert_eq!(incident.files[0].paths, ["any:evil_init.pth"]);
        assert_eq!(incident.files[0].standing.valid_from, None);
        assert_eq!(i.newest.unwrap().to_string(), "2026-04-01T00:00:00Z");
        assert!(i.left.is_empty());
    }

    #[test]
    fn revoked_richer_and_foreign_patterns_are_left() {
        let i = imported(
            &[
                indicator("[domain-name:value = 'evil.example']", r#","revoked":true"#),
                indicator("[domain-name:value LIKE '%evil%']", ""),
                indicator("[domain-name:value = 'a.example' AND file:name = 'evil.js']", ""),
                indicator("[software:name = 'evil' AND software:version = '1']", ""),
                indicator("[file:name = 'index.js']", ""),
                indicator("rule x {}", r#","pattern_type":"yara""#).replace(r#""pattern_type":"stix","#, ""),
                r#"{"type":"domain-name","id":"domain-name--1","value":"seen.example"}"#.to_owned(),
            ]
            .join(","),
        );
        assert!(i.is_empty(), "{i:?}");
        assert_eq!(i.left.values().map(|l| l.count).sum::<usize>(), 7, "{:?}", i.left);
    }
}
