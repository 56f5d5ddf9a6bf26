//! What stands in one namespace of a store: an image is named there, or its manifest was put there; a container was made there.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Containerd, database::Named, snapshots::Snapshots};
use crate::image::{
    planned::{Holds, Planned},
    source::blobs::Digest,
    target::Sought,
};

/// Blobs whose namespaces are remembered.
const BLOBS: usize = 1_000_000;
/// Namespaces that are remembered, and the bytes of each; containerd takes no longer names.
const NAMESPACES: usize = 10_000;
const NAME: usize = 76;

/// Which namespaces hold which blobs. Of what is not remembered nobody knows it.
#[derive(Default)]
pub(super) struct HeldIn {
    namespaces: BTreeMap<String, u32>,
    blobs: BTreeSet<(Digest, u32)>,
}

impl HeldIn {
    pub(super) fn add(&mut self, namespace: &str, digest: Digest) {
        let is_known = self.namespaces.contains_key(namespace);
        if self.blobs.len() >= BLOBS || !is_known && (self.namespaces.len() >= NAMESPACES || namespace.len() > NAME) {
            return;
        }
        let next = u32::try_from(self.namespaces.len()).unwrap_or(u32::MAX);
        let nth = *self.namespaces.entry(namespace.to_owned()).or_insert(next);
        self.blobs.insert((digest, nth));
    }

    fn is_in(&self, namespace: &str, digest: Digest) -> bool {
        self.namespaces.get(namespace).is_some_and(|nth| self.blobs.contains(&(digest, *nth)))
    }

    fn is_known(&self, digest: Digest) -> bool {
        self.blobs.range((digest, 0)..=(digest, u32::MAX)).next().is_some()
    }
}

/// What stands in a namespace. What nobody knows a namespace of is in each.
pub(in crate::image) struct InNamespace<'s> {
    namespace: String,
    held: &'s HeldIn,
    snapshots: &'s Snapshots,
    /// Manifests and indexes that have a name there; that have one which is looked for; that have one anywhere.
    named: HashSet<Digest>,
    fitting: HashSet<Digest>,
    named_anywhere: HashSet<Digest>,
}

impl<'s> InNamespace<'s> {
    pub(super) fn new(store: &'s Containerd, namespace: &str, sought: Option<&Sought>) -> Self {
        let digest = |image: &&Named| Digest::new(&image.digest);
        let images = &store.metadata.images;
        let here = || images.iter().filter(|image| image.namespace == namespace);
        let fits = |image: &&Named| sought.is_some_and(|sought| sought.is_named(&image.name));
        Self {
            namespace: namespace.to_owned(),
            held: &store.metadata.held,
            snapshots: &store.snapshots,
            named: here().filter_map(|image| digest(&image)).collect(),
            fitting: here().filter(fits).filter_map(|image| digest(&image)).collect(),
            named_anywhere: images.iter().filter_map(|image| digest(&image)).collect(),
        }
    }

    /// Whether an image or a container stands there.
    pub(in crate::image) fn has(&self, planned: &Planned) -> bool {
        let is_made_there = matches!(planned.holds, Holds::Container(_)) || planned.manifests.is_empty();
        let top = planned.layers.last().and_then(|layer| layer.member.as_ref()).filter(|_| is_made_there);
        if let Some(namespace) = top.and_then(|(path, _)| self.snapshots.namespace_of(path)) {
            return namespace == self.namespace;
        }
        let manifests = || planned.manifests.iter().filter_map(|hex| Digest::of_hex(hex.as_bytes()));
        let is_there = |digest| self.named.contains(&digest) || self.held.is_in(&self.namespace, digest);
        let is_known = |digest| self.named_anywhere.contains(&digest) || self.held.is_known(digest);
        manifests().any(is_there) || !manifests().any(is_known)
    }

    /// Whether an image has a name there that is looked for.
    pub(in crate::image) fn names(&self, planned: &Planned) -> bool {
        let mut manifests = planned.manifests.iter().filter_map(|hex| Digest::of_hex(hex.as_bytes()));
        manifests.any(|digest| self.fitting.contains(&digest))
    }
}
