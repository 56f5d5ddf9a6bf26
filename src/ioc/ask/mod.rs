//! What a person asks of the indicators, in the words and with the marks around them that people paste: `iocs search`.
//!
//! ```text
//! mod.rs    arguments to questions: `litellm 1.82.8` is one, in one argument or in two
//! clean.rs  quotes, defanged and invisible characters, what looks like a version
//! widen.rs  every reading of a text: file names of packages, pins, lines of lock files, addresses
//! names.rs  incidents by id, alias, number, actor; actions, images and commits without all their parts
//! near.rs   what is known beside something unknown: versions, names, other ecosystems
//! answer.rs what is found, what is known besides, and what cannot be asked like that
//! ```
//!
//! `query.rs` answers as an examination would match; here a person is answered, who must not be reassured by a typing error.

mod answer;
mod clean;
mod names;
mod near;
mod widen;

use std::collections::BTreeSet;

pub use answer::{Answer, State};

use super::query::Query;
use crate::{ecosystem::normal_name, fact::Ecosystem, text::hidden};

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// As typed; two arguments with a blank between them.
    pub text: String,
    /// Without the marks around it.
    bare: String,
    /// Every reading, most likely first.
    readings: Vec<Query>,
    /// A version, an ecosystem, or nothing at all: what is missing, in words.
    unclear: Option<String>,
}

/// More than anybody types; what lies behind is not read.
const LONGEST: usize = 4096;

/// Readings of one question: a text has few, one made of signs has thousands.
const MOST: usize = 64;

/// Words of a command or a sentence that are no name somebody asks for.
const NOISE: &[&str] = &[
    "-", "--", "==", "=", "===", "@", "a", "add", "and", "get", "i", "in", "install", "is", "mod", "of", "or",
    "package", "pipx", "release", "require", "run", "the", "uses", "ver", "version", "versions", "with",
];

/// The questions that some arguments are.
pub fn questions(arguments: &[String]) -> Vec<Question> {
    let arguments: Vec<String> = arguments.iter().flat_map(|a| listed(a)).collect();
    let mut questions = Vec::new();
    let mut rest = arguments.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let (words, later) = joined(first, after);
        questions.push(question(&words));
        rest = later;
    }
    questions
}

/// The parts of a list in one argument: `litellm 1.82.8, axios 1.14.1`, or a part a line. A sentence is no list.
fn listed(argument: &str) -> Vec<String> {
    let head: String = argument.chars().take(LONGEST).collect();
    let parts: Vec<&str> =
        head.lines().flat_map(|l| l.split(", ")).map(str::trim).filter(|p| p.contains(char::is_alphanumeric)).collect();
    let short = parts.iter().all(|p| p.split_whitespace().count() <= 3);
    // Whoever hides something in it does not ask for several things.
    let hides = head.chars().any(|c| !c.is_ascii_whitespace() && hidden(c));
    if parts.len() < 2 || !short || hides {
        return vec![argument.to_owned()];
    }
    parts.into_iter().map(str::to_owned).collect()
}

/// An argument with those behind it that belong to it: `npm axios 1.14.1`, `litellm == 1.82.8`.
fn joined<'a>(first: &'a str, after: &'a [String]) -> (Vec<&'a str>, &'a [String]) {
    let mut words = vec![first];
    let mut rest = after;
    let bare = clean::bare(first);
    if Ecosystem::from_word(bare.trim_end_matches(':')).is_some()
        && let Some((name, later)) = rest.split_first()
        && clean::is_name(&clean::bare(name))
    {
        words.push(name);
        rest = later;
    }
    let named = words.last().is_some_and(|w| clean::is_name(&clean::bare(w)));
    let sign = |w: &String| ["=", "==", "===", "@", "version", "ver", "v"].contains(&w.trim());
    match rest {
        [version, ..] if named && clean::is_version(&clean::bare(version)) => {
            let versions = rest.iter().take_while(|v| clean::is_version(&clean::bare(v))).count();
            let (own, later) = rest.split_at_checked(versions).unwrap_or((rest, &[]));
            words.extend(own.iter().map(String::as_str));
            (words, later)
        }
        [mark, version, later @ ..] if named && sign(mark) && clean::is_version(&clean::bare(version)) => {
            words.extend([mark.as_str(), version.as_str()]);
            (words, later)
        }
        _ => (words, rest),
    }
}

