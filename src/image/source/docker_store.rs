//! Docker Engine's own store on disk, as its graph drivers keep it: no daemon is asked.
//!
//! ```text
//! image/overlay2/repositories.json                  the names of images
//! image/overlay2/imagedb/content/sha256/<image id>  configurations
//! image/overlay2/layerdb/sha256/<chain id>/         diff, parent, cache-id, size, tar-split.json.gz
//! image/overlay2/layerdb/mounts/<container id>/     mount-id, parent
//! overlay2/<cache id or mount id>/diff              what a layer or a container changed
//! vfs/dir/<cache id or mount id>                    the same of the driver `vfs`: a copy of the whole file system
//! containers/<container id>/config.v2.json          name, state, image, environment
//! volumes/<name>/_data                              what containers mounted
//! ```
//!
//! Written by Docker 1.10 and later. Since 29, new installations keep images in containerd's store instead. The chain id of the lowest
//! layer is its diff id; of any other, the digest of `<chain id below> <diff id>`. Documented in moby's `image/spec` and `layer`.

mod containers;
mod images;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) use self::containers::Described;
use rustix::io::Errno;

use super::{
    Content, Source,
    catalog::{Catalog, path_of},
    disk::Disk,
    unpacked::{Keeps, Layers, Unpacked, is_folder, word},
};
use crate::{
    fact::TreePath,
    image::{
        ImageError,
        layer::Expected,
        manifest::sha256,
        plan::Readers,
        planned::{Plan, PlannedLayer},
    },
    stop,
    surface::Flaw,
};

const WHAT: &str = "Docker's store";

/// Drivers, and how they keep layers; `None` where that is not read.
const DRIVERS: &[(&str, Option<Keeps>)] = &[
    ("overlay2", Some(Keeps::Overlay)),
    ("fuse-overlayfs", Some(Keeps::Overlay)),
    ("vfs", Some(Keeps::Copy)),
    ("aufs", None),
    ("btrfs", None),
    ("devicemapper", None),
    ("overlay", None),
    ("zfs", None),
];

/// Other names beside those of drivers that are looked into.
const UNREAD: usize = 1000;

/// An opened store.
pub(in crate::image) struct DockerStore {
    disks: Arc<Vec<Disk>>,
    /// Of the last plan.
    layers: Mutex<Arc<Layers>>,
}

/// Whether a folder is the data root of a Docker Engine.
///
/// # Errors
/// Where that cannot be found out.
pub(super) fn is_data_root(disk: &Disk) -> Result<bool, Errno> {
    Ok(disk.has_folder(b"image")? || disk.has_folder(b"containers")? && disk.has_folder(b"volumes")?)
}

/// Opens the data root of a Docker Engine.
///
/// # Errors
/// `NotAnImage` where the folder is none, others where that cannot be found out.
pub(in crate::image) fn open(data_root: OwnedFd) -> Result<Box<dyn Source>, ImageError> {
    let disk = Disk::new(data_root);
    if !is_data_root(&disk).map_err(std::io::Error::from)? {
        return Err(ImageError::NotAnImage("the folder is no data root of Docker"));
    }
    Ok(Box::new(DockerStore { disks: Arc::new(vec![disk]), layers: Mutex::default() }))
}

impl Source for DockerStore {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        let mut catalog = Catalog::new(&self.disks);
        let drivers = catalog.names(0, "image");
        let is_there = |name: &str| drivers.iter().any(|driver| driver == name.as_bytes());
        for (name, keeps) in DRIVERS.iter().filter(|(name, _)| is_there(name)) {
            if let Some(keeps) = *keeps {
                Driver { name, keeps, catalog: &mut catalog, known: HashMap::new() }.read();
            }
        }
        let is_read = |name: &[u8]| DRIVERS.iter().any(|(known, keeps)| known.as_bytes() == name && keeps.is_some());
        let others: Vec<&Vec<u8>> = drivers.iter().filter(|name| !is_read(name)).collect();
        for name in others.iter().take(UNREAD).take_while(|_| !stop::requested()) {
            catalog.other_driver(name);
        }
        if others.len() > UNREAD {
            catalog
                .flaw("image", Flaw::malformed(WHAT, "it has more names beside those of drivers than are looked into"));
        }
        containers::without_layers(&mut catalog);
        catalog.volumes(0);
        let (plan, layers) = catalog.plan(readers, "image");
        let layers = Arc::new(Layers { disks: self.disks.clone(), layers });
        *self.layers.lock().unwrap_or_else(PoisonError::into_inner) = layers;
        plan
    }

    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw> {
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        layers.open(layer)
    }
}

impl Catalog<'_> {
    /// Reports a driver of which nothing is read, where it has images.
    fn other_driver(&mut self, name: &[u8]) {
        let folder = [b"image/", name].concat();
        let images = [folder.as_slice(), b"/imagedb/content/sha256"].concat();
        match self.disks.first().map(|disk| disk.names(&images)) {
            Some(Ok((names, _))) if names.is_empty() => {}
            Some(Ok(_)) => match std::str::from_utf8(name) {
                Ok(name) if is_folder(name) => self.flaw(&format!("image/{name}"), unread_driver(name)),
                _ => self.odd(0, &folder),
            },
            Some(Err(flaw)) => self.flaw_at(&images, flaw),
            None => {}
        }
    }
}

