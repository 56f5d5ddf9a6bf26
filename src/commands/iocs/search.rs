//! `dosimeter iocs search`: whether something is known, asked as people ask.

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::{Ending, indicators::Indicators, output, sandbox};
use crate::{
    cli::{IocsSearch, ListFormat},
    fact::Ecosystem,
    ioc::{
        Index,
        ask::{Answer, Question, State, questions},
        feed::Feed as _,
        model::Incident,
        query::Found,
    },
    text::{json, printable},
};

#[derive(Serialize)]
struct Row<'i> {
    query: &'i str,
    incident: &'i str,
    date: &'i str,
    title: &'i str,
    indicator: &'i str,
    place: &'i str,
    what: &'i str,
    source: &'i str,
}

/// Prints what is known.
///
/// # Errors
/// Where the indicators cannot be used.
pub fn run(command: &IocsSearch) -> anyhow::Result<Ending> {
    let sandbox = sandbox::begin("iocs search");
    let mut indicators = Indicators::load(&command.indicators)?;
    sandbox.enclose(&[]);
    let mut index = indicators.index(&[])?;
    let questions = questions(&command.texts);
    let packages: BTreeSet<(Ecosystem, Box<str>)> = questions.iter().flat_map(Question::packages).collect();
    let new = index.unadmitted(&packages);
    index.admit(new);
    indicators.still_good()?;
    let answers: Vec<(&Question, Answer)> =
        questions.iter().map(|q| (q, index.ask(q, &indicators.withdrawn, command.at))).collect();
    match command.format {
        ListFormat::Json => {
            let rows: Vec<Row<'_>> = answers.iter().flat_map(|(q, a)| rows(&index, q, a)).collect();
            output::print(&json::pretty(&rows)?)?;
            for (question, answer) in &answers {
                for note in &answer.notes {
                    output::note(&format!("{}: {}", printable(&question.text), printable(note)));
                }
            }
        }
        ListFormat::Table => output::print(&words(&index, &indicators, &answers))?,
    }
    let has = |state: State| answers.iter().any(|(_, a)| a.state == state);
    Ok(match (has(State::Known), has(State::Unclear)) {
        (true, _) => Ending::Nothing,
        (false, true) => Ending::Unclear,
        (false, false) => Ending::Unknown,
    })
}

fn rows<'i>(index: &'i Index, question: &'i Question, answer: &'i Answer) -> Vec<Row<'i>> {
    let found = answer.found.iter().filter_map(|f| Some((f, index.incident(f.incident)?)));
    let row = |(found, incident): (&'i Found, &'i Incident)| Row {
        query: &question.text,
        incident: &incident.id,
        date: &incident.date,
        title: &incident.title,
        indicator: &found.indicator,
        place: &found.place,
        what: &found.what,
        source: &incident.origin,
    };
    found.map(row).collect()
}

/// Rows that are shown of one question.
const MOST: usize = 40;

fn words(index: &Index, indicators: &Indicators, answers: &[(&Question, Answer)]) -> String {
    let mut lines = Vec::new();
    for (question, answer) in answers {
        let shown = printable(&question.text);
        match answer.state {
            State::Known => {}
            State::Unknown => lines.push(format!("{shown}: not known")),
            State::Unclear => lines.push(format!("{shown}: cannot be looked up like that")),
        }
        let rows = rows(index, question, answer);
        for r in rows.iter().take(MOST) {
            lines.push(format!("{shown}: {} ({})", printable(r.indicator), printable(r.what)));
            let [date, incident, title, source] = [r.date, r.incident, r.title, r.source].map(printable);
            lines.push(format!("  {date} {incident}: {title} [{source}]"));
        }
        if rows.len() > MOST {
            lines.push(format!("  and {} more: `--format json` has them all", rows.len() - MOST));
        }
        lines.extend(answer.notes.iter().map(|n| format!("  {}", printable(n))));
    }
    if answers.iter().any(|(_, a)| a.state == State::Unknown) {
        let incidents = index.database.incidents.len();
        let created = index.database.created.strftime("%Y-%m-%d");
        let listed: usize = indicators.bundles.iter().map(|b| b.size().0).sum();
        let feeds = if listed > 0 { format!(" and {listed} packages of bundles") } else { String::new() };
        lines.push(format!(
            "Not known is not safe: {incidents} incidents of {created}{feeds} were looked through, and no more."
        ));
    }
    lines.join("\n")
}
