//! Bounds by place. Threads hand in what they read in any order; what is kept of more than fits is what stands first by path, so that the
//! same tree gives the same answer. Several trees may share one bound, each with a rank: what is of the first ranks is kept.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use super::keep::{Bounds, Worth};
use crate::fact::{Fact, Requirement, Seen, TreePath, Unit};

/// Which of several trees that share one bound (a layer, by its rank), the file, and what read it: its facts stay together or go
/// together.
pub(crate) type Place = (u32, TreePath, &'static str);

/// Things by the place where they were read. Whatever stands behind the first that was given up is given up too, so that the order in
/// which they come does not matter.
#[derive(Debug)]
pub(crate) struct ByPlace<T> {
    held: BTreeMap<Place, Vec<T>>,
    /// How many of the first things of a place stand there no more. They count as before, since nobody knows when they came.
    superseded: BTreeMap<Place, usize>,
    count: usize,
    end: Option<Place>,
    dropped: BTreeMap<u32, u64>,
}

impl<T> Default for ByPlace<T> {
    fn default() -> Self {
        let (held, superseded) = (BTreeMap::new(), BTreeMap::new());
        Self { held, superseded, count: 0, end: None, dropped: BTreeMap::new() }
    }
}

impl<T> ByPlace<T> {
    /// Whether something of this place is taken.
    fn admits(&self, place: &Place) -> bool {
        self.end.as_ref().is_none_or(|end| place < end)
    }

    fn put(&mut self, place: Place, thing: T) {
        // Most files have one fact; a vector that grows has room for four.
        self.held.entry(place).or_insert_with(|| Vec::with_capacity(1)).push(thing);
        self.count += 1;
    }

    fn note_dropped(&mut self, part: u32, count: usize) {
        if count > 0 {
            *self.dropped.entry(part).or_default() += u64::try_from(count).unwrap_or(u64::MAX);
        }
    }

    /// Gives up what stands last, with the number of the tree that it is of.
    fn give_up(&mut self) -> (u32, Vec<T>) {
        let Some((place, things)) = self.held.pop_last() else {
            return (0, Vec::new());
        };
        self.superseded.remove(&place);
        self.count -= things.len();
        let part = place.0;
        self.end = Some(place);
        (part, things)
    }

    /// Keeps at most so many. Gives back what has no place.
    pub(crate) fn put_within(&mut self, most: usize, place: Place, thing: T) -> Vec<T> {
        if !self.admits(&place) {
            self.note_dropped(place.0, 1);
            return vec![thing];
        }
        self.put(place, thing);
        let mut given_up = Vec::new();
        while self.count > most {
            let (part, things) = self.give_up();
            self.note_dropped(part, things.len());
            given_up.extend(things);
        }
        given_up
    }

    /// What was read of this file so far is no longer what stands there.
    pub(crate) fn supersede(&mut self, part: u32, path: &TreePath) {
        let from = (part, path.clone(), "");
        let here = self.held.range(from..).take_while(|((p, at, _), _)| *p == part && at == path);
        self.superseded.extend(here.map(|(place, things)| (place.clone(), things.len())));
    }

    /// How many had no place.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// How many are held, with those that were superseded.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// By place; of one place in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &T)> {
        self.held.iter().flat_map(|(place, things)| {
            let gone = self.superseded.get(place).copied().unwrap_or(0);
            things.iter().skip(gone).map(move |thing| (place, thing))
        })
    }

    /// The same.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = (Place, T)> {
        let superseded = self.superseded;
        self.held.into_iter().flat_map(move |(place, things)| {
            let gone = superseded.get(&place).copied().unwrap_or(0);
            things.into_iter().skip(gone).map(move |thing| (place.clone(), thing))
        })
    }
}

/// What explains others: a fact, or what a fact of greater worth asks for.
#[derive(Debug)]
enum Context {
    Fact(Box<Seen>),
    Asked(Arc<[Requirement]>),
}

