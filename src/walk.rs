//! The inspection of one tree: names go through the router, wanted files through their surfaces, facts and gaps into one place. A
//! surface that fails or panics costs its own file only.

mod by_hand;
mod explained;
mod history;
mod inspect;
mod keep;
mod lists;
pub(crate) mod named;
mod numbered;
mod place;
mod record;
mod router;
mod shelf;
#[cfg(test)]
mod tests;
mod weigh;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    coverage::{Coverage, Exclusion, Gap, GapKind, SurfaceCount, WALK, Weight},
    fact::{Fact, Origin, Seen, TreePath},
    interest::Interest,
    surface::Surface,
    tree::{Body, Entry, Kind, Listed, Visit},
};

pub use self::{
    by_hand::ByHand,
    explained::Explained,
    keep::{Bounds, FactBudget, Keep, Worth},
    record::{Inspection, Recorder, Recording},
    router::{Folder, Router},
    weigh::Weigh,
};
use self::{inspect::As, weigh::Weighed};
pub(crate) use self::{
    place::{ByPlace, Finished, Kept},
    weigh::LISTED,
};

/// Problems reported of one file, and of one tree.
const GAPS_OF_A_FILE: usize = 100;
const GAPS: usize = 50_000;
/// Files of one tree that others name and that are noted between two looks.
const INCLUDES: usize = 200_000;

/// Inspects one tree: the visitor that a tree's walk calls.
pub struct Inspector<'i> {
    router: &'i Router<'i>,
    interest: &'i Interest,
    keep: &'i Keep<'i>,
    weigh: Option<&'i Weigh<'i>>,
    tree: Arc<str>,
    layer: Option<Arc<str>>,
    names: AtomicU64,
    progress: Option<&'i AtomicU64>,
    atimes: AtomicU64,
    shelving: bool,
    recording: Option<&'i Recording<'i>>,
    result: Mutex<Result>,
}

struct Result {
    kept: Kept,
    /// Files that others name, with the surface that reads them.
    includes: BTreeSet<(TreePath, &'static str)>,
    /// Files that others name beyond the bound.
    unfollowed: u64,
    gaps: ByPlace<Gap>,
    weightless: ByPlace<Gap>,
    leading: BTreeSet<Origin>,
    exclusions: Vec<Exclusion>,
    surfaces: BTreeMap<&'static str, SurfaceCount>,
    /// What names of folders say.
    named: ByPlace<(Worth, Seen)>,
    /// Installed packages that fit nothing.
    shelf: shelf::Shelf,
}

impl Result {
    fn new(tree: &Arc<str>) -> Self {
        Self {
            shelf: shelf::Shelf::new(tree.clone()),
            kept: Kept::new(Bounds::TREE),
            includes: BTreeSet::new(),
            unfollowed: 0,
            gaps: ByPlace::default(),
            weightless: ByPlace::default(),
            leading: BTreeSet::new(),
            exclusions: Vec::new(),
            surfaces: BTreeMap::new(),
            named: ByPlace::default(),
        }
    }

    fn keep(&mut self, facts: Vec<(Worth, Seen)>) {
        for (worth, fact) in facts {
            if worth == Worth::Evidence {
                self.shelf.want(&fact);
            }
            match fact.fact {
                Fact::Includes { .. } if worth == Worth::Nothing => {}
                Fact::Includes { file, surface } => self.include(file, surface),
                _ => self.kept.put(worth, fact),
            }
        }
    }

    fn include(&mut self, file: TreePath, surface: &'static str) {
        self.includes.insert((file, surface));
        if self.includes.len() > INCLUDES {
            self.includes.pop_last();
            self.unfollowed += 1;
        }
    }

    fn report(&mut self, gaps: Vec<Gap>) {
        for gap in gaps {
            let place = (0, gap.origin.path.clone(), gap.surface);
            self.gaps.put_within(GAPS, place, gap);
        }
    }

