//! `dosimeter surfaces`: the places that are examined, and what a hit in each proves.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{Ending, output};
use crate::{
    cli::{ListFormat, ListOptions},
    credential::surface::{ENVIRONMENT_META as ENVIRONMENT, META as CREDENTIALS},
    image::{CONFIG, HISTORY},
    scan::RECORD,
    surface::{Meta, SURFACES, Surface as _, host::file::EveryFile},
    text::json,
};

#[derive(Serialize)]
struct Row {
    id: &'static str,
    title: &'static str,
    proves: &'static str,
}

/// Lists them.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(options: ListOptions) -> anyhow::Result<Ending> {
    super::sandbox::begin("surfaces").enclose(&[]);
    let rows = metas().map(|m| Row { id: m.id, title: m.title, proves: m.proves });
    let text = match options.format {
        ListFormat::Json => json::pretty(&rows.collect::<Vec<_>>())?,
        ListFormat::Table => {
            let mut table = Table::new();
            table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(output::width()).set_header(["surface", "what", "a hit proves"]);
            rows.for_each(|r| {
                table.add_row([r.id, r.title, r.proves]);
            });
            table.to_string()
        }
    };
    output::print(&text)?;
    Ok(Ending::Nothing)
}

/// Every surface by id, those too that are made for a run or read what is no file of a tree.
pub fn metas() -> impl Iterator<Item = &'static Meta> {
    let mut metas: Vec<&'static Meta> = SURFACES.iter().map(|s| s.meta()).collect();
    metas.extend([&CREDENTIALS, &ENVIRONMENT, &CONFIG, &HISTORY, &RECORD, EveryFile.meta()]);
    metas.sort_by_key(|m| m.id);
    metas.into_iter()
}
