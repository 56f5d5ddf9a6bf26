//! The plan as a spreadsheet leaves it: other separators, columns added and moved, cells guarded against being calculated.

use std::sync::Arc;

use super::{Columns, LINES, Line, Sheet, clean, is_id, once};

/// What tables are separated by, in the order in which they are tried.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Rows above the one that names the columns: a title, say.
const ABOVE: usize = 20;

/// What a CSV plan says.
///
/// # Errors
/// A line that cannot be understood, each with its number; also where the file has no columns `id` and `state`.
pub fn csv(text: &str, name: &str) -> Result<Sheet, Vec<String>> {
    let file: Arc<str> = name.into();
    // What Excel writes to itself.
    let own = text.lines().next().and_then(|l| l.trim().to_ascii_lowercase().strip_prefix("sep=").map(str::to_owned));
    let own = own.and_then(|s| s.bytes().next());
    let skipped = own.map_or(0, |_| text.find('\n').map_or(text.len(), |at| at + 1));
    let table = text.get(skipped..).unwrap_or_default();
    let before = usize::from(own.is_some());
    for separator in own.into_iter().chain(SEPARATORS) {
        let mut rows = Rows::new(table, separator, before);
        let head = rows.by_ref().take(ABOVE).find_map(|row| {
            let (line, cells) = row.ok()?;
            Columns::new(&cells).transpose().map(|columns| (line, columns))
        });
        match head {
            None => {}
            Some((line, Err(why))) => return Err(vec![format!("{name}, line {line}: {why}")]),
            Some((_, Ok(columns))) => return body(rows, &columns, &file),
        }
    }
    Err(vec![format!("{name}: no columns `id` and `state` in its first lines")])
}

fn body(rows: Rows<'_>, columns: &Columns, file: &Arc<str>) -> Result<Sheet, Vec<String>> {
    let (mut sheet, mut faults) = (Sheet::default(), Vec::new());
    for row in rows {
        match row {
            Err(e) => faults.push(format!("{file}, {e}")),
            Ok((number, cells)) => {
                if number > LINES {
                    faults.push(format!("{file}, line {number}: more lines than a plan has"));
                    break;
                }
                let line = Line { file: file.clone(), number };
                if let Err(why) = columns.row(&cells, &line, &mut sheet) {
                    faults.push(format!("{line}: {why}"));
                }
            }
        }
    }
    once(sheet, faults)
}

/// The rows of a table in which anything stands, each with the number of its first line.
struct Rows<'t> {
    text: &'t str,
    separator: char,
    reader: csv::Reader<&'t [u8]>,
    /// How far lines are counted, and how many.
    counted: (usize, usize),
}

impl<'t> Rows<'t> {
    fn new(text: &'t str, separator: u8, before: usize) -> Self {
        let mut form = csv::ReaderBuilder::new();
        form.delimiter(separator).flexible(true).has_headers(false);
        Self {
            text,
            separator: char::from(separator),
            reader: form.from_reader(text.as_bytes()),
            counted: (0, before + 1),
        }
    }

    /// Of the row that begins there, or behind the blank lines there.
    fn line(&mut self, at: usize) -> usize {
        let blank = self.text.get(at..).unwrap_or_default().bytes().take_while(|b| *b == b'\n').count();
        let (from, known) = self.counted;
        let passed = self.text.get(from..at + blank).unwrap_or_default();
        self.counted = (at + blank, known + passed.bytes().filter(|b| *b == b'\n').count());
        self.counted.1
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<(usize, Vec<String>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = csv::StringRecord::new();
        loop {
            let at = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
            match self.reader.read_record(&mut row) {
                Err(e) => return Some(Err(e.to_string())),
                Ok(false) => return None,
                Ok(true) => {}
            }
            // What swallows other rows is a quote that nobody closed.
            let rows = |cell: &str| cell.contains('\n') && cell.split(['\n', self.separator]).any(|w| is_id(w.trim()));
            if row.iter().any(rows) {
                return Some(Err(format!("line {}: a quote that begins here is not closed", self.line(at))));
            }
            let cells: Vec<String> = row.iter().map(|cell| clean(&unguarded(cell))).collect();
            if cells.iter().any(|c| !c.is_empty()) {
                return Some(Ok((self.line(at), cells)));
            }
        }
    }
}

/// What keeps a spreadsheet from calculating a cell is taken away again: an apostrophe, or `="…"`.
fn unguarded(cell: &str) -> String {
    let cell = cell.trim();
    let text = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    let guarded = |rest: &&str| rest.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r']);
    let rest = cell.strip_prefix('\'').filter(guarded);
    text.or(rest).unwrap_or(cell).to_owned()
}
