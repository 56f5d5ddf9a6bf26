//! All images of one run: which layers there are, each read once, and each image joined from them.
//!
//! Images are taken in the order of the plan, as many at a time as have a thousand layers that nobody read yet. What a layer holds is
//! given up with the last image that needs it, so memory does not grow with the number of images.

mod taken;

use std::{
    collections::{BTreeSet, HashSet},
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

pub(super) use self::taken::{Key, keep_wanted};
use self::taken::{Taken, Wanted};
use super::{
    Image, Inputs, Job, Options,
    input::to_u64,
    inputs::OnlyOf,
    part::{Lacking, Parts, SHARDS, Stored, Writing},
    planned::{Holds, Planned},
    scan::{Unit, scan_units},
    source::Source,
};
use crate::{
    coverage::{Coverage, Exclusion, Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    guard::caught,
    inventory::Packing,
    surface::Flaw,
    text::escape_short,
    walk::Router,
};

/// Layers read at a time: a zstd frame may ask for 32 MiB.
const THREADS: usize = 3;
/// Layers that are read before the images that they make up are joined.
const BATCH: usize = 1024;
/// Links looked up, to find which lead out of their layer.
const LOOK_UPS: u64 = 1_000_000;
/// Problems that are listed of one run.
const GAPS: usize = 50_000;
/// What is known before any layer is read.
pub struct Sweep<'s> {
    inputs: Inputs<'s>,
    images: Vec<Wanted>,
    units: Vec<Unit>,
    coverage: Coverage,
    /// Problems beyond those that are listed.
    unlisted: u64,
    /// Layers that no part holds, where others read them; `None` where this run does.
    in_no_part: Option<usize>,
}

impl<'s> Sweep<'s> {
    /// Reads the JSON of all inputs.
    pub fn plan(inputs: Inputs<'s>, options: &Options<'_>) -> Self {
        Self::planned(inputs, options, &mut |_, _| ())
    }

    /// The same, and what others need to join what several of them read.
    pub fn plan_and_store(inputs: Inputs<'s>, options: &Options<'_>) -> (Self, Stored) {
        let mut stored = Stored::default();
        let sweep = Self::planned(inputs, options, &mut |name, images| stored.source(name, images));
        stored.coverage(&sweep.coverage);
        (sweep, stored)
    }

    fn planned(mut inputs: Inputs<'s>, options: &Options<'_>, each: &mut dyn FnMut(&Arc<str>, &[Planned])) -> Self {
        let coverage = std::mem::take(&mut inputs.coverage);
        let mut sweep = Self { inputs, images: Vec::new(), units: Vec::new(), coverage, unlisted: 0, in_no_part: None };
        let mut taken = Taken::default();
        // Of what was named of stores, whether its store is there, and whether it is in one.
        let mut met: Vec<(bool, bool)> = vec![(false, false); sweep.inputs.named.len()];
        let mut known: HashSet<String> = HashSet::new();
        for at in 0..sweep.inputs.sources.len() {
            let named = sweep.inputs.names.get(at).cloned().zip(sweep.inputs.sources.get(at));
            let Some((name, source)) = named else { continue };
            let is_known = |id: &str| known.contains(id.strip_prefix("sha256:").unwrap_or(id));
            let Some(mut plan) = caught(|| source.plan_others(options.readers, &is_known)) else {
                let detail = "internal error: it was not examined".to_owned();
                let origin = Origin::file(&name, TreePath::root());
                sweep.coverage.gaps.push(Gap { origin, surface: IMAGE, kind: GapKind::Panicked, detail });
                each(&name, &[]);
                continue;
            };
            let only = sweep.inputs.only.get(at).map_or(&[][..], |only| only.as_deref().unwrap_or_default());
            let is_saved = sweep.inputs.only.get(at).is_some_and(Option::is_none);
            if plan.images.is_empty() && plan.flaws.is_empty() && plan.is_image && is_saved {
                plan.flaws.push((TreePath::root(), Flaw::malformed("saved image", "it holds no image")));
            }
            sweep.coverage.gaps.extend(plan.flaws.iter().map(|(path, flaw)| gap(&name, path.clone(), flaw)));
            let left_out = plan.left_out.into_iter();
            let left_out = left_out
                .map(|(path, reason)| Exclusion { origin: Origin::file(&name, path), reason: reason.to_owned() });
            sweep.coverage.exclusions.extend(left_out);
            if !only.is_empty() {
                let only: Vec<OnlyOf<'_>> = only.iter().map(|only| only.of(&**source)).collect();
                for only in &only {
                    let is_there = only.is_all() || plan.images.iter().any(|image| only.is(image));
                    met.get_mut(only.only.nth).into_iter().for_each(|met| *met = (true, met.1 || is_there));
                }
                keep_wanted(&mut plan.images, &only);
            }
            known.extend(plan.within_others.iter().cloned());
            known.extend(plan.images.iter().flat_map(|image| image.id.iter().chain(&image.manifests)).cloned());
            each(&name, &plan.images);
            taken.take(at, &name, plan.images);
        }
        let flaws = sweep.inputs.flaws.iter();
        let flaws = flaws.filter_map(|(at, path, flaw)| Some(gap(sweep.inputs.names.get(*at)?, path.clone(), flaw)));
        sweep.coverage.gaps.extend(flaws);
        for (named, (has_store, is_there)) in sweep.inputs.named.iter().zip(met) {
            let detail = match (has_store, is_there) {
                (_, true) => continue,
                (true, false) => "no store of this kind has an image that is called so",
                (false, false) => "no store of this kind was found",
            };
            let origin = Origin::file(&escape_short(named.as_bytes(), 200).into(), TreePath::root());
            let (kind, detail) = (GapKind::Unreadable, detail.to_owned());
            sweep.coverage.gaps.push(Gap { origin, surface: IMAGE, kind, detail });
        }
        for (name, flaw) in &sweep.inputs.unread {
            sweep.coverage.trees.push(name.to_string());
            sweep.coverage.gaps.push(gap(name, TreePath::root(), flaw));
        }
        (sweep.images, sweep.units) = taken.finish();
        sweep
    }

    /// What several runs planned alike, and read each a share of.
    pub fn of_parts(parts: &mut Parts) -> Self {
        let (inputs, coverage) = (Inputs::default(), parts.coverage());
        let mut sweep =
            Self { inputs, images: Vec::new(), units: Vec::new(), coverage, unlisted: 0, in_no_part: Some(0) };
        let mut taken = Taken::default();
        for (at, (name, images)) in parts.sources().into_iter().enumerate() {
            sweep.inputs.names.push(name.clone());
            taken.take(at, &name, images);
        }
        (sweep.images, sweep.units) = taken.finish();
        let missing = sweep.units.iter().filter(|unit| !parts.has(&unit.key)).count();
        sweep.in_no_part = Some(missing);
        if missing > 0 {
            sweep.coverage.gaps.extend(parts.lacking().iter().map(Lacking::gap));
            let detail = format!("{missing} layers are in none of the parts that were merged");
            let origin = Origin::file(&SHARDS.into(), TreePath::root());
            sweep.coverage.gaps.push(Gap { origin: origin.clone(), surface: IMAGE, kind: GapKind::Unreadable, detail });
            sweep.coverage.leading.insert(origin);
        }
        sweep
    }

    /// Whether every layer is in some part.
    pub fn is_whole(&self) -> bool {
        self.in_no_part == Some(0)
    }

    /// Different layers, and their bytes as far as the sources say.
    pub fn size(&self) -> (usize, u64) {
        let bytes =
            self.units.iter().filter_map(|unit| unit.at.first()).fold(0, |sum: u64, at| sum.saturating_add(at.len));
        (self.units.len(), bytes)
    }

    /// What is to be read of each input: its name, the images that are found in it first, the different layers that are read there, and
    /// their bytes. Layers that an earlier input has too are read there.
    pub fn parts(&self) -> Vec<(Arc<str>, usize, usize, u64)> {
        let mut parts: Vec<_> = self.inputs.names.iter().map(|name| (name.clone(), 0, 0, 0_u64)).collect();
        for image in &self.images {
            let first = image.copies.first().and_then(|(source, _)| parts.get_mut(*source));
            first.into_iter().for_each(|part| part.1 += 1);
        }
        for at in self.units.iter().filter_map(|unit| unit.at.first()) {
            if let Some(part) = parts.get_mut(at.source) {
                part.2 += 1;
                part.3 = part.3.saturating_add(at.len);
            }
        }
        parts
    }

    /// How many images there are, containers and volumes among them.
    pub fn count(&self) -> usize {
        self.images.len()
    }

    /// Whether they are images and nothing else.
    pub fn is_images_alone(&self) -> bool {
        self.images.iter().all(|image| image.planned.holds == Holds::Image)
    }

    /// What of the inputs could not be read, so far.
    pub fn gaps(&self) -> usize {
        self.coverage.gaps.len()
    }

    /// Reads the layers and hands each image to `each` as it is joined, in the order of the plan.
    pub fn run<'p>(
        mut self,
        options: &Options<'_>,
        packing: &'p Packing<'p>,
        each: &mut dyn FnMut(Image<'p>),
    ) -> Coverage {
        let large = Mutex::new(());
        let job = Job::new(options, packing, &large);
        let bounds = (options.threads.clamp(1, THREADS), options.limits.held);
        let sources = std::mem::take(&mut self.inputs.sources);
        let mut read = |units: &mut [Unit], new: &BTreeSet<usize>| scan_units(&job, &sources, units, new, bounds);
        self.join_all(&sources, &mut read, (packing, options.router, options.stop), each)
    }

    /// Joins the images from what parts hold of their layers. `router` is what read them.
    pub fn join<'p>(
        mut self,
        parts: &Parts,
        packing: &'p Packing<'p>,
        router: &Router<'_>,
        stop: &AtomicBool,
        each: &mut dyn FnMut(Image<'p>),
    ) -> Coverage {
        self.join_all(&[], &mut |units, new| parts.read(units, new), (packing, router, stop), each)
    }

    /// Reads a share of the layers into a part.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn write_share<W: Write>(
        mut self,
        options: &Options<'_>,
        packing: &Packing<'_>,
        share: &[usize],
        part: &mut Writing<W>,
    ) -> io::Result<()> {
        let large = Mutex::new(());
        let job = Job::new(options, packing, &large);
        let bounds = (options.threads.clamp(1, THREADS), options.limits.held);
        for batch in share.chunks(BATCH) {
            let new: BTreeSet<usize> = batch.iter().copied().collect();
            scan_units(&job, &self.inputs.sources, &mut self.units, &new, bounds);
            for at in new {
                let unit = self.units.get_mut(at);
                if let Some((key, facts)) = unit.and_then(|unit| Some((&unit.key, unit.facts.take()?))) {
                    part.layer(key, &facts)?;
                }
            }
        }
        Ok(())
    }

    /// The bytes of each different layer, and which can be read together only.
    pub fn weights(&self) -> Vec<(u64, Option<usize>)> {
        let stream = |at: usize| self.inputs.sources.get(at).is_some_and(|source| source.is_stream()).then_some(at);
        self.units.iter().map(|unit| unit.at.first().map_or((0, None), |at| (at.len, stream(at.source)))).collect()
    }

    fn join_all<'p>(
        &mut self,
        sources: &[Box<dyn Source + '_>],
        read: &mut dyn FnMut(&mut [Unit], &BTreeSet<usize>),
        (packing, router, stop): (&'p Packing<'p>, &Router<'_>, &AtomicBool),
        each: &mut dyn FnMut(Image<'p>),
    ) -> Coverage {
        let mut last_use: Vec<usize> = vec![0; self.units.len()];
        for (nth, image) in self.images.iter().enumerate() {
            for unit in image.units() {
                last_use.get_mut(unit).into_iter().for_each(|last| *last = nth);
            }
        }
        let mut look_ups = LOOK_UPS;
        let mut images = std::mem::take(&mut self.images).into_iter().enumerate().peekable();
        while images.peek().is_some() {
            let mut batch: Vec<(usize, Wanted)> = Vec::new();
            let mut new: BTreeSet<usize> = BTreeSet::new();
            while let Some((nth, image)) = images.next_if(|_| new.len() < BATCH) {
                self.note_unread(sources, &image, &mut new);
                batch.push((nth, image));
            }
            read(&mut self.units, &new);
            for (nth, wanted) in batch {
                let image = self.joined(wanted, packing);
                self.account(&image, router, &mut look_ups, stop.load(Ordering::Relaxed));
                let over =
                    image.units.iter().flatten().copied().filter(|u| last_use.get(*u).is_some_and(|n| *n <= nth));
                let over: Vec<usize> = over.collect();
                each(image.image);
                over.iter().for_each(|unit| self.give_up(*unit));
            }
        }
        if self.unlisted > 0 {
            let detail = format!("{} more problems with these images are not listed", self.unlisted);
            let origin = Origin::file(&"images".into(), TreePath::root());
            self.coverage.gaps.push(Gap { origin, surface: IMAGE, kind: GapKind::TooLarge, detail });
        }
        let mut coverage = std::mem::take(&mut self.coverage);
        coverage.sort_and_dedup();
        coverage
    }

    /// The units of an image that nobody read yet; with one of a stream all that the stream holds, since it is read as a whole.
    fn note_unread(&mut self, sources: &[Box<dyn Source + '_>], image: &Wanted, new: &mut BTreeSet<usize>) {
        let mut streams = BTreeSet::new();
        for at in image.units() {
            let Some(unit) = self.units.get_mut(at).filter(|unit| !unit.is_noted) else { continue };
            unit.is_noted = true;
            new.insert(at);
            let of = unit.at.first().map(|at| at.source);
            streams.extend(of.filter(|of| sources.get(*of).is_some_and(|s| s.is_stream())));
        }
        for (at, unit) in self.units.iter_mut().enumerate().filter(|(_, unit)| !streams.is_empty() && !unit.is_noted) {
            if unit.at.first().is_some_and(|first| streams.contains(&first.source)) {
                unit.is_noted = true;
                new.insert(at);
            }
        }
    }

    fn give_up(&mut self, unit: usize) {
        if let Some(unit) = self.units.get_mut(unit) {
            unit.facts = None;
        }
    }

    fn joined<'p>(&self, wanted: Wanted, packing: &'p Packing<'p>) -> Joint<'p> {
        let facts = |unit: &Option<usize>| self.units.get((*unit)?)?.facts.clone();
        let copies = wanted.copies.iter().map(|(_, layers)| layers.iter().map(facts).collect()).collect();
        let names = &self.inputs.names;
        let mut found_in: Vec<Arc<str>> = wanted.sources.iter().filter_map(|s| names.get(*s).cloned()).collect();
        found_in.dedup();
        let units = wanted.copies.into_iter().flat_map(|(_, layers)| layers).collect();
        Joint { image: Image::new(wanted.planned, wanted.label, found_in, (copies, wanted.shared), packing), units }
    }

    /// Adds up what was examined of an image; what it shares with one before was counted with that one.
    fn account(&mut self, joint: &Joint<'_>, router: &Router<'_>, look_ups: &mut u64, stopped: bool) {
        let image = &joint.image;
        self.coverage.trees.push(image.label.to_string());
        let mut elsewhere = Vec::new();
        for (unit, (layer, facts)) in joint.units.iter().zip(image.positions()) {
            let Some(facts) = facts else {
                let flaw = Flaw::malformed("saved image", "a layer is missing");
                let mut missing = gap(&image.label, TreePath::root(), &flaw);
                missing.origin.layer.clone_from(&layer.digest);
                if unit.is_some() {
                    // What the user's end of the run left unread is no gap of the evidence.
                    if stopped {
                        continue;
                    }
                    let (kind, detail) = match self.in_no_part {
                        // What is in no part is said once.
                        Some(1..) => continue,
                        Some(0) => (GapKind::Malformed, "what a part says of the layer cannot be read"),
                        None => (GapKind::Panicked, "internal error: the layer was not read"),
                    };
                    (missing.kind, missing.detail) = (kind, detail.to_owned());
                }
                self.coverage.gaps.push(missing);
                continue;
            };
            let mut beside = facts.beside(&image.label, image.packing);
            elsewhere
                .extend(std::mem::take(&mut beside.elsewhere).into_iter().map(|(link, target)| (layer, link, target)));
            let Some(unit) = unit.and_then(|unit| self.units.get_mut(unit)).filter(|unit| !unit.is_counted) else {
                continue;
            };
            unit.is_counted = true;
            let mut part = beside.coverage;
            part.gaps.iter_mut().for_each(|g| g.origin.layer.clone_from(&layer.digest));
            part.weightless.iter_mut().for_each(|g| g.origin.layer.clone_from(&layer.digest));
            let mut of_layer = |mut origin: Origin| {
                origin.layer.clone_from(&layer.digest);
                origin
            };
            part.leading = std::mem::take(&mut part.leading).into_iter().map(&mut of_layer).collect();
            part.exclusions.iter_mut().for_each(|e| e.origin.layer.clone_from(&layer.digest));
            self.coverage.absorb(part);
        }
        self.coverage.gaps.extend(image.links_elsewhere(&elsewhere, router, look_ups));
        // Images of a sweep may have the same problem each.
        let most = GAPS.min(self.coverage.gaps.len());
        let more = self.coverage.gaps.split_off(most);
        self.unlisted += to_u64(more.len());
    }
}

/// An image, and which units its layers are, in the order of `Image::positions`.
struct Joint<'o> {
    image: Image<'o>,
    units: Vec<Option<usize>>,
}

pub(super) fn gap(tree: &Arc<str>, path: TreePath, flaw: &Flaw) -> Gap {
    Gap { origin: Origin::file(tree, path), surface: IMAGE, kind: flaw.kind(), detail: flaw.to_string() }
}
