//! Images of a registry: their JSON is read first, their layers are streamed when they are examined.
//!
//! ```text
//! <repository>/manifests/sha256:<digest>    an index or a manifest
//! <repository>/blobs/sha256:<digest>        a configuration or a layer
//! ```
//!
//! A layer that several repositories hold is one, and known by the first of them. What a registry does not hold itself (`urls` of a
//! layer) is never fetched from elsewhere.

mod documents;
mod stream;
mod wanted;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

pub(in crate::image) use self::documents::Platforms;
use self::{
    documents::{Document, Part, Role},
    stream::Stream,
};
use super::{Content, Source, Store};
use crate::{
    fact::TreePath,
    image::{
        manifest::JSON,
        plan::{self, Readers},
        planned::{Plan, Root},
    },
    online::registry::{Digest, Registry, RegistryError, Target},
    surface::Flaw,
    tree::threads::on_threads,
};

/// Bytes of JSON held, so that an image of many tags is fetched once.
const HELD: usize = 64 << 20;
/// Repositories remembered of one blob.
const HOLDERS: usize = 4;
/// Indexes inside indexes that are fetched ahead.
const DEPTH: u32 = 4;
const WHAT: &str = "image manifest";

/// An image that is to be examined.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::image) struct Wanted {
    pub(in crate::image) repository: String,
    /// A tag or a digest.
    pub(in crate::image) which: String,
}

/// How it is to be read.
#[derive(Debug, Clone)]
pub(in crate::image) struct Choice {
    /// Of an image for several platforms.
    pub(in crate::image) platforms: Platforms,
    /// Note what refers to each image, at the price of one or two requests.
    pub(in crate::image) referrers: bool,
    /// Requests at a time, for lists and JSON.
    pub(in crate::image) threads: usize,
}

/// Images of one registry.
pub(in crate::image) struct RegistryImages<'r> {
    registry: &'r Registry,
    wanted: Vec<Wanted>,
    choice: Choice,
    state: Mutex<State>,
}

struct Blob {
    /// The first is the one that it is named by.
    repositories: Vec<Arc<str>>,
    size: u64,
    role: Role,
}

#[derive(Default)]
struct State {
    blobs: HashMap<String, Blob>,
    held: HashMap<String, Result<Arc<[u8]>, String>>,
    order: VecDeque<String>,
    bytes: usize,
    flaws: Vec<(TreePath, Flaw)>,
    left_out: BTreeSet<(TreePath, &'static str)>,
}

impl<'r> RegistryImages<'r> {
    /// These images.
    pub(in crate::image) fn new(registry: &'r Registry, wanted: Vec<Wanted>, choice: Choice) -> Self {
        Self { registry, wanted, choice, state: Mutex::default() }
    }

