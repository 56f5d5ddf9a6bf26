//! Which images a store holds and which members their layers are, from its JSON alone.
//!
//! `manifest.json` (docker save) and `index.json` (OCI) may both be there and describe the same images: those with the same
//! configuration and the same layers are one. An index may hold indexes (platforms), attestations and things that are no
//! images; what is left out is said.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::{
    few::Few,
    input::to_u64,
    layer::Expected,
    manifest::{
        Annotations, Config, Descriptor, Document, HistoryBudget, Saved, is_hex, is_reference, is_word, parse, sha256,
    },
};
use super::{
    planned::{Configured, Holds, Plan, Planned, PlannedLayer, Root},
    source::Store,
};
use crate::{
    fact::{Command, Credential, TreePath},
    shell::Build,
    surface::Flaw,
    text::hex,
};

/// Indexes inside indexes.
const DEPTH: u32 = 8;
/// Images of one store.
const IMAGES: usize = 200_000;
/// Manifests and indexes looked at.
const DOCUMENTS: usize = 1_000_000;
/// Layers of all images of one store, each counted for every image that has it.
const LAYERS: usize = 4_000_000;
/// Bytes of JSON read of one store: an index may name one manifest thousands of times.
const JSON_TOTAL: u64 = 2 << 30;
const WHAT: &str = "image manifest";

/// Credentials by the name of their variable.
pub type Secrets = Vec<(String, Credential)>;

/// Those who read what an image's configuration says in the words of others.
#[derive(Clone, Copy)]
pub struct Readers<'r> {
    /// Reads the install commands in a step's `created_by` text.
    pub history: &'r dyn Fn(&str, &mut Build) -> Vec<Command>,
    /// Finds the secrets among `NAME=value` lines.
    pub environment: &'r dyn Fn(&[u8]) -> Secrets,
    /// The same, among values that the build left in the history.
    pub arguments: &'r dyn Fn(&[u8]) -> Secrets,
}

struct Planner<'p> {
    store: &'p dyn Store,
    readers: Readers<'p>,
    plan: Plan,
    visited: HashSet<String>,
    /// Digests of the indexes and the manifest that are being read: people know an image by any of them.
    within: Vec<String>,
    budget: HistoryBudget,
    layers: usize,
    json_left: u64,
    /// Positions of the images with a configuration.
    by_id: HashMap<String, Vec<usize>>,
}

/// Reads the JSON of a store that has no index of its own, from the images that it is known to hold.
pub(super) fn plan_roots(store: &dyn Store, readers: Readers<'_>, roots: &[Root]) -> Plan {
    let mut planner = Planner::new(store, readers);
    for root in roots {
        let named = |name: Option<String>| {
            let annotations = Annotations { name, ..Annotations::default() };
            Descriptor { digest: root.digest.clone(), annotations, ..Descriptor::default() }
        };
        let none = root.names.is_empty().then_some(None);
        let all = root.names.iter().cloned().map(Some).chain(none).map(named).collect();
        planner.descriptors(b"", all, &Descriptor::default(), 0);
    }
    planner.finish()
}

/// Reads these configurations.
pub(super) fn plan_configured(readers: Readers<'_>, images: impl Iterator<Item = Configured>) -> Plan {
    let mut planner = Planner::new(&Nothing, readers);
    for Configured { place, config, id, mut image } in images {
        image.tags = planner.references(std::mem::take(&mut image.tags).into_iter());
        planner.configure(&mut image, place.as_bytes(), &config, id.as_deref());
        planner.add(image);
    }
    planner.finish()
}

/// Whether a store holds what describes images, whatever is in it.
pub(super) fn is_image(store: &dyn Store) -> bool {
    ["manifest.json", "index.json", "repositories"].iter().any(|name| store.find(name.as_bytes()).is_some())
}

/// A store without members.
struct Nothing;

impl Store for Nothing {
    fn small(&self, _: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        Ok(None)
    }

    fn find(&self, _: &[u8]) -> Option<(TreePath, u64)> {
        None
    }
}

