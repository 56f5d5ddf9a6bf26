//! Variables whose values stand beside the command that uses them: `V=1.82.8; pip install litellm==$V`.
//!
//! Only what can be part of an install command is kept: names, versions, options. A value that could be a secret, by the name of its
//! variable or by its form, is never kept; such a variable is unknown, as is one whose value a program prints.

use std::{collections::HashMap, fmt};

use crate::ecosystem::pypi::is_strict_version;

/// Bytes of one value.
const VALUE: usize = 200;
/// Variables of one text.
const COUNT: usize = 500;
/// Bytes that all expansions of one text add: a short text can double itself many times.
const EXPANDED: usize = 64 << 10;
/// Expansions within expansions.
const DEPTH: usize = 4;

/// Parts of the names of variables that hold secrets.
const SECRET: &[&str] =
    &["TOKEN", "SECRET", "PASS", "PWD", "KEY", "CRED", "AUTH", "PRIVATE", "LOGIN", "USER", "SIGN", "COOKIE", "SESSION"];

/// Values by name; `None` where a variable was set to something that is not known.
#[derive(Clone)]
pub struct Variables {
    known: HashMap<String, Option<String>>,
    /// Bytes that may still be added.
    left: usize,
}

impl Default for Variables {
    fn default() -> Self {
        Self { known: HashMap::new(), left: EXPANDED }
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables(..)")
    }
}

impl Variables {
    /// Sets a variable, and gives what it was.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Option<Option<String>> {
        let value = value.filter(|v| !is_secret(name) && is_plain(v)).map(str::to_owned);
        if self.known.len() < COUNT || self.known.contains_key(name) {
            self.known.insert(name.to_owned(), value)
        } else {
            None
        }
    }

    /// Puts back what `set` gave.
    pub fn restore(&mut self, name: &str, before: Option<Option<String>>) {
        match before {
            Some(value) => self.known.insert(name.to_owned(), value),
            None => self.known.remove(name),
        };
    }

    /// Adds those of another set, which win.
    pub fn overlay(&mut self, other: &Self) {
        for (name, value) in &other.known {
            self.set(name, value.as_deref());
        }
    }

    /// What stands for `$NAME` or, without the braces, for `${NAME:-default}`; `None` where that is not known.
    pub fn expand(&mut self, text: &str) -> Option<String> {
        let value = self.value(text, 0).filter(|v| v.len() <= self.left)?;
        self.left -= value.len();
        Some(value)
    }

    fn value(&mut self, text: &str, depth: usize) -> Option<String> {
        let end = text.find(|c: char| !is_name_char(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end).filter(|(name, _)| is_variable(name))?;
        let known = self.known.get(name).cloned();
        let (operator, operand) = operator(rest);
        let empty = matches!(known.as_ref(), Some(Some(v)) if v.is_empty()) && operator.starts_with(':');
        match operator {
            "" if rest.is_empty() => known.flatten(),
            ":-" | "-" | ":=" | "=" => {
                if known.is_some() && !empty {
                    return known.flatten();
                }
                let value = self.text(operand, depth + 1)?;
                if operator.ends_with('=') {
                    self.set(name, Some(&value));
                }
                Some(value)
            }
            ":+" | "+" => known.flatten().filter(|_| !empty).and_then(|_| self.text(operand, depth + 1)),
            ":?" | "?" => known.flatten(),
            "#" | "##" | "%" | "%%" if !operand.contains(['*', '?', '[', '$', '`']) => {
                let value = known.flatten()?;
                let start = operator.starts_with('#');
                let cut = if start { value.strip_prefix(operand) } else { value.strip_suffix(operand) };
                Some(cut.unwrap_or(&value).to_owned())
            }
            _ => None,
        }
    }

    /// A default: plain text in quotes or not, with variables in it.
    fn text(&mut self, text: &str, depth: usize) -> Option<String> {
        let plain = text.trim_matches(['"', '\'']);
        let mut found = String::new();
        let mut rest = plain;
        while let Some((before, behind)) = rest.split_once('$') {
            found.push_str(before);
            let (name, after) = match behind.strip_prefix('{') {
                Some(inner) => inner.split_once('}')?,
                None => behind.split_at(behind.find(|c: char| !is_name_char(c)).unwrap_or(behind.len())),
            };
            found.push_str(&self.value(name, depth).filter(|_| depth < DEPTH)?);
            rest = after;
        }
        found.push_str(rest);
        (found.len() <= VALUE && is_plain(&found)).then_some(found)
    }
}

fn operator(rest: &str) -> (&str, &str) {
    let operators = [":-", ":=", ":+", ":?", "##", "%%", "-", "=", "+", "?", "#", "%"];
    let found = operators.iter().find_map(|o| Some((*o, rest.strip_prefix(o)?)));
    found.unwrap_or(("", rest))
}

