//! Go modules: paths are compared exactly, `/v2` being part of them; versions as `golang.org/x/mod/semver` does. The module
//! cache writes capitals as `!` and the small letter; `!` is in no path and no version.

use std::cmp::Ordering;

use crate::fact::{Ecosystem, EnvironmentKind, TreePath, Unit};

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// How modules lie. What a file says decides which of these places it is, so that the surfaces make the units.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Golang,
    unit: |_| None,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: None,
    store_entry: |path| unpacked(path).map(|(entry, ..)| entry),
};

/// The modules that a project has beside its own code.
pub const VENDOR: EnvironmentKind = EnvironmentKind::new("go-vendor");
/// A program that Go built.
pub const PROGRAM: EnvironmentKind = EnvironmentKind::new("go-program");

/// A unit of modules.
pub fn unit(folder: TreePath, root: TreePath, kind: EnvironmentKind) -> Unit {
    Unit { ecosystem: Ecosystem::Golang, folder, root, kind, usual: true }
}

/// The folder of a module that Go unpacked, below `pkg/mod`, with its name and version, of a path that is it or lies in it:
/// `pkg/mod/github.com/!x/y@v1.0.0`.
pub fn unpacked(path: &TreePath) -> Option<(TreePath, String, String)> {
    const MOD: &[u8] = b"pkg/mod/";
    let all = path.as_bytes();
    let at = memchr::memmem::find(all, MOD)?;
    if at > 0 && all.get(at - 1) != Some(&b'/') {
        return None;
    }
    let start = at + MOD.len();
    let below = all.get(start..)?;
    let mark = memchr::memchr(b'@', below)?;
    let end = memchr::memchr(b'/', below.get(mark..)?).map_or(below.len(), |to| mark + to);
    let name = std::str::from_utf8(below.get(..mark)?).ok()?;
    let version = std::str::from_utf8(below.get(mark + 1..end)?).ok()?;
    if name.starts_with("cache/") {
        return None;
    }
    let (name, version) = (self::name(name), unescaped(version));
    let folder = TreePath::new(all.get(..start + end)?)?;
    (is_name(&name) && is_release(&version)).then_some((folder, name, version))
}

/// Name and version of the module that a file of the download cache is of: `cache/download/github.com/!x/y/@v/v1.0.0.zip`.
pub fn downloaded(path: &TreePath) -> Option<(String, String)> {
    const DOWNLOAD: &[u8] = b"cache/download/";
    let all = path.as_bytes();
    let at = memchr::memmem::rfind(all, DOWNLOAD)?;
    let below = std::str::from_utf8(all.get(at + DOWNLOAD.len()..)?).ok()?;
    let (name, file) = below.split_once("/@v/")?;
    let (name, version) = (self::name(name), unescaped(file.strip_suffix(".zip")?));
    (is_name(&name) && is_release(&version)).then_some((name, version))
}

/// Whether a text can be the path of a module, so that it is safe to show.
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/+".contains(&b);
    (1..=300).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('/')
}

/// Whether a text is a whole version, as Go writes it down: `v1.0.0`, safe to show.
pub fn is_release(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.+".contains(&b);
    text.len() <= 200 && text.starts_with('v') && text.bytes().all(plain) && super::is_version(Ecosystem::Golang, text)
}

/// `github.com/!burnt!sushi/toml` is `github.com/BurntSushi/toml`, which is not `github.com/burntsushi/toml`.
fn name(name: &str) -> String {
    unescaped(name.trim_end_matches('/'))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut capital = false;
    for c in text.chars() {
        match c {
            '!' if !capital => capital = true,
            c if capital => {
                plain.push(c.to_ascii_uppercase());
                capital = false;
            }
            c => plain.push(c),
        }
    }
    plain
}

/// `v` may be missing and `+incompatible` counts nothing. A commit is the pseudo-version that was made of it.
fn same(known: &str, found: &str) -> bool {
    match (commit(known), commit(found)) {
        (Some(a), Some(b)) if is_bare(known) || is_bare(found) => a.starts_with(&b) || b.starts_with(&a),
        _ => order(known, found) == Some(Ordering::Equal),
    }
}

