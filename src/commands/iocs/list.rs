//! `dosimeter iocs list`: the incidents, a line each.

use std::collections::BTreeSet;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use jiff::civil::Date;
use serde::Serialize;

use super::super::{Ending, indicators::Indicators, output};
use crate::{
    cli::{IocsList, ListFormat},
    fact::Ecosystem,
    ioc::model::Incident,
    text::printable,
};

/// One incident.
#[derive(Serialize)]
struct Row<'i> {
    id: &'i str,
    date: &'i str,
    title: &'i str,
    ecosystems: Vec<&'static str>,
    packages: usize,
    versions: usize,
    indicators: usize,
    source: &'i str,
}

/// Lists those that fit, newest first.
///
/// # Errors
/// Where the indicators cannot be used.
pub fn run(command: &IocsList) -> anyhow::Result<Ending> {
    let indicators = Indicators::load(&command.indicators)?;
    let mut rows: Vec<Row<'_>> = indicators.database.incidents.iter().filter(|i| fits(command, i)).map(row).collect();
    rows.sort_by(|a, b| (b.date, a.id).cmp(&(a.date, b.id)));
    let text = match command.format {
        ListFormat::Json => serde_json::to_string_pretty(&rows)?,
        ListFormat::Table if rows.is_empty() => "no incident fits".to_owned(),
        ListFormat::Table => table(&rows),
    };
    output::print(&text)?;
    Ok(Ending::Nothing)
}

fn table(rows: &[Row<'_>]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(output::width()).set_header(["date", "id", "what", "where", "versions"]);
    table.set_constraints([
        ColumnConstraint::ContentWidth,
        ColumnConstraint::ContentWidth,
        ColumnConstraint::LowerBoundary(Width::Fixed(20)),
        ColumnConstraint::UpperBoundary(Width::Fixed(20)),
        ColumnConstraint::ContentWidth,
    ]);
    for r in rows {
        let cells = [r.date, r.id, r.title].map(printable);
        let [date, id, title] = cells;
        table.add_row([date, id, title, r.ecosystems.join(" "), r.versions.to_string()]);
    }
    format!("{table}\n{} incidents", rows.len())
}

fn row(i: &Incident) -> Row<'_> {
    Row {
        id: &i.id,
        date: &i.date,
        title: &i.title,
        ecosystems: ecosystems(i).iter().map(|e| e.purl_type()).chain(actions(i)).collect(),
        packages: i.packages.len(),
        versions: i.packages.iter().map(|p| p.versions.len()).sum(),
        indicators: i.packages.len()
            + i.artifacts.len()
            + i.files.len()
            + i.network.len()
            + i.processes.len()
            + i.images.len()
            + i.actions.len()
            + i.strings.len()
            + i.git.len(),
        source: &i.origin,
    }
}

fn ecosystems(i: &Incident) -> BTreeSet<Ecosystem> {
    let images = (!i.images.is_empty()).then_some(Ecosystem::Oci);
    i.packages.iter().map(|p| p.ecosystem).chain(images).collect()
}

fn actions(i: &Incident) -> Option<&'static str> {
    (!i.actions.is_empty()).then_some("actions")
}

fn fits(command: &IocsList, i: &Incident) -> bool {
    let ecosystem = command.ecosystem.as_deref().is_none_or(|word| {
        let known = Ecosystem::from_word(word);
        known.is_some_and(|e| ecosystems(i).contains(&e)) || (word.contains("action") && !i.actions.is_empty())
    });
    let date = i.date.parse::<Date>().ok();
    let since = command.since.is_none_or(|since| date.is_some_and(|d| d >= since));
    let until = command.until.is_none_or(|until| date.is_some_and(|d| d <= until));
    let text = command.text.iter().all(|t| {
        let t = t.to_lowercase();
        let texts = [&i.id, &i.title, &i.summary];
        let own = texts.iter().any(|text| text.to_lowercase().contains(&t));
        own || i.aliases.iter().any(|a| a.to_lowercase().contains(&t))
            || i.packages.iter().any(|p| p.name.to_lowercase().contains(&t))
    });
    ecosystem && since && until && text
}
