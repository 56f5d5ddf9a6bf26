//! The store of Podman, Buildah, Skopeo and CRI-O on disk: `containers-storage`, for root and for each user.
//!
//! ```text
//! overlay-images/images.json                        id, names, top layer
//! overlay-images/<id>/{manifest,=<base64 of a name>}  manifest, configuration
//! overlay-layers/{layers,volatile-layers}.json      id, parent, digests
//! overlay-layers/<id>.tar-split.gz                  the names of a layer
//! overlay-containers/{containers,volatile-containers}.json
//! overlay-containers/<id>/userdata/config.json      what its runtime starts: the environment
//! overlay-containers/<id>/userdata/state.json       CRI-O: whether it runs
//! overlay/<id>/diff                                 what a layer or a container changed
//! vfs-images/ … vfs/dir/<id>                        the same of the driver `vfs`: a copy of the whole file system
//! db.sql, libpod/db.sql                             Podman 4.8 and later: whether a container runs
//! volumes/<name>/_data                              what containers mounted
//! ```
//!
//! Further stores, which others may share and nobody writes to, have the same files but for containers; layers may stand on layers of
//! those. Documented in containers/storage, `docs/` and `types`.

mod containers;
mod images;
mod json;
mod state;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
};

use self::json::Layer;
use super::{
    Content, Source,
    catalog::{Catalog, on, path_of},
    disk::Disk,
    docker_store::unread_driver,
    flaws::no_store,
    list::List,
    unpacked::{Keeps, Layers, Unpacked, is_folder},
};
use crate::{
    fact::TreePath,
    image::{
        ImageError,
        layer::Expected,
        manifest::{parse, sha256},
        plan::Readers,
        planned::{Plan, PlannedLayer},
    },
    surface::Flaw,
};

/// Bytes of one index of a store.
const INDEX: u64 = 64 << 20;
const WHAT: &str = "containers-storage";
const ODD: &str = "an id that no engine gives: what has it was not examined";

/// An opened store with those that it shares.
pub(in crate::image) struct ContainersStorage {
    disks: Arc<Vec<Disk>>,
    /// Of the last plan.
    layers: Mutex<Arc<Layers>>,
}

/// Whether a folder is a graph root.
///
/// # Errors
/// Where that cannot be found out.
fn is_graph_root(disk: &Disk) -> Result<bool, Flaw> {
    let (names, _) = disk.names(b"")?;
    Ok(names.iter().any(|name| name.ends_with(b"-images") || name.ends_with(b"-layers")))
}

/// Opens a graph root, and the stores of images beside it that its settings name.
///
/// # Errors
/// `NotAnImage` where the folder is none, others where that cannot be found out.
pub(in crate::image) fn open(graph_root: OwnedFd, additional: Vec<OwnedFd>) -> Result<Box<dyn Source>, ImageError> {
    let disk = Disk::new(graph_root);
    if !is_graph_root(&disk).map_err(no_store)? {
        return Err(ImageError::NotAnImage("the folder is no graph root of containers-storage"));
    }
    let disks = std::iter::once(disk).chain(additional.into_iter().map(Disk::new)).collect();
    Ok(Box::new(ContainersStorage { disks: Arc::new(disks), layers: Mutex::default() }))
}

impl Source for ContainersStorage {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        let mut catalog = Catalog::new(&self.disks);
        let mut drivers: Vec<String> = (0..self.disks.len()).flat_map(|disk| drivers(&mut catalog, disk)).collect();
        drivers.sort();
        drivers.dedup();
        let running = state::podman(&mut catalog);
        for name in &drivers {
            let keeps = match name.as_str() {
                "overlay" | "overlay2" | "fuse-overlayfs" => Keeps::Overlay,
                "vfs" => Keeps::Copy,
                name => {
                    catalog.flaw(&format!("{name}-images"), unread_driver(name));
                    continue;
                }
            };
            let mut driver = Driver { name, keeps, catalog: &mut catalog, layers: HashMap::new() };
            driver.read_layers();
            driver.images();
            driver.containers(&running);
            driver.without_owner();
        }
        catalog.volumes(0);
        let place = format!("{}-images", drivers.first().map_or("overlay", String::as_str));
        let (plan, layers) = catalog.plan(readers, &place);
        let layers = Arc::new(Layers { disks: self.disks.clone(), layers });
        *self.layers.lock().unwrap_or_else(PoisonError::into_inner) = layers;
        plan
    }

    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw> {
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        layers.open(layer)
    }
}

