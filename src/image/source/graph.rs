//! Which blobs of a store its manifests lead to, so that those which no name leads to are examined too: the bad image is usually
//! untagged first. Of each manifest its digests are kept, not its JSON.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Store as _,
    blobs::{Digest, Held},
    flaws::{Flaws, note},
};
use crate::{
    fact::TreePath,
    image::{
        manifest::{Document, JSON, is_reference, parse},
        planned::{Plan, Root},
    },
    stop,
    surface::Flaw,
};

/// Bytes of JSON read of one store.
const JSON_TOTAL: u64 = 1 << 30;
/// Times that a manifest is reached from an index, for all names of a store.
const STEPS: usize = 20_000_000;
/// Bytes of the names that all images of a store get.
const TAG_BYTES: usize = 128 << 20;
/// What a name costs beside its bytes.
const TAG: usize = 64;
const WHAT: &str = "store of images";
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
    steps_left: usize,
    /// Blobs that cannot be read.
    flaws: Flaws,
}

impl<'s> Graph<'s> {
    pub(super) fn new(held: Held<'s>) -> Self {
        Self {
            held,
            read: HashMap::new(),
            reached: HashSet::new(),
            json_left: JSON_TOTAL,
            full: false,
            steps_left: STEPS,
            flaws: Flaws::new(),
        }
    }

    /// Adds the manifests that this one leads to, itself included, each once. What was seen already is not followed again.
    pub(super) fn reach(&mut self, from: Digest, seen: &mut HashSet<Digest>) {
        let mut waiting = Vec::from_iter(seen.insert(from).then_some(from));
        while let Some(digest) = waiting.pop()
            && !stop::requested()
        {
            let below = self.below(digest);
            let Some(left) = self.steps_left.checked_sub(below.len()) else {
                self.steps_left = 0;
                return;
            };
            self.steps_left = left;
            waiting.extend(below.into_iter().filter(|below| seen.insert(*below)));
        }
    }

    /// The manifests that one lists and the store holds. It is read, unless it was read before.
    fn below(&mut self, digest: Digest) -> Vec<Digest> {
        if let Some(known) = self.read.get(&digest) {
            return known.to_vec();
        }
        if !self.held.blobs.has(&digest) {
            return Vec::new();
        }
        self.reached.insert(digest);
        // Damage is reported by whoever plans from it.
        let below = self.document(&digest).unwrap_or_default().map(|document| {
            let blobs = self.held.blobs;
            let held = |digest: &Digest| blobs.has(digest);
            // As `plan` reads it: what has a list of manifests is an index, whatever else it has.
            if document.manifests.is_none() {
                let parts = document.config.iter().chain(document.layers.iter().flat_map(|few| &few.0));
                self.reached.extend(parts.filter_map(|part| Digest::new(&part.digest)).filter(held));
            }
            let listed = document.manifests.iter().flat_map(|few| &few.0);
            listed.filter_map(|part| Digest::new(&part.digest)).filter(held).collect::<Vec<_>>()
        });
        let below = below.unwrap_or_default();
        self.read.insert(digest, below.clone().into());
        below
    }

