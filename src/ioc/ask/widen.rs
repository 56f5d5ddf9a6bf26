//! Every reading of a text that a person could mean. More than `readings`: what is found here was asked for by a person, who sees
//! what it was found as.

use base64::Engine as _;

use super::clean::is_version;
use crate::{
    ecosystem::rpm,
    fact::Ecosystem,
    ioc::query::{self, Query, is_hash, is_host},
};

/// Endings of the files that packages come in, longest first.
const ENDINGS: &[(&str, Option<Ecosystem>)] = &[
    (".tar.gz", None),
    (".tar.bz2", None),
    (".tar.xz", None),
    (".dist-info", Some(Ecosystem::Pypi)),
    (".egg-info", Some(Ecosystem::Pypi)),
    (".whl", Some(Ecosystem::Pypi)),
    (".egg", Some(Ecosystem::Pypi)),
    (".conda", Some(Ecosystem::Pypi)),
    (".tgz", Some(Ecosystem::Npm)),
    (".crate", Some(Ecosystem::Cargo)),
    (".gem", Some(Ecosystem::Gem)),
    (".nupkg", Some(Ecosystem::Nuget)),
    (".vsix", None),
    (".jar", Some(Ecosystem::Maven)),
    (".zip", None),
];

/// Longer texts are not cut into names and versions.
const LONGEST: usize = 256;

/// Words between a name and a version in the address of a page.
const BETWEEN: &[&str] = &["-", "v", "version", "versions", "release", "releases", "tag", "tags", "download", "tree"];

/// The readings of a text without blanks.
pub fn readings(text: &str) -> Vec<Query> {
    let mut all = query::readings(text);
    let (ecosystem, rest) = match text.split_once(':') {
        Some((word, rest)) if Ecosystem::from_word(word).is_some() => (Ecosystem::from_word(word), rest),
        _ => (None, text),
    };
    if !text.starts_with("pkg:") {
        all.extend(file_of_package(ecosystem, rest));
        all.extend(pins(ecosystem, rest));
    }
    all.extend(address(text));
    all.extend(windows_path(text).map(Query::File));
    all.extend(hosts(text).map(Query::Host));
    all.extend(hashes(text));
    let mut once: Vec<Query> = Vec::new();
    all.into_iter().for_each(|q| {
        if !once.contains(&q) {
            once.push(q)
        }
    });
    once
}

/// A name with its version beside it.
pub fn pinned(ecosystem: Option<Ecosystem>, name: &str, version: &str) -> Vec<Query> {
    let (ecosystem, name) = match name.split_once(':') {
        Some((word, rest)) if ecosystem.is_none() && Ecosystem::from_word(word).is_some() => {
            (Ecosystem::from_word(word), rest)
        }
        _ => (ecosystem, name),
    };
    let mut all = packages(ecosystem, name, version);
    if ecosystem.is_none_or(|e| e == Ecosystem::Oci) {
        all.extend(query::readings(&format!("oci:{name}:{version}")));
    }
    if ecosystem.is_none() && name.split('/').count() == 2 && !name.starts_with('@') {
        all.extend(query::readings(&format!("action:{name}@{version}")));
    }
    all
}

/// Each version of a list (`1.82.7,1.82.8`); a range stays whole.
fn packages(ecosystem: Option<Ecosystem>, name: &str, versions: &str) -> Vec<Query> {
    let ranged = versions.trim_start_matches('=').contains(['<', '>', '~', '^', '!']);
    if ranged || !versions.contains([',', '|']) {
        return vec![package(ecosystem, name, versions)];
    }
    let versions = versions.split([',', '|']).map(str::trim).filter(|v| !v.is_empty()).take(16);
    versions.map(|v| package(ecosystem, name, v)).collect()
}

/// `C:\ProgramData\x` as indicators write it.
fn windows_path(text: &str) -> Option<String> {
    let path = text.contains('\\').then(|| text.replace('\\', "/"))?;
    let path = path.split_once(':').filter(|(drive, _)| drive.len() == 1).map_or(path.as_str(), |(_, rest)| rest);
    // `%USERPROFILE%` and `C:/Users/name` are a home.
    let home = path.strip_prefix("/Users/").and_then(|rest| rest.split_once('/')).map(|(_, rest)| rest);
    let home = home.or_else(|| path.strip_prefix("%USERPROFILE%/"));
    Some(match home {
        Some(rest) => format!("~/{rest}"),
        None => path.replace("%ProgramData%", "/ProgramData"),
    })
}