fn question(words: &[&str]) -> Question {
    let text = words.join(" ");
    let bare = clean::bare(&text.chars().take(LONGEST).collect::<String>());
    let parts: Vec<String> = bare.split_whitespace().map(clean::bare).filter(|p| !p.is_empty()).collect();
    let mut readings = Vec::new();
    let mut add = |more: Vec<Query>| {
        more.into_iter().for_each(|q| {
            if !readings.contains(&q) {
                readings.push(q)
            }
        })
    };
    let unclear = missing(&bare, &parts);
    if unclear.is_none() {
        match parts.as_slice() {
            [one] => add(widen::readings(one)),
            several => {
                let significant: Vec<&String> = several.iter().filter(|p| !NOISE.contains(&p.as_str())).collect();
                add(several_words(&significant));
                // A text of the payload, or a path with a blank in it.
                add(vec![Query::File(bare.clone()), Query::Text(bare.clone())]);
            }
        }
    }
    readings.truncate(MOST);
    Question { text, bare, readings, unclear }
}

/// `name version`, `ecosystem name version`, and words that mean something by themselves.
fn several_words(words: &[&String]) -> Vec<Query> {
    let mut all = Vec::new();
    let mut ecosystem = None;
    let mut rest = words;
    while let Some((word, later)) = rest.split_first() {
        rest = later;
        if let Some(e) = Ecosystem::from_word(word.trim_end_matches(':')) {
            ecosystem = Some(e);
            continue;
        }
        match later.split_first() {
            Some((version, _)) if clean::is_name(word) && clean::is_version(version) => {
                let versions = later.iter().take_while(|v| clean::is_version(v)).count();
                let (own, after) = later.split_at_checked(versions).unwrap_or((later, &[]));
                all.extend(own.iter().flat_map(|v| widen::pinned(ecosystem, word, v)));
                rest = after;
            }
            _ if ecosystem.is_some() || word.contains(|c: char| "@=:./0123456789".contains(c)) => {
                all.extend(match ecosystem {
                    Some(e) => widen::readings(&format!("{}:{word}", e.purl_type())),
                    None => widen::readings(word),
                });
            }
            _ => {}
        }
    }
    all
}

/// Why something cannot be looked up.
fn missing(bare: &str, parts: &[String]) -> Option<String> {
    let [one] = parts else {
        return parts.is_empty().then(|| "nothing to look up: give a name and a version, a hash, a host".to_owned());
    };
    if !one.contains(char::is_alphanumeric) {
        return Some("no name in it: give a name and a version, a hash, a host".to_owned());
    }
    if clean::is_version(one) && !one.chars().all(|c| c.is_ascii_hexdigit()) {
        return Some(format!("a version without a name: `iocs search 'NAME {one}'`"));
    }
    if let Some(ecosystem) = Ecosystem::from_word(one.trim_end_matches(':')) {
        let word = ecosystem.purl_type();
        return Some(format!(
            "an ecosystem: `iocs list --ecosystem {word}` lists its incidents, `iocs search {word}:NAME@VERSION` asks"
        ));
    }
    clean::odd_hash(bare)
}

impl Question {
    /// The packages it may mean, so that feeds can be asked for them: in every ecosystem, since people name the wrong one.
    pub fn packages(&self) -> BTreeSet<(Ecosystem, Box<str>)> {
        let mut all = BTreeSet::new();
        for query in &self.readings {
            let Query::Package { name, .. } = query else { continue };
            for ecosystem in Ecosystem::ALL {
                all.insert((ecosystem, normal_name(ecosystem, name)));
                all.insert((ecosystem, normal_name(ecosystem, &name.to_lowercase())));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
