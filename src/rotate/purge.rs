//! Caches and lock files before rotating: what is built from them steals the new secret. And, after it, making anew what was taken out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, Plan,
    before::{moved, on_disk},
    cleanup::incident_cleanup_items,
    edge::Because,
    named,
    situation::{Situation, place, shown, within},
};
use crate::{
    assess::{Account, Finding, FindingKind},
    ecosystem::purl::{self, Purl},
    ioc::model::{FileRole, PackageIndicator},
    text::escape,
    verdict::{Exposure, Phase},
};

/// Places that one item names.
const NAMED: usize = 20;

/// The whole phase.
pub fn purge(s: &Situation<'_>, plan: &mut Plan) {
    let mut first = plan.before_changes();
    first.extend(plan.edges(Phase::Eradicate, &Because::RemovesCode));
    let stored = s.findings(|f| f.exposure == Exposure::Cached && on_disk(f) && !named::is_value(f));
    if !stored.is_empty() {
        plan.add(&[b"cache"], cache(&stored).after(first.clone()));
    }
    let pins = s.findings(|f| f.exposure == Exposure::Referenced && on_disk(f) && !named::is_value(f));
    for (incident, found) in by_incident(s, &pins) {
        plan.add(&[b"pins", incident.as_bytes()], pin(s, &found).after(first.clone()));
    }
    named::purge(s, plan, &first);
    incident_cleanup_items(s, plan, Phase::Purge);
}

/// Making anew what was taken out: after the secrets were replaced and the machine was examined again, since nothing can be fetched
/// while the network is cut, and an old secret that is put back is a stolen one.
pub fn rebuild(s: &Situation<'_>, plan: &mut Plan) {
    let mut after = plan.edges(Phase::Eradicate, &Because::RemovesCode);
    after.extend(plan.edges(Phase::Purge, &Because::RemovesCode));
    after.extend(plan.edges(Phase::Verify, &Because::ExaminesAgain).into_iter().take(1));
    if let Some(item) = machine(s) {
        plan.add(&[b"machine"], item.after(after.clone()));
    }
    incident_cleanup_items(s, plan, Phase::Rebuild);
    for image in trees(&s.findings(|f| s.is_of_image(f))) {
        plan.add(&[b"image", image.as_bytes()], super::images::rebuild(s, image).after(after.clone()));
    }
    if plan.items.iter().any(|i| i.phase == Phase::Rotate)
        && !s.findings(|f| on_disk(f) && f.exposure >= Exposure::Removed).is_empty()
    {
        plan.add(&[b"put-back"], put_back().after(after.clone()));
    }
    let rebuilt = s.findings(|f| on_disk(f) && f.environment.is_some() && f.exposure >= Exposure::Installed);
    if !rebuilt.is_empty() {
        plan.add(&[b"environments"], environments(s, &rebuilt).after(after));
    }
}

/// The trees of some findings, sorted.
pub fn trees<'f>(findings: &[&'f Finding]) -> BTreeSet<&'f str> {
    findings.iter().map(|f| &*f.origin.tree).collect()
}

fn by_incident<'f>(s: &Situation<'f>, findings: &[&'f Finding]) -> BTreeMap<&'f str, Vec<&'f Finding>> {
    let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for f in findings {
        groups.entry(s.incident_of(f)).or_default().push(f);
    }
    groups
}

/// The entries that hold it go to the evidence; the rest of a cache stays. uv and pip fetch again what is missing.
fn cache(found: &[&Finding]) -> Item {
    let folders: BTreeSet<String> =
        found.iter().map(|f| format!("{}{}", shown(&f.origin.path.parent()), within(&f.origin))).collect();
    let title = match (folders.len(), folders.first()) {
        (1, Some(one)) => format!("Take the stored copies out of {one}"),
        (n, _) => format!("Take the stored copies out of {n} folders"),
    };
    Item::new(Phase::Purge, title, "what is built from it has the payload again").steps(moved(found))
}

