//! Which kind of credential is replaced before which: who mints or reads another comes first, and a circle goes together.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Item, edge::Because};
use crate::{
    credential::{Catalog, model::Lane},
    verdict::{Rank, Urgency},
};

/// Kinds that are replaced together: all of them revoked before any of them is issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Ids, by tier, lane and position.
    pub kinds: Vec<String>,
    /// Positions, in the answer, of the groups that open one of these, but for those that another of them waits for; all smaller than
    /// the group's own. With an example of what opens what.
    pub after: Vec<(usize, Because)>,
    /// Why it stands where it stands.
    pub rank: Rank,
    /// It publishes or deploys, or opens one on the list that does.
    pub spreads: bool,
}

/// How urgent the most urgent of a kind is, and whether such a one was taken for certain.
pub type Weight = (Urgency, bool);

/// Orders the wanted kinds: by who mints whom, then the urgent and certain ones, then by tier, lane and position.
pub fn order(catalog: &Catalog, wanted: &BTreeMap<String, Weight>) -> Vec<Group> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = wanted.keys().map(|k| (k.as_str(), reached(catalog, k))).collect();
    let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|r| r.contains(to));
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for kind in wanted.keys() {
        let circle = |g: &&mut Vec<&str>| g.first().is_some_and(|first| reaches(kind, first) && reaches(first, kind));
        match groups.iter_mut().find(circle) {
            Some(group) => group.push(kind),
            None => groups.push(vec![kind]),
        }
    }
    for group in &mut groups {
        group.sort_by_cached_key(|k| place(catalog, k));
    }
    let listed: BTreeMap<&str, BTreeSet<&str>> =
        wanted.keys().map(|k| (k.as_str(), reached_over(catalog, wanted, k))).collect();
    let by_listed = |from: &str, to: &str| listed.get(from).is_some_and(|r| r.contains(to));
    let weight = |group: &[&str]| group.iter().filter_map(|k| wanted.get(*k)).max().copied();
    // One member stands for the group: in a circle all reach the same. What opens another only over kinds that nobody found here, and
    // is less urgent or less certain, does not keep it waiting: nothing shows that it opens anything.
    let earlier = |a: &[&str], b: &[&str]| {
        let opens = || a.iter().any(|from| b.iter().any(|to| by_listed(from, to)));
        a != b && a.first().zip(b.first()).is_some_and(|(a, b)| reaches(a, b)) && (weight(a) >= weight(b) || opens())
    };
    // What others wait for is as urgent, and as early, as the foremost of them: a mailbox that can mint a publishing token
    // must not keep it waiting behind databases.
    let key = |group: &[&str]| {
        let waiting = groups.iter().filter(|g| g.as_slice() == group || earlier(group, g)).flatten();
        let foremost = waiting.map(|k| (Reverse(wanted.get(*k).copied()), place(catalog, k))).min();
        (foremost, group.first().map(|k| place(catalog, k)))
    };
    let mut left: Vec<&[&str]> = groups.iter().map(Vec::as_slice).collect();
    left.sort_by_cached_key(|g| key(g));
    let mut sorted: Vec<&[&str]> = Vec::new();
    while let Some(at) = left.iter().position(|g| !left.iter().any(|other| earlier(other, g))) {
        sorted.push(left.remove(at));
    }
    let opens = |from: &[&str], to: &[&str]| {
        let pairs = || from.iter().flat_map(|f| to.iter().map(move |t| (*f, *t)));
        let direct = |(f, t): &(&str, &str)| catalog.kind(f).is_some_and(|k| k.edges.iter().any(|e| e == t));
        let pair = pairs().find(direct).or_else(|| pairs().find(|(f, t)| reaches(f, t)));
        pair.map(|(f, t)| Because::Opens { kind: f.to_owned(), opened: t.to_owned() })
    };
    let all_after = |group: &[&str]| -> Vec<usize> {
        sorted.iter().enumerate().filter(|(_, g)| earlier(g, group)).map(|(i, _)| i).collect()
    };
    let waits: Vec<Vec<usize>> = sorted.iter().map(|g| all_after(g)).collect();
    let spreads = |kind: &str| catalog.kind(kind).is_some_and(|k| k.lane == Lane::Propagation);
    let mut answer = Vec::new();
    for (group, all) in sorted.iter().zip(&waits) {
        let implied = |at: &usize| all.iter().any(|other| waits.get(*other).is_some_and(|w| w.contains(at)));
        let nearest = all.iter().filter(|at| !implied(at));
        let after = nearest.filter_map(|at| Some((*at, opens(sorted.get(*at)?, group)?))).collect();
        let others: Vec<&&[&str]> = sorted.iter().filter(|g| earlier(group, g)).collect();
        answer.push(Group {
            kinds: group.iter().map(|k| (*k).to_owned()).collect(),
            after,
            rank: rank(catalog, group, group.len() > 1 || !others.is_empty()),
            spreads: group.iter().chain(others.into_iter().copied().flatten()).any(|k| spreads(k)),
        });
    }
    answer
}

