//! Go modules: paths are compared exactly, `/v2` being part of them; versions as `golang.org/x/mod/semver` does. The module
//! cache writes capitals as `!` and the small letter; `!` is in no path and no version.

use std::cmp::Ordering;

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// `github.com/!burnt!sushi/toml` is `github.com/BurntSushi/toml`, which is not `github.com/burntsushi/toml`.
fn name(name: &str) -> String {
    unescaped(name.trim_end_matches('/'))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut capital = false;
    for c in text.chars() {
        match c {
            '!' if !capital => capital = true,
            c if capital => {
                plain.push(c.to_ascii_uppercase());
                capital = false;
            }
            c => plain.push(c),
        }
    }
    plain
}

/// `v` may be missing and `+incompatible` counts nothing. A commit is the pseudo-version that was made of it.
fn same(known: &str, found: &str) -> bool {
    match (commit(known), commit(found)) {
        (Some(a), Some(b)) if is_bare(known) || is_bare(found) => a.starts_with(&b) || b.starts_with(&a),
        _ => order(known, found) == Some(Ordering::Equal),
    }
}

/// The commit of a pseudo-version (`v0.0.0-20260805040439-27421527967b`), or of a text that is one.
pub fn commit(version: &str) -> Option<String> {
    let version = version.split('+').next().unwrap_or(version);
    if is_bare(version) {
        return Some(version.to_ascii_lowercase());
    }
    let (before, commit) = version.rsplit_once('-')?;
    let time = before.rsplit(['-', '.']).next()?;
    let made = time.len() == 14 && super::is_number(time) && commit.len() == 12;
    (made && commit.bytes().all(|b| b.is_ascii_hexdigit())).then(|| commit.to_ascii_lowercase())
}

fn is_bare(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(super::dotted(&a.0, &b.0).then_with(|| super::prerelease(&a.1, &b.1)))
}

/// Numbers and pre-release. `v1` and `v1.2` are short for `v1.0.0` and `v1.2.0`.
fn parse(text: &str) -> Option<(String, String)> {
    let text = unescaped(text.strip_prefix('v').unwrap_or(text));
    let text = text.split('+').next().unwrap_or_default();
    let (numbers, pre) = text.split_once('-').map_or((text, None), |(n, p)| (n, Some(p)));
    let parts: Vec<&str> = numbers.split('.').collect();
    let number = |n: &&str| super::is_number(n) && (*n == "0" || !n.starts_with('0'));
    let mark = |m: &str| {
        !m.is_empty()
            && m.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !(super::is_number(m) && m.len() > 1 && m.starts_with('0'))
    };
    let sound =
        parts.len() <= 3 && parts.iter().all(number) && pre.is_none_or(|p| parts.len() == 3 && p.split('.').all(mark));
    sound.then(|| (numbers.to_owned(), pre.unwrap_or_default().to_owned()))
}

/// Tags and commits.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v').unwrap_or(text).contains('.') && parse(text).is_some() || is_bare(text)
}

/// `v1` asks for the newest below it; a branch or `latest` for anything.
fn admits(specifier: &str, version: &str) -> bool {
    match parse(specifier) {
        Some((numbers, pre)) if numbers.split('.').count() == 3 || !pre.is_empty() => same(version, specifier),
        Some((numbers, _)) => {
            parse(version).is_none_or(|(whole, _)| whole == numbers || whole.starts_with(&format!("{numbers}.")))
        }
        None if is_bare(specifier) => same(version, specifier),
        None => true,
    }
}
