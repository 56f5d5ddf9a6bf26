//! YAML as JSON, a document at a time, so that one reader serves both. A scalar becomes a text as it is written, but for those that
//! are nothing (`~`, `null`, empty). An alias is replaced by what its anchor holds, to a bound: a bomb of them ends as a fault.

use std::{collections::HashMap, ops::Range};

use yaml_rust2::{Event, parser::Parser, scanner::TScalarStyle};

use crate::surface::Flaw;

/// Deeper than any manifest. Aliases can double it; readers of JSON end at 128.
const DEPTH: usize = 64;
/// Bytes that aliases add to one document.
const EXPANDED: usize = 4 << 20;
/// A key that is no scalar.
const ODD: &str = "\"?\"";

/// An open container.
struct Frame {
    /// `}` or `]`.
    end: char,
    /// Whether the next event is a key; never in a list.
    key: bool,
    /// Whether there is an element already.
    more: bool,
    /// What anchor holds it, and where it begins.
    anchor: Option<(usize, usize)>,
}

/// The JSON of one document so far.
#[derive(Default)]
struct Writer {
    out: String,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Range<usize>>,
    expanded: usize,
    /// How many containers of a key are open, which is passed over.
    odd: usize,
}

/// Hands on each document. Those before a fault are handed on too.
///
/// # Errors
/// Where the text is no YAML, deeper than anybody writes it, or much larger than it looks.
pub(super) fn documents(text: &str, each: &mut dyn FnMut(&str)) -> Result<(), Flaw> {
    let mut parser = Parser::new(text.chars());
    let mut writer = Writer::default();
    loop {
        // The scanner's own message may quote the text.
        let (event, mark) = parser.next_token().map_err(|error| {
            let line = error.marker().line();
            Flaw::Malformed { what: "YAML text", why: format!("a fault in line {line}").into() }
        })?;
        match event {
            Event::StreamEnd => return Ok(()),
            Event::DocumentStart => writer = Writer::default(),
            Event::DocumentEnd => each(&writer.out),
            Event::Scalar(value, style, anchor, _) => writer.scalar(&value, style, anchor),
            Event::Alias(anchor) => writer.alias(anchor, mark.line())?,
            Event::MappingStart(anchor, _) => writer.open('{', '}', anchor)?,
            Event::SequenceStart(anchor, _) => writer.open('[', ']', anchor)?,
            Event::MappingEnd | Event::SequenceEnd => writer.close(),
            Event::Nothing | Event::StreamStart => {}
        }
    }
}

impl Writer {
    /// What stands before a value or a key; whether it is a key.
    fn before(&mut self) -> bool {
        let Some(frame) = self.frames.last_mut() else {
            return false;
        };
        let is_key = frame.end == '}' && frame.key;
        if frame.end == ']' || is_key {
            if frame.more {
                self.out.push(',');
            }
            frame.more = true;
        } else {
            self.out.push(':');
        }
        if frame.end == '}' {
            frame.key = !is_key;
        }
        is_key
    }

    fn scalar(&mut self, value: &str, style: TScalarStyle, anchor: usize) {
        if self.odd > 0 {
            return;
        }
        let is_key = self.before();
        let start = self.out.len();
        let plain = style == TScalarStyle::Plain;
        if plain && !is_key && matches!(value, "" | "~" | "null" | "Null" | "NULL") {
            self.out.push_str("null");
        } else {
            quote(value, &mut self.out);
        }
        self.anchors.insert(anchor, start..self.out.len());
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), Flaw> {
        if self.odd > 0 {
            return Ok(());
        }
        let is_key = self.before();
        // One that is still open holds itself.
        let held = self.anchors.get(&anchor).cloned().and_then(|range| self.out.get(range));
        let Some(held) = held.map(str::to_owned) else {
            return Err(Flaw::Malformed {
                what: "YAML text",
                why: format!("an alias of itself in line {line}").into(),
            });
        };
        if is_key && !held.starts_with('"') {
            self.out.push_str(ODD);
            return Ok(());
        }
        self.expanded = self.expanded.saturating_add(held.len());
        if self.expanded > EXPANDED {
            return Err(Flaw::Unsupported("YAML whose aliases stand for more than 4 MB"));
        }
        self.out.push_str(&held);
        Ok(())
    }

