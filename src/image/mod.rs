//! Container images, examined as they are saved: a tar of docker, podman, skopeo or an OCI tool, or a folder in the OCI layout.
//! Nothing is unpacked; each layer is read once, however many images share it.
//!
//! A layer is named by its diff id (the digest of its tar) where the configuration has it, so that the same image gives the same
//! findings whether it was saved plain, as gzip or as zstd. A fact in a layer proves that the file was there when that layer was
//! made, and that everybody who pulls the image gets it, also where a later layer hides it (`ImageFact::gone_in`).

mod arguments;
mod codec;
mod entries;
mod few;
mod input;
mod kept;
mod layer;
pub mod listing;
mod manifest;
mod model;
mod plan;
mod planned;
mod scan;
mod source;
pub mod target;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

pub use codec::Limits;
pub use manifest::Step;
pub use model::{Image, ImageFact, ImageLayer};
pub use plan::Readers;
pub use planned::{Container, Holds};

use self::{
    entries::Key,
    input::{Input, Section, open_input},
    kept::InputKept,
    layer::{Expected, LayerScan},
    model::{assemble, labels},
    planned::{Plan, Planned, PlannedLayer},
    scan::{scan_layers, scan_root},
    source::{Archive, Layout, Source},
};
use crate::{
    coverage::{Coverage, Exclusion, Gap, IMAGE},
    fact::{Origin, TreePath},
    interest::Interest,
    surface::{Flaw, Meta},
    text::escape_short,
    walk::{Keep, Router, Weigh},
};

/// The steps of an image's build.
pub static HISTORY: Meta = Meta {
    id: "image/history",
    title: "the steps that built an image",
    proves: "the command was a step of the build; a value that it left in the image",
};

/// The image itself, by its name and digests.
pub static CONFIG: Meta = Meta {
    id: "image/config",
    title: "name, tags and digests of an image",
    proves: "the image is the one that an indicator names",
};

/// Layers read at a time: a zstd frame may ask for 32 MiB.
const THREADS: usize = 3;
/// Names looked up in layers, to find which links lead out of theirs.
const LOOK_UPS: u64 = 10_000_000;

/// How images are to be examined.
pub struct Options<'o> {
    /// Which surfaces want which files.
    pub router: &'o Router<'o>,
    /// What the indicators ask for.
    pub interest: &'o Interest,
    /// Which facts to keep.
    pub keep: &'o Keep<'o>,
    /// What a file weighs that cannot be read.
    pub weigh: &'o Weigh<'o>,
    /// Read what configurations say.
    pub readers: Readers<'o>,
    /// Layers read at a time; no more than three are.
    pub threads: usize,
    /// Budgets of each layer.
    pub limits: Limits,
    /// Compare layers with their digests. Without it, the bodies of a plain tar are seeked over instead of read.
    pub verify: bool,
    /// Ends the examination early when it is set.
    pub stop: &'o AtomicBool,
}

/// Why an input cannot be examined at all. The caller's fault: it named something else.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The path cannot be opened.
    #[error("cannot open: {0}")]
    Open(io::Error),
    /// The file is no tar, the folder no image layout.
    #[error("not a saved image: {0}")]
    NotAnImage(&'static str),
}

impl From<io::Error> for ImageError {
    fn from(error: io::Error) -> Self {
        Self::Open(error)
    }
}

/// What one input held.
#[derive(Debug)]
pub struct Examination {
    /// In the order of the input.
    pub images: Vec<Image>,
    /// The account of all of it; a layer that images share is counted once, under the first of them.
    pub coverage: Coverage,
}

impl Examination {
    fn absorb(&mut self, other: Self) {
        self.images.extend(other.images);
        self.coverage.absorb(other.coverage);
        self.coverage.sort_and_dedup();
    }
}

/// What every layer's reader shares.
struct Job<'j> {
    router: &'j Router<'j>,
    interest: &'j Interest,
    keep: &'j Keep<'j>,
    weigh: &'j Weigh<'j>,
    limits: Limits,
    verify: bool,
    stop: &'j AtomicBool,
    key: Key,
    kept: Mutex<InputKept>,
    /// Labels that images have already.
    taken: Mutex<BTreeSet<Arc<str>>>,
}