/// Puts what is urgent before what is not, and of that what was taken for certain before what perhaps was; what others wait for stands
/// where the foremost of these belongs. All else keeps its order, in which nothing stands before what it waits for.
pub fn urgent_first(items: &mut [Item], certain: &BTreeSet<String>) {
    let mut places: BTreeMap<String, (Reverse<Option<Urgency>>, bool)> = BTreeMap::new();
    for item in items.iter().rev() {
        let own = (Reverse(item.urgency), !certain.contains(&item.id));
        let place = places.get(&item.id).map_or(own, |waiting| own.min(*waiting));
        places.insert(item.id.clone(), place);
        for edge in &item.after {
            let known = places.entry(edge.item.clone()).or_insert(place);
            *known = place.min(*known);
        }
    }
    items.sort_by_key(|i| places.get(&i.id).copied());
}

/// By what a thief of the foremost of them can do.
fn rank(catalog: &Catalog, kinds: &[&str], opens: bool) -> Rank {
    let known = || kinds.iter().filter_map(|k| catalog.kind(k));
    let lane = |lane: Lane| known().any(|k| k.lane == lane);
    if lane(Lane::Irreversible) {
        Rank::Irreversible
    } else if opens || known().any(|k| k.tier == 1 && k.lane == Lane::Standard || k.tier <= 2 && !k.edges.is_empty()) {
        Rank::OpensOthers
    } else if lane(Lane::Propagation) {
        Rank::Spreads
    } else if !kinds.is_empty() && known().all(|k| k.lane == Lane::Spend) && known().next().is_some() {
        Rank::Money
    } else {
        Rank::Data
    }
}

/// Every kind that can be minted or read with this one, in any number of steps. Members of an atomic group count as a circle.
fn reached<'c>(catalog: &'c Catalog, kind: &'c str) -> BTreeSet<&'c str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![kind];
    while let Some(here) = next.pop() {
        let Some(kind) = catalog.kind(here) else {
            continue;
        };
        let together = catalog.kinds.iter().filter(|k| k.atomic_group.is_some() && k.atomic_group == kind.atomic_group);
        let neighbours = kind.edges.iter().map(String::as_str).chain(together.map(|k| k.id.as_str()));
        next.extend(neighbours.filter(|n| reached.insert(*n)));
    }
    reached
}

/// The same over kinds that are on the list alone.
fn reached_over<'c>(catalog: &'c Catalog, wanted: &'c BTreeMap<String, Weight>, kind: &'c str) -> BTreeSet<&'c str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![kind];
    while let Some(here) = next.pop() {
        let together = |k: &&str| {
            let group = |k: &str| catalog.kind(k).and_then(|k| k.atomic_group.as_ref());
            group(here).is_some() && group(here) == group(k)
        };
        let edges = catalog.kind(here).into_iter().flat_map(|k| &k.edges).map(String::as_str);
        let neighbours = edges.chain(wanted.keys().map(String::as_str).filter(together));
        next.extend(neighbours.filter(|n| wanted.contains_key(*n) && reached.insert(*n)));
    }
    reached
}

