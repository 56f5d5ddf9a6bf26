//! Registries that keep to Semantic Versioning: Hex, pub, CocoaPods, Conan. Numbers with dots (what is missing is zero), a pre-release
//! behind `-`, and build metadata behind `+`, which counts for pub alone.

use std::cmp::Ordering;

use crate::fact::EnvironmentKind;

/// The packages of Hex that a project has fetched.
pub const DEPS: EnvironmentKind = EnvironmentKind::new("hex-deps");

/// Hex: names in lower case.
pub(super) const HEX: super::Semantics = super::Semantics { name: str::to_lowercase, same, order, is_version, admits };
/// Pub: `1.0.0` and `1.0.0+1` are two releases.
pub(super) const PUB: super::Semantics = super::Semantics {
    name: str::to_lowercase,
    same: same_build,
    order: order_build,
    is_version,
    admits: admits_build,
};
/// CocoaPods: a part of a pod is the pod.
pub(super) const COCOAPODS: super::Semantics = super::Semantics { name: pod, same, order, is_version, admits };
/// Conan.
pub(super) const CONAN: super::Semantics =
    super::Semantics { name: str::to_lowercase, same, order, is_version, admits };

/// `Firebase/Core` is a part of `Firebase`.
fn pod(name: &str) -> String {
    name.split('/').next().unwrap_or(name).to_owned()
}

/// Numbers, pre-release, build.
fn parse(text: &str) -> Option<(&str, &str, &str)> {
    let (text, build) = text.split_once('+').unwrap_or((text, ""));
    let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
    let mark = |m: &str| !m.is_empty() && m.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let marks = |m: &str| m.is_empty() || m.split('.').all(mark);
    let sound = numbers.split('.').all(super::is_number) && marks(pre) && marks(build) && !text.ends_with('-');
    sound.then_some((numbers, pre, build))
}

pub(super) fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(super::dotted(a.0, b.0).then_with(|| super::prerelease(a.1, b.1)))
}

/// Without a build comes before any.
fn order_build(a: &str, b: &str) -> Option<Ordering> {
    let builds = || Some(super::prerelease(b.split_once('+')?.1, a.split_once('+')?.1).reverse());
    let one = a.contains('+').cmp(&b.contains('+'));
    Some(order(a, b)?.then(one).then_with(|| builds().unwrap_or(Ordering::Equal)))
}

pub(super) fn same(known: &str, found: &str) -> bool {
    order(known, found) == Some(Ordering::Equal)
}

fn same_build(known: &str, found: &str) -> bool {
    order_build(known, found) == Some(Ordering::Equal)
}

pub(super) fn is_version(text: &str) -> bool {
    parse(text).is_some()
}

/// `~> 1.2 and != 1.2.4`, `^1.2.0`, `>=1.0.0 <2.0.0`, `1.2.0`; one of several apart by ` or `.
pub(super) fn admits(specifier: &str, version: &str) -> bool {
    admitted(specifier, version, order)
}

fn admits_build(specifier: &str, version: &str) -> bool {
    admitted(specifier, version, order_build)
}

fn admitted(specifier: &str, version: &str, order: fn(&str, &str) -> Option<Ordering>) -> bool {
    specifier.split(" or ").any(|part| {
        let part = part.replace(" and ", " ").replace(',', " ");
        let (mut operator, mut fits) = (String::new(), true);
        for word in part.split_whitespace() {
            let bound = word.trim_start_matches(['<', '>', '=', '!', '~', '^']);
            operator.push_str(word.strip_suffix(bound).unwrap_or_default());
            if !bound.is_empty() {
                fits &= fulfils(&operator, bound, version, order);
                operator.clear();
            }
        }
        fits
    })
}

fn fulfils(operator: &str, bound: &str, version: &str, order: fn(&str, &str) -> Option<Ordering>) -> bool {
    let Some(order) = order(version, bound) else {
        return true;
    };
    match operator {
        "" | "=" | "==" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        ">" => order == Ordering::Greater,
        ">=" => order != Ordering::Less,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        "~>" => order != Ordering::Less && starts_alike(version, bound, bound.split('.').count().saturating_sub(1)),
        "^" => order != Ordering::Less && starts_alike(version, bound, if bound.starts_with("0.") { 2 } else { 1 }),
        _ => true,
    }
}

/// Whether the first numbers are the same, of at least one.
fn starts_alike(a: &str, b: &str, count: usize) -> bool {
    let numbers = |text| parse(text).map_or("", |(numbers, ..)| numbers).split('.').chain(std::iter::repeat("0"));
    numbers(a).zip(numbers(b)).take(count.max(1)).all(|(a, b)| super::digits(a, b) == Ordering::Equal)
}
