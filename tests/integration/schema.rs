//! The published schemas and the program's own types say the same, and every file fits.

use std::{collections::BTreeSet, fs};

use dosimeter::ioc::{database::Header, model::Incident};
use serde_json::{Map, Value, json};

fn incident_schema() -> Value {
    serde_json::from_str(include_str!("../../iocs/schema/incident.schema.json")).unwrap()
}

fn database_schema() -> Value {
    serde_json::from_str(include_str!("../../iocs/schema/database.schema.json")).unwrap()
}

fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let schema = jsonschema::validator_for(schema).unwrap();
    schema.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path)).collect()
}

#[test]
fn incidents_fit_their_schema() {
    let schema = jsonschema::validator_for(&incident_schema()).unwrap();
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/iocs/incidents")).unwrap();
    let files: Vec<_> =
        files.map(|f| f.unwrap().path()).filter(|f| f.extension().is_some_and(|e| e == "json")).collect();
    assert!(files.len() > 100);
    for path in files {
        let incident: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let faults: Vec<String> = schema.iter_errors(&incident).map(|e| format!("{}: {e}", e.instance_path)).collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
    }
    let withdrawn = serde_json::from_str(include_str!("../../iocs/schema/withdrawn.schema.json")).unwrap();
    let list = serde_json::from_str(include_str!("../../iocs/withdrawn.json")).unwrap();
    assert_eq!(faults(&withdrawn, &list), [""; 0]);
    let header = serde_json::from_str(include_str!("../../iocs/database.json")).unwrap();
    assert_eq!(faults(&database_schema(), &header), [""; 0]);
}

/// A value that uses every property of a schema, with the place of each closed object (pointer, its properties) and of each
/// closed set (pointer, its values).
struct Maximal<'s> {
    schema: &'s Value,
    objects: Vec<(String, BTreeSet<String>)>,
    sets: Vec<(String, BTreeSet<String>)>,
}

impl Maximal<'_> {
    fn value(&mut self, node: &Value, at: &str) -> Value {
        if let Some(name) = node["$ref"].as_str() {
            let target = self.schema.pointer(name.trim_start_matches('#')).unwrap().clone();
            return self.value(&target, at);
        }
        if let Some(any) = node["anyOf"].as_array() {
            return self.value(&any[1], at);
        }
        if let Some(values) = node["enum"].as_array() {
            self.sets.push((at.to_owned(), values.iter().map(|v| v.as_str().unwrap().to_owned()).collect()));
            return values[0].clone();
        }
        if !node["const"].is_null() {
            return node["const"].clone();
        }
        match node["type"].as_str().unwrap() {
            "boolean" => json!(true),
            "integer" => json!(1),
            "string" => json!(text(node)),
            "array" => {
                let values = node["items"]["enum"].as_array();
                let first = self.value(&node["items"], &format!("{at}/0"));
                let least = usize::try_from(node["minItems"].as_u64().unwrap_or(1)).unwrap();
                match values {
                    Some(all) => json!(all),
                    None => json!(vec![first; least.max(1)]),
                }
            }
            _ => self.object(node, at),
        }
    }

    fn object(&mut self, node: &Value, at: &str) -> Value {
        let Some(properties) = node["properties"].as_object() else {
            let item = self.value(&node["additionalProperties"], &format!("{at}/~1key"));
            return json!({ "/key": item });
        };
        assert_eq!(node["additionalProperties"], json!(false), "{at} takes anything");
        self.objects.push((at.to_owned(), properties.keys().cloned().collect()));
        // Of alternatives, the first.
        let others = node["oneOf"].as_array().into_iter().flatten().skip(1);
        let left_out: Vec<&Value> = others.flat_map(|o| o["required"].as_array().unwrap()).collect();
        let mut all = Map::new();
        for (name, property) in properties.iter().filter(|(name, _)| !left_out.contains(&&json!(name))) {
            all.insert(name.clone(), self.value(property, &format!("{at}/{name}")));
        }
        Value::Object(all)
    }
}