/// The drivers of which a store has images.
fn drivers(catalog: &mut Catalog<'_>, disk: usize) -> Vec<String> {
    let mut drivers = Vec::new();
    for name in catalog.names(disk, "").iter().filter(|name| name.ends_with(b"-images")) {
        match std::str::from_utf8(name).ok().and_then(|name| name.strip_suffix("-images")) {
            Some(driver) if is_folder(driver) => drivers.push(driver.to_owned()),
            _ => catalog.odd(disk, name),
        }
    }
    drivers
}

/// A driver's part of the stores.
struct Driver<'d, 's> {
    name: &'d str,
    keeps: Keeps,
    catalog: &'d mut Catalog<'s>,
    /// By their ids, with the disk that has each.
    layers: HashMap<String, (usize, Layer)>,
}

impl Driver<'_, '_> {
    /// An index of a store.
    fn index<T: serde::de::DeserializeOwned>(&mut self, disk: usize, path: &str) -> Vec<T> {
        let Some(bytes) = self.catalog.small(disk, path, INDEX) else {
            return Vec::new();
        };
        match parse::<List<T>>(&bytes, WHAT) {
            Ok(list) => {
                if list.more {
                    self.catalog.flaw(&on(disk, path), Flaw::malformed(WHAT, "it lists more than is read"));
                }
                list.items
            }
            Err(flaw) => {
                self.catalog.flaw(&on(disk, path), flaw);
                Vec::new()
            }
        }
    }

    /// The same, of things whose ids name folders. Others are reported.
    fn with_ids<T: serde::de::DeserializeOwned>(&mut self, disk: usize, path: &str, id: fn(&T) -> &str) -> Vec<T> {
        let mut items = self.index::<T>(disk, path);
        let before = items.len();
        items.retain(|item| is_folder(id(item)));
        if items.len() < before {
            self.catalog.flaw(&on(disk, path), Flaw::malformed(WHAT, ODD));
        }
        items
    }

    fn read_layers(&mut self) {
        for disk in 0..self.catalog.disks.len() {
            for file in ["layers", "volatile-layers"] {
                for layer in self.with_ids(disk, &format!("{}-layers/{file}.json", self.name), |l: &Layer| &l.id) {
                    self.layers.entry(layer.id.clone()).or_insert((disk, layer));
                }
            }
        }
    }

    /// A layer, and the id of the one below. One that is not there has no member.
    fn layer(&mut self, id: &str) -> (PlannedLayer, Option<String>) {
        let Some((disk, layer)) = self.layers.get(id) else {
            return (PlannedLayer::default(), None);
        };
        let below = Some(layer.parent.clone()).filter(|parent| !parent.is_empty());
        let diff_id = sha256(&layer.diff_digest).map(str::to_owned);
        let member = self.member(*disk, id);
        let parent = below.as_ref().and_then(|below| Some(self.member(self.layers.get(below)?.0, below)));
        let planned = PlannedLayer {
            member: Some((member.clone(), layer.size())),
            expected: Expected { blob: None, diff_id },
            unpacked: true,
        };
        if !self.catalog.layers.contains_key(&member) {
            let split = Some(format!("{}-layers/{id}.tar-split.gz", self.name).into_bytes());
            let folder = self.folder(id).into_bytes();
            let unpacked = Unpacked { disk: *disk, folder, keeps: self.keeps, parent, split };
            self.catalog.layers.insert(member, unpacked);
        }
        (planned, below)
    }

    fn folder(&self, id: &str) -> String {
        match self.keeps {
            Keeps::Copy => format!("{}/dir/{id}", self.name),
            _ => format!("{}/{id}/diff", self.name),
        }
    }

    fn member(&self, disk: usize, id: &str) -> TreePath {
        path_of(&on(disk, &self.folder(id)))
    }

    /// Says that there are layers that no image or container has.
    fn without_owner(&mut self) {
        let members: Vec<_> = self
            .layers
            .iter()
            .filter(|(_, (disk, _))| *disk == 0)
            .map(|(id, (disk, _))| self.member(*disk, id))
            .collect();
        if members.iter().any(|member| !self.catalog.layers.contains_key(member)) {
            let why = "layers that no image and no container has, such as those of a build, are not examined";
            self.catalog.left_out(&format!("{}-layers", self.name), why);
        }
    }
}
