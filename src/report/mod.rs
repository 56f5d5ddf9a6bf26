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

pub use build::{Examination, build};

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

fn json(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests;