/// A text that a schema allows.
fn text(node: &Value) -> String {
    let pattern = node["pattern"].as_str().unwrap_or_default();
    match (node["format"].as_str(), pattern) {
        (Some("date"), _) => "2026-01-02".to_owned(),
        (Some("date-time"), _) => "2026-01-02T03:04:05Z".to_owned(),
        (_, "") => "something long".to_owned(),
        (_, "^[0-9a-f]{128}$") => "0a".repeat(64),
        (_, "^[0-9a-f]{64}$") => "0a".repeat(32),
        (_, "^[0-9a-f]{40}$") => "0a".repeat(20),
        (_, "^[0-9a-f]{32}$") => "0a".repeat(16),
        (_, p) if p.starts_with("^sha256:") => format!("sha256:{}", "0a".repeat(32)),
        (_, p) if p.starts_with("^(referenced|") => "installed/confirmed".to_owned(),
        (_, p) if p.starts_with("^https://") => "https://report.example/1".to_owned(),
        (_, p) if p.starts_with("^(~") => "~/made-up".to_owned(),
        (_, "^/.") => "/made/up".to_owned(),
        (_, p) if p.starts_with("^[^/") => "made/up".to_owned(),
        (_, p) if p.starts_with("^[a-z0-9]") => "made-up-2026-01".to_owned(),
        (_, p) => panic!("no text known for the pattern {p}"),
    }
}

/// The names that a parser says it expects: everything in backticks behind "expected".
fn expected(error: &str) -> BTreeSet<String> {
    let list = error.split_once("expected").unwrap_or_else(|| panic!("{error}")).1;
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Puts a value at a place; a field that nobody knows where the place ends with `?`.
fn with(value: &Value, at: &str, new: Value) -> Value {
    let mut value = value.clone();
    match at.strip_suffix('?') {
        Some(at) => {
            value.pointer_mut(at).unwrap().as_object_mut().unwrap().insert("nobody_knows".to_owned(), new);
        }
        None => *value.pointer_mut(at).unwrap() = new,
    }
    value
}

/// Every field and every value of a closed set is known to the schema and to the type, and nothing else is.
fn agree<T: serde::de::DeserializeOwned>(schema: &Value, free: &[&str]) -> (usize, usize) {
    let mut maximal = Maximal { schema, objects: Vec::new(), sets: Vec::new() };
    let value = maximal.value(schema, "");
    assert_eq!(faults(schema, &value), [""; 0]);
    serde_json::from_value::<T>(value.clone()).unwrap_or_else(|e| panic!("{e}: {value:#}"));
    let parse = |v: Value| serde_json::from_value::<T>(v).err().map(|e| e.to_string());
    for (at, fields) in &maximal.objects {
        let more = with(&value, &format!("{at}?"), json!(1));
        assert!(!faults(schema, &more).is_empty(), "the schema takes any field at {at}");
        let error = parse(more).unwrap_or_else(|| panic!("the program takes any field at {at}"));
        assert_eq!(&expected(&error), fields, "{at}");
    }
    for (at, values) in maximal.sets.iter().filter(|(at, _)| !free.contains(&at.as_str())) {
        let more = with(&value, at, json!("nobody_knows"));
        assert!(!faults(schema, &more).is_empty(), "the schema takes any value at {at}");
        let error = parse(more).unwrap_or_else(|| panic!("the program takes any value at {at}"));
        assert_eq!(&expected(&error), values, "{at}");
    }
    (maximal.objects.len(), maximal.sets.len())
}

#[test]
fn schema_and_program_know_the_same_fields_and_values() {
    // A text in the program, checked by `iocs check`.
    let (objects, sets) = agree::<Incident>(&incident_schema(), &["/attribution/confidence"]);
    assert!(objects > 25 && sets > 10, "{objects} {sets}");
    assert_eq!(agree::<Header>(&database_schema(), &[]), (1, 0));
}
