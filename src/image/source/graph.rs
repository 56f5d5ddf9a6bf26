//! Which blobs of a store its manifests lead to, so that those which no name leads to are examined too: the bad image is usually
//! untagged first. Of each manifest its digests are kept, not its JSON.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
};

use super::{
    Store as _,
    blobs::{Digest, Held},
};
use crate::{
    fact::TreePath,
    image::{
        manifest::{Document, JSON, is_reference, parse},
        planned::{Plan, Root},
    },
    surface::Flaw,
};

/// Bytes of JSON read of one store.
const JSON_TOTAL: u64 = 1 << 30;
/// Blobs of no image that are listed one by one.
const LISTED: usize = 1000;

/// What was found of a store's manifests so far.
pub(super) struct Graph<'s> {
    held: Held<'s>,
    /// Of each manifest or index that was read, those that it lists.
    read: HashMap<Digest, Box<[Digest]>>,
    /// Everything that what was read leads to, itself included.
    reached: HashSet<Digest>,
    json_left: u64,
    full: bool,
}

impl<'s> Graph<'s> {
    pub(super) fn new(held: Held<'s>) -> Self {
        Self { held, read: HashMap::new(), reached: HashSet::new(), json_left: JSON_TOTAL, full: false }
    }

    /// The manifests that this one leads to, itself included, each once.
    pub(super) fn reach(&mut self, from: Digest) -> HashSet<Digest> {
        let (mut seen, mut waiting) = (HashSet::from([from]), vec![from]);
        while let Some(digest) = waiting.pop() {
            for below in self.below(digest) {
                if seen.insert(below) {
                    waiting.push(below);
                }
            }
        }
        seen
    }

    /// Reads a manifest, unless it was read before.
    fn below(&mut self, digest: Digest) -> Vec<Digest> {
        if let Some(known) = self.read.get(&digest) {
            return known.to_vec();
        }
        self.reached.insert(digest);
        let below = self.document(&digest).map(|document| {
            // As `plan` reads it: what has a list of manifests is an index, whatever else it has.
            if document.manifests.is_none() {
                let parts = document.config.iter().chain(document.layers.iter().flat_map(|few| &few.0));
                self.reached.extend(parts.filter_map(|part| Digest::new(&part.digest)));
            }
            let listed = document.manifests.iter().flat_map(|few| &few.0);
            listed.filter_map(|part| Digest::new(&part.digest)).collect::<Vec<_>>()
        });
        let below = below.unwrap_or_default();
        self.read.insert(digest, below.clone().into());
        below
    }

    /// A blob that is a manifest or an index; damage is reported by whoever plans from it.
    fn document(&mut self, digest: &Digest) -> Option<Document> {
        let (path, len) = self.held.blobs.file(digest).filter(|(_, len)| *len <= JSON)?;
        let left = self.json_left.checked_sub(len);
        self.full |= left.is_none();
        self.json_left = left?;
        let bytes = self.held.small(path.as_bytes()).ok()??;
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return None;
        }
        let document: Document = parse(&bytes, "image manifest").ok()?;
        let describes = document.config.is_some() && document.layers.is_some() || document.old;
        (describes || document.manifests.is_some()).then_some(document)
    }

    /// Whether a blob starts like JSON.
    fn is_json(&self, digest: &Digest, len: u64) -> bool {
        let mut first = [0];
        let opened = self.held.blobs.file(digest).filter(|_| (2..=JSON).contains(&len));
        let file = opened.and_then(|(path, _)| self.held.store.file(path.as_bytes()).ok().flatten());
        let read = file.and_then(|(file, _)| std::os::unix::fs::FileExt::read_at(&file, &mut first, 0).ok());
        read == Some(1) && matches!(first, [b'{' | b' ' | b'\n' | b'\t'])
    }

    /// The manifests that nothing led to so far, the indexes before those that they list, and then the other blobs of no image.
    pub(super) fn rest(&mut self) -> Rest {
        let unseen: Vec<_> = self.held.blobs.all().into_iter().filter(|(d, _)| !self.reached.contains(d)).collect();
        let mut manifests = Vec::new();
        for (digest, len) in &unseen {
            if self.is_json(digest, *len) && self.document(digest).is_some() {
                manifests.push(*digest);
            }
        }
        let mut listed = HashSet::new();
        for digest in &manifests {
            listed.extend(self.below(*digest).into_iter().filter(|below| below != digest));
        }
        // Those that only list one another come last.
        let (tops, others): (Vec<_>, Vec<_>) = manifests.into_iter().partition(|digest| !listed.contains(digest));
        let (mut rest, mut seen) = (Rest::default(), HashSet::new());
        for digest in tops.into_iter().chain(others) {
            if !seen.contains(&digest) {
                seen.extend(self.reach(digest));
                rest.manifests.push(digest);
            }
        }
        let blobs = unseen.into_iter().map(|(digest, _)| digest).filter(|digest| !self.reached.contains(digest));
        rest.blobs = blobs.collect();
        if self.full {
            rest.flaws.push((TreePath::root(), Flaw::TooLarge(JSON_TOTAL)));
        }
        rest
    }
}

