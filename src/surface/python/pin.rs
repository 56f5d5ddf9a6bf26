//! Exact pins: the one thing in a requirement that is a fact. Ranges, wildcards and exclusions say nothing about a version.

use crate::{
    ecosystem::pypi::{is_name, is_strict_version, is_version, normalise},
    fact::{Artifact, Requirement},
};

/// A package and the one version that a text asks for. Both were checked for their form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pin {
    /// Normalised.
    pub name: String,
    /// As written.
    pub version: String,
    /// The files that the text names.
    pub artifacts: Vec<Artifact>,
    /// What the package requires, where the text says so.
    pub requires: Vec<Requirement>,
}

impl Pin {
    /// `None` where one of them has not the form of what it should be.
    pub fn new(name: &str, version: &str) -> Option<Self> {
        let fits = is_name(name) && is_version(version) && !version.contains('*');
        fits.then(|| Self {
            name: normalise(name),
            version: version.to_owned(),
            artifacts: Vec::new(),
            requires: Vec::new(),
        })
    }
}

/// What one requirement turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Exactly one version.
    Exactly(Pin),
    /// It looks like a pin of this package (normalised), and its version cannot be read.
    Unclear(String),
    /// A range, a source tree, or no requirement at all.
    Other,
}

/// One requirement of PEP 508 (`name[extra] (==1.0, !=1.1) ; marker`, `name @ url`), or the URL or path of a package file.
pub fn asked(text: &str) -> Asked {
    let text = text.trim();
    let Some((name, rest)) = split_name(text) else {
        return package_file(text).map_or(Asked::Other, Asked::Exactly);
    };
    if let Some(url) = rest.strip_prefix('@') {
        let url = url.split_whitespace().next().unwrap_or_default();
        return match package_file(url) {
            Some(pin) if pin.name == normalise(name) => Asked::Exactly(pin),
            _ => Asked::Other,
        };
    }
    let clauses = rest.split(';').next().unwrap_or_default().trim();
    let clauses = clauses.strip_prefix('(').map_or(clauses, |c| c.trim_end().strip_suffix(')').unwrap_or(c));
    match exact_clause(clauses) {
        Some(version) => match (is_strict_version(version), Pin::new(name, version)) {
            (true, Some(pin)) => Asked::Exactly(pin),
            _ => Asked::Unclear(normalise(name)),
        },
        None => package_file(text).map_or(Asked::Other, Asked::Exactly),
    }
}

/// The exact pin of one requirement, where it is one.
pub fn exactly(text: &str) -> Option<Pin> {
    match asked(text) {
        Asked::Exactly(pin) => Some(pin),
        _ => None,
    }
}

/// The name, and what stands behind it and its extras.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1.trim_start(),
        None => rest,
    };
    is_name(name).then_some((name, rest))
}

/// The version of the first `==` or `===` clause without a wildcard.
fn exact_clause(clauses: &str) -> Option<&str> {
    let versions = clauses.split(',').filter_map(|clause| {
        let version = clause.trim().strip_prefix("==")?;
        Some(version.strip_prefix('=').unwrap_or(version).trim())
    });
    versions.into_iter().find(|v| !v.ends_with(".*"))
}

/// Name, version and hash from the URL or path of a wheel or source distribution.
pub fn package_file(url: &str) -> Option<Pin> {
    // A version-control address names a commit, whatever its last component looks like.
    if ["git+", "hg+", "svn+", "bzr+"].iter().any(|vcs| url.starts_with(vcs)) {
        return None;
    }
    let url = url.split_whitespace().next().unwrap_or_default();
    let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
    // The extras of a local file stand behind its ending.
    let address = address.split_once('[').filter(|_| address.ends_with(']')).map_or(address, |(file, _)| file);
    let file = file_name(address);
    let (name, version) = name_and_version(&file)?;
    let mut pin = Pin::new(name, version)?;
    is_strict_version(version).then_some(())?;
    let sha256 = fragment.split('&').find_map(|f| f.strip_prefix("sha256=")).and_then(sha256);
    pin.artifacts.push(Artifact { name: Some(file.clone()), sha256, ..Artifact::default() });
    Some(pin)
}

/// The last component of a URL or path, with `%2B` and `%21` as they are meant.
fn file_name(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    last.replace("%2B", "+").replace("%2b", "+").replace("%21", "!")
}

