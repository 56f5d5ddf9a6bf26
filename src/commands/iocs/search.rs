//! `dosimeter iocs search`: whether something is an indicator, matched as an examination would match it.

use serde::Serialize;

use super::super::{Ending, indicators::Indicators, output, sandbox};
use crate::{
    cli::{IocsSearch, ListFormat},
    ecosystem::normal_name,
    fact::Ecosystem,
    ioc::query::{Query, readings},
    text::{json, printable},
};

#[derive(Serialize)]
struct Row<'i> {
    query: &'i str,
    incident: &'i str,
    date: &'i str,
    title: &'i str,
    indicator: String,
    place: String,
    what: String,
    source: &'i str,
}

/// Prints what was found.
///
/// # Errors
/// Where the indicators cannot be used.
pub fn run(command: &IocsSearch) -> anyhow::Result<Ending> {
    let sandbox = sandbox::begin("iocs search");
    let mut indicators = Indicators::load(&command.indicators)?;
    sandbox.enclose(&[]);
    let mut index = indicators.index(&[])?;
    let asked = command.texts.iter().flat_map(|t| readings(t)).filter_map(|q| match q {
        Query::Package { ecosystem, name, .. } => Some((ecosystem, name)),
        _ => None,
    });
    let packages = asked.flat_map(|(ecosystem, name)| {
        let any: Vec<Ecosystem> = ecosystem.map_or_else(|| Ecosystem::ALL.to_vec(), |e| vec![e]);
        any.into_iter().map(move |e| (e, normal_name(e, &name))).collect::<Vec<_>>()
    });
    index.admit(&packages.collect());
    indicators.still_good()?;
    let mut rows = Vec::new();
    for text in &command.texts {
        for found in index.find(text, command.at) {
            let Some(incident) = index.incident(found.incident) else {
                continue;
            };
            rows.push(Row {
                query: text,
                incident: &incident.id,
                date: &incident.date,
                title: &incident.title,
                indicator: found.indicator,
                place: found.place,
                what: found.what,
                source: &incident.origin,
            });
        }
    }
    let text = match command.format {
        ListFormat::Json => json::pretty(&rows)?,
        ListFormat::Table => words(&command.texts, &rows),
    };
    output::print(&text)?;
    Ok(Ending::Nothing)
}

fn words(texts: &[String], rows: &[Row<'_>]) -> String {
    let mut lines = Vec::new();
    for text in texts {
        let shown = printable(text);
        let own: Vec<&Row<'_>> = rows.iter().filter(|r| r.query == text).collect();
        if own.is_empty() {
            lines.push(format!("{shown}: no indicator"));
        }
        for r in own {
            let indicator = printable(&r.indicator);
            lines.push(format!("{shown}: {indicator} ({})", printable(&r.what)));
            lines.push(format!(
                "  {} {}: {} [{}]",
                printable(r.date),
                printable(r.incident),
                printable(r.title),
                printable(r.source)
            ));
        }
    }
    lines.join("\n")
}
