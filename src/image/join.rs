//! What becomes of a layer's files under the layers above it (OCI image specification, "Layer Filesystem Changeset").
//!
//! A layer may write through a folder that a lower layer made a link: engines that apply layers to one file system put `lib/x` into
//! `usr/lib` where `lib` leads there. So a file is known by every path that leads to it at that point of the build.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    facts::LayerFacts,
    layer::{Key, resolve},
    names::{Mark, Names},
};
use crate::fact::{TreePath, parent};

/// Links followed one after the other.
const HOPS: usize = 8;
/// Links of one layer that may stand in for a folder.
const LINKS: usize = 50_000;
/// Bytes that the marks of all layers take: those of further layers are made anew for each image.
const HELD: usize = 48 << 20;

/// What stands at a path of one layer, as the two lowest bits of its hash.
const LEAF: u64 = 0;
const DIR: u64 = 1;
const WHITEOUT: u64 = 2;
const OPAQUE: u64 = 3;

/// Drawn anew for each run, so that nobody can craft a name that stands for another.
static KEY: LazyLock<Key> = LazyLock::new(Key::default);
static IN_MEMORY: AtomicUsize = AtomicUsize::new(0);

/// The names of one layer as they are asked for, by hash: made once for all images that hold it.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Sorted.
    hashes: Box<[u64]>,
    /// What links lead to.
    links: HashMap<Box<[u8]>, TreePath>,
    /// The same, by what they lead to.
    leading: HashMap<TreePath, Vec<Box<[u8]>>>,
    counted: usize,
}

