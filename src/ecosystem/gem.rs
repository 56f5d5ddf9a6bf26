//! RubyGems: versions as `Gem::Version` orders them; a platform behind a version (`1.15.0-x86_64-linux`) is another file of the
//! same release.

use std::cmp::Ordering;

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_owned, same, order, is_version, admits };

/// What the names of platforms hold.
const PLATFORMS: [&str; 16] = [
    "linux", "darwin", "mingw", "mswin", "java", "jruby", "ruby", "freebsd", "openbsd", "netbsd", "solaris", "aix",
    "cygwin", "dalvik", "android", "wasi",
];

/// A known one without a platform is found with any; one with a platform only with that.
fn same(known: &str, found: &str) -> bool {
    let ((known, wanted), (found, platform)) = (split(known), split(found));
    let plain = |p: &str| p.is_empty() || p == "ruby";
    order(known, found) == Some(Ordering::Equal) && (plain(wanted) || wanted == platform)
}

/// Version and platform, the latter empty where there is none.
pub fn split(text: &str) -> (&str, &str) {
    match text.split_once('-') {
        Some((version, rest)) if PLATFORMS.iter().any(|p| rest.contains(p)) => (version, rest),
        _ => (text, ""),
    }
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (segments(split(a).0)?, segments(split(b).0)?);
    for at in 0..a.len().max(b.len()) {
        let part = |of: &[String]| of.get(at).map_or("0", String::as_str).to_owned();
        let (x, y) = (part(&a), part(&b));
        let unequal = match (super::is_number(&x), super::is_number(&y)) {
            (true, true) => super::digits(&x, &y),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => x.cmp(&y),
        };
        if unequal != Ordering::Equal {
            return Some(unequal);
        }
    }
    Some(Ordering::Equal)
}

/// Numbers and words, without the zeros before the first word and at the end. A `-` begins a pre-release.
fn segments(text: &str) -> Option<Vec<String>> {
    let (release, _) = text.split_once('-').unwrap_or((text, ""));
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let sound = super::is_number(release.split('.').next().unwrap_or_default()) && text.split('.').all(word);
    if !sound || text.ends_with('-') {
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    let mut last = None;
    for c in text.replace('-', ".pre.").chars() {
        let kind = if c.is_ascii_digit() { Some(true) } else { c.is_ascii_alphabetic().then_some(false) };
        match (kind, all.last_mut()) {
            (Some(_), Some(part)) if kind == last => part.push(c),
            (Some(_), _) => all.push(c.to_string()),
            (None, _) => {}
        }
        last = kind;
    }
    let zero = |s: &String| s.bytes().all(|b| b == b'0');
    let words = all.split_off(all.iter().position(|s| !super::is_number(s)).unwrap_or(all.len()));
    let trimmed = |mut part: Vec<String>| {
        while part.last().is_some_and(zero) {
            part.pop();
        }
        part
    };
    Some([trimmed(all), trimmed(words)].concat())
}

fn is_version(text: &str) -> bool {
    segments(split(text).0).is_some()
}

/// `~> 1.2, != 1.2.4`.
fn admits(specifier: &str, version: &str) -> bool {
    specifier.split(',').all(|clause| {
        let (operator, bound) = super::clause_of(clause.trim().trim_matches(['\'', '"']));
        let Some(order) = order(version, bound) else {
            return true;
        };
        match operator {
            "" | "=" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            "~>" => order != Ordering::Less && below_next(version, bound),
            _ => true,
        }
    })
}

/// Whether a version starts with the numbers of a bound but for its last (`~> 1.2.3`: below 1.3).
fn below_next(version: &str, bound: &str) -> bool {
    let numbers = |t: &str| t.split('.').take_while(|p| super::is_number(p)).map(str::to_owned).collect::<Vec<_>>();
    let mut kept = numbers(bound);
    if kept.len() > 1 {
        kept.pop();
    }
    let version = numbers(version);
    kept.iter()
        .enumerate()
        .all(|(at, k)| super::digits(k, version.get(at).map_or("0", String::as_str)) == Ordering::Equal)
}
