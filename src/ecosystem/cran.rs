//! R: names exactly, versions of numbers apart by `.` or `-`.

use std::cmp::Ordering;

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_owned, same, order, is_version, admits };

fn order(a: &str, b: &str) -> Option<Ordering> {
    let numbers = |text: &str| is_version(text).then(|| text.replace('-', "."));
    let (a, b) = (numbers(a)?, numbers(b)?);
    // `1.0` comes before `1.0.0`.
    let count = a.split('.').count().cmp(&b.split('.').count());
    Some(super::dotted(&a, &b).then(count))
}

fn same(known: &str, found: &str) -> bool {
    order(known, found) == Some(Ordering::Equal)
}

fn is_version(text: &str) -> bool {
    text.split(['.', '-']).all(super::is_number)
}

/// An exact version.
fn admits(specifier: &str, version: &str) -> bool {
    !is_version(specifier) || same(version, specifier)
}
