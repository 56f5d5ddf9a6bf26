//! JSON of any kind: one document, an array, or one after the other (NDJSON). Records are taken one by one, so that a feed of a
//! hundred megabytes is never in memory as a whole.

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::Value;

use super::{
    Context, Fault, Imported, catalog, misp, osv, stix,
    value::{self, Within},
};
use crate::text::start;

/// Every record of a text.
pub fn read(text: &str, context: Context<'_>, out: &mut Imported) -> Result<(), Fault> {
    let mut state = State { context, out, known: 0, unknown: None, stopped: false };
    let mut json = serde_json::Deserializer::from_str(text);
    while !state.stopped && json.end().is_err() {
        if let Err(e) = Records(&mut state).deserialize(&mut json) {
            state.out.goes_on()?;
            let early = if e.is_eof() { "it ends too early: " } else { "" };
            return Err(Fault::Broken(format!("{early}{e}")));
        }
    }
    let State { known, unknown, .. } = state;
    if known == 0 {
        return Err(Fault::Unknown);
    }
    if let Some((count, example)) = unknown {
        (0..count).for_each(|_| out.leave("a record of no known kind", &example));
    }
    Ok(())
}

struct State<'s> {
    context: Context<'s>,
    out: &'s mut Imported,
    known: usize,
    unknown: Option<(usize, String)>,
    /// The first records are of no known kind, and so will be the others.
    stopped: bool,
}

impl State<'_> {
    fn add(&mut self, value: &Value) -> Result<(), String> {
        // The caller asks again, and says it in full.
        self.out.goes_on().map_err(|_| String::new())?;
        if record(value, self.context, self.out)? {
            self.known += 1;
            return Ok(());
        }
        let (count, _) = self.unknown.get_or_insert_with(|| (0, start(&value.to_string(), 120).to_owned()));
        *count += 1;
        self.stopped = self.known == 0;
        Ok(())
    }
}

/// Whether a record is of a known kind; then it was taken.
fn record(value: &Value, context: Context<'_>, out: &mut Imported) -> Result<bool, String> {
    let has = |key: &str| value.get(key).is_some();
    let kind = value.get("type").and_then(Value::as_str);
    if kind == Some("bundle") && has("objects") {
        stix::bundle(value, context, out)?;
    } else if kind == Some("indicator") && has("pattern") {
        stix::alone(value, context, out)?;
    } else if has("Event") || has("response") {
        misp::document(value, context, out)?;
    } else if catalog::is_one(value) {
        catalog::document(value, context, out)?;
    } else if has("id") && (has("affected") || has("modified") && has("schema_version")) {
        osv::record(value, context, out)?;
    } else if has("id") && has("ecosystem") && has("name") && has("malicious") {
        osv::flat(value, out)?;
    } else if let Some(records) = value.get("vulns").and_then(Value::as_array) {
        for record in records {
            osv::record(record, context, out)?;
        }
    } else {
        return Ok(false);
    }
    Ok(true)
}

struct Records<'r, 's>(&'r mut State<'s>);

impl<'de> DeserializeSeed<'de> for Records<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Records<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        while !self.0.stopped {
            let mut budget = value::MOST;
            match records.next_element_seed(Within(&mut budget))? {
                Some(value) => self.0.add(&value).map_err(A::Error::custom)?,
                None => return Ok(()),
            }
        }
        while records.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut budget = value::MOST;
        let value = Within(&mut budget).deserialize(MapAccessDeserializer::new(map))?;
        self.0.add(&value).map_err(A::Error::custom)
    }
}

/// The text of a field, `None` where it is absent or `null`.
pub fn field<'v>(value: &'v Value, key: &str) -> Result<Option<&'v str>, String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is not a text")),
    }
}

/// The items of a field, none where it is absent or `null`.
pub fn items<'v>(value: &'v Value, key: &str) -> Result<&'v [Value], String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("`{key}` is not a list")),
    }
}

/// The texts of a field.
pub fn texts<'v>(value: &'v Value, key: &str) -> Result<Vec<&'v str>, String> {
    let text = |item: &'v Value| item.as_str().ok_or_else(|| format!("`{key}` holds something that is no text"));
    items(value, key)?.iter().map(text).collect()
}

/// A time; `None` where it is absent or no time.
pub fn time(value: &Value, key: &str) -> Option<jiff::Timestamp> {
    value.get(key)?.as_str()?.parse().ok()
}
