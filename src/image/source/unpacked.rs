//! The layers that a store unpacked, by the names that its plan gives them, and what is common to such stores.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    io,
    sync::Arc,
};

use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::{
    Content,
    disk::{self, Disk, Mounts},
};
use crate::{
    fact::TreePath,
    image::{
        entries::{Folder, Form, Lower, Split},
        manifest::{Config, parse},
        planned::{Holds, PlannedLayer},
    },
    surface::Flaw,
    text::{escape_short, hex},
};

const WHAT: &str = "image store";
/// Layers on top of each other. Docker's limit is 127.
pub(super) const CHAIN: usize = 4096;
/// Steps of all images whose images may be others' first steps.
const STEPS: usize = 4_000_000;

/// How a driver keeps a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// What the layer changed, with the marks of an overlay.
    Overlay,
    /// A copy of the whole file system.
    Copy,
    /// Files that belong to no image.
    Files,
}

/// A layer on disk.
#[derive(Debug, Clone)]
pub(super) struct Unpacked {
    /// Which of the disks.
    pub(super) disk: usize,
    /// Below it.
    pub(super) folder: Vec<u8>,
    pub(super) keeps: Keeps,
    /// The layer below.
    pub(super) parent: Option<TreePath>,
    /// Where the engine wrote down its names.
    pub(super) split: Option<Vec<u8>>,
}

/// The layers of a store.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) disks: Arc<Vec<Disk>>,
    pub(super) layers: HashMap<TreePath, Unpacked>,
}

impl Layers {
    /// Opens a layer.
    pub(super) fn open(self: &Arc<Self>, name: &TreePath) -> Result<Content<'static>, Flaw> {
        let layer = self.layers.get(name).ok_or_else(missing)?;
        let disk = self.disk(layer)?;
        let root = self.root(layer)?;
        let mut damaged = None;
        let form = match layer.keeps {
            Keeps::Files => Form::Files,
            Keeps::Overlay => {
                // A file system of its own stands beside, and the folder has nothing but numbered files.
                if disk.has_folder(&[parent(&layer.folder), b"/composefs-data"].concat()).map_err(io::Error::from)? {
                    return Err(Flaw::Unsupported("a layer that is kept as a composefs image"));
                }
                Form::Overlay(self.lower(layer.parent.clone()))
            }
            Keeps::Copy => {
                let (form, flaw) = self.copy(disk, layer)?;
                damaged = flaw;
                form
            }
        };
        let mut folder = Folder::new(root, form)?;
        if let Some(flaw) = damaged {
            folder.note(flaw);
        }
        Ok(Content::Unpacked(Box::new(folder)))
    }

    fn disk(&self, layer: &Unpacked) -> Result<&Disk, Flaw> {
        self.disks.get(layer.disk).ok_or_else(missing)
    }

    fn root(&self, layer: &Unpacked) -> Result<std::os::fd::OwnedFd, Flaw> {
        let disk = self.disk(layer)?;
        let opened = if layer.keeps == Keeps::Files {
            // What a volume mounts is not the store's.
            let (top, rest) = split(&layer.folder);
            let top = disk.folder(top, Mounts::Enter).map_err(io::Error::from)?;
            disk::folder(&top, rest, Mounts::Refuse)
        } else {
            disk.folder(&layer.folder, Mounts::Enter)
        };
        opened.map_err(|e| match e {
            Errno::NOENT => Flaw::malformed(WHAT, "the folder of a layer is missing"),
            Errno::NOTDIR | Errno::LOOP => Flaw::malformed(WHAT, "the folder of a layer is a link or a file"),
            Errno::XDEV => Flaw::Unsupported("a volume on another file system"),
            e => io::Error::from(e).into(),
        })
    }

    /// Opens one layer below after the other.
    fn lower(self: &Arc<Self>, parent: Option<TreePath>) -> Lower {
        let all = self.clone();
        Box::new(move |nth| {
            let mut name = parent.clone()?;
            for _ in 0..nth {
                name = all.layers.get(&name)?.parent.clone()?;
            }
            all.root(all.layers.get(&name)?).ok()
        })
    }

    /// What of a copy belongs to its layer, and what is wrong with the list of its names. Of the lowest layer, everything does.
    fn copy(&self, disk: &Disk, layer: &Unpacked) -> Result<(Form, Option<Flaw>), Flaw> {
        let Some(below) = layer.parent.as_ref() else {
            return Ok((Form::Files, None));
        };
        let listed = match layer.split.as_ref().map(|path| disk.file(path)) {
            None | Some(Err(Errno::NOENT)) => None,
            Some(Ok(list)) => Some(Split::read(list)),
            Some(Err(e)) => Some(Err(io::Error::from(e).into())),
        };
        let flaw = match listed {
            Some(Ok(split)) => return Ok((Form::Listed(split), None)),
            Some(Err(flaw)) => Some(flaw),
            None => None,
        };
        Ok((Form::Changed(self.root(self.layers.get(below).ok_or_else(missing)?)?), flaw))
    }
}

