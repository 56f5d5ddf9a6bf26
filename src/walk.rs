//! The router and the inspection of one tree: names go through a lookup, wanted files through their surfaces, facts and gaps
//! into one place. A surface that fails or panics costs its own file only.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    coverage::{Coverage, Exclusion, Gap, GapKind, SurfaceCount},
    fact::{Origin, Seen, TreePath},
    interest::Interest,
    surface::{Claim, FileMatch, FolderMatch, Opened, Sink, Surface},
    tree::{Body, Entry, Visit},
};

/// Which surfaces want a file, as a lookup by its name.
pub struct Router<'s> {
    surfaces: Vec<&'s dyn Surface>,
    /// Claims by exact name.
    names: HashMap<Box<[u8]>, Vec<Route>>,
    /// Claims by what stands from the last dot on.
    endings: HashMap<Box<[u8]>, Vec<Route>>,
    /// Claims without such a handle: looked at once a folder.
    others: Vec<Route>,
}

struct Route {
    surface: usize,
    claim: Claim,
}

/// A folder as the router sees it.
pub struct Folder {
    path: TreePath,
    /// Positions in `others` whose folder this is.
    others: Vec<usize>,
}

impl<'s> Router<'s> {
    /// Compiles the claims of these surfaces.
    pub fn new(surfaces: Vec<&'s dyn Surface>, interest: &Interest) -> Self {
        let mut router =
            Self { surfaces: Vec::new(), names: HashMap::new(), endings: HashMap::new(), others: Vec::new() };
        for (surface, s) in surfaces.iter().enumerate() {
            for claim in s.claims(interest) {
                router.add(Route { surface, claim });
            }
        }
        router.surfaces = surfaces;
        router
    }

    fn add(&mut self, route: Route) {
        let list = match &route.claim.file {
            FileMatch::Name(name) => self.names.entry(name.as_bytes().into()).or_default(),
            FileMatch::Affix(_, end) if end.contains('.') => {
                self.endings.entry(ending(end.as_bytes()).into()).or_default()
            }
            _ => &mut self.others,
        };
        list.push(route);
    }

    fn folder(&self, path: &TreePath) -> Folder {
        let others = self.others.iter().enumerate();
        Folder {
            path: path.clone(),
            others: others.filter(|(_, r)| r.claim.folder.fits(path.as_bytes())).map(|(i, _)| i).collect(),
        }
    }

    /// Positions of the surfaces that want `name`, each once, in order.
    fn claimants(&self, folder: &Folder, name: &[u8], into: &mut Vec<usize>) {
        let path = folder.path.as_bytes();
        let fits =
            |r: &&Route| r.claim.file.fits(name) && (r.claim.folder == FolderMatch::Any || r.claim.folder.fits(path));
        let routes = [self.names.get(name), name.contains(&b'.').then(|| self.endings.get(ending(name))).flatten()];
        for routes in routes.into_iter().flatten() {
            into.extend(routes.iter().filter(fits).map(|r| r.surface));
        }
        let others = folder.others.iter().filter_map(|i| self.others.get(*i));
        into.extend(others.filter(|r| r.claim.file.fits(name)).map(|r| r.surface));
        into.sort_unstable();
        into.dedup();
    }
}

fn ending(name: &[u8]) -> &[u8] {
    let dot = name.iter().rposition(|b| *b == b'.').unwrap_or(0);
    name.get(dot..).unwrap_or_default()
}

/// Facts worth keeping, and gaps, of one file. A file of a million malicious pins says no more than one of a thousand, and each
/// finding costs memory.
const MOST: usize = 5000;

/// Whether a fact is worth keeping. Answers in the worker, so that what is dropped costs no memory.
pub type Keep<'k> = dyn Fn(&Seen) -> bool + Sync + 'k;

/// Inspects one tree: the visitor that a tree's walk calls.
pub struct Inspector<'i> {
    router: &'i Router<'i>,
    interest: &'i Interest,
    keep: &'i Keep<'i>,
    tree: Arc<str>,
    layer: Option<Arc<str>>,
    names: AtomicU64,
    progress: Option<&'i AtomicU64>,
    atimes: AtomicU64,
    result: Mutex<Result>,
}

#[derive(Default)]
struct Result {
    seen: Vec<Seen>,
    gaps: Vec<Gap>,
    exclusions: Vec<Exclusion>,
    surfaces: BTreeMap<&'static str, SurfaceCount>,
}

