//! Lines that set a variable, in the dialects of shells, `.env` files, systemd units and Terraform's variable files.

use super::numbered;
use crate::surface::Flaw;

/// What stands before a name in the shells and in unit files.
const PREFIXES: &[&[u8]] = &[
    b"export ",
    b"declare -x ",
    b"typeset -x ",
    b"set -gx ",
    b"set -Ux ",
    b"set -x ",
    b"setenv ",
    b"env ",
    b"SETUVAR --export ",
    b"SETUVAR ",
];

/// Takes line, name and raw value.
type Each<'e> = dyn FnMut(u32, &[u8], &[u8]) + 'e;

/// Calls with the line, name and raw value of each assignment. A value may span lines, in quotes or as a here-document.
pub fn assignments(bytes: &[u8], each: &mut Each<'_>) -> Result<(), Flaw> {
    let mut lines = numbered(bytes);
    while let Some((number, line)) = lines.next() {
        let line = line.trim_ascii();
        if line.starts_with(b"#") {
            continue;
        }
        // An element of a list in YAML.
        let line = line.strip_prefix(b"- ").map_or(line, <[u8]>::trim_ascii_start);
        if let Some(list) = line.strip_prefix(b"Environment=") {
            unit(list).into_iter().for_each(|(name, value)| each(number, name, value));
            continue;
        }
        let Some((name, value)) = assignment(line).filter(|(name, _)| is_word(name)) else {
            continue;
        };
        let more = match value.first() {
            Some(quote @ (b'"' | b'\'')) => match closing(value.get(1..).unwrap_or_default(), *quote) {
                Some(end) => {
                    each(number, name, value.get(..end + 2).unwrap_or(value));
                    continue;
                }
                None => lines.by_ref().any(|(_, l)| closing(l, *quote).is_some()),
            },
            _ if value.starts_with(b"<<") => {
                let word = value.trim_start_with(b"<-'\"").trim_end_with(b"'\"");
                lines.by_ref().any(|(_, l)| l.trim_ascii() == word)
            }
            _ if is_block(value) => true,
            _ => {
                each(number, name, uncommented(value));
                continue;
            }
        };
        if !more {
            return Err(Flaw::malformed("list of variables", "a value that spans lines has no end"));
        }
        each(number, name, b"a value that spans lines");
    }
    Ok(())
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
    } else if prefix.starts_with(b"set") {
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
