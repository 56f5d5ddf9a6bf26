//! Bounds by place. Threads hand in what they read in any order; what is kept of more than fits is what stands first by path, so that the
//! same tree gives the same answer.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::keep::{Bounds, Worth};
use crate::fact::{Fact, Requirement, Seen, TreePath};

/// The file, and what read it: its facts stay together or go together.
pub(super) type Place = (TreePath, &'static str);

/// Things by the place where they were read. Whatever stands behind the first that was given up is given up too, so that the order in
/// which they come does not matter.
#[derive(Debug)]
pub(super) struct ByPlace<T> {
    held: BTreeMap<Place, Vec<T>>,
    count: usize,
    end: Option<Place>,
    dropped: u64,
}

impl<T> Default for ByPlace<T> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), count: 0, end: None, dropped: 0 }
    }
}

impl<T> ByPlace<T> {
    /// Whether something of this place is taken; else it is counted as dropped.
    fn admits(&mut self, place: &Place) -> bool {
        let here = self.end.as_ref().is_none_or(|end| place < end);
        self.dropped += u64::from(!here);
        here
    }

    fn put(&mut self, place: Place, thing: T) {
        self.held.entry(place).or_default().push(thing);
        self.count += 1;
    }

    /// Gives up what stands last.
    fn give_up(&mut self) -> Vec<T> {
        let Some((place, things)) = self.held.pop_last() else {
            return Vec::new();
        };
        self.end = Some(place);
        self.count -= things.len();
        self.dropped += u64::try_from(things.len()).unwrap_or(u64::MAX);
        things
    }

    /// Keeps at most so many. Gives back what has no place.
    pub(super) fn put_within(&mut self, most: usize, place: Place, thing: T) -> Vec<T> {
        if !self.admits(&place) {
            return vec![thing];
        }
        self.put(place, thing);
        let mut given_up = Vec::new();
        while self.count > most {
            given_up.extend(self.give_up());
        }
        given_up
    }

    /// How many had no place.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// By place; of one place in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.held.values().flatten()
    }

    /// The same.
    pub(super) fn into_iter(self) -> impl Iterator<Item = T> {
        self.held.into_values().flatten()
    }
}

/// What explains others: a fact, or what a fact of greater worth asks for.
#[derive(Debug)]
enum Context {
    Fact(Box<Seen>),
    Asked(Arc<[Requirement]>),
}

/// The facts of one tree, each worth with a bound of its own.
#[derive(Debug)]
pub(super) struct Kept {
    bounds: Bounds,
    evidence: ByPlace<(Seen, bool)>,
    credentials: ByPlace<Seen>,
    context: ByPlace<Context>,
    /// Facts of the context, and the requirements of different lists.
    cost: u64,
    /// The same release asks for the same in each environment: one copy serves all.
    lists: HashMap<Arc<[Requirement]>, u32>,
}

impl Kept {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            evidence: ByPlace::default(),
            credentials: ByPlace::default(),
            context: ByPlace::default(),
            cost: 0,
            lists: HashMap::new(),
        }
    }

    /// Keeps a fact by its worth and place.
    pub(super) fn put(&mut self, worth: Worth, mut seen: Seen) {
        let place = (seen.origin.path.clone(), seen.surface);
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
            return;
        }
        self.cost += u64::from(matches!(context, Context::Fact(_)));
        if let Some(list) = context.list().filter(|list| !list.is_empty()) {
            if let Some((known, _)) = self.lists.get_key_value(list) {
                *list = known.clone();
            } else {
                self.cost += length(list);
            }
            *self.lists.entry(list.clone()).or_default() += 1;
        }
        self.context.put(place, context);
        while self.cost > self.bounds.context && self.context.count > 0 {
            for mut context in self.context.give_up() {
                self.cost -= u64::from(matches!(context, Context::Fact(_)));
                let list = context.list().map(std::mem::take).unwrap_or_default();
                let left = self.lists.get_mut(&list).map(|users| {
                    *users -= 1;
                    *users
                });
                if left == Some(0) {
                    self.lists.remove(&list);
                    self.cost -= length(&list);
                }
            }
        }
    }

    /// What is kept so far.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Seen> {
        let explaining = self.context.iter().filter_map(|context| match context {
            Context::Fact(seen) => Some(&**seen),
            Context::Asked(_) => None,
        });
        self.evidence.iter().map(|(seen, _)| seen).chain(self.credentials.iter()).chain(explaining)
    }

    /// How many things that is, counted with every fact that was taken.
    pub(super) fn count(&self) -> usize {
        self.evidence.count + self.credentials.count + self.context.count
    }

    /// All of it, and how many were worth keeping and had no place.
    pub(super) fn finish(self) -> (Vec<Seen>, u64) {
        let dropped = [self.evidence.dropped, self.credentials.dropped, self.context.dropped];
        let (mut asked, mut all) = (HashMap::<Place, Vec<Arc<[Requirement]>>>::new(), Vec::<Seen>::new());
        for (place, contexts) in self.context.held {
            for context in contexts {
                match context {
                    Context::Fact(seen) => all.push(*seen),
                    Context::Asked(list) => asked.entry(place.clone()).or_default().push(list),
                }
            }
        }
        for (place, facts) in self.evidence.held {
            let mut lists = asked.remove(&place).unwrap_or_default().into_iter();
            for (mut seen, has_list) in facts {
                if let (true, Some(list)) = (has_list, requires(&mut seen.fact)) {
                    *list = lists.next().unwrap_or_default();
                }
                all.push(seen);
            }
        }
        all.extend(self.credentials.into_iter());
        (all, dropped.iter().sum())
    }
}

impl Context {
    fn list(&mut self) -> Option<&mut Arc<[Requirement]>> {
        match self {
            Self::Fact(seen) => requires(&mut seen.fact),
            Self::Asked(list) => Some(list),
        }
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

fn length(list: &[Requirement]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Ecosystem, Origin, Package, Placement};

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
        let (all, dropped) = kept.finish();
        let said = |mut s: Seen| {
            let asks = requires(&mut s.fact).map_or(0, |list| list.len());
            format!("{}:{asks}", s.origin.path.text())
        };
        (all.into_iter().map(said).collect(), dropped)
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
            (0, 1, 1, vec!["/c:0", "/g:0"], 7),
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
    fn one_kind_does_not_crowd_out_another() {
        let mut facts: Vec<(Worth, Seen)> =
            (0..100).map(|n| (Worth::Credential, package(&format!("a{n:02}"), &[]))).collect();
        facts.push((Worth::Evidence, package("z", &[])));
        let order: Vec<usize> = (0..facts.len()).collect();
        let (found, dropped) = kept(Bounds { context: 1, evidence: 1, credentials: 2 }, &facts, &order);
        assert_eq!((found, dropped), (["/z:0", "/a00:0", "/a01:0"].map(str::to_owned).to_vec(), 98));
    }
}
