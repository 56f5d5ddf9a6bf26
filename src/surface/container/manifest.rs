//! Images that Compose files and manifests of Kubernetes name.
//!
//! ```text
//! compose.yaml, docker-compose*.yml        services.NAME.image: aquasec/trivy:0.69.4
//! *.yaml, *.yml in somebody's own work     spec.containers[].image, initContainers, ephemeralContainers: of a pod, a deployment, a job …
//! kustomization.yaml                       images[].name with newName, newTag, digest
//! /etc/kubernetes/manifests/*.yaml         what a kubelet starts by itself
//! ```
//!
//! Templates of Helm are no YAML before they are filled in: of them nothing is read, and they are no gap. A hit proves that the file names
//! the image; not that it was started. Documented in the Compose file reference and in Kubernetes' API reference.

use std::borrow::Cow;

use super::used;
use crate::{
    fact::{Fact, Use},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::{line_starts, text},
        yaml::{self, Scalar},
    },
};

/// Dumps of a whole cluster are larger, and are no manifests that somebody wrote.
const FILE: usize = 16 << 20;
/// Images of one file.
const MOST: usize = 5000;

/// `compose.yaml`, `deployment.yaml`.
pub struct Manifest;

static META: Meta = Meta {
    id: "container/manifest",
    title: "images that Compose files and Kubernetes manifests name",
    proves: "the file names that image; not that it was started",
};

impl Surface for Manifest {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let own = [".yaml", ".yml"].map(|end| Claim::suffix(end).without_links().in_own_work().among_few());
        let compose = ["compose", "docker-compose", "podman-compose"];
        let compose = compose.iter().flat_map(|start| [".yaml", ".yml"].map(|end| Claim::affix(start, end)));
        let started = ["etc/kubernetes/manifests", "var/lib/rancher/k3s/server/manifests"];
        let started = started.iter().flat_map(|f| [".yaml", ".yml"].map(|end| Claim::suffix(end).in_root(f)));
        own.into_iter().chain(compose).chain(started).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let manifest = line_starts(&text, "apiVersion:") && line_starts(&text, "kind:");
        (manifest || (line_starts(&text, "services:") && line_starts(&text, "image:"))).then_some("compose.yaml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the manifest");
        // What is too large to be one, or names no image, is somebody's data.
        if file.entry.len > u64::try_from(FILE).unwrap_or(u64::MAX) {
            return Ok(());
        }
        let bytes = file.all(FILE)?;
        if memchr::memmem::find(bytes, b"image").is_none() {
            return Ok(());
        }
        let text = text(bytes);
        let is_manifest =
            line_starts(&text, "apiVersion:") || line_starts(&text, "services:") || line_starts(&text, "kind:");
        if !is_manifest {
            return Ok(());
        }
        let (mut found, mut custom) = (Vec::new(), Custom::default());
        let outcome = yaml::scalars(&text, &mut |scalar| {
            if found.len() >= MOST {
                return;
            }
            if is_image(scalar) {
                let image = filled(scalar.text);
                found.extend(image.and_then(|image| used(&image)).map(|fact| (scalar.line, fact)));
            }
            found.extend(custom.add_value(scalar));
        });
        found.extend(custom.end());
        let full = found.len() >= MOST;
        for (line, fact) in found {
            out.push_at(None, Some(line), at.clone(), fact);
        }
        if full {
            return Err(Flaw::Unsupported("a manifest of more than 5000 images"));
        }
        // A template of Helm, which is filled in elsewhere.
        if text.contains("{{") { Ok(()) } else { outcome }
    }
}

/// With the defaults that a Compose file gives its variables: `${TAG:-1.2.3}`. `None` where one has none.
fn filled(text: &str) -> Option<Cow<'_, str>> {
    let Some((before, rest)) = text.split_once('$') else { return Some(Cow::Borrowed(text)) };
    let (value, rest) = match rest.strip_prefix('{') {
        Some(rest) => {
            let (variable, rest) = rest.split_once('}')?;
            let at = variable.find(['-', ':', '?', '+'])?;
            let value = variable.get(at..)?;
            (value.strip_prefix(":-").or_else(|| value.strip_prefix('-'))?, rest)
        }
        None => ("$", rest.strip_prefix('$')?),
    };
    Some(Cow::Owned(format!("{before}{value}{}", filled(rest)?)))
}

