//! The way of a pin into a fact, and the bytes of a manifest as text.

use std::borrow::Cow;

use super::pin::Pin;
use crate::{
    ecosystem::pypi::{is_name, normalise, requirement},
    fact::{At, Ecosystem, Fact, Package, Placement, Requirement},
    surface::{Flaw, Sink},
};

/// More pins than any project has; what comes after them is a gap.
const PINS: u32 = 50_000;

/// More direct requirements than any project has.
const ASKED: usize = 5000;

/// Takes the pins of one file.
pub struct Listing<'o, 's> {
    out: &'o mut Sink<'s>,
    at: Option<At>,
    count: u32,
    asked: Vec<Requirement>,
}

impl<'o, 's> Listing<'o, 's> {
    /// For a file last changed at `at`.
    pub fn new(out: &'o mut Sink<'s>, at: Option<At>) -> Self {
        Self { out, at, count: 0, asked: Vec::new() }
    }

    /// A direct requirement of the project, pinned or not, in PEP 508 or only its name.
    pub fn asks_for(&mut self, text: &str) {
        let named = || Requirement::plain(normalise(text), text);
        let found = requirement(text).or_else(|| is_name(text).then(named));
        if let Some(found) = found.filter(|f| self.asked.len() < ASKED && !self.asked.contains(f)) {
            self.asked.push(found);
        }
    }

    /// The manifest is read: tells what its project asks for.
    pub fn end_of_manifest(self) {
        if !self.asked.is_empty() {
            self.out.push(self.at, Fact::Project { asked: self.asked });
        }
    }

    /// A pin, and the line it stands on.
    pub fn push(&mut self, pin: Pin, line: Option<u32>) {
        self.count = self.count.saturating_add(1);
        if self.count > PINS {
            if self.count == PINS + 1 {
                self.gap(&Flaw::malformed("list of packages", "more entries than are read"));
            }
            return;
        }
        let package = Package {
            ecosystem: Ecosystem::Pypi,
            name: pin.name.into(),
            version: pin.version.into(),
            placement: Placement::Listed,
            requires: [].into(),
            artifacts: pin.artifacts,
        };
        self.out.push_at(None, line, self.at.clone(), Fact::Package(package));
    }

    /// Something in the file that could not be read.
    pub fn gap(&mut self, flaw: &Flaw) {
        self.out.gap(None, flaw);
    }
}

/// The text of a file: without its byte order mark, UTF-16 (which PowerShell writes) as UTF-8. What is no text becomes `?`,
/// which is in no name and in no version.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // The mark may be missing; the first character of such a file is ASCII.
        [b, 0, c, 0, ..] if *b != 0 && *c != 0 => utf16(bytes, u16::from_le_bytes),
        [0, b, 0, c, ..] if *b != 0 && *c != 0 => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push('?');
        }
    }
    Cow::Owned(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit);
    Cow::Owned(char::decode_utf16(units).map(|c| c.unwrap_or('?')).collect())
}

/// Lines of a text with their numbers, from 1.
pub fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_wide_characters_are_read() {
        let wide = |s: &str, f: fn(u16) -> [u8; 2]| s.encode_utf16().flat_map(f).collect::<Vec<u8>>();
        let (le, be) = (u16::to_le_bytes, u16::to_be_bytes);
        for bytes in [
            b"a==1".to_vec(),
            b"\xef\xbb\xbfa==1".to_vec(),
            wide("\u{feff}a==1", le),
            wide("\u{feff}a==1", be),
            wide("a==1", le),
            wide("a==1", be),
        ] {
            assert_eq!(text(&bytes), "a==1", "{bytes:?}");
        }
        assert_eq!(text(b"a\xff==1"), "a?==1");
        assert_eq!(text(b"\xff\xfe\x00"), "");
        assert_eq!(text(b"\xff\xfe\x00\xd8a\x00"), "?a");
    }
}
