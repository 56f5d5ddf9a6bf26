//! What containerd writes down of images, containers and snapshots: `v1/<namespace>/{images,containers,snapshots}/…`.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::super::below::Below;
use crate::{
    bolt::{BoltError, Database, Path, Visit},
    fact::TreePath,
    surface::Flaw,
};

/// Bytes of names that are kept of one database.
const KEPT: usize = 64 << 20;
/// Bytes that a record costs beside its names.
const RECORD: usize = 200;
/// How often a database is read that its owner writes meanwhile.
const TRIES: usize = 4;
const WHAT: &str = "database of containerd";

/// An image's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::image) struct Named {
    /// `k8s.io`, `moby`, `default`.
    pub(in crate::image) namespace: String,
    /// As written; no reference where the image was left without one.
    pub(in crate::image) name: String,
    /// `sha256:…` of the manifest or index.
    pub(in crate::image) digest: String,
    /// When the name came to this machine, UTC.
    pub(in crate::image) created: Option<Timestamp>,
    /// When it was last moved, UTC.
    pub(in crate::image) updated: Option<Timestamp>,
}

impl Named {
    /// The name as a reference; `None` where it only repeats a digest or says that there is none.
    pub(in crate::image) fn reference(&self) -> Option<String> {
        let is_bare = self.name.starts_with("sha256:") || self.name.starts_with("moby-dangling@");
        (!is_bare && !self.name.is_empty()).then(|| self.name.clone())
    }
}

/// A container's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::image) struct Recorded {
    pub(in crate::image) namespace: String,
    pub(in crate::image) id: String,
    /// The name of the image that it was made from.
    pub(in crate::image) image: String,
    /// The plugin that keeps its files: `overlayfs`.
    pub(in crate::image) snapshotter: String,
    /// What the plugin knows its files by.
    pub(in crate::image) snapshot: String,
    pub(in crate::image) created: Option<Timestamp>,
    /// Of Kubernetes and nerdctl: the labels that name it.
    pub(in crate::image) labels: BTreeMap<String, String>,
}

impl Recorded {
    /// As people call it: `namespace/pod/container`, the name of nerdctl or of Docker, else the id.
    pub(in crate::image) fn name(&self) -> String {
        let label = |name: &str| self.labels.get(name);
        match (label(POD_NAMESPACE), label(POD), label(POD_CONTAINER)) {
            (Some(namespace), Some(pod), Some(container)) => format!("{namespace}/{pod}/{container}"),
            (Some(namespace), Some(pod), None) => format!("{namespace}/{pod}"),
            _ => label(NERDCTL).unwrap_or(&self.id).clone(),
        }
    }
}

const POD: &str = "io.kubernetes.pod.name";
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD_CONTAINER: &str = "io.kubernetes.container.name";
const NERDCTL: &str = "nerdctl/name";
const LABELS: &[&str] = &[POD, POD_NAMESPACE, POD_CONTAINER, NERDCTL, "io.kubernetes.pod.uid"];

/// What `meta.db` holds.
#[derive(Default)]
pub(super) struct Metadata {
    /// By namespace and name.
    pub(super) images: Vec<Named>,
    pub(super) containers: Vec<Recorded>,
    /// Namespace, plugin, key: the name that the plugin knows.
    pub(super) snapshots: HashMap<(String, String, String), String>,
}

#[derive(Default)]
struct Reading {
    images: BTreeMap<(String, String), Named>,
    containers: BTreeMap<(String, String), Recorded>,
    snapshots: HashMap<(String, String, String), String>,
    kept: usize,
}

impl Metadata {
    /// Reads it.
    pub(super) fn read(store: &Below, path: &[u8], flaws: &mut Vec<(TreePath, Flaw)>) -> Self {
        let reading: Reading = read(store, path, flaws);
        if reading.kept > KEPT {
            flaws.push((
                TreePath::new(path).unwrap_or_else(TreePath::root),
                Flaw::malformed(WHAT, "it has more names than are kept"),
            ));
        }
        Self {
            images: reading.images.into_values().filter(|image| !image.digest.is_empty()).collect(),
            containers: reading.containers.into_values().collect(),
            snapshots: reading.snapshots,
        }
    }
}

