//! YAML of any form, a scalar at a time with the keys above it. Read as events: an alias is never expanded, so that a bomb of them is a few
//! lines of text; one that stands for a single scalar is that scalar.

use std::collections::HashMap;

use yaml_rust2::{Event, parser::Parser};

use super::Flaw;

/// Deeper than any configuration.
const DEPTH: usize = 64;
/// Anchors of scalars that are remembered.
const ANCHORS: usize = 1000;

/// A scalar that is a value.
pub struct Scalar<'y> {
    /// The keys above it, from the outermost; an element of a list has an empty one.
    pub keys: &'y [String],
    /// As it is meant, without its quotes.
    pub text: &'y str,
    /// From 1; of a block of text its first.
    pub line: u32,
}

impl Scalar<'_> {
    /// Its own key; of an element of a list that of the list.
    pub fn key(&self) -> &str {
        self.keys.iter().rev().find(|k| !k.is_empty()).map_or("", String::as_str)
    }
}

/// Where the reader is in a container.
enum Frame {
    /// The next event is a key.
    Key,
    /// The next event is a key's value.
    Value,
    /// A container is the key.
    InKey,
    /// The next event is an element.
    Element,
}

/// Hands on the scalars of all documents, in order. Those before a fault are handed on too.
///
/// # Errors
/// Where the text is no YAML, or deeper than anybody writes it.
pub fn scalars(text: &str, each: &mut dyn FnMut(&Scalar<'_>)) -> Result<(), Flaw> {
    let mut parser = Parser::new(text.chars());
    let (mut frames, mut keys): (Vec<Frame>, Vec<String>) = (Vec::new(), Vec::new());
    let mut anchors: HashMap<usize, String> = HashMap::new();
    loop {
        // The scanner's own message may quote the text.
        let (event, mark) = parser.next_token().map_err(|_| Flaw::malformed("YAML text", "bad syntax"))?;
        let line = u32::try_from(mark.line()).unwrap_or(u32::MAX);
        let value = match event {
            Event::StreamEnd => return Ok(()),
            Event::Scalar(value, _, anchor, _) => {
                if anchor > 0 && anchors.len() < ANCHORS {
                    anchors.insert(anchor, value.clone());
                }
                Some(value)
            }
            Event::Alias(anchor) => Some(anchors.get(&anchor).cloned().unwrap_or_default()),
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if frames.len() >= DEPTH {
                    return Err(Flaw::Unsupported("YAML of more than 64 levels"));
                }
                match frames.last_mut() {
                    Some(frame @ Frame::Key) => {
                        *frame = Frame::InKey;
                        keys.push(String::new());
                    }
                    Some(Frame::Element) => keys.push(String::new()),
                    _ => {}
                }
                frames.push(if matches!(event, Event::MappingStart(..)) { Frame::Key } else { Frame::Element });
                None
            }
            Event::MappingEnd | Event::SequenceEnd => {
                frames.pop();
                close(&mut frames, &mut keys);
                None
            }
            _ => None,
        };
        let Some(value) = value else {
            continue;
        };
        match frames.last_mut() {
            Some(frame @ Frame::Key) => {
                *frame = Frame::Value;
                keys.push(value);
                continue;
            }
            Some(Frame::Element) => keys.push(String::new()),
            _ => {}
        }
        if !frames.iter().any(|f| matches!(f, Frame::InKey)) {
            each(&Scalar { keys: &keys, text: &value, line });
        }
        close(&mut frames, &mut keys);
    }
}

/// A value, an element, or a key that is a container has ended.
fn close(frames: &mut [Frame], keys: &mut Vec<String>) {
    match frames.last_mut() {
        Some(frame @ Frame::InKey) => *frame = Frame::Value,
        Some(frame @ Frame::Value) => {
            *frame = Frame::Key;
            keys.pop();
        }
        Some(Frame::Element) => _ = keys.pop(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, bool) {
        let mut found = Vec::new();
        let outcome = scalars(text, &mut |s| found.push(format!("{}={}@{}", s.keys.join("."), s.text, s.line)));
        (found, outcome.is_err())
    }

    #[test]
    fn scalars_have_their_keys_and_lines() {
        let text = "a: 1\nb:\n  - c: x\n    d: 'y: z'\n  - - 2\n# e: 3\nf: {g: h, ? [i] : j}\n---\nk: |\n  m\n  n: o\n";
        let wanted = ["a=1@1", "b..c=x@3", "b..d=y: z@4", "b..=2@5", "f.g=h@7", "f.=j@7", "k=m\nn: o\n@10"];
        assert_eq!(read(text), (wanted.map(str::to_owned).to_vec(), false));
    }

    #[test]
    fn an_alias_of_a_scalar_is_that_scalar() {
        assert_eq!(read("a: &x v1\nb: *x\n").0, ["a=v1@1", "b=v1@2"]);
        assert_eq!(read("a: &x [1]\nb: *x\n").0, ["a.=1@1", "b=@2"]);
    }

    #[test]
    fn what_is_broken_says_so() {
        for text in ["a: [1", "a: \"x", "a: b: c: d", "*unknown"] {
            assert!(read(text).1, "{text}");
        }
        assert!(read(&"[".repeat(100)).1 && read(&"- ".repeat(100)).1);
        assert_eq!(read("a: 1\nb: [").0, ["a=1@1"]);
        assert_eq!(read(""), (Vec::new(), false));
    }
}