/// Reads the JSON of a store.
pub(super) fn plan(store: &dyn Store, readers: Readers<'_>) -> Plan {
    let mut planner = Planner::new(store, readers);
    planner.saved();
    planner.index();
    if !planner.plan.is_image && store.find(b"repositories").is_some() {
        planner.plan.is_image = true;
        planner.flaw(b"repositories", Flaw::Unsupported("an image saved by Docker before 1.10"));
    }
    planner.finish()
}

impl<'p> Planner<'p> {
    fn new(store: &'p dyn Store, readers: Readers<'p>) -> Self {
        Self {
            store,
            readers,
            plan: Plan::default(),
            visited: HashSet::new(),
            within: Vec::new(),
            budget: HistoryBudget::default(),
            layers: LAYERS,
            json_left: JSON_TOTAL,
            by_id: HashMap::new(),
        }
    }

    fn finish(mut self) -> Plan {
        if self.budget.full {
            self.flaw(b"", Flaw::malformed("history of an image", "it has more install commands than are kept"));
        }
        self.plan
    }

    fn flaw(&mut self, name: &[u8], flaw: Flaw) {
        let path = TreePath::new(name).unwrap_or_else(TreePath::root);
        self.plan.flaws.push((path, flaw));
    }

    /// A small member; problems with it are is_declared.
    fn small(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        match self.store.small(name) {
            Ok(Some(bytes)) => {
                let left = self.json_left.checked_sub(to_u64(bytes.len()));
                self.json_left = left.unwrap_or(0);
                if left.is_none() {
                    self.flaw(b"", Flaw::TooLarge(JSON_TOTAL));
                }
                left.map(|_| bytes)
            }
            Ok(None) => None,
            Err(flaw) => {
                self.flaw(name, flaw);
                None
            }
        }
    }

    fn parsed<T>(&mut self, name: &[u8], parsed: Result<T, Flaw>) -> Option<T> {
        parsed.map_err(|flaw| self.flaw(name, flaw)).ok()
    }

    fn saved(&mut self) {
        let name = b"manifest.json";
        self.plan.is_image |= self.store.find(name).is_some();
        let Some(bytes) = self.small(name) else {
            return;
        };
        // skopeo's `dir` has the manifest itself under this name.
        if bytes.trim_ascii_start().starts_with(b"{") {
            return self.named(name, &bytes, &Descriptor::default(), 0);
        }
        let Some(list) = self.parsed(name, parse::<Few<Saved>>(&bytes, WHAT)) else {
            return;
        };
        for saved in list.0 {
            let layers = saved.layers.0.iter().map(|name| self.layer(name.as_bytes(), digest_in(name))).collect();
            let mut image = Planned { layers, ..Planned::default() };
            image.tags = self.references(saved.repo_tags.0.into_iter());
            match self.small(saved.config.as_bytes()) {
                Some(bytes) => {
                    let expected = digest_in(&saved.config);
                    self.configure(&mut image, saved.config.as_bytes(), &bytes, expected.as_deref());
                }
                None => self.flaw(name, Flaw::malformed(WHAT, "a configuration is missing")),
            }
            self.add(image);
        }
    }

    fn index(&mut self) {
        let name = b"index.json";
        self.plan.is_image |= self.store.find(name).is_some();
        if let Some(bytes) = self.small(name) {
            self.document(name, &bytes, &Descriptor::default(), 0);
        }
    }

    /// An index or a manifest.
    fn document(&mut self, name: &[u8], bytes: &[u8], by: &Descriptor, depth: u32) {
        let Some(document) = self.parsed(name, parse::<Document>(bytes, WHAT)) else {
            return;
        };
        if let Some(list) = document.manifests {
            return self.descriptors(name, list.0, by, depth);
        }
        match (document.config, document.layers) {
            (Some(config), Some(layers)) => self.manifest(name, &config, &layers.0, by),
            _ if document.old => self.flaw(name, Flaw::Unsupported("the image manifest schema of 2015")),
            _ => self.flaw(name, Flaw::malformed(WHAT, "neither an index nor a manifest")),
        }
    }

