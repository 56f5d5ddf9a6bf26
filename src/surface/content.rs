//! The bytes of a file as text, and how surfaces recognise a file by its start, whatever its name.

use std::borrow::Cow;

/// Whether a line of the text begins so, behind spaces.
pub fn line_starts(text: &str, start: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with(start))
}

/// Whether a line of the text is this.
pub fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.trim() == wanted)
}

/// Whether a file starts as a build file of images does.
pub fn is_build_file(head: &[u8]) -> bool {
    let text = text(head);
    let first = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
    first.is_some_and(|l| l.starts_with("FROM ") || l.starts_with("ARG ")) && line_starts(&text, "RUN ")
}

/// Whether at least half of the lines are such, and at least one. Empty lines, comments and the last line, which may be cut, do not count
/// where there are others.
pub fn mostly(text: &str, is: impl Fn(&str) -> bool) -> bool {
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).take(2000).collect();
    let fit = lines.iter().filter(|line| is(line)).count();
    fit > 0 && fit * 2 >= lines.len()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_lines_are_enough() {
        let fits = |text: &str| mostly(text, |line| line == "a");
        assert!(fits("a") && fits("# b\n\na\nb\n") && !fits("a\nb\nb\n") && !fits("") && !fits("# a"));
        assert!(
            line_starts("x\n  [a", "[a")
                && !line_starts("x [a", "[a")
                && has_line("x\n [a] ", "[a]")
                && !has_line("[a]x", "[a]")
        );
    }

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