impl<'j> Job<'j> {
    fn new(options: &Options<'j>, taken: &BTreeSet<Arc<str>>) -> Self {
        Self {
            router: options.router,
            interest: options.interest,
            keep: options.keep,
            weigh: options.weigh,
            limits: options.limits,
            verify: options.verify,
            stop: options.stop,
            key: Key::default(),
            kept: Mutex::new(InputKept::new(&options.limits)),
            taken: Mutex::new(taken.clone()),
        }
    }

    /// What is kept of all layers so far.
    fn kept(&self) -> MutexGuard<'_, InputKept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A label that no other image has: the same tag may be in several files, with other content.
    fn label(&self, wanted: String, input: &Arc<str>) -> Arc<str> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_input = [wanted.clone(), format!("{wanted} in {input}")].into_iter();
        let numbered = (2_u64..).map(|n| format!("{wanted} in {input} #{n}"));
        let free = of_input.chain(numbered).map(Arc::<str>::from).find(|l| !taken.contains(l));
        let label = free.unwrap_or_else(|| wanted.into());
        taken.insert(label.clone());
        label
    }
}

/// Examines a saved image, or all images of an archive or layout.
///
/// Its images get labels that are none of those in `taken`.
///
/// # Errors
/// Where the input cannot be opened or is no saved image. Problems with what it holds are gaps in the coverage.
pub fn examine(target: &Path, options: &Options<'_>, taken: &BTreeSet<Arc<str>>) -> Result<Examination, ImageError> {
    let name = target.file_name().unwrap_or(target.as_os_str()).as_encoded_bytes();
    let name: Arc<str> = escape_short(name, 120).into();
    let job = Job::new(options, taken);
    let threads = options.threads.clamp(1, THREADS);
    match open_input(target)? {
        Input::Folder(folder) => {
            let store = Layout { folder };
            let plan = store.plan(options.readers);
            if !plan.is_image {
                return Err(ImageError::NotAnImage("the folder has neither index.json nor manifest.json"));
            }
            Ok(run(&job, &store, plan, Vec::new(), threads, &name))
        }
        Input::File(file, len) => {
            let mut store = match Archive::open(file, len, options.limits, options.stop) {
                Ok(store) => store,
                Err(_) if options.stop.load(Ordering::Relaxed) => return Ok(interrupted()),
                Err(flaw) => return Ok(unread(&name, &flaw)),
            };
            if options.stop.load(Ordering::Relaxed) {
                return Ok(interrupted());
            }
            if let Some(flaw) = store.nothing_but() {
                return Ok(unread(&name, &flaw));
            }
            if !store.is_tar() {
                return Err(ImageError::NotAnImage("the file is not a tar"));
            }
            let plan = store.plan(options.readers);
            let folders = if plan.is_image { Vec::new() } else { store.folders() };
            if !folders.is_empty() {
                let mut all = interrupted();
                for folder in folders {
                    store.enter(folder);
                    let plan = store.plan(options.readers);
                    let flaws = store.flaws();
                    all.absorb(run(&job, &store, plan, flaws, threads, &name));
                }
                return Ok(all);
            }
            // Whoever owns a container can put a file with the name of a manifest into it: that must not hide the rest.
            if !plan.is_image || store.holds_files() && plan.images.is_empty() {
                return Ok(root(&job, &mut store.whole(), plan, &name));
            }
            let beside = store.holds_files().then(|| root(&job, &mut store.whole(), Plan::default(), &name));
            let flaws = store.flaws();
            let mut found = run(&job, &store, plan, flaws, threads, &name);
            beside.into_iter().for_each(|b| found.absorb(b));
            Ok(found)
        }
    }
}

/// Stopped by the user before anything was known: that is no gap of the evidence.
fn interrupted() -> Examination {
    Examination { images: Vec::new(), coverage: Coverage::default() }
}

fn unread(name: &Arc<str>, flaw: &Flaw) -> Examination {
    let mut coverage = Coverage { trees: vec![name.to_string()], ..Coverage::default() };
    coverage.gaps.push(gap(name, TreePath::root(), flaw));
    Examination { images: Vec::new(), coverage }
}

