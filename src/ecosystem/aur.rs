//! The Arch User Repository, as pacman writes and orders what is built from it: `epoch:pkgver-pkgrel`, ordered as `vercmp` does.

use std::cmp::Ordering;

use crate::fact::Ecosystem;

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// Pacman's database says what is installed; where its files lie says nothing.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Aur,
    unit: |_| None,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: None,
    store_entry: |_| None,
};

/// What stands behind the release in the name of a package file.
const ARCHITECTURES: [&str; 8] = ["any", "x86_64", "x86_64_v3", "i686", "aarch64", "armv7h", "armv6h", "riscv64"];

/// Helpers write the repository before the name; that of another repository is another package.
fn name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("aur/").map_or(name.clone(), str::to_owned)
}

/// A known one without a release is found with any.
fn same(known: &str, found: &str) -> bool {
    let (Some(known), Some(found)) = (parse(known), parse(found)) else {
        return false;
    };
    let release = match (known.release, found.release) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(a), Some(b)) => compare(a, b) == Ordering::Equal,
    };
    release && compare(known.epoch, found.epoch).then_with(|| compare(known.version, found.version)) == Ordering::Equal
}

/// Releases count only where both have one, as in `vercmp`.
fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    let release = match (a.release, b.release) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    };
    Some(compare(a.epoch, b.epoch).then_with(|| compare(a.version, b.version)).then(release))
}

struct Version<'t> {
    epoch: &'t str,
    version: &'t str,
    release: Option<&'t str>,
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.rsplit_once('-').filter(|(_, a)| ARCHITECTURES.contains(a)).map_or(text, |(rest, _)| rest);
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (version, release) = rest.rsplit_once('-').map_or((rest, None), |(v, r)| (v, Some(r)));
    let fine = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+~^".contains(&b));
    let sound = super::is_number(epoch) && fine(version) && release.is_none_or(fine);
    (sound && text.contains(|c: char| c.is_ascii_digit())).then_some(Version { epoch, version, release })
}

/// Words and numbers by turns, and how many signs stand between them. What is left over of a word is older than nothing, of
/// anything else newer.
fn compare(mut a: &str, mut b: &str) -> Ordering {
    loop {
        if a.is_empty() || b.is_empty() {
            break;
        }
        let (between_a, rest_a) = cut(a, |c| !c.is_ascii_alphanumeric());
        let (between_b, rest_b) = cut(b, |c| !c.is_ascii_alphanumeric());
        (a, b) = (rest_a, rest_b);
        if a.is_empty() || b.is_empty() {
            break;
        }
        if between_a.len() != between_b.len() {
            return between_a.len().cmp(&between_b.len());
        }
        let number = a.starts_with(|c: char| c.is_ascii_digit());
        let kind = |c: char| if number { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let (part_a, rest_a) = cut(a, kind);
        let (part_b, rest_b) = cut(b, kind);
        if part_b.is_empty() {
            return if number { Ordering::Greater } else { Ordering::Less };
        }
        let unequal = if number { super::digits(part_a, part_b) } else { part_a.cmp(part_b) };
        if unequal != Ordering::Equal {
            return unequal;
        }
        (a, b) = (rest_a, rest_b);
    }
    let word = |t: &str| t.starts_with(|c: char| c.is_ascii_alphabetic());
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if word(b) {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        _ => {
            if word(a) {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}

fn cut(text: &str, part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at_checked(text.find(|c| !part(c)).unwrap_or(text.len())).unwrap_or((text, ""))
}

fn is_version(text: &str) -> bool {
    parse(text).is_some()
}

/// `name=1.0` asks for one version, with any release; anything else may be any.
fn admits(specifier: &str, version: &str) -> bool {
    let asked = specifier.trim_start_matches('=').trim();
    !specifier.starts_with('=') || same(asked, version) || same(version, asked)
}

/// Name and version of `alvr-20.1-2-x86_64.pkg.tar.zst`, a package file; `None` where it is none.
pub fn split(text: &str) -> Option<(&str, &str)> {
    let (whole, _) = text.split_once(".pkg.tar")?;
    let (rest, _) = whole.rsplit_once('-').filter(|(_, a)| ARCHITECTURES.contains(a))?;
    full_name(rest)
}

/// Name and version of `alvr-20.1-2`, an entry of pacman's database; `None` where it is none.
pub fn full_name(text: &str) -> Option<(&str, &str)> {
    let (before, _) = text.rsplit_once('-')?;
    let (name, _) = before.rsplit_once('-').filter(|(name, _)| !name.is_empty())?;
    Some((name, text.get(name.len() + 1..)?))
}
