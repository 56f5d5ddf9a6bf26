//! Reads unique layers, several at a time, each alone: what is read of one depends on it and on nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Job,
    facts::LayerFacts,
    layer::{Expected, LayerReader, LayerScan, PASSES},
    source::{Content, Source},
    sweep::Key,
};
use crate::{fact::TreePath, guard::caught, surface::Flaw, tree::threads::on_threads, walk::Recording};

/// Where a layer can be read.
#[derive(Debug, Clone)]
pub(super) struct At {
    /// Which source has it.
    pub(super) source: usize,
    /// Where in the source.
    pub(super) place: TreePath,
    /// Bytes, as the source says.
    pub(super) len: u64,
    /// What it should be.
    pub(super) expected: Expected,
}

/// A layer that is read once, however many images hold it.
#[derive(Debug)]
pub(super) struct Unit {
    /// What it is.
    pub(super) key: Key,
    /// The first is read; the next where that one is not what it should be.
    pub(super) at: Vec<At>,
    /// Once it was read, until no image needs it any more.
    pub(super) facts: Option<Arc<LayerFacts>>,
    /// It is read, or about to be.
    pub(super) is_noted: bool,
    /// What was examined of it is in the account.
    pub(super) is_counted: bool,
}

impl Unit {
    pub(super) fn new(key: Key) -> Self {
        Self { key, at: Vec::new(), facts: None, is_noted: false, is_counted: false }
    }
}

/// What was read so far, by unit. Of more than may be in memory what the first units hold is kept, whichever is read first.
struct Done {
    facts: BTreeMap<usize, LayerFacts>,
    size: usize,
    most: usize,
    /// Of this unit and those behind it nothing is kept.
    end: Option<usize>,
}

impl Done {
    fn put(&mut self, unit: usize, facts: LayerFacts) {
        let facts = if self.end.is_some_and(|end| unit >= end) { LayerFacts::given_up(&facts) } else { facts };
        self.size += facts.size();
        self.facts.insert(unit, facts);
        while self.size > self.most
            && let Some((last, facts)) = self.facts.range_mut(..self.end.unwrap_or(usize::MAX)).next_back()
        {
            self.size -= facts.size();
            *facts = LayerFacts::given_up(facts);
            self.end = Some(*last);
        }
    }
}

