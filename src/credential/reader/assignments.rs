//! Lines that set a variable, in the dialects of shells, `.env` files, systemd units and Terraform's variable files.

use super::numbered;
use crate::surface::Flaw;

/// What stands before a name in the shells and in unit files.
const PREFIXES: &[&[u8]] = &[
    b"export ",
    b"declare -x ",
    b"declare -rx ",
    b"typeset -x ",
    b"readonly ",
    b"local ",
    b"set -gx ",
    b"set -Ux ",
    b"set -x ",
    b"setenv ",
    b"env ",
    b"SETUVAR --export ",
    b"SETUVAR ",
    // Build files of images.
    b"ARG ",
    b"ENV ",
];

/// Takes line, name and raw value.
pub type Each<'e> = dyn FnMut(u32, &[u8], &[u8]) + 'e;

/// Calls with the line, name and raw value of each assignment. A value may span lines, in quotes or as a here-document.
pub fn assignments(bytes: &[u8], each: &mut Each<'_>) -> Result<(), Flaw> {
    let (mut lines, mut endless) = (numbered(bytes), Vec::new());
    while let Some((number, line)) = lines.next() {
        let line = line.trim_ascii();
        if line.starts_with(b"#") {
            continue;
        }
        let line = behind_braces(line);
        // An element of a list in YAML.
        let line = line.strip_prefix(b"- ").map_or(line, <[u8]>::trim_ascii_start);
        if let Some(list) = line.strip_prefix(b"Environment=") {
            unit(list).into_iter().for_each(|(name, value)| each(number, name, value));
            continue;
        }
        let Some((name, value)) = assignment(line).filter(|(name, _)| is_word(name)) else {
            continue;
        };
        let spans = match value.first() {
            Some(quote @ (b'"' | b'\'')) if closing(value.get(1..).unwrap_or_default(), *quote).is_none() => {
                let ends = !endless.contains(quote) && lines.clone().any(|(_, l)| closing(l, *quote).is_some());
                if ends {
                    lines.by_ref().any(|(_, l)| closing(l, *quote).is_some());
                } else {
                    endless.push(*quote);
                }
                ends
            }
            _ if value.starts_with(b"<<") => {
                let word = value.trim_start_with(b"<-'\"").trim_end_with(b"'\"");
                let ends = !endless.contains(&b'<') && lines.clone().any(|(_, l)| l.trim_ascii() == word);
                if ends {
                    lines.by_ref().any(|(_, l)| l.trim_ascii() == word);
                } else {
                    endless.push(b'<');
                }
                ends
            }
            _ => is_block(value),
        };
        if spans {
            each(number, name, b"a value that spans lines");
            continue;
        }
        let (value, rest) = first_word(value);
        each(number, name, value);
        further(rest, &mut |name, value| each(number, name, value));
    }
    match endless.is_empty() {
        true => Ok(()),
        false => Err(Flaw::malformed("list of variables", "a value that spans lines has no end")),
    }
}

/// What stands in the innermost block that a line opens: `pipeline { environment { A = 'x' } }`. JSON, and expansions of a shell, open
/// none: words, brackets and texts in quotes stand before the brace.
fn behind_braces(line: &[u8]) -> &[u8] {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'{', rest) {
        let (before, inner) = (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default());
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-. ()'\"".contains(b);
        if !before.first().is_some_and(u8::is_ascii_alphabetic) || !before.ends_with(b" ") || !before.iter().all(plain)
        {
            break;
        }
        rest = inner.trim_ascii_start();
    }
    rest
}

/// The value, without a comment, and what stands behind it. Without quotes a value may hold blanks, as in `.env` files.
fn first_word(value: &[u8]) -> (&[u8], &[u8]) {
    let quoted = value.first().filter(|b| matches!(b, b'"' | b'\''));
    let end = quoted.and_then(|quote| Some(closing(value.get(1..)?, *quote)? + 2));
    let ended = |b: &u8| b.is_ascii_whitespace() || matches!(b, b';' | b',' | b'#' | b'}' | b')');
    match end {
        Some(end) if value.get(end).is_none_or(ended) => value.split_at_checked(end).unwrap_or((value, b"")),
        // `'it'\''s'`
        _ => (uncommented(value), value),
    }
}

