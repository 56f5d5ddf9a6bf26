//! The text of a file that somebody's programs wrote: spreadsheets and editors have encodings of their own.

/// A text, and what has to be said of how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Lines end in `\n` alone.
    pub text: String,
    /// "not UTF-8, and was read as Windows-1252": what it is.
    pub remark: Option<&'static str>,
}

/// Starts of files that are no text, whatever they are called.
const OTHERS: [&[u8]; 3] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"];

/// Bytes that are looked at where no mark says how characters are written.
const LOOKED_AT: usize = 1024;

/// UTF-8 and UTF-16, by their marks or by what stands there; else Windows-1252, which spreadsheets write where nobody asks for UTF-8.
///
/// # Errors
/// What the file is instead.
pub fn text(bytes: &[u8]) -> Result<Text, &'static str> {
    if OTHERS.iter().any(|start| bytes.starts_with(start)) {
        return Err("it is a document of another program, and no text: save it as CSV or Markdown");
    }
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err("it is UTF-32: save it as UTF-8");
    }
    let (text, remark) = match (wide(bytes), bytes.strip_prefix(b"\xef\xbb\xbf")) {
        (Some((little, rest)), _) => utf16(rest, little)?,
        (None, marked) => {
            let rest = marked.unwrap_or(bytes);
            match std::str::from_utf8(rest) {
                Ok(text) => (text.to_owned(), None),
                Err(_) => (rest.iter().map(|b| western(*b)).collect(), Some("not UTF-8, and was read as Windows-1252")),
            }
        }
    };
    Ok(Text { text: text.replace("\r\n", "\n").replace('\r', "\n"), remark })
}

/// Whether it is UTF-16, little-endian or not, and what stands behind the mark. Without one: our own columns are plain letters, of which
/// every second byte is zero then.
fn wide(bytes: &[u8]) -> Option<(bool, &[u8])> {
    let little = bytes.strip_prefix(b"\xff\xfe").map(|rest| (true, rest));
    let marked = little.or_else(|| bytes.strip_prefix(b"\xfe\xff").map(|rest| (false, rest)));
    let zeros = |odd: usize| bytes.iter().take(LOOKED_AT).skip(odd).step_by(2).filter(|b| **b == 0).count();
    let most = bytes.len().min(LOOKED_AT) / 4;
    let (first, second) = (zeros(0), zeros(1));
    marked.or_else(|| (first.max(second) > most.max(1)).then_some((second > first, bytes)))
}

fn utf16(bytes: &[u8], little: bool) -> Result<(String, Option<&'static str>), &'static str> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err("its UTF-16 is cut short");
    }
    let unit = |pair: &[u8]| {
        let pair = <[u8; 2]>::try_from(pair).unwrap_or_default();
        if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let mut broken = None;
    let text = char::decode_utf16(pairs.map(unit)).map(|c| {
        c.unwrap_or_else(|_| {
            broken = Some("UTF-16 with what is no character");
            char::REPLACEMENT_CHARACTER
        })
    });
    Ok((text.collect(), broken))
}

/// Windows-1252.
fn western(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
        '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    let high = byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id;state;note\ns-0123abcd;closed;Jörg – \u{1f600}\n";

    fn read(bytes: &[u8]) -> (String, Option<&'static str>) {
        let read = text(bytes).unwrap();
        (read.text, read.remark)
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
    }

    #[test]
    fn encodings_say_the_same() {
        assert_eq!(read(TEXT.as_bytes()), (TEXT.to_owned(), None));
        assert_eq!(read(&[b"\xef\xbb\xbf", TEXT.as_bytes()].concat()), (TEXT.to_owned(), None));
        for little in [true, false] {
            let mark: &[u8] = if little { b"\xff\xfe" } else { b"\xfe\xff" };
            assert_eq!(read(&[mark, &utf16(TEXT, little)].concat()), (TEXT.to_owned(), None));
            assert_eq!(read(&utf16(TEXT, little)), (TEXT.to_owned(), None), "without a mark");
        }
        assert_eq!(
            read(b"J\xf6rg \x96 \x80"),
            ("Jörg – €".to_owned(), Some("not UTF-8, and was read as Windows-1252"))
        );
        assert_eq!(read(b"a\r\nb\rc\n").0, "a\nb\nc\n");
    }

    #[test]
    fn what_is_no_text_is_said() {
        assert!(text(b"PK\x03\x04rest").unwrap_err().contains("save it as CSV"));
        assert!(text(b"\xff\xfe\0\0i\0\0\0").unwrap_err().contains("UTF-32"));
        assert!(text(b"\xff\xfei").unwrap_err().contains("cut short"));
        assert_eq!(text(b"\xff\xfe\x00\xd8a\0").unwrap().remark, Some("UTF-16 with what is no character"));
        // One zero byte makes no UTF-16 of a text.
        assert_eq!(read(b"id,state\0\ns-0123abcd,open\n"), ("id,state\0\ns-0123abcd,open\n".to_owned(), None));
        assert_eq!(read(b""), (String::new(), None));
    }
}
