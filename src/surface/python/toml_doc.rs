//! TOML with the lines of its values, read so that a hostile file costs no stack and little memory.

use std::{
    ops::{Deref, Range},
    sync::{Mutex, MutexGuard, PoisonError},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use toml_parser::{
    ErrorSink, Source, Span,
    parser::{EventReceiver, RecursionGuard, parse_document},
};

use crate::surface::Flaw;

/// A document of more bytes is not parsed as a whole: its tree may take a hundred times as much.
pub const DOCUMENT: usize = 1 << 20;

/// More dots than keys of any tool have. Each makes a table in a table, and the crate limits the depth of brackets only.
const DOTS: usize = 60;

/// As deep as the crate itself follows brackets.
const BRACKETS: u32 = 80;

/// Tables, arrays and dots of one document, each of which costs up to two kilobytes.
const CONTAINERS: usize = 40_000;

/// Documents of more bytes are parsed one at a time, by however many workers.
const LARGE: usize = 16 << 10;

static TURN: Mutex<()> = Mutex::new(());

/// A document's top table. Hold one at a time.
pub struct Document<'t> {
    top: DeTable<'t>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl<'t> Deref for Document<'t> {
    type Target = DeTable<'t>;

    fn deref(&self) -> &DeTable<'t> {
        &self.top
    }
}

/// The top table of a document.
///
/// # Errors
/// Where it is not TOML, too large, or nested too deeply.
pub fn parse<'t>(text: &'t str, what: &'static str) -> Result<Document<'t>, Flaw> {
    if text.len() > DOCUMENT {
        return Err(Flaw::TooLarge(u64::try_from(DOCUMENT).unwrap_or(u64::MAX)));
    }
    let turn = (text.len() > LARGE).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner));
    let shape = shape(text);
    if shape.deepest > DOTS {
        return Err(Flaw::malformed(what, "a key has too many parts"));
    }
    if shape.containers > CONTAINERS {
        return Err(Flaw::malformed(what, "more than 40,000 tables and lists"));
    }
    let top = DeTable::parse(text).map_err(|_| Flaw::malformed(what, "not TOML"))?;
    Ok(Document { top: top.into_inner(), _turn: turn })
}

/// How deep and how rich the document is. Runs over the parser's events and builds nothing.
fn shape(text: &str) -> Shape {
    let tokens = Source::new(text).lex().into_vec();
    let mut shape = Shape::default();
    let mut errors = ();
    parse_document(&tokens, &mut RecursionGuard::new(&mut shape, BRACKETS), &mut errors);
    shape
}

/// Counts the dots on the way from a table's header to a value, and what holds values.
#[derive(Default)]
struct Shape {
    dots: usize,
    /// The dots before each bracket that is open.
    open: Vec<usize>,
    deepest: usize,
    containers: usize,
}

impl Shape {
    fn back(&mut self) {
        self.dots = self.open.last().copied().unwrap_or(0);
    }
}

impl EventReceiver for Shape {
    fn std_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.containers += 1;
        self.back();
    }
    fn array_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.containers += 1;
        self.back();
    }
    fn inline_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) -> bool {
        self.containers += 1;
        self.open.push(self.dots);
        true
    }
    fn inline_table_close(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.dots = self.open.pop().unwrap_or(0);
    }
    fn array_open(&mut self, _: Span, _: &mut dyn ErrorSink) -> bool {
        self.containers += 1;
        self.open.push(self.dots);
        true
    }
    fn array_close(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.dots = self.open.pop().unwrap_or(0);
    }
    fn key_sep(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.dots += 1;
        self.containers += 1;
        self.deepest = self.deepest.max(self.dots);
    }
    fn value_sep(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.back();
    }
    fn newline(&mut self, _: Span, _: &mut dyn ErrorSink) {
        if self.open.is_empty() {
            self.dots = 0;
        }
    }
}

/// Counts lines up to places that are asked for in any order.
pub struct Lines {
    ends: Vec<usize>,
    before: u32,
}

impl Lines {
    /// Of a part of a file that `before` lines precede.
    pub fn new(text: &str, before: u32) -> Self {
        Self { ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect(), before }
    }