    fn descriptors(&mut self, name: &[u8], list: Vec<Descriptor>, by: &Descriptor, depth: u32) {
        if depth >= DEPTH {
            return self.flaw(name, Flaw::malformed(WHAT, "indexes are nested too deeply"));
        }
        let siblings = list.iter().any(|d| self.blob(&d.digest).is_some());
        for mut descriptor in list {
            // The tag of an index is the tag of the images in it.
            let (mine, up) = (&mut descriptor.annotations, &by.annotations);
            if mine.name.is_none() && mine.reference.is_none() {
                (mine.name, mine.reference) = (up.name.clone(), up.reference.clone());
            }
            // One image has a descriptor for each of its tags.
            let tag = format!("{}\n{:?}{:?}{:?}", descriptor.digest, mine.name, mine.reference, self.within.last());
            if !self.visited.insert(tag) {
                continue;
            }
            if self.visited.len() > DOCUMENTS {
                return self.flaw(name, Flaw::malformed(WHAT, "it lists more than an image store holds"));
            }
            self.descriptor(name, &descriptor, siblings, depth);
        }
    }

    fn descriptor(&mut self, name: &[u8], descriptor: &Descriptor, siblings: bool, depth: u32) {
        let Some((path, _)) = self.blob(&descriptor.digest) else {
            // `docker save` and `ctr export` write the index of all platforms and the blobs of one.
            if siblings && descriptor.platform.is_some() {
                let path = TreePath::new(name).unwrap_or_else(TreePath::root);
                self.plan.left_out.push((path, "an image for another platform that is not in this file"));
            } else {
                self.flaw(name, Flaw::malformed(WHAT, "a manifest is missing"));
            }
            return;
        };
        let Some(bytes) = self.small(path.as_bytes()) else {
            return;
        };
        self.check(path.as_bytes(), &bytes, sha256(&descriptor.digest));
        self.named(path.as_bytes(), &bytes, descriptor, depth + 1);
    }

    /// An index or a manifest that is known by its digest; `index.json` is not.
    fn named(&mut self, name: &[u8], bytes: &[u8], by: &Descriptor, depth: u32) {
        self.within.push(hex(&Sha256::digest(bytes)));
        self.document(name, bytes, by, depth);
        self.within.pop();
    }

    fn manifest(&mut self, name: &[u8], config: &Descriptor, layers: &[Descriptor], by: &Descriptor) {
        let path = TreePath::new(name).unwrap_or_else(TreePath::root);
        let unknown = by.platform.as_ref().is_some_and(|p| p.os == "unknown" && p.architecture == "unknown");
        let attests = unknown || by.annotations.kind.as_deref() == Some("attestation-manifest");
        if attests && layers.iter().all(|l| l.media_type.contains("in-toto")) {
            return self.plan.left_out.push((path, "an attestation: it holds no file system"));
        }
        let mut image = Planned { manifests: self.within.clone(), ..Planned::default() };
        image.layers = layers
            .iter()
            .map(|l| {
                let expected = Expected { blob: sha256(&l.digest).map(str::to_owned), diff_id: None };
                PlannedLayer { member: self.blob(&l.digest), expected, unpacked: false }
            })
            .collect();
        let names = by.annotations.name.clone().or_else(|| by.annotations.reference.clone());
        image.tags = self.references(names.into_iter());
        match self.blob(&config.digest) {
            None => self.flaw(name, Flaw::malformed(WHAT, "a configuration is missing")),
            Some((at, _)) => {
                let Some(bytes) = self.small(at.as_bytes()) else {
                    return self.add(image);
                };
                // Charts, signatures and models are stored in the same way, with a configuration of their own.
                let is_declared =
                    config.media_type.contains("image.config") || config.media_type.contains("container.image");
                if !is_declared && !parse::<Config>(&bytes, WHAT).is_ok_and(|c| c.rootfs.is_some()) {
                    return self.plan.left_out.push((path, "not a container image: its configuration describes none"));
                }
                self.configure(&mut image, at.as_bytes(), &bytes, sha256(&config.digest));
            }
        }
        self.add(image);
    }

