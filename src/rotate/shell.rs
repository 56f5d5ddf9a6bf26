//! Words of a shell command, so that a path of any bytes means exactly that path and shows as harmless text.

use std::fmt::Write as _;

use crate::text::hidden;

/// One word. Plain where that is safe, `'…'` where that is enough, `$'…'` (bash, zsh, ksh) for bytes that cannot be shown. In
/// a shell that does not know the last (dash, fish) the word is another, and still no command: no quote stands inside it.
pub fn quote(raw: &[u8]) -> String {
    let text = std::str::from_utf8(raw).ok().filter(|t| !t.chars().any(hidden));
    match text {
        Some(t) if is_plain(t) => t.to_owned(),
        // fish reads a backslash in single quotes.
        Some(t) if !t.contains('\\') => format!("'{}'", t.replace('\'', r"'\''")),
        _ => ansi_c(raw),
    }
}

/// Whether a text needs no quotes anywhere in a command, and is no option.
pub fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&b);
    !text.is_empty() && !text.starts_with(['-', '=']) && text.bytes().all(plain)
}

/// Quotes, backslashes and every byte beyond printable ASCII as three octal digits: unlike `\xN`, their number is fixed in every shell.
fn ansi_c(raw: &[u8]) -> String {
    let mut quoted = String::from("$'");
    for b in raw {
        match b {
            b' '..=b'~' if !matches!(b, b'\'' | b'\\') => quoted.push(char::from(*b)),
            _ => {
                let _ = write!(quoted, "\\{b:03o}");
            }
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_stay_as_they_are() {
        assert_eq!(quote(b"/home/alice/.venv/lib/python3.11"), "/home/alice/.venv/lib/python3.11");
        assert_eq!(quote(b""), "''");
        assert_eq!(quote(b"-rf"), "'-rf'");
        assert_eq!(quote(b"=ls"), "'=ls'");
    }

    #[test]
    fn odd_bytes_keep_their_value_and_lose_their_power() {
        assert_eq!(quote(b"/a b/$(id)`x`"), "'/a b/$(id)`x`'");
        assert_eq!(quote(b"/it's"), r"'/it'\''s'");
        assert_eq!(quote(br"/a\'$(x)'"), r"$'/a\134\047$(x)\047'");
        assert_eq!(quote(b"/a\x1b[31m\n\xff1"), "$'/a\\033[31m\\012\\3771'");
        assert_eq!(quote("/x\u{202e}y".as_bytes()), "$'/x\\342\\200\\256y'");
        assert_eq!(quote("/straße".as_bytes()), "'/straße'");
        assert_eq!(quote(b"~/x"), "'~/x'");
        assert_eq!(quote(b"/a!b"), "'/a!b'");
    }
}