impl Reading {
    /// Whether so many bytes more fit.
    fn admits(&mut self, bytes: usize) -> bool {
        self.kept = self.kept.saturating_add(bytes).saturating_add(RECORD);
        self.kept <= KEPT
    }
}

impl Visit for Reading {
    fn enter(&mut self, path: &Path) -> bool {
        let name = |at: usize| path.get(at).map_or(b"".as_slice(), |n| n);
        match (path.len(), name(2)) {
            (1, _) => name(0) == b"v1",
            (2, _) => true,
            (3 | 4, b"images" | b"containers" | b"snapshots") | (5, b"snapshots") => true,
            (5, b"images") => name(4) == b"target",
            (5, b"containers") => name(4) == b"labels",
            _ => false,
        }
    }

    fn value(&mut self, path: &Path, key: &[u8], value: &[u8]) {
        let [_, namespace, kind, name, rest @ ..] = path else {
            return;
        };
        let size = namespace.len() + name.len() + key.len() + value.len();
        let id = || (text(namespace), text(name));
        match (&**kind, rest, key) {
            (b"images", [], b"createdat" | b"updatedat") | (b"images", [_], b"digest") => {
                if !self.admits(size) {
                    return;
                }
                let image = self.images.entry(id()).or_default();
                (image.namespace, image.name) = id();
                match key {
                    b"createdat" => image.created = time(value),
                    b"updatedat" => image.updated = time(value),
                    _ => image.digest = text(value),
                }
            }
            (b"containers", [], b"image" | b"snapshotKey" | b"snapshotter" | b"createdat") => {
                if !self.admits(size) {
                    return;
                }
                let container = self.containers.entry(id()).or_default();
                (container.namespace, container.id) = id();
                match key {
                    b"image" => container.image = text(value),
                    b"snapshotKey" => container.snapshot = text(value),
                    b"snapshotter" => container.snapshotter = text(value),
                    _ => container.created = time(value),
                }
            }
            (b"containers", [_], key) if LABELS.iter().any(|label| label.as_bytes() == key) && self.admits(size) => {
                self.containers.entry(id()).or_default().labels.insert(text(key), text(value));
            }
            (b"snapshots", [snapshot], b"name") if self.admits(size + snapshot.len()) => {
                self.snapshots.insert((text(namespace), text(name), text(snapshot)), text(value));
            }
            _ => {}
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Go's binary form of a time: its version, seconds since the year 1, nanoseconds, the zone.
fn time(bytes: &[u8]) -> Option<Timestamp> {
    const YEAR_1: i64 = -62_135_596_800;
    let seconds = i64::from_be_bytes(bytes.get(1..9)?.try_into().ok()?);
    let nanoseconds = i32::from_be_bytes(bytes.get(9..13)?.try_into().ok()?);
    Timestamp::new(seconds.checked_add(YEAR_1)?, nanoseconds).ok()
}

/// Reads a database; once more where its owner wrote it meanwhile.
pub(super) fn read<V: Visit + Default>(store: &Below, path: &[u8], flaws: &mut Vec<(TreePath, Flaw)>) -> V {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let mut found = V::default();
        let outcome = match store.file(path) {
            Ok(Some((file, len))) => Database::new(&file, len).and_then(|database| database.walk(&mut found)),
            Ok(None) => return found,
            Err(flaw) => {
                flaws.push((TreePath::new(path).unwrap_or_else(TreePath::root), flaw));
                return found;
            }
        };
        match outcome {
            Err(BoltError::Changed) if tries > 0 => {}
            Err(error) => {
                flaws.push((TreePath::new(path).unwrap_or_else(TreePath::root), flaw(error)));
                return found;
            }
            Ok(()) => return found,
        }
    }
}

fn flaw(error: BoltError) -> Flaw {
    match error {
        BoltError::Io(error) => Flaw::Io(error),
        BoltError::Malformed(why) => Flaw::malformed(WHAT, why),
        BoltError::Truncated => Flaw::Truncated(WHAT),
        BoltError::TooLarge(limit) => Flaw::TooLarge(limit),
        BoltError::Changed => Flaw::malformed(WHAT, "its owner wrote it while it was read"),
    }
}
