//! What a user names: an image of a registry, a repository, or all of a registry.

use std::fmt;

use reqwest::Url;

use super::{error::RegistryError, inside::is_inside};
use crate::{ecosystem::oci, text::escape_short};

/// The registry of names without one, and how its parts are called.
const DEFAULT: &str = "docker.io";
const DEFAULT_API: &str = "registry-1.docker.io";

/// `HOST[:PORT]`, lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);

impl Host {
    /// `None` where the text cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                (None, port)
            }
            None => {
                text.find(':').map_or((Some(text.as_str()), ""), |at| (text.get(..at), text.get(at..).unwrap_or("")))
            }
        };
        let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let name_fits = name.is_none_or(|n| n.len() <= 253 && n.split('.').all(label));
        let port_fits =
            port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok_and(|p| p > 0));
        (name_fits && port_fits).then_some(Self(text))
    }

    /// As it is written in references.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this machine, or something that only this machine reaches. What is no address counts as such.
    pub fn is_inside(&self) -> bool {
        Url::parse(&format!("https://{}/", self.api())).map_or(true, |url| is_inside(&url))
    }

    /// Where it is asked.
    pub(super) fn api(&self) -> &str {
        if self.0 == DEFAULT { DEFAULT_API } else { &self.0 }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A digest that can be compared: `sha256:…` or `sha512:…`, lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// `None` where it is none of the two.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, hex) = text.split_once(':')?;
        let digits = match kind {
            "sha256" => 64,
            "sha512" => 128,
            _ => return None,
        };
        let is_hex = hex.len() == digits && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        is_hex.then(|| Self(text.to_owned()))
    }

    /// `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of these bytes.
    pub fn sha256(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(format!("sha256:{}", crate::text::hex(&sha2::Sha256::digest(bytes))))
    }

    /// Whether it is that of these bytes.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        use sha2::Digest as _;
        match self.0.strip_prefix("sha512:") {
            Some(hex) => crate::text::hex(&sha2::Sha512::digest(bytes)) == hex,
            None => *self == Self::sha256(bytes),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `HOST/`: all repositories of a registry; `HOST/team/`: those below `team`.
    Whole {
        /// The registry.
        host: Host,
        /// `team/`, or empty.
        below: String,
    },
    /// An image, or a repository.
    Image(Reference),
}