/// The facts of one tree, or of several together; each worth with a bound of its own.
#[derive(Debug)]
pub(crate) struct Kept {
    bounds: Bounds,
    evidence: ByPlace<(Seen, bool)>,
    credentials: ByPlace<Seen>,
    context: ByPlace<Context>,
    /// Facts of the context, different units, and the requirements of different lists.
    cost: u64,
    /// The same release asks for the same in each environment: one copy serves all.
    lists: HashMap<Arc<[Requirement]>, u32>,
    /// The packages of one environment have one unit.
    units: HashMap<Arc<Unit>, u32>,
}

/// Everything that is kept, with its place.
pub(crate) struct Finished {
    pub(crate) facts: Vec<(Place, Box<Seen>)>,
    /// How many facts of each tree were worth keeping and had no place, or none for what they ask for.
    pub(crate) dropped: BTreeMap<u32, u64>,
}

impl Kept {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            evidence: ByPlace::default(),
            credentials: ByPlace::default(),
            context: ByPlace::default(),
            cost: 0,
            lists: HashMap::new(),
            units: HashMap::new(),
        }
    }

    /// Keeps a fact of the only tree by its worth and place.
    pub(super) fn put(&mut self, worth: Worth, seen: Seen) {
        let place = (0, seen.origin.path.clone(), seen.surface);
        self.put_at(place, worth, seen);
    }

    /// Keeps a fact by its worth and place.
    pub(crate) fn put_at(&mut self, place: Place, worth: Worth, mut seen: Seen) {
        let most = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        match worth {
            Worth::Nothing => {}
            Worth::Credential => drop(self.credentials.put_within(most(self.bounds.credentials), place, seen)),
            Worth::Context => self.explain(place, Context::Fact(Box::new(seen))),
            Worth::Evidence => {
                // A finding is kept though nothing explains it any more.
                let asked = requires(&mut seen.fact).map(std::mem::take).filter(|list| !list.is_empty());
                let item = (seen, asked.is_some());
                drop(self.evidence.put_within(most(self.bounds.evidence), place.clone(), item));
                if let Some(list) = asked {
                    self.explain(place, Context::Asked(list));
                }
            }
        }
    }

    fn explain(&mut self, place: Place, mut context: Context) {
        if !self.context.admits(&place) {
            return self.context.note_dropped(place.0, context.facts());
        }
        self.cost += context.cost();
        if let Some(list) = context.list().filter(|list| !list.is_empty())
            && share(&mut self.lists, list)
        {
            self.cost += length(list);
        }
        if let Some(unit) = context.unit()
            && share(&mut self.units, unit)
        {
            self.cost += 1;
        }
        self.context.put(place, context);
        while self.cost > self.bounds.context && self.context.count > 0 {
            let (part, contexts) = self.context.give_up();
            for mut context in contexts {
                self.context.note_dropped(part, context.facts());
                self.cost -= context.cost();
                if let Some(list) = context.list().filter(|list| release(&mut self.lists, list)) {
                    self.cost -= length(list);
                }
                if context.unit().is_some_and(|unit| release(&mut self.units, unit)) {
                    self.cost -= 1;
                }
            }
        }
    }

    /// What was read of this file so far is no longer what stands there.
    pub(crate) fn supersede(&mut self, part: u32, path: &TreePath) {
        self.evidence.supersede(part, path);
        self.credentials.supersede(part, path);
        self.context.supersede(part, path);
    }

    /// What is kept so far.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Place, &Seen)> {
        let explaining = self.context.iter().filter_map(|(place, context)| match context {
            Context::Fact(seen) => Some((place, &**seen)),
            Context::Asked(_) => None,
        });
        let evidence = self.evidence.iter().map(|(place, (seen, _))| (place, seen));
        evidence.chain(self.credentials.iter()).chain(explaining)
    }

    /// How many things that is, counted with every fact that was taken.
    pub(crate) fn count(&self) -> usize {
        self.evidence.count + self.credentials.count + self.context.count
    }

    /// How much more would be kept.
    pub(crate) fn left(&self) -> Bounds {
        let less = |bound: u64, used: usize| bound.saturating_sub(u64::try_from(used).unwrap_or(u64::MAX));
        Bounds {
            context: self.bounds.context.saturating_sub(self.cost),
            evidence: less(self.bounds.evidence, self.evidence.count),
            credentials: less(self.bounds.credentials, self.credentials.count),
        }
    }

    /// All of it, and what had no place.
    pub(crate) fn finish(self) -> Finished {
        let mut dropped = self.context.dropped.clone();
        for (part, count) in self.evidence.dropped.iter().chain(&self.credentials.dropped) {
            *dropped.entry(*part).or_default() += count;
        }
        let (mut asked, mut facts) = (HashMap::<Place, VecDeque<Arc<[Requirement]>>>::new(), Vec::new());
        for (place, context) in self.context.into_iter() {
            match context {
                Context::Fact(seen) => facts.push((place, seen)),
                Context::Asked(list) => asked.entry(place).or_default().push_back(list),
            }
        }
        for (place, (mut seen, has_list)) in self.evidence.into_iter() {
            if let (true, Some(list)) = (has_list, requires(&mut seen.fact)) {
                match asked.get_mut(&place).and_then(VecDeque::pop_front) {
                    Some(known) => *list = known,
                    None => *dropped.entry(place.0).or_default() += 1,
                }
            }
            facts.push((place, Box::new(seen)));
        }
        facts.extend(self.credentials.into_iter().map(|(place, seen)| (place, Box::new(seen))));
        Finished { facts, dropped }
    }
}