fn gap(tree: &Arc<str>, path: TreePath, flaw: &Flaw) -> Gap {
    Gap { origin: Origin::file(tree, path), surface: IMAGE, kind: flaw.kind(), detail: flaw.to_string() }
}

/// The tar of a file system: one layer, which nothing describes.
fn root(job: &Job<'_>, source: &mut Section, mut plan: Plan, name: &Arc<str>) -> Examination {
    let alone = "a file system without layers and history: what was removed before it was saved cannot be seen";
    plan.left_out.push((TreePath::root(), alone));
    let scan = scan_root(job, source);
    let planned = Planned { layers: vec![PlannedLayer::default()], ..Planned::default() };
    let mut image = assemble(job, planned, job.label(name.to_string(), name), &HashMap::new());
    if let Some(first) = image.layers.first_mut() {
        first.scan = Some(Arc::new(scan));
    }
    account(vec![image], plan, Vec::new(), name)
}

fn run(
    job: &Job<'_>,
    store: &dyn Source,
    mut plan: Plan,
    flaws: Vec<(TreePath, Flaw)>,
    threads: usize,
    name: &Arc<str>,
) -> Examination {
    if plan.images.is_empty() && plan.flaws.is_empty() {
        plan.flaws.push((TreePath::root(), Flaw::malformed("saved image", "it holds no image")));
    }
    plan.flaws.extend(claimed_twice(&plan.images));
    let scans = scan_layers(job, store, &plan.images, threads);
    let labels = labels(&plan.images, name).into_iter().map(|label| job.label(label, name));
    let planned = std::mem::take(&mut plan.images).into_iter().zip(labels);
    let images = planned.map(|(image, label)| assemble(job, image, label, &scans)).collect();
    account(images, plan, flaws, name)
}

/// Members that two images know by different digests: the one that is not compared could be a lie.
fn claimed_twice(images: &[Planned]) -> Vec<(TreePath, Flaw)> {
    let mut claims: HashMap<&TreePath, &Expected> = HashMap::new();
    let mut flaws = Vec::new();
    for layer in images.iter().flat_map(|i| &i.layers) {
        if let Some((member, _)) = &layer.member
            && *claims.entry(member).or_insert(&layer.expected) != &layer.expected
        {
            flaws.push((member.clone(), Flaw::malformed("layer", "two images know it by different digests")));
        }
    }
    flaws
}

/// Adds up the account of an input.
fn account(images: Vec<Image>, plan: Plan, flaws: Vec<(TreePath, Flaw)>, name: &Arc<str>) -> Examination {
    let mut coverage = Coverage::default();
    let about_input = plan.flaws.iter().chain(&flaws);
    coverage.gaps = about_input.map(|(path, flaw)| gap(name, path.clone(), flaw)).collect();
    let left_out = plan.left_out.into_iter();
    coverage.exclusions = left_out
        .map(|(path, reason)| Exclusion { origin: Origin::file(name, path), reason: reason.to_owned() })
        .collect();
    let mut counted: HashSet<*const LayerScan> = HashSet::new();
    let mut look_ups = LOOK_UPS;
    for image in &images {
        coverage.trees.push(image.label.to_string());
        for layer in &image.layers {
            let Some(scan) = &layer.scan else {
                let mut missing =
                    gap(&image.label, TreePath::root(), &Flaw::malformed("saved image", "a layer is missing"));
                missing.origin.layer.clone_from(&layer.digest);
                coverage.gaps.push(missing);
                continue;
            };
            if !counted.insert(Arc::as_ptr(scan)) {
                continue;
            }
            let mut part = scan.coverage.clone();
            part.gaps.iter_mut().for_each(|g| image.relabel(&mut g.origin, layer));
            part.weightless.iter_mut().for_each(|g| image.relabel(&mut g.origin, layer));
            part.leading = std::mem::take(&mut part.leading)
                .into_iter()
                .map(|mut origin| {
                    image.relabel(&mut origin, layer);
                    origin
                })
                .collect();
            part.exclusions.iter_mut().for_each(|e| image.relabel(&mut e.origin, layer));
            coverage.absorb(part);
        }
        coverage.gaps.extend(image.links_elsewhere(&mut look_ups));
    }
    coverage.sort_and_dedup();
    Examination { images, coverage }
}
