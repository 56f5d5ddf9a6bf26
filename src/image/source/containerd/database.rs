//! What containerd writes down of images, containers and snapshots: `v1/<namespace>/{images,containers,snapshots,content}/…`.

use std::collections::{BTreeMap, HashMap};

use super::{
    super::{
        below::Below,
        blobs::Digest,
        flaws::{Flaws, note},
    },
    namespaces::HeldIn,
};
use crate::{
    bolt::{BoltError, Database, Path, Visit},
    surface::Flaw,
};

/// Bytes of names that are kept of one database.
const KEPT: usize = 64 << 20;
/// Bytes that a record costs beside its names.
const RECORD: usize = 200;
/// How often a database is read that its owner writes meanwhile.
const TRIES: usize = 4;
const WHAT: &str = "database of containerd";

/// What is left to keep of a database.
pub(super) struct Kept {
    left: usize,
    /// Something did not fit.
    full: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self { left: KEPT, full: false }
    }
}

impl Kept {
    /// Whether so many bytes more fit.
    pub(super) fn admits(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes.saturating_add(RECORD)).filter(|_| !self.full) {
            Some(left) => self.left = left,
            None => self.full = true,
        }
        !self.full
    }

    /// Says so where something did not fit.
    pub(super) fn report(&self, path: &[u8], flaws: &mut Flaws) {
        if self.full {
            note(flaws, path, Flaw::malformed(WHAT, "it has more names than are kept"));
        }
    }
}

/// An image's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::image) struct Named {
    pub(in crate::image) namespace: String,
    /// As written; no reference where the image was left without one.
    pub(in crate::image) name: String,
    /// `sha256:…` of the manifest or index.
    pub(in crate::image) digest: String,
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
const LABELS: &[&str] = &[POD, POD_NAMESPACE, POD_CONTAINER, NERDCTL];

/// What `meta.db` holds.
#[derive(Default)]
pub(super) struct Metadata {
    /// By namespace and name.
    pub(super) images: Vec<Named>,
    pub(super) containers: Vec<Recorded>,
    /// Namespace, plugin, key: the name that the plugin knows.
    pub(super) snapshots: HashMap<(String, String, String), String>,
    pub(super) held: HeldIn,
}

#[derive(Default)]
struct Reading {
    images: BTreeMap<(String, String), Named>,
    containers: BTreeMap<(String, String), Recorded>,
    snapshots: HashMap<(String, String, String), String>,
    held: HeldIn,
    kept: Kept,
}

impl Metadata {
    /// Reads it.
    pub(super) fn read(store: &Below, path: &[u8], flaws: &mut Flaws) -> Self {
        let reading: Reading = read(store, path, flaws);
        reading.kept.report(path, flaws);
        Self {
            images: reading.images.into_values().filter(|image| !image.digest.is_empty()).collect(),
            containers: reading.containers.into_values().collect(),
            snapshots: reading.snapshots,
            held: reading.held,
        }
    }
}

impl Visit for Reading {
    fn enter(&mut self, path: &Path) -> bool {
        let name = |at: usize| path.get(at).map_or(b"".as_slice(), |n| n);
        match (path.len(), name(2)) {
            (1, _) => name(0) == b"v1",
            (2, _) => true,
            (3 | 4, b"images" | b"containers" | b"snapshots") | (3, b"content") | (5, b"snapshots") => true,
            (4 | 5, b"content") => name(3) == b"blob",
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
            (b"images", [_], b"digest") if self.kept.admits(size) => {
                self.images.insert(id(), Named { namespace: text(namespace), name: text(name), digest: text(value) });
            }
            // Of more than are noted nobody knows whose they are.
            (b"content", [digest], b"size") if **name == *b"blob" => {
                if let Some(digest) = std::str::from_utf8(digest).ok().and_then(Digest::new) {
                    self.held.add(&text(namespace), digest);
                }
            }
            (b"containers", [], b"image" | b"snapshotKey" | b"snapshotter") if self.kept.admits(size) => {
                let container = self.containers.entry(id()).or_default();
                (container.namespace, container.id) = id();
                match key {
                    b"image" => container.image = text(value),
                    b"snapshotKey" => container.snapshot = text(value),
                    _ => container.snapshotter = text(value),
                }
            }
            (b"containers", [_], key)
                if LABELS.iter().any(|label| label.as_bytes() == key) && self.kept.admits(size) =>
            {
                self.containers.entry(id()).or_default().labels.insert(text(key), text(value));
            }
            (b"snapshots", [snapshot], b"name") if self.kept.admits(size + snapshot.len()) => {
                self.snapshots.insert((text(namespace), text(name), text(snapshot)), text(value));
            }
            _ => {}
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a database; once more where its owner wrote it meanwhile.
pub(super) fn read<V: Visit + Default>(store: &Below, path: &[u8], flaws: &mut Flaws) -> V {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let mut found = V::default();
        let outcome = match store.file(path) {
            Ok(Some((file, len))) => Database::new(&file, len).and_then(|database| database.walk(&mut found)),
            Ok(None) => return found,
            Err(flaw) => {
                note(flaws, path, flaw);
                return found;
            }
        };
        match outcome {
            Err(BoltError::Changed) if tries > 0 => {}
            Err(error) => {
                note(flaws, path, flaw(error));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_a_bound() {
        let (mut kept, mut flaws) = (Kept::default(), Flaws::new());
        let fitting = (0..).take_while(|_| kept.admits(1 << 20)).count();
        assert!((50..64).contains(&fitting) && !kept.admits(0));
        kept.report(b"meta.db", &mut flaws);
        assert_eq!(flaws.len(), 1);
    }
}
