//! The plan as an editor or a ticket leaves it: other bullets, other indents, tables aligned anew.

use std::sync::Arc;

use super::{Columns, Field, LINES, Line, Said, Sheet, StepBox, Value, clean, is_id, once};
use crate::{report::v1::State, text::escape};

/// Columns by which a step is indented below its item, at least.
const NESTED: usize = 2;

/// What a Markdown plan says. A box that is ticked closes an item that the record says nothing else of.
///
/// # Errors
/// A line that names an item and cannot be understood, each with its number.
pub fn markdown(text: &str, name: &str) -> Result<Sheet, Vec<String>> {
    let file: Arc<str> = name.into();
    let mut reader = Reader::default();
    for (n, line) in text.lines().enumerate() {
        let at = Line { file: file.clone(), number: n + 1 };
        if n >= LINES {
            reader.faults.push(format!("{at}: more lines than a plan has"));
            break;
        }
        reader.line(line, &at);
    }
    reader.end_box();
    if let Some((_, _, at)) = &reader.fence {
        reader.faults.push(format!("{at}: the code block that begins here does not end"));
    }
    once(reader.sheet, reader.faults)
}

#[derive(Default)]
struct Reader {
    sheet: Sheet,
    faults: Vec<String>,
    /// The code block that a line is in: its sign, how many of them, and where it begins.
    fence: Option<(char, usize, Line)>,
    columns: Option<Columns>,
    /// The item above, and how far its box is indented.
    item: Option<(String, usize)>,
    /// The box whose text may go on in the next line, how far it is indented, and where it stands.
    begun: Option<(Boxed, usize, Line)>,
    /// The last line was the head of a record.
    headed: bool,
    /// The last line was of a record.
    inside: bool,
}

impl Reader {
    fn line(&mut self, line: &str, at: &Line) {
        let blanks = line.chars().take_while(|c| c.is_whitespace());
        let indent: usize = blanks.map(|c| if c == '\t' { 4 } else { 1 }).sum();
        let trimmed = line.trim();
        if let Some((boxed, ..)) = self.begun.as_mut().filter(|_| goes_on(trimmed)) {
            boxed.rest.push(' ');
            boxed.rest.push_str(trimmed);
            return;
        }
        self.end_box();
        let (headed, inside) = (std::mem::take(&mut self.headed), std::mem::take(&mut self.inside));
        if self.in_code(trimmed, at) {
            return;
        }
        if let Some(boxed) = Boxed::new(trimmed) {
            self.begun = Some((boxed, indent, at.clone()));
            return;
        }
        // What does not hang below an item ends it.
        if trimmed.starts_with('#') {
            self.item = None;
        }
        if trimmed.contains('|') {
            self.row(trimmed, (headed, inside), at);
        }
    }

    /// Whether a line belongs to a code block. Boxes on the first page are pictures of those below.
    fn in_code(&mut self, line: &str, at: &Line) -> bool {
        let sign = line.chars().next().filter(|c| matches!(c, '`' | '~'));
        let run = sign.map_or(0, |sign| line.chars().take_while(|c| *c == sign).count());
        let rest = line.get(run..).unwrap_or_default();
        match &self.fence {
            None if run >= 3 && !rest.contains('`') => {
                self.fence = sign.map(|sign| (sign, run, at.clone()));
                true
            }
            None => false,
            Some((open, length, _)) => {
                if sign == Some(*open) && run >= *length && rest.trim().is_empty() {
                    self.fence = None;
                } else {
                    let ticked = line.split("[x] ").skip(1).chain(line.split("[X] ").skip(1));
                    let of = |rest: &str| rest.split(' ').next().unwrap_or_default().trim_end_matches(',').to_owned();
                    self.sheet.pictures.extend(ticked.map(|rest| (at.clone(), of(rest))));
                }
                true
            }
        }
    }

    /// A box is read with the lines that an editor broke its text into.
    fn end_box(&mut self) {
        let Some((boxed, indent, at)) = self.begun.take() else { return };
        let at = &at;
        let ignore = |sheet: &mut Sheet, why: String| sheet.ignored.push((at.clone(), why));
        let under = self.item.as_ref().filter(|(_, of)| indent >= *of + NESTED).map(|(id, _)| id.clone());
        let id = boxed.quoted_id().or_else(|| boxed.bare_id()).filter(|_| under.is_none());
        let Some(ticked) = boxed.ticked() else {
            let mark = escape(boxed.mark.as_bytes());
            return ignore(&mut self.sheet, format!("a box with `{mark}` in it: it may hold `x` or a blank"));
        };
        if let Some(id) = id {
            let value = Value::State(if ticked { State::Closed } else { State::Open });
            self.sheet.said.push(Said { item: id.clone(), line: at.clone(), field: Field::State, value, by_box: true });
            self.item = Some((id, indent));
        } else if let Some(item) = under {
            self.sheet.steps.push(StepBox { item, line: at.clone(), words: plain(&boxed.rest), ticked });
        } else {
            // What hangs below it is of no item.
            self.item = None;
            if ticked {
                ignore(&mut self.sheet, "a box without an item's id".to_owned());
            }
        }
    }

