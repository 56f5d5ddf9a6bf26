//! Lines of text that an expression knows: `~/.git-credentials`, `.pgpass`, `.npmrc`, `/etc/shadow`.

use regex::bytes::{Captures, Regex};

use super::{Findings, Found, expression, numbered};
use crate::{
    credential::{form, model::LineRule},
    surface::Flaw,
};

/// A longer line is no line of these formats.
const LINE: usize = 1 << 14;

/// Expressions, tried in order.
#[derive(Debug)]
pub struct Lines {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    line: Regex,
    public: Vec<String>,
    foreign: bool,
}

impl Lines {
    /// From the data.
    pub fn new(rules: &[LineRule]) -> Result<Self, String> {
        let rules =
            rules.iter().map(|r| Ok(Rule { line: expression(&r.line)?, public: r.public.clone(), foreign: r.foreign }));
        Ok(Self { rules: rules.collect::<Result<_, String>>()? })
    }

    /// One credential per line that a rule knows.
    pub fn read(&self, bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
        numbered(bytes).try_for_each(|(number, line)| self.line(number, line, out))
    }

    fn line(&self, number: u32, line: &[u8], out: &mut Findings) -> Result<(), Flaw> {
        if line.len() > LINE {
            return Err(Flaw::Unsupported("a line of more than 16384 bytes"));
        }
        let Some((rule, groups)) = self.rules.iter().find_map(|r| Some((r, r.line.captures(line)?))) else {
            return Ok(());
        };
        if rule.foreign || groups.name("secret").is_some_and(|s| !form::concrete(s.as_bytes())) {
            return Ok(());
        }
        let identifier = rule.public.iter().find_map(|template| fill(template, &groups));
        let tag = groups.name("secret").and_then(|secret| {
            let before = line.get(..secret.start()).unwrap_or_default();
            let marked = form::marks_login(secret.as_bytes());
            let value = groups.name("user").filter(|_| marked).unwrap_or(secret);
            out.1.tag(field(before), value.as_bytes())
        });
        out.push(Found { line: Some(number), identifier, tag, ..Found::default() })
    }
}

/// The name of the field whose value follows: `_auth` of `//registry.example/:_auth = `. Empty in an address.
fn field(before: &[u8]) -> &str {
    let text = std::str::from_utf8(before).unwrap_or_default();
    let name = text.trim_end_matches([' ', '\t', '"', '\'', '=', ':', '>']);
    let start =
        name.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))).map_or(0, |at| at + 1);
    if text.contains("://") { "" } else { name.get(start..).unwrap_or_default() }
}

/// `{user}@{host}` with the groups filled in, where each is a plain label.
fn fill(template: &str, groups: &Captures<'_>) -> Option<String> {
    let (mut filled, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, next) = after.split_once('}')?;
        // The secret is no part of any identifier, whatever the data say.
        let group = groups.name(name).filter(|_| name != "secret")?;
        filled.push_str(before);
        filled.push_str(shown(name, group.as_bytes(), groups)?);
        rest = next;
    }
    filled.push_str(rest);
    Some(filled)
}

/// A login is held to more than other names, and is a secret itself where the password is none.
fn shown<'g>(name: &str, text: &'g [u8], groups: &Captures<'_>) -> Option<&'g str> {
    match name {
        "user" => {}
        "name" => return form::variable(text),
        _ => return form::label(text),
    }
    let marked = groups.name("secret").is_some_and(|s| form::marks_login(s.as_bytes()));
    form::login(text).filter(|_| !marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rules: &[(&str, &[&str])], text: &[u8]) -> Vec<(Option<u32>, Option<String>)> {
        let rules: Vec<_> = rules
            .iter()
            .map(|(l, p)| LineRule {
                line: (*l).into(),
                public: p.iter().map(|p| (*p).into()).collect(),
                foreign: false,
            })
            .collect();
        let mut out = Findings::default();
        Lines::new(&rules).unwrap().read(text, &mut out).unwrap();
        assert!(!format!("{out:?}").contains("CANARY"), "{out:?}");
        out.0.into_iter().map(|f| (f.line, f.identifier)).collect()
    }

    #[test]
    fn a_rule_names_what_is_public() {
        let rule: &[(&str, &[&str])] = &[(
            "^https?://(?P<user>[^:@/]+):(?P<secret>[^@]+)@(?P<host>[^/]+)",
            &["{user}@{host}", "{host}", "{secret}"],
        )];
        let text = b"https://al:CANARY@git.example\r\nhttps://ghp_CANARY:x-oauth-basic@git.example\nhttps://al:${T}@git.example\n#\n";
        let found = read(rule, text);
        assert_eq!(found, [(Some(1), Some("al@git.example".into())), (Some(2), Some("git.example".into()))]);
        let odd = read(rule, b"https://\x1b[31m:CANARY@CANARY_ghp_\xff/\n");
        assert_eq!(odd, [(Some(1), None)]);
    }

    #[test]
    fn hostile_text_is_bounded() {
        let mut out = Findings::default();
        let rules = [LineRule { line: "(a*)*b(?P<secret>.)".into(), public: vec![], foreign: false }];
        let lines = Lines::new(&rules).unwrap();
        assert!(lines.read(&vec![b'a'; 1 << 20], &mut out).is_err());
        assert!(lines.read(&b"ab1\n".repeat(5000), &mut out).is_err());
        assert_eq!(out.0.len(), 1000);
        assert!(Lines::new(&[LineRule { line: "(".into(), public: vec![], foreign: false }]).is_err());
        assert!(Lines::new(&[LineRule { line: "(a{1000}){1000}".into(), public: vec![], foreign: false }]).is_err());
    }
}
