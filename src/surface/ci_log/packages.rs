//! What pip, uv, pipx and poetry say in one line.
//!
//! ```text
//! Successfully installed idna-3.4 six-1.16.0
//!   Downloading six-1.16.0-py2.py3-none-any.whl (11 kB)         `….whl.metadata`: only what describes it
//!   Using cached six-1.16.0.tar.gz (34 kB)
//! Collecting six==1.16.0                                        asked for; `Collecting six>=1` says no version
//! Requirement already satisfied: six==1.16.0 in ./v/lib/python3.11/site-packages (1.16.0)
//!   installed package black 24.1.0, installed using Python 3.11.2           pipx
//!   - Installing litellm (1.82.8)                               poetry; `•` in colour
//!  + six==1.16.0                                                uv, below `Installed 2 packages in 5ms`
//! ```
//!
//! Watched with pip 23 and 24, and uv 0.13.

use crate::{
    ecosystem::pypi::{is_name, is_version},
    fact::Logged,
    surface::python::archive::{sdist_parts, wheel_parts},
};

/// Who takes a name, a version, and what was done.
pub type Take<'t> = dyn FnMut(&str, &str, Logged) + 't;

/// What a line says.
pub fn said(text: &str, take: &mut Take<'_>) {
    let mut sure = |name: &str, version: &str, logged| {
        if is_name(name) && is_version(version) {
            take(name, version, logged);
        }
    };
    let inner = text.trim_start();
    if let Some(rest) = text.strip_prefix("Successfully installed ") {
        for word in rest.split_ascii_whitespace() {
            if let Some((name, version)) = word.rsplit_once('-') {
                sure(name, version, Logged::Installed);
            }
        }
    } else if let Some(rest) = inner.strip_prefix("Downloading ").or_else(|| inner.strip_prefix("Using cached ")) {
        let word = rest.split(' ').next().unwrap_or_default();
        let word = word.split(['#', '?']).next().unwrap_or_default();
        let file = word.rsplit('/').next().unwrap_or_default();
        let (file, logged) = match file.strip_suffix(".metadata") {
            Some(file) => (file, Logged::Resolved),
            None => (file, Logged::Downloaded),
        };
        let stem = [".tar.gz", ".zip", ".tar.bz2"].iter().find_map(|end| file.strip_suffix(end));
        let sdist = || stem.and_then(|stem| sdist_parts(stem.as_bytes()));
        if let Some((name, version)) = wheel_parts(file).or_else(sdist) {
            sure(name, version, logged);
        }
    } else if let Some(rest) = text.strip_prefix("Collecting ") {
        let word = rest.split(' ').next().unwrap_or_default();
        if let Some((name, version)) = pinned(word) {
            sure(name, version, Logged::Resolved);
        }
    } else if let Some(rest) = inner.strip_prefix("Requirement already satisfied: ") {
        let word = rest.split(' ').next().unwrap_or_default();
        let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(word.len());
        let name = word.get(..end).unwrap_or_default();
        let shown = rest.strip_suffix(')').and_then(|r| r.rsplit_once(" (")).map(|(_, version)| version);
        if let Some(version) = shown.filter(|v| is_version(v)).or_else(|| pinned(word).map(|(_, version)| version)) {
            sure(name, version, Logged::Installed);
        }
    } else if let Some((name, rest)) = inner.strip_prefix("installed package ").and_then(|r| r.split_once(' ')) {
        if let Some((version, _)) = rest.split_once(", installed using ") {
            sure(name, version, Logged::Installed);
        }
    } else if let Some(rest) =
        ["- Installing ", "\u{2022} Installing "].iter().find_map(|start| inner.strip_prefix(start))
        && let Some((name, rest)) = rest.split_once(" (")
        && let Some((version, _)) = rest.split_once(')')
    {
        sure(name, version, Logged::Installed);
    }
}

/// `six==1.16.0`, with extras: the one version that it admits.
fn pinned(word: &str) -> Option<(&str, &str)> {
    let (name, version) = word.split_once("==")?;
    let name = name.split('[').next().unwrap_or_default();
    Some((name, version.strip_prefix('=').unwrap_or(version)))
}

/// A row of what uv changed: ` + six==1.16.0`, ` ~ six==1.16.0`; `None` where the list has ended.
pub fn uv_row(text: &str, take: &mut Take<'_>) -> Option<()> {
    let rest = text.strip_prefix(" + ").or_else(|| text.strip_prefix(" ~ "));
    let Some(rest) = rest else {
        return text.starts_with(" - ").then_some(());
    };
    let word = rest.split(' ').next().unwrap_or_default();
    if let Some((name, version)) = word.split_once("==").filter(|(n, v)| is_name(n) && is_version(v)) {
        take(name, version, Logged::Installed);
    }
    Some(())
}

/// Whether a list of what uv installed follows: `Installed 2 packages in 5ms`.
pub fn is_uv_list(text: &str) -> bool {
    let Some((count, rest)) = text.strip_prefix("Installed ").and_then(|r| r.split_once(' ')) else {
        return false;
    };
    let is_count = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    is_count && ["package in ", "packages in "].iter().any(|start| rest.starts_with(start))
}
