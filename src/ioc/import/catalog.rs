//! Exposure catalogs as bumblebee and its relatives have them: `{"schema_version", "entries": [{"id", "name", "ecosystem",
//! "package", "versions", "source"}]}`. What stands under `indicators` is for people and has no fixed shape.

use serde_json::Value;

use super::{
    Context, Imported,
    draft::row,
    json::{field, items, texts},
    osv::words,
    version,
};

/// Whether a document is a catalog.
pub fn is_one(value: &Value) -> bool {
    let first = value.get("entries").and_then(Value::as_array).and_then(|e| e.first());
    first.is_some_and(|e| e.get("package").is_some() && e.get("ecosystem").is_some())
}

/// Every entry of a catalog.
pub fn document(value: &Value, _: Context<'_>, out: &mut Imported) -> Result<(), String> {
    for (n, entry) in items(value, "entries")?.iter().enumerate() {
        entry_of(entry, out).map_err(|what| format!("entries[{n}]: {what}"))?;
    }
    if value.get("_indicators").is_some() {
        out.leave("`_indicators` of a catalog: texts for people", "read them, and give what is one with `--ioc`");
    }
    Ok(())
}

fn entry_of(entry: &Value, out: &mut Imported) -> Result<(), String> {
    let name = field(entry, "package")?.ok_or("no `package`")?;
    let ecosystem = field(entry, "ecosystem")?.ok_or("no `ecosystem`")?;
    let id = field(entry, "id")?.unwrap_or(name);
    let mut versions = Vec::new();
    for text in texts(entry, "versions")? {
        match version::cell(text) {
            Some(some) => versions.extend(some),
            None => out.leave("words where a version belongs", &format!("{name} {text}")),
        }
    }
    let Some(ecosystems) = words(ecosystem) else {
        out.leave(format!("the ecosystem `{}` is not examined", ecosystem.chars().take(40).collect::<String>()), name);
        return Ok(());
    };
    if versions.is_empty() {
        out.leave("a package without a version", name);
    }
    ecosystems.iter().for_each(|e| row(out, *e, name, versions.clone(), id));
    if entry.get("indicators").is_some() {
        out.leave("`indicators` of an entry: texts for people", id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, read};

    #[test]
    fn entries_are_taken_and_broken_names_are_not() {
        let text = r#"{"schema_version":"0.2.0","_indicators":{"x":"y"},"entries":[
            {"id":"a","name":"A","ecosystem":"npm","package":"@evil/a","versions":["1.0.0","any"],"severity":"critical"},
            {"id":"b","ecosystem":"npm","package":"@@evil/b","versions":["1.0.0"]},
            {"id":"c","ecosystem":"editor-extension","package":"evil.c","versions":["1.0.0"]},
            {"id":"d","ecosystem":"npm","package":"d","versions":["all before 2"]}]}"#;
        let i = read(&[("x".to_owned(), text.into())], Reading::default()).unwrap();
        let rows: Vec<String> =
            i.rows.iter().map(|(e, n, r)| format!("{}/{n}@{}", e.purl_type(), r.versions.join(" "))).collect();
        assert_eq!(rows, ["npm/@evil/a@*", "vscode/evil.c@1.0.0", "openvsx/evil.c@1.0.0"]);
        assert_eq!(i.left["not a name of npm"].example, "@@evil/b");
        assert_eq!(i.left["words where a version belongs"].count, 1);
        let broken = r#"{"entries":[{"ecosystem":"npm","package":7}]}"#;
        let error = read(&[("x".to_owned(), broken.into())], Reading::default()).unwrap_err().to_string();
        assert!(error.starts_with("x: entries[0]: "), "{error}");
    }
}