fn package(ecosystem: Option<Ecosystem>, name: &str, version: &str) -> Query {
    // `axios@npm:1.14.1`, `==1.82.8`, `name[extra]`, `node_modules/name`
    let version = version.rsplit("npm:").next().unwrap_or(version);
    let version = version.trim_start_matches('=').split([';', '#']).next().unwrap_or_default().trim();
    let name = name.split('[').next().unwrap_or(name).trim_end_matches('@').trim();
    let name = name.rsplit("node_modules/").next().unwrap_or(name).trim_start_matches('/');
    Query::Package { ecosystem, name: name.to_owned(), version: Some(version.to_owned()).filter(|v| !v.is_empty()) }
}

/// `name=1.0`, `name:1.0`, `name>=1.0`, `name/1.0`, `name-1.0`, `name_1.0`, in every place where it can be cut.
fn pins(ecosystem: Option<Ecosystem>, text: &str) -> Vec<Query> {
    let mut all = Vec::new();
    if text.len() > LONGEST {
        return all;
    }
    let mut cut = |at: usize, skip: usize| {
        let (Some(name), Some(version)) = (text.get(..at), text.get(at + skip..)) else { return };
        if name.contains(|c: char| c.is_ascii_alphanumeric()) {
            all.extend(packages(ecosystem, name, version));
        }
    };
    if let Some(at) = text.find(['=', '<', '>', '~', '^', '!']).filter(|at| *at > 0) {
        cut(at, 0);
    }
    let behind =
        |(at, sign): (usize, &str)| text.get(at + sign.len()..).is_some_and(is_version).then_some((at, sign.len()));
    for sign in ["@", "@npm:", ":", "/", "/v/"] {
        let places: Vec<_> = text.match_indices(sign).filter_map(behind).collect();
        places.into_iter().for_each(|(at, skip)| cut(at, skip));
    }
    let dashes = text.match_indices(['-', '_']).filter_map(behind);
    dashes.collect::<Vec<_>>().into_iter().for_each(|(at, skip)| cut(at, skip));
    all
}

/// `litellm-1.82.8-py3-none-any.whl`, `axios-1.14.1.tgz`, wherever it lies.
fn file_of_package(ecosystem: Option<Ecosystem>, text: &str) -> Vec<Query> {
    let plain = text.split(['?', '#']).next().unwrap_or(text).trim_end_matches('/');
    let base = plain.rsplit('/').next().unwrap_or(plain);
    if let Some((name, version)) = rpm::split(base).filter(|_| base.ends_with(".rpm")) {
        return vec![package(Some(Ecosystem::Rpm), name, version)];
    }
    if let Some((name, version)) = crate::ecosystem::aur::split(base) {
        return vec![package(Some(Ecosystem::Aur), name, version)];
    }
    if let Some(stem) = base.strip_suffix(".deb") {
        let mut parts = stem.split('_');
        return match (parts.next(), parts.next()) {
            (Some(name), Some(version)) => vec![package(Some(Ecosystem::Deb), name, &version.replace("%3a", ":"))],
            _ => Vec::new(),
        };
    }
    let lower = base.to_ascii_lowercase();
    let Some((ending, own)) = ENDINGS.iter().find(|(e, _)| lower.ends_with(e)) else {
        return Vec::new();
    };
    let ecosystem = ecosystem.or(*own);
    let stem = base.get(..base.len() - ending.len()).unwrap_or_default();
    let mut all = Vec::new();
    for (at, _) in stem.match_indices(['-', '.']).filter(|_| stem.len() <= LONGEST) {
        let (Some(name), Some(rest)) = (stem.get(..at), stem.get(at + 1..)) else { continue };
        let number = rest.strip_prefix(['v', 'V']).unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit());
        let dotted = stem.as_bytes().get(at) == Some(&b'.') && *ending != ".nupkg";
        if name.is_empty() || !number || dotted {
            continue;
        }
        // What stands behind the version: tags of a wheel, a build, a platform.
        all.push(package(ecosystem, name, rest));
        all.extend(rest.match_indices('-').filter_map(|(end, _)| rest.get(..end)).map(|v| package(ecosystem, name, v)));
        // `npm pack` writes `@scope/name` as `scope-name`; the folder before says it.
        if ecosystem == Some(Ecosystem::Npm) {
            all.extend(name.match_indices('-').filter_map(|(at, _)| {
                let (scope, own) = (name.get(..at)?, name.get(at + 1..)?);
                Some(package(ecosystem, &format!("@{scope}/{own}"), rest))
            }));
            let scope = plain.split('/').find(|part| part.starts_with('@') || part.starts_with("%40"));
            all.extend(scope.map(|s| package(ecosystem, &format!("{}/{name}", s.replace("%40", "@")), rest)));
        }
    }
    all
}

