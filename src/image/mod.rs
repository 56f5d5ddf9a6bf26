//! Container images, examined as they are saved: a tar of docker, podman, skopeo or an OCI tool, or a folder in the OCI layout.
//! Nothing is unpacked; each layer is read once, however many images share it.
//!
//! A layer is named by its diff id (the digest of its tar) where the configuration has it, so that the same image gives the same
//! findings whether it was saved plain, as gzip or as zstd. A fact in a layer proves that the file was there when that layer was
//! made, and that everybody who pulls the image gets it, also where a later layer hides it (`ImageFact::gone_in`).

mod archive;
mod codec;
mod input;
mod layer;
mod layout;
mod manifest;
mod members;
mod plan;
mod shadow;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64},
    },
};

use jiff::Timestamp;

pub use codec::Limits;
pub use manifest::Step;

use self::{
    archive::{Archive, Store},
    input::{Input, Section, Source, open_input},
    layer::{Expected, Layer, Scan},
    layout::Layout,
    plan::{Plan, Planned, PlannedLayer},
    shadow::Key,
};
use crate::{
    coverage::{Coverage, Exclusion, Gap, GapKind},
    fact::{Command, Fact, Origin, Seen, TreePath},
    interest::Interest,
    surface::Flaw,
    text::escape_short,
    walk::{Keep, Router},
};

/// The surface that the steps of an image's build are reported under.
pub const HISTORY: &str = "image/history";
const SURFACE: &str = "image";
/// Layers read at a time: a zstd frame may ask for 64 MiB.
const THREADS: usize = 3;

/// How images are to be examined.
pub struct Options<'o> {
    /// Which surfaces want which files.
    pub router: &'o Router<'o>,
    /// What the indicators ask for.
    pub interest: &'o Interest,
    /// Which facts to keep.
    pub keep: &'o Keep<'o>,
    /// Reads the install commands in a step's `created_by` text.
    pub history: &'o dyn Fn(&str) -> Vec<Command>,
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
    Open(#[from] io::Error),
    /// The file is no tar, the folder no image layout.
    #[error("not a saved image: {0}")]
    NotAnImage(&'static str),
}

/// What one input held.
#[derive(Debug)]
pub struct Examination {
    /// In the order of the input.
    pub images: Vec<Image>,
    /// The account of all of it; a layer that images share is counted once, under the first of them.
    pub coverage: Coverage,
}

/// One image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its first tag, else its shortened id: what facts carry as their tree.
    pub label: Arc<str>,
    /// References it is known by.
    pub tags: Vec<String>,
    /// Digest of its configuration, `sha256:…`: the image id of most engines.
    pub id: Option<String>,
    /// Digests of its manifest, `sha256:…`.
    pub manifests: Vec<String>,
    /// By the builder's clock, UTC.
    pub created: Option<Timestamp>,
    /// `linux`.
    pub os: Option<String>,
    /// `amd64`.
    pub architecture: Option<String>,
    /// Names of the variables set in every container.
    pub variables: Vec<String>,
    /// The build, from the first step on.
    pub steps: Vec<Step>,
    /// From the lowest up.
    pub layers: Vec<ImageLayer>,
    key: Key,
}

/// A layer of an image.
#[derive(Debug, Clone)]
pub struct ImageLayer {
    /// `sha256:…`: the diff id where the configuration has it, else the digest of the blob.
    pub digest: Option<Arc<str>>,
    /// The step that made it, as a position in `Image::steps`; `None` where the history does not tell.
    pub step: Option<usize>,
    /// `None` where the input does not hold the layer.
    scan: Option<Arc<Scan>>,
}

/// A fact of one layer, and what became of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFact {
    /// The fact; its origin carries image and layer.
    pub seen: Seen,
    /// Position of its layer in `Image::layers`.
    pub layer: usize,
    /// Position of the first later layer that removes, replaces or overwrites its file: a container does not see it.
    pub gone_in: Option<usize>,
}

/// What every layer's reader shares.
struct Job<'j> {
    router: &'j Router<'j>,
    interest: &'j Interest,
    keep: &'j Keep<'j>,
    limits: Limits,
    verify: bool,
    stop: &'j AtomicBool,
    key: Key,
    names_left: AtomicU64,
}

