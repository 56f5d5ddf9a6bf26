//! What a sweep reads from: sources under the names that their problems are reported by, and what is wanted of them.

use std::sync::Arc;

use super::{
    planned::{Holds, Planned},
    source::{InNamespace, Source},
    target::Sought,
};
use crate::{
    coverage::{Coverage, Exclusion, Gap},
    fact::{Origin, TreePath},
    surface::Flaw,
};

/// What images are read from.
#[derive(Default)]
pub struct Inputs<'i> {
    pub(super) names: Vec<Arc<str>>,
    pub(super) sources: Vec<Box<dyn Source + 'i>>,
    pub(super) flaws: Vec<(usize, TreePath, Flaw)>,
    pub(super) unread: Vec<(Arc<str>, Flaw)>,
    /// Of each store, the images that are wanted, empty for all; `None` of what was named itself, which should hold some.
    pub(super) only: Vec<Option<Vec<Only>>>,
    /// What was named of stores, as it is typed.
    pub(super) named: Vec<String>,
    pub(super) coverage: Coverage,
}

/// An image that is wanted of a store.
#[derive(Debug, Clone)]
pub(super) struct Only {
    /// Its position in `Inputs::named`.
    pub(super) nth: usize,
    /// `k8s.io`; `None` for all namespaces.
    pub(super) namespace: Option<String>,
    /// Its name or id; `None` for all of the store, or of the namespace.
    pub(super) image: Option<Sought>,
}

/// The same, of one source.
pub(super) struct OnlyOf<'o> {
    pub(super) only: &'o Only,
    /// `None` where all namespaces are wanted, or the source has none.
    within: Option<InNamespace<'o>>,
}

impl Only {
    /// What it means for this source.
    pub(super) fn of<'o>(&'o self, source: &'o dyn Source) -> OnlyOf<'o> {
        let namespace = self.namespace.as_ref();
        OnlyOf { only: self, within: namespace.and_then(|name| source.namespace(name, self.image.as_ref())) }
    }
}

impl OnlyOf<'_> {
    /// Whether it stands where it is wanted from, whatever it is called.
    pub(super) fn stands(&self, planned: &Planned) -> bool {
        self.within.as_ref().is_none_or(|within| within.has(planned))
    }

    /// Whether it is this one.
    pub(super) fn is(&self, planned: &Planned) -> bool {
        let Some(sought) = &self.only.image else { return self.stands(planned) };
        let mut ids = planned.id.iter().chain(&planned.manifests);
        let is_named = || match &self.within {
            Some(within) if planned.holds == Holds::Image => within.names(planned),
            _ => planned.tags.iter().any(|tag| sought.is_named(tag)),
        };
        self.stands(planned) && (ids.any(|id| sought.has_id(id)) || is_named())
    }

    /// Whether it is all of a store: there is nothing that could be missing.
    pub(super) fn is_all(&self) -> bool {
        self.only.image.is_none() && self.only.namespace.is_none()
    }
}

impl<'i> Inputs<'i> {
    /// Adds a source under the name that its problems are reported by.
    pub(super) fn add(&mut self, name: &Arc<str>, source: Box<dyn Source + 'i>, flaws: Vec<(TreePath, Flaw)>) {
        let at = self.sources.len();
        self.names.push(name.clone());
        self.sources.push(source);
        self.only.push(None);
        self.flaws.extend(flaws.into_iter().map(|(path, flaw)| (at, path, flaw)));
    }

    /// Adds a source of which some images are wanted; all, where none is named.
    pub(super) fn add_some(&mut self, name: &Arc<str>, source: Box<dyn Source + 'i>, only: Vec<Only>) {
        self.add(name, source, Vec::new());
        self.only.pop();
        self.only.push(Some(only));
    }

    /// Notes what could not be read.
    pub fn gap(&mut self, gap: Gap) {
        self.coverage.gaps.push(gap);
    }

    /// Notes what is left out on purpose.
    pub(super) fn leave_out(&mut self, name: &Arc<str>, path: TreePath, reason: &str) {
        self.coverage.exclusions.push(Exclusion { origin: Origin::file(name, path), reason: reason.to_owned() });
    }

    /// Whether something could not be read.
    pub fn has_gaps(&self) -> bool {
        !self.coverage.gaps.is_empty()
    }

    /// How many sources there are, and such as cannot be read.
    pub fn count(&self) -> usize {
        self.sources.len() + self.unread.len()
    }

    /// Adds one that cannot be read at all.
    pub(super) fn unread(&mut self, name: &Arc<str>, flaw: Flaw) {
        self.unread.push((name.clone(), flaw));
    }

    /// Adds those of another.
    pub fn absorb(&mut self, other: Self) {
        let before = self.sources.len();
        self.names.extend(other.names);
        self.sources.extend(other.sources);
        self.unread.extend(other.unread);
        let named = self.named.len();
        self.named.extend(other.named);
        self.only.extend(other.only.into_iter().map(|only| {
            only.map(|list| list.into_iter().map(|only| Only { nth: named + only.nth, ..only }).collect())
        }));
        self.coverage.absorb(other.coverage);
        self.flaws.extend(other.flaws.into_iter().map(|(at, path, flaw)| (before + at, path, flaw)));
    }
}