/// An image of a registry, or a repository where neither tag nor digest is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry.
    pub host: Host,
    /// `team/app`.
    pub repository: String,
    /// As written.
    pub tag: Option<String>,
    /// Counts more than the tag.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Tag or digest, as the interface wants it; `latest` where neither is written.
    pub fn which(&self) -> &str {
        self.digest.as_ref().map(Digest::as_str).or(self.tag.as_deref()).unwrap_or("latest")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// Reads what a user named. Names without a registry are completed as clients do.
///
/// # Errors
/// Where it is no such name.
pub fn parse(text: &str) -> Result<Target, RegistryError> {
    let refused = || RegistryError::Reference(escape_short(text.as_bytes(), 120));
    let plain = text.trim();
    let plain = ["docker://", "oci://"].iter().find_map(|s| plain.strip_prefix(s)).unwrap_or(plain);
    if let Some(whole) = plain.strip_suffix('/') {
        if whole.ends_with('/') {
            return Err(refused());
        }
        let (host, below) = whole.split_once('/').unwrap_or((whole, ""));
        let host = Host::parse(host).ok_or_else(refused)?;
        let below = if below.is_empty() { String::new() } else { format!("{below}/") };
        let fits = below.is_empty() || is_repository(below.trim_end_matches('/'));
        return if fits { Ok(Target::Whole { host, below }) } else { Err(refused()) };
    }
    let image = oci::parse(plain).ok_or_else(refused)?;
    let (host, repository) = image.repository.split_once('/').ok_or_else(refused)?;
    let host = Host::parse(host).ok_or_else(refused)?;
    let digest = image.digest.as_deref().map(|d| Digest::parse(d).ok_or_else(refused)).transpose()?;
    let last = plain.rsplit('/').next().unwrap_or("");
    let tag = image.tag.filter(|_| last.split('@').next().is_some_and(|l| l.contains(':')));
    if !is_repository(repository) {
        return Err(refused());
    }
    Ok(Target::Image(Reference { host, repository: repository.to_owned(), tag, digest }))
}

/// Whether a registry may call a repository so: nothing in it leads elsewhere in an address.
pub fn is_repository(text: &str) -> bool {
    let part = |p: &str| {
        let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        let inner = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        ends(p.bytes().next()) && ends(p.bytes().last()) && p.bytes().all(inner)
    };
    text.len() <= 255 && text.split('/').all(part)
}

/// Whether a registry may call a tag so.
pub fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// What cosign, and clients of registries without referrers, put beside an image: whose it is, and what it is.
pub fn beside(tag: &str) -> Option<(Digest, &'static str)> {
    let rest = tag.strip_prefix("sha256-")?;
    let (hex, kind) = rest.split_at_checked(64)?;
    let what = match kind {
        "" => "a list of what refers to an image",
        ".sig" => "a signature",
        ".att" => "an attestation",
        ".sbom" => "a list of components",
        _ => return None,
    };
    Some((Digest::parse(&format!("sha256:{hex}"))?, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Reference {
        match parse(text).unwrap() {
            Target::Image(reference) => reference,
            Target::Whole { .. } => panic!("{text}"),
        }
    }

    #[test]
    fn references_are_read_as_clients_read_them() {
        let hex = "a".repeat(64);
        let full = image(&format!("Registry.example:5000/team/app:1.0@sha256:{hex}"));
        assert_eq!((full.host.as_str(), full.repository.as_str()), ("registry.example:5000", "team/app"));
        assert_eq!((full.tag.as_deref(), full.which()), (Some("1.0"), format!("sha256:{hex}").as_str()));
        assert_eq!(full.to_string(), format!("registry.example:5000/team/app:1.0@sha256:{hex}"));
        let bare = image("localhost:5000/app");
        assert_eq!(
            (bare.tag.as_deref(), bare.which(), bare.to_string().as_str()),
            (None, "latest", "localhost:5000/app")
        );
        assert_eq!(image("127.0.0.1/a:b").tag.as_deref(), Some("b"));
        assert_eq!(image("[::1]:5000/app").host.as_str(), "[::1]:5000");
        let short = image("nginx");
        assert_eq!((short.host.as_str(), short.repository.as_str()), (DEFAULT, "library/nginx"));
        assert_ne!(short.host.api(), DEFAULT);
        let whole = |host: &str, below: &str| Target::Whole { host: Host::parse(host).unwrap(), below: below.into() };
        assert_eq!(parse("registry.example/").unwrap(), whole("registry.example", ""));
        assert_eq!(parse("registry.example:5000/team/").unwrap(), whole("registry.example:5000", "team/"));
    }

    #[test]
    fn what_would_lead_elsewhere_is_no_reference() {
        for text in [
            "",
            "/",
            "a b/",
            "registry.example/../x",
            "registry.example/a/..",
            "registry.example//",
            "user@registry.example/",
            "registry.example:0/a",
            "registry.example:99999/a",
            "registry.example/a?x",
            "registry.example/a#x",
            "registry.example/a@sha256:../../x",
            "registry.example/a@md5:d41d8cd98f00b204e9800998ecf8427e",
            "[::1/a",
            "registry.example/a%2fb",
            "registry.example/\u{1b}[31m",
            "registry.example/.a",
            "registry..example/a",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(&format!("registry.example/{}", "a/".repeat(200) + "a")).is_err());
        assert!(is_tag("v1.0_x-y") && !is_tag("-x") && !is_tag("a/b") && !is_tag("") && !is_tag(&"a".repeat(129)));
    }

    #[test]
    fn digests_are_compared() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert!(Digest::parse(empty).unwrap().fits(b"") && !Digest::parse(empty).unwrap().fits(b"x"));
        assert!(Digest::parse(&empty.to_uppercase()).is_none() && Digest::parse("sha256:00").is_none());
        let long = format!("sha512:{}", crate::text::hex(&<sha2::Sha512 as sha2::Digest>::digest(b"x")));
        assert!(Digest::parse(&long).unwrap().fits(b"x") && !Digest::parse(&long).unwrap().fits(b"y"));
        let hex = "b".repeat(64);
        assert_eq!(beside(&format!("sha256-{hex}.sig")).unwrap().1, "a signature");
        assert!(
            beside(&format!("sha256-{hex}.exe")).is_none() && beside("sha256-x").is_none() && beside("1.0").is_none()
        );
    }
}
