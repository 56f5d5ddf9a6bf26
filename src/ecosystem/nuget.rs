//! NuGet: names and pre-releases without regard to case, up to four numbers, zeros in front and at the end counting nothing,
//! build metadata ignored.

use std::cmp::Ordering;

use crate::fact::{Ecosystem, EnvironmentKind, TreePath, Unit};

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_lowercase, same, order, is_version, admits };

/// How packages lie. What a file says decides what they are part of, so that the surfaces make the units.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Nuget,
    unit: |_| None,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: None,
    store_entry,
};

/// What a program is that was built: its folder.
pub const PROGRAM: EnvironmentKind = EnvironmentKind::new("dotnet-program");
/// A program that `dotnet tool install` put beside others.
pub const TOOL: EnvironmentKind = EnvironmentKind::new("dotnet-tool");
/// A project that is built.
pub const PROJECT: EnvironmentKind = EnvironmentKind::new("dotnet-project");

/// A unit of packages.
pub fn unit(folder: TreePath, root: TreePath, kind: EnvironmentKind) -> Unit {
    Unit { ecosystem: Ecosystem::Nuget, folder, root, kind, usual: true }
}

/// Whether a text can be the id of a package, safe to show.
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=100).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['.', '-']) && !text.ends_with('.')
}

/// Id and version of `NUnit.2.6.4`: the longest version that ends it.
pub fn full_name(text: &str) -> Option<(&str, &str)> {
    let cut = |(at, _): (usize, &str)| Some((text.get(..at)?, text.get(at + 1..)?));
    text.match_indices('.').filter_map(cut).find(|(name, version)| {
        version.starts_with(|c: char| c.is_ascii_digit())
            && is_name(name)
            && super::is_version(Ecosystem::Nuget, version)
    })
}

/// The folder of an unpacked package, with its id and version, by the place of a file in it: `ID/VERSION/ID.VERSION.nupkg`, `ID/VERSION/ID.nuspec`.
pub fn unpacked(path: &TreePath) -> Option<(TreePath, String, String)> {
    let folder = path.parent();
    let (above, file) = (folder.parent(), std::str::from_utf8(path.name()).ok()?);
    let (name, version) = (std::str::from_utf8(above.name()).ok()?, std::str::from_utf8(folder.name()).ok()?);
    let is = |wanted: &str| file.eq_ignore_ascii_case(wanted);
    let own = is(&format!("{name}.nuspec")) || is(&format!("{name}.{version}.nupkg"));
    (own && is_name(name) && super::is_version(Ecosystem::Nuget, version))
        .then(|| (folder.clone(), name.to_owned(), version.to_owned()))
}

/// `.nuget/packages/ID/VERSION` of a path in it.
fn store_entry(path: &TreePath) -> Option<TreePath> {
    const STORE: &[u8] = b".nuget/packages/";
    let bytes = path.as_bytes();
    let at = memchr::memmem::find(bytes, STORE)?;
    if at > 0 && bytes.get(at - 1) != Some(&b'/') {
        return None;
    }
    let start = at + STORE.len();
    let mut ends = memchr::memchr_iter(b'/', bytes.get(start..)?);
    let entry = ends.nth(1).and_then(|end| bytes.get(..start + end))?;
    TreePath::new(entry)
}

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
