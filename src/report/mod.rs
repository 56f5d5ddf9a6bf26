//! What people and machines are shown. Knows the judgement, not the tree. Every format is made from `v1::Report` alone, so that a
//! stored report renders as the fresh one did.

pub mod build;
mod markdown;
mod ndjson;
mod script;
mod table;
pub mod v1;
mod words;

use std::{
    io::{self, Write},
    path::Path,
};

pub use build::{Examination, build, interrupt};

use crate::text;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    /// Version 1, indented.
    Json,
    /// The same records, one a line.
    Ndjson,
    /// For a ticket.
    Markdown,
    /// The steps for the examined machine, as a POSIX script.
    Script,
}

impl Format {
    /// All.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Ndjson, Self::Markdown, Self::Script];

    /// The word for `--format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Script => "sh",
        }
    }

    /// By the ending of a file's name; `None` where no format has it.
    pub fn from_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "md" | "markdown" => Some(Self::Markdown),
            "txt" => Some(Self::Table),
            "sh" => Some(Self::Script),
            _ => None,
        }
    }
}

/// How text looks. Nothing is said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns; sentences wrap there, paths and commands stay in one piece.
    pub width: usize,
    /// Whether to colour.
    pub colour: Colour,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a file, a pipe, or with `NO_COLOR`.
    Never,
    /// For a terminal.
    Always,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, colour: Colour::Never }
    }
}

/// Writes a whole report.
///
/// # Errors
/// When the writer fails.
pub fn render(format: Format, report: &v1::Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    match format {
        Format::Table => table::report(report, out, style),
        Format::Json => json(report, out),
        Format::Ndjson => ndjson::report(report, out),
        Format::Markdown => markdown::report(report, out),
        Format::Script => script::checklist(report, out),
    }
}

/// Writes the checklist alone, with every step.
///
/// # Errors
/// When the writer fails.
pub fn render_checklist(format: Format, report: &v1::Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    match format {
        Format::Table => table::checklist(report, out, style),
        Format::Json => json(&report.checklist, out),
        Format::Ndjson => ndjson::lines(&report.checklist, out),
        Format::Markdown => markdown::checklist(report, out),
        Format::Script => script::checklist(report, out),
    }
}

/// Whether the start of a file is that of a report or checklist that this program wrote, in any format.
pub fn is_ours(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start();
    let item = |rest: &str| {
        let id = rest.trim_start().strip_prefix("\"id\":").map(str::trim_start).and_then(|r| r.strip_prefix("\"s-"));
        id.is_some_and(|id| id.bytes().take(8).filter(u8::is_ascii_hexdigit).count() == 8)
    };
    match start.chars().next() {
        Some('[') => {
            let rest = start.trim_start_matches('[').trim_start();
            rest.trim_end() == "]" || rest.strip_prefix('{').is_some_and(item)
        }
        Some('{') => {
            let first: String = start.chars().filter(|c| !c.is_whitespace()).take(200).collect();
            let named = |schema: &&str| first.contains(&format!("\"schema\":\"{schema}\""));
            [v1::SCHEMA, ndjson::SCHEMA].iter().any(named) || start.strip_prefix('{').is_some_and(item)
        }
        _ => {
            // The answer comes first in the formats for people.
            let answer = start.strip_prefix("# ").unwrap_or(start);
            ["exposed: ", "nothing found"].iter().any(|s| answer.starts_with(s)) && text.contains("indicators ")
        }
    }
}

fn json(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    text::json::write_pretty(value, out)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests;
