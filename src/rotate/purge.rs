//! Caches and lock files before rotating: what is built from them steals the new secret. And, after it, making anew what was taken out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, Plan,
    before::{moved, on_disk},
    cleanup::incident_cleanup_items,
    edge::Because,
    named,
    shell::quote,
    situation::{Situation, place, shown, within},
};
use crate::{
    assess::Finding,
    ecosystem::purl::{self, Purl},
    ioc::model::PackageIndicator,
    text::escape,
    verdict::{Exposure, Phase, Place},
};

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
    for image in trees(&s.findings(|f| f.origin.layer.is_some())) {
        plan.add(&[b"image", image.as_bytes()], rebuild_image(s, image).after(after.clone()));
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
    incident_cleanup_items(s, plan, Phase::Rebuild);
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

fn rebuild_image(s: &Situation<'_>, image: &str) -> Item {
    let named = escape(image.as_bytes());
    let word = quote(image.as_bytes());
    let found = s.findings(|f| f.origin.layer.is_some() && &*f.origin.tree == image);
    let layers: BTreeSet<&str> = found.iter().filter_map(|f| f.origin.layer.as_deref()).collect();
    let why = "a layer keeps what it holds, also where a later one hides it; an image built on it has it too";
    let mut item = Item::new(Phase::Rebuild, format!("Rebuild image {named} and remove the old one everywhere"), why).at(Place::Clean)
        .say(format!("write {} into what it is built from", good(s, &found)))
        .say("build it on a machine that is in order, from a fresh base image, without any build cache (`--no-cache --pull`)");
    for layer in layers {
        item = item.say(format!(
            "no image may keep the layer {}: look for it in every registry and builder",
            escape(layer.as_bytes())
        ));
    }
    item.run(
        "look for the old one on every machine, and remove it there when nothing uses it any more",
        format!("docker image ls --no-trunc -- {word}"),
    )
    .say("delete its tags and manifests in the registries, pull-through caches and build caches")
    .run("save the new one", format!("docker image save --output rebuilt.tar -- {word}"))
    .run("examine it before it is used", "dosimeter images rebuilt.tar")
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
