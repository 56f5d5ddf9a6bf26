//! What becomes of a layer's files under the layers above it (OCI image specification, "Layer Filesystem Changeset").
//!
//! A layer may write through a folder that a lower layer made a link: engines that apply layers to one file system put `lib/x` into
//! `usr/lib` where `lib` leads there. So a file is known by every path that leads to it at that point of the build.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{facts::LayerFacts, layer::resolve, names::Mark};
use crate::fact::{TreePath, parent};

/// Links followed one after the other.
const HOPS: usize = 8;
/// Rounds in which paths lead to further paths.
const ROUNDS: usize = 4;
/// Links of one image that lead to folders which are asked about.
const LINKS: usize = 10_000;
/// Comparisons of a link with a path, and paths that they add, in one round.
const COST: usize = 20_000_000;
const MORE: usize = 100_000;

/// What stands at a path of one layer, as bits.
const LEAF: u8 = 1;
const DIR: u8 = 2;
const WHITEOUT: u8 = 4;
const OPAQUE: u8 = 8;

/// One image's layers at the paths that somebody asks about.
pub(super) struct Joined {
    /// From the lowest up.
    layers: Vec<HashMap<Box<[u8]>, u8>>,
    links: Vec<FolderLink>,
}

/// A link that may stand in for a folder.
struct FolderLink {
    layer: usize,
    path: Box<[u8]>,
    target: TreePath,
}

