//! `dosimeter iocs list`: the incidents, a line each; as Markdown, the page `docs/incidents.md`.

use std::collections::BTreeSet;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use jiff::civil::Date;
use serde::Serialize;

use super::super::{Ending, indicators::Indicators, output, sandbox};
use crate::{
    cli::{IncidentFormat, IocsList, Touched},
    fact::Ecosystem,
    ioc::{
        model::{Incident, Trigger},
        query::refang,
    },
    text::{json, printable},
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
    #[serde(skip)]
    triggers: Vec<&'static str>,
    #[serde(skip)]
    sources: usize,
    source: &'i str,
}

/// Lists those that fit, newest first.
///
/// # Errors
/// Where the indicators cannot be used.
pub fn run(command: &IocsList) -> anyhow::Result<Ending> {
    let sandbox = sandbox::begin("iocs list");
    let indicators = Indicators::load(&command.indicators)?;
    sandbox.enclose(&[]);
    let mut rows: Vec<Row<'_>> = indicators.database.incidents.iter().filter(|i| fits(command, i)).map(row).collect();
    rows.sort_by(|a, b| (b.date, a.id).cmp(&(a.date, b.id)));
    let text = match command.format {
        IncidentFormat::Json => json::pretty(&rows)?,
        IncidentFormat::Markdown => markdown(&rows),
        IncidentFormat::Table if rows.is_empty() => NONE.to_owned(),
        IncidentFormat::Table => table(&rows),
    };
    output::print(&text)?;
    Ok(Ending::Nothing)
}

const NONE: &str =
    "no incident fits\nNot listed is not safe: `dosimeter iocs search` looks up versions, hashes and hosts.";

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

/// A page with one row per incident.
fn markdown(rows: &[Row<'_>]) -> String {
    let packages: usize = rows.iter().map(|r| r.packages).sum();
    let versions: usize = rows.iter().map(|r| r.versions).sum();
    let mut lines = vec![
        "# Incidents".to_owned(),
        String::new(),
        format!(
            "{} incidents, {packages} packages, {versions} versions and ranges. Written by the program:",
            rows.len()
        ),
        String::new(),
        "```sh".to_owned(),
        "cargo run --release -- iocs list --format markdown >docs/incidents.md".to_owned(),
        "```".to_owned(),
        String::new(),
        "| date | id | what | where | packages | versions | runs | sources |".to_owned(),
        "| --- | --- | --- | --- | --: | --: | --- | --: |".to_owned(),
    ];
    lines.extend(rows.iter().map(|r| {
        let [date, id, title] = [r.date, r.id, r.title].map(|text| printable(text).replace('|', "\\|"));
        let (places, runs) = (r.ecosystems.join(", "), r.triggers.join("; "));
        let (packages, versions, sources) = (r.packages, r.versions, r.sources);
        format!("| {date} | `{id}` | {title} | {places} | {packages} | {versions} | {runs} | {sources} |")
    }));
    lines.join("\n")
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
        triggers: triggers(i).into_iter().map(Trigger::words).collect(),
        sources: i.sources.len(),
        source: &i.origin,
    }
}

/// When the code of any of its packages runs.
fn triggers(i: &Incident) -> BTreeSet<Trigger> {
    let action = (!i.actions.is_empty()).then_some(Trigger::ActionRun);
    let container = (!i.images.is_empty()).then_some(Trigger::ContainerRun);
    i.packages.iter().flat_map(|p| p.triggers.iter().copied()).chain(action).chain(container).collect()
}

fn ecosystems(i: &Incident) -> BTreeSet<Ecosystem> {
    let images = (!i.images.is_empty()).then_some(Ecosystem::Oci);
    i.packages.iter().map(|p| p.ecosystem).chain(images).collect()
}

fn actions(i: &Incident) -> Option<&'static str> {
    (!i.actions.is_empty()).then_some("actions")
}

fn fits(command: &IocsList, i: &Incident) -> bool {
    let ecosystem = command.ecosystem.is_none_or(|touched| match touched {
        Touched::Ecosystem(e) => ecosystems(i).contains(&e),
        Touched::Actions => !i.actions.is_empty(),
    });
    let date = i.date.parse::<Date>().ok();
    let since = command.since.is_none_or(|since| date.is_some_and(|d| d >= since));
    let until = command.until.is_none_or(|until| date.is_some_and(|d| d <= until));
    let text = command.text.iter().all(|t| {
        let t = refang(t.trim()).to_lowercase();
        let mut texts = [&i.id, &i.title, &i.summary]
            .into_iter()
            .chain(&i.aliases)
            .chain(i.attribution.iter().map(|a| &a.actor))
            .chain(i.packages.iter().map(|p| &p.name))
            .chain(i.actions.iter().map(|a| &a.repository))
            .chain(i.images.iter().map(|a| &a.repository))
            .chain(i.network.iter().map(|n| &n.value));
        texts.any(|text| text.to_lowercase().contains(&t))
    });
    ecosystem && since && until && text
}
