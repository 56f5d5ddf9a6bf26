//! `dosimeter rules`: by what something is a finding, how far that says it got, and what to do.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{Ending, output};
use crate::{
    assess::rule::{Rule, document},
    cli::{PageCommand, PageFormat},
    text::json,
    verdict::{Confidence, Exposure},
};

#[derive(Serialize)]
struct Row {
    rule: &'static str,
    exposure: Exposure,
    confidence_up_to: Confidence,
    meaning: &'static str,
    act: &'static str,
}

/// Lists them.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(command: PageCommand) -> anyhow::Result<Ending> {
    super::sandbox::begin("rules").enclose(&[]);
    let text = match command.format {
        PageFormat::Json => json::pretty(&Rule::all().map(row).collect::<Vec<_>>())?,
        PageFormat::Markdown => document().trim_end().to_owned(),
        PageFormat::Table => table(),
    };
    output::print(&text)?;
    Ok(Ending::Nothing)
}

fn row(rule: Rule) -> Row {
    Row {
        rule: rule.code(),
        exposure: rule.exposure(),
        confidence_up_to: rule.up_to(),
        meaning: rule.meaning(),
        act: rule.act(),
    }
}

fn table() -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(output::width()).set_header(["rule", "exposure", "meaning", "what to do"]);
    for rule in Rule::all() {
        table.add_row([rule.code(), rule.exposure().as_str(), rule.meaning(), rule.act()]);
    }
    table.to_string()
}