/// Further assignments of the same line: `export A=1 B=2`, `A=1; B=2`, `A = 'x'; B = 'y'`. Names of variables only, since a value may
/// hold blanks.
fn further(rest: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) {
    let upper = |name: &[u8]| {
        name.first().is_some_and(u8::is_ascii_uppercase)
            && name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
    };
    let mut from = 0;
    while let Some(blank) = rest.get(from..).and_then(|r| r.iter().position(|b| *b == b' ' || *b == b'\t')) {
        from += blank + 1;
        let word = rest.get(from..).unwrap_or_default();
        if word.starts_with(b"#") {
            return;
        }
        let equals = word.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'));
        let Some((name, value)) = equals.and_then(|at| word.split_at_checked(at)) else {
            continue;
        };
        let spaced = value.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii_start);
        let spaced = spaced.filter(|v| matches!(v.first(), Some(b'"' | b'\'')));
        if let Some(value) = value.strip_prefix(b"=").or(spaced).filter(|_| upper(name)) {
            let skipped = word.len() - value.len();
            let quoted = value.first().filter(|b| matches!(b, b'"' | b'\''));
            let end = quoted.and_then(|quote| Some(closing(value.get(1..)?, *quote)? + 2));
            let end = end.or_else(|| value.iter().position(|b| b.is_ascii_whitespace() || *b == b';'));
            let end = end.unwrap_or(value.len());
            each(name, value.get(..end).unwrap_or(value));
            from += skipped + end;
        }
    }
}

/// Whether YAML's value stands on the lines below.
fn is_block(value: &[u8]) -> bool {
    matches!(value, b"|" | b"|-" | b"|+" | b">" | b">-" | b">+")
}

/// Whether a text could be assigned to at all, in a shell or elsewhere.
fn is_word(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Trimming by a set of bytes.
trait TrimWith {
    fn trim_start_with(&self, set: &[u8]) -> &Self;
    fn trim_end_with(&self, set: &[u8]) -> &Self;
}

impl TrimWith for [u8] {
    fn trim_start_with(&self, set: &[u8]) -> &Self {
        let at = self.iter().position(|b| !set.contains(b)).unwrap_or(self.len());
        self.get(at..).unwrap_or_default()
    }

    fn trim_end_with(&self, set: &[u8]) -> &Self {
        let at = self.iter().rposition(|b| !set.contains(b)).map_or(0, |i| i + 1);
        self.get(..at).unwrap_or_default()
    }
}

/// `NAME=value`, `export NAME=value`, `set -gx NAME value`, `name = "value"`, `name: value`, `"name": "value",`.
fn assignment(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) =
        PREFIXES.iter().find_map(|p| Some((*p, line.strip_prefix(*p)?.trim_ascii_start()))).unwrap_or((b"", line));
    // fish's own file of universal variables has a colon.
    let between = if prefix.starts_with(b"SETUVAR") {
        b':'
    } else if prefix.starts_with(b"set") || prefix == b"ENV " {
        b' '
    } else {
        b'='
    };
    // In YAML, and in `.env` files of Ruby and Compose.
    let colon = |at: usize| prefix.is_empty() && rest.get(at..at + 2) == Some(b": ");
    let at = (0..).zip(rest).find(|(at, b)| **b == b'=' || **b == between || colon(*at)).map(|(at, _)| at)?;
    let name = rest.get(..at)?.trim_ascii_end();
    let name = name.strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")).unwrap_or(name);
    Some((name, rest.get(at + 1..)?.trim_ascii_start()))
}

/// `"A=b" C=d` of a systemd unit.
fn unit(list: &[u8]) -> Vec<(&[u8], &[u8])> {
    let (mut pairs, mut rest) = (Vec::new(), list.trim_ascii());
    while let Some(first) = rest.first() {
        let (word, after) = match first {
            b'"' | b'\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let end = closing(inner, *first).unwrap_or(inner.len());
                (inner.get(..end).unwrap_or_default(), inner.get(end + 1..).unwrap_or_default())
            }
            _ => {
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                rest.split_at_checked(end).unwrap_or((rest, b""))
            }
        };
        if let Some(at) = memchr::memchr(b'=', word) {
            pairs.extend(word.get(..at).zip(word.get(at + 1..)));
        }
        rest = after.trim_ascii_start();
    }
    pairs
}

/// Position of the quote that ends a value; in double quotes a backslash guards the next byte.
fn closing(text: &[u8], quote: u8) -> Option<usize> {
    let mut guarded = false;
    text.iter().position(|b| {
        let end = *b == quote && !guarded;
        guarded = quote == b'"' && *b == b'\\' && !guarded;
        end
    })
}

fn uncommented(value: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(value, b" #").unwrap_or(value.len());
    value.get(..end).unwrap_or(value).trim_ascii_end().trim_end_with(b";,")
}