    /// Takes the problems of one file by what the file weighs. Of one that was named by hand all are gaps.
    fn sort_gaps(&mut self, mut gaps: Vec<Gap>, weight: Weight, by_hand: bool) {
        match weight {
            Weight::Unknown => {}
            Weight::Nothing if by_hand => {}
            Weight::Nothing => {
                for gap in gaps.extract_if(.., |gap| weigh::not_understood(gap)) {
                    let place = (0, gap.origin.path.clone(), gap.surface);
                    self.weightless.put_within(LISTED, place, gap);
                }
            }
            Weight::Names => {
                for gap in gaps.iter_mut().filter(|gap| weigh::not_understood(gap)) {
                    weigh::mark(gap);
                    self.leading.insert(gap.origin.whole_file());
                    if self.leading.len() > GAPS {
                        self.leading.pop_last();
                    }
                }
            }
        }
        self.report(gaps);
    }
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
        let result = Mutex::new(Result::new(&tree));
        Self {
            router,
            interest,
            keep,
            weigh: None,
            tree,
            layer,
            names: AtomicU64::new(0),
            progress: None,
            atimes: AtomicU64::new(0),
            shelving: false,
            recording: None,
            result,
        }
    }

    /// Also weighs what cannot be read: without it every such file is a gap.
    pub fn weighing(mut self, weigh: &'i Weigh<'i>) -> Self {
        self.weigh = Some(weigh);
        self
    }

    /// Keeps no installed package that fits nothing and leads to nothing that does. For a whole tree: what one layer holds may lead to
    /// what another one does.
    pub fn shelving(mut self) -> Self {
        self.shelving = true;
        self
    }

    /// Also hands everything that is read to a recorder.
    pub fn recording(mut self, recording: Option<&'i Recording<'i>>) -> Self {
        self.recording = recording;
        self
    }

    /// Also adds the files and folders examined to a counter that somebody watches.
    pub fn counting(mut self, progress: &'i AtomicU64) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Facts and the account of the examination, when the walk is over.
    pub fn finish(self) -> (Vec<Seen>, Coverage) {
        let mut result = self.result.into_inner().unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut result.named).into_iter().map(|(_, (_, seen))| seen).collect();
        let undescribed = named::undescribed(waiting, result.kept.iter().map(|(_, seen)| seen));
        // A name that fits no indicator was not kept.
        result.keep(undescribed.into_iter().map(|seen| (Worth::Evidence, seen)).collect());
        let shelf = std::mem::replace(&mut result.shelf, shelf::Shelf::new(self.tree.clone()));
        let (explaining, unknown) = shelf.explain();
        result.keep(explaining.into_iter().map(|seen| (Worth::Context, seen)).collect());
        let root = Origin::file(&self.tree, TreePath::root());
        let Finished { facts, dropped } = result.kept.finish();
        let seen = facts.into_iter().map(|(_, seen)| *seen).collect();
        let dropped = [
            (dropped.values().sum(), "facts"),
            (result.gaps.dropped(), "problems"),
            (result.unfollowed, "named files"),
            (unknown, "units' packages"),
        ];
        let mut gaps: Vec<Gap> = result.gaps.into_iter().map(|(_, gap)| gap).collect();
        for (count, what) in dropped.into_iter().filter(|(n, _)| *n > 0) {
            let detail = format!("{count} more {what} than are kept of one tree");
            gaps.push(Gap { origin: root.clone(), surface: WALK, kind: GapKind::TooLarge, detail });
        }
        let coverage = Coverage {
            trees: vec![self.tree.to_string()],
            files_seen: self.names.into_inner(),
            bytes_read: 0,
            atime_changed: self.atimes.into_inner(),
            surfaces: result.surfaces,
            gaps,
            weightless_unlisted: result.weightless.dropped(),
            weightless: result.weightless.into_iter().map(|(_, gap)| gap).collect(),
            leading: result.leading,
            exclusions: result.exclusions,
        };
        (seen, coverage)
    }

    /// The files that others named since this was asked last, each with the id of the surface that reads it.
    pub fn take_includes(&self) -> BTreeSet<(&'static str, TreePath)> {
        std::mem::take(&mut self.result().includes).into_iter().map(|(file, surface)| (surface, file)).collect()
    }

