//! How each ecosystem writes and compares names and versions.

pub mod pypi;

use std::cmp::Ordering;

use crate::fact::Ecosystem;

/// A name as its ecosystem compares it.
pub fn normal_name(ecosystem: Ecosystem, name: &str) -> Box<str> {
    match ecosystem {
        Ecosystem::Pypi => pypi::normalise(name).into(),
        // npm has names with capitals from before 2015, and they differ; Go paths, gems and artefacts do too.
        Ecosystem::Npm | Ecosystem::Golang | Ecosystem::Gem | Ecosystem::Maven | Ecosystem::Deb | Ecosystem::Rpm => {
            name.into()
        }
        Ecosystem::Cargo => name.to_ascii_lowercase().replace('_', "-").into(),
        Ecosystem::Nuget
        | Ecosystem::Composer
        | Ecosystem::Vscode
        | Ecosystem::Openvsx
        | Ecosystem::Oci
        | Ecosystem::Generic => name.to_lowercase().into(),
    }
}

/// Whether a version that was found is the known one.
pub fn same_version(ecosystem: Ecosystem, known: &str, found: &str) -> bool {
    match ecosystem {
        Ecosystem::Pypi => pypi::same_version(known, found),
        _ => known == found,
    }
}

/// Whether a version that was found is meant by an indicator: `*`, a range (`>=1.2,<1.4`), or one version.
pub fn fits(ecosystem: Ecosystem, pattern: &str, found: &str) -> bool {
    match pattern {
        "*" => true,
        range if is_range(range) => within(ecosystem, range, found),
        known => same_version(ecosystem, known, found),
    }
}

/// Whether a pattern is a range rather than one version.
pub fn is_range(pattern: &str) -> bool {
    pattern.starts_with(['<', '>'])
}

/// Whether a version lies in a range. A version that cannot be compared lies in none.
fn within(ecosystem: Ecosystem, range: &str, found: &str) -> bool {
    range.split(',').map(str::trim).all(|clause| {
        let digits = clause.trim_start_matches(['<', '>', '=']);
        let operator = clause.strip_suffix(digits).unwrap_or_default();
        let Some(order) = order(ecosystem, found, digits.trim()) else {
            return false;
        };
        match operator {
            ">=" => order != Ordering::Less,
            ">" => order == Ordering::Greater,
            "<=" => order != Ordering::Greater,
            "<" => order == Ordering::Less,
            _ => false,
        }
    })
}

/// How two versions compare in their ecosystem; `None` where one of them is no version there.
pub fn order(ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
    match ecosystem {
        Ecosystem::Pypi => pypi::order(a, b),
        _ => None,
    }
}

/// Whether a text is a version of its ecosystem.
pub fn is_version(ecosystem: Ecosystem, text: &str) -> bool {
    match ecosystem {
        Ecosystem::Pypi => pypi::is_strict_version(text),
        _ => !text.is_empty(),
    }
}

/// Whether what somebody asked for (`>=1.80,!=1.82.7`) could have given a version that an indicator means.
pub fn admits(ecosystem: Ecosystem, specifier: &str, pattern: &str) -> bool {
    match ecosystem {
        _ if pattern == "*" || is_range(pattern) => true,
        Ecosystem::Pypi => pypi::admits(specifier, pattern),
        _ => true,
    }
}
