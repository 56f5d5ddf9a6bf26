//! Package URLs, `pkg:npm/%40scope/name@1.0.0%2Bx`: made and taken apart here alone.
//!
//! <https://github.com/package-url/purl-spec>: of namespace, name and version every byte but letters, digits and `.-_~:` is
//! written as `%` and two hex digits; `/` parts the namespace from the name and stays. Qualifiers and subpaths are read over: no
//! indicator has any.

use std::fmt::{self, Write as _};

use crate::fact::Ecosystem;

/// A package, with its version where one is known. Names are the ecosystem's own: `@scope/name`, `group:artifact`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name, as the ecosystem writes it.
    pub name: String,
    /// `None` where it was not said.
    pub version: Option<String>,
}

impl Purl {
    /// Of a package and perhaps a version.
    pub fn new(ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Self {
        Self { ecosystem, name: name.to_owned(), version: version.map(str::to_owned) }
    }

    /// Takes a package URL apart; `None` where it is none, or of a type that no indicator has.
    pub fn parse(text: &str) -> Option<Self> {
        let Parts { kind, path, version } = Parts::parse(text)?;
        let ecosystem = Ecosystem::from_word(&kind)?;
        let last = || path.last().cloned().unwrap_or_default();
        let name = match ecosystem {
            Ecosystem::Vscode | Ecosystem::Openvsx => path.join("."),
            // The namespace is the group; what stands before in the others is the distribution.
            Ecosystem::Maven => path.join(":"),
            Ecosystem::Deb | Ecosystem::Rpm | Ecosystem::Aur | Ecosystem::Apk => last(),
            _ => path.join("/"),
        };
        Some(Self { ecosystem, name, version })
    }

    /// For people: `npm/@scope/name@1.0.0`, as indicators are written.
    pub fn words(&self) -> String {
        let version = self.version.as_ref().map(|v| format!("@{v}")).unwrap_or_default();
        format!("{}/{}{version}", self.ecosystem.purl_type(), self.name)
    }
}

/// What a text that should be a package URL says to people; a text that is none says itself.
pub fn words(text: &str) -> String {
    Purl::parse(text).map_or_else(|| text.to_owned(), |purl| purl.words())
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = |between: char| self.name.split(between).collect::<Vec<_>>();
        let path = match self.ecosystem {
            Ecosystem::Maven => parts(':'),
            Ecosystem::Vscode | Ecosystem::Openvsx => {
                self.name.split_once('.').map_or(vec![self.name.as_str()], |(publisher, name)| vec![publisher, name])
            }
            _ => parts('/'),
        };
        write!(f, "pkg:{}", self.ecosystem.purl_type())?;
        for part in path {
            f.write_char('/')?;
            encode(part, f)?;
        }
        if let Some(version) = &self.version {
            f.write_char('@')?;
            encode(version, f)?;
        }
        Ok(())
    }
}

/// The parts of any package URL, decoded; also of a type that is none of our ecosystems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The type, in lower case: `npm`, `githubactions`.
    pub kind: String,
    /// Namespace and name; never empty.
    pub path: Vec<String>,
    /// The version.
    pub version: Option<String>,
}

impl Parts {
    /// `None` where a text is no package URL. Undecoded signs where `%` should stand are read as they are: people paste such.
    pub fn parse(text: &str) -> Option<Self> {
        let scheme = text.get(..4).filter(|s| s.eq_ignore_ascii_case("pkg:"))?;
        let rest = text.strip_prefix(scheme)?.trim_start_matches('/');
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (kind, rest) = rest.split_once('/')?;
        // The version stands behind the last `@`; the one of an npm scope that nobody encoded begins its part.
        let version_at =
            rest.rfind('@').filter(|at| *at > 0 && rest.get(..*at).is_some_and(|before| !before.ends_with('/')));
        let (path, version) = version_at.and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        let path: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let version = version.strip_prefix('@').map(decoded).filter(|v| !v.is_empty());
        (!kind.is_empty() && !path.is_empty()).then(|| Self { kind: kind.to_ascii_lowercase(), path, version })
    }
}

fn encode(part: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => f.write_char(byte.into())?,
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
}

