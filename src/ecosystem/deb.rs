//! Debian and what descends from it: `epoch:upstream-revision`, ordered as `dpkg --compare-versions` does.

use std::cmp::Ordering;

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// `liblzma5:amd64` is `liblzma5`.
fn name(name: &str) -> String {
    name.split(':').next().unwrap_or(name).to_ascii_lowercase()
}

/// A rebuild of the same source (`5.6.1-1+b1`) is the known version too.
fn same(known: &str, found: &str) -> bool {
    let equal = |a: &str, b: &str| order(a, b) == Some(Ordering::Equal);
    let rebuilt = found.rsplit_once("+b").filter(|(_, n)| super::is_number(n));
    equal(known, found) || rebuilt.is_some_and(|(source, _)| equal(known, source))
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (unescaped(a), unescaped(b));
    let (a, b) = (parse(&a)?, parse(&b)?);
    Some(super::digits(a.0, b.0).then_with(|| part(a.1, b.1)).then_with(|| part(a.2, b.2)))
}

/// File names write the colon as `%3a`.
fn unescaped(text: &str) -> String {
    text.replace("%3a", ":").replace("%3A", ":")
}

/// Epoch, upstream version, revision.
fn parse(text: &str) -> Option<(&str, &str, &str)> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    let fine = |t: &str, more: &str| {
        !t.is_empty() && t.chars().all(|c| c.is_ascii_alphanumeric() || ".+~".contains(c) || more.contains(c))
    };
    (super::is_number(epoch) && fine(upstream, "-:") && fine(revision, "")).then_some((epoch, upstream, revision))
}

/// Words and numbers by turns. In words `~` comes before the end, letters before all else.
fn part(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (x, y) = (taken(&mut a, false), taken(&mut b, false));
        let unequal = words(x, y).then_with(|| super::digits(taken(&mut a, true), taken(&mut b, true)));
        if unequal != Ordering::Equal {
            return unequal;
        }
    }
    Ordering::Equal
}

fn taken<'t>(text: &mut &'t str, number: bool) -> &'t str {
    let end = text.find(|c: char| c.is_ascii_digit() != number).unwrap_or(text.len());
    let (part, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    *text = rest;
    part
}

fn words(a: &str, b: &str) -> Ordering {
    let rank = |c: Option<char>| match c {
        Some('~') => (0, '~'),
        None => (1, ' '),
        Some(c) if c.is_ascii_alphabetic() => (2, c),
        Some(c) => (3, c),
    };
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) if x == y => {}
            (x, y) => return rank(x).cmp(&rank(y)),
        }
    }
}

fn is_version(text: &str) -> bool {
    let upstream = parse(text).map(|(_, upstream, _)| upstream);
    upstream.is_some_and(|u| u.starts_with(|c: char| c.is_ascii_digit()))
}

/// What `apt-get install name=…` asks for is one version; anything else may be any.
fn admits(specifier: &str, version: &str) -> bool {
    !specifier.starts_with('=') || same(version, specifier.trim_start_matches('=').trim())
}
