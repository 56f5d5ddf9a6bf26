//! JSON that goes to terminals too: what could steer one, turn the reading direction, or not be seen is written as `\uXXXX`. The
//! value that a reader gets is the same to the byte.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::hidden;

/// On one line, without a line end.
///
/// # Errors
/// When the writer fails.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Escaped(CompactFormatter))).map_err(io::Error::from)
}

/// Indented.
///
/// # Errors
/// When the writer fails.
pub fn write_pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Escaped(PrettyFormatter::new()))).map_err(io::Error::from)
}

/// Indented, as a text.
///
/// # Errors
/// Where the value has no form in JSON.
pub fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    indented(value, "  ")
}

/// `pretty` with this before each level.
///
/// # Errors
/// As for `pretty`.
pub fn indented(value: &impl Serialize, indent: &str) -> serde_json::Result<String> {
    let mut out = Vec::new();
    let layout = Escaped(PrettyFormatter::with_indent(indent.as_bytes()));
    value.serialize(&mut Serializer::with_formatter(&mut out, layout))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Another formatter, whose strings and keys hold nothing hidden.
struct Escaped<F>(F);

impl<F: Formatter> Formatter for Escaped<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| hidden(*c)) {
            out.write_all(fragment.get(plain..at).unwrap_or_default().as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        out.write_all(fragment.get(plain..).unwrap_or_default().as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_key(out)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_hidden_is_written_by_number() {
        let mut line = Vec::new();
        write(&["a\u{9b}31m\u{7f}", "\u{202e}\u{200b}\u{2028}", "\u{e0041}", "\"\\\n"], &mut line).unwrap();
        let expected = r#"["a\u009b31m\u007f","\u202e\u200b\u2028","\udb40\udc41","\"\\\n"]"#;
        assert_eq!(String::from_utf8(line).unwrap(), expected);
        assert_eq!(
            pretty(&BTreeMap::from([("k\u{feff}", "naïve 文 😀")])).unwrap(),
            "{\n  \"k\\ufeff\": \"naïve 文 😀\"\n}"
        );
    }

    #[test]
    fn every_character_comes_back_and_none_is_hidden() {
        for start in (0..=u32::from(char::MAX)).step_by(0x1000) {
            let text: String = (start..start + 0x1000).filter_map(char::from_u32).collect();
            let value = BTreeMap::from([(text.clone(), text)]);
            let written = pretty(&value).unwrap();
            assert!(!written.chars().any(|c| hidden(c) && c != '\n'), "{start:x}");
            assert_eq!(serde_json::from_str::<BTreeMap<String, String>>(&written).unwrap(), value);
        }
    }
}
