//! The checklist as a table for a spreadsheet: a line an item, with the columns of the record, which `dosimeter rotate --update` reads
//! back.

use std::io::{self, Write};

use super::{super::page::Labels, Format, v1, words};
use crate::text::printable;

/// Declared here alone.
pub static FORMAT: Format = Format {
    name: "csv",
    endings: &[".csv"],
    about: "The checklist for a spreadsheet, to fill in",
    for_people: false,
    report: None,
    checklist: Some(|report, out, _| checklist(report, out)),
    is_ours: |text| {
        // As a spreadsheet has saved it, too: with other separators, quotes, and in UTF-16.
        let plain = text.chars().filter(|c| !matches!(c, '"' | '\0' | '\u{feff}' | '\u{fffd}')).take(30);
        let plain: String = plain.map(|c| if matches!(c, ';' | '\t') { ',' } else { c }).collect();
        plain.starts_with("item,id,workstream,")
    },
};

/// What stands in the first line.
const HEAD: [&str; 18] = [
    "item",
    "id",
    "workstream",
    "phase",
    "where",
    "rank",
    "urgency",
    "title",
    "machines",
    "after",
    "state",
    "owner",
    "done by",
    "checked by",
    "revoked",
    "issued",
    "checked",
    "note",
];

fn checklist(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    let labels = Labels::new(report);
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(HEAD)?;
    for item in report.shown() {
        let work = words::work(report, item);
        let cells = [
            labels.of(&item.id).to_owned(),
            item.id.clone(),
            item.workstream().as_str().to_owned(),
            item.phase.as_str().to_owned(),
            item.done_at().as_str().to_owned(),
            item.rank.map_or("", crate::verdict::Rank::as_str).to_owned(),
            item.urgency.map_or("", crate::verdict::Urgency::as_str).to_owned(),
            printable(&item.title),
            item.machines.join(" "),
            words::after(&labels, item),
            words::state(report, item),
        ];
        rows.write_record(cells.into_iter().chain(work).map(|cell| inert(&cell)))?;
    }
    rows.flush()
}

/// A cell that a spreadsheet would calculate is a text; so is one that looks like such a text.
fn inert(cell: &str) -> String {
    if cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
