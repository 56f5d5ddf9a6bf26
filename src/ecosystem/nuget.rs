//! NuGet: names and pre-releases without regard to case, up to four numbers, zeros in front and at the end counting nothing,
//! build metadata ignored.

use std::cmp::Ordering;

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_lowercase, same, order, is_version, admits };

fn same(known: &str, found: &str) -> bool {
    order(known, found) == Some(Ordering::Equal)
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(super::dotted(&a.0, &b.0).then_with(|| super::prerelease(&a.1, &b.1)))
}

fn parse(text: &str) -> Option<(String, String)> {
    let text = text.split('+').next().unwrap_or_default().to_lowercase();
    let (numbers, pre) = text.split_once('-').map_or((text.as_str(), None), |(n, p)| (n, Some(p)));
    let parts: Vec<&str> = numbers.split('.').collect();
    let mark = |m: &str| !m.is_empty() && m.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let sound =
        parts.len() <= 4 && parts.iter().all(|n| super::is_number(n)) && pre.is_none_or(|p| p.split('.').all(mark));
    sound.then(|| (numbers.to_owned(), pre.unwrap_or_default().to_owned()))
}

fn is_version(text: &str) -> bool {
    parse(text).is_some()
}

/// `[1.0,2.0)`, `[1.0]`, `1.*`; a plain version is a lower bound.
fn admits(specifier: &str, version: &str) -> bool {
    match specifier.strip_suffix('*').filter(|s| s.is_empty() || s.ends_with(['.', '-'])) {
        Some(start) => {
            let start: Vec<&str> = start.split(['.', '-']).filter(|p| !p.is_empty()).collect();
            let parts = version.split(['.', '-']).chain(std::iter::repeat("0"));
            start.iter().zip(parts).all(|(s, v)| !super::is_number(s) || super::digits(s, v) == Ordering::Equal)
        }
        None => interval(specifier, version, order)
            .unwrap_or_else(|| order(version, specifier).is_none_or(|o| o != Ordering::Less)),
    }
}

/// Whether a version lies in an interval (`[1.0,2.0)`) or one of several; `None` where the text is none.
pub(super) fn interval(
    text: &str,
    version: &str,
    order: impl Fn(&str, &str) -> Option<Ordering> + Copy,
) -> Option<bool> {
    let mut rest = text.trim();
    let mut inside = None;
    while let Some(open) = rest.chars().next().filter(|c| matches!(c, '[' | '(')) {
        let end = rest.find([']', ')'])?;
        let (body, tail) = (rest.get(1..end)?, rest.get(end..)?);
        let closed = tail.starts_with(']');
        let (low, high) = body.split_once(',').unwrap_or((body, body));
        let above = low.trim().is_empty()
            || order(version, low.trim()).is_none_or(|o| o == Ordering::Greater || o == Ordering::Equal && open == '[');
        let below = high.trim().is_empty()
            || order(version, high.trim()).is_none_or(|o| o == Ordering::Less || o == Ordering::Equal && closed);
        inside = Some(inside.unwrap_or(false) || above && below);
        rest = tail.get(1..)?.trim_start().trim_start_matches(',').trim_start();
    }
    inside.filter(|_| rest.is_empty())
}