/// Layers that lead nowhere.
pub(super) struct Broken {
    pub(super) flaw: Flaw,
    /// How many were followed.
    pub(super) followed: usize,
}

/// The layers up to one, from the lowest. `layer` says what one is, and which is below it.
///
/// # Errors
/// Where they make a ring, or there are more than any engine stacks.
pub(super) fn chain(
    top: Option<String>,
    layer: &mut dyn FnMut(&str) -> (PlannedLayer, Option<String>),
) -> Result<Vec<PlannedLayer>, Broken> {
    let (mut chain, mut next) = (Vec::new(), top);
    let mut visited = HashSet::new();
    while let Some(id) = next {
        let (planned, below) = layer(&id);
        if chain.len() >= CHAIN || !visited.insert(id) {
            let flaw = Flaw::malformed(WHAT, "layers that stand on themselves, or on too many");
            return Err(Broken { flaw, followed: chain.len() });
        }
        chain.push(planned);
        next = below;
    }
    chain.reverse();
    Ok(chain)
}

/// What names the layers up to one, by those below it and its own diff id: both the hex of a SHA-256.
pub(super) fn chain_id(below: Option<&str>, diff_id: &str) -> String {
    below.map_or_else(
        || diff_id.to_owned(),
        |below| hex(&Sha256::digest(format!("sha256:{below} sha256:{diff_id}").as_bytes())),
    )
}

/// Which images are nothing but the first steps of others: a build leaves one behind for each of its steps.
#[derive(Default)]
pub(super) struct Steps {
    key: RandomState,
    begun: HashSet<u64>,
}

impl Steps {
    /// Notes the steps of an image. What stands for all of them, where it has any.
    pub(super) fn add(&mut self, config: &[u8]) -> Option<u64> {
        let config: Config = parse(config, WHAT).ok()?;
        let layers = config.rootfs.unwrap_or_default().diff_ids.0;
        let mut made = layers.iter();
        let mut sum = None;
        for step in &config.history.0 {
            if let Some(before) = sum
                && self.begun.len() < STEPS
            {
                self.begun.insert(before);
            }
            let layer = if step.empty_layer { None } else { made.next() };
            sum = Some(self.key.hash_one((sum, &step.created, &step.created_by, layer)));
        }
        sum
    }

    /// Whether another image goes on from these steps.
    pub(super) fn goes_on(&self, steps: Option<u64>) -> bool {
        steps.is_some_and(|steps| self.begun.contains(&steps))
    }
}

/// What people call a container: of one in a pod, `namespace/pod/container`, which the kubelet's engines write as
/// `k8s_container_pod_namespace_uid_attempt`.
pub(super) fn container_name(name: &str) -> String {
    let name = name.trim_start_matches('/');
    let parts: Vec<&str> = name.split('_').collect();
    let name = match parts.as_slice() {
        ["k8s", container, pod, namespace, _, _] => format!("{namespace}/{pod}/{container}"),
        _ => name.to_owned(),
    };
    escape_short(name.as_bytes(), 253)
}

/// A volume that a folder holds.
pub(super) fn volume(name: &[u8]) -> Holds {
    Holds::Volume(escape_short(name, 253))
}

/// Whether a text can be the name of a folder of a store.
pub(super) fn is_folder(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=255).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(inner)
}

/// A text that is nothing but a name: without the end of the line.
pub(super) fn word(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().map(str::trim)
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b'/', path).unwrap_or(path.len());
    (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default())
}

fn parent(path: &[u8]) -> &[u8] {
    crate::fact::parent(path)
}

fn missing() -> Flaw {
    Flaw::malformed(WHAT, "it does not hold the layer")
}
