//! The door to the outside for text that came from the target: whatever is shown to a person passes here.

pub mod json;

use std::fmt::Write as _;

/// Makes bytes of the target harmless to print: one line, no control characters, no bidirectional marks, no invisible
/// separators. Bytes that are not UTF-8 become `\xNN`; what is replaced becomes `\u{NN}`; a backslash becomes `\\`.
pub fn escape(raw: &[u8]) -> String {
    shown(raw, "\\\\")
}

/// `escape` for sentences and commands of this program that quote the target: a backslash stays as it is, since it belongs to
/// what was escaped before, or to the shell.
pub fn printable(text: &str) -> String {
    shown(text.as_bytes(), "\\")
}

/// `printable` for texts of several lines: the line ends stay. A quoted line end must have been escaped before.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

fn shown(raw: &[u8], backslash: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => shown.push_str(backslash),
                '\n' => shown.push_str("\\n"),
                '\r' => shown.push_str("\\r"),
                '\t' => shown.push_str("\\t"),
                c if hidden(c) => {
                    let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
                }
                c => shown.push(c),
            }
        }
        for b in chunk.invalid() {
            let _ = write!(shown, "\\x{b:02x}");
        }
    }
    shown
}

/// `escape`, cut to at most `limit` characters with `…` at the end where something was cut.
pub fn escape_short(raw: &[u8], limit: usize) -> String {
    let whole = escape(raw);
    if whole.chars().count() <= limit {
        return whole;
    }
    let mut cut: String = whole.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Whether a character could steer a terminal, turn the reading direction, or not be seen: controls, formats (Unicode's `Cf`),
/// every blank but the space, fillers, variation selectors, tags, and what is no character.
pub fn hidden(c: char) -> bool {
    // Nearly all text.
    if matches!(c, ' '..='~') {
        return false;
    }
    c.is_control()
        || c.is_whitespace()
        || matches!(u32::from(c),
            0x00ad | 0x034f | 0x0600..=0x0605 | 0x061c | 0x06dd | 0x070f | 0x0890..=0x0891 | 0x08e2 | 0x115f..=0x1160
            | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164
            | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0x110bd | 0x110cd
            | 0x13430..=0x1343f | 0x16fe4 | 0x1bca0..=0x1bca3 | 0x1d159 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// Writes a host name or URL so that nothing turns it into a link: `evil[.]example`, `hxxps://…`.
pub fn defang(host: &str) -> String {
    host.replace("http", "hxxp").replace('.', "[.]")
}

/// An address, or a name of an image, without what stands in it as user and password, and an address without its query.
pub fn without_user(text: &str) -> String {
    let (scheme, rest) = match text.find("://") {
        Some(at) => text.split_at(at + "://".len()),
        None => ("", text),
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let is_port = |p: &str| p.bytes().all(|b| b.is_ascii_digit());
    // `app:1@sha256:…` is a name; `user:p/w@host` is a password with a slash.
    let digest = |at: usize| rest.get(at..).is_some_and(|d| d.starts_with("@sha256:") || d.starts_with("@sha512:"));
    let at = match authority.rfind('@') {
        None if authority.rsplit_once(':').is_none_or(|(_, port)| is_port(port)) => None,
        None => rest.rfind('@'),
        at => at,
    };
    let behind = at.filter(|at| !digest(*at)).and_then(|at| rest.get(at + 1..)).unwrap_or(rest);
    let end = if scheme.is_empty() { behind.len() } else { behind.find(['?', '#']).unwrap_or(behind.len()) };
    format!("{scheme}{}", behind.get(..end).unwrap_or_default())
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, b| {
        let _ = write!(hex, "{b:02x}");
        hex
    })
}

/// The start of a text, in at most so many bytes and whole characters.
pub fn start(text: &str, bytes: usize) -> &str {
    (0..4).find_map(|less| text.get(..text.len().min(bytes).saturating_sub(less))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_cut_out_of_addresses() {
        for (text, is) in [
            ("https://user:p@w@host.example:1/a?token=x#y", "https://host.example:1/a"),
            ("tcp://user@host.example", "tcp://host.example"),
            ("https://user:p/w@host.example/a", "https://host.example/a"),
            ("https://user:p?w@host.example", "https://host.example"),
            ("user:pw@host.example/app:1", "host.example/app:1"),
            ("https://host.example:5000/app@sha256:ab", "https://host.example:5000/app@sha256:ab"),
            ("app:1@sha256:ab", "app:1@sha256:ab"),
            ("host.example/app@sha256:ab", "host.example/app@sha256:ab"),
            ("https://[::1]:5000/a", "https://[::1]:5000/a"),
            ("a?b#c", "a?b#c"),
            ("://@", "://"),
            ("", ""),
        ] {
            assert_eq!(without_user(text), is, "{text}");
        }
    }

    #[test]
    fn terminal_and_bidi_tricks_lose_their_power() {
        assert_eq!(escape(b"a\x1b[31mb\x07\n"), "a\\u{1b}[31mb\\u{7}\\n");
        assert_eq!(escape("x\u{202e}gpj.exe".as_bytes()), "x\\u{202e}gpj.exe");
        assert_eq!(escape(b"caf\xe9\x9b"), "caf\\xe9\\x9b");
        assert_eq!(escape("\u{9b}31m".as_bytes()), "\\u{9b}31m");
        assert_eq!(escape("naïve 文".as_bytes()), "naïve 文");
    }

    #[test]
    fn what_was_escaped_once_is_not_escaped_twice() {
        let once = escape(b"a\x1b\\");
        assert_eq!(printable(&once), once);
        assert_eq!(printable("rm -- $'\\xff'\n\u{202e}"), "rm -- $'\\xff'\\n\\u{202e}");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(escape_short("äöüß".as_bytes(), 3), "äö…");
        assert_eq!(escape_short("äöü".as_bytes(), 3), "äöü");
    }

    #[test]
    fn defanged_hosts_are_no_links() {
        assert_eq!(defang("https://evil.example/x"), "hxxps://evil[.]example/x");
    }

    #[test]
    fn a_start_has_whole_characters() {
        assert_eq!((start("ab", 9), start("ab", 1), start("", 3)), ("ab", "a", ""));
        assert_eq!((start("aä", 2), start("a\u{1f600}", 4), start("\u{1f600}", 3)), ("a", "a", ""));
    }
}