impl Image {
    /// The facts of every layer, lowest first. Made as they are asked for: images that share layers share what was read.
    pub fn facts(&self) -> impl Iterator<Item = ImageFact> {
        self.layers.iter().enumerate().flat_map(move |(at, layer)| {
            let facts = layer.scan.iter().flat_map(|scan| &scan.facts);
            facts.map(move |seen| {
                let mut seen = seen.clone();
                self.relabel(&mut seen.origin, layer);
                ImageFact { gone_in: self.gone_in(at, &seen.origin.path), layer: at, seen }
            })
        })
    }

    /// The install commands of the build. Their place is the image's root, in the layer that the step made.
    pub fn history(&self) -> impl Iterator<Item = Seen> {
        self.steps.iter().enumerate().flat_map(move |(at, step)| {
            let mut origin = Origin::file(&self.label, TreePath::root());
            origin.inner = Some(format!("step {}", step.number).into());
            let made = self.layers.iter().find(|l| l.step == Some(at));
            origin.layer = made.and_then(|l| l.digest.clone());
            step.commands.iter().map(move |command| Seen {
                surface: HISTORY,
                origin: origin.clone(),
                at: step.at.clone(),
                uid: None,
                mode: None,
                fact: Fact::Command(command.clone()),
            })
        })
    }

    /// What of this image's layers could not be examined.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.layers.iter().flat_map(move |layer| {
            let gaps = layer.scan.iter().flat_map(|scan| &scan.coverage.gaps);
            gaps.map(move |gap| {
                let mut gap = gap.clone();
                self.relabel(&mut gap.origin, layer);
                gap
            })
        })
    }

    /// Whether every layer is there and matches its digest.
    pub fn verified(&self) -> bool {
        self.layers.iter().all(|l| l.scan.as_ref().is_some_and(|s| s.verified))
    }

    /// Position of the first layer above `layer` through which its file at `path` cannot be seen.
    pub fn gone_in(&self, layer: usize, path: &TreePath) -> Option<usize> {
        let hides = |l: &ImageLayer| l.scan.as_ref().is_some_and(|s| s.names.hides(&self.key, path));
        let above = self.layers.get(layer + 1..).unwrap_or_default();
        above.iter().position(hides).map(|n| layer + 1 + n)
    }

    fn relabel(&self, origin: &mut Origin, layer: &ImageLayer) {
        origin.tree.clone_from(&self.label);
        origin.layer.clone_from(&layer.digest);
    }

    /// Wanted symbolic links that lead into another layer are not followed; links to nothing are no gap.
    fn links_elsewhere(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for layer in &self.layers {
            for (path, target) in layer.scan.iter().flat_map(|s| &s.elsewhere) {
                let there = |l: &ImageLayer| l.scan.as_ref().is_some_and(|s| s.names.has_leaf(*target));
                if self.layers.iter().any(there) {
                    let mut origin = Origin::file(&self.label, path.clone());
                    origin.layer.clone_from(&layer.digest);
                    gaps.push(Gap {
                        origin,
                        surface: SURFACE,
                        kind: GapKind::Unsupported,
                        detail: "a link to a file of another layer is not followed".to_owned(),
                    });
                }
            }
        }
        gaps
    }
}

impl ImageLayer {
    /// Names of members, whiteouts included; `None` where the layer was not there.
    pub fn entries(&self) -> Option<u64> {
        self.scan.as_ref().map(|s| s.coverage.files_seen)
    }

    /// How many paths of lower layers it removes.
    pub fn whiteouts(&self) -> u64 {
        self.scan.as_ref().map_or(0, |s| s.whiteouts)
    }
}

/// Examines a saved image, or all images of an archive or layout.
///
/// # Errors
/// Where the input cannot be opened or is no saved image. Problems with what it holds are gaps in the coverage.
pub fn examine(target: &Path, options: &Options<'_>) -> Result<Examination, ImageError> {
    let name = target.file_name().unwrap_or(target.as_os_str()).as_encoded_bytes();
    let name: Arc<str> = escape_short(name, 120).into();
    let job = Job {
        router: options.router,
        interest: options.interest,
        keep: options.keep,
        limits: options.limits,
        verify: options.verify,
        stop: options.stop,
        key: Key::default(),
        names_left: AtomicU64::new(options.limits.names),
    };
    let threads = options.threads.clamp(1, THREADS);
    match open_input(target)? {
        Input::Folder(folder) => {
            let store = Layout { folder, stop: options.stop };
            let plan = plan::plan(&store, options.history);
            if !plan.is_image {
                return Err(ImageError::NotAnImage("the folder has neither index.json nor manifest.json"));
            }
            Ok(run(&job, &store, plan, Vec::new(), threads, &name))
        }
        Input::File(file, len) => {
            let mut store = match Archive::open(file, len, options.limits, options.stop) {
                Ok(store) => store,
                Err(flaw) => return Ok(unread(&name, &flaw)),
            };
            if !store.is_tar() {
                return Err(ImageError::NotAnImage("the file is not a tar"));
            }
            let plan = plan::plan(&store, options.history);
            if plan.images.is_empty() && is_root(&store) {
                return Ok(root(&job, &mut store.whole(), plan, &name));
            }
            if !plan.is_image {
                return Ok(root(&job, &mut store.whole(), plan, &name));
            }
            let flaws = store.flaws();
            Ok(run(&job, &store, plan, flaws, threads, &name))
        }
    }
}

