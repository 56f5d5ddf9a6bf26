//! This program's own incident files, with their lists.

use serde::Deserialize;

use super::{ImportError, Imported};
use crate::ioc::database;

/// Bytes of an incident file, without its list; the largest has a hundredth of it.
const LARGEST: usize = 16 << 20;

/// What distinguishes an incident file from others.
#[derive(Deserialize)]
struct Probe {
    schema: String,
    date: Option<jiff::civil::Date>,
    package_list: Option<serde::de::IgnoredAny>,
}

fn probe(bytes: &[u8]) -> Option<Probe> {
    if bytes.len() > LARGEST || !bytes.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let probe: Probe = serde_json::from_slice(bytes).ok()?;
    probe.schema.starts_with("dosimeter.incident/").then_some(probe)
}

/// Whether a file is an incident.
pub fn is_one(bytes: &[u8]) -> bool {
    probe(bytes).is_some()
}

/// The name of the list that belongs to an incident file; `None` where it is none or has none.
pub fn list_of(file: &str, bytes: &[u8]) -> Option<String> {
    probe(bytes)?.package_list?;
    Some(beside(file))
}

fn beside(file: &str) -> String {
    format!("{}.csv", file.strip_suffix(".json").unwrap_or(file))
}

/// One incident file; its list is looked for among `files`.
///
/// # Errors
/// Where it is broken.
pub fn read(file: &str, text: &str, files: &[(String, Vec<u8>)]) -> Result<Imported, ImportError> {
    let list = beside(file);
    let own_name = if file.ends_with(".json") { file.to_owned() } else { format!("{file}.json") };
    let mut own = vec![(own_name.as_str(), text)];
    own.extend(
        files
            .iter()
            .find(|(name, _)| *name == list)
            .and_then(|(n, b)| Some((n.as_str(), std::str::from_utf8(b).ok()?))),
    );
    // The error names the file itself; so does the one this becomes.
    let prefix = format!("{own_name}: ");
    let incidents = database::incidents(&own, file).map_err(|e| {
        let what = e.to_string();
        ImportError::Broken { file: file.to_owned(), what: what.strip_prefix(&prefix).unwrap_or(&what).to_owned() }
    })?;
    let mut imported = Imported { incidents, ..Imported::default() };
    let midnight = probe(text.as_bytes()).and_then(|p| p.date?.to_zoned(jiff::tz::TimeZone::UTC).ok());
    imported.dated(midnight.map(|z| z.timestamp()));
    imported.took("incidents", 1);
    Ok(imported)
}