impl Joined {
    /// Reads the layers' names for these paths.
    pub(super) fn new<'p>(layers: &[Option<Arc<LayerFacts>>], asked: impl Iterator<Item = &'p TreePath>) -> Self {
        let mut wanted: HashSet<Box<[u8]>> = HashSet::new();
        asked.for_each(|path| want(&mut wanted, path.as_bytes()));
        let mut joined = Self { layers: Vec::new(), links: Vec::new() };
        for _ in 0..ROUNDS {
            joined.read(layers, &wanted);
            let known = wanted.len();
            let affordable = COST.checked_div(known).unwrap_or(0);
            let links = joined.links.iter().take(affordable);
            let more: Vec<Vec<u8>> = links.flat_map(|link| link.both_ways(&wanted)).take(MORE).collect();
            more.iter().for_each(|path| want(&mut wanted, path));
            if wanted.len() == known {
                break;
            }
        }
        joined
    }

    fn read(&mut self, layers: &[Option<Arc<LayerFacts>>], wanted: &HashSet<Box<[u8]>>) {
        self.links.clear();
        self.layers.clear();
        for (at, layer) in layers.iter().enumerate() {
            let mut marks: HashMap<Box<[u8]>, u8> = HashMap::new();
            let mut take = |path: &[u8], mark: Mark<'_>| {
                let bits = match mark {
                    Mark::File(_) | Mark::Hard(_) | Mark::Link(_) | Mark::Other => LEAF,
                    Mark::Dir => DIR,
                    Mark::Whiteout => WHITEOUT,
                    Mark::Opaque => OPAQUE,
                };
                if wanted.contains(path) {
                    *marks.entry(path.into()).or_default() |= bits;
                }
                if let Mark::Link(text) = mark
                    && self.links.len() < LINKS
                {
                    let from = if text.starts_with(b"/") { b"" } else { parent(path) };
                    if let Some(target) =
                        resolve(from, text).filter(|t| wanted.contains(path) || wanted.contains(t.as_bytes()))
                    {
                        self.links.push(FolderLink { layer: at, path: path.into(), target });
                    }
                }
            };
            if let Some(layer) = layer {
                // Names are made in this run; those that were stored were looked at when they were read.
                let _ = layer.names.each(&mut take);
            }
            self.layers.push(marks);
        }
    }

    fn has(&self, layer: usize, path: &[u8], bits: u8) -> bool {
        self.layers.get(layer).and_then(|marks| marks.get(path)).is_some_and(|mark| mark & bits != 0)
    }

    /// Where a link stands at a path when layer `layer` is applied, what it leads to.
    fn link_at(&self, path: &[u8], layer: usize) -> Option<&TreePath> {
        // A folder that the layer itself lists takes the place of the link.
        if self.has(layer, path, DIR) {
            return None;
        }
        let below = (0..=layer)
            .rev()
            .find(|at| self.has(*at, path, LEAF | DIR | WHITEOUT) || self.is_under_cover(*at, path))?;
        self.links.iter().rev().find(|l| l.layer == below && &*l.path == path).map(|l| &l.target)
    }

    /// Whether a folder above this path is taken out or replaced in a layer.
    fn is_under_cover(&self, layer: usize, path: &[u8]) -> bool {
        ancestors(path).any(|above| {
            let bits = if above.is_empty() { OPAQUE } else { OPAQUE | LEAF | WHITEOUT };
            self.has(layer, above, bits)
        })
    }

    /// Where a file that layer `layer` writes at this path really stands.
    fn written(&self, path: &TreePath, layer: usize) -> TreePath {
        let mut path = path.clone();
        for _ in 0..HOPS {
            let mut folders: Vec<&[u8]> = ancestors(path.as_bytes()).filter(|a| !a.is_empty()).collect();
            folders.reverse();
            let through = folders.into_iter().find_map(|folder| Some((folder.len(), self.link_at(folder, layer)?)));
            let Some((len, target)) = through else { break };
            let rest = path.as_bytes().get(len + 1..).unwrap_or_default();
            path = target.join(rest);
        }
        path
    }

    /// Whether a file of a lower layer at `path` cannot be seen through a layer.
    fn hides(&self, layer: usize, path: &[u8]) -> bool {
        self.has(layer, path, LEAF | DIR | WHITEOUT) || self.is_under_cover(layer, path)
    }

    /// Position of the first layer above `layer` through which its file at `path` cannot be seen.
    pub(super) fn gone_in(&self, layer: usize, path: &TreePath) -> Option<usize> {
        if self.links.is_empty() {
            return (layer + 1..self.layers.len()).find(|above| self.hides(*above, path.as_bytes()));
        }
        let real = self.written(path, layer);
        (layer + 1..self.layers.len()).find(|above| {
            self.hides(*above, real.as_bytes()) || self.aliases(&real, *above).any(|a| self.hides(*above, a.as_bytes()))
        })
    }

    /// Other paths by which a layer may write to a file.
    fn aliases<'j>(&'j self, real: &'j TreePath, layer: usize) -> impl Iterator<Item = TreePath> + 'j {
        let through = self.links.iter().filter(move |l| l.layer <= layer);
        through.filter_map(move |link| {
            let rest = below(real.as_bytes(), link.target.as_bytes())?;
            let stands = self.link_at(&link.path, layer) == Some(&link.target);
            stands.then(|| TreePath::new(&[&link.path, &b"/"[..], rest].concat())).flatten()
        })
    }

    /// Whether anything but a folder stands at a path, in whatever layer, links followed.
    pub(super) fn has_leaf(&self, path: &TreePath) -> bool {
        let top = self.layers.len().saturating_sub(1);
        let real = self.written(path, top);
        (0..self.layers.len()).any(|layer| self.has(layer, real.as_bytes(), LEAF))
    }
}

impl FolderLink {
    /// Where paths that are asked about lead through this link, and by which others they are reached.
    fn both_ways(&self, wanted: &HashSet<Box<[u8]>>) -> Vec<Vec<u8>> {
        let mut more = Vec::new();
        for path in wanted {
            if let Some(rest) = below(path, &self.path) {
                more.push(self.target.join(rest).as_bytes().to_vec());
            }
            if let Some(rest) = below(path, self.target.as_bytes()) {
                more.push([&self.path, &b"/"[..], rest].concat());
            }
        }
        more
    }
}

/// A path and every folder above it.
fn want(wanted: &mut HashSet<Box<[u8]>>, path: &[u8]) {
    if wanted.contains(path) {
        return;
    }
    ancestors(path).for_each(|above| {
        if !wanted.contains(above) {
            wanted.insert(above.into());
        }
    });
    wanted.insert(path.into());
}

/// The folders above a path, the nearest first, the root last.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let first = if path.is_empty() { None } else { Some(parent(path)) };
    std::iter::successors(first, |path| if path.is_empty() { None } else { Some(parent(path)) })
}

/// What of a path stands below a folder.
fn below<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    if folder.is_empty() {
        return None;
    }
    path.strip_prefix(folder)?.strip_prefix(b"/")
}