fn pin(s: &Situation<'_>, found: &[&Finding]) -> Item {
    let mut files: Vec<String> = found.iter().map(|f| format!("{} names {}", place(&f.origin), bare(f))).collect();
    files.sort();
    files.dedup();
    let why = "the next install from it takes the malicious version from any cache or mirror that still has it";
    let title = match files.len() {
        1 => "Change the file that names the malicious version".to_owned(),
        n => format!("Change the {n} files that name the malicious version"),
    };
    let mut item = Item::new(Phase::Purge, title, why);
    for file in files {
        item = item.say(file);
    }
    item.say(format!("write {} instead, and make the lock files anew from it", good(s, found)))
}

/// What is meant, for a sentence.
pub fn bare(f: &Finding) -> String {
    escape(purl::words(f.package.as_deref().unwrap_or(&f.indicator)).as_bytes())
}

/// "litellm 1.82.6 or 1.83.0", for every package in question.
pub fn good(s: &Situation<'_>, found: &[&Finding]) -> String {
    let mut good: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for f in found {
        let own = f.package.as_deref().and_then(Purl::parse);
        let meant =
            |p: &&PackageIndicator| own.as_ref().is_none_or(|o| (p.ecosystem, &p.name) == (o.ecosystem, &o.name));
        let incident = s.index.incident(f.incident);
        for p in incident.into_iter().flat_map(|i| &i.packages).filter(meant) {
            good.entry(&p.name).or_default().extend(p.safe.iter().map(String::as_str));
        }
    }
    let mut words: Vec<String> = Vec::new();
    for (name, versions) in good.iter().filter(|(_, v)| !v.is_empty()) {
        let versions: Vec<&str> = versions.iter().copied().collect();
        words.push(format!("{name} {}", versions.join(" or ")));
    }
    if words.is_empty() { "a version known to be good".to_owned() } else { words.join(", ") }
}

/// Title of what is done where an attacker's program had the whole machine; incidents use the same.
const MACHINE: &str = "Build the machine anew";

/// Where code of the attacker ran as root, or started with the system, nothing of the machine can vouch for the rest of it.
fn machine(s: &Situation<'_>) -> Option<Item> {
    let as_root = |f: &Finding| {
        let system = [b"etc/".as_slice(), b"root/", b"usr/", b"lib/", b"Library/"];
        let starts =
            f.role == Some(FileRole::Persistence) && system.iter().any(|top| f.origin.path.as_bytes().starts_with(top));
        let runs = f.kind == FindingKind::Process || f.role == Some(FileRole::Persistence);
        starts || runs && s.lives_at(f) == Account::Uid(0)
    };
    let found = s.findings(|f| on_disk(f) && f.exposure == Exposure::Executed && as_root(f));
    if found.is_empty() || s.cleanup(Phase::Rebuild).iter().any(|(_, c)| c.title == MACHINE) {
        return None;
    }
    let why = "code of the attacker ran as root: it may have left what no list names, and no examination of the running machine can show";
    let mut item = Item::new(Phase::Rebuild, MACHINE, why)
        .say("keep an image of its disk, then install it anew from known media; take over data, never programs, units or scheduled jobs");
    for f in found.iter().take(NAMED) {
        item = item.say(format!("it shows in {}", place(&f.origin)));
    }
    Some(item)
}

fn put_back() -> Item {
    let why = "whatever is put there while something of the payload is left is taken too";
    Item::new(Phase::Rebuild, "Put new secrets on this machine", why)
        .say("until then they stay where they were issued: in a password manager, on the clean machine")
}

fn environments(s: &Situation<'_>, found: &[&Finding]) -> Item {
    let places: BTreeSet<String> = found
        .iter()
        .filter_map(|f| Some(format!("{}{}", shown(&f.environment.as_ref()?.prefix), within(&f.origin))))
        .collect();
    let why =
        "code of the payload may have been written into any file of an environment; only a new one is known to be good";
    let title = match (places.len(), places.first()) {
        (1, Some(one)) => format!("Make {one} anew"),
        (n, _) => format!("Make {n} environments anew"),
    };
    let item = Item::new(Phase::Rebuild, title, why).say(format!("pin {}", good(s, found)));
    let item = match places.len() {
        1 => item,
        _ => item.say(places.into_iter().collect::<Vec<_>>().join(", ")),
    };
    item.say("best on a rebuilt machine; on this one only after the second examination found nothing that runs, and then with the network again")
        .say("move what is yours out of an environment's folder before it is made anew: projects and environments share folders")
}
