//! Lists of images, and who uses them: what somebody saved of a cluster or wrote for one.
//!
//! ```text
//! kubectl get pods -A -o json (or yaml)    a List of Pods; other kinds beside them, single objects, several one after the other
//! *.yaml, helm template                    manifests: Pod, Deployment, DaemonSet, StatefulSet, ReplicaSet, Job, CronJob, and
//!                                          whatever else has a pod's template at `spec.template`
//! compose.yaml                             services.NAME.image; what is built is left out, `${VAR:-x}` is taken as `x`
//! values.yaml                              image: {registry, repository, tag, digest}, as Helm charts have it
//! anything else                            one target per line (`target`), with `#` before comments
//! ```
//!
//! Nothing of a cluster is asked: the list says what ran when it was saved. Documented in Kubernetes' API reference (`PodSpec`,
//! `ContainerStatus`), in the Compose file reference and in Helm's charts guide.

mod compose;
mod kubernetes;
pub(crate) mod lax;
mod transcode;
mod values;
mod variables;

use std::{borrow::Cow, collections::HashMap};

use serde::{Deserialize, Serialize, de::IgnoredAny};

use self::lax::Keys;
use super::target::{Remote, Target, TargetError};
use crate::{
    surface::{Flaw, content::text},
    text::escape_short,
};

/// Bytes of a list. A pod is 5 to 20 KB in `kubectl get pods -o json`.
pub const LARGEST: usize = 256 << 20;
/// Bytes of YAML, which is read far slower.
const YAML: usize = 64 << 20;
/// Bytes of a Compose file or of Helm's values, which people write.
const WRITTEN: usize = 4 << 20;
/// Uses, targets, or things left out of one list.
const MOST: usize = 200_000;

/// What a list is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// One target per line.
    #[default]
    Targets,
    /// Objects of Kubernetes.
    Kubernetes,
    /// A Compose file.
    Compose,
    /// Values of a Helm chart.
    Values,
}

/// Which image a container runs, by its status.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ImageId {
    /// `sha256:…` of a manifest or an index, and whose it is.
    Manifest {
        /// `registry.example/team/app`, as written.
        repository: String,
        /// Lower case.
        digest: String,
    },
    /// `sha256:…` of an image's configuration: it has no manifest of a registry. (containerd's own image store of Docker names
    /// manifests so too.)
    Config(String),
}

/// What a container is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// The work itself.
    #[default]
    Main,
    /// Runs before, or beside it.
    Init,
    /// Added to a running pod.
    Ephemeral,
    /// Only mounted: a volume of the pod.
    Volume,
}

/// A controller: `Deployment` `web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// As Kubernetes calls it.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A container of a cluster, or of a template for its pods.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PodContainer {
    /// Where it is written.
    pub namespace: Option<String>,
    /// What made the pod, at the top as far as it is known; of a template the object that has it.
    pub owner: Option<Owner>,
    /// `None` in a template.
    pub pod: Option<String>,
    /// `None` where it is not placed yet, and in a template.
    pub node: Option<String>,
    /// Its name within the pod.
    pub container: String,
    /// What it is for.
    pub role: Role,
    /// `containerd://…`, of the container that stands for it now.
    pub id: Option<String>,
    /// Whether it ran when the list was saved. `None` where nobody says, as in a template; a template of no pods is `Some(false)`.
    pub running: Option<bool>,
}

/// A container that an engine of this machine knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LocalContainer {
    /// As people call it.
    pub name: String,
    /// Hex.
    pub id: String,
    /// Whether it ran when the engine was asked.
    pub running: bool,
    /// Project and service of Compose.
    pub compose: Option<(String, String)>,
}

/// Who uses an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum User {
    /// A container of a cluster.
    Pod(PodContainer),
    /// A container of an engine.
    Container(LocalContainer),
    /// A service of a Compose file.
    Service {
        /// The file's own `name`.
        project: Option<String>,
        /// As it is called there.
        service: String,
        /// Whether the file also says how to build it, so that the image may never have been in a registry.
        built: bool,
    },
    /// A value of a Helm chart: `web.image`.
    Value(String),
}

/// An image that somebody uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImageUse {
    /// As written, variables replaced.
    pub image: String,
    /// What the status of its container says.
    pub image_id: Option<ImageId>,
    /// Part of the name is the default of a variable, which may be set where the file is used.
    pub by_default: bool,
    /// Who.
    pub user: User,
}

