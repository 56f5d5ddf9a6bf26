//! One requirement of Python: `LiteLLM[proxy] (>=1.60,!=1.82.7) ; python_version >= '3.8'`. Documented in "Dependency specifiers"
//! of packaging.python.org.

use super::{
    marker::{Machine, Marker},
    pypi::{is_name, normalise, specifiers},
};
use crate::fact::Requirement;

/// Longer ones are not read.
const LENGTH: usize = 16 << 10;
/// More extras than anybody asks for at once.
const EXTRAS: usize = 64;

/// What a text requires; `None` where it is no requirement. URLs are left out of its text: they may hold credentials. A marker that
/// cannot be read is kept: it may hold.
pub fn requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let rest = (text.len() <= LENGTH).then_some(text)?;
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let (name, rest) = rest.split_at_checked(rest.find(|c| !in_name(c)).unwrap_or(rest.len()))?;
    if !is_name(name) {
        return None;
    }
    let (extras, rest) = extras(rest.trim_start())?;
    let (specifier, marker) = match rest.strip_prefix('@') {
        // A `;` may be part of a URL.
        Some(url) => {
            let (_, marker) = url.trim_start().split_once(char::is_whitespace).unwrap_or_default();
            let marker = marker.trim_start();
            (" @ …".to_owned(), if marker.is_empty() { None } else { Some(marker.strip_prefix(';')?) })
        }
        None => {
            let (range, marker) = rest.split_once(';').map_or((rest, None), |(range, marker)| (range, Some(marker)));
            (specifier(range)?, marker)
        }
    };
    let marker = marker.map(str::trim).filter(|m| !m.is_empty());
    Some(Requirement {
        name: normalise(name).into(),
        text: format!("{}{specifier}", normalise(name)).into(),
        extra: marker.is_some_and(needs_an_extra),
        extras,
        marker: marker.map(Into::into),
    })
}

/// Whether it holds nowhere as long as no extra is asked for.
pub fn needs_an_extra(marker: &str) -> bool {
    Marker::new(marker).is_some_and(|m| m.holds(Machine::default(), None) == Some(false))
}

/// `[proxy, dev]` and what is behind it.
fn extras(rest: &str) -> Option<(Box<[Box<str>]>, &str)> {
    let Some(inner) = rest.strip_prefix('[') else {
        return Some(([].into(), rest));
    };
    let (list, rest) = inner.split_once(']')?;
    let names = list.split(',').map(str::trim).filter(|e| !e.is_empty());
    let names: Option<Vec<Box<str>>> = names.take(EXTRAS).map(|e| is_name(e).then(|| normalise(e).into())).collect();
    Some((names?.into(), rest.trim_start()))
}

/// A range as it is shown: without spaces and parentheses.
fn specifier(range: &str) -> Option<String> {
    let range = range.trim();
    let range = range.strip_prefix('(').and_then(|r| r.strip_suffix(')')).unwrap_or(range).trim();
    let range = range.strip_suffix(',').unwrap_or(range);
    if range.is_empty() {
        return Some(String::new());
    }
    Some(specifiers(range)?.to_string().replace(", ", ","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str) -> Option<(String, String, Vec<String>, bool)> {
        let r = requirement(text)?;
        Some((r.name.into(), r.text.into(), r.extras.iter().map(ToString::to_string).collect(), r.extra))
    }

    #[test]
    fn every_form_is_read() {
        let one = |name: &str, text: &str, extras: &[&str], extra| {
            Some((name.to_owned(), text.to_owned(), extras.iter().map(ToString::to_string).collect(), extra))
        };
        for (text, says) in [
            ("litellm", one("litellm", "litellm", &[], false)),
            (
                "LiteLLM[proxy] (>=1.60,!=1.82.7) ; python_version >= '3.8'",
                one("litellm", "litellm>=1.60,!=1.82.7", &["proxy"], false),
            ),
            ("litellm>=1; extra == 'llm' and python_version < '4'", one("litellm", "litellm>=1", &[], true)),
            ("foo.bar [ A_b , c ] == 1.*", one("foo-bar", "foo-bar==1.*", &["a-b", "c"], false)),
            (
                "litellm @ https://user:secret@registry.example/l.whl ; extra == 'x'",
                one("litellm", "litellm @ …", &[], true),
            ),
            ("litellm@https://registry.example/l.whl;x", one("litellm", "litellm @ …", &[], false)),
            ("litellm>=1 ; a marker of tomorrow", one("litellm", "litellm>=1", &[], false)),
            ("litellm ;", one("litellm", "litellm", &[], false)),
        ] {
            assert_eq!(get(text), says, "{text}");
        }
    }

    #[test]
    fn what_is_none_costs_nothing() {
        let long = format!("litellm{}", "[".repeat(1 << 20));
        // The first made `pep508_rs` 0.9 panic.
        for text in [
            "x- >1",
            "x-",
            "-x",
            "x-[a]",
            "",
            "not a requirement",
            "litellm>=",
            "litellm==1==2",
            "litellm[a",
            "litellm[-]",
            "é",
            "a\u{1b}",
            &long,
        ] {
            assert_eq!(get(text), None, "{}", text.get(..40).unwrap_or(text));
        }
    }
}
