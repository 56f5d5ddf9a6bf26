//! Swift packages: a package is its repository, a version a tag of it (`v` in front or not).

use std::cmp::Ordering;

use super::semantic;

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// `https://forge.example/Owner/Name.git` is `forge.example/owner/name`.
fn name(name: &str) -> String {
    let text = name.split_once("://").map_or(name, |(_, rest)| rest);
    let text = text.split_once('@').map_or(text, |(_, rest)| rest).trim_end_matches('/');
    let text = text.strip_suffix(".git").unwrap_or(text);
    // `git@forge.example:owner/name`
    let host = text.split('/').next().unwrap_or(text);
    let text = if host.contains(':') && !name.contains("://") { text.replacen(':', "/", 1) } else { text.to_owned() };
    text.to_lowercase()
}

fn without_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V']).unwrap_or(text)
}

fn same(known: &str, found: &str) -> bool {
    semantic::same(without_v(known), without_v(found))
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    semantic::order(without_v(a), without_v(b))
}

fn is_version(text: &str) -> bool {
    semantic::is_version(without_v(text))
}

fn admits(specifier: &str, version: &str) -> bool {
    semantic::admits(without_v(specifier), without_v(version))
}

/// Host and path of a repository, safe to show; `None` for folders and what else is no address.
pub fn repository(address: &str) -> Option<String> {
    let name = name(address);
    let part = |p: &str| {
        !p.trim_matches('.').is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
    };
    let host = name.split('/').next().unwrap_or_default();
    let sound = name.len() <= 300 && host.contains('.') && (2..=20).contains(&name.split('/').count());
    (sound && !host.starts_with('.') && name.split('/').all(part)).then_some(name)
}