/// The commit of a pseudo-version (`v0.0.0-20260805040439-27421527967b`), or of a text that is one.
pub fn commit(version: &str) -> Option<String> {
    let version = version.split('+').next().unwrap_or(version);
    if is_bare(version) {
        return Some(version.to_ascii_lowercase());
    }
    let (before, commit) = version.rsplit_once('-')?;
    let time = before.rsplit(['-', '.']).next()?;
    let made = time.len() == 14 && super::is_number(time) && commit.len() == 12;
    (made && commit.bytes().all(|b| b.is_ascii_hexdigit())).then(|| commit.to_ascii_lowercase())
}

fn is_bare(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(super::dotted(&a.0, &b.0).then_with(|| super::prerelease(&a.1, &b.1)))
}

/// Numbers and pre-release. `v1` and `v1.2` are short for `v1.0.0` and `v1.2.0`.
fn parse(text: &str) -> Option<(String, String)> {
    let text = unescaped(text.strip_prefix('v').unwrap_or(text));
    let text = text.split('+').next().unwrap_or_default();
    let (numbers, pre) = text.split_once('-').map_or((text, None), |(n, p)| (n, Some(p)));
    let parts: Vec<&str> = numbers.split('.').collect();
    let number = |n: &&str| super::is_number(n) && (*n == "0" || !n.starts_with('0'));
    let mark = |m: &str| {
        !m.is_empty()
            && m.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !(super::is_number(m) && m.len() > 1 && m.starts_with('0'))
    };
    let sound =
        parts.len() <= 3 && parts.iter().all(number) && pre.is_none_or(|p| parts.len() == 3 && p.split('.').all(mark));
    sound.then(|| (numbers.to_owned(), pre.unwrap_or_default().to_owned()))
}

/// Tags and commits.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v').unwrap_or(text).contains('.') && parse(text).is_some() || is_bare(text)
}

/// `v1` asks for the newest below it; a branch or `latest` for anything.
fn admits(specifier: &str, version: &str) -> bool {
    match parse(specifier) {
        Some((numbers, pre)) if numbers.split('.').count() == 3 || !pre.is_empty() => same(version, specifier),
        Some((numbers, _)) => {
            parse(version).is_none_or(|(whole, _)| whole == numbers || whole.starts_with(&format!("{numbers}.")))
        }
        None if is_bare(specifier) => same(version, specifier),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_modules_say_name_and_version() {
        let path = |text: &str| TreePath::new(text.as_bytes()).unwrap();
        let of = |text: &str| unpacked(&path(text)).map(|(f, n, v)| format!("{} {n} {v}", f.text()));
        for end in ["", "/go.mod", "/a@b/c.go"] {
            let is = "/h/go/pkg/mod/github.com/!buffer!zone/x@v1.0.0 github.com/BufferZone/x v1.0.0";
            assert_eq!(
                of(&format!("h/go/pkg/mod/github.com/!buffer!zone/x@v1.0.0{end}")).as_deref(),
                Some(is),
                "{end}"
            );
        }
        for text in [
            "h/go/pkg/mod/github.com/x/y",
            "h/go/pkg/mod/cache/download/github.com/x@v1.0.0",
            "h/my-pkg/mod/x@v1.0.0",
            "h/go/pkg/mod/x@latest",
            "h/go/pkg/mod/x\u{1b}@v1.0.0",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        let of = |text: &str| downloaded(&path(text)).map(|(n, v)| format!("{n} {v}"));
        let folder = "h/go/pkg/mod/cache/download/github.com/!x/y/v2/@v";
        assert_eq!(
            of(&format!("{folder}/v2.0.0+incompatible.zip")).as_deref(),
            Some("github.com/X/y/v2 v2.0.0+incompatible")
        );
        for text in ["v2.0.0.mod", "v2.0.0.info", "list", "latest.zip"] {
            assert_eq!(of(&format!("{folder}/{text}")), None, "{text}");
        }
    }
}
