//! Reads each layer of one input once, several at a time. What a layer's reader does depends on that layer alone; what is kept of all of
//! them, on their order in the plan: the number of threads and the order in which layers end change nothing.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Job,
    input::Section,
    layer::{Expected, LayerReader, LayerScan, PASSES},
    planned::Planned,
    source::{Content, Source},
};
use crate::{fact::TreePath, guard::caught, surface::Flaw, tree::threads::on_threads};

/// The layers of one input, by rank.
struct Layers<'j> {
    job: &'j Job<'j>,
    readers: Vec<Mutex<LayerReader<'j>>>,
}

impl<'j> Layers<'j> {
    fn new(job: &'j Job<'j>, expected: Vec<Expected>) -> Self {
        let names = usize::try_from(job.limits.names).unwrap_or(usize::MAX);
        let names = if expected.len() > 1 { names / 2 } else { names };
        let ranked = (0_u32..).zip(expected);
        let readers = ranked.map(|(rank, expected)| Mutex::new(LayerReader::new(job, rank, names, expected))).collect();
        Self { job, readers }
    }

    fn reader(&self, rank: usize) -> Option<MutexGuard<'_, LayerReader<'j>>> {
        self.readers.get(rank).map(|reader| reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One pass over one layer.
    fn pass(&self, rank: usize, source: Result<Content<'_>, Flaw>, is_first: bool) {
        let read = |source: Content<'_>| {
            let mut reader = self.reader(rank)?;
            if is_first {
                reader.read(source)
            } else {
                reader.read_again(source)
            }
            Some(())
        };
        let done = match source {
            Ok(source) => caught(|| read(source)),
            Err(flaw) => Some(self.reader(rank).map(|mut reader| reader.trouble(&flaw))),
        };
        if let Some(mut reader) = self.reader(rank) {
            if done.is_none() {
                reader.panicked();
            }
            if is_first {
                reader.hand_over();
            }
        }
    }

    /// Gives each layer what it has to read in the next pass, once all have ended one. Those that have to.
    fn prepare(&self) -> Vec<usize> {
        let mut kept = self.job.kept();
        let waiting = kept.take_waiting();
        let each = || (0..self.readers.len()).filter_map(|rank| Some((rank, self.reader(rank)?)));
        each().for_each(|(_, mut reader)| reader.prepare(&mut kept, &waiting));
        let at = |rank: u32| usize::try_from(rank).ok().and_then(|rank| self.reader(rank));
        for ((rank, link, _), target) in waiting.links.into_iter() {
            at(rank).into_iter().for_each(|mut reader| reader.will_follow(link.clone(), target));
        }
        for ((rank, file, surface), member) in waiting.files.into_iter() {
            at(rank).into_iter().for_each(|mut reader| reader.will_read(file.clone(), surface, member));
        }
        each().filter(|(_, reader)| reader.needs_another()).map(|(rank, _)| rank).collect()
    }

    fn finish(self) -> Vec<LayerScan> {
        let count = u32::try_from(self.readers.len()).unwrap_or(u32::MAX);
        let kept = self.job.kept().finish(count, self.job.keep);
        let readers =
            self.readers.into_iter().map(|reader| reader.into_inner().unwrap_or_else(PoisonError::into_inner));
        readers.zip(kept).map(|(reader, kept)| reader.finish(kept)).collect()
    }
}

/// Reads each layer of these images.
pub(super) fn scan_layers(
    job: &Job<'_>,
    store: &dyn Source,
    images: &[Planned],
    threads: usize,
) -> HashMap<TreePath, Arc<LayerScan>> {
    let (mut known, mut members, mut expected) = (HashSet::new(), Vec::new(), Vec::new());
    for layer in images.iter().flat_map(|i| &i.layers) {
        if let Some((member, len)) = &layer.member
            && known.insert(member)
        {
            members.push((member.clone(), *len));
            expected.push(layer.expected.clone());
        }
    }
    let layers = Layers::new(job, expected);
    let read = |mut which: Vec<usize>, is_first: bool| {
        // The longest first, so that no thread is left alone with it at the end.
        which.sort_by_key(|rank| std::cmp::Reverse(members.get(*rank).map_or(0, |(_, len)| *len)));
        let chosen: Vec<TreePath> = which.iter().filter_map(|at| members.get(*at)).map(|(m, _)| m.clone()).collect();
        let pass = |nth: usize, content: Result<Content<'_>, Flaw>| {
            let Some(rank) = which.get(nth) else { return };
            layers.pass(*rank, content, is_first);
        };
        if store.is_stream() {
            store.each(&chosen, &mut |nth, content| pass(nth, content));
        } else {
            let next = AtomicUsize::new(0);
            let take =
                || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !layers.job.stop.load(Ordering::Relaxed));
            on_threads(threads.min(chosen.len()), &|| {
                while let Some((nth, layer)) = take().and_then(|nth| Some((nth, chosen.get(nth)?))) {
                    pass(nth, store.open(layer));
                }
            });
        }
        layers.prepare()
    };
    let mut again = read((0..members.len()).collect(), true);
    for _ in 0..PASSES {
        if again.is_empty() {
            break;
        }
        again = read(again, false);
    }
    let names = members.iter().map(|(member, _)| member.clone());
    names.zip(layers.finish().into_iter().map(Arc::new)).collect()
}

/// Reads the tar of a file system.
pub(super) fn scan_root(job: &Job<'_>, source: &mut Section) -> LayerScan {
    let layers = Layers::new(job, vec![Expected::default()]);
    let again = source.again();
    layers.pass(0, Ok(Content::Blob(Box::new(source))), true);
    for _ in 0..PASSES {
        if layers.prepare().is_empty() {
            break;
        }
        layers.pass(0, Ok(Content::Blob(Box::new(again.again()))), false);
    }
    layers.finish().pop().unwrap_or_default()
}
