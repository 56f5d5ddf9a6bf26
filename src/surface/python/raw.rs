//! What the raw text of a lock file or manifest names, where it cannot be parsed: a package that an indicator knows, and the version
//! that stands right behind it.
//!
//! ```text
//! litellm==1.82.8   litellm 1.82.8   litellm@1.82.8   "litellm": "1.82.8"
//! name = "litellm"
//! version = "1.82.8"
//! "litellm": { …, "version": "==1.82.8" }
//! ```
//!
//! A range, an exclusion and a comment name no version that anybody gets.

use super::{listing::text, pin::Pin};
use crate::{
    ecosystem::pypi::{is_name, normalise},
    fact::{Ecosystem, Package, Placement},
    interest::Interest,
    surface::Opened,
};

/// The part of a file that is searched.
const SEARCHED: usize = 16 << 20;
/// What is taken from one file.
const PAIRS: usize = 200;
/// How far behind a name in JSON its version may stand, and how often that is looked for.
const OBJECT: usize = 16 << 10;
const OBJECTS: usize = 64;

/// Each known package with its version and its line, each once.
pub fn pairs(file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
    let interest = file.interest;
    let Ok(bytes) = file.head(SEARCHED) else {
        return Vec::new();
    };
    let found = pairs_in(&text(bytes), interest);
    // A mark that lies about what follows it hides nothing.
    if found.is_empty() { pairs_in(&String::from_utf8_lossy(bytes), interest) } else { found }
}

fn pairs_in(text: &str, interest: &Interest) -> Vec<(Package, u32)> {
    let (mut found, mut objects): (Vec<(Package, u32)>, _) = (Vec::new(), 0);
    let (mut line, mut counted) = (1_u32, 0);
    for (at, word) in words(text) {
        if !is_name(word) || !interest.knows_package(Ecosystem::Pypi, &normalise(word)) {
            continue;
        }
        let (before, behind) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..).unwrap_or_default());
        let of_line = before.rsplit('\n').next().unwrap_or_default();
        if of_line.contains('#') || of_line.trim_start().starts_with("//") {
            continue;
        }
        // `litellm[proxy]`
        let behind = behind
            .strip_prefix('[')
            .and_then(|b| b.get(..200).unwrap_or(b).find(']').and_then(|end| b.get(end + 1..)))
            .unwrap_or(behind);
        let mut version = version_behind(behind);
        if version.is_none() && objects < OBJECTS && behind.trim_start_matches('"').trim_start().starts_with(':') {
            objects += 1;
            version = version_in_object(behind);
        }
        let Some(pin) = version.and_then(|v| Pin::new(word, v)) else {
            continue;
        };
        let breaks = text.get(counted..at).unwrap_or_default().bytes().filter(|b| *b == b'\n').count();
        line = line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        counted = at;
        let package = Package {
            ecosystem: Ecosystem::Pypi,
            name: pin.name.into(),
            version: pin.version.into(),
            placement: Placement::Listed,
            requires: [].into(),
            artifacts: Vec::new(),
        };
        if found.len() < PAIRS && !found.iter().any(|(p, _)| *p == package) {
            found.push((package, line));
        }
    }
    found
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+')
}

/// Words and where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|c| !in_word(c)).filter_map(move |word| {
        let start = at;
        // What ends a word is one character; only its length differs.
        at += word.len();
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((start, word))
    })
}

/// The version that is the next word, or the next but one behind `version`.
fn version_behind(text: &str) -> Option<&str> {
    let (word, behind) = next_word(text)?;
    if word == "version" { is_version(next_word(behind)?.0) } else { is_version(word) }
}

/// The next word, where nothing but an equals sign, quotes, brackets and spaces stands between.
fn next_word(text: &str) -> Option<(&str, &str)> {
    let start = text.char_indices().take(64).find(|(_, c)| in_word(*c)).map(|(at, _)| at)?;
    let (between, rest) = text.split_at_checked(start)?;
    let plain = between.chars().all(|c| c.is_whitespace() || "=\"':,@()[]{".contains(c));
    let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
    plain.then(|| rest.split_at_checked(end))?
}

fn is_version(word: &str) -> Option<&str> {
    let word = word.trim_end_matches(['.', '-', '_']);
    let digits = word.strip_prefix('v').unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit()).then_some(word)
}

/// `"version": "==1.82.8"` before the object ends.
fn version_in_object(text: &str) -> Option<&str> {
    let object =
        text.char_indices().take_while(|(at, c)| *at < OBJECT && *c != '}').last().map(|(at, c)| at + c.len_utf8())?;
    let (_, behind) = text.get(..object)?.split_once("\"version\"")?;
    is_version(next_word(behind)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut interest = Interest::default();
        interest.packages.insert(Ecosystem::Pypi, "litellm");
        pairs_in(text, &interest).into_iter().map(|(p, line)| format!("{} {}@{line}", p.name, p.version)).collect()
    }

    #[test]
    fn a_name_and_the_version_behind_it() {
        for text in [
            "litellm==1.82.8",
            "LiteLLM[proxy]==1.82.8",
            "name = \"litellm\"\r\nversion = \"1.82.8\"",
            "\"litellm\": \"1.82.8\"",
            "litellm (1.82.8)",
            "- litellm=1.82.8=py_0",
            "\"litellm\": {\"hashes\": [\"sha256:00\"], \"index\": \"pypi\", \"version\": \"==1.82.8\"",
            "\u{fffd}\u{fffd} litellm 1.82.8.",
        ] {
            assert_eq!(found(text), ["litellm 1.82.8@1"], "{text}");
        }
        assert_eq!(found("é\n\nlitellm==1\nlitellm==1\nlitellm==2"), ["litellm 1@3", "litellm 2@5"]);
    }

    #[test]
    fn look_alikes_name_nothing() {
        for text in [
            "litellm!=1.82.8",
            "litellm>=1.82.8",
            "litellm~=1.82.8",
            "litellm<1.82.8",
            "# litellm==1.82.8",
            "// litellm 1.82.8",
            "litellm-proxy==1.82.8",
            "my.litellm 1.82.8",
            "litellm",
            "litellm and 1.82.8",
            "\"litellm\": {}, \"version\": \"1.82.8\"",
            "",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_flood_of_names_is_searched_in_one_pass() {
        assert_eq!(found(&"\"litellm\": {".repeat(20_000)), [""; 0]);
        let many: String = (0..1000).map(|n| format!("litellm==1.{n}\n")).collect();
        assert_eq!(found(&many).len(), PAIRS);
    }
}