impl<'i> Inspector<'i> {
    /// For a tree called `tree`, or one layer of it.
    pub fn new(
        router: &'i Router<'i>,
        interest: &'i Interest,
        keep: &'i Keep<'i>,
        tree: Arc<str>,
        layer: Option<Arc<str>>,
    ) -> Self {
        Self {
            router,
            interest,
            keep,
            tree,
            layer,
            names: AtomicU64::new(0),
            progress: None,
            atimes: AtomicU64::new(0),
            result: Mutex::default(),
        }
    }

    /// Also adds the names met to a counter that somebody watches.
    pub fn counting(mut self, progress: &'i AtomicU64) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Facts and the account of the examination, when the walk is over.
    pub fn finish(self) -> (Vec<Seen>, Coverage) {
        let result = self.result.into_inner().unwrap_or_else(PoisonError::into_inner);
        let coverage = Coverage {
            trees: vec![self.tree.to_string()],
            files_seen: self.names.into_inner(),
            bytes_read: 0,
            atime_changed: self.atimes.into_inner(),
            surfaces: result.surfaces,
            gaps: result.gaps,
            exclusions: result.exclusions,
        };
        (result.seen, coverage)
    }

    fn result(&self) -> MutexGuard<'_, Result> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inspect(&self, surface: &dyn Surface, entry: &Entry, body: &mut Body<'_>) {
        let id = surface.meta().id;
        let mut origin = Origin::file(&self.tree, entry.path.clone());
        origin.layer.clone_from(&self.layer);
        let (mut seen, mut gaps, mut facts, mut more) = (Vec::new(), Vec::new(), 0, false);
        let outcome = {
            let mut keep = |fact: Seen| {
                facts += 1;
                if (self.keep)(&fact) {
                    match seen.len() < MOST {
                        true => seen.push(fact),
                        false => more = true,
                    }
                }
            };
            let mut gap = |gap: Gap| {
                if gaps.len() < MOST {
                    gaps.push(gap);
                }
            };
            let mut sink = Sink::new(id, origin.clone(), entry, &mut keep, &mut gap);
            let mut file = Opened::new(entry, self.interest, body);
            catch_unwind(AssertUnwindSafe(|| surface.inspect(&mut file, &mut sink)))
        };
        let flaw = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(flaw)) => Some((flaw.kind(), flaw.to_string())),
            // The message of a panic may quote the file: it is never shown.
            Err(_) => Some((GapKind::Panicked, "the parser failed on this file".to_owned())),
        };
        let more = more.then(|| (GapKind::TooLarge, format!("more than {MOST} matches: the rest was not kept")));
        let flaws = [flaw, more].into_iter().flatten();
        gaps.extend(flaws.map(|(kind, detail)| Gap { origin: origin.clone(), surface: id, kind, detail }));
        let mut result = self.result();
        result.seen.append(&mut seen);
        result.gaps.append(&mut gaps);
        let count = result.surfaces.entry(id).or_default();
        count.files += 1;
        count.facts += facts;
    }
}

impl Visit for Inspector<'_> {
    type Folder = Folder;

    fn folder(&self, path: &TreePath) -> Folder {
        self.router.folder(path)
    }

    fn wants(&self, folder: &Folder, name: &[u8]) -> bool {
        let mut claimants = Vec::new();
        self.router.claimants(folder, name, &mut claimants);
        !claimants.is_empty()
    }

    fn file(&self, entry: &Entry, body: &mut Body<'_>) {
        let folder = self.router.folder(&entry.path.parent());
        let mut claimants = Vec::new();
        self.router.claimants(&folder, entry.path.name(), &mut claimants);
        for surface in claimants.iter().filter_map(|i| self.router.surfaces.get(*i)) {
            self.inspect(*surface, entry, body);
        }
    }

    fn gap(&self, gap: Gap) {
        self.result().gaps.push(gap);
    }

    fn exclude(&self, exclusion: Exclusion) {
        self.result().exclusions.push(exclusion);
    }

    fn seen(&self, names: u64) {
        self.names.fetch_add(names, Ordering::Relaxed);
        if let Some(progress) = self.progress {
            progress.fetch_add(names, Ordering::Relaxed);
        }
    }

    fn atime_changed(&self) {
        self.atimes.fetch_add(1, Ordering::Relaxed);
    }
}