/// What the address of a page names: `…/litellm/1.82.8/`, `…/axios/v/1.14.1`, a repository of a forge with a tag or a commit.
fn address(text: &str) -> Vec<Query> {
    let Some((_, rest)) = text.split_once("://") else {
        return Vec::new();
    };
    let parts: Vec<&str> = rest.split(['?', '#']).next().unwrap_or(rest).split('/').filter(|p| !p.is_empty()).collect();
    let mut all = Vec::new();
    if let [host, owner, name, more @ ..] = parts.as_slice()
        && host.trim_start_matches("www.").eq_ignore_ascii_case("github.com")
    {
        let name = name.trim_end_matches(".git");
        let (name, behind) = name.split_once('@').map_or((name, None), |(n, r)| (n, Some(r)));
        match behind.or(more.last().copied()) {
            Some(reference) => all.extend(query::readings(&format!("action:{owner}/{name}@{reference}"))),
            None => all.extend(query::readings(&format!("{owner}/{name}"))),
        }
        all.extend([Query::Text(format!("{owner}/{name}")), Query::Text(format!("github.com/{owner}/{name}"))]);
    }
    let (version, before) = match parts.split_last() {
        Some((last, before)) if is_version(last) => (Some(*last), before),
        _ => (None, parts.as_slice()),
    };
    let names: Vec<&str> = before.iter().skip(1).filter(|p| !BETWEEN.contains(p)).copied().collect();
    if let (Some(version), Some(name)) = (version, names.last()) {
        all.push(package(None, name, version));
        if let [.., scope, name] = names.as_slice() {
            all.push(package(None, &format!("{scope}/{name}"), version));
        }
    }
    all
}

/// The host of an address, with its port or without, of a mail, of a path without a scheme.
fn hosts(text: &str) -> impl Iterator<Item = String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest).trim_start_matches('/');
    let whole = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = whole.rsplit('@').next().unwrap_or_default();
    let inner = host.strip_prefix('[').and_then(|h| h.split(']').next());
    let port = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
    let host = inner.unwrap_or_else(|| match host.rsplit_once(':') {
        Some((before, p)) if !before.contains(':') && port(p) => before,
        _ => host,
    });
    let host = host.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.').to_lowercase();
    // Another spelling of the same address: `2001:0db8::1`.
    let address = host.parse::<std::net::IpAddr>().map(|ip| ip.to_canonical().to_string()).ok();
    let named = is_host(&host).then_some(host);
    named.into_iter().chain(address)
}

/// Digests with a word in front, as lock files and checksum files write them: `--hash=sha256:…`, `sha256-BASE64`.
fn hashes(text: &str) -> Vec<Query> {
    let mut all = Vec::new();
    for part in text.split([':', '=', ',', '"', '\'', '/']) {
        if is_hash(part) {
            all.push(Query::Hash(part.to_ascii_lowercase()));
        }
    }
    let encoded = ["sha512-", "sha256-", "sha1-", "md5-"].iter().find_map(|p| text.split_once(p)).map(|(_, e)| e);
    let bytes = encoded.and_then(|e| base64::engine::general_purpose::STANDARD.decode(e).ok());
    all.extend(bytes.map(|b| crate::text::hex(&b)).filter(|h| is_hash(h)).map(Query::Hash));
    all
}