    /// The line, from 1, on which this stands.
    pub fn line_of(&self, span: &Range<usize>) -> Option<u32> {
        let within = self.ends.partition_point(|end| *end < span.start);
        u32::try_from(within).ok()?.checked_add(self.before)?.checked_add(1)
    }
}

/// A value of a table.
pub fn field<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a DeValue<'t>> {
    table.get(key).map(Spanned::get_ref)
}

/// A text of a table.
pub fn string<'a>(table: &'a DeTable<'_>, key: &str) -> Option<&'a str> {
    field(table, key)?.as_str()
}

/// A table in a table.
pub fn table<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Option<&'a DeTable<'t>> {
    field(table, key)?.as_table()
}

/// The items of an array; nothing where there is none.
pub fn items<'a, 't>(table: &'a DeTable<'t>, key: &str) -> impl Iterator<Item = &'a Spanned<DeValue<'t>>> {
    field(table, key).and_then(DeValue::as_array).into_iter().flat_map(|a| a.iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bombs_cost_no_stack() {
        let n = 100_000;
        for bomb in [
            format!("a = {}", "[".repeat(n)),
            format!("a = {}{}", "[".repeat(n), "]".repeat(n)),
            format!("a = {}", "{a=".repeat(n)),
            format!("a = {}1{}", "{a=".repeat(n), "}".repeat(n)),
            format!("{}a = 1", "a.".repeat(n)),
            format!("{}a = 1", "a . ".repeat(n)),
            format!("{}a = 1", "\"a\".".repeat(n)),
            format!("{}a = 1", "'a' . ".repeat(n)),
            format!("[{}a]", "a.".repeat(n)),
            format!("[[{}a]]", "a.".repeat(n)),
            format!("x = {{ {}a = 1 }}", "a.".repeat(n)),
            format!("x = {{ y = \"\"\"\n \"\"\", {}a = 1 }}", "a.".repeat(n)),
            format!("\"\\\"\" . {}a = 1", "a.".repeat(n)),
            format!("{}a = 1", ".".repeat(n)),
            format!("a = 1\n{}", "[a.".repeat(n)),
            format!("a = {}", "{ a.a.a.a.a = ".repeat(n)),
        ] {
            assert!(parse(&bomb, "x").is_err(), "{}", &bomb[..20]);
        }
        assert!(matches!(parse(&"#".repeat(DOCUMENT + 1), "x"), Err(Flaw::TooLarge(_))));
    }

    #[test]
    fn a_document_of_tables_alone_is_not_built() {
        for bomb in [
            format!("a = [{}]", "{a=1},".repeat(45_000)),
            format!("a = [{}]", "[],".repeat(45_000)),
            "[[a]]\n".repeat(45_000),
            (0..45_000).map(|i| format!("[t{i}]\n")).collect(),
            (0..45_000).map(|i| format!("a.b{i}=1\n")).collect(),
        ] {
            let flaw = parse(&bomb, "x").err().map(|flaw| flaw.to_string());
            assert!(flaw.is_some_and(|f| f.contains("40,000")), "{}", &bomb[..20]);
        }
        let files = "{file = \"a-1.0-py3-none-any.whl\", hash = \"sha256:0000000000000000\"},\n".repeat(10_000);
        assert!(parse(&format!("[metadata.files]\na = [\n{files}]\n"), "x").is_ok());
    }

    #[test]
    fn dots_in_texts_are_no_keys() {
        assert!(parse(&format!("a = \"{}\"\nb = 1.5", ".".repeat(1000)), "x").is_ok());
        assert!(parse(&format!("a = \"\"\"\n{}\n\"\"\"", "a. ".repeat(50)), "x").is_ok());
        assert!(parse(&format!("# {}", ".".repeat(1000)), "x").is_ok());
        let many: Vec<_> = (0..1000).map(|i| format!("{{a.b{i} = 1.0}}")).collect();
        assert!(parse(&format!("a = [{}]", many.join(", ")), "x").is_ok());
    }

    #[test]
    fn lines_count_from_one() {
        let lines = Lines::new("a\nb\nc", 10);
        assert_eq!(
            [lines.line_of(&(0..1)), lines.line_of(&(2..3)), lines.line_of(&(4..5))],
            [Some(11), Some(12), Some(13)]
        );
    }
}