/// Whether a tar looks like the root of a file system, although it has a file with the name of a manifest.
fn is_root(store: &Archive<'_>) -> bool {
    [b"etc/passwd".as_slice(), b"etc/os-release", b"bin/sh", b".dockerenv", b"etc/hostname"]
        .iter()
        .any(|name| store.find(name).is_some())
}

fn unread(name: &Arc<str>, flaw: &Flaw) -> Examination {
    let mut coverage = Coverage { trees: vec![name.to_string()], ..Coverage::default() };
    coverage.gaps.push(gap(name, TreePath::root(), flaw));
    Examination { images: Vec::new(), coverage }
}

fn gap(tree: &Arc<str>, path: TreePath, flaw: &Flaw) -> Gap {
    Gap { origin: Origin::file(tree, path), surface: SURFACE, kind: flaw.kind(), detail: flaw.to_string() }
}

/// The tar of a file system: one layer, which nothing describes.
fn root(job: &Job<'_>, source: &mut Section, plan: Plan, name: &Arc<str>) -> Examination {
    let mut layer = Layer::new(job, Expected::default());
    let mut again = source.again();
    layer.read(source);
    if layer.needs_second() {
        layer.read_again(&mut again);
    }
    let planned = Planned { layers: vec![PlannedLayer::default()], ..Planned::default() };
    let mut image = assemble(job, planned, name.clone(), &HashMap::new());
    for layer_of_it in image.layers.iter_mut() {
        layer_of_it.scan = None;
    }
    if let Some(first) = image.layers.first_mut() {
        first.scan = Some(Arc::new(layer.finish()));
    }
    account(vec![image], plan, Vec::new(), name)
}

