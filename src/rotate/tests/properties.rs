//! What holds for every plan, over made-up machines.

use super::*;
use crate::{
    credential::model::Mode as First,
    ioc::index::Index as Indicators,
    verdict::{Mode, Rank},
};

/// Numbers that look random and are the same in every run (Knuth's linear congruence).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

const KINDS: [&str; 9] = ["mail", "forge", "npm", "aws", "db", "llm", "ssh", "wallet", "vault"];

/// Kinds that mint and read each other as it comes.
fn made_up(n: &mut Numbers) -> Catalog {
    let lanes = ["propagation", "standard", "spend"];
    let mut kinds: Vec<Kind> = Vec::new();
    for id in KINDS {
        let edges: Vec<&str> = KINDS.into_iter().filter(|other| *other != id && n.one_in(5)).collect();
        let lane = lanes[usize::try_from(n.below(3)).unwrap()];
        let mut made = kind(id, lane, u8::try_from(1 + n.below(5)).unwrap(), &edges);
        made.watched = n.one_in(3);
        made.mode = if n.one_in(2) { First::IssueFirst } else { First::RevokeFirst };
        made.atomic_group = n.one_in(6).then(|| "together".to_owned());
        if id == "wallet" {
            (made.mode, made.edges, made.atomic_group) = (First::MoveAssets, Vec::new(), None);
        }
        kinds.push(made);
    }
    catalog(kinds)
}

fn machine(n: &mut Numbers) -> Machine {
    let mut m =
        Machine { scope: Scope { whole: n.one_in(2), monitors: !n.one_in(4), ..Scope::default() }, ..Machine::new() };
    m = match n.below(4) {
        0 => m.package(Placement::Cached, b"home/alice/.cache/pip/http-v2/a/b/abc.body"),
        1 => m.package(Placement::Listed, b"home/alice/app/requirements.txt"),
        _ => m.package(Placement::Loadable, format!("{VENV}/litellm-1.82.8.dist-info/METADATA").as_bytes()),
    };
    if n.one_in(3) {
        m = m.hook(format!("{VENV}/litellm_init.pth").as_bytes());
    }
    for id in KINDS {
        // Now and then more than have an item each.
        let most = if n.one_in(12) { 11 } else { 3 };
        for at in 0..n.below(most) {
            let place = match n.below(3) {
                0 => format!("srv/app{at}/{id}.conf"),
                _ => format!("home/alice/{id}/{at}"),
            };
            let name = format!("{id}-{at}");
            m = m.secret(id, n.one_in(2).then_some(&name), place.as_bytes());
        }
    }
    m
}

fn planned(machine: Machine, index: &Indicators, catalog: &Catalog) -> Vec<Item> {
    let passwd = b"root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n";
    let accounts = BTreeMap::from([(machine.tree.clone(), Accounts::new(passwd, []))]);
    let scope = machine.scope;
    let case = Case { index, catalog, evidence: machine.evidence, accounts: accounts.clone() };
    checklist(index, catalog, &assess(case), &accounts, scope, System::Unix).items
}

/// The kinds that an item replaces.
fn kinds_of<'k>(item: &Item, catalog: &'k Catalog) -> Vec<&'k Kind> {
    let named = |k: &&Arc<Kind>| {
        let name = format!("the {}", k.id);
        item.title.split([':', ',', ' ']).collect::<Vec<_>>().windows(2).any(|w| w.join(" ") == name)
    };
    catalog.kinds.iter().filter(named).map(AsRef::as_ref).collect()
}

#[test]
fn ten_thousand_plans_keep_their_promises() {
    let index = Index::new(with_switch(), &[]);
    let (mut blocked, mut together, mut opened, mut free) = (0, 0, 0, 0);
    for seed in 0..10_000 {
        let case = || {
            let mut n = Numbers(seed);
            (made_up(&mut n), machine(&mut n))
        };
        let (catalog, first) = case();
        let items = planned(first, &index, &catalog);
        keeps_the_promises(&items);
        let rotations: Vec<(usize, &Item)> =
            items.iter().enumerate().filter(|(_, i)| i.phase == Phase::Rotate && !i.credentials.is_empty()).collect();
        for (at, item) in &rotations {
            let kinds = kinds_of(item, &catalog);
            assert!(!kinds.is_empty(), "{}", item.title);
            // Whatever could trip a monitor is blocked while one is not switched off.
            if kinds.iter().any(|k| k.watched) && items.iter().any(|i| i.phase == Phase::Disarm) && item.rank.is_some()
            {
                assert_eq!(item.blocked, Some(Phase::Disarm), "seed {seed}: {}", item.title);
                blocked += 1;
            }
            if kinds.len() > 1 {
                assert_eq!(item.mode, Some(Mode::Together), "seed {seed}: {}", item.title);
                together += 1;
            }
            // No survivor can read a replaced one: who opens it is replaced before, or with it.
            // Moving a wallet waits for nothing.
            for (other_at, other) in rotations.iter().filter(|_| item.mode != Some(Mode::MoveAssets)) {
                let opens = kinds_of(other, &catalog).iter().any(|o| kinds.iter().any(|k| o.edges.contains(&k.id)));
                if opens
                    && other.id != item.id
                    && kinds_of(other, &catalog).iter().all(|o| kinds.iter().all(|k| k.id != o.id))
                {
                    assert!(other_at < at, "seed {seed}: {} opens {}", other.title, item.title);
                    assert!(
                        reachable(&items, item, &other.id),
                        "seed {seed}: {} does not wait for {}",
                        item.title,
                        other.title
                    );
                    opened += 1;
                }
            }
            if item.rank == Some(Rank::Irreversible) || kinds.iter().any(|k| k.id == "wallet") {
                assert!(item.after.is_empty());
            }
            // What nobody stores on the machine does not wait for its cleaning.
            let cleaning =
                |id: &str| items.iter().any(|i| i.id == id && matches!(i.phase, Phase::Eradicate | Phase::Purge));
            free += usize::from(!item.after.iter().any(|e| cleaning(&e.item)));
        }
        if seed % 10 == 0 {
            let (catalog, mut second) = case();
            second.evidence.reverse();
            assert_eq!(
                planned(second, &index, &catalog),
                items,
                "seed {seed}: the order of the facts changes the plan"
            );
        }
    }
    // The cases are not empty ones.
    assert!(
        blocked > 1_000 && together > 1_000 && opened > 1_000 && free > 1_000,
        "{blocked} {together} {opened} {free}"
    );
}

/// Whether an item waits for another, at once or over others.
fn reachable(items: &[Item], from: &Item, to: &str) -> bool {
    from.after
        .iter()
        .any(|e| e.item == to || items.iter().find(|i| i.id == e.item).is_some_and(|next| reachable(items, next, to)))
}