    /// A blob that is a manifest or an index; `None` where it is another.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn document(&mut self, digest: &Digest) -> Result<Option<Document>, Flaw> {
        let Some((path, len)) = self.held.blobs.file(digest).filter(|(_, len)| *len <= JSON) else {
            return Ok(None);
        };
        let Some(left) = self.json_left.checked_sub(len) else {
            self.full = true;
            return Ok(None);
        };
        self.json_left = left;
        let bytes = self.held.small(path.as_bytes())?.unwrap_or_default();
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Ok(None);
        }
        let Ok(document) = parse::<Document>(&bytes, "image manifest") else {
            return Ok(None);
        };
        let describes = document.config.is_some() && document.layers.is_some() || document.old;
        Ok(Some(document).filter(|document| describes || document.manifests.is_some()))
    }

    /// Whether a blob is a manifest or an index. It is read where it starts like JSON.
    fn is_manifest(&mut self, digest: &Digest, len: u64) -> Result<bool, Flaw> {
        let Some((path, _)) = self.held.blobs.file(digest).filter(|_| (2..=JSON).contains(&len)) else {
            return Ok(false);
        };
        let Some((file, _)) = self.held.store.file(path.as_bytes())? else {
            return Ok(false);
        };
        let mut first = [0];
        let read = std::os::unix::fs::FileExt::read_at(&file, &mut first, 0)?;
        if read != 1 || !matches!(first, [b'{' | b' ' | b'\n' | b'\t']) {
            return Ok(false);
        }
        Ok(self.document(digest)?.is_some())
    }

    /// The manifests that nothing led to so far, the indexes before those that they list, and then the other blobs of no image.
    pub(super) fn rest(&mut self) -> Rest {
        let unseen: Vec<_> = self.held.blobs.all().into_iter().filter(|(d, _)| !self.reached.contains(d)).collect();
        let (mut manifests, mut unread) = (Vec::new(), HashSet::new());
        for (digest, len) in unseen.iter().take_while(|_| !stop::requested()) {
            match self.is_manifest(digest, *len) {
                Ok(true) => manifests.push(*digest),
                Ok(false) => {}
                Err(flaw) => {
                    let path = self.held.blobs.file(digest).map(|(path, _)| path).unwrap_or_else(TreePath::root);
                    note(&mut self.flaws, path.as_bytes(), flaw);
                    unread.insert(*digest);
                }
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
                self.reach(digest, &mut seen);
                rest.manifests.push(digest);
            }
        }
        let is_other = |digest: &Digest| !self.reached.contains(digest) && !unread.contains(digest);
        rest.blobs = unseen.into_iter().map(|(digest, _)| digest).filter(is_other).collect();
        rest.flaws = std::mem::take(&mut self.flaws);
        if self.steps_left == 0 {
            let why = "its indexes list more manifests than are followed";
            rest.flaws.push((TreePath::root(), Flaw::malformed(WHAT, why)));
        }
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
    pub(super) flaws: Flaws,
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
        self.name_within(plan, TAG_BYTES);
    }

    /// Images get names as long as these bytes suffice: each image of an index gets all names of the index.
    fn name_within(&self, plan: &mut Plan, mut bytes: usize) {
        let mut full = false;
        for image in &mut plan.images {
            let own = std::mem::take(&mut image.tags);
            let mut seen: HashSet<&str> = HashSet::new();
            let mut tags: Vec<String> = own.iter().filter(|tag| seen.insert(tag)).cloned().collect();
            let listed = image.manifests.iter().filter_map(|hex| self.found.get(&format!("sha256:{hex}")));
            for tag in listed.flatten() {
                // One that is there already costs time.
                let is_new = seen.insert(tag);
                let Some(left) = bytes.checked_sub(if is_new { tag.len() + TAG } else { TAG }) else {
                    full = true;
                    break;
                };
                bytes = left;
                if is_new {
                    tags.push(tag.clone());
                }
            }
            image.tags = tags;
        }
        if full {
            let why = "its images have more names than are kept";
            plan.flaws.push((TreePath::root(), Flaw::malformed(WHAT, why)));
        }
        if self.odd {
            plan.flaws.push((TreePath::root(), Flaw::malformed(WHAT, "a name is not an image reference")));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use std::fs;

    use super::{
        super::{
            below::Below,
            blobs::{Blobs, Layout},
        },
        *,
    };
    use crate::image::planned::Planned;

    #[test]
    fn names_are_given_as_long_as_they_fit() {
        let (mut names, mut plan) = (Names::default(), Plan::default());
        let index = "a".repeat(64);
        (0..1000).for_each(|n| names.add(&format!("sha256:{index}"), Some(format!("registry.example/app:{n:04}"))));
        let listed = || Planned { manifests: vec![index.clone()], ..Planned::default() };
        plan.images.extend((0..1000).map(|_| listed()));
        names.name_within(&mut plan, 1500 * (TAG + "registry.example/app:0000".len()));
        assert_eq!(plan.images.iter().map(|image| image.tags.len()).sum::<usize>(), 1500);
        assert_eq!(plan.flaws.len(), 1);
    }

    #[test]
    fn manifests_are_followed_once_and_as_far_as_steps_suffice() {
        let folder = tempfile::TempDir::new().unwrap();
        let write = |digit: &str, below: &[&str]| {
            let list = below.iter().map(|b| format!(r#"{{"digest":"sha256:{}"}}"#, b.repeat(64))).collect::<Vec<_>>();
            let text = format!(r#"{{"manifests":[{}]}}"#, list.join(","));
            fs::write(folder.path().join(digit.repeat(64)), text).unwrap();
        };
        // What a store does not hold is not kept.
        write("1", &["2", "3", "e", "f", "1"]);
        write("2", &["1", "3"]);
        write("3", &[]);
        let store = Below::new(fs::File::open(folder.path()).unwrap().into());
        let blobs = Blobs::list(&store, "", Layout::Flat);
        let digest = |digit: &str| Digest::of_hex(digit.repeat(64).as_bytes()).unwrap();
        let graph = || Graph::new(Held { store: &store, blobs: &blobs });
        let (mut all, mut seen) = (graph(), HashSet::new());
        all.reach(digest("1"), &mut seen);
        assert_eq!((seen.len(), all.reached.len(), all.read.len()), (3, 3, 3));
        let left = all.steps_left;
        (0..100).for_each(|_| all.reach(digest("1"), &mut seen));
        assert_eq!(all.steps_left, left);
        all.reach(digest("e"), &mut seen);
        assert!(!all.read.contains_key(&digest("e")) && all.rest().flaws.is_empty());
        let mut few = Graph { steps_left: 4, ..graph() };
        few.reach(digest("1"), &mut HashSet::new());
        assert!(few.rest().flaws.iter().any(|(_, flaw)| flaw.to_string().contains("more manifests than are followed")));
    }
}
