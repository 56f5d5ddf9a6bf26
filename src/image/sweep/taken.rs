//! Images as sources plan them: which are one, what each is called, and which layers are one.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::super::{
    inputs::OnlyOf,
    model::labels,
    planned::{Holds, Planned, PlannedLayer},
    scan::{At, Unit},
};
use crate::fact::TreePath;

/// Places that are remembered of one layer.
const COPIES: usize = 4;

/// What makes two layers one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::image) enum Key {
    /// Bytes that are compared with this digest.
    Digest(String),
    /// What stands in this place of this source: nothing says that it equals anything.
    Place(usize, TreePath),
}

/// An image that is to be examined, and where it is.
pub(super) struct Wanted {
    pub(super) planned: Planned,
    pub(super) label: Arc<str>,
    /// Each place that has it, with its layers as positions among the units; `None` where a layer is missing.
    pub(super) copies: Vec<(usize, Vec<Option<usize>>)>,
    /// All sources that have it.
    pub(super) sources: BTreeSet<usize>,
    /// So many of the lowest layers are those of an image that is examined by itself.
    pub(super) shared: usize,
}

/// The images so far.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) images: Vec<Wanted>,
    pub(super) units: Vec<Unit>,
    labels: BTreeSet<Arc<str>>,
    keys: HashMap<Key, usize>,
    by_id: HashMap<String, usize>,
}

impl Taken {
    /// Takes the images of a source, which is the `source`th and called `name`.
    pub(super) fn take(&mut self, source: usize, name: &Arc<str>, images: Vec<Planned>) {
        let labels = labels(&images, name);
        for (planned, label) in images.into_iter().zip(labels) {
            let layers: Vec<_> = planned.layers.iter().map(|layer| self.unit(source, layer)).collect();
            if let Some(known) = self.known(&planned) {
                if self.images.get_mut(known).is_some_and(|image| image.also(source, &planned, &layers)) {
                    continue;
                }
            } else if let (Some(id), Holds::Image) = (&planned.id, &planned.holds) {
                self.by_id.insert(id.clone(), self.images.len());
            }
            let label = free_label(label, name, &mut self.labels);
            let (copies, sources) = (vec![(source, layers)], [source].into());
            self.images.push(Wanted { planned, label, copies, sources, shared: 0 });
        }
    }

    /// Once all sources are: containers stand on the images that they were made of.
    pub(super) fn finish(mut self) -> (Vec<Wanted>, Vec<Unit>) {
        let layers: Vec<usize> = self.images.iter().map(|image| image.planned.layers.len()).collect();
        for image in self.images.iter_mut().filter(|image| matches!(image.planned.holds, Holds::Container(_))) {
            let of = image.planned.id.as_ref().and_then(|id| self.by_id.get(id)).and_then(|at| layers.get(*at));
            image.shared = of.copied().filter(|of| *of < image.planned.layers.len()).unwrap_or(0);
        }
        (self.images, self.units)
    }

    /// Where the same image was planned already.
    fn known(&self, planned: &Planned) -> Option<usize> {
        let id = planned.id.as_ref().filter(|_| planned.holds == Holds::Image)?;
        self.by_id.get(id).copied()
    }

    /// The position of a layer among the units.
    fn unit(&mut self, source: usize, layer: &PlannedLayer) -> Option<usize> {
        let (place, len) = layer.member.clone()?;
        let digest = layer.expected.blob.as_ref().or(layer.expected.diff_id.as_ref()).filter(|_| !layer.unpacked);
        let key = digest.map_or_else(|| Key::Place(source, place.clone()), |digest| Key::Digest(digest.clone()));
        let new = self.units.len();
        let at = *self.keys.entry(key.clone()).or_insert(new);
        if at == new {
            self.units.push(Unit::new(key));
        }
        let unit = self.units.get_mut(at)?;
        if unit.at.len() < COPIES && unit.at.iter().all(|known| known.source != source || known.place != place) {
            unit.at.push(At { source, place, len, expected: layer.expected.clone() });
        }
        Some(at)
    }
}

impl Wanted {
    pub(super) fn units(&self) -> impl Iterator<Item = usize> + '_ {
        self.copies.iter().flat_map(|(_, layers)| layers).flatten().copied()
    }

    /// Takes another place that has this image; whether it is one.
    fn also(&mut self, source: usize, planned: &Planned, layers: &[Option<usize>]) -> bool {
        if planned.layers.len() != self.planned.layers.len() {
            return false;
        }
        self.sources.insert(source);
        for tag in &planned.tags {
            if !self.planned.tags.contains(tag) {
                self.planned.tags.push(tag.clone());
            }
        }
        self.planned.manifests.extend(planned.manifests.iter().cloned());
        self.planned.manifests.sort();
        self.planned.manifests.dedup();
        // The same bytes say nothing new; what another place lacks, this one may have.
        let known = self.copies.iter().find(|(_, known)| known.iter().zip(layers).all(|(k, l)| l.is_none() || k == l));
        let is_worse =
            |(_, known): &(usize, Vec<Option<usize>>)| known.iter().zip(layers).all(|(k, l)| k.is_none() || k == l);
        match known {
            Some(_) => {}
            None => match self.copies.iter_mut().find(|copy| is_worse(copy)) {
                Some(copy) => copy.1 = layers.to_vec(),
                None => self.copies.push((source, layers.to_vec())),
            },
        }
        true
    }
}

/// Leaves the images that are wanted, and the containers that were made of them.
pub(in crate::image) fn keep_wanted(images: &mut Vec<Planned>, only: &[OnlyOf<'_>]) {
    let ids_of = |only: &OnlyOf<'_>| -> HashSet<String> {
        images.iter().filter(|image| only.is(image)).filter_map(|i| i.id.clone()).collect()
    };
    let ids: Vec<HashSet<String>> = only.iter().map(ids_of).collect();
    images.retain(|image| {
        let is_container = matches!(image.holds, Holds::Container(_));
        let made_of = |ids: &HashSet<String>| is_container && image.id.as_ref().is_some_and(|id| ids.contains(id));
        only.iter().zip(&ids).any(|(only, ids)| only.is(image) || made_of(ids) && only.stands(image))
    });
}

/// A label that no other image has: the same tag may be in several files, with other content.
fn free_label(wanted: String, input: &Arc<str>, taken: &mut BTreeSet<Arc<str>>) -> Arc<str> {
    let of_input = [wanted.clone(), format!("{wanted} in {input}")].into_iter();
    let numbered = (2_u64..).map(|n| format!("{wanted} in {input} #{n}"));
    let free = of_input.chain(numbered).map(Arc::<str>::from).find(|l| !taken.contains(l));
    let label = free.unwrap_or_else(|| wanted.into());
    taken.insert(label.clone());
    label
}