    fn row(&mut self, line: &str, (headed, inside): (bool, bool), at: &Line) {
        let cells = cells(line);
        match Columns::new(&cells) {
            Err(why) => return self.faults.push(format!("{at}: {why}")),
            Ok(Some(columns)) => {
                self.columns = Some(columns);
                (self.headed, self.inside) = (true, true);
                return;
            }
            Ok(None) => {}
        }
        let is_rule = |c: &String| !c.is_empty() && c.chars().all(|c| matches!(c, '-' | ':'));
        if cells.iter().all(is_rule) {
            // What is ruled off below another line is another table.
            if !headed {
                self.columns = None;
            }
            self.inside = headed;
            return;
        }
        let named = cells.iter().any(|c| is_id(&c.to_ascii_lowercase()));
        match &self.columns {
            // Also where somebody cut the table in two.
            Some(columns) if named || inside => {
                self.inside = true;
                let empty = cells.iter().all(String::is_empty);
                if let Some(why) = (!empty).then(|| columns.row(&cells, at, &mut self.sheet).err()).flatten() {
                    self.faults.push(format!("{at}: {why}"));
                }
            }
            None if named && line.starts_with('|') => {
                let why = "a row with an item's id in a table without the columns `id` and `state`";
                self.sheet.ignored.push((at.clone(), why.to_owned()));
            }
            _ => {}
        }
    }
}

/// Whether a line is the rest of the text above it, and begins nothing of its own.
fn goes_on(line: &str) -> bool {
    let begins = |c: char| matches!(c, '#' | '|' | '>' | '~') || c == '`' && line.starts_with("```");
    let listed = behind_bullet(line).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    !line.is_empty() && !line.starts_with(begins) && !listed && Boxed::new(line).is_none()
}

/// What stands behind `-`, `*`, `+` or a number.
fn behind_bullet(line: &str) -> Option<&str> {
    let numbered = || {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < line.len()).then(|| rest.strip_prefix(['.', ')'])).flatten()
    };
    line.strip_prefix(['-', '*', '+']).or_else(numbered)
}

/// A line that begins with a box.
struct Boxed {
    mark: String,
    rest: String,
}

impl Boxed {
    fn new(line: &str) -> Option<Self> {
        let bulleted = behind_bullet(line)?;
        let inner = bulleted.trim_start().strip_prefix('[').or_else(|| bulleted.trim_start().strip_prefix("\\["))?;
        let (mark, rest) = inner.split_once(']')?;
        let mark = mark.trim_end_matches('\\').trim();
        // `[1](link)` is none.
        let fits = mark.chars().count() <= 1 && !rest.starts_with(['(', '[']);
        fits.then(|| Self { mark: mark.to_owned(), rest: rest.trim().to_owned() })
    }

    fn ticked(&self) -> Option<bool> {
        match self.mark.as_str() {
            "" => Some(false),
            "x" | "X" => Some(true),
            _ => None,
        }
    }

    /// The id in its code span, as it was written: no text of a step can hold one.
    fn quoted_id(&self) -> Option<String> {
        let mut spans = self.rest.split('`').skip(1).step_by(2).map(str::to_ascii_lowercase);
        spans.find(|w| is_id(w))
    }

    /// What is left of it where an editor took the span away.
    fn bare_id(&self) -> Option<String> {
        let words = self.rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').map(str::to_ascii_lowercase);
        words.rev().find(|w| is_id(w))
    }
}

fn cells(row: &str) -> Vec<String> {
    let row = row.strip_prefix('|').unwrap_or(row).trim_end();
    let mut cells = vec![String::new()];
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, cells.last_mut()) {
            ('|', _) if chars.peek().is_none() => {}
            ('|', _) => cells.push(String::new()),
            // A line is cut at the ends of its cells before anything in them is read.
            ('\\', Some(cell)) if chars.peek() == Some(&'|') => cell.extend(chars.next()),
            (c, Some(cell)) => {
                cell.push(c);
                if c == '\\' {
                    cell.extend(chars.next());
                }
            }
            _ => {}
        }
    }
    // A code span around the whole of it, and no sign that was written as one.
    let bare = |c: &str| c.strip_prefix('`').and_then(|c| c.strip_suffix('`')).map_or_else(|| plain(c), plain);
    cells.iter().map(|c| bare(c.trim())).collect()
}

/// What stands for something else, unless a backslash stands before it.
const MARKS: [(&str, &str); 8] = [
    ("<!-- -->", ""),
    ("<br>", "\n"),
    ("<br/>", "\n"),
    ("<br />", "\n"),
    ("&#58;", ":"),
    ("&#46;", "."),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// A text without what the writer put into it so that no page makes markup of it.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((mark, meant)) = MARKS.iter().find(|(mark, _)| rest.starts_with(mark)) {
            out.push_str(meant);
            rest = rest.get(mark.len()..).unwrap_or_default();
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match (c, rest.chars().next()) {
            ('\\', Some(next)) => {
                out.push(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
            (c, _) => out.push(c),
        }
    }
    clean(&out)
}
