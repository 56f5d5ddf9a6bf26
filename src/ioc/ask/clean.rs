//! What people paste around a name: quotes, commas, defanging, characters that nobody sees.

use crate::ioc::query::{is_hash, is_host, refang};

/// Marks that belong to the text around, not to the name.
const AROUND: &[char] =
    &['`', '"', '\'', ',', ';', '(', ')', '<', '>', '“', '”', '‘', '’', '«', '»', '|', '\\', ' ', '\t'];

/// Without the marks around it, refanged, with plain hyphens and blanks.
pub fn bare(text: &str) -> String {
    let seen: String = text
        .chars()
        .filter(|c| c.is_whitespace() || !(crate::text::hidden(*c) || c.is_control()))
        .map(|c| match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    let text = refang(seen.trim()).replace("(dot)", ".").replace("{dot}", ".").replace("[://", "://");
    // `evil\.example` is defanged, `C:\x\.config` is a path.
    let escaped = text.matches('\\').count() == text.matches("\\.").count();
    let text = if escaped { text.replace("\\.", ".") } else { text };
    let text = match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("hxxp") => format!("http{}", text.get(4..).unwrap_or_default()),
        _ => text,
    };
    let text = match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("pkg:") => format!("pkg:{}", text.get(4..).unwrap_or_default()),
        _ => text,
    };
    let mut text = text.as_str();
    loop {
        let before = text;
        // `<` and `>` in front of a version belong to it.
        let ranged = text.starts_with(['<', '>']) && !text.ends_with(['<', '>']);
        text = if ranged { text.trim_end_matches(AROUND) } else { text.trim_matches(AROUND) };
        text = text.trim_end_matches(['!', '?', ':', '.']);
        for (open, close) in [('[', ']'), ('{', '}'), ('*', '*')] {
            text = text.strip_prefix(open).and_then(|t| t.strip_suffix(close)).unwrap_or(text);
        }
        if text == before {
            return text.to_owned();
        }
    }
}

/// A version, or a range, and nothing else: `1.82.8`, `v2`, `^1.14.0`, `1:2.3-4`.
pub fn is_version(text: &str) -> bool {
    let number = text.trim_start_matches(['=', '<', '>', '~', '^', '!', ' ']);
    let number = number.strip_prefix(['v', 'V']).unwrap_or(number);
    number.len() <= 128
        && number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_alphanumeric() || ".-+_~:*!,<>=^".contains(c))
        && (number.contains('.') || number.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
        && text.parse::<std::net::IpAddr>().is_err()
        && !is_hash(text)
        && !is_host(text)
        && !is_port(text)
}

/// `203.0.113.7:443` looks like an epoch.
fn is_port(text: &str) -> bool {
    text.parse::<std::net::SocketAddr>().is_ok()
}

/// What can be a package's name with a version behind it in the next word.
pub fn is_name(text: &str) -> bool {
    !is_version(text)
        && !is_hash(text)
        && text.contains(|c: char| c.is_ascii_alphanumeric())
        && !text.contains("://")
        && !text.contains("==")
        && !text.chars().skip(1).any(|c| c == '@' || c.is_whitespace())
        && text.len() <= 256
}

/// Hex digits of a digest that nothing is listed by.
pub fn odd_hash(text: &str) -> Option<String> {
    let (word, rest) = text.split_once([':', '-', '=']).unwrap_or(("", text));
    let named = ["sha512", "sha384", "sha256", "sha1", "md5"].iter().find(|w| word.eq_ignore_ascii_case(w));
    let digits = if named.is_some() { rest } else { text };
    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let by = "files are listed by SHA-256, some by SHA-1 and MD5: ask with one of these, or with the name and version";
    match (digits.len(), hex, named) {
        (_, _, Some(&("sha512" | "sha384"))) => Some(by.to_owned()),
        (96 | 128, true, None) => Some(by.to_owned()),
        // A short commit has fewer.
        (n, true, _) if n > 40 && n != 64 || (n > 32 && n < 40) => {
            Some(format!("{n} hex digits are no SHA-256 (64), SHA-1 (40) or MD5 (32)"))
        }
        _ => None,
    }
}
