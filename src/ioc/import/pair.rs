//! A package and its versions on one line, in the forms that advisories use: `name:1.0`, `name 1.0`, `name, 1.0 1.1`, `name | 1.0`,
//! `name (1.0)`, `group:artifact:1.0`. They are read only where an ecosystem is given, since a host with its port, an image with its
//! tag and a path of Windows look alike.

use super::version::{cell, is_good};
use crate::{ecosystem::pypi, fact::Ecosystem, ioc::query::is_host};

/// Words before a colon that say what follows, and are no package.
const MARKS: &[&str] =
    &["sha256", "sha1", "sha512", "md5", "domain", "host", "ip", "url", "file", "action", "image", "oci", "pkg"];

/// Name and versions, where the line can be nothing else in this ecosystem.
pub fn read(ecosystem: Ecosystem, line: &str) -> Option<(&str, Vec<String>)> {
    if ecosystem == Ecosystem::Oci || line.contains("://") {
        return None;
    }
    let between = |c: char| c.is_whitespace() || ",;|".contains(c);
    if let Some((name, rest)) = line.split_once(between) {
        let rest = rest.trim_start_matches(|c: char| between(c) || ":(–—→".contains(c));
        let rest = rest.strip_prefix("- ").or_else(|| rest.strip_prefix("-> ")).unwrap_or(rest).trim();
        let rest = rest.strip_suffix(')').unwrap_or(rest);
        let versions = versions(ecosystem, rest)?;
        // `Published 2026` and `step 3` are words; a version without a dot needs a mark that is no blank.
        let dotted = versions.iter().all(|v| v == "*" || v.contains('.'));
        return name_of(ecosystem, name.trim_end_matches(':')).filter(|_| dotted).map(|name| (name, versions));
    }
    let (name, version) = line.rsplit_once(':')?;
    let port = version.parse::<u16>().is_ok() && is_host(name);
    let name = name_of(ecosystem, name).filter(|_| !port && !MARKS.contains(&name))?;
    Some((name, versions(ecosystem, version)?))
}

fn versions(ecosystem: Ecosystem, text: &str) -> Option<Vec<String>> {
    cell(text).filter(|versions| versions.iter().all(|v| is_good(ecosystem, v)))
}

/// A text that can be a name in this ecosystem.
fn name_of(ecosystem: Ecosystem, name: &str) -> Option<&str> {
    let plain = |part: &str| {
        !part.is_empty()
            && part.len() <= 200
            && part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-+~".contains(c))
    };
    let parts = |text: &str, mark: char, many: std::ops::RangeInclusive<usize>| {
        many.contains(&text.split(mark).count()) && text.split(mark).all(plain)
    };
    let fits = match ecosystem {
        Ecosystem::Pypi => pypi::is_name(name),
        Ecosystem::Npm => name.strip_prefix('@').map_or_else(|| plain(name), |scoped| parts(scoped, '/', 2..=2)),
        Ecosystem::Maven => parts(name, ':', 2..=2),
        Ecosystem::Golang => name.contains('.') && parts(name, '/', 2..=20),
        Ecosystem::Composer => parts(name, '/', 2..=2),
        Ecosystem::Vscode | Ecosystem::Openvsx => name.contains('.') && plain(name),
        Ecosystem::Firefox => crate::ecosystem::browser::is_firefox_id(name),
        // What has no registry may have an owner.
        Ecosystem::Generic => parts(name, '/', 1..=2),
        _ => plain(name),
    };
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(ecosystem: Ecosystem, line: &str) -> String {
        read(ecosystem, line).map(|(name, versions)| format!("{name}@{}", versions.join(" "))).unwrap_or_default()
    }

    #[test]
    fn every_form_that_people_write() {
        for (ecosystem, line, want) in [
            (Ecosystem::Npm, "evilpkg:1.2.3", "evilpkg@1.2.3"),
            (Ecosystem::Npm, "@scope/evil:4.0.0", "@scope/evil@4.0.0"),
            (Ecosystem::Npm, "@scope/evil\t4.0.0", "@scope/evil@4.0.0"),
            (Ecosystem::Npm, "evil: 1.0.0, 1.0.1", "evil@1.0.0 1.0.1"),
            (Ecosystem::Npm, "evil | 1.0.0", "evil@1.0.0"),
            (Ecosystem::Npm, "evil (1.0.0)", "evil@1.0.0"),
            (Ecosystem::Npm, "evil - 1.0.0", "evil@1.0.0"),
            (Ecosystem::Npm, "evil,1.0.0", "evil@1.0.0"),
            (Ecosystem::Npm, "evil:*", "evil@*"),
            (Ecosystem::Pypi, "evil:1", "evil@1"),
            (Ecosystem::Pypi, "evil.py 1.0rc1", "evil.py@1.0rc1"),
            (Ecosystem::Pypi, "evil >=1.0,<1.2", "evil@>=1.0,<1.2"),
            (Ecosystem::Maven, "org.evil:lib:1.0", "org.evil:lib@1.0"),
            (Ecosystem::Maven, "org.evil:lib 1.0", "org.evil:lib@1.0"),
            (Ecosystem::Golang, "example.org/evil:v1.0.0", "example.org/evil@v1.0.0"),
            (Ecosystem::Composer, "evil/lib:1.0.0", "evil/lib@1.0.0"),
            (Ecosystem::Openvsx, "evil.ext:1.0.0", "evil.ext@1.0.0"),
        ] {
            assert_eq!(pair(ecosystem, line), want, "{line}");
        }
    }

    #[test]
    fn what_means_something_else() {
        for (ecosystem, line) in [
            (Ecosystem::Maven, "org.evil:lib"),
            (Ecosystem::Maven, "evil:1.0"),
            (Ecosystem::Maven, "org.evil:lib:jar:1.0"),
            (Ecosystem::Npm, "C:\\evil\\1.0.0"),
            (Ecosystem::Npm, "c:1.0"),
            (Ecosystem::Npm, "https://evil.example:8080"),
            (Ecosystem::Pypi, "evil.example:8080"),
            (Ecosystem::Pypi, "2001:db8::1"),
            (Ecosystem::Npm, "ghcr.io/evil/image:1.0.0"),
            (Ecosystem::Oci, "evil/image:1.0.0"),
            (Ecosystem::Pypi, "sha256:1234"),
            (Ecosystem::Pypi, "Published 2026"),
            (Ecosystem::Npm, "evil: all versions before 2"),
            (Ecosystem::Npm, "evil 1.0.0 was the first"),
            (Ecosystem::Npm, "npm:evil@1.0.0"),
            (Ecosystem::Npm, "12:30:45"),
            (Ecosystem::Npm, ":1.0.0"),
            (Ecosystem::Npm, "evil:"),
            (Ecosystem::Npm, ""),
        ] {
            assert_eq!(pair(ecosystem, line), "", "{line}");
        }
    }
}