impl ImageUse {
    /// What to ask a registry for: the manifest that runs where it is known, else the name as clients complete it. `None` where it is
    /// no name.
    pub fn remote(&self) -> Option<Remote> {
        if let Some(ImageId::Manifest { repository, digest }) = &self.image_id
            && let Some(exact) = Remote::complete(&format!("{repository}@{digest}"))
        {
            return Some(exact);
        }
        Remote::complete(&self.image)
    }
}

/// Something that names an image, or may, and is not used: with the reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// `service web`, `pod shop/web-1, container app`. Escaped.
    pub place: String,
    /// In words, without quoting the list.
    pub reason: &'static str,
    /// An image is named, and the name cannot be read: what it is should have been examined.
    pub is_gap: bool,
}

/// A line of a list that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    /// Why.
    pub why: TargetError,
}

/// What a list holds. What stands before a fault is kept.
#[derive(Debug, Default)]
pub struct Listing {
    /// What it is.
    pub form: Form,
    /// Of a list of targets, in its order.
    pub targets: Vec<Target>,
    /// Of the others, in their order.
    pub uses: Vec<ImageUse>,
    /// With the reason; some are gaps.
    pub left_out: Vec<LeftOut>,
    /// Of a list of targets.
    pub bad_lines: Vec<BadLine>,
    /// Why not all of it was read.
    pub flaws: Vec<Flaw>,
    /// What made objects of the list, by namespace and object.
    made_by: HashMap<(String, Owner), Owner>,
}

impl Listing {
    /// The images of its uses, each once, sorted: what runs by its digest.
    pub fn remotes(&self) -> Vec<Remote> {
        let mut all: Vec<Remote> = self.uses.iter().filter_map(ImageUse::remote).collect();
        all.sort();
        all.dedup();
        all
    }

    fn add_use(&mut self, image: ImageUse) {
        if self.admits(self.uses.len()) {
            self.uses.push(image);
        }
    }

    fn leave_out(&mut self, place: &str, reason: &'static str) {
        self.pass_over(place, reason, false);
    }

    /// What names an image in a way that is not read.
    fn not_read(&mut self, place: &str) {
        self.pass_over(place, "the name of its image is too long, or is none", true);
    }

    fn pass_over(&mut self, place: &str, reason: &'static str, is_gap: bool) {
        if self.admits(self.left_out.len()) {
            self.left_out.push(LeftOut { place: escape_short(place.as_bytes(), 200), reason, is_gap });
        }
    }

    fn admits(&mut self, kept: usize) -> bool {
        if kept == MOST {
            self.add_flaw(Flaw::Unsupported("a list of more than 200000 images"));
        }
        kept < MOST
    }

    fn add_flaw(&mut self, flaw: Flaw) {
        // One of a kind says it all.
        if !self.flaws.iter().any(|f| f.to_string() == flaw.to_string()) {
            self.flaws.push(flaw);
        }
    }
}

/// Reads a list of any form. `exists` says whether a target is there as a file or folder (`target::exists`).
pub fn read(bytes: &[u8], exists: &dyn Fn(&std::path::Path) -> bool) -> Listing {
    let mut listing = Listing::default();
    if bytes.len() > LARGEST {
        listing.add_flaw(too_large(LARGEST));
        return listing;
    }
    let text: Cow<'_, str> = text(bytes);
    if text.contains('\0') {
        listing.add_flaw(Flaw::malformed("list of images", "it is no text"));
        return listing;
    }
    let first = text.trim_start();
    if first.starts_with(['{', '[']) && !first.starts_with("{{") {
        json_values(first, &mut listing);
    } else if is_yaml(&text) {
        yaml_documents(&text, &mut listing);
    } else {
        lines(&text, exists, &mut listing);
    }
    kubernetes::resolve_owners(&mut listing);
    listing
}

fn too_large(limit: usize) -> Flaw {
    Flaw::TooLarge(u64::try_from(limit).unwrap_or(u64::MAX))
}