/// `%40` is `@`. What is no such code, or would give no text, stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, later)) = rest.split_first() {
        let digits = later.get(..2).filter(|d| *first == b'%' && d.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { later.get(2..).unwrap_or_default() } else { later };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Ecosystem::{Composer, Deb, Golang, Maven, Npm, Oci, Openvsx, Pypi, Vscode};

    /// Worked out by hand from the specification.
    const KNOWN: &[(Ecosystem, &str, Option<&str>, &str)] = &[
        (Pypi, "litellm", Some("1.82.8"), "pkg:pypi/litellm@1.82.8"),
        (Pypi, "litellm", Some("1.82.8+local"), "pkg:pypi/litellm@1.82.8%2Blocal"),
        (Pypi, "x", Some("1!2.0"), "pkg:pypi/x@1%212.0"),
        (Pypi, "litellm", None, "pkg:pypi/litellm"),
        (Npm, "@scope/name", Some("1.0.0"), "pkg:npm/%40scope/name@1.0.0"),
        (Npm, "@scope/name", None, "pkg:npm/%40scope/name"),
        (Npm, "axios", Some("1.0.0-rc.1+b"), "pkg:npm/axios@1.0.0-rc.1%2Bb"),
        (Golang, "github.com/x/y", Some("v2.0.0+incompatible"), "pkg:golang/github.com/x/y@v2.0.0%2Bincompatible"),
        (Maven, "org.a:b", Some("1.0"), "pkg:maven/org.a/b@1.0"),
        (Composer, "vendor/name", Some("1.0"), "pkg:composer/vendor/name@1.0"),
        (Vscode, "pub.name.more", Some("1.0.0"), "pkg:vscode/pub/name.more@1.0.0"),
        (Openvsx, "pub.name", Some("1.0.0"), "pkg:openvsx/pub/name@1.0.0"),
        (Deb, "xz-utils", Some("1:5.6.1-1~x"), "pkg:deb/xz-utils@1:5.6.1-1~x"),
        (Oci, "ghcr.io/x/y", Some("sha256:ab"), "pkg:oci/ghcr.io/x/y@sha256:ab"),
    ];

    #[test]
    fn known_packages_are_written_as_the_specification_says_and_read_back() {
        for (ecosystem, name, version, text) in KNOWN {
            let purl = Purl::new(*ecosystem, name, *version);
            assert_eq!(purl.to_string(), *text);
            assert_eq!(Purl::parse(text), Some(purl));
        }
    }

    #[test]
    fn names_of_every_byte_come_back() {
        for ecosystem in [Pypi, Npm, Golang, Maven] {
            for name in ["a b", "a@b", "%41", "a?b", "a#b", "ä€", "x\u{202e}y", "a\"b\\c", "+", "a%"] {
                for version in [None, Some("1@2"), Some("1/2"), Some("%2B"), Some("1?x=y#z"), Some(" ")] {
                    let purl = Purl::new(ecosystem, name, version);
                    let text = purl.to_string();
                    assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{text}");
                    assert_eq!(Purl::parse(&text), Some(purl), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_people_paste_is_read() {
        let scoped = Some(Purl::new(Npm, "@scope/name", Some("1.0.0")));
        for text in ["pkg:npm/@scope/name@1.0.0", "PKG:NPM/%40scope/name@1.0.0?a=b#c", "pkg://npm/%40scope/name@1.0.0"]
        {
            assert_eq!(Purl::parse(text), scoped, "{text}");
        }
        assert_eq!(Purl::parse("pkg:npm/@scope/name").unwrap().version, None);
        assert_eq!(
            Purl::parse("pkg:deb/debian/xz-utils@5.6.1?arch=amd64"),
            Some(Purl::new(Deb, "xz-utils", Some("5.6.1")))
        );
        assert_eq!(Purl::parse("pkg:maven/org.a/b@1"), Some(Purl::new(Maven, "org.a:b", Some("1"))));
    }

    #[test]
    fn what_is_none_is_none_and_what_is_broken_stays() {
        for text in ["", "pkg", "pkg:", "pkg:npm", "pkg:npm/", "pkg:/x", "pkg:nosuchtype/x@1", "npm/x@1", "€uro/x"] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
        assert_eq!(decoded("%"), "%");
        assert_eq!(decoded("%4"), "%4");
        assert_eq!(decoded("%+1%zz"), "%+1%zz");
        assert_eq!(decoded("%ff"), "%ff", "no text comes of it");
    }

    #[test]
    fn people_read_it_decoded() {
        assert_eq!(words("pkg:npm/%40scope/name@1.0.0%2Bx"), "npm/@scope/name@1.0.0+x");
        assert_eq!(words("sha256/ab"), "sha256/ab");
    }
}
