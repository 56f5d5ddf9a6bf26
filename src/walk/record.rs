//! The tap and the way back. What the surfaces read can be handed on before anybody asks what it is worth, and what was kept so can
//! be put in again: both go through the same bounds, so that a stored examination is judged as the examination itself was.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    Inspector,
    inspect::{Admitted, doubt, is_broken},
    named::SALVAGED,
    weigh,
};
use crate::{
    coverage::{Exclusion, Gap, GapKind, Weight},
    fact::{At, Ecosystem, Fact, Origin, Seen, TreePath},
    guard::quietly,
    interest::{Interest, KnownPackages},
    surface::{Opened, Sink, Surface},
    tree::{Body, Entry, Kind, Listed},
};

/// Facts of one file that are recorded, of each sort.
pub(super) const RECORDED: usize = 50_000;
/// Names of packages that one file asked for.
const ASKED: usize = 20_000;

/// What one surface read in one file.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Id of the surface.
    pub surface: &'static str,
    /// The file.
    pub entry: Entry,
    /// Somebody named the file on the command line.
    pub by_hand: bool,
    /// Everything that the surface says with the indicators of the run.
    pub facts: Vec<Seen>,
    /// Facts that were left out because they are worth nothing: packages that no indicator knows and that nothing loads.
    pub passed: u64,
    /// What it says besides where an indicator names one of the packages that it asked for.
    pub further: Vec<Seen>,
    /// Those packages.
    pub asked: BTreeSet<(Ecosystem, Box<str>)>,
    /// Packages that the raw text names, where it cannot be parsed.
    pub salvaged: Vec<Seen>,
    /// There was more of the two than is recorded, or it asked for more names.
    pub cut: bool,
    /// The surface could not read the file as what it should be.
    pub flawed: bool,
    /// The problems.
    pub gaps: Vec<Gap>,
    /// Problems beyond those that are kept of one file.
    pub more_gaps: u64,
    /// What an unreadable file may hide from the indicators of the run.
    pub weight: Weight,
}

/// Takes what is read. One recorder serves many threads.
pub trait Recorder: Sync {
    /// A surface read a file.
    fn inspection(&self, inspection: Inspection);
    /// The name of a folder says something to a surface.
    fn folder(&self, path: &TreePath);
    /// The files and links of a folder.
    fn listed(&self, folder: &TreePath, files: Vec<Listed>);
    /// The walk met a problem.
    fn gap(&self, gap: &Gap);
    /// A problem counts by what its file weighs, and by whether the file was named by hand.
    fn weighed(&self, gap: &Gap, weight: Weight, by_hand: bool);
    /// Something was left out.
    fn exclusion(&self, exclusion: &Exclusion);
}

/// A recorder, and what surfaces shall look for besides.
pub struct Recording<'r> {
    pub(super) recorder: &'r dyn Recorder,
    /// Whether the names of all files are wanted.
    pub(super) names: bool,
    everything: Arc<Interest>,
}

thread_local! {
    static ASKED_FOR: RefCell<BTreeSet<(Ecosystem, Box<str>)>> = const { RefCell::new(BTreeSet::new()) };
}

/// Knows every package, and remembers which it was asked for.
#[derive(Debug)]
struct Everything;

impl KnownPackages for Everything {
    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool {
        ASKED_FOR.with_borrow_mut(|asked| {
            if asked.len() < ASKED {
                asked.insert((ecosystem, name.into()));
            }
        });
        true
    }
}

impl<'r> Recording<'r> {
    /// For a recorder. `interest` is a copy of what the run looks for.
    pub fn new(recorder: &'r dyn Recorder, interest: Interest) -> Self {
        Self::sharing(recorder, Self::everything(interest))
    }

    /// For one of several recorders of a run.
    pub fn sharing(recorder: &'r dyn Recorder, everything: Arc<Interest>) -> Self {
        Self { recorder, names: false, everything }
    }

    /// What surfaces shall look for, whoever asks. `interest` is a copy of what the run looks for.
    pub fn everything(mut interest: Interest) -> Arc<Interest> {
        interest.feeds.push(Arc::new(Everything));
        Arc::new(interest)
    }

