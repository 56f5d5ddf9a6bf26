//! What happened when, for people: the times of the evidence among those that are published of the incidents.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::v1;
use crate::{text::printable, verdict::Urgency};

/// Said above the rows.
pub const TIMES: &str =
    "times of files move when a file is changed or copied; those of logs and histories were written as it happened";
/// The kind whose file each command changes.
const HISTORY: &str = "os.shell_history";
/// Changes of credentials that are listed.
const CREDENTIALS: usize = 20;

/// One line.
pub struct Row {
    /// UTC.
    pub at: Timestamp,
    /// What happened.
    pub what: String,
    /// What its time was read from.
    pub source: String,
}

/// Nothing, where no evidence has a time.
pub fn timeline(report: &v1::Report) -> Vec<Row> {
    if report.timeline.is_empty() {
        return Vec::new();
    }
    let row = |m: &v1::Moment| Row { at: m.at, what: printable(&m.what), source: printable(&m.source) };
    let mut rows: Vec<Row> = report.timeline.iter().map(row).collect();
    rows.extend(windows(report));
    rows.extend(changes(report));
    rows.sort_by(|a, b| (a.at, &a.what).cmp(&(b.at, &b.what)));
    rows.dedup_by(|a, b| (a.at, &a.what) == (b.at, &b.what));
    rows
}

/// When what was found was available.
fn windows(report: &v1::Report) -> impl Iterator<Item = Row> {
    let all = report.incidents.iter().flat_map(|i| i.windows.iter().map(move |w| (i, w)));
    all.flat_map(|(incident, w)| {
        let name = printable(&w.artifact);
        let row = |at: Timestamp, what: &str| Row {
            at,
            what: format!("{name}: {what}"),
            source: format!("published, {}", printable(&incident.id)),
        };
        [Some(row(w.start, "available from here on")), w.end.map(|end| row(end, "available until here"))]
    })
    .flatten()
}

/// When credentials that are due were changed last, where that was after the first of those times.
fn changes(report: &v1::Report) -> Vec<Row> {
    let first = report.incidents.iter().flat_map(|i| &i.windows).map(|w| w.start).min();
    let mut places = BTreeSet::new();
    let due = report.credentials.iter().filter(|c| c.rotate != Urgency::No && c.kind != HISTORY);
    let later = due.filter_map(|c| Some((c, c.modified.filter(|at| first.is_some_and(|first| *at >= first))?)));
    let once = later.filter(|(c, _)| places.insert((c.location.tree.clone(), c.location.path.clone())));
    once.take(CREDENTIALS)
        .map(|(c, at)| Row {
            at,
            what: format!(
                "{} changed: {}",
                super::place(&v1::Location { inner: None, line: None, ..c.location.clone() }),
                printable(&c.kind)
            ),
            source: "mtime of the file".to_owned(),
        })
        .collect()
}
