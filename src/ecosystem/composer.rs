//! Composer: `vendor/package` without regard to case; versions as `composer/semver` normalises them (`v1.0` is `1.0.0.0`) and
//! PHP's `version_compare` orders them. A branch (`dev-main`, with a commit behind `#` or without) is equal to itself only.

use std::cmp::Ordering;

use crate::fact::EnvironmentKind;

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_lowercase, same, order, is_version, admits };

/// The packages that a project, or a user, has installed.
pub const VENDOR: EnvironmentKind = EnvironmentKind::new("composer-vendor");

/// `vendor/package`, safe to show.
pub fn is_name(text: &str) -> bool {
    let part = |p: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        p.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric()) && p.bytes().all(plain)
    };
    text.len() <= 200 && text.split_once('/').is_some_and(|(vendor, name)| part(vendor) && part(name))
}

/// Stands for `x` in `1.x-dev`.
const ANY: &str = "9999999";

fn same(known: &str, found: &str) -> bool {
    order(known, found) == Some(Ordering::Equal)
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    match (branch(a), branch(b)) {
        (Some(a), Some(b)) => (a == b).then_some(Ordering::Equal),
        (None, None) => Some(compare(&parse(a)?, &parse(b)?)),
        _ => None,
    }
}

/// The name of a branch.
fn branch(text: &str) -> Option<&str> {
    let text = bare_version(text);
    match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("dev-") => text.get(4..),
        _ => ["master", "trunk", "default"].contains(&text).then_some(text),
    }
}

/// Without alias, stability flag and commit.
fn bare_version(text: &str) -> &str {
    let text = text.split(" as ").next().unwrap_or(text).trim();
    let text = text.split('#').next().unwrap_or(text);
    text.split_once('@').map_or(text, |(version, _)| version)
}

/// The parts that are compared: four numbers, then marks and their numbers.
fn parse(text: &str) -> Option<Vec<String>> {
    let text = bare_version(text).to_ascii_lowercase();
    let text = text.split('+').next().unwrap_or_default();
    let text = text.strip_prefix('v').unwrap_or(text);
    let (mut parts, rest) = numbers(text).or_else(|| date(text))?;
    let open = rest.strip_prefix(['.', '-']).or(Some(rest)).filter(|r| *r == "dev");
    if parts.iter().any(|p| p == ANY) {
        open?;
        parts.push("dev".to_owned());
        return Some(parts);
    }
    parts.extend(marks(rest)?);
    Some(parts)
}

/// One to four numbers, the first of at most five digits, padded to four; and what follows. `x` stands for any.
fn numbers(text: &str) -> Option<(Vec<String>, &str)> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while parts.len() < 4 {
        let start = if parts.is_empty() { rest } else { rest.strip_prefix('.').unwrap_or("") };
        let end = start.find(|c: char| !c.is_ascii_digit()).unwrap_or(start.len());
        let (number, tail) = start.split_at_checked(end)?;
        match number {
            "" if !parts.is_empty() && start.starts_with(['x', '*']) => {
                parts.push(ANY.to_owned());
                rest = start.get(1..)?;
            }
            "" => break,
            _ => {
                parts.push(number.to_owned());
                rest = tail;
            }
        }
    }
    let any = parts.iter().any(|p| p == ANY);
    let sound = parts.first().is_some_and(|p| p.len() <= 5) && (any || marks(rest).is_some());
    parts.resize(4, if any { ANY } else { "0" }.to_owned());
    sound.then_some((parts, rest))
}

/// `2010-01-02`, `20100102.1`.
fn date(text: &str) -> Option<(Vec<String>, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !".:-".contains(c)).unwrap_or(text.len());
    let (date, rest) = text.split_at_checked(end)?;
    let (kept, cut) = date.trim_end_matches(['.', ':', '-']).split_at_checked(date.len()).unwrap_or((date, ""));
    let parts: Vec<String> = kept.split(['.', ':', '-']).map(str::to_owned).collect();
    let year = parts.first().is_some_and(|p| p.len() >= 4);
    let digits: usize = parts.iter().map(String::len).sum();
    (year && digits >= 6 && cut.is_empty() && parts.iter().all(|p| super::is_number(p))).then_some((parts, rest))
}

/// `-beta1`, `.RC2-dev`, `-p1`, `-stable`; `None` where a text is none of them.
fn marks(text: &str) -> Option<Vec<String>> {
    let mut rest = text;
    let mut parts = Vec::new();
    let marked = rest.strip_prefix(['.', '_', '-']).unwrap_or(rest);
    let words = [
        ("stable", ""),
        ("beta", "beta"),
        ("b", "beta"),
        ("rc", "rc"),
        ("alpha", "alpha"),
        ("a", "alpha"),
        ("patch", "p"),
        ("pl", "p"),
        ("p", "p"),
    ];
    if let Some((tail, mark)) = words.iter().find_map(|(word, mark)| Some((marked.strip_prefix(word)?, *mark))) {
        let end = tail.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(tail.len());
        let (count, tail) = tail.split_at_checked(end)?;
        // A separator at the end belongs to `dev`.
        let kept = count.trim_end_matches(['.', '-']);
        let gap = count.len() - kept.len();
        let broken = gap > 1 || (gap == 1 && tail.is_empty());
        let counts: Vec<&str> = kept.strip_prefix(['.', '-']).unwrap_or(kept).split(['.', '-']).collect();
        if broken || !(kept.is_empty() || counts.iter().all(|c| super::is_number(c))) {
            return None;
        }
        if mark.is_empty() {
            return (tail.is_empty() || tail == "dev").then(Vec::new);
        }
        parts.push(mark.to_owned());
        parts.extend(counts.iter().filter(|c| !c.is_empty()).map(|c| (*c).to_owned()));
        rest = tail;
        return match rest {
            "" => Some(parts),
            "dev" => Some([parts, vec!["dev".to_owned()]].concat()),
            _ => None,
        };
    }
    match rest.strip_prefix(['.', '-', '_']).unwrap_or(rest) {
        "" if rest.is_empty() => Some(parts),
        "dev" => Some(vec!["dev".to_owned()]),
        _ => None,
    }
}

fn compare(a: &[String], b: &[String]) -> Ordering {
    // Any number, `rank` of none being after every pre-release.
    let rank = |p: &str| match p {
        "dev" => 0,
        "alpha" => 1,
        "beta" => 2,
        "rc" => 3,
        p if super::is_number(p) => 4,
        _ => 5,
    };
    for at in 0..a.len().max(b.len()) {
        let unequal = match (a.get(at), b.get(at)) {
            (Some(x), Some(y)) if super::is_number(x) && super::is_number(y) => super::digits(x, y),
            (Some(x), Some(y)) => rank(x).cmp(&rank(y)),
            (Some(x), None) if super::is_number(x) => Ordering::Greater,
            (None, Some(y)) if super::is_number(y) => Ordering::Less,
            (x, y) => x.map_or(4, |x| rank(x)).cmp(&y.map_or(4, |y| rank(y))),
        };
        if unequal != Ordering::Equal {
            return unequal;
        }
    }
    Ordering::Equal
}

fn is_version(text: &str) -> bool {
    branch(text).is_some_and(|b| !b.is_empty()) || parse(text).is_some()
}

/// An exact version; a constraint may be any.
fn admits(specifier: &str, version: &str) -> bool {
    let exact = specifier.trim_start_matches('=').trim();
    !is_version(exact) || exact.contains(['x', '*', ',', '|', ' ']) || same(version, exact)
}