    /// Whether a file is read by this surface because of its name and place.
    pub fn claims(&self, surface: &str, path: &TreePath) -> bool {
        self.claimants(path).any(|s| s.meta().id == surface)
    }

    /// Reads a file with the surface of this id, whatever the file's name.
    pub fn read_with(&self, surface: &str, entry: &Entry, body: &mut Body<'_>) {
        let mut weighed = Weighed::default();
        for surface in self.router.surfaces.iter().filter(|s| s.meta().id == surface) {
            self.inspect_as(*surface, entry, As::found(&entry.path), body, &mut weighed);
        }
    }

    /// Keeps a fact that no file was read for, where it is worth it; whether it is a finding.
    pub fn put(&self, seen: Seen) -> bool {
        let worth = (self.keep)(&seen);
        if worth != Worth::Nothing {
            self.result().keep(vec![(worth, seen)]);
        }
        worth == Worth::Evidence
    }

    /// The surfaces that may want something.
    pub(crate) fn surfaces(&self) -> &'i [&'i dyn Surface] {
        &self.router.surfaces
    }

    /// What the indicators ask for.
    pub fn interest(&self) -> &Interest {
        self.interest
    }

    /// How much is kept so far: facts, and what they ask for. Asked often.
    pub fn kept(&self) -> usize {
        self.result().kept.count()
    }

    fn result(&self) -> MutexGuard<'_, Result> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The surfaces that want a file, by its name and place.
    fn claimants(&self, path: &TreePath) -> impl Iterator<Item = &'i dyn Surface> {
        let mut claimants = Vec::new();
        self.router.claimants(&self.router.folder(&path.parent()), path.name(), Kind::File, &mut claimants);
        claimants.into_iter().filter_map(|i| self.router.surfaces.get(i).copied())
    }

    /// How many files were read by surfaces so far; one that several read counts for each.
    pub fn inspected(&self) -> u64 {
        self.result().surfaces.values().map(|count| count.files).sum()
    }

    fn origin(&self, path: &TreePath) -> Origin {
        Origin { layer: self.layer.clone(), ..Origin::file(&self.tree, path.clone()) }
    }
}

impl Visit for Inspector<'_> {
    type Folder = Folder;

    fn folder(&self, path: &TreePath) -> Folder {
        if let Some(recording) = self.recording {
            recording.folder(&self.router.surfaces, path);
        }
        let named = self.named(path, Kind::Dir);
        if !named.is_empty() {
            self.result().keep_named(named);
        }
        self.router.folder(path)
    }

    fn wants(&self, folder: &Folder, name: &[u8], kind: Kind) -> bool {
        self.router.wants(folder, name, kind)
    }

    fn sift(&self, folder: &Folder, wanted: &mut Vec<(Vec<u8>, Kind)>) {
        self.router.sift(folder, wanted);
    }

    fn lists(&self) -> bool {
        self.recording.is_some_and(|r| r.names)
    }

    fn listed(&self, folder: &TreePath, files: Vec<Listed>) {
        if let Some(recording) = self.recording {
            recording.recorder.listed(folder, files);
        }
    }

    fn file(&self, entry: &Entry, body: &mut Body<'_>) {
        let (mut weighed, mut listed, mut read) = (Weighed::default(), false, false);
        for surface in self.claimants(&entry.path) {
            listed |= self.inspect_as(surface, entry, As::found(&entry.path), body, &mut weighed).history;
            read |= history::reads(surface);
        }
        if listed && !read {
            self.unread_history(entry, body, &mut weighed);
        }
    }

    fn gap(&self, gap: Gap) {
        if let Some(recording) = self.recording {
            recording.recorder.gap(&gap);
        }
        // Nobody knows whether what could not be opened is a folder.
        let path = &gap.origin.path;
        let mut named = self.named(path, Kind::File);
        if named.is_empty() {
            named = self.named(path, Kind::Dir);
        }
        let mut result = self.result();
        result.keep(named);
        result.report(vec![gap]);
    }

    fn exclude(&self, exclusion: Exclusion) {
        if let Some(recording) = self.recording {
            recording.recorder.exclusion(&exclusion);
        }
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
