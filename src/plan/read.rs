//! Ticks from an edited plan: its JSON, its Markdown (boxes, and the table of the record) or its CSV. Whatever a person may have written
//! there is read by the id of the item that stands in the line.

use std::collections::HashMap;

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::report::v1::{State, Work};

/// What one line says of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticked {
    /// What it says.
    pub work: Work,
    /// "plan.md, line 12".
    pub place: String,
}

/// Columns of the record, in Markdown and in CSV.
pub const COLUMNS: [&str; 9] =
    ["id", "state", "owner", "done by", "checked by", "revoked", "issued", "checked", "note"];

/// Lines of a file that are read.
const LINES: usize = 100_000;

/// The ticks of a Markdown plan. A box that is ticked closes an item that the record says nothing else of.
///
/// # Errors
/// A line that names an item and cannot be understood, each with its number.
pub fn markdown(text: &str, name: &str) -> Result<Vec<Ticked>, Vec<String>> {
    let (mut ticked, mut boxes, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut columns: Option<Vec<String>> = None;
    for (n, line) in text.lines().take(LINES).enumerate() {
        let place = format!("{name}, line {}", n + 1);
        let line = line.trim();
        if let Some(row) = line.strip_prefix('|') {
            let cells = cells(row);
            if cells.iter().any(|c| c == "id") && cells.iter().any(|c| c == "state") {
                columns = Some(cells);
            } else if let Some(columns) = columns.as_ref().filter(|_| cells.iter().any(|c| is_id(c))) {
                match record(columns, &cells) {
                    Ok(work) => ticked.push(Ticked { work, place }),
                    Err(e) => faults.push(format!("{place}: {e}")),
                }
            }
        } else if let Some(rest) = ["- [x]", "- [X]", "* [x]", "* [X]"].iter().find_map(|b| line.strip_prefix(b)) {
            let id = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|w| is_id(w));
            let work = id.map(|id| Work { item: id.to_owned(), state: State::Closed, ..Work::default() });
            boxes.extend(work.map(|work| Ticked { work, place }));
        }
    }
    for tick in boxes {
        match ticked.iter_mut().find(|t| t.work.item == tick.work.item) {
            None => ticked.push(tick),
            // The box is ticked, and the record was forgotten.
            Some(known) if known.work.state < State::Closed => {
                known.work.state = State::Closed;
                known.place = tick.place;
            }
            Some(_) => {}
        }
    }
    end(ticked, faults)
}

/// The ticks of a CSV plan.
///
/// # Errors
/// As for Markdown; also where the file has no column `id` or `state`.
pub fn csv(text: &str, name: &str) -> Result<Vec<Ticked>, Vec<String>> {
    // Spreadsheets of other languages separate by something else.
    let head = text.lines().next().unwrap_or_default();
    let separator = [b',', b';', b'\t'].into_iter().max_by_key(|s| head.bytes().filter(|b| b == s).count());
    let separator = separator.filter(|s| head.bytes().any(|b| b == *s)).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(h) => h.iter().map(str::to_lowercase).collect(),
        Err(e) => return Err(vec![format!("{name}: {e}")]),
    };
    if !["id", "state"].iter().all(|w| columns.iter().any(|c| c == w)) {
        return Err(vec![format!("{name}: no columns `id` and `state` in its first line")]);
    }
    let (mut ticked, mut faults) = (Vec::new(), Vec::new());
    for row in reader.records().take(LINES) {
        match row {
            Err(e) => faults.push(format!("{name}: {e}")),
            Ok(row) => {
                let place = format!("{name}, line {}", row.position().map_or(0, csv::Position::line));
                let cells: Vec<String> = row.iter().map(guarded).collect();
                match record(&columns, &cells) {
                    Ok(work) => ticked.push(Ticked { work, place }),
                    Err(e) => faults.push(format!("{place}: {e}")),
                }
            }
        }
    }
    end(ticked, faults)
}

/// What the writer put before a cell that a spreadsheet would calculate is taken away again.
fn guarded(cell: &str) -> String {
    let rest = cell.strip_prefix('\'').filter(|r| r.starts_with(['=', '+', '-', '@']));
    rest.unwrap_or(cell).to_owned()
}

fn end(ticked: Vec<Ticked>, mut faults: Vec<String>) -> Result<Vec<Ticked>, Vec<String>> {
    let mut seen: HashMap<&str, &Ticked> = HashMap::new();
    for t in &ticked {
        match seen.insert(&t.work.item, t) {
            Some(other) if other.work != t.work => {
                faults.push(format!(
                    "{}: {} stands there again, and {} says otherwise",
                    t.place, t.work.item, other.place
                ));
            }
            _ => {}
        }
    }
    if faults.is_empty() { Ok(ticked) } else { Err(faults) }
}

