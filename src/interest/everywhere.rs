//! The addresses and texts of all indicators, in bytes that may be anything.

use std::{
    collections::BTreeSet,
    io::{self, Read},
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::traces::Traces;
use crate::fact::TraceKind;

/// What of a word is looked at on each side of a match.
const AROUND: usize = 256;
/// Read at a time.
const BLOCK: usize = 256 << 10;

/// One pass for all of them.
#[derive(Debug)]
pub struct Everywhere {
    finder: AhoCorasick,
    /// The first patterns, which are texts; behind them come hosts.
    texts: Vec<String>,
    longest: usize,
}

impl Everywhere {
    /// Of these texts and hosts. `None` where there are none, or more than a search takes.
    pub(super) fn new<'h>(texts: &'h [String], hosts: impl Iterator<Item = &'h str>) -> Option<Self> {
        let patterns: Vec<&str> = texts.iter().map(String::as_str).chain(hosts).collect();
        let longest = patterns.iter().map(|p| p.len()).max()?;
        let kind = Some(AhoCorasickKind::DFA);
        let finder = AhoCorasick::builder().kind(kind).ascii_case_insensitive(true).build(&patterns).ok()?;
        Some(Self { finder, texts: texts.to_vec(), longest })
    }
}

/// A search through one file, or through several as if they were one.
pub struct Search<'t> {
    traces: &'t Traces,
    everywhere: Option<&'t Everywhere>,
    /// Each value once.
    found: BTreeSet<(TraceKind, &'t str)>,
    /// Kept from one reader to the next.
    buffer: Vec<u8>,
}

impl<'t> Search<'t> {
    /// For what these indicators know.
    pub fn new(traces: &'t Traces) -> Self {
        Self { traces, everywhere: traces.everywhere(), found: BTreeSet::new(), buffer: Vec::new() }
    }

    /// Each value that was found, once, in the indicators' own words.
    pub fn found(self) -> BTreeSet<(TraceKind, &'t str)> {
        self.found
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// Of the reader; what was found before it stays.
    pub fn read(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let Some(everywhere) = self.everywhere else { return Ok(()) };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(everywhere.longest + 2 * AROUND + BLOCK, 0);
        let read = self.read_with(&mut buffer, everywhere, from);
        self.buffer = buffer;
        read
    }

    fn read_with(&mut self, buffer: &mut [u8], everywhere: &'t Everywhere, from: &mut dyn Read) -> io::Result<()> {
        let keep = everywhere.longest + 2 * AROUND;
        let mut held = 0;
        loop {
            let read = fill(from, buffer.get_mut(held..).unwrap_or_default())?;
            let len = held + read;
            let last = len < buffer.len();
            let bytes = buffer.get(..len).unwrap_or_default();
            // What lies near the end is looked at with what follows it.
            self.look(everywhere, bytes, if last { len } else { len - AROUND });
            if last {
                return Ok(());
            }
            buffer.copy_within(len - keep..len, 0);
            held = keep;
        }
    }

    /// The matches that end before `until`.
    fn look(&mut self, everywhere: &'t Everywhere, bytes: &[u8], until: usize) {
        for found in everywhere.finder.find_overlapping_iter(bytes).filter(|m| m.end() <= until) {
            match everywhere.texts.get(found.pattern().as_usize()) {
                Some(text) => {
                    if bytes.get(found.range()) == Some(text.as_bytes()) {
                        self.found.insert((TraceKind::Text, text));
                    }
                }
                None => self.found.extend(self.traces.address(&word(bytes, found.start(), found.end()))),
            }
        }
    }
}

/// Fills a buffer as far as the reader goes.
fn fill(from: &mut dyn Read, mut buffer: &mut [u8]) -> io::Result<usize> {
    let whole = buffer.len();
    while !buffer.is_empty() {
        match from.read(buffer) {
            Ok(0) => break,
            Ok(n) => buffer = buffer.get_mut(n..).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(whole - buffer.len())
}

/// The address around a match: `user@evil.example:443/x`.
fn word(bytes: &[u8], start: usize, end: usize) -> String {
    let before = |b: &&u8| b.is_ascii_alphanumeric() || b"._-:/@%[".contains(b);
    let behind = |b: &&u8| b.is_ascii_alphanumeric() || b"._-:/?=&%#~+]".contains(b);
    let left = bytes.get(..start).unwrap_or_default().iter().rev().take(AROUND).take_while(before).count();
    let right = bytes.get(end..).unwrap_or_default().iter().take(AROUND).take_while(behind).count();
    let word = String::from_utf8_lossy(bytes.get(start - left..end + right).unwrap_or_default()).into_owned();
    word.trim_start_matches(['/', ':', '.', '-', '@', '%', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        let values = [
            (TraceKind::Host, "evil.example"),
            (TraceKind::Host, "203.0.113.7"),
            (TraceKind::Url, "https://shared.example/a/x.sh"),
            (TraceKind::Text, "PAYLOAD-1"),
            (TraceKind::Text, "PAYLOAD-12"),
        ];
        Traces::new(values.map(|(kind, value)| (kind, value.to_owned())))
    }

    fn found(bytes: &[u8]) -> Vec<String> {
        let traces = traces();
        let mut search = Search::new(&traces);
        search.read(&mut &*bytes).unwrap();
        search.found().into_iter().map(|(_, value)| value.to_owned()).collect()
    }

    #[test]
    fn a_value_is_found_in_any_bytes() {
        for (text, value) in [
            ("\0\u{1}evil.example\0", "evil.example"),
            ("x = 'https://EVIL.example/up';", "evil.example"),
            ("host=cdn.evil.example", "evil.example"),
            ("curl me:pw@evil.example:443/x", "evil.example"),
            ("[\"203.0.113.7\"]", "203.0.113.7"),
            ("GET https://shared.example/a/x.sh?y HTTP/1.1", "https://shared.example/a/x.sh"),
        ] {
            assert_eq!(found(text.as_bytes()), [value], "{text}");
        }
        assert_eq!(found(b"xPAYLOAD-12x"), ["PAYLOAD-1", "PAYLOAD-12"]);
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        for text in [
            "notevil.example",
            "evil.example.org",
            "evil.examples",
            "evil[.]example",
            "1203.0.113.7",
            "203.0.113.70",
            "https://shared.example/b",
            "payload-1",
            "PAYLOAD_1",
            "",
        ] {
            assert_eq!(found(text.as_bytes()), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_value_across_two_blocks_is_found_once_and_whole() {
        for at in (BLOCK - 40..BLOCK + 1200).step_by(7) {
            let mut bytes = vec![b' '; at];
            bytes.extend_from_slice(b"evil.example");
            assert_eq!(found(&bytes), ["evil.example"], "{at}");
            bytes.extend_from_slice(b".org");
            bytes.resize(2 * BLOCK, b' ');
            assert_eq!(found(&bytes), [""; 0], "{at}");
        }
    }

    #[test]
    fn nothing_is_asked_for() {
        let none = Traces::default();
        let mut search = Search::new(&none);
        search.read(&mut &b"evil.example"[..]).unwrap();
        assert!(search.found().is_empty());
    }
}