impl Context {
    fn list(&mut self) -> Option<&mut Arc<[Requirement]>> {
        match self {
            Self::Fact(seen) => requires(&mut seen.fact),
            Self::Asked(list) => Some(list),
        }
    }

    fn unit(&mut self) -> Option<&mut Arc<Unit>> {
        match self {
            Self::Fact(seen) => seen.unit.as_mut(),
            Self::Asked(_) => None,
        }
    }

    /// One, and one more for each kilobyte of its path.
    fn cost(&self) -> u64 {
        match self {
            Self::Fact(seen) => 1 + u64::try_from(seen.origin.path.as_bytes().len() / 1024).unwrap_or(u64::MAX),
            Self::Asked(_) => 0,
        }
    }

    /// What a fact of greater worth asks for is no fact of its own.
    fn facts(&self) -> usize {
        usize::from(matches!(self, Self::Fact(_)))
    }
}

/// What a fact says that its package asks for.
fn requires(fact: &mut Fact) -> Option<&mut Arc<[Requirement]>> {
    match fact {
        Fact::Package(package) => Some(&mut package.requires),
        Fact::Requires(requires) => Some(requires),
        _ => None,
    }
}

/// Makes one copy serve all, and counts who uses it. Whether this is the first.
fn share<T: Clone + Eq + Hash>(known: &mut HashMap<T, u32>, thing: &mut T) -> bool {
    let same = known.get_key_value(thing).map(|(same, _)| same.clone());
    let is_first = same.is_none();
    *thing = same.unwrap_or_else(|| thing.clone());
    *known.entry(thing.clone()).or_default() += 1;
    is_first
}

/// Whether this was the last that used it.
fn release<T: Eq + Hash>(known: &mut HashMap<T, u32>, thing: &T) -> bool {
    let left = known.get_mut(thing).map(|users| {
        *users -= 1;
        *users
    });
    if left == Some(0) {
        known.remove(thing);
    }
    left == Some(0)
}