/// Kinds that nobody describes come last.
fn place(catalog: &Catalog, kind: &str) -> (u8, Lane, u16, String) {
    let (tier, lane, order) =
        catalog.kind(kind).map_or((u8::MAX, Lane::Spend, u16::MAX), |k| (k.tier, k.lane, k.order));
    (tier, lane, order, kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotate::tests::{catalog, kind};

    fn ordered(catalog: &Catalog, wanted: &[(&str, Urgency)]) -> Vec<String> {
        ordered_by(catalog, &wanted.iter().map(|(k, u)| (*k, (*u, true))).collect::<Vec<_>>())
    }

    fn ordered_by(catalog: &Catalog, wanted: &[(&str, Weight)]) -> Vec<String> {
        let wanted = wanted.iter().map(|(k, w)| ((*k).to_owned(), *w)).collect();
        let groups = order(catalog, &wanted);
        for (at, group) in groups.iter().enumerate() {
            assert!(group.after.iter().all(|(a, _)| *a < at), "{groups:?}");
        }
        groups.iter().map(|g| g.kinds.join("+")).collect()
    }

    #[test]
    fn who_mints_comes_first_even_when_less_urgent() {
        let c = catalog(vec![
            kind("db", "standard", 4, &[]),
            kind("cloud", "standard", 2, &["middle"]),
            kind("middle", "standard", 3, &["db"]),
            kind("npm", "propagation", 1, &[]),
            kind("llm", "spend", 2, &[]),
        ]);
        use Urgency::{Now, Soon};
        // `middle` is not on the list: the order holds across it, but for what is less urgent and opens nothing that was found.
        assert_eq!(ordered(&c, &[("db", Now), ("cloud", Now), ("npm", Soon)]), ["cloud", "db", "npm"]);
        assert_eq!(ordered(&c, &[("db", Now), ("cloud", Soon), ("npm", Soon)]), ["db", "npm", "cloud"]);
        assert_eq!(ordered(&c, &[("db", Now), ("cloud", Soon), ("middle", Soon)]), ["cloud", "middle", "db"]);
        assert_eq!(ordered(&c, &[("db", Soon), ("cloud", Soon), ("npm", Now)]), ["npm", "cloud", "db"]);
        assert_eq!(
            ordered(&c, &[("db", Now), ("cloud", Now), ("npm", Now), ("llm", Now)]),
            ["npm", "cloud", "llm", "db"]
        );
        assert_eq!(ordered(&c, &[("unknown", Now), ("db", Now)]), ["db", "unknown"]);
        assert!(ordered(&c, &[]).is_empty());
    }

    #[test]
    fn what_is_urgent_stands_before_what_is_not_unless_it_waits_for_it() {
        use crate::verdict::Phase;
        let item = |id: &str, urgency, after: &[&str]| {
            let edge = |a: &&str| {
                let because = Because::Opens { kind: String::new(), opened: String::new() };
                crate::rotate::edge::Edge { item: (*a).to_owned(), because }
            };
            let mut item = Item::new(Phase::Rotate, id, "").urgent(urgency).after(after.iter().map(edge));
            item.id = id.to_owned();
            item
        };
        use Urgency::{Now, Soon};
        let sorted = |mut items: Vec<Item>, certain: &[&str]| {
            urgent_first(&mut items, &certain.iter().map(|c| (*c).to_owned()).collect());
            items.into_iter().map(|i| i.id).collect::<Vec<_>>().join(" ")
        };
        let items =
            || vec![item("a", Soon, &[]), item("b", Now, &[]), item("c", Soon, &[]), item("d", Now, &["c", "x"])];
        assert_eq!(sorted(items(), &["a", "b", "c", "d"]), "b c d a");
        // Of what is as urgent, what was taken for certain; what it waits for comes with it.
        assert_eq!(sorted(items(), &["d"]), "c d b a");
        assert_eq!(sorted(items(), &["a", "c"]), "b c d a");
        assert_eq!(sorted(Vec::new(), &[]), "");
    }

    #[test]
    fn what_perhaps_was_taken_waits_behind_what_it_opens_over_kinds_that_are_not_here() {
        let c = catalog(vec![
            kind("vault", "standard", 1, &["mailbox"]),
            kind("mailbox", "standard", 1, &["npm"]),
            kind("npm", "propagation", 1, &[]),
        ]);
        let now = |certain| (Urgency::Now, certain);
        assert_eq!(ordered_by(&c, &[("vault", now(false)), ("npm", now(true))]), ["npm", "vault"]);
        assert_eq!(ordered_by(&c, &[("vault", now(true)), ("npm", now(true))]), ["vault", "npm"]);
        assert_eq!(ordered_by(&c, &[("vault", now(false)), ("npm", now(false))]), ["vault", "npm"]);
        let all = [("vault", now(false)), ("mailbox", (Urgency::Soon, false)), ("npm", now(true))];
        assert_eq!(ordered_by(&c, &all), ["vault", "mailbox", "npm"]);
    }

    #[test]
    fn what_holds_up_a_publishing_token_comes_before_what_does_not() {
        let c = catalog(vec![
            kind("db", "standard", 2, &[]),
            kind("mcp", "standard", 3, &["npm"]),
            kind("npm", "propagation", 1, &[]),
        ]);
        use Urgency::Now;
        assert_eq!(ordered(&c, &[("db", Now), ("mcp", Now), ("npm", Now)]), ["mcp", "npm", "db"]);
    }

    #[test]
    fn circles_and_atomic_groups_go_together() {
        let mut pat = kind("pat", "propagation", 1, &["ssh"]);
        pat.atomic_group = Some("A1".to_owned());
        let mut store = kind("store", "propagation", 1, &[]);
        store.atomic_group = Some("A1".to_owned());
        let c =
            catalog(vec![pat, store, kind("ssh", "standard", 2, &["store", "env"]), kind("env", "standard", 3, &[])]);
        use Urgency::{Now, Soon};
        // ssh reads the store, which goes with pat, which mints ssh: one circle.
        assert_eq!(ordered(&c, &[("pat", Now), ("store", Soon), ("ssh", Now), ("env", Now)]), ["pat+store+ssh", "env"]);
    }
}
