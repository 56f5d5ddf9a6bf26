//! Homebrew: names in lower case, those of its own taps without the tap. A revision of the formula (`1.2.3_1`) builds the same version
//! anew.

use std::cmp::Ordering;

use crate::fact::EnvironmentKind;

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// Where a formula or a cask is installed in one version.
pub const KEG: EnvironmentKind = EnvironmentKind::new("homebrew-keg");

/// `homebrew/core/xz` is `xz`.
fn name(name: &str) -> String {
    let name = name.to_lowercase();
    let own = name.strip_prefix("homebrew/").and_then(|rest| rest.split_once('/')).map(|(_, own)| own.to_owned());
    own.unwrap_or(name)
}

/// Version and revision.
fn parse(text: &str) -> (&str, Option<&str>) {
    let cut = text.rsplit_once('_').filter(|(version, r)| !version.is_empty() && super::is_number(r));
    cut.map_or((text, None), |(version, revision)| (version, Some(revision)))
}

/// A known one without a revision is found with any.
fn same(known: &str, found: &str) -> bool {
    let ((known, wanted), (found, revision)) = (parse(known), parse(found));
    let alike = wanted.is_none_or(|wanted| revision.is_some_and(|r| super::digits(wanted, r) == Ordering::Equal));
    known == found && alike
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let ((a, revision_a), (b, revision_b)) = (parse(a), parse(b));
    let numbers = |text: &str| text.split('.').all(super::is_number);
    let versions = match () {
        () if numbers(a) && numbers(b) => super::dotted(a, b),
        () if a == b && is_version(a) => Ordering::Equal,
        () => return None,
    };
    Some(versions.then_with(|| super::digits(revision_a.unwrap_or("0"), revision_b.unwrap_or("0"))))
}

/// Safe to show.
pub fn is_version(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+,:~-".contains(&b);
    text.len() <= 200 && text.bytes().all(plain) && text.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Whether a text can be the name of a formula or a cask, with its tap or without, safe to show.
pub fn is_name(text: &str) -> bool {
    let part = |p: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+@-".contains(&b);
        p.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric()) && p.bytes().all(plain)
    };
    text.len() <= 200 && matches!(text.split('/').count(), 1 | 3) && text.split('/').all(part)
}

/// No command takes a version but as a part of the name.
fn admits(specifier: &str, version: &str) -> bool {
    !is_version(specifier) || same(specifier, version)
}
