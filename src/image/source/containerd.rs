//! The store of containerd, read without it: of a Kubernetes node (k3s, RKE2, microk8s and kind keep theirs elsewhere), of nerdctl, of
//! Docker where that keeps its images in containerd.
//!
//! ```text
//! io.containerd.metadata.v1.bolt/meta.db                   names of images, containers, snapshots, each in a namespace
//! io.containerd.content.v1.content/blobs/sha256/<digest>   manifests, configurations, layers as they were pulled
//! io.containerd.snapshotter.v1.overlayfs/metadata.db       which snapshot has which parent and number
//! io.containerd.snapshotter.v1.overlayfs/snapshots/<number>/fs
//! ```
//!
//! A layer's bytes may have been discarded when it was unpacked (`discard_unpacked_layers`): then what was unpacked is read, which
//! nothing compares with a digest. What a container wrote is the snapshot on top. Documented in containerd's `docs/content-flow.md` and
//! `core/metadata/buckets.go`.

mod containers;
mod database;
mod namespaces;
mod snapshots;

#[cfg(test)]
mod tests;

use std::{collections::HashSet, os::fd::OwnedFd};

#[cfg(test)]
use self::database::Named;
use self::{containers::Docker, database::Metadata, snapshots::Snapshots};
pub(in crate::image) use self::{database::Recorded, namespaces::InNamespace};
use super::{
    Content, Source,
    below::Below,
    blobs::{Blobs, Digest, Held, Layout},
    flaws::{Flaws, again, no_store},
    graph::{Graph, Names},
    unpacked::chain_id,
};
use crate::{
    fact::TreePath,
    image::{
        ImageError,
        entries::{Folder, Form, Lower},
        layer::Expected,
        plan::{Readers, plan_roots},
        planned::{Plan, Planned, PlannedLayer, Root},
        target::Sought,
    },
    surface::Flaw,
};

const BLOBS: &str = "io.containerd.content.v1.content/blobs/sha256";
const META: &[u8] = b"io.containerd.metadata.v1.bolt/meta.db";

/// An opened store.
pub(in crate::image) struct Containerd {
    store: Below,
    blobs: Blobs,
    metadata: Metadata,
    snapshots: Snapshots,
    docker: Docker,
    flaws: Flaws,
}

impl Containerd {
    /// Reads the root of a containerd; `docker` is Docker's own root, which knows the names of its containers. What is wrong within it
    /// is said by the plan.
    ///
    /// # Errors
    /// `NotAnImage` where the folder is none, others where that cannot be found out.
    pub(in crate::image) fn open(root: OwnedFd, docker: Option<OwnedFd>) -> Result<Self, ImageError> {
        let store = Below::new(root);
        // Something in place of the database is damage.
        let has_metadata = || !matches!(store.file(META), Ok(None));
        if !has_metadata() && !store.has(BLOBS.as_bytes()).map_err(no_store)? {
            return Err(ImageError::NotAnImage("the folder is no root of containerd"));
        }
        let mut flaws = Flaws::new();
        let metadata = Metadata::read(&store, META, &mut flaws);
        let snapshots = Snapshots::read(&store, &metadata, &mut flaws);
        let docker = docker.map_or_else(Docker::default, |root| Docker::read(&Below::new(root), &mut flaws));
        let blobs = Blobs::list(&store, BLOBS, Layout::Flat);
        Ok(Self { store, blobs, metadata, snapshots, docker, flaws })
    }

    /// The names of its images.
    #[cfg(test)]
    pub(in crate::image) fn names(&self) -> &[Named] {
        &self.metadata.images
    }

    /// The containers that it has a record of; of Docker's, those that ran.
    #[cfg(test)]
    pub(in crate::image) fn containers(&self) -> &[Recorded] {
        &self.metadata.containers
    }

    /// The folder of a layer; those below it are opened where it only has a file's attributes.
    fn unpacked(&self, layer: &TreePath, below: Vec<TreePath>) -> Result<Content<'static>, Flaw> {
        let root = self.store.within(layer.as_bytes())?;
        let root = root.ok_or_else(|| Flaw::malformed("layer", "its folder is missing"))?;
        let store = self.store.again()?;
        let lower: Lower =
            Box::new(move |nth| store.within(below.get(nth)?.as_bytes()).ok().flatten().map(Below::into_folder));
        Ok(Content::Unpacked(Box::new(Folder::new(root.into_folder(), Form::Overlay(lower))?)))
    }

    fn held(&self) -> Held<'_> {
        Held { store: &self.store, blobs: &self.blobs }
    }

    /// The names of its images by their digests.
    fn references(&self) -> Names {
        let mut names = Names::default();
        for image in &self.metadata.images {
            names.add(&image.digest, image.reference());
        }
        names
    }

    /// What was unpacked of the layers whose bytes are gone.
    fn use_unpacked(&self, image: &mut Planned) {
        for (at, chain) in chains(image).into_iter().enumerate() {
            if let Some(layer) = image.layers.get_mut(at).filter(|layer| layer.member.is_none()) {
                layer.member = self.snapshots.committed(&chain).and_then(|s| self.snapshots.member(s));
                layer.unpacked = true;
            }
        }
    }
}

impl Source for Containerd {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        let held = self.held();
        let names = self.references();
        let mut graph = Graph::new(self.held());
        let mut seen = HashSet::new();
        for digest in names.digests().filter_map(Digest::new) {
            graph.reach(digest, &mut seen);
        }
        let rest = graph.rest();
        let roots: Vec<Root> = names.roots().chain(rest.roots()).collect();
        let mut plan = plan_roots(&held, readers, &roots);
        names.name(&mut plan);
        plan.images.iter_mut().for_each(|image| self.use_unpacked(image));
        containers::plan(self, &mut plan);
        plan.left_out.extend(rest.left_out(&held));
        let flaws = self.flaws.iter().chain(&rest.flaws).chain(&self.blobs.flaws);
        plan.flaws.extend(flaws.map(|(path, flaw)| (path.clone(), again(flaw))));
        plan.is_image = true;
        plan
    }

    fn namespace(&self, name: &str, sought: Option<&Sought>) -> Option<InNamespace<'_>> {
        Some(InNamespace::new(self, name, sought))
    }

    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw> {
        match self.snapshots.below(layer) {
            Some(below) => self.unpacked(layer, below),
            None => self.store.blob(layer),
        }
    }
}

/// What names the snapshot of each layer on those below it, as long as the diff ids are known.
fn chains(image: &Planned) -> Vec<String> {
    let mut chains: Vec<String> = Vec::new();
    for diff_id in image.layers.iter().map_while(|layer| layer.expected.diff_id.as_ref()) {
        chains.push(chain_id(chains.last().map(String::as_str), diff_id));
    }
    chains.into_iter().map(|hex| format!("sha256:{hex}")).collect()
}

/// The same layer of another image.
fn same(layer: &PlannedLayer) -> PlannedLayer {
    let Expected { blob, diff_id } = &layer.expected;
    PlannedLayer {
        member: layer.member.clone(),
        expected: Expected { blob: blob.clone(), diff_id: diff_id.clone() },
        unpacked: layer.unpacked,
    }
}
