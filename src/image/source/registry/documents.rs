//! Which parts of an index or a manifest are read, and which are left out.

use serde::Deserialize;

use crate::{image::few::Few, online::registry::Digest};

pub(super) const OTHER_PLATFORM: &str = "an image for another platform (`--all-platforms` examines it)";
const ATTESTATION: &str = "an attestation: it holds no file system";

/// `linux/arm/v7`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::image) struct Platform {
    os: String,
    architecture: String,
    /// Any, where it is empty.
    variant: String,
}

impl Platform {
    /// `OS/ARCHITECTURE[/VARIANT]`; `None` where it is not of this form.
    pub(in crate::image) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_ascii_lowercase);
        let (os, architecture, variant) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        let fits =
            |part: &String| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let written = !text.ends_with('/') && parts.next().is_none();
        (written && fits(&os) && fits(&architecture)).then(|| Self { os, architecture: named(architecture), variant })
    }

    /// What containers on this machine run.
    pub(in crate::image) fn here() -> Self {
        let architecture = match std::env::consts::ARCH {
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            "loongarch64" => "loong64",
            other => other,
        };
        Self { os: "linux".to_owned(), architecture: named(architecture.to_owned()), variant: String::new() }
    }

    fn fits(&self, other: &Described) -> bool {
        let Some(found) = &other.platform else { return true };
        let (os, architecture) = (text(&found.os), text(&found.architecture));
        // 64-bit Arm is `v8` whether that is written or not.
        let plain = |v: &str| if architecture == "arm64" && v == "v8" { String::new() } else { v.to_owned() };
        let variant = self.variant.is_empty() || plain(&self.variant) == plain(text(&found.variant));
        self.os == os && self.architecture == named(architecture.to_owned()) && variant
    }
}

/// As images call it.
fn named(architecture: String) -> String {
    match architecture.as_str() {
        "x86_64" | "x86-64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        "x86" | "i386" | "i686" => "386".to_owned(),
        _ => architecture,
    }
}

/// Which images of an index are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) enum Platforms {
    /// Those for this one.
    One(Platform),
    /// All of them.
    All,
}

impl Platforms {
    /// Those that containers on this machine run.
    pub(in crate::image) fn here() -> Self {
        Self::One(Platform::here())
    }

    /// Those for `OS/ARCHITECTURE[/VARIANT]`; `None` where the text is not of this form.
    pub(in crate::image) fn of(text: &str) -> Option<Self> {
        Platform::parse(text).map(Self::One)
    }
}

/// What a blob is, by who names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An index or a manifest.
    Document,
    /// A manifest that is not read.
    Skipped,
    Config,
    Layer,
    /// A layer that is elsewhere.
    Foreign,
}

/// One thing that a document names.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) digest: Digest,
    /// In bytes, as the document says.
    pub(super) size: u64,
    pub(super) role: Role,
    /// Why it is not read.
    pub(super) left_out: Option<&'static str>,
}

/// An index or a manifest.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    manifests: Option<Few<Described>>,
    config: Option<Described>,
    layers: Option<Few<Described>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    media_type: Option<String>,
    digest: String,
    #[serde(default)]
    size: u64,
    urls: Option<Few<String>>,
    platform: Option<Found>,
    annotations: Option<Annotations>,
}

#[derive(Debug, Deserialize)]
struct Found {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Annotations {
    #[serde(rename = "vnd.docker.reference.type")]
    kind: Option<String>,
}

fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("")
}

impl Described {
    fn part(&self, role: Role, left_out: Option<&'static str>) -> Option<Part> {
        Some(Part { digest: Digest::parse(&self.digest)?, size: self.size, role, left_out })
    }

    fn is_index(&self) -> bool {
        let kind = text(&self.media_type);
        kind.contains("image.index") || kind.contains("manifest.list")
    }

    fn attests(&self) -> bool {
        let unknown = |p: &Found| text(&p.os) == "unknown" && text(&p.architecture) == "unknown";
        let says = self.annotations.as_ref().is_some_and(|a| text(&a.kind) == "attestation-manifest");
        says && self.platform.as_ref().is_some_and(unknown)
    }
}

impl Document {
    /// `None` where it is none: whoever plans says so.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// What it names, with what is to be done with it. What has no digest that can be compared is missing.
    pub(super) fn parts(&self, platforms: &Platforms) -> Vec<Part> {
        if let Some(list) = &self.manifests {
            let each = list.0.iter().filter_map(|d| match platforms {
                Platforms::One(_) if d.attests() => d.part(Role::Skipped, Some(ATTESTATION)),
                Platforms::One(wanted) if !d.is_index() && !wanted.fits(d) => {
                    d.part(Role::Skipped, Some(OTHER_PLATFORM))
                }
                _ => d.part(Role::Document, None),
            });
            return each.collect();
        }
        let config = self.config.iter().filter_map(|d| d.part(Role::Config, None));
        let layers = self.layers.iter().flat_map(|l| &l.0).filter_map(|d| {
            let elsewhere = d.urls.as_ref().is_some_and(|urls| !urls.0.is_empty());
            d.part(if elsewhere { Role::Foreign } else { Role::Layer }, None)
        });
        config.chain(layers).collect()
    }