/// What no name of a store leads to.
#[derive(Default)]
pub(super) struct Rest {
    /// Manifests and indexes.
    pub(super) manifests: Vec<Digest>,
    /// Blobs that are neither, nor part of an image.
    pub(super) blobs: Vec<Digest>,
    pub(super) flaws: Vec<(TreePath, Flaw)>,
}

impl Rest {
    /// As images without a name.
    pub(super) fn roots(&self) -> impl Iterator<Item = Root> {
        self.manifests.iter().map(|digest| Root { names: Vec::new(), digest: digest.to_string() })
    }

    /// What is not examined, with why.
    pub(super) fn left_out(&self, held: &Held<'_>) -> Vec<(TreePath, &'static str)> {
        let places = self.blobs.iter().filter_map(|digest| held.blobs.file(digest));
        let mut left_out: Vec<_> =
            places.take(LISTED).map(|(path, _)| (path, "a blob that is part of no image")).collect();
        if self.blobs.len() > LISTED {
            left_out.push((TreePath::root(), "more blobs that are part of no image than are listed"));
        }
        left_out
    }
}

/// The names of a store's images by the digests of their manifests. An image gets them when all are planned: each manifest is read
/// once, however many names it has.
#[derive(Default)]
pub(super) struct Names {
    found: BTreeMap<String, Vec<String>>,
    /// Digests in the order in which they came.
    order: Vec<String>,
    /// A name was no reference.
    odd: bool,
}

impl Names {
    /// Adds a digest (`sha256:…`), with a name where it has one.
    pub(super) fn add(&mut self, digest: &str, name: Option<String>) {
        let names = self.found.entry(digest.to_owned()).or_insert_with(|| {
            self.order.push(digest.to_owned());
            Vec::new()
        });
        match name {
            Some(name) if is_reference(&name) => names.push(name),
            Some(_) => self.odd = true,
            None => {}
        }
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// Each manifest, to be planned without its names.
    pub(super) fn roots(&self) -> impl Iterator<Item = Root> {
        self.order.iter().map(|digest| Root { names: Vec::new(), digest: digest.clone() })
    }

    /// Gives each image the names of its manifest, and of the indexes that list it.
    pub(super) fn name(&self, plan: &mut Plan) {
        for image in &mut plan.images {
            for hex in &image.manifests {
                image.tags.extend(self.found.get(&format!("sha256:{hex}")).into_iter().flatten().cloned());
            }
            let mut seen = HashSet::new();
            image.tags.retain(|tag| seen.insert(tag.clone()));
        }
        if self.odd {
            plan.flaws.push((TreePath::root(), Flaw::malformed("store of images", "a name is not an image reference")));
        }
    }
}

/// The same flaw once more.
pub(super) fn again(flaw: &Flaw) -> Flaw {
    match flaw {
        Flaw::Io(error) => {
            Flaw::Io(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error))
        }
        Flaw::Malformed { what, why } => Flaw::Malformed { what, why: why.clone() },
        Flaw::TooLarge(limit) => Flaw::TooLarge(*limit),
        Flaw::Holes(bytes) => Flaw::Holes(*bytes),
        Flaw::Truncated(what) => Flaw::Truncated(what),
        Flaw::Unsupported(what) => Flaw::Unsupported(what),
    }
}