/// Whether a value is the image of a service or a container.
fn is_image(scalar: &Scalar<'_>) -> bool {
    let keys: Vec<&str> = scalar.keys.iter().map(String::as_str).collect();
    match keys.as_slice() {
        ["services", _, "image"] => true,
        [.., list, "", "image"] => list.to_ascii_lowercase().ends_with("containers"),
        [.., "container", "image"] => true,
        _ => false,
    }
}

/// An entry of `images` of a kustomization.
#[derive(Default)]
struct Custom {
    line: u32,
    name: String,
    tag: String,
    digest: String,
}

impl Custom {
    /// Adds a value; returns the entry before it, where another begins.
    fn add_value(&mut self, scalar: &Scalar<'_>) -> Option<(u32, Fact)> {
        let [list, _, key] = scalar.keys else {
            return None;
        };
        if list != "images" {
            return None;
        }
        let text = scalar.text.to_owned();
        match key.as_str() {
            "name" => {
                let before = self.end();
                (self.line, self.name) = (scalar.line, text);
                return before;
            }
            "newName" => self.name = text,
            "newTag" => self.tag = text,
            "digest" => self.digest = text,
            _ => {}
        }
        None
    }

    fn end(&mut self) -> Option<(u32, Fact)> {
        let Self { line, name, tag, digest } = std::mem::take(self);
        // Without either it changes the name only.
        let behind = if digest.is_empty() { format!(":{tag}") } else { format!("@{digest}") };
        let Fact::Use(Use { kind, name, reference, digest, usage }) = used(&format!("{name}{behind}"))? else {
            return None;
        };
        Some((line, Fact::Use(Use { kind, name, reference, digest, usage })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    fn said(text: &str) -> (Vec<String>, bool) {
        let tried = tried(&Manifest, "p/x.yaml", text.as_bytes(), &Interest::default());
        let words = |s: &crate::fact::Seen| match &s.fact {
            Fact::Use(u) => {
                let digest = u.digest.as_deref().map_or("", |d| d.get(..10).unwrap_or(d));
                format!("{}:{}{digest} {}", u.name, u.reference, s.origin.line.unwrap_or(0))
            }
            other => format!("{other:?}"),
        };
        (tried.seen.iter().map(words).collect(), tried.flaw.is_some())
    }

    #[test]
    fn every_place_of_an_image() {
        let pod = "apiVersion: v1\nkind: Pod\nspec:\n  initContainers:\n  - image: a/b:1\n  containers:\n  - {name: x, image: 'c/d'}\n";
        let deep = "apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: e/f:2}]}}}}}\n";
        let is = ["a/b:1 5", "c/d:latest 7", "e/f:2 11"].map(str::to_owned).to_vec();
        assert_eq!(said(&format!("{pod}---\n{deep}")), (is, false));
        let filled = "services:\n  x:\n    image: a/b:${TAG:-1.2.3}\n  y:\n    image: ${IMAGE-c/d}:2\n  z:\n    image: e/f:${TAG:?none}\n";
        assert_eq!(said(filled), (vec!["a/b:1.2.3 3".to_owned(), "c/d:2 5".to_owned()], false));
        let compose = "services:\n  x:\n    image: a/b:1\n    build: .\n  y:\n    image: ${IMAGE}\n";
        assert_eq!(said(compose), (vec!["a/b:1 3".to_owned()], false));
        let digest = format!("sha256:{}", "a".repeat(64));
        let custom = format!(
            "kind: Kustomization\nimages:\n- name: x\n  newName: a/b\n  newTag: '1'\n- name: c/d\n  digest: {digest}\n- name: y\n"
        );
        assert_eq!(said(&custom), (vec!["a/b:1 3".to_owned(), "c/d:sha256:aaa 6".to_owned()], false));
    }

    #[test]
    fn what_is_no_image() {
        for text in [
            "kind: ConfigMap\ndata:\n  image: a/b:1\n",
            "kind: Pod\n# image: a/b:1\nspec: {containers: [{name: image}]}\n",
            "kind: Pod\nspec:\n  containers:\n  - env: [{name: image, value: a/b:1}]\n",
            "image: a/b:1\n",
            "kind: Pod\nspec:\n  containers:\n  - image: {{ .Values.image }}\n",
            "kind: Pod\nmetadata: {annotations: {image: a/b:1}}\n",
            "",
        ] {
            assert_eq!(said(text), (Vec::new(), false), "{text}");
        }
        let broken = "kind: Pod\nspec:\n  containers:\n  - image: a/b:1\n  - image: [\n";
        assert_eq!(said(broken), (vec!["a/b:1 4".to_owned()], true));
    }
}