impl Marks {
    pub(super) fn new(names: &Names) -> Self {
        let (mut hashes, mut links, mut counted) = (Vec::new(), HashMap::new(), 0);
        let mut leading: HashMap<TreePath, Vec<Box<[u8]>>> = HashMap::new();
        let mut take = |path: &[u8], mark: Mark<'_>| {
            let bits = match mark {
                Mark::File(_) | Mark::Hard(_) | Mark::Link(_) | Mark::Other => LEAF,
                Mark::Dir => DIR,
                Mark::Whiteout => WHITEOUT,
                Mark::Opaque => OPAQUE,
            };
            hashes.push(hash(path) | bits);
            if let Mark::Link(text) = mark
                && links.len() < LINKS
            {
                let from = if text.starts_with(b"/") { b"" } else { parent(path) };
                if let Some(target) = resolve(from, text) {
                    counted += 2 * (path.len() + target.as_bytes().len()) + LINK;
                    leading.entry(target.clone()).or_default().push(path.into());
                    links.insert(path.into(), target);
                }
            }
        };
        // Names are made in this run; those that were stored were compared with their digest.
        let _ = names.each(&mut take);
        hashes.sort_unstable();
        hashes.dedup();
        counted += hashes.len() * size_of::<u64>();
        Self { hashes: hashes.into(), links, leading, counted }
    }

    /// Whether they may be kept; if so they count until they are given up.
    pub(super) fn kept(mut self) -> Result<Self, Self> {
        let fits = |held: usize| held.checked_add(self.counted).filter(|held| *held <= HELD);
        if IN_MEMORY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok() {
            return Ok(self);
        }
        self.counted = 0;
        Err(self)
    }

    fn has(&self, hash: u64, marks: &[u64]) -> bool {
        marks.iter().any(|mark| self.hashes.binary_search(&(hash | mark)).is_ok())
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        // What is not kept counts nothing.
        let less = |held: usize| Some(held.saturating_sub(self.counted));
        let _ = IN_MEMORY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// What a link costs beside its bytes.
const LINK: usize = 160;

/// A path whose layers are asked, and the folders above it.
struct Asked {
    own: u64,
    /// The nearest first, without the root.
    above: Vec<u64>,
}

impl Asked {
    fn new(path: &[u8]) -> Self {
        Self { own: hash(path), above: folders(path).map(hash).collect() }
    }
}

fn hash(path: &[u8]) -> u64 {
    KEY.hash(path) & !3
}

/// The layers of one image.
pub(super) struct Joined {
    /// From the lowest up.
    layers: Vec<Arc<Marks>>,
    has_links: bool,
}

impl Joined {
    pub(super) fn new(layers: &[Option<Arc<LayerFacts>>]) -> Self {
        let marks = |layer: &Option<Arc<LayerFacts>>| layer.as_ref().map(|facts| facts.marks()).unwrap_or_default();
        let layers: Vec<Arc<Marks>> = layers.iter().map(marks).collect();
        let has_links = layers.iter().any(|marks| !marks.links.is_empty());
        Self { layers, has_links }
    }

    fn has(&self, layer: usize, hash: u64, marks: &[u64]) -> bool {
        self.layers.get(layer).is_some_and(|own| own.has(hash, marks))
    }

    /// Whether a file of a lower layer cannot be seen through a layer.
    fn hides(&self, layer: usize, path: &Asked) -> bool {
        self.has(layer, path.own, &[LEAF, DIR, WHITEOUT]) || self.is_under_cover(layer, path)
    }

    /// Whether a folder above this path is taken out or replaced in a layer. Nothing replaces the root, but it can be opaque.
    fn is_under_cover(&self, layer: usize, path: &Asked) -> bool {
        let covered = |above: &u64| self.has(layer, *above, &[OPAQUE, LEAF, WHITEOUT]);
        path.above.iter().any(covered) || self.has(layer, hash(b""), &[OPAQUE])
    }

    /// Where a link stands at a path when layer `layer` is applied, what it leads to.
    fn link_at(&self, path: &[u8], layer: usize) -> Option<&TreePath> {
        let up_to = self.layers.get(..=layer)?;
        if !up_to.iter().any(|marks| marks.links.contains_key(path)) {
            return None;
        }
        let asked = Asked::new(path);
        // A folder that the layer itself lists takes the place of the link.
        if self.has(layer, asked.own, &[DIR]) {
            return None;
        }
        let last = (0..=layer).rev().find(|at| self.hides(*at, &asked))?;
        up_to.get(last)?.links.get(path)
    }

    /// Where a file that layer `layer` writes at this path really stands.
    fn written(&self, path: &TreePath, layer: usize) -> TreePath {
        let mut path = path.clone();
        for _ in 0..HOPS {
            let mut folders: Vec<&[u8]> = folders(path.as_bytes()).collect();
            folders.reverse();
            let through = folders.into_iter().find_map(|folder| Some((folder.len(), self.link_at(folder, layer)?)));
            let Some((len, target)) = through else { break };
            path = target.join(path.as_bytes().get(len + 1..).unwrap_or_default());
        }
        path
    }

    /// Position of the first layer above `layer` through which its file at `path` cannot be seen.
    pub(super) fn gone_in(&self, layer: usize, path: &TreePath) -> Option<usize> {
        let mut above = layer + 1..self.layers.len();
        if !self.has_links {
            let asked = Asked::new(path.as_bytes());
            return above.find(|above| self.hides(*above, &asked));
        }
        let real = self.written(path, layer);
        let asked = Asked::new(real.as_bytes());
        above.find(|above| {
            self.hides(*above, &asked)
                || self.aliases(&real, *above).any(|alias| self.hides(*above, &Asked::new(&alias)))
        })
    }

    /// Other paths by which a layer may write to a file.
    fn aliases<'j>(&'j self, real: &'j TreePath, layer: usize) -> impl Iterator<Item = Vec<u8>> + 'j {
        folders(real.as_bytes()).filter_map(TreePath::new).flat_map(move |target| {
            let rest = real.as_bytes().get(target.as_bytes().len()..).unwrap_or_default();
            let links = self.layers.iter().take(layer + 1).flat_map(|marks| marks.leading.get(&target).cloned());
            let standing = links.flatten().filter(|link| self.link_at(link, layer) == Some(&target));
            standing.map(|link| [&link, rest].concat()).collect::<Vec<_>>()
        })
    }

    /// Where anything but a folder stands, by a path whose folders may be links; `None` where no layer has it.
    pub(super) fn leaf(&self, path: &TreePath) -> Option<TreePath> {
        let real = self.written(path, self.layers.len().saturating_sub(1));
        let is_there = (0..self.layers.len()).any(|layer| self.has(layer, hash(real.as_bytes()), &[LEAF]));
        is_there.then_some(real)
    }
}

/// The folders above a path, the nearest first, without the root.
fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(path), |path| Some(parent(path)).filter(|folder| !folder.is_empty())).skip(1)
}