fn length(list: &[Requirement]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ecosystem, EnvironmentKind, Origin, Package, Placement};

    fn package(path: &str, requires: &[&str]) -> Seen {
        let requires = requires.iter().map(|r| Requirement::new(*r, *r));
        let fact = Fact::Package(Package {
            ecosystem: Ecosystem::Npm,
            name: "x".into(),
            version: "1.0.0".into(),
            placement: Placement::Loadable,
            requires: requires.collect(),
            artifacts: Vec::new(),
        });
        let origin = Origin::file(&"t".into(), TreePath::new(path.as_bytes()).unwrap());
        Seen { surface: "s", origin, at: None, uid: None, gid: None, mode: None, unit: None, fact }
    }

    /// Path and number of requirements of what is kept.
    fn kept(bounds: Bounds, facts: &[(Worth, Seen)], order: &[usize]) -> (Vec<String>, u64) {
        let mut kept = Kept::new(bounds);
        order.iter().for_each(|at| kept.put(facts[*at].0, facts[*at].1.clone()));
        let Finished { facts, dropped } = kept.finish();
        let said = |(_, mut s): (Place, Box<Seen>)| {
            let asks = requires(&mut s.fact).map_or(0, |list| list.len());
            format!("{}:{asks}", s.origin.path.text())
        };
        (facts.into_iter().map(said).collect(), dropped.values().sum())
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(n - 1);
        let into =
            |order: &Vec<usize>| (0..n).map(|at| [&order[..at], &[n - 1], &order[at..]].concat()).collect::<Vec<_>>();
        shorter.iter().flat_map(into).collect()
    }

    #[test]
    fn the_order_in_which_facts_come_does_not_matter() {
        let facts = [
            (Worth::Context, package("a", &["p", "q"])),
            (Worth::Context, package("b", &["p", "q"])),
            (Worth::Evidence, package("c", &["p", "q"])),
            (Worth::Context, package("d", &["r"])),
            (Worth::Evidence, package("e", &["s", "t", "u"])),
            (Worth::Evidence, package("f", &[])),
            (Worth::Credential, package("g", &[])),
        ];
        for (context, evidence, credentials, is, dropped) in [
            // Two facts and their one list; the list of `c` is the same. `d` costs two more.
            (4, 9, 9, vec!["/a:2", "/b:2", "/c:2", "/e:0", "/f:0", "/g:0"], 2),
            (6, 9, 9, vec!["/a:2", "/b:2", "/d:1", "/c:2", "/e:0", "/f:0", "/g:0"], 1),
            (9, 9, 9, vec!["/a:2", "/b:2", "/d:1", "/c:2", "/e:3", "/f:0", "/g:0"], 0),
            (9, 2, 0, vec!["/a:2", "/b:2", "/d:1", "/c:2", "/e:3"], 2),
            // Three of the context, two of the evidence, and `c`, which is kept without what it asks for.
            (0, 1, 1, vec!["/c:0", "/g:0"], 6),
        ] {
            let bounds = Bounds { context, evidence, credentials };
            for order in permutations(facts.len()) {
                let (found, count) = kept(bounds, &facts, &order);
                assert_eq!(
                    (found.iter().map(String::as_str).collect::<Vec<_>>(), count),
                    (is.clone(), dropped),
                    "{order:?}"
                );
            }
        }
    }

    #[test]
    fn a_unit_costs_once_and_a_long_path_more() {
        let unit = |folder: &str| {
            let folder = TreePath::new(folder.as_bytes()).unwrap();
            let (root, kind) = (folder.parent(), EnvironmentKind::VENV);
            Some(Arc::new(Unit { ecosystem: Ecosystem::Npm, folder, root, kind, usual: true }))
        };
        let of = |path: &str, folder: &str| (Worth::Context, Seen { unit: unit(folder), ..package(path, &[]) });
        let facts = [of("a", "x/y"), of("b", "x/y"), of("c", "x/z"), of(&format!("d{}", "d".repeat(2048)), "x/z")];
        // Two facts and their unit, a fact and its unit, and one that costs three.
        for (context, is, dropped) in [(8, 4, 0), (7, 3, 1), (5, 3, 1), (4, 2, 2), (3, 2, 2), (2, 1, 3), (1, 0, 4)] {
            for order in permutations(facts.len()) {
                let (found, count) = kept(Bounds { context, evidence: 0, credentials: 0 }, &facts, &order);
                assert_eq!((found.len(), count), (is, dropped), "{context} {order:?}");
            }
        }
    }

    #[test]
    fn one_kind_does_not_crowd_out_another() {
        let mut facts: Vec<(Worth, Seen)> =
            (0..100).map(|n| (Worth::Credential, package(&format!("a{n:02}"), &[]))).collect();
        facts.push((Worth::Evidence, package("z", &[])));
        let order: Vec<usize> = (0..facts.len()).collect();
        let (found, dropped) = kept(Bounds { context: 1, evidence: 1, credentials: 2 }, &facts, &order);
        assert_eq!((found, dropped), (["/z:0", "/a00:0", "/a01:0"].map(str::to_owned).to_vec(), 98));
    }
}
