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
#![cfg_attr(not(test), expect(dead_code, reason = "until the driver opens stores on disk"))]

mod distribution;
mod exported;
mod nexus;

#[cfg(test)]
mod tests;

use std::{collections::HashSet, os::fd::OwnedFd};

use super::{
    Content, Source,
    below::Below,
    blobs::{Blobs, Digest, Held},
    graph::{Graph, Names, again},
};
use crate::{
    fact::TreePath,
    image::{
        plan::{Readers, plan_roots},
        planned::{Plan, Root},
    },
    surface::Flaw,
};

/// Names of one store.
const NAMES: usize = 1_000_000;

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
    pub(in crate::image) repository: String,
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
    flaws: Vec<(TreePath, Flaw)>,
    left_out: Vec<(TreePath, &'static str)>,
    full: bool,
}

impl Found {
    fn add(&mut self, repository: &str, tag: Option<&str>, digest: Digest, state: State) {
        self.full |= self.entries.len() >= NAMES;
        if !self.full {
            let (repository, tag) = (repository.to_owned(), tag.map(str::to_owned));
            self.entries.push(Entry { repository, tag, digest, state });
        }
    }

    fn flaw(&mut self, path: &[u8], flaw: Flaw) {
        self.flaws.push((TreePath::new(path).unwrap_or_else(TreePath::root), flaw));
    }
}

/// An opened store.
pub(in crate::image) struct BlobStore {
    store: Below,
    blobs: Blobs,
    found: Found,
}

impl BlobStore {
    /// Reads a folder of one of these forms, or one of the folders below that it is known by; `None` where it is none. What is wrong
    /// within it is said by the plan.
    pub(in crate::image) fn open(folder: OwnedFd) -> Option<Self> {
        let store = Below::new(folder);
        let forms = [distribution::read, nexus::read, exported::read];
        let (blobs, mut found) = forms.iter().find_map(|read| read(&store))?;
        found.entries.sort_unstable();
        found.entries.dedup();
        if found.full {
            found.flaw(b"", Flaw::malformed("store of a registry", "it has more names than are read"));
        }
        Some(Self { store, blobs, found })
    }

    /// The names of its manifests, sorted: those that a tag was moved from too.
    pub(in crate::image) fn entries(&self) -> &[Entry] {
        &self.found.entries
    }

    /// How many blobs it has, and how many bytes they are.
    pub(in crate::image) fn size(&self) -> (usize, u64) {
        let all = self.blobs.all();
        (self.blobs.len(), all.iter().fold(0, |sum: u64, (_, len)| sum.saturating_add(*len)))
    }

    /// The names, each with the manifests that it leads to within its repository; and manifests that are gone.
    fn names(
        &self,
        graph: &mut Graph<'_>,
        left_out: &mut Vec<(TreePath, &'static str)>,
        flaws: &mut Vec<(TreePath, Flaw)>,
    ) -> Names {
        let mut names = Names::default();
        for of_repository in self.found.entries.chunk_by(|a, b| a.repository == b.repository) {
            // The parts of an index have a link of their own, and no tag.
            let mut led: HashSet<Digest> = HashSet::new();
            for entry in of_repository.iter().filter(|e| e.state == State::Current) {
                led.extend(graph.reach(entry.digest));
            }
            for entry in of_repository {
                let place = || TreePath::new(entry.reference().as_bytes()).unwrap_or_else(TreePath::root);
                if self.blobs.file(&entry.digest).is_none() {
                    match entry.state {
                        State::Current => flaws.push((place(), Flaw::malformed("image manifest", "it is missing"))),
                        _ if led.insert(entry.digest) => {
                            left_out.push((place(), "an old manifest whose bytes are gone"))
                        }
                        _ => {}
                    }
                } else if entry.state == State::Current || !led.contains(&entry.digest) {
                    led.extend(graph.reach(entry.digest));
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
        let (mut left_out, mut flaws) = (self.found.left_out.clone(), Vec::new());
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