    /// The images that these names stand for; all of them are names of this registry. It asks for the lists that this needs.
    pub(in crate::image) fn named(registry: &'r Registry, targets: &[Target], choice: Choice) -> Self {
        let found = wanted::wanted(registry, targets, choice.threads);
        let left_out = found.left_out.into_iter().collect();
        let state = State { flaws: found.flaws, left_out, ..State::default() };
        Self { state: Mutex::new(state), ..Self::new(registry, found.images, choice) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Small JSON of the registry, fetched once as long as it is held.
    fn json(&self, is_document: bool, repository: &str, digest: &Digest) -> Result<Arc<[u8]>, Flaw> {
        // Bytes are what their digest says, whoever has them; what one repository refuses another may give.
        let [key, own] = [key(is_document, digest), format!("{repository} {}", key(is_document, digest))];
        let held = |state: &State| state.held.get(&key).or_else(|| state.held.get(&own)).cloned();
        if let Some(held) = held(&self.state()) {
            return held.map_err(words);
        }
        let fetched = if is_document {
            self.registry.manifest(repository, digest.as_str()).map(|m| m.bytes)
        } else {
            self.registry.small_blob(repository, digest, JSON)
        };
        let fetched: Result<Arc<[u8]>, String> = fetched.map(Into::into).map_err(|e| e.line());
        self.state().hold(if fetched.is_ok() { key } else { own }, fetched.clone());
        fetched.map_err(words)
    }

    /// Fetches the JSON of an image ahead. What fails is reported by whoever wants it.
    fn warm(&self, repository: &str, digest: &Digest, depth: u32) {
        let Ok(bytes) = self.json(true, repository, digest) else { return };
        let Some(document) = Document::parse(&bytes) else { return };
        for part in document.parts(&self.choice.platforms) {
            match part.role {
                Role::Document if depth > 0 => self.warm(repository, &part.digest, depth - 1),
                Role::Config => drop(self.json(false, repository, &part.digest)),
                _ => {}
            }
        }
    }

    /// The digest of each that is wanted, in their order.
    fn resolved(&self) -> Vec<Result<Digest, RegistryError>> {
        let resolve = |wanted: &Wanted| {
            let (digest, bytes) = self.registry.resolve(&wanted.repository, &wanted.which)?;
            bytes.into_iter().for_each(|bytes| self.state().hold(key(true, &digest), Ok(bytes.into())));
            Ok(digest)
        };
        let digests = in_parallel(&self.wanted, self.choice.threads, &resolve);
        let pairs = self.wanted.iter().zip(&digests);
        let mut known = HashSet::new();
        let found = pairs.filter_map(|(wanted, digest)| Some((&wanted.repository, digest.as_ref()?.as_ref().ok()?)));
        let distinct: Vec<_> = found.filter(|(_, digest)| known.insert(*digest)).collect();
        in_parallel(&distinct, self.choice.threads, &|(repository, digest)| self.warm(repository, digest, DEPTH));
        digests.into_iter().map(|digest| digest.unwrap_or(Err(RegistryError::Interrupted))).collect()
    }

    /// Where a blob is, as it is named in reports.
    fn place(blob: &Blob, digest: &str) -> Option<TreePath> {
        let kind = if matches!(blob.role, Role::Document | Role::Skipped) { "manifests" } else { "blobs" };
        let repository = blob.repositories.first()?;
        TreePath::new(format!("{repository}/{kind}/{digest}").as_bytes())
    }

    /// What a document names is there from now on.
    fn learn(&self, repository: &Arc<str>, document: &Document, of: &TreePath) {
        let parts = document.parts(&self.choice.platforms);
        let mut state = self.state();
        let (mut chosen, mut passed_over) = (false, false);
        for part in parts {
            chosen |= part.role == Role::Document;
            if let Some(reason) = part.left_out
                && let Some(path) = TreePath::new(format!("{repository}/manifests/{}", part.digest).as_bytes())
            {
                passed_over |= reason == documents::OTHER_PLATFORM;
                state.left_out.insert((path, reason));
            }
            if part.role == Role::Foreign {
                let why = Flaw::Unsupported("a layer that the registry does not hold itself (`urls`)");
                state.flaws.push((of.clone(), why));
                continue;
            }
            state.add(repository, &part, of);
        }
        if passed_over && !chosen {
            let why = Flaw::malformed(WHAT, "it lists no image for the platform that is examined (`--platform`)");
            state.flaws.push((of.clone(), why));
        }
    }

    /// Whether what calls itself a signature or the like is text, as those are: a file system is not.
    fn is_text(&self, repository: &str, document: &Document) -> bool {
        let parts = document.parts(&self.choice.platforms);
        parts.iter().filter(|part| part.role == Role::Layer).all(|part| {
            let start = self.registry.blob(repository, &part.digest, part.size);
            start.is_ok_and(stream::is_text)
        })
    }

    fn note_referrers(&self, roots: &[(Arc<str>, Digest)]) {
        let mut asked = HashSet::new();
        for (repository, digest) in roots.iter().filter(|root| asked.insert(*root)) {
            let path = |digest: &Digest| TreePath::new(format!("{repository}/manifests/{digest}").as_bytes());
            match self.registry.referrers(repository, digest) {
                Ok(found) => {
                    let paths = found.iter().filter_map(|referrer| path(&referrer.digest));
                    let noted = paths.map(|path| (path, "it refers to an image of this registry: noted, not trusted"));
                    self.state().left_out.extend(noted);
                }
                Err(error) => self.state().flaws.extend(path(digest).map(|path| (path, words(error.line())))),
            }
        }
    }
}

impl State {
    fn hold(&mut self, key: String, fetched: Result<Arc<[u8]>, String>) {
        self.bytes = self.bytes.saturating_add(cost(&fetched));
        match self.held.insert(key.clone(), fetched) {
            Some(before) => self.bytes = self.bytes.saturating_sub(cost(&before)),
            None => self.order.push_back(key),
        }
        while self.bytes > HELD
            && let Some(oldest) = self.order.pop_front()
        {
            let freed = self.held.remove(&oldest).map_or(0, |fetched| cost(&fetched));
            self.bytes = self.bytes.saturating_sub(freed);
        }
    }

    fn add(&mut self, repository: &Arc<str>, part: &Part, of: &TreePath) {
        let fresh = || Blob { repositories: Vec::new(), size: part.size, role: part.role };
        let blob = self.blobs.entry(part.digest.to_string()).or_insert_with(fresh);
        if blob.role == Role::Skipped {
            blob.role = part.role;
        }
        if !blob.repositories.contains(repository) && blob.repositories.len() < HOLDERS {
            blob.repositories.push(repository.clone());
        }
        if blob.size != part.size {
            self.flaws.push((of.clone(), Flaw::malformed(WHAT, "another one gives another size for a blob of it")));
        }
    }
}

/// Under which JSON is held.
fn key(is_document: bool, digest: &Digest) -> String {
    format!("{is_document} {digest}")
}

fn cost(fetched: &Result<Arc<[u8]>, String>) -> usize {
    fetched.as_ref().map_or_else(String::len, |bytes| bytes.len()).saturating_add(256)
}

/// A gap in the words of the registry's client.
fn words(line: String) -> Flaw {
    Flaw::Io(std::io::Error::other(line))
}

impl Store for RegistryImages<'_> {
    fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        let Some(digest) = digest_of(name) else { return Ok(None) };
        let known = self.state().blobs.get(digest.as_str()).and_then(|blob| {
            let repository = blob.repositories.first()?.clone();
            Some((repository, blob.role))
        });
        let Some((repository, role)) = known.filter(|(_, role)| *role != Role::Skipped) else {
            return Ok(None);
        };
        let bytes = self.json(role == Role::Document, &repository, &digest)?;
        if role == Role::Document
            && let Some(document) = Document::parse(&bytes)
            && let Some(path) = TreePath::new(name)
        {
            if document.is_artifact() && self.is_text(&repository, &document) {
                let reason = "a signature, an attestation or another artifact: it holds no file system";
                self.state().left_out.insert((path, reason));
                return Ok(None);
            }
            self.learn(&repository, &document, &path);
        }
        Ok(Some(bytes.to_vec()))
    }