fn run(
    job: &Job<'_>,
    store: &dyn Store,
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
    let labels = labels(&plan.images, name);
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

/// Reads each layer once.
fn scan_layers(job: &Job<'_>, store: &dyn Store, images: &[Planned], threads: usize) -> HashMap<TreePath, Arc<Scan>> {
    let mut unique: BTreeMap<&TreePath, (u64, &Expected)> = BTreeMap::new();
    for layer in images.iter().flat_map(|i| &i.layers) {
        if let Some((member, len)) = &layer.member {
            unique.entry(member).or_insert((*len, &layer.expected));
        }
    }
    // The longest first, so that no thread is left alone with it at the end.
    let mut order: Vec<_> = unique.into_iter().collect();
    order.sort_by_key(|(_, (len, _))| std::cmp::Reverse(*len));
    let members: Vec<TreePath> = order.iter().map(|(m, _)| (*m).clone()).collect();
    let layers: Vec<Mutex<Layer<'_>>> =
        order.iter().map(|(_, (_, expected))| Mutex::new(Layer::new(job, (*expected).clone()))).collect();
    let all: Vec<usize> = (0..members.len()).collect();
    pass(store, &members, &layers, &all, threads, |layer, source| layer.read(source));
    let unfinished = |at: &usize| layers.get(*at).is_some_and(|l| locked(l).needs_second());
    let again: Vec<usize> = all.into_iter().filter(unfinished).collect();
    pass(store, &members, &layers, &again, threads, |layer, source| layer.read_again(source));
    let scans = layers.into_iter().map(|l| Arc::new(l.into_inner().unwrap_or_else(PoisonError::into_inner).finish()));
    members.into_iter().zip(scans).collect()
}

/// Opens those of the layers that `which` names.
fn pass(
    store: &dyn Store,
    members: &[TreePath],
    layers: &[Mutex<Layer<'_>>],
    which: &[usize],
    threads: usize,
    read: fn(&mut Layer<'_>, &mut dyn Source),
) {
    let chosen: Vec<TreePath> = which.iter().filter_map(|at| members.get(*at).cloned()).collect();
    store.each(&chosen, threads, &|nth, source| {
        let Some(layer) = which.get(nth).and_then(|at| layers.get(*at)) else {
            return;
        };
        match source {
            Ok(source) => read(&mut locked(layer), source),
            Err(flaw) => locked(layer).trouble(&flaw),
        }
    });
}

fn locked<'l, 'j>(layer: &'l Mutex<Layer<'j>>) -> MutexGuard<'l, Layer<'j>> {
    layer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name for each image that no other image of the input has.
fn labels(images: &[Planned], name: &Arc<str>) -> Vec<Arc<str>> {
    let short = |i: &Planned| {
        let hex = i.id.as_ref().or(i.manifests.first()).and_then(|h| h.get(..12));
        hex.map_or_else(|| name.to_string(), |h| format!("sha256:{h}"))
    };
    let of_tag = |i: &Planned| match i.tags.first() {
        Some(tag) if tag.contains([':', '/', '@']) => tag.clone(),
        // An OCI annotation may hold the bare tag; the name of the layout says what it is a tag of.
        Some(tag) => format!("{name}:{tag}"),
        None => short(i),
    };
    let count = |list: &[String]| {
        let mut seen: HashMap<String, usize> = HashMap::new();
        list.iter().for_each(|l| *seen.entry(l.clone()).or_default() += 1);
        seen
    };
    let distinct = |list: Vec<String>, more: &dyn Fn(&Planned) -> String| -> Vec<String> {
        let seen = count(&list);
        let more = |(label, image)| match seen.get(&label) {
            Some(1) | None => label,
            _ => format!("{label} ({})", more(image)),
        };
        list.into_iter().zip(images).map(more).collect()
    };
    let labels = images.iter().map(of_tag).collect();
    let platform = |i: &Planned| {
        let [os, arch] = [&i.os, &i.architecture].map(|w| w.as_deref().unwrap_or("unknown"));
        format!("{os}/{arch}")
    };
    let labels = distinct(distinct(labels, &platform), &short);
    let seen = count(&labels);
    let numbered = labels.into_iter().enumerate().map(|(i, label)| match seen.get(&label) {
        Some(1) | None => label,
        _ => format!("{label} #{}", i + 1),
    });
    numbered.map(Into::into).collect()
}

fn assemble(job: &Job<'_>, planned: Planned, label: Arc<str>, scans: &HashMap<TreePath, Arc<Scan>>) -> Image {
    let prefixed = |hex: &String| format!("sha256:{hex}");
    let made: Vec<usize> = planned.steps.iter().enumerate().filter(|(_, s)| !s.empty).map(|(at, _)| at).collect();
    // Tools that squash or import write a history that fits no layer.
    let told = made.len() == planned.layers.len();
    let layers = planned.layers.iter().enumerate().map(|(at, layer)| {
        let digest = layer.expected.diff_id.as_ref().or(layer.expected.blob.as_ref());
        ImageLayer {
            digest: digest.map(|d| prefixed(d).into()),
            step: made.get(at).copied().filter(|_| told),
            scan: layer.member.as_ref().and_then(|(member, _)| scans.get(member).cloned()),
        }
    });
    Image {
        label,
        id: planned.id.as_ref().map(prefixed),
        manifests: planned.manifests.iter().map(prefixed).collect(),
        created: planned.created,
        os: planned.os.clone(),
        architecture: planned.architecture.clone(),
        variables: planned.variables.clone(),
        layers: layers.collect(),
        tags: planned.tags,
        steps: planned.steps,
        key: job.key.clone(),
    }
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
    let mut counted: Vec<*const Scan> = Vec::new();
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
            if counted.contains(&Arc::as_ptr(scan)) {
                continue;
            }
            counted.push(Arc::as_ptr(scan));
            let mut part = scan.coverage.clone();
            part.gaps.iter_mut().for_each(|g| image.relabel(&mut g.origin, layer));
            part.exclusions.iter_mut().for_each(|e| image.relabel(&mut e.origin, layer));
            coverage.absorb(part);
        }
        coverage.gaps.extend(image.links_elsewhere());
    }
    coverage.settle();
    Examination { images, coverage }
}
