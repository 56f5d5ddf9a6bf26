//! What is done about values that files name: actions, images, addresses, traces in repositories; and about what was fetched from an
//! address.

use super::{
    Item, Plan,
    before::{moved, on_disk},
    edge::Edge,
    situation::{Situation, place},
    step::Step,
};
use crate::{
    assess::{Finding, FindingKind, rule::Rule},
    verdict::{Exposure, Phase, Place},
};

/// Places that one item names.
const NAMED: usize = 50;

/// What ran, before anything is purged.
pub fn eradicate(s: &Situation<'_>, plan: &mut Plan, first: &[Edge]) {
    let runner = s.findings(|f| on_disk(f) && f.rule == Rule::ActionFetched);
    if !runner.is_empty() {
        let why = "a job of this runner ran it, with the secrets of that job; the next job of the same workflow fetches it again";
        let item = Item::new(Phase::Eradicate, "Take the runner that ran the malicious action out of use", why)
            .say("stop the runner's service and take it off the list of runners; keep its `_diag` and `_work` folders as evidence")
            .steps(moved(&runner))
            .say("make the runner anew before it takes another job");
        plan.add(&[b"runner"], item.after(first.to_vec()));
    }
    let ran = s.findings(|f| on_disk(f) && f.rule == Rule::FetchedAndRun);
    if !ran.is_empty() {
        let item = Item::new(
            Phase::Eradicate,
            "Find out what the fetched code did",
            "a command ran what it fetched from the attacker; what it left may run again",
        );
        plan.add(&[b"fetched-and-run"], listed(item, &ran).after(first.to_vec()));
    }
}

/// What only names it.
pub fn purge(s: &Situation<'_>, plan: &mut Plan, first: &[Edge]) {
    let mut add = |key: &[u8], item: Item, found: &[&Finding], last: &str| {
        if !found.is_empty() {
            plan.add(&[key], listed(item, found).say(last).after(first.to_vec()));
        }
    };
    let named =
        |kind: FindingKind| s.findings(move |f| f.exposure == Exposure::Referenced && on_disk(f) && f.kind == kind);
    let fetched = s.findings(|f| on_disk(f) && f.rule == Rule::FetchCommand);
    add(
        b"fetched",
        Item::new(
            Phase::Purge,
            "Find what these commands fetched",
            "it may lie where they were typed, and may have run later",
        ),
        &fetched,
        "move what you find to the evidence; if anything of it ran, treat the account as one whose secrets were taken",
    );
    let why = "each run of the workflow fetches it again, with the secrets of that job";
    add(
        b"actions",
        Item::new(Phase::Purge, "Take the malicious action out of the workflows", why).at(Place::Clean),
        &named(FindingKind::Action),
        "write the whole commit of a release that is known to be good; read the logs of every run since it was malicious \
         (`Download action repository … (SHA:…)`), and replace every secret that such a job could read",
    );
    add(
        b"images",
        Item::new(
            Phase::Purge,
            "Take the malicious image out of the files that name it",
            "what starts from them runs it again",
        ),
        &named(FindingKind::Image),
        "write the digest of an image that is known to be good; find out which machines, runners and clusters started what the files \
         name, and examine them",
    );
    add(
        b"git",
        Item::new(
            Phase::Purge,
            "Find out how traces of the incident came into these repositories",
            "it comes with a clone: whoever pushed it had a token",
        )
        .at(Place::Clean),
        &named(FindingKind::Git),
        "look on the forge who pushed it and when; take it out there, and replace the tokens and keys that could push",
    );
    let hosts = s.findings(|f| {
        f.exposure == Exposure::Referenced && on_disk(f) && matches!(f.kind, FindingKind::Network | FindingKind::Text)
    });
    let why = "a block list is harmless, a setting that points there is not";
    if !hosts.is_empty() {
        let item = Item::new(Phase::Purge, "Find out why the attacker's hosts are named", why);
        plan.add(&[b"hosts"], listed(item, &hosts).after(first.to_vec()));
    }
}

/// Whether a finding is one that is spoken of here.
pub fn is_value(f: &Finding) -> bool {
    matches!(
        f.kind,
        FindingKind::Network | FindingKind::Text | FindingKind::Git | FindingKind::Action | FindingKind::Image
    )
}

fn listed(mut item: Item, found: &[&Finding]) -> Item {
    item.steps.extend(found.iter().take(NAMED).map(|f| Step::say(format!("{}: {}", place(&f.origin), f.reason))));
    match found.len().saturating_sub(NAMED) {
        0 => item,
        more => item.say(format!("and {more} more")),
    }
}