    /// Whether it says that all its layers are signatures, attestations and the like.
    pub(super) fn is_artifact(&self) -> bool {
        let layers = self.layers.as_ref().map_or(&[][..], |l| &l.0);
        let says = |d: &Described| {
            let kind = text(&d.media_type);
            !kind.contains("image.layer") && !kind.contains("image.rootfs") && !kind.contains("tar")
        };
        !layers.is_empty() && layers.iter().all(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(json: &str, platforms: &Platforms) -> Vec<(Role, bool)> {
        let parts = Document::parse(json.as_bytes()).unwrap().parts(platforms);
        parts.iter().map(|p| (p.role, p.left_out.is_some())).collect()
    }

    #[test]
    fn platforms_are_read_and_compared() {
        let is = |text: &str, os: Option<&str>, architecture: Option<&str>, variant: Option<&str>| {
            let own = |t: Option<&str>| t.map(str::to_owned);
            let found = Found { os: own(os), architecture: own(architecture), variant: own(variant) };
            let described = Described {
                media_type: None,
                digest: String::new(),
                size: 0,
                urls: None,
                platform: Some(found),
                annotations: None,
            };
            Platform::parse(text).unwrap().fits(&described)
        };
        assert!(
            is("linux/amd64", Some("linux"), Some("amd64"), None)
                && is("Linux/x86_64", Some("linux"), Some("amd64"), Some("v3"))
        );
        assert!(
            is("linux/arm64/v8", Some("linux"), Some("arm64"), None)
                && is("linux/arm64", Some("linux"), Some("arm64"), Some("v8"))
        );
        assert!(
            is("linux/arm/v7", Some("linux"), Some("arm"), Some("v7"))
                && !is("linux/arm/v7", Some("linux"), Some("arm"), Some("v6"))
        );
        assert!(!is("linux/amd64", Some("windows"), Some("amd64"), None) && !is("linux/amd64", None, None, None));
        for odd in ["", "linux", "linux/", "/amd64", "linux/amd64/v1/x", "linux/amd64/", "a b/c"] {
            assert_eq!(Platform::parse(odd), None, "{odd}");
        }
        assert_eq!(Platform::here().os, "linux");
        assert!(!["x86_64", "aarch64"].contains(&Platform::here().architecture.as_str()));
    }

    #[test]
    fn parts_are_chosen() {
        let d = format!("sha256:{}", "a".repeat(64));
        let index = format!(
            r#"{{"manifests":[{{"digest":"{d}","platform":{{"os":"linux","architecture":"amd64"}}}},
                {{"digest":"{d}","platform":{{"os":"linux","architecture":"arm64"}}}},
                {{"digest":"{d}","platform":{{"os":"unknown","architecture":"unknown"}},"annotations":{{"vnd.docker.reference.type":"attestation-manifest"}}}},
                {{"digest":"{d}","mediaType":"application/vnd.oci.image.index.v1+json","platform":{{"os":"x"}}}},{{"digest":"{d}"}},{{"digest":"x"}}]}}"#
        );
        let (read, skipped) = ((Role::Document, false), (Role::Skipped, true));
        let one = Platforms::One(Platform::parse("linux/amd64").unwrap());
        assert_eq!(roles(&index, &one), [read, skipped, skipped, read, read]);
        assert_eq!(roles(&index, &Platforms::All), [read; 5]);
        let manifest = format!(
            r#"{{"config":{{"digest":"{d}","size":3}},"layers":[{{"digest":"{d}","mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}},
                {{"digest":"{d}","urls":["https://elsewhere.example/x"]}}]}}"#
        );
        let layers = [(Role::Config, false), (Role::Layer, false), (Role::Foreign, false)];
        assert_eq!(roles(&manifest, &one), layers);
        assert!(!Document::parse(manifest.as_bytes()).unwrap().is_artifact());
        let signature = format!(
            r#"{{"layers":[{{"digest":"{d}","mediaType":"application/vnd.dev.cosign.simplesigning.v1+json"}}]}}"#
        );
        assert!(Document::parse(signature.as_bytes()).unwrap().is_artifact());
        assert!(Document::parse(br#"{"layers":[{"digest":"x","size":-1}]}"#).is_none());
    }
}
