//! TOML with the lines of its values, read so that a hostile file costs no stack and little memory.

use std::ops::Range;

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

/// The top table of a document.
///
/// # Errors
/// Where it is not TOML, too large, or nested too deeply.
pub fn parse<'t>(text: &'t str, what: &'static str) -> Result<DeTable<'t>, Flaw> {
    if text.len() > DOCUMENT {
        return Err(Flaw::TooLarge(u64::try_from(DOCUMENT).unwrap_or(u64::MAX)));
    }
    if has_deep_key(text) {
        return Err(Flaw::malformed(what, "a key has too many parts"));
    }
    DeTable::parse(text).map(Spanned::into_inner).map_err(|_| Flaw::malformed(what, "not TOML"))
}

/// Whether some key lies deeper than `DOTS` dots below its table. Runs over the parser's events and builds nothing.
fn has_deep_key(text: &str) -> bool {
    let tokens = Source::new(text).lex().into_vec();
    let mut depth = KeyDepth::default();
    let mut errors = ();
    parse_document(&tokens, &mut RecursionGuard::new(&mut depth, BRACKETS), &mut errors);
    depth.deepest > DOTS
}

/// Counts the dots on the way from a table's header to a value.
#[derive(Default)]
struct KeyDepth {
    dots: usize,
    /// The dots before each bracket that is open.
    open: Vec<usize>,
    deepest: usize,
}

impl KeyDepth {
    fn back(&mut self) {
        self.dots = self.open.last().copied().unwrap_or(0);
    }
}

impl EventReceiver for KeyDepth {
    fn std_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.back();
    }
    fn array_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.back();
    }
    fn inline_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) -> bool {
        self.open.push(self.dots);
        true
    }
    fn inline_table_close(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.dots = self.open.pop().unwrap_or(0);
    }
    fn array_open(&mut self, _: Span, _: &mut dyn ErrorSink) -> bool {
        self.open.push(self.dots);
        true
    }
    fn array_close(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.dots = self.open.pop().unwrap_or(0);
    }
    fn key_sep(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.dots += 1;
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
    pub fn of(&self, span: &Range<usize>) -> Option<u32> {
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
        assert_eq!([lines.of(&(0..1)), lines.of(&(2..3)), lines.of(&(4..5))], [Some(11), Some(12), Some(13)]);
    }
}
