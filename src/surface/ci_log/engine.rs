//! What container engines and the runner of GitHub say.
//!
//! ```text
//! Digest: sha256:<64 hex>
//! Status: Downloaded newer image for aquasec/trivy:0.69.4        also `Image is up to date for`
//! Unable to find image 'aquasec/trivy:0.69.4' locally            `docker run`, which starts it then
//! Trying to pull docker.io/aquasec/trivy:0.69.4...               podman, buildah
//! Step 1/5 : FROM aquasec/trivy:0.69.4                           docker's old builder
//! #5 [1/4] FROM docker.io/aquasec/trivy:0.69.4@sha256:…          BuildKit
//! Using docker image sha256:… for python:3.12 with digest python@sha256:… ...     GitLab: the job runs in it
//!
//! Download action repository 'aquasecurity/trivy-action@0.28.0' (SHA:<40 hex>)
//! ##[group]Download immutable action package 'actions/checkout@v4'
//! Version: 4.2.2
//! Digest: sha256:<64 hex>
//! Source commit SHA: <40 hex>
//! Save archive 'https://codeload.github.com/actions/checkout/tar.gz/<40 hex>' into …      the runner's own log
//! ```
//!
//! Documented in the sources of the runner (`ActionManager`), of docker and of GitLab's runner.

use crate::{
    fact::{Fact, Logged, Usage, Use, UseKind},
    surface::container,
};

/// An image, as a log names it.
fn image(reference: &str, digest: Option<&str>, logged: Logged) -> Option<Fact> {
    let Some(Fact::Use(used)) = container::used(reference) else {
        return None;
    };
    let digest = used.digest.clone().or_else(|| digest.map(Into::into));
    Some(Fact::Use(Use { usage: Usage::Logged(logged), digest, ..used }))
}

/// `sha256:<64 hex>`
pub fn digest(text: &str) -> Option<&str> {
    let digest = text.strip_prefix("Digest: ")?.trim_end();
    let hex = digest.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digest)
}

/// What a line says of an image; `digest` is the last one that was named.
pub fn said(text: &str, digest: Option<&str>) -> Option<Fact> {
    let first = |text: &'_ str| text.split(' ').next().unwrap_or_default().to_owned();
    if let Some(rest) = text.strip_prefix("Status: ") {
        let done = ["Downloaded newer image for ", "Image is up to date for "];
        let reference = done.iter().find_map(|start| rest.strip_prefix(start))?;
        return image(reference.trim_end(), digest, Logged::Downloaded);
    }
    if let Some(rest) = text.strip_prefix("Unable to find image '") {
        return image(rest.strip_suffix("' locally")?, None, Logged::Ran);
    }
    if let Some(rest) = text.strip_prefix("Trying to pull ") {
        return image(rest.trim_end_matches("..."), None, Logged::Downloaded);
    }
    if let Some(rest) = text.strip_prefix("Using docker image ") {
        let (_, rest) = rest.split_once(" for ")?;
        let reference = first(rest);
        let digest = rest.split_once(" with digest ").and_then(|(_, d)| d.split(' ').next()?.split_once('@'));
        return image(&reference, digest.map(|(_, digest)| digest), Logged::Ran);
    }
    let is_step = |start: &str| {
        let classic = start.strip_prefix("Step ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'/'));
        classic || start.starts_with('#') && start.contains(" [")
    };
    if !text.starts_with(['S', '#']) {
        return None;
    }
    let (start, rest) = text.split_once(" : FROM ").or_else(|| text.split_once("] FROM "))?;
    is_step(start).then(|| image(&first(rest), None, Logged::Downloaded))?
}

/// An action that the runner fetched.
pub fn action(name: &str, reference: &str, commit: Option<&str>) -> Option<Fact> {
    let plain = |text: &str| {
        let sign = |c: char| c.is_ascii_alphanumeric() || "._-+/".contains(c);
        !text.is_empty() && text.len() <= 200 && text.chars().all(sign)
    };
    let commit = commit.filter(|sha| matches!(sha.len(), 40 | 64) && sha.bytes().all(|b| b.is_ascii_hexdigit()));
    (plain(name) && name.contains('/') && plain(reference)).then(|| {
        Fact::Use(Use {
            kind: UseKind::Action,
            name: name.into(),
            reference: reference.into(),
            digest: commit.map(Into::into),
            usage: Usage::Logged(Logged::Ran),
        })
    })
}

/// What a line says of an action that was fetched whole.
pub fn fetched(text: &str) -> Option<Fact> {
    let inner = text.strip_prefix("##[group]").unwrap_or(text);
    if let Some(rest) = inner.strip_prefix("Download action repository '") {
        let (named, rest) = rest.split_once('\'')?;
        let (name, reference) = named.split_once('@')?;
        let commit = rest.trim().strip_prefix("(SHA:").and_then(|c| c.strip_suffix(')'));
        return action(name, reference, commit);
    }
    let (address, _) = inner.strip_prefix("Save archive '")?.split_once('\'')?;
    let mut parts = address.rsplit('/');
    let (commit, kind, name, owner) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let archive = matches!(kind, "tar.gz" | "zip" | "tarball" | "zipball");
    archive.then(|| action(&format!("{owner}/{name}"), commit, Some(commit)))?
}

/// The immutable package of an action that a line begins to speak of.
pub fn package(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("##[group]").unwrap_or(text);
    inner.strip_prefix("Download immutable action package '")?.strip_suffix('\'')?.split_once('@')
}
