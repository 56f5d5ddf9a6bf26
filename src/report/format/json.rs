//! The report, version 1, indented: what other programs and `dosimeter rotate` read. Its schema is `docs/schema/report-1.schema.json`.

use std::io::{self, Write};

use super::{Format, v1};
use crate::text;

/// Declared here alone.
pub static FORMAT: Format = Format {
    name: "json",
    endings: &[".json"],
    about: "The report, version 1",
    for_people: false,
    report: Some(|report, out, _| write(report, out)),
    checklist: Some(|report, out, _| write(report, out)),
    is_ours,
};

fn write(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    text::json::write_pretty(value, out)?;
    out.write_all(b"\n")
}

/// A report or a plan, which names its schema; the checklist of early versions was a list of items.
fn is_ours(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest.trim() == "]" || super::starts_with_item(rest.trim_start()),
        None => [v1::SCHEMA, v1::PLAN].iter().any(|schema| super::starts_with_schema(text, schema)),
    }
}