/// Whether a character can stand in the name of a variable.
pub fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a text is the name of a variable.
pub fn is_variable(name: &str) -> bool {
    name.len() <= 128 && name.chars().all(is_name_char) && name.starts_with(|c: char| !c.is_ascii_digit())
}

/// Name and value of `NAME=value`; the value of `NAME+=…` is not known.
pub fn assignment(word: &str) -> Option<(&str, Option<&str>)> {
    let (name, value) = word.split_once('=')?;
    match name.strip_suffix('+') {
        Some(name) => is_variable(name).then_some((name, None)),
        None => is_variable(name).then_some((name, Some(value))),
    }
}

fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    SECRET.iter().any(|s| upper.contains(s)) || upper.split('_').any(|part| matches!(part, "PAT" | "API" | "PW"))
}

/// Words that an install command is made of, and nothing else.
fn is_plain(value: &str) -> bool {
    value.len() <= VALUE && value.split_whitespace().all(is_plain_word)
}

fn is_plain_word(word: &str) -> bool {
    if is_strict_version(word) || is_option(word) {
        return true;
    }
    let end = word.find(|c: char| "=<>!~@^".contains(c)).unwrap_or(word.len());
    let (name, constraint) = word.split_at(end);
    let (name, extras) = name.split_once('[').unwrap_or((name, "]"));
    let versions = constraint.split(',').all(|clause| {
        let version = clause.trim_start_matches(['=', '<', '>', '!', '~', '@', '^']);
        version.is_empty() || is_strict_version(version.trim_end_matches(".*"))
    });
    let extras = extras.strip_suffix(']').is_some_and(|e| e.split(',').all(|e| e.is_empty() || is_plain_name(e)));
    (name.is_empty() || is_plain_name(name)) && versions && extras
}

fn is_option(word: &str) -> bool {
    let letters = word.trim_start_matches('-');
    letters.len() < word.len() && letters.len() <= 30 && letters.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// A name of words: few digits, and no mixture of cases and digits as tokens have.
fn is_plain_name(name: &str) -> bool {
    let count = |f: fn(&char) -> bool| name.chars().filter(f).count();
    let digits = count(char::is_ascii_digit);
    let mixed = digits > 0 && count(char::is_ascii_uppercase) > 0 && count(char::is_ascii_lowercase) > 0;
    name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && digits <= 3 && !mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(set: &[(&str, &str)], text: &str) -> Option<String> {
        let mut variables = Variables::default();
        for (name, value) in set {
            variables.set(name, Some(value));
        }
        variables.expand(text)
    }

    #[test]
    fn forms_of_expansion() {
        let set = [("V", "1.82.8"), ("W", "v1.82.8"), ("E", "")];
        for (text, value) in [
            ("V", Some("1.82.8")),
            ("V:-1.0", Some("1.82.8")),
            ("N:-1.82.7", Some("1.82.7")),
            ("N-1.82.7", Some("1.82.7")),
            ("N:=\"1.82.7\"", Some("1.82.7")),
            ("N:-$V", Some("1.82.8")),
            ("N:-${V}", Some("1.82.8")),
            ("E:-2.0", Some("2.0")),
            ("E-2.0", Some("")),
            ("V:+3.0", Some("3.0")),
            ("N:+3.0", None),
            ("W#v", Some("1.82.8")),
            ("W%.8", Some("v1.82")),
            ("W#*", None),
            ("V/a/b", None),
            ("N", None),
            ("N:-$M", None),
            ("", None),
            ("1", None),
        ] {
            assert_eq!(expanded(&set, text).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn what_could_be_a_secret_is_unknown() {
        for (name, value) in [
            ("TOKEN", "1.82.8"),
            ("MY_API_KEY", "abc"),
            ("DB_PASSWORD", "correct"),
            ("V", "ghp_aB3dE5fG7hI9jK1l"),
            ("V", "https://u:p@registry.example/simple"),
            ("V", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            ("V", "p4ssw0rd99"),
            ("V", "$(date)"),
            ("V", "/etc/passwd"),
        ] {
            assert_eq!(expanded(&[(name, value)], name), None, "{name}={value}");
            assert!(!format!("{:?}", Variables::default()).contains(value));
        }
        for value in ["litellm==1.82.8", "litellm[proxy]>=1.80,!=1.82.7", "--no-cache-dir litellm", "==1.82.8", "py3"] {
            assert_eq!(expanded(&[("V", value)], "V").as_deref(), Some(value));
        }
    }

    #[test]
    fn expansions_are_bounded() {
        let mut variables = Variables::default();
        variables.set("A", Some(&"a ".repeat(90)));
        let got = (0..100_000).filter_map(|_| variables.expand("A")).map(|v| v.len()).sum::<usize>();
        assert!(got <= EXPANDED);
        let mut variables = Variables::default();
        (0..10_000).for_each(|n| drop(variables.set(&format!("A{n}"), Some("1"))));
        assert_eq!(variables.known.len(), COUNT);
        assert_eq!(Variables::default().expand(&"${A:-".repeat(10_000)), None);
    }
}
