//! What a registry keeps on its disk or in its bucket, read without the registry. One file a form.
//!
//! ```text
//! Distribution, Harbor, GitLab   docker/registry/v2/{blobs/sha256/<2>/<digest>/data,repositories/<name>/_manifests/…}
//! Nexus                          content/…/<uuid>.{properties,bytes}: the properties say what a blob is
//! others, and copies of them     files that are named by their digests, in whatever folders
//! ```
//!
//! A manifest that no tag leads to any more is examined like the others: a tag that was moved, an image that was deleted and not yet
//! collected, a blob that is a manifest.

mod distribution;
mod exported;
mod nexus;

#[cfg(test)]
mod tests;

use std::{collections::HashSet, os::fd::OwnedFd, sync::Arc};

use super::{
    Content, Source,
    below::Below,
    blobs::{Blobs, Digest, Held},
    flaws::{Flaws, again, leave_out, no_store, note},
    graph::{Graph, Names},
};
use crate::{
    fact::TreePath,
    image::{
        ImageError,
        plan::{Readers, plan_roots},
        planned::{Plan, Root},
    },
    surface::Flaw,
};

/// Names of one store.
const NAMES: usize = 1_000_000;
/// Their bytes.
const NAME_BYTES: usize = 128 << 20;

/// How a registry knows a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::image) enum State {
    /// By a tag.
    Current,
    /// By its digest alone.
    Untagged,
    /// A tag was moved from it to another manifest.
    Overwritten,
    /// It was deleted, and its bytes are still there.
    Deleted,
}

/// A name that a registry has, or had, for a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::image) struct Entry {
    /// Without the registry's host: `library/app`.
    pub(in crate::image) repository: Arc<str>,
    /// The tag, where it has or had one.
    pub(in crate::image) tag: Option<String>,
    pub(in crate::image) digest: Digest,
    pub(in crate::image) state: State,
}

impl Entry {
    /// What people pull it by today; one that was moved or deleted has its digest only.
    fn reference(&self) -> String {
        match &self.tag {
            Some(tag) if self.state == State::Current => format!("{}:{tag}", self.repository),
            _ => format!("{}@{}", self.repository, self.digest),
        }
    }
}

/// What was found of a store's names and blobs.
#[derive(Default)]
struct Found {
    entries: Vec<Entry>,
    flaws: Flaws,
    left_out: Vec<(TreePath, &'static str)>,
    /// Bytes of names.
    held: usize,
    full: bool,
}

impl Found {
    fn add(&mut self, repository: &Arc<str>, tag: Option<&str>, digest: Digest, state: State) {
        let before = self.entries.last().map(|entry| &entry.repository).filter(|before| *before == repository);
        let (repository, own) = before.map_or_else(|| (repository.clone(), repository.len()), |b| (b.clone(), 0));
        let held = self.held.saturating_add(own).saturating_add(tag.map_or(0, str::len));
        self.full |= self.entries.len() >= NAMES || held > NAME_BYTES;
        if !self.full {
            self.held = held;
            self.entries.push(Entry { repository, tag: tag.map(str::to_owned), digest, state });
        }
    }

    fn leave_out(&mut self, path: &[u8], why: &'static str) {
        leave_out(&mut self.left_out, path, why);
    }

    fn flaw(&mut self, path: &[u8], flaw: Flaw) {
        note(&mut self.flaws, path, flaw);
    }
}

/// An opened store.
pub(in crate::image) struct BlobStore {
    store: Below,
    blobs: Blobs,
    found: Found,
}

impl BlobStore {
    /// Reads a folder of one of these forms, or one of the folders below that it is known by. What is wrong within it is said by the
    /// plan.
    ///
    /// # Errors
    /// `NotAnImage` where it is none, others where that cannot be found out.
    pub(in crate::image) fn open(folder: OwnedFd) -> Result<Self, ImageError> {
        let store = Below::new(folder);
        let mut read = None;
        for form in [distribution::read, nexus::read, exported::read] {
            read = form(&store).map_err(no_store)?;
            if read.is_some() {
                break;
            }
        }
        let (blobs, mut found) = read.ok_or(ImageError::NotAnImage("the folder is no store of a registry"))?;
        found.entries.sort_unstable();
        found.entries.dedup();
        if found.full {
            found.flaw(b"", Flaw::malformed("store of a registry", "it has more names than are read"));
        }
        Ok(Self { store, blobs, found })
    }

    /// The names of its manifests, sorted: those that a tag was moved from too.
    #[cfg(test)]
    pub(in crate::image) fn entries(&self) -> &[Entry] {
        &self.found.entries
    }

    /// How many blobs it has, and how many bytes they are.
    #[cfg(test)]
    pub(in crate::image) fn size(&self) -> (usize, u64) {
        let all = self.blobs.all();
        (self.blobs.len(), all.iter().fold(0, |sum: u64, (_, len)| sum.saturating_add(*len)))
    }

    /// The names, each with the manifests that it leads to within its repository; and manifests that are gone.
    fn names(&self, graph: &mut Graph<'_>, left_out: &mut Vec<(TreePath, &'static str)>, flaws: &mut Flaws) -> Names {
        let mut names = Names::default();
        for of_repository in self.found.entries.chunk_by(|a, b| a.repository == b.repository) {
            // The parts of an index have a link of their own, and no tag.
            let mut led: HashSet<Digest> = HashSet::new();
            for entry in of_repository.iter().filter(|e| e.state == State::Current) {
                graph.reach(entry.digest, &mut led);
            }
            for entry in of_repository {
                if !self.blobs.has(&entry.digest) {
                    let name = entry.reference();
                    match entry.state {
                        State::Current => {
                            note(flaws, name.as_bytes(), Flaw::malformed("image manifest", "it is missing"));
                        }
                        _ if led.insert(entry.digest) => {
                            leave_out(left_out, name.as_bytes(), "an old manifest whose bytes are gone");
                        }
                        _ => {}
                    }
                } else if entry.state == State::Current || !led.contains(&entry.digest) {
                    graph.reach(entry.digest, &mut led);
                    names.add(&entry.digest.to_string(), Some(entry.reference()));
                }
            }
        }
        names
    }
}

impl Source for BlobStore {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        let held = || Held { store: &self.store, blobs: &self.blobs };
        let mut graph = Graph::new(held());
        let (mut left_out, mut flaws) = (self.found.left_out.clone(), Flaws::new());
        let names = self.names(&mut graph, &mut left_out, &mut flaws);
        let rest = graph.rest();
        let roots: Vec<Root> = names.roots().chain(rest.roots()).collect();
        let mut plan = plan_roots(&held(), readers, &roots);
        names.name(&mut plan);
        plan.left_out.extend(left_out);
        plan.left_out.extend(rest.left_out(&held()));
        let known = self.found.flaws.iter().chain(&rest.flaws).chain(&self.blobs.flaws);
        flaws.extend(known.map(|(path, flaw)| (path.clone(), again(flaw))));
        plan.flaws.extend(flaws);
        plan.is_image = true;
        plan
    }

    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw> {
        self.store.blob(layer)
    }
}
