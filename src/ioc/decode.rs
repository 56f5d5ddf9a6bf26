//! The text of a file that is not what it should be, decoded as far as possible: UTF-8, UTF-16, one byte a letter; with the escapes of
//! JSON, TOML, shells and URLs taken off beside it.

/// The text, and behind it the same without escapes where there are any. `None` for what is no text.
pub fn decoded(bytes: &[u8]) -> Option<String> {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => of_bytes(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // The mark may be missing; the first character of such a file is ASCII.
        [b, 0, c, 0, ..] if *b != 0 && *c != 0 => utf16(bytes, u16::from_le_bytes),
        [0, b, 0, c, ..] if *b != 0 && *c != 0 => utf16(bytes, u16::from_be_bytes),
        _ => of_bytes(bytes),
    }?;
    if text
        .chars()
        .any(|c| c.is_control() && !"\t\n\r\u{c}\u{8}\u{1b}\u{85}".contains(c) && !('\u{80}'..='\u{9f}').contains(&c))
    {
        return None;
    }
    let plain = unescaped(&text);
    Some(match plain == text {
        true => text,
        false => format!("{text}\n{plain}"),
    })
}

/// Whether a text is another one, encrypted: its letters say nothing.
pub fn is_sealed(bytes: &[u8]) -> bool {
    let starts =
        ["$ANSIBLE_VAULT;", "-----BEGIN PGP MESSAGE", "-----BEGIN AGE ENCRYPTED", "age-encryption.org/", "Salted__"];
    let head = bytes.get(..4096).unwrap_or(bytes);
    let within = |text: &str| memchr::memmem::find(head, text.as_bytes()).is_some();
    starts.iter().any(|s| within(s)) || within("ENC[AES256_GCM")
}

fn of_bytes(bytes: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(text.to_owned());
    }
    // Western letters are few among ASCII; what is compressed or encrypted has half of its bytes beyond.
    let non_ascii = bytes.iter().filter(|b| !b.is_ascii()).count();
    (non_ascii.saturating_mul(3) <= bytes.len()).then(|| bytes.iter().map(|b| char::from(*b)).collect())
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let pairs = bytes.chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let units = pairs.filter_map(|pair| pair.try_into().ok()).map(unit);
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().filter(|_| whole)
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '%', '&']) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        plain.push_str(before);
        let (letter, used) = escape(from);
        plain.push_str(&letter);
        rest = from.get(used..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// What the escape at the start of a text stands for, and how many bytes it has.
fn escape(text: &str) -> (String, usize) {
    let hex = |from: usize, digits: usize| {
        let code = u32::from_str_radix(text.get(from..from + digits)?, 16).ok()?;
        Some((char::from_u32(code)?.to_string(), from + digits))
    };
    let found = match text.as_bytes() {
        [b'%', ..] => hex(1, 2).filter(|(letter, _)| letter.is_ascii()),
        [b'&', b'#', b'x' | b'X', ..] => entity(text, 3, 16),
        [b'&', b'#', ..] => entity(text, 2, 10),
        [b'\\', b'u', ..] => hex(2, 4),
        [b'\\', b'U', ..] => hex(2, 8),
        [b'\\', b'x', ..] => hex(2, 2),
        [b'\\', b'n' | b't' | b'r', ..] => Some((" ".to_owned(), 2)),
        // Lines that are joined.
        [b'\\', b'\r', b'\n', ..] => Some((String::new(), 3)),
        [b'\\', b'\n', ..] => Some((String::new(), 2)),
        [b'\\', other, ..] if other.is_ascii() => Some((char::from(*other).to_string(), 2)),
        _ => None,
    };
    found.unwrap_or_else(|| (text.get(..1).unwrap_or_default().to_owned(), 1))
}

/// `&#64;`
fn entity(text: &str, from: usize, radix: u32) -> Option<(String, usize)> {
    let end = text.get(..from + 8).unwrap_or(text).find(';')?;
    let code = u32::from_str_radix(text.get(from..end)?, radix).ok()?;
    Some((char::from_u32(code)?.to_string(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_becomes_text() {
        let le: Vec<u8> = "lité".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "lité".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            "lité".as_bytes().to_vec(),
            [b"\xef\xbb\xbf".as_slice(), "lité".as_bytes()].concat(),
            [b"\xff\xfe".as_slice(), &le].concat(),
            [b"\xfe\xff".as_slice(), &be].concat(),
            le,
            be,
            b"lit\xe9".to_vec(),
        ] {
            assert_eq!(decoded(&bytes).as_deref(), Some("lité"), "{bytes:?}");
        }
        assert_eq!(decoded(b"").as_deref(), Some(""));
    }

    #[test]
    fn what_is_no_text_is_none() {
        for bytes in
            [b"a\0b".as_slice(), b"\x01\x02abc", b"\xc3\xff\xe9\x80a", b"\xff\xfea", b"\xff\xfe\x00\xd8", b"PK\x03\x04"]
        {
            assert_eq!(decoded(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn escapes_are_taken_off_beside_the_text() {
        for (escaped, plain) in [
            (r"lite\u006Clm", "litellm"),
            (r"lite\x6clm", "litellm"),
            (r"\U0000006citellm", "litellm"),
            (r"a\/b", "a/b"),
            ("%40a%2fb", "@a/b"),
            ("lite\\\nllm", "litellm"),
            ("lite\\\r\nllm", "litellm"),
            ("&#64;a&#x2F;b", "@a/b"),
            (r"\u12", r"\u12"),
            (r"\u{ffff", r"\u{ffff"),
            ("100%", "100%"),
            ("%é", "%é"),
            (r"é\é", r"é\é"),
            ("&#;&#x;&", "&#;&#x;&"),
        ] {
            let want = if escaped == plain { plain.to_owned() } else { format!("{escaped}\n{plain}") };
            assert_eq!(decoded(escaped.as_bytes()), Some(want), "{escaped}");
        }
    }

    #[test]
    fn sealed_texts_are_known() {
        assert!(is_sealed(b"$ANSIBLE_VAULT;1.1;AES256\n6162\n") && is_sealed(b"a: ENC[AES256_GCM,data:x]"));
        assert!(!is_sealed(b"a: b"));
    }
}
