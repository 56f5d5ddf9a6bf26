//! Names of container images, as clients complete them: `nginx` is `docker.io/library/nginx:latest`.

pub(super) const SEMANTICS: super::Semantics = super::Semantics {
    name,
    same,
    order: |a, b| same(a, b).then_some(std::cmp::Ordering::Equal),
    is_version,
    admits: same,
};

/// A reference in its full form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// With its registry: `docker.io/library/nginx`.
    pub repository: String,
    /// `latest` where neither tag nor digest is written.
    pub tag: Option<String>,
    /// `sha256:…`, lower case.
    pub digest: Option<String>,
}

/// Reads `[registry[:port]/]path[:tag][@digest]`, with `docker://` in front or without. `None` where the text has no such form.
pub fn parse(reference: &str) -> Option<Image> {
    let text = reference.trim();
    let text = ["docker://", "oci://", "docker-daemon:", "containers-storage:"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .unwrap_or(text);
    let (text, digest) = text.split_once('@').map_or((text, None), |(t, d)| (t, Some(d)));
    let slash = text.rfind('/').unwrap_or(0);
    let (path, tag) = match text.rfind(':').filter(|colon| *colon >= slash) {
        Some(colon) => (text.get(..colon)?, Some(text.get(colon + 1..)?)),
        None => (text, None),
    };
    let (registry, path) = match path.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first.eq_ignore_ascii_case("localhost") => (first, rest),
        _ => ("docker.io", path),
    };
    let registry = registry.to_ascii_lowercase();
    let registry = match registry.as_str() {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" | "hub.docker.com" => "docker.io",
        other => other,
    };
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !path.split('/').all(part) || tag.is_some_and(|t| !is_tag(t)) || digest.is_some_and(|d| !is_digest(d)) {
        return None;
    }
    let path = path.to_ascii_lowercase();
    let library = if registry == "docker.io" && !path.contains('/') { "library/" } else { "" };
    Some(Image {
        repository: format!("{registry}/{library}{path}"),
        tag: tag.or(digest.is_none().then_some("latest")).map(str::to_owned),
        digest: digest.map(str::to_ascii_lowercase),
    })
}

/// Whether a reference is this tag of this repository. Tags are compared exactly; a digest beside the tag changes nothing here.
pub fn same_image(reference: &str, repository: &str, tag: &str) -> bool {
    parse(reference).is_some_and(|image| image.tag.as_deref() == Some(tag) && image.repository == name(repository))
}

/// A repository in its full form.
pub fn repository(repository: &str) -> String {
    name(repository)
}

fn name(repository: &str) -> String {
    parse(repository).map_or_else(|| repository.to_ascii_lowercase(), |image| image.repository)
}

fn same(known: &str, found: &str) -> bool {
    known == found || is_digest(known) && known.eq_ignore_ascii_case(found)
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && !text.starts_with(['.', '-'])
}

fn is_digest(text: &str) -> bool {
    let (kind, hex) = text.split_once(':').unwrap_or_default();
    !kind.is_empty() && hex.len() >= 12 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_version(text: &str) -> bool {
    is_tag(text) || is_digest(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_clients_do() {
        let full = |t: &str| parse(t).map(|i| (i.repository, i.tag.unwrap_or_default(), i.digest.unwrap_or_default()));
        let is = |repository: &str, tag: &str| Some((repository.to_owned(), tag.to_owned(), String::new()));
        assert_eq!(full("nginx"), is("docker.io/library/nginx", "latest"));
        assert_eq!(full("index.docker.io/library/nginx:1"), is("docker.io/library/nginx", "1"));
        assert_eq!(full("docker://a/b:V1"), is("docker.io/a/b", "V1"));
        assert_eq!(full("GHCR.io/A/b/c"), is("ghcr.io/a/b/c", "latest"));
        assert_eq!(full("registry.example:5000/b:1"), is("registry.example:5000/b", "1"));
        assert_eq!(full("localhost/b"), is("localhost/b", "latest"));
        let digest = format!("sha256:{}", "AB".repeat(32));
        assert_eq!(parse(&format!("a/b@{digest}")).unwrap().tag, None);
        let both = parse(&format!("a/b:1@{digest}")).unwrap();
        assert_eq!((both.tag.as_deref(), both.digest), (Some("1"), Some(digest.to_ascii_lowercase())));
        for broken in ["", ":", "a/b:", "a//b", "a b", "a/b:1:2", "a@sha256:xyz", "a/b:.x", "https://a.example/b"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_tag_of_another_repository_is_another_image() {
        let same = |reference: &str| same_image(reference, "aquasec/trivy", "0.69.4");
        assert!(same("aquasec/trivy:0.69.4") && same("docker.io/aquasec/trivy:0.69.4"));
        assert!(same(&format!("aquasec/trivy:0.69.4@sha256:{}", "0".repeat(64))));
        for other in [
            "aquasec/trivy:0.69.40",
            "aquasec/trivy",
            "aquasec/trivy-db:0.69.4",
            "ghcr.io/aquasec/trivy:0.69.4",
            "x/aquasec/trivy:0.69.4",
            "registry.example:5000/aquasec/trivy:0.69.4",
            "trivy:0.69.4",
        ] {
            assert!(!same(other), "{other}");
        }
        assert!(same_image("nginx", "docker.io/library/nginx", "latest"));
    }
}
