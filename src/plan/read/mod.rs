//! What an edited plan says: its Markdown (boxes, and the table of the record) or its CSV. Whatever a person may have written there is
//! read by the id of the item that stands in the line. What cannot be read is refused, and what is left aside is said.

mod csv;
mod decode;
mod markdown;
mod moment;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use jiff::Timestamp;

use self::moment::{Fault, moment};
pub use self::{csv::csv, decode::text, markdown::markdown};
use crate::{
    report::v1::{State, Work},
    text::{escape, printable},
};

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As the user named it.
    pub file: Arc<str>,
    /// From 1.
    pub number: usize,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.number)
    }
}

impl Line {
    /// "plan.md:41".
    pub fn short(&self) -> String {
        format!("{}:{}", self.file, self.number)
    }
}

/// A field of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// How far it is.
    State,
    /// Who sees to it.
    Owner,
    /// Who did it.
    DoneBy,
    /// Who saw it.
    CheckedBy,
    /// When the last of the old ones ended.
    Revoked,
    /// When the first of the new ones was made.
    Issued,
    /// When the second person saw it.
    Checked,
    /// Anything.
    Note,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Of `State`.
    State(State),
    /// A name or a note.
    Text(String),
    /// Of the three times; nothing where the cell is empty.
    Time(Option<Timestamp>),
}

impl Field {
    /// All, in the order of the columns.
    pub const ALL: [Self; 8] = [
        Self::State,
        Self::Owner,
        Self::DoneBy,
        Self::CheckedBy,
        Self::Revoked,
        Self::Issued,
        Self::Checked,
        Self::Note,
    ];

    /// What its column is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Owner => "owner",
            Self::DoneBy => "done by",
            Self::CheckedBy => "checked by",
            Self::Revoked => "revoked",
            Self::Issued => "issued",
            Self::Checked => "checked",
            Self::Note => "note",
        }
    }

    /// What it holds of an item.
    pub fn of(self, work: &Work) -> Value {
        match self {
            Self::State => Value::State(work.state),
            Self::Owner => Value::Text(work.owner.clone()),
            Self::DoneBy => Value::Text(work.done_by.clone()),
            Self::CheckedBy => Value::Text(work.checked_by.clone()),
            Self::Revoked => Value::Time(work.revoked),
            Self::Issued => Value::Time(work.issued),
            Self::Checked => Value::Time(work.checked),
            Self::Note => Value::Text(work.note.clone()),
        }
    }

    /// Puts it there. A value of another kind changes nothing.
    pub fn put(self, work: &mut Work, value: Value) {
        match (self, value) {
            (Self::State, Value::State(state)) => work.state = state,
            (Self::Owner, Value::Text(text)) => work.owner = text,
            (Self::DoneBy, Value::Text(text)) => work.done_by = text,
            (Self::CheckedBy, Value::Text(text)) => work.checked_by = text,
            (Self::Note, Value::Text(text)) => work.note = text,
            (Self::Revoked, Value::Time(at)) => work.revoked = at,
            (Self::Issued, Value::Time(at)) => work.issued = at,
            (Self::Checked, Value::Time(at)) => work.checked = at,
            _ => {}
        }
    }
}

impl Value {
    /// Whether a file that was written from the one shows the other.
    pub fn is_as_written(&self, stored: &Self) -> bool {
        match (self, stored) {
            (Self::Text(a), Self::Text(b)) => *a == clean(&printable(b)),
            (Self::Time(a), Self::Time(b)) => a.map(Timestamp::as_second) == b.map(Timestamp::as_second),
            (a, b) => a == b,
        }
    }

    /// For a message.
    pub fn words(&self) -> String {
        match self {
            Self::State(state) => state.as_str().to_owned(),
            Self::Text(text) if text.is_empty() => "nothing".to_owned(),
            Self::Text(text) => format!("`{}`", escape(text.as_bytes())),
            Self::Time(None) => "nothing".to_owned(),
            Self::Time(Some(at)) => format!("{at:.0}"),
        }
    }
}

/// One thing that a line says of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The item's id.
    pub item: String,
    /// Where.
    pub line: Line,
    /// Of what.
    pub field: Field,
    /// What.
    pub value: Value,
    /// By the box before the item, not by its row.
    pub by_box: bool,
}

/// The box of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepBox {
    /// Id of the item above it.
    pub item: String,
    /// Where.
    pub line: Line,
    /// What stands behind it.
    pub words: String,
    /// Whether it is ticked.
    pub ticked: bool,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Of items, in the order of the lines.
    pub said: Vec<Said>,
    /// Of steps.
    pub steps: Vec<StepBox>,
    /// Rows whose state is empty.
    pub without_state: Vec<(String, Line)>,
    /// Ticks of the first page, with what stands behind each: pictures of the boxes of items.
    pub pictures: Vec<(Line, String)>,
    /// What is left aside, and why.
    pub ignored: Vec<(Line, String)>,
}

impl Sheet {
    /// Whether a person wrote anything that a fresh plan does not say.
    pub fn is_worked(&self) -> bool {
        let fresh = Work::default();
        self.said.iter().any(|s| !s.value.is_as_written(&s.field.of(&fresh))) || self.steps.iter().any(|s| s.ticked)
    }
}

/// Lines of a file that are read.
const LINES: usize = 2_000_000;