/// `s-` and 8 hex digits.
fn is_id(word: &str) -> bool {
    word.strip_prefix("s-").is_some_and(|h| h.len() == 8 && h.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut chars = row.trim_end().trim_end_matches('|').chars();
    while let Some(c) = chars.next() {
        match (c, cells.last_mut()) {
            ('|', _) => cells.push(String::new()),
            // Markdown's own escape.
            ('\\', Some(cell)) => cell.extend(chars.next()),
            (c, Some(cell)) => cell.push(c),
            _ => {}
        }
    }
    // What the writer puts between, so that no page makes a link of it.
    let plain = |c: &String| c.replace("<!-- -->", "").replace("&#58;", ":").replace("&#46;", ".");
    cells.iter().map(|c| plain(c).trim().trim_matches('`').to_owned()).collect()
}

fn record(columns: &[String], cells: &[String]) -> Result<Work, String> {
    let cell = |name: &str| {
        let at = columns.iter().position(|c| c.eq_ignore_ascii_case(name));
        at.and_then(|at| cells.get(at)).map_or("", String::as_str)
    };
    let id = cell("id");
    if !is_id(id) {
        return Err(format!("`{}` is no item's id", crate::text::escape(id.as_bytes())));
    }
    let state = match cell("state") {
        "" => State::Open,
        word => {
            let known = State::ALL.into_iter().find(|s| s.as_str() == word.to_lowercase().replace([' ', '-'], "_"));
            known.ok_or_else(|| {
                let words: Vec<&str> = State::ALL.iter().map(|s| s.as_str()).collect();
                format!("`{}` is no state; they are {}", crate::text::escape(word.as_bytes()), words.join(", "))
            })?
        }
    };
    let time = |name: &str| match cell(name) {
        "" => Ok(None),
        text => moment(text).map(Some).ok_or_else(|| {
            let text = crate::text::escape(text.as_bytes());
            format!("`{text}` under `{name}` is no time; write 2026-03-24 11:05 (UTC) or 2026-03-24T11:05:00Z")
        }),
    };
    Ok(Work {
        item: id.to_owned(),
        state,
        owner: cell("owner").to_owned(),
        done_by: cell("done by").to_owned(),
        checked_by: cell("checked by").to_owned(),
        revoked: time("revoked")?,
        issued: time("issued")?,
        checked: time("checked")?,
        note: cell("note").to_owned(),
    })
}

/// RFC 3339, or a day and a time in UTC, as people write it.
fn moment(text: &str) -> Option<Timestamp> {
    let bare = text.trim().trim_end_matches("UTC").trim_end();
    let at = |form: &str| civil::DateTime::strptime(form, bare).ok()?.to_zoned(TimeZone::UTC).ok();
    let day = || civil::Date::strptime("%Y-%m-%d", bare).ok()?.to_zoned(TimeZone::UTC).ok();
    let named = at("%Y-%m-%d %H:%M").or_else(|| at("%Y-%m-%d %H:%M:%S")).or_else(day).map(|z| z.timestamp());
    text.parse().ok().or(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "| item | id | state | owner | done by | checked by | revoked | issued | checked | note |\n| --- |\n";

    #[test]
    fn a_row_of_the_record() {
        let text = format!(
            "{HEAD}| B1 | `s-0123abcd` | revoked | Ann | Bob |  | 2026-03-25 09:30 | | | a \\| b |\n| B2 | s-00000000 | | | | | | | | |\n"
        );
        let read = markdown(&text, "plan.md").unwrap();
        assert_eq!(read[0].place, "plan.md, line 3");
        let w = &read[0].work;
        assert_eq!(
            (w.item.as_str(), w.state, w.owner.as_str(), w.done_by.as_str()),
            ("s-0123abcd", State::Revoked, "Ann", "Bob")
        );
        assert_eq!(w.revoked, Some("2026-03-25T09:30:00Z".parse().unwrap()));
        assert_eq!((w.note.as_str(), w.issued), ("a | b", None));
        assert_eq!(read[1].work, Work { item: "s-00000000".into(), ..Work::default() });
    }

    #[test]
    fn a_box_closes_and_the_record_says_more() {
        let text = format!(
            "- [x] **A1. Cut** `s-0123abcd`\n- [ ] **A2. x** `s-00000001`\n  - [x] a step\n{HEAD}| A1 | s-0123abcd | open | Ann |\n"
        );
        let read = markdown(&text, "p").unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].work.state, read[0].work.owner.as_str()), (State::Closed, "Ann"));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        let row = |cells: &str| format!("{HEAD}| B1 | s-0123abcd | {cells} |\n");
        let fault = |cells: &str| markdown(&row(cells), "p").unwrap_err().join("\n");
        assert!(fault("done").starts_with("p, line 3: `done` is no state; they are open, begun"), "{}", fault("done"));
        assert!(fault("open | | | | yesterday").contains("`yesterday` under `revoked` is no time"));
        let twice = format!("{}| B1 | s-0123abcd | closed |\n", row("open"));
        assert!(markdown(&twice, "p").unwrap_err()[0].contains("line 4: s-0123abcd stands there again"));
        assert!(csv("a,b\n1,2\n", "p.csv").is_err());
        assert!(csv("id,state\nx,open\n", "p.csv").unwrap_err()[0].contains("line 2: `x` is no item's id"));
    }

    #[test]
    fn csv_says_the_same() {
        let text = "item,id,state,note,checked\nB1,s-0123abcd,accepted risk,'=1+1,2026-03-25\n";
        let read = csv(text, "p.csv").unwrap();
        let w = &read[0].work;
        assert_eq!((w.state, w.note.as_str()), (State::AcceptedRisk, "=1+1"));
        assert_eq!(w.checked, Some("2026-03-25T00:00:00Z".parse().unwrap()));
    }
}