    /// Also every path with its size.
    pub fn with_names(mut self, names: bool) -> Self {
        self.names = names;
        self
    }

    /// Records a folder whose name would say something to one of these surfaces.
    pub(crate) fn folder(&self, surfaces: &[&dyn Surface], path: &TreePath) {
        let says = |s: &&dyn Surface| s.named(path, Kind::Dir, &self.everything).is_some();
        if quietly(|| surfaces.iter().any(says)).unwrap_or_default() {
            self.recorder.folder(path);
        }
    }

    /// Reads a file once more for what other indicators than those of the run would make the surface say, and records it all.
    pub(super) fn inspection(
        &self,
        surface: &dyn Surface,
        shown: &Entry,
        body: &mut Body<'_>,
        origin: &Origin,
        mut read: Inspection,
        own: &Interest,
    ) {
        ASKED_FOR.take();
        let entry = read.entry.clone();
        let mut units = FileUnits::default();
        let mut all: Vec<Seen> = Vec::new();
        let mut keep = |mut fact: Seen| {
            units.assign(surface, &mut fact);
            if all.len() < RECORDED {
                all.push(fact);
            } else {
                read.cut = true;
            }
        };
        let mut no_gaps = |_: Gap| ();
        let mut sink = Sink::new(surface.meta().id, origin.clone(), &entry, &mut keep, &mut no_gaps);
        // What is wrong with the file was said by the first reading, or concerns what nobody asked for.
        let outcome = quietly(|| surface.inspect(&mut Opened::new(shown, &self.everything, body), &mut sink));
        if matches!(outcome, Some(Err(flaw)) if is_broken(flaw.kind())) {
            all.iter_mut().for_each(doubt);
        }
        if read.flawed {
            let mut found_for = |interest| {
                quietly(|| surface.salvage(&mut Opened::new(&read.entry, interest, body))).unwrap_or_default()
            };
            // What the run itself asks for comes first: of all names only so many are admitted from one file.
            let (mut found, all) = (found_for(own), found_for(&self.everything));
            read.cut |= all.len() >= SALVAGED;
            found.extend(all.into_iter().take(RECORDED));
            let mut once = HashSet::new();
            let found = found.into_iter().filter(|(p, _)| once.insert((p.name.clone(), p.version.clone())));
            read.salvaged =
                found.map(|(package, line)| salvaged(surface, &read.entry, origin, package, line)).collect();
        }
        read.asked = ASKED_FOR.take();
        read.cut |= read.asked.len() >= ASKED;
        let known: HashSet<String> = read.facts.iter().map(identity).collect();
        all.retain(|fact| !known.contains(&identity(fact)));
        read.further = all;
        self.recorder.inspection(read);
    }
}

/// Two facts are the same where all that they say is.
fn identity(seen: &Seen) -> String {
    format!("{:?}|{:?}|{:?}|{:?}", seen.origin.inner, seen.origin.line, seen.at, seen.fact)
}

/// A package that only the raw text of a file names.
pub(super) fn salvaged(
    surface: &dyn Surface,
    entry: &Entry,
    origin: &Origin,
    package: crate::fact::Package,
    line: u32,
) -> Seen {
    Seen {
        surface: surface.meta().id,
        origin: Origin { line: Some(line), ..origin.clone() },
        at: entry.mtime.map(|time| At::new(time, "mtime of the file")),
        uid: entry.uid,
        gid: entry.gid,
        mode: entry.mode,
        unit: surface.unit(&entry.path, false).map(Arc::new),
        fact: Fact::Named(package),
    }
}

/// The units of one file, each worked out once.
#[derive(Default)]
pub(super) struct FileUnits([Option<Option<Arc<crate::fact::Unit>>>; 2]);

impl FileUnits {
    /// Gives a fact its unit.
    pub(super) fn assign(&mut self, surface: &dyn Surface, fact: &mut Seen) {
        let inner = fact.origin.inner.is_some();
        let [whole, member] = &mut self.0;
        let unit = if inner { member } else { whole };
        let path = &fact.origin.path;
        fact.unit.clone_from(unit.get_or_insert_with(|| surface.unit(path, inner).map(Arc::new)));
    }
}

