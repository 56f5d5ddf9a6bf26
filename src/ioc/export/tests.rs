use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::ioc::{
    Database, Index,
    import::{Imported, Reading, read},
    query::Found,
};

fn database() -> Database {
    Database::embedded().unwrap()
}

fn index(incidents: Vec<Incident>, rows: Imported) -> Index {
    let mut database = database();
    database.incidents = incidents;
    let packages = rows.rows.iter().map(|(e, n, _)| (*e, crate::ecosystem::normal_name(*e, n))).collect();
    let feed = crate::ioc::rows::Rows::new("rows", rows.rows);
    let mut index = Index::new(database, &[]).with_feed(std::sync::Arc::new(feed));
    let new = index.unadmitted(&packages);
    index.admit(new);
    index
}

fn back(exported: &Exported) -> Index {
    let files = vec![("export".to_owned(), joined(&exported.records).into_bytes())];
    let mut imported = read(&files, Reading::default()).unwrap();
    let incidents = std::mem::take(&mut imported.incidents);
    index(incidents, imported)
}

/// A text for every value of every incident: what kind it is, and the text.
fn lookups(incidents: &[Incident]) -> BTreeSet<(&'static str, String)> {
    let mut all = BTreeSet::new();
    for i in incidents {
        for p in &i.packages {
            for v in p.versions.iter().filter(|v| *v != "*") {
                all.insert(("package", format!("{}:{}@{v}", p.ecosystem.purl_type(), p.name)));
                all.insert(("package", format!("{}:{}@{v}.99", p.ecosystem.purl_type(), p.name)));
            }
            all.insert(("package", format!("{}:{}", p.ecosystem.purl_type(), p.name)));
        }
        let files = i.files.iter().map(|f| [&f.sha256, &f.sha1, &f.md5]);
        let hashes = i.artifacts.iter().map(|a| [&a.sha256, &a.sha1, &a.md5]).chain(files).flatten().flatten();
        all.extend(hashes.map(|h| ("hash", h.clone())));
        for n in &i.network {
            let word = if n.value.contains("://") { "" } else { "domain:" };
            all.insert(("network", format!("{word}{}", n.value)));
        }
        all.extend(
            i.files.iter().flat_map(|f| &f.paths).map(|p| ("file", format!("file:{}", crate::ioc::pattern::base(p)))),
        );
        all.extend(
            i.actions.iter().flat_map(|a| a.tags.iter().map(|t| ("action", format!("action:{}@{t}", a.repository)))),
        );
    }
    all
}

/// The incidents that look-ups of these kinds find.
fn found(index: &Index, kinds: &[&str], all: &BTreeSet<(&'static str, String)>) -> Vec<(String, BTreeSet<String>)> {
    let name = |f: Found| index.incident(f.incident).unwrap().id.clone();
    let asked = all.iter().filter(|(kind, _)| kinds.contains(kind));
    asked.map(|(_, text)| (text.clone(), index.find(text, None).into_iter().map(name).collect())).collect()
}

fn hits(index: &Index, kinds: &[&str], all: &BTreeSet<(&'static str, String)>) -> Vec<(String, bool)> {
    found(index, kinds, all).into_iter().map(|(text, ids)| (text, !ids.is_empty())).collect()
}

/// Without what this program alone reads back.
fn without_extensions(exported: &Exported) -> Exported {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("dosimeter");
                map.remove("extensions");
                map.values_mut().for_each(strip);
            }
            Value::Array(all) => all.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let records = exported.records.iter().map(|(name, text)| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        strip(&mut value);
        (name.clone(), value.to_string())
    });
    Exported { records: records.collect(), dropped: BTreeMap::new() }
}

#[test]
fn export_then_import_gives_the_same_index() {
    let incidents = database().incidents;
    let wanted: Vec<&Incident> = incidents.iter().collect();
    let all = lookups(&incidents);
    let before = index(incidents.clone(), Imported::default());
    let kinds = ["package", "hash", "network", "file", "action"];
    let expected = found(&before, &kinds, &all);
    assert!(expected.iter().filter(|(_, ids)| !ids.is_empty()).count() > 2000);
    for exported in [osv(&wanted).unwrap(), stix(&wanted).unwrap()] {
        assert_eq!(found(&back(&exported), &kinds, &all), expected);
    }
    let table = back(&csv(&wanted).unwrap());
    assert_eq!(
        hits(&table, &["package", "hash", "network"], &all),
        hits(&before, &["package", "hash", "network"], &all)
    );
}

#[test]
fn other_programs_records_hold_the_values_too() {
    let incidents: Vec<Incident> = database().incidents.into_iter().filter(|i| i.id.contains("litellm")).collect();
    let wanted: Vec<&Incident> = incidents.iter().collect();
    let all = lookups(&incidents);
    let before = index(incidents.clone(), Imported::default());
    let osv = back(&without_extensions(&osv(&wanted).unwrap()));
    assert_eq!(hits(&osv, &["package", "network"], &all), hits(&before, &["package", "network"], &all));
    let stix = back(&without_extensions(&stix(&wanted).unwrap()));
    assert_eq!(hits(&stix, &["hash", "network"], &all), hits(&before, &["hash", "network"], &all));
}

#[test]
fn records_are_of_the_shape_that_their_readers_check() {
    let incidents = database().incidents;
    let exported = osv(&incidents.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(exported.records.len(), incidents.len());
    for (name, text) in &exported.records {
        let record: Value = serde_json::from_str(text).unwrap();
        let id = record["id"].as_str().unwrap();
        assert!(id.starts_with("x_") && *name == format!("{id}.json"));
        assert!(record["modified"].as_str().unwrap().ends_with("T00:00:00Z"), "{id}");
        for one in record["affected"].as_array().unwrap() {
            let ecosystem = one["package"]["ecosystem"].as_str().unwrap();
            assert!(!["openvsx", "oci", "rpm", "generic"].contains(&ecosystem), "{id}");
        }
    }
    assert!(exported.dropped.keys().any(|k| k.starts_with("packages of openvsx")));
    let twice = |wanted: &[&Incident]| (stix(wanted).unwrap().records, stix(wanted).unwrap().records);
    let (one, two) = twice(&incidents.iter().take(3).collect::<Vec<_>>());
    assert_eq!(one, two);
}

#[test]
fn what_is_withdrawn_or_context_is_not_offered() {
    let text = r#"{"schema":"dosimeter.incident/1","id":"x","title":"x","date":"2026-01-01","summary":"","sources":{},
        "network":[{"kind":"domain","value":"shared.example","what":"","context_only":true,"sources":[]},
                   {"kind":"domain","value":"gone.example","what":"","standing":{"withdrawn":{"on":"2026-01-02","why":"x"}},"sources":[]},
                   {"kind":"domain","value":"evil.example","what":"","sources":[]}],
        "examples":[],"near_misses":[]}"#;
    let incident: Incident = serde_json::from_str(text).unwrap();
    for exported in [osv(&[&incident]).unwrap(), stix(&[&incident]).unwrap()] {
        let text = without_extensions(&exported).records.remove(0).1;
        assert!(text.contains("evil.example") && !text.contains("shared.example") && !text.contains("gone.example"));
    }
    let table = csv(&[&incident]).unwrap().records.remove(0).1;
    assert_eq!(table, "artifact_type,ecosystem,name,version,incident\ndomain,,evil.example,,x\n");
}
