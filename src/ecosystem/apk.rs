//! Alpine: names exactly, versions as `apk version` compares them: numbers, a letter, words (`_rc1`), a release (`-r0`).

use std::cmp::Ordering;

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_owned, same, order, is_version, admits };

/// Words behind `_`, those before the release first.
const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const BEHIND: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

struct Version<'t> {
    numbers: Vec<&'t str>,
    letter: Option<char>,
    /// The place of each word, 0 being that of none, and its number.
    words: Vec<(i8, &'t str)>,
    hash: &'t str,
    release: Option<&'t str>,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let release = text.rsplit_once("-r").filter(|(_, r)| super::is_number(r));
    let (text, release) = release.map_or((text, None), |(rest, r)| (rest, Some(r)));
    let (text, hash) = text.split_once('~').unwrap_or((text, ""));
    let mut parts = text.split('_');
    let first = parts.next()?;
    let (first, letter) = match first.chars().next_back().filter(char::is_ascii_lowercase) {
        Some(letter) => (first.strip_suffix(letter)?, Some(letter)),
        None => (first, None),
    };
    let numbers: Vec<&str> = first.split('.').collect();
    let words: Option<Vec<(i8, &str)>> = parts.map(word).collect();
    let sound = numbers.iter().all(|n| super::is_number(n)) && hash.bytes().all(|b| b.is_ascii_hexdigit());
    sound.then_some(Version { numbers, letter, words: words?, hash, release })
}

/// `rc1`
fn word(text: &str) -> Option<(i8, &str)> {
    let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = text.strip_prefix(name)?;
    let place = |words: &[&str]| words.iter().position(|w| *w == name).and_then(|at| i8::try_from(at).ok());
    let before = || Some(place(&BEFORE)? - 4);
    Some((before().or_else(|| Some(place(&BEHIND)? + 1))?, number))
}

fn upstream(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let numbers = a.numbers.iter().zip(&b.numbers).map(|(a, b)| super::digits(a, b)).find(|o| *o != Ordering::Equal);
    let mut words = (0..a.words.len().max(b.words.len())).map(|at| {
        let word = |of: &Version<'_>| of.words.get(at).map_or((0, String::new()), |(p, n)| (*p, (*n).to_owned()));
        let (a, b) = (word(a), word(b));
        a.0.cmp(&b.0).then_with(|| super::digits(&a.1, &b.1))
    });
    numbers
        .unwrap_or(Ordering::Equal)
        .then(a.numbers.len().cmp(&b.numbers.len()))
        .then(a.letter.cmp(&b.letter))
        .then_with(|| words.find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal))
        .then(a.hash.cmp(b.hash))
}

/// A known one without a release is found with any.
fn same(known: &str, found: &str) -> bool {
    let (Some(known), Some(found)) = (parse(known), parse(found)) else {
        return false;
    };
    let release = match (known.release, found.release) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(a), Some(b)) => super::digits(a, b) == Ordering::Equal,
    };
    release && upstream(&known, &found) == Ordering::Equal
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    let release = super::digits(a.release.unwrap_or("0"), b.release.unwrap_or("0"));
    Some(upstream(&a, &b).then(release))
}

fn is_version(text: &str) -> bool {
    parse(text).is_some()
}

/// `=1.0-r0`, `>1.0`, `~1.0`.
fn admits(specifier: &str, version: &str) -> bool {
    let (operator, bound) = super::clause_of(specifier);
    let order = order(version, bound);
    match operator {
        "=" | "==" => same(bound, version) || same(version, bound),
        "<" => order.is_none_or(Ordering::is_lt),
        "<=" => order.is_none_or(Ordering::is_le),
        ">" => order.is_none_or(Ordering::is_gt) && !same(bound, version),
        ">=" => order.is_none_or(Ordering::is_ge),
        _ => true,
    }
}
