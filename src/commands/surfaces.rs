//! `dosimeter surfaces`: the places that are examined, and what a hit in each proves.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{Ending, output};
use crate::{
    cli::{PageCommand, PageFormat},
    credential::surface::{ENVIRONMENT_META as ENVIRONMENT, META as CREDENTIALS},
    deep::{EveryFile, EveryText},
    image::{CONFIG, HISTORY},
    scan::RECORD,
    surface::{Meta, SURFACES, Shows, Surface as _},
    text::json,
};

#[derive(Serialize)]
struct Row {
    id: &'static str,
    title: &'static str,
    proves: &'static str,
    /// Kinds of indicator.
    shows: Vec<&'static str>,
}

/// Lists them.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(command: PageCommand) -> anyhow::Result<Ending> {
    super::sandbox::begin("surfaces").enclose(&[]);
    let words = |shows: &[Shows]| shows.iter().map(|kind| kind.as_str()).collect();
    let rows = all().map(|(m, shows)| Row { id: m.id, title: m.title, proves: m.proves, shows: words(shows) });
    let text = match command.format {
        PageFormat::Json => json::pretty(&rows.collect::<Vec<_>>())?,
        PageFormat::Table => {
            let mut table = Table::new();
            table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(output::width()).set_header(["surface", "what", "shows", "a hit proves"]);
            rows.for_each(|r| {
                table.add_row([r.id, r.title, &r.shows.join(", "), r.proves]);
            });
            table.to_string()
        }
        PageFormat::Markdown => document(rows),
    };
    output::print(&text)?;
    Ok(Ending::Nothing)
}

/// The project's page of them.
fn document(rows: impl Iterator<Item = Row>) -> String {
    let mut text = String::from(
        "# Surfaces\n\n\
         A surface is one kind of place where a trace is left. `shows` are the lists of an incident whose indicators it can show; one without any\n\
         explains what others find. `--only` and `--skip` take these names. `dosimeter surfaces --format markdown` writes this file, and a\n\
         test compares the two.\n\n\
         | surface | what | shows | a hit proves |\n| --- | --- | --- | --- |",
    );
    for row in rows {
        let shows = row.shows.join(", ");
        let _ = write!(text, "\n| `{}` | {} | {shows} | {} |", row.id, row.title, row.proves);
    }
    text
}

/// Every surface by id, those too that are made for a run or read what is no file of a tree.
pub fn metas() -> impl Iterator<Item = &'static Meta> {
    all().map(|(meta, _)| meta)
}

/// The same, with the kinds of indicator that each can show.
fn all() -> impl Iterator<Item = (&'static Meta, &'static [Shows])> {
    let mut all: Vec<(&'static Meta, &'static [Shows])> = SURFACES.iter().map(|s| (s.meta(), s.shows())).collect();
    all.extend([
        (&CREDENTIALS, [].as_slice()),
        (&ENVIRONMENT, &[]),
        (&CONFIG, &[Shows::Images]),
        (&HISTORY, &[Shows::Packages, Shows::Network]),
        (&RECORD, &[Shows::Files]),
        (EveryFile.meta(), EveryFile.shows()),
        (EveryText.meta(), EveryText.shows()),
    ]);
    all.sort_by_key(|(meta, _)| meta.id);
    all.into_iter()
}
