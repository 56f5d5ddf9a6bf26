//! Releases of a forge, plug-ins and the like: names without regard to case, a `v` in front counting nothing, and an order only
//! where versions are numbers with dots, perhaps with a pre-release behind `-`.

use std::cmp::Ordering;

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_lowercase, same, order, is_version, admits };

/// Trailing zeros count: a forge may have both.
fn same(known: &str, found: &str) -> bool {
    without_v(known) == without_v(found)
}

fn without_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V']).filter(|t| t.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text)
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(super::dotted(a.0, b.0).then_with(|| super::prerelease(a.1, b.1)))
}

fn parse(text: &str) -> Option<(&str, &str)> {
    let text = without_v(text).split('+').next().unwrap_or_default();
    let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
    numbers.split('.').all(super::is_number).then_some((numbers, pre))
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn admits(specifier: &str, version: &str) -> bool {
    parse(specifier).is_none() || same(version, specifier)
}