    fn open(&mut self, start: char, end: char, anchor: usize) -> Result<(), Flaw> {
        if self.frames.len().saturating_add(self.odd) >= DEPTH {
            return Err(Flaw::Unsupported("YAML of more than 64 levels"));
        }
        if self.odd > 0 {
            self.odd += 1;
            return Ok(());
        }
        if self.before() {
            self.out.push_str(ODD);
            self.odd = 1;
            return Ok(());
        }
        let anchor = (anchor > 0).then_some((anchor, self.out.len()));
        self.out.push(start);
        self.frames.push(Frame { end, key: true, more: false, anchor });
        Ok(())
    }

    fn close(&mut self) {
        if self.odd > 0 {
            self.odd -= 1;
            return;
        }
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.out.push(frame.end);
        if let Some((anchor, start)) = frame.anchor {
            self.anchors.insert(anchor, start..self.out.len());
        }
    }
}

/// A text of JSON.
fn quote(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                use std::fmt::Write as _;
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        let mut all = Vec::new();
        let outcome = documents(text, &mut |json| {
            assert!(serde_json::from_str::<serde_json::Value>(json).is_ok() || json.is_empty(), "{json}");
            all.push(json.to_owned());
        });
        (all, outcome.err().map(|f| f.to_string()))
    }

    #[test]
    fn documents_become_json() {
        for (text, is) in [
            ("a: 1\nb:\n- x\n- {c: 'd', e: }\n", r#"{"a":"1","b":["x",{"c":"d","e":null}]}"#),
            ("a: \"null\"\nb: ~\nc: null\n", r#"{"a":"null","b":null,"c":null}"#),
            ("- 1\n- - 2\n  - {}\n", r#"["1",["2",{}]]"#),
            ("x", r#""x""#),
            ("a: |\n  q\"\\\n  \t z\n", r#"{"a":"q\"\\\n\u0009 z\n"}"#),
            ("? [a, {b: c}]\n: d\ne: f\n", r#"{"?":"d","e":"f"}"#),
            ("a: &x {b: 1}\nc: *x\nd: &y 2\n*y : 3\n", r#"{"a":{"b":"1"},"c":{"b":"1"},"d":"2","2":"3"}"#),
        ] {
            assert_eq!(read(text), (vec![is.to_owned()], None), "{text}");
        }
        assert_eq!(read("a: 1\n---\nb: 2\n").0, [r#"{"a":"1"}"#, r#"{"b":"2"}"#]);
        assert_eq!(read("").0, Vec::<String>::new());
    }

    #[test]
    fn what_is_hostile_ends() {
        let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for n in 1..12 {
            let list = vec![format!("*a{}", n - 1); 10].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
        }
        assert_eq!(read(&bomb).1.unwrap(), "YAML whose aliases stand for more than 4 MB is not supported");
        assert_eq!(read("a: &a [*a]").1.unwrap(), "not a valid YAML text: an alias of itself in line 1");
        assert_eq!(read(&"[".repeat(100)).1.unwrap(), "YAML of more than 64 levels is not supported");
        assert!(
            read(&"[".repeat(100_000)).1.is_some()
                && read(&"? ".repeat(1000)).1.is_some()
                && read(&"? [".repeat(1000)).1.is_some()
        );
        assert!(read("a: b: c").1.unwrap().starts_with("not a valid YAML text: a fault in line"));
        let (all, fault) = read("a: 1\n---\nb: [\n");
        assert_eq!(all, [r#"{"a":"1"}"#]);
        assert!(fault.is_some());
        // Whatever is cut off.
        let text = "a: &x {b: [1, 'c']}\nd: *x\n? [e]\n: f\n";
        (0..text.len()).for_each(|n| _ = read(&text[..n]));
    }
}