/// Whether the first line that says something is one of YAML, and none of a list: `docker:` is one of the latter, unless what follows
/// belongs to it.
fn is_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty() && !l.trim_start().starts_with('#'));
    let Some(first) = lines.next() else {
        return false;
    };
    if first == "---" || first.starts_with("--- ") || first.starts_with("%YAML") || first.starts_with("{{") {
        return true;
    }
    let is_word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.\"'".contains(&b));
    match first.split_once(": ") {
        Some((key, value)) => is_word(key) && !value.trim_start().starts_with('#') || deeper(lines.next()),
        None => first.strip_suffix(':').is_some_and(is_word) && deeper(lines.next()),
    }
}

/// Whether a line belongs to the key above it.
fn deeper(line: Option<&str>) -> bool {
    line.is_some_and(|l| l.starts_with([' ', '\t', '-', '{', '[']) && l != "-")
}

/// Values of JSON, one after the other.
fn json_values(text: &str, listing: &mut Listing) {
    let mut rest = text;
    while !rest.trim_start().is_empty() {
        let mut keys = Keys::default();
        let mut reader = serde_json::Deserializer::from_str(rest);
        let shape = lax::read_keys(&mut reader, &mut keys);
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        let whole = values.next().is_some_and(|v| v.is_ok());
        let end = if whole { values.byte_offset() } else { rest.len() };
        let value = rest.get(..end).unwrap_or_default();
        document(value, &keys, listing);
        if let Err(error) = shape {
            listing.add_flaw(json_flaw(&error));
        }
        if !whole || end == 0 {
            return;
        }
        rest = rest.get(end..).unwrap_or_default();
    }
}

/// Documents of YAML, each as JSON.
fn yaml_documents(text: &str, listing: &mut Listing) {
    if text.len() > YAML {
        listing.add_flaw(Flaw::Unsupported("YAML of more than 64 MB, where JSON can be larger,"));
        return;
    }
    let outcome = transcode::documents(text, &mut |json| {
        let mut keys = Keys::default();
        // What is no mapping, as the empty document behind the last `---`, names no image.
        if lax::read_keys(&mut serde_json::Deserializer::from_str(json), &mut keys).is_ok() {
            document(json, &keys, listing);
        }
    });
    if let Err(flaw) = outcome {
        let template = text.contains("{{");
        listing.add_flaw(if template {
            Flaw::Unsupported("a template of Helm, unless `helm template` filled it in,")
        } else {
            flaw
        });
    }
}

/// One document, by the keys at its top.
fn document(json: &str, keys: &Keys, listing: &mut Listing) {
    let has = |key: &str| keys.has(key);
    let is_object = has("items") || has("kind") && has("apiVersion") || keys.is_list;
    let form = match () {
        () if is_object => Form::Kubernetes,
        () if has("services") => Form::Compose,
        () => Form::Values,
    };
    if listing.form == Form::Targets || form == Form::Kubernetes {
        listing.form = form;
    }
    if form == Form::Kubernetes {
        kubernetes::read(json, listing);
        return;
    }
    if json.len() > WRITTEN {
        listing.add_flaw(too_large(WRITTEN));
        return;
    }
    let value = match serde_json::Value::deserialize(&mut serde_json::Deserializer::from_str(json)) {
        Ok(value) => value,
        Err(error) => return listing.add_flaw(json_flaw(&error)),
    };
    match form {
        Form::Compose => compose::read(&value, listing),
        _ => values::read(&value, listing),
    }
}

/// The message of the reader may quote the text.
fn json_flaw(error: &serde_json::Error) -> Flaw {
    match error.classify() {
        serde_json::error::Category::Eof => Flaw::Truncated("the JSON text"),
        serde_json::error::Category::Io => Flaw::malformed("JSON text", "it cannot be read"),
        _ => Flaw::Malformed { what: "JSON text", why: format!("a fault in line {}", error.line()).into() },
    }
}

fn lines(text: &str, exists: &dyn Fn(&std::path::Path) -> bool, listing: &mut Listing) {
    for (line, target) in text.lines().enumerate().filter_map(|(n, l)| Some((n + 1, Target::parse_line(l, exists)?))) {
        if !listing.admits(listing.targets.len() + listing.bad_lines.len()) {
            return;
        }
        match target {
            Ok(target) => listing.targets.push(target),
            Err(why) => listing.bad_lines.push(BadLine { line, why }),
        }
    }
}

#[cfg(test)]
mod tests;