/// Reads these of the units. What was read is theirs afterwards, as long as all of it takes no more bytes than `most`.
pub(super) fn scan_units(
    job: &Job<'_>,
    sources: &[Box<dyn Source + '_>],
    units: &mut [Unit],
    which: &BTreeSet<usize>,
    (threads, most): (usize, usize),
) {
    let mut left: Vec<usize> = which.iter().copied().collect();
    for attempt in 0.. {
        let mut work: Vec<(usize, At)> =
            left.iter().filter_map(|at| Some((*at, units.get(*at)?.at.get(attempt)?.clone()))).collect();
        if work.is_empty() {
            break;
        }
        // The longest first, so that no thread is left alone with it at the end.
        work.sort_by_key(|(_, at)| std::cmp::Reverse(at.len));
        let held: usize = units.iter().filter_map(|unit| unit.facts.as_ref()).map(|facts| facts.size()).sum();
        let done = scan_all(job, sources, &work, (threads, most.saturating_sub(held)));
        for (unit, facts) in done {
            let Some(unit) = units.get_mut(unit) else { continue };
            // Of two copies the one that was compared with its digest, else the first.
            if unit.facts.as_ref().is_none_or(|before| !before.verified && facts.verified) {
                unit.facts = Some(Arc::new(facts));
            }
        }
        left.retain(|at| units.get(*at).is_some_and(|u| u.facts.as_ref().is_none_or(|f| !f.verified)));
    }
}

fn scan_all(
    job: &Job<'_>,
    sources: &[Box<dyn Source + '_>],
    work: &[(usize, At)],
    (threads, most): (usize, usize),
) -> BTreeMap<usize, LayerFacts> {
    let done = Mutex::new(Done { facts: BTreeMap::new(), size: 0, most, end: None });
    let put = |unit: usize, scan: LayerScan| {
        let facts = LayerFacts::new(scan, job.keep, job.packing);
        done.lock().unwrap_or_else(PoisonError::into_inner).put(unit, facts);
    };
    let is_stream = |at: &At| sources.get(at.source).is_some_and(|s| s.is_stream());
    // Nothing else is in memory while the layers of a stream are.
    for (nth, source) in sources.iter().enumerate().filter(|(_, s)| s.is_stream()) {
        let here: Vec<&(usize, At)> = work.iter().filter(|(_, at)| at.source == nth).collect();
        stream(job, &**source, &here, &put);
    }
    let alone: Vec<&(usize, At)> = work.iter().filter(|(_, at)| !is_stream(at)).collect();
    let next = AtomicUsize::new(0);
    on_threads(threads.min(alone.len()), &|| {
        while let Some((unit, at)) = alone.get(next.fetch_add(1, Ordering::Relaxed)) {
            if job.stop.load(Ordering::Relaxed) {
                break;
            }
            if let Some(source) = sources.get(at.source) {
                put(*unit, scan(job, &**source, at));
            }
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).facts
}

/// Reads one layer, or what is kept of it.
fn scan(job: &Job<'_>, source: &dyn Source, at: &At) -> LayerScan {
    let Some((cache, digest)) = job.cache.zip(at.expected.blob.as_ref().or(at.expected.diff_id.as_ref())) else {
        return read(job, source, at, None);
    };
    if let Some(kept) = caught(|| cache.get(digest, job.progress)).flatten() {
        return kept;
    }
    let Some(making) = cache.begin(digest, job.interest) else {
        return read(job, source, at, None);
    };
    let scan = {
        let recording = Recording::sharing(&making.writing, cache.everything.clone());
        read(job, source, at, Some(&recording))
    };
    if !job.stop.load(Ordering::Relaxed) {
        cache.end(making, digest, &scan);
    }
    scan
}

fn read<'j>(job: &'j Job<'j>, source: &dyn Source, at: &At, recording: Option<&'j Recording<'j>>) -> LayerScan {
    let mut reader = LayerReader::new(job, at.expected.clone(), recording);
    for pass in 0..PASSES {
        if pass > 0 {
            if !reader.needs_another() {
                break;
            }
            job.progress.again.fetch_add(1, Ordering::Relaxed);
        }
        one_pass(&mut reader, source.open(&at.place), pass == 0);
    }
    job.progress.layer(at.len);
    reader.finish()
}

/// Reads layers that come one after the other.
fn stream(job: &Job<'_>, source: &dyn Source, work: &[&(usize, At)], put: &dyn Fn(usize, LayerScan)) {
    let job = Job { large: None, ..job.clone() };
    let mut waiting: Vec<(usize, LayerReader<'_>)> = Vec::new();
    let places: Vec<TreePath> = work.iter().map(|(_, at)| at.place.clone()).collect();
    source.each(&places, &mut |nth, content| {
        let Some((unit, at)) = work.get(nth) else { return };
        let mut reader = LayerReader::new(&job, at.expected.clone(), None);
        one_pass(&mut reader, content, true);
        job.progress.layer(at.len);
        if reader.needs_another() {
            waiting.push((nth, reader));
        } else {
            put(*unit, reader.finish());
        }
    });
    for _ in 1..PASSES {
        let places: Vec<TreePath> = waiting.iter().filter_map(|(nth, _)| places.get(*nth).cloned()).collect();
        if places.is_empty() {
            break;
        }
        source.each(&places, &mut |nth, content| {
            if let Some((_, reader)) = waiting.get_mut(nth) {
                job.progress.again.fetch_add(1, Ordering::Relaxed);
                one_pass(reader, content, false);
            }
        });
        for (nth, reader) in std::mem::take(&mut waiting) {
            match work.get(nth) {
                Some(_) if reader.needs_another() => waiting.push((nth, reader)),
                Some((unit, _)) => put(*unit, reader.finish()),
                None => {}
            }
        }
    }
    for (nth, reader) in waiting {
        if let Some((unit, _)) = work.get(nth) {
            put(*unit, reader.finish());
        }
    }
}

fn one_pass(reader: &mut LayerReader<'_>, content: Result<Content<'_>, Flaw>, is_first: bool) {
    let read = match content {
        Ok(content) => caught(|| if is_first { reader.read(content) } else { reader.read_again(content) }),
        Err(flaw) => {
            reader.trouble(&flaw);
            Some(())
        }
    };
    if read.is_none() {
        reader.panicked();
    }
}