    fn find(&self, name: &[u8]) -> Option<(TreePath, u64)> {
        let digest = digest_of(name)?;
        let state = self.state();
        let blob = state.blobs.get(digest.as_str())?;
        Some((Self::place(blob, digest.as_str())?, blob.size))
    }
}

impl Source for RegistryImages<'_> {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        let (mut roots, mut named, mut flaws) = (Vec::<Root>::new(), Vec::new(), Vec::new());
        for (wanted, digest) in self.wanted.iter().zip(self.resolved()) {
            let mark = if wanted.which.contains(':') { '@' } else { ':' };
            let name = format!("{}/{}{mark}{}", self.registry.host(), wanted.repository, wanted.which);
            match digest {
                Ok(digest) => {
                    let repository: Arc<str> = wanted.repository.as_str().into();
                    let part = Part { digest: digest.clone(), size: 0, role: Role::Document, left_out: None };
                    self.state().add(&repository, &part, &TreePath::root());
                    named.push((repository, digest.clone()));
                    match roots.iter_mut().find(|root| root.digest == digest.as_str()) {
                        Some(root) => root.names.push(name),
                        None => roots.push(Root { names: vec![name], digest: digest.to_string() }),
                    }
                }
                Err(error) => {
                    let path = TreePath::new(format!("{}/manifests/{}", wanted.repository, wanted.which).as_bytes());
                    flaws.push((path.unwrap_or_else(TreePath::root), words(error.line())));
                }
            }
        }
        let mut plan = plan::plan_roots(self, readers, &roots);
        if self.choice.referrers {
            self.note_referrers(&named);
        }
        let mut state = self.state();
        plan.flaws.extend(flaws);
        plan.flaws.append(&mut state.flaws);
        // What one index passes over another may choose.
        let left_out = std::mem::take(&mut state.left_out).into_iter();
        let is_out = |path: &TreePath, why: &str| {
            let role = digest_of(path.as_bytes()).and_then(|d| state.blobs.get(d.as_str())).map(|b| b.role);
            why != documents::OTHER_PLATFORM || role == Some(Role::Skipped)
        };
        plan.left_out.extend(left_out.filter(|(path, why)| is_out(path, why)));
        plan.is_image = true;
        plan
    }

    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw> {
        let missing = || Flaw::malformed("registry", "a blob is missing");
        let digest = digest_of(layer.as_bytes()).ok_or_else(missing)?;
        let (repositories, size) = {
            let state = self.state();
            let blob = state.blobs.get(digest.as_str()).ok_or_else(missing)?;
            (blob.repositories.clone(), blob.size)
        };
        let mut trouble = missing();
        for repository in repositories {
            match self.registry.blob(&repository, &digest, size) {
                Ok(blob) => return Ok(Content::Blob(Box::new(Stream::new(blob)))),
                Err(error) => trouble = words(error.line()),
            }
        }
        Err(trouble)
    }
}

/// Does this for each, several at a time; in their order.
fn in_parallel<T: Sync, R: Send>(all: &[T], threads: usize, work: &(dyn Fn(&T) -> R + Sync)) -> Vec<Option<R>> {
    let slots: Vec<_> = all.iter().map(|one| (one, Mutex::new(None))).collect();
    let next = AtomicUsize::new(0);
    on_threads(threads.clamp(1, slots.len().max(1)), &|| {
        while let Some((one, slot)) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = work(one);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        }
    });
    slots.into_iter().map(|(_, slot)| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// The digest at the end of a name: `blobs/sha256/<hex>`, `team/app/blobs/sha256:<hex>`.
fn digest_of(name: &[u8]) -> Option<Digest> {
    let name = std::str::from_utf8(name).ok()?;
    let last = name.rsplit('/').next()?;
    let kind = name.strip_suffix(last)?.strip_suffix('/')?.rsplit('/').next()?;
    Digest::parse(last).or_else(|| Digest::parse(&format!("{kind}:{last}")))
}