    fn configure(&mut self, image: &mut Planned, name: &[u8], bytes: &[u8], expected: Option<&str>) {
        image.id = Some(hex(&Sha256::digest(bytes)));
        self.check(name, bytes, expected);
        let Some(mut config) = self.parsed(name, parse::<Config>(bytes, "image configuration")) else {
            return;
        };
        image.os = config.os.take().filter(|w| is_word(w));
        image.architecture = config.architecture.take().filter(|w| is_word(w));
        let build = config.build();
        image.labels = config.labels(self.readers.arguments);
        (image.variables, image.secrets) = config.variables(self.readers.environment);
        image.steps = config.steps(&self.readers, &image.variables, build, &mut self.budget);
        (image.created, image.epoch) = (config.made(), config.epoch);
        let diff_ids = config.rootfs.unwrap_or_default().diff_ids.0;
        let written = usize::from(matches!(image.holds, Holds::Container(_)));
        if diff_ids.len() + written != image.layers.len() {
            self.flaw(name, Flaw::malformed("image configuration", "it lists other layers than the manifest"));
            return;
        }
        for (layer, id) in image.layers.iter_mut().zip(&diff_ids) {
            layer.expected.diff_id = sha256(id).map(str::to_owned);
        }
    }

    fn check(&mut self, name: &[u8], bytes: &[u8], expected: Option<&str>) {
        if expected.is_some_and(|e| hex(&Sha256::digest(bytes)) != e) {
            self.flaw(name, Flaw::malformed(WHAT, "a blob does not match its digest"));
        }
    }

    fn references(&mut self, found: impl Iterator<Item = String>) -> Vec<String> {
        let (fit, odd): (Vec<_>, Vec<_>) = found.partition(|r| is_reference(r));
        if !odd.is_empty() {
            self.flaw(b"", Flaw::malformed(WHAT, "a tag is not an image reference"));
        }
        fit
    }

    fn layer(&self, name: &[u8], blob: Option<String>) -> PlannedLayer {
        PlannedLayer { member: self.store.find(name), expected: Expected { blob, diff_id: None }, unpacked: false }
    }

    /// Where the blob with this digest is kept.
    fn blob(&self, digest: &str) -> Option<(TreePath, u64)> {
        let (algorithm, hex) = digest.split_once(':')?;
        let plain = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain(algorithm) || !plain(hex) {
            return None;
        }
        let names = [format!("blobs/{algorithm}/{hex}"), hex.to_owned()];
        names.iter().find_map(|name| self.store.find(name.as_bytes()))
    }

    /// Adds an image, or what is new of it where the other manifest is_declared of it already.
    fn add(&mut self, image: Planned) {
        let members = |i: &Planned, other: &Planned| {
            let pairs = i.layers.iter().zip(&other.layers);
            i.layers.len() == other.layers.len() && pairs.rev().all(|(a, b)| a.member == b.member)
        };
        let id = image.id.clone().filter(|_| image.holds == Holds::Image);
        let alike = id.as_ref().and_then(|id| self.by_id.get(id)).map_or(&[][..], Vec::as_slice);
        let same = |at: &&usize| self.plan.images.get(**at).is_some_and(|i| members(i, &image));
        let known = alike.iter().find(same).copied();
        if let Some(known) = known.and_then(|at| self.plan.images.get_mut(at)) {
            for tag in image.tags {
                // The bare tag of an OCI annotation says less than the reference that ends with it.
                if !known
                    .tags
                    .iter()
                    .any(|t| t.strip_suffix(&tag).is_some_and(|front| front.is_empty() || front.ends_with(':')))
                {
                    known.tags.push(tag);
                }
            }
            known.manifests.extend(image.manifests);
            known.manifests.sort();
            known.manifests.dedup();
            return;
        }
        let layers = self.layers.checked_sub(image.layers.len());
        if self.plan.images.len() >= IMAGES || layers.is_none() {
            return self.flaw(b"", Flaw::malformed(WHAT, "it lists more images than are examined"));
        }
        self.layers = layers.unwrap_or(0);
        if let Some(id) = id {
            self.by_id.entry(id).or_default().push(self.plan.images.len());
        }
        self.plan.images.push(image);
    }
}

/// The digest that a member's name claims for its bytes: `blobs/sha256/<hex>`, `<hex>.json`.
fn digest_in(name: &str) -> Option<String> {
    let hex = name.strip_prefix("blobs/sha256/").or_else(|| name.strip_suffix(".json"))?;
    is_hex(hex).then(|| hex.to_owned())
}