impl Inspector<'_> {
    /// Puts in what was recorded. `same` says that the indicators are those of the recording.
    pub fn replay(&self, read: Inspection, same: bool) {
        let asks = |(ecosystem, name): &(Ecosystem, Box<str>)| self.interest.knows_package(*ecosystem, name);
        let mut facts = read.facts;
        let fits = read.asked.len() >= ASKED || read.asked.iter().any(asks);
        let incomplete = read.cut && !same && (read.flawed || fits);
        if !same && !read.further.is_empty() && read.asked.iter().any(asks) {
            let place = |s: &Seen| (s.origin.clone(), name_of(&s.fact).map(str::to_owned));
            let replaced: HashSet<_> = read.further.iter().filter(|s| is_package(&s.fact)).map(place).collect();
            facts.retain(|s| !is_package(&s.fact) || !replaced.contains(&place(s)));
            facts.extend(read.further);
        }
        let mut admitted = Admitted::default();
        facts.into_iter().for_each(|fact| admitted.admit(self, fact));
        admitted.pass(read.passed);
        let origin = self.origin(&read.entry.path);
        if incomplete {
            self.result().report(vec![unrecorded(&origin, read.surface)]);
        }
        if read.flawed && !(same && read.weight == Weight::Nothing && read.gaps.iter().any(weigh::not_understood)) {
            let surface = self.router.surfaces.iter().find(|s| s.meta().id == read.surface);
            if let Some(surface) = surface.filter(|_| !admitted.identified) {
                let named = quietly(|| self.named_by(*surface, &read.entry.path, Kind::File, Some(&read.entry)));
                admitted.seen.extend(named.flatten());
            }
            let asked = |s: &Seen| match &s.fact {
                Fact::Named(p) => self.interest.knows_package(p.ecosystem, &p.name),
                _ => false,
            };
            let found: Vec<Seen> = read.salvaged.into_iter().filter(asked).collect();
            let more = self.worthy(found, &admitted.seen);
            admitted.seen.extend(more);
        }
        let unclear = read.gaps.iter().any(weigh::not_understood);
        let weight = if unclear { if same { read.weight } else { forgotten(read.weight) } } else { Weight::Unknown };
        self.put_away(read.surface, &origin, admitted, (read.gaps, read.more_gaps), weight, read.by_hand);
    }

    /// Takes a problem that no surface reported, by what its file weighs.
    pub(super) fn weighed(&self, gap: Gap, weight: Weight, by_hand: bool) {
        if let Some(recording) = self.recording {
            recording.recorder.weighed(&gap, weight, by_hand);
        }
        self.result().sort_gaps(vec![gap], weight, by_hand);
    }

    /// The same, of a problem that no surface reported.
    pub fn replay_weighed(&self, gap: Gap, weight: Weight, by_hand: bool, same: bool) {
        let weight = if same { weight } else { forgotten(weight) };
        self.result().sort_gaps(vec![gap], weight, by_hand);
    }

    /// Counts files of which a surface said nothing.
    pub fn replay_silent(&self, surface: &'static str, files: u64) {
        let mut result = self.result();
        let count = result.surfaces.entry(surface).or_default();
        count.files = count.files.saturating_add(files);
    }
}

/// A file has more than was recorded of it.
pub(super) fn unrecorded(origin: &Origin, surface: &'static str) -> Gap {
    let detail = format!("more than {RECORDED} facts: not all of them were recorded");
    Gap { origin: origin.clone(), surface, kind: GapKind::TooLarge, detail }
}

/// What other indicators make of a file that is not there any more: what hid nothing may hide something now.
fn forgotten(weight: Weight) -> Weight {
    if weight == Weight::Nothing { Weight::Unknown } else { weight }
}

fn is_package(fact: &Fact) -> bool {
    matches!(fact, Fact::Package(_))
}

fn name_of(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::Package(p) => Some(&p.name),
        _ => None,
    }
}
