//! The packages that Composer's JSON files list: each an object with name, version, what it needs and where it was fetched from.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    ecosystem::{composer::is_name, is_version, normal_name},
    fact::{Artifact, Ecosystem, Package, Placement, Requirement},
    interest::Interest,
};

/// More than any project has.
const ENTRIES: usize = 50_000;
const REQUIRED: usize = 2_000;
/// What is taken from the raw text of a file that cannot be parsed.
const PAIRS: usize = 200;

/// The packages of a list, and whether each entry has a proper name and version.
pub fn packages(list: &Value, placement: Placement) -> (Vec<Package>, bool) {
    let (mut found, mut whole) = (Vec::new(), true);
    for entry in list.as_array().into_iter().flatten() {
        if found.len() >= ENTRIES {
            whole = false;
            break;
        }
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let Some((name, version)) = text("name").zip(text("version")).filter(|(n, v)| is_name(n) && is_release(v))
        else {
            whole = false;
            continue;
        };
        let dist = entry.get("dist");
        let of_dist = |key: &str| dist.and_then(|d| d.get(key)).and_then(Value::as_str);
        // Somebody's own folder.
        if of_dist("type") == Some("path") {
            continue;
        }
        let sum = of_dist("shasum").filter(|s| s.len() == 40 && s.bytes().all(|b| b.is_ascii_hexdigit()));
        let digest = sum.map(|sum| format!("sha1:{}", sum.to_ascii_lowercase()).into());
        let artifacts = digest.map(|d| Artifact { digest: Some(d), ..Artifact::default() }).into_iter().collect();
        let needs = entry.get("require").and_then(Value::as_object).into_iter().flatten();
        let requires: Vec<Requirement> =
            needs.filter_map(|(name, asked)| required(name, asked.as_str()?)).take(REQUIRED).collect();
        found.push(Package { requires: requires.into(), artifacts, ..package(name, version, placement) });
    }
    (found, whole)
}

/// A package in a version.
pub fn package(name: &str, version: &str, placement: Placement) -> Package {
    Package {
        ecosystem: Ecosystem::Composer,
        name: normal_name(Ecosystem::Composer, name).into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}

/// `php` and `ext-json` are no packages.
fn required(name: &str, asked: &str) -> Option<Requirement> {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_~^<>=!*|@, ".contains(c);
    let sound = is_name(name) && asked.len() <= 200 && asked.chars().all(plain);
    sound.then(|| Requirement::new(normal_name(Ecosystem::Composer, name), format!("{name} {asked}")))
}

/// A version or a branch, safe to show.
fn is_release(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+/#@-".contains(&b);
    text.len() <= 200 && text.bytes().all(plain) && (is_version(Ecosystem::Composer, text) || text.contains("dev"))
}

/// The line, from 1, in which each name stands first as the name of an entry.
pub fn lines(text: &str) -> HashMap<Box<str>, u32> {
    let mut found = HashMap::new();
    for (number, line) in (1_u32..).zip(text.lines()) {
        if let Some(name) = said(line, "name").filter(|name| is_name(name))
            && found.len() < ENTRIES
        {
            found.entry(normal_name(Ecosystem::Composer, name)).or_insert(number);
        }
    }
    found
}

/// What the text of a file names that is no JSON: a known name, and the versions that follow in lines of their own.
pub fn salvaged(text: &str, interest: &Interest) -> Vec<(Package, u32)> {
    let (mut found, mut known) = (Vec::new(), None);
    for (number, line) in (1_u32..).zip(text.lines()) {
        if let Some(name) = said(line, "name") {
            let normal = normal_name(Ecosystem::Composer, name);
            known = (is_name(name) && interest.knows_package(Ecosystem::Composer, &normal)).then_some(normal);
        } else if let (Some(name), Some(version)) = (&known, said(line, "version"))
            && is_release(version)
            && found.len() < PAIRS
        {
            found.push((package(name, version, Placement::Listed), number));
        }
    }
    found
}

/// `x` of a line `"key": "x",`.
fn said<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    let value = line.trim_start().strip_prefix('"')?.strip_prefix(key)?.strip_prefix('"')?.trim_start();
    value.strip_prefix(':')?.trim_start().strip_prefix('"')?.split('"').next()
}