/// A driver whose layers are not read.
pub(super) fn unread_driver(name: &str) -> Flaw {
    Flaw::Unsupported(match name {
        "aufs" => "a store of the driver `aufs`",
        "btrfs" => "a store of the driver `btrfs`",
        "devicemapper" => "a store of the driver `devicemapper`",
        "overlay" => "a store of the old driver `overlay`",
        "zfs" => "a store of the driver `zfs`",
        _ => "a store of such a driver",
    })
}

/// A driver's part of the store.
struct Driver<'d, 's> {
    name: &'static str,
    keeps: Keeps,
    catalog: &'d mut Catalog<'s>,
    /// Layers by their chain ids.
    known: HashMap<String, Known>,
}

/// What the store knows of a layer.
struct Known {
    /// With its size in bytes.
    member: Option<(TreePath, u64)>,
    diff_id: Option<String>,
    /// The chain id of the layer below.
    below: Option<String>,
}

impl Driver<'_, '_> {
    fn read(&mut self) {
        self.images();
        self.containers();
        self.without_owner();
    }

    fn path(&self, rest: &str) -> String {
        format!("image/{}/{rest}", self.name)
    }

    /// A file with a single word.
    fn word(&mut self, path: &str) -> Option<String> {
        let bytes = self.catalog.small(0, path, 1024)?;
        word(&bytes).map(str::to_owned)
    }

    /// The hex of a digest in a file.
    fn digest(&mut self, path: &str) -> Option<String> {
        self.word(path).and_then(|word| sha256(&word).map(str::to_owned))
    }

    /// A layer by its chain id, and the chain id below. One that is not there has no member.
    fn layer(&mut self, chain_id: &str) -> (PlannedLayer, Option<String>) {
        if !self.known.contains_key(chain_id) {
            let known = self.read_layer(chain_id);
            self.known.insert(chain_id.to_owned(), known);
        }
        let Some(Known { member, diff_id, below }) = self.known.get(chain_id) else {
            return (PlannedLayer::default(), None);
        };
        let expected = Expected { blob: None, diff_id: diff_id.clone() };
        (PlannedLayer { member: member.clone(), expected, unpacked: true }, below.clone())
    }

    fn read_layer(&mut self, chain_id: &str) -> Known {
        let entry = self.path(&format!("layerdb/sha256/{chain_id}"));
        let (below, diff_id) = (self.digest(&format!("{entry}/parent")), self.digest(&format!("{entry}/diff")));
        let Some(member) = self.member(chain_id) else {
            return Known { member: None, diff_id, below };
        };
        let size = self.word(&format!("{entry}/size")).and_then(|size| size.parse().ok()).unwrap_or(0);
        let parent = below.as_ref().and_then(|below| self.member(below));
        self.keep(&member, parent, Some(format!("{entry}/tar-split.json.gz").into_bytes()));
        Known { member: Some((member, size)), diff_id, below }
    }

    /// Where the layer with this chain id is unpacked.
    fn member(&mut self, chain_id: &str) -> Option<TreePath> {
        let cache = self.word(&self.path(&format!("layerdb/sha256/{chain_id}/cache-id")))?;
        is_folder(&cache).then(|| self.unpacked(&cache))
    }

    /// Where the driver keeps what has this id.
    fn unpacked(&self, id: &str) -> TreePath {
        path_of(&match self.keeps {
            Keeps::Copy => format!("{}/dir/{id}", self.name),
            _ => format!("{}/{id}/diff", self.name),
        })
    }

    fn keep(&mut self, member: &TreePath, parent: Option<TreePath>, split: Option<Vec<u8>>) {
        let folder = member.as_bytes().to_vec();
        let unpacked = Unpacked { disk: 0, folder, keeps: self.keeps, parent, split };
        self.catalog.layers.insert(member.clone(), unpacked);
    }

    /// Says that there are layers that no image or container has: a build keeps them to be faster the next time.
    fn without_owner(&mut self) {
        let top = if self.keeps == Keeps::Copy { format!("{}/dir", self.name) } else { self.name.to_owned() };
        let names = self.catalog.names(0, &top);
        let own = |name: &[u8]| name == b"l" || name.ends_with(b"-init") || name.ends_with(b"-removing");
        let is_known = |name: &[u8]| {
            let id = std::str::from_utf8(name).ok();
            id.is_some_and(|id| self.catalog.layers.contains_key(&self.unpacked(id)))
        };
        if names.iter().any(|name| !own(name) && !is_known(name)) {
            let why = "layers that no image and no container has, such as those of a build's cache, are not examined";
            self.catalog.left_out(&top, why);
        }
    }
}