/// Refuses what a file says twice, and otherwise each time.
fn once(sheet: Sheet, mut faults: Vec<String>) -> Result<Sheet, Vec<String>> {
    let mut known: HashMap<(&str, Field, bool), &Said> = HashMap::new();
    let mut named: HashSet<(usize, usize)> = HashSet::new();
    for said in &sheet.said {
        let first = *known.entry((&said.item, said.field, said.by_box)).or_insert(said);
        // One word for a pair of lines, however many of their fields differ.
        if first.value != said.value && named.insert((first.line.number, said.line.number)) {
            faults.push(format!(
                "{}: {} stands there again, and {} says otherwise: {} is {} there, and {} here",
                said.line,
                said.item,
                first.line,
                said.field.as_str(),
                first.value.words(),
                said.value.words()
            ));
        }
    }
    if faults.is_empty() { Ok(sheet) } else { Err(faults) }
}

/// `s-` and 8 hex digits.
fn is_id(word: &str) -> bool {
    word.strip_prefix("s-").is_some_and(|h| h.len() == 8 && h.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A text without what nobody sees: other blanks are blanks, line ends within a cell are ` / `.
fn clean(text: &str) -> String {
    let lines = text.split(['\n', '\r', '\u{b}', '\u{2028}', '\u{2029}']).map(|line| {
        let seen = line.chars().filter(|c| c.is_whitespace() || !crate::text::hidden(*c));
        let plain: String = seen.map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        plain.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// The columns of a table, by what its first line calls them.
#[derive(Debug, Clone)]
struct Columns {
    id: usize,
    fields: Vec<(Field, usize)>,
}

impl Columns {
    /// `None` where the line heads no record.
    ///
    /// # Errors
    /// The name of a column that stands there twice.
    fn new(cells: &[String]) -> Result<Option<Self>, String> {
        let name = |cell: &String| {
            let plain = cell.trim_matches(['*', '`', '_', '"']).to_lowercase().replace(['_', '-'], " ");
            plain.trim_end_matches("(utc)").trim_end_matches(" utc").trim().to_owned()
        };
        let names: Vec<String> = cells.iter().map(name).collect();
        let at = |wanted: &str| names.iter().position(|n| n == wanted);
        let (Some(id), Some(_)) = (at("id"), at("state")) else { return Ok(None) };
        let known = ["id"].into_iter().chain(Field::ALL.map(Field::as_str));
        if let Some(twice) = known.into_iter().find(|w| names.iter().filter(|n| n == w).count() > 1) {
            return Err(format!("two columns are called `{twice}`"));
        }
        let fields = Field::ALL.into_iter().filter_map(|f| Some((f, at(f.as_str())?))).collect();
        Ok(Some(Self { id, fields }))
    }

    /// What a row says; cells that it does not have say nothing.
    fn row(&self, cells: &[String], line: &Line, sheet: &mut Sheet) -> Result<(), String> {
        let id = cells.get(self.id).map_or("", |c| c.trim_matches(['*', '`', '_', '~', ' '])).to_ascii_lowercase();
        if id.is_empty() {
            sheet.ignored.push((line.clone(), "a row without an item's id".to_owned()));
            return Ok(());
        }
        if !is_id(&id) {
            return Err(format!("`{}` is no item's id", escape(id.as_bytes())));
        }
        for (field, at) in &self.fields {
            let Some(cell) = cells.get(*at) else { continue };
            let value = match field {
                Field::State => match state(cell)? {
                    Some(state) => Value::State(state),
                    None => {
                        sheet.without_state.push((id.clone(), line.clone()));
                        continue;
                    }
                },
                Field::Revoked | Field::Issued | Field::Checked => Value::Time(time(cell, *field)?),
                Field::Owner | Field::DoneBy | Field::CheckedBy | Field::Note => Value::Text(cell.clone()),
            };
            sheet.said.push(Said { item: id.clone(), line: line.clone(), field: *field, value, by_box: false });
        }
        Ok(())
    }
}

/// Nothing where the cell is empty.
fn state(cell: &str) -> Result<Option<State>, String> {
    let word = cell.trim_matches(['*', '`', '_', ' ']).to_lowercase().replace([' ', '-'], "_");
    if word.is_empty() {
        return Ok(None);
    }
    // What waits for a gate is open.
    if word.starts_with("blocked:") {
        return Ok(Some(State::Open));
    }
    let known = State::ALL.into_iter().find(|s| s.as_str() == word);
    known.map(Some).ok_or_else(|| {
        let words: Vec<&str> = State::ALL.iter().map(|s| s.as_str()).collect();
        format!("`{}` is no state; they are {}", escape(cell.as_bytes()), words.join(", "))
    })
}

fn time(cell: &str, field: Field) -> Result<Option<Timestamp>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    let (shown, name) = (escape(cell.as_bytes()), field.as_str());
    moment(cell).map(Some).map_err(|fault| match fault {
        Fault::Either(a, b) => {
            format!(
                "`{shown}` under `{name}` may be {a} or {b}; write the one that is meant, as 2026-03-24 11:05 (UTC)"
            )
        }
        Fault::None => {
            format!("`{shown}` under `{name}` is no time; write 2026-03-24 11:05 (UTC) or 2026-03-24T11:05:00Z")
        }
    })
}

#[cfg(test)]
mod tests;