/// `litellm-1.82.8-py3-none-any.whl`, `litellm-1.82.8.tar.gz`.
pub fn name_and_version(file: &str) -> Option<(&str, &str)> {
    if let Some(stem) = file.strip_suffix(".whl") {
        let parts: Vec<&str> = stem.split('-').collect();
        return match parts.as_slice() {
            [name, version, _, _, _] | [name, version, _, _, _, _] => Some((name, version)),
            _ => None,
        };
    }
    let stem = [".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"].iter().find_map(|end| file.strip_suffix(end))?;
    stem.rsplit_once('-').filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))
}

/// The file name in a URL or path, if it is one of the package `name` (normalised): nothing else may enter a fact.
pub fn artifact_name(address: &str, name: &str) -> Option<String> {
    let file = file_name(address.split('#').next().unwrap_or_default());
    let safe = file.len() <= 255 && file.chars().all(|c| c.is_ascii_alphanumeric() || "._-+!".contains(c));
    let own = normalise(&file).strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    (safe && own).then_some(file)
}

/// `sha256:<hex>` or bare hex, in lower case.
pub fn sha256(text: &str) -> Option<String> {
    let hex = text.trim().strip_prefix("sha256:").unwrap_or(text.trim());
    (hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit())).then(|| hex.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> Option<(String, String)> {
        exactly(text).map(|p| (p.name, p.version))
    }

    #[test]
    fn every_spelling_of_an_exact_pin() {
        for text in [
            "litellm==1.82.8",
            "LiteLLM == 1.82.8",
            "litellm===1.82.8",
            "litellm[proxy, extra]==1.82.8 ; python_version > '3'",
            "litellm (==1.82.8)",
            "litellm>=1.80,==1.82.8,!=1.82.7",
            "litellm @ https://u:p@host.example/x/litellm-1.82.8-py3-none-any.whl#sha256=00",
            "litellm@file:///w/litellm-1.82.8.tar.gz",
            "./wheels/litellm-1.82.8-1-py3-none-any.whl",
            "litellm-1.82.8-py3-none-any.whl",
            "./litellm-1.82.8-py3-none-any.whl[proxy] ; python_version > '3'",
            r"C:\wheels\litellm-1.82.8.zip",
        ] {
            assert_eq!(pair(text), Some(("litellm".into(), "1.82.8".into())), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one() {
        for text in [
            "litellm",
            "litellm>=1.82.8",
            "litellm<=1.82.8",
            "litellm~=1.82.8",
            "litellm!=1.82.8",
            "litellm==1.82.*",
            "litellm=1.82.8",
            "litellm ; python_version == '3.8'",
            "litellm @ git+https://host.example/litellm@v1.82.8",
            "git+https://host.example/a/litellm-1.82.8.zip",
            "other @ https://host.example/litellm-1.82.8-py3-none-any.whl",
            "https://host.example/archive/v1.82.8.zip",
            "",
            "==1.82.8",
            "[x]==1",
            "litellm[==1.82.8",
        ] {
            assert_eq!(pair(text), None, "{text}");
        }
    }

    #[test]
    fn a_pin_whose_version_is_no_version_is_unclear() {
        for text in ["litellm==${VERSION}", "litellm==", "litellm==1.82.8#note", "litellm==1.82.8\u{1b}[2J"] {
            assert_eq!(asked(text), Asked::Unclear("litellm".into()), "{text}");
        }
    }

    #[test]
    fn hostile_names_do_not_pass() {
        assert_eq!(artifact_name("https://h.example/litellm-1\u{1b}.whl", "litellm"), None);
        assert_eq!(artifact_name("https://h.example/?token=litellm-1", "litellm"), None);
        assert_eq!(artifact_name("https://h.example/secretsecret", "litellm"), None);
        let good = artifact_name("https://h.example/a/My_Pkg-1.0%2Bcu1.tar.gz?x=1#y", "my-pkg");
        assert_eq!(good.as_deref(), Some("My_Pkg-1.0+cu1.tar.gz"));
        assert_eq!(sha256("sha256:xyz"), None);
        assert_eq!(sha256(&format!("sha256:{}", "AB".repeat(32))), Some("ab".repeat(32)));
    }
}
