//! What the payloads take by other ways than the files that were found: one item, so that nothing is asked twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item,
    cleanup::in_other_clusters,
    situation::{Situation, place},
    step::Step,
};
use crate::{
    assess::{Finding, Shown},
    credential::model::Lane,
    ioc::model::{Incident, Way},
    verdict::{Exposure, Phase, Place, Urgency},
};

/// The item. A kind that lives in files and whose every place was examined and is empty was not there to take, and has no line; what
/// nothing on this machine shows to be there is one line, for its owner.
pub fn unseen_targets(s: &Situation<'_>) -> Option<Item> {
    let mut lines: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut unseen: BTreeSet<&str> = BTreeSet::new();
    let mut not_shown: BTreeSet<String> = BTreeSet::new();
    let mut urgency = Urgency::Soon;
    let ran = s.ran();
    for (incident, urgent) in &ran {
        let harvest = &incident.harvest;
        let known = lines.len();
        let mut add = |line: String| _ = lines.entry(line).or_default().insert(&incident.id);
        if harvest.environment && !harvest.beyond_in_words().any(|b| b.to_lowercase().contains("environment")) {
            add("every environment variable of the process that ran it".to_owned());
        }
        for beyond in harvest.beyond.iter().filter(|b| b.way != Way::Recon) {
            match s.assessment.shows(beyond, |tree| is_hit(s, incident, tree)) {
                Shown::Always => add(beyond.what.clone()),
                Shown::Kind(kind) => {
                    let name = s.catalog.kind(kind).map_or(kind, |k| &k.name);
                    add(format!("{} (found here: {name})", beyond.what));
                }
                Shown::Platform(part) => {
                    add(format!("{} (this machine is part of one: {})", beyond.what, place(&part.origin)));
                }
                Shown::Nothing if is_seen_whole(s, incident) => _ = not_shown.insert(beyond.what.clone()),
                Shown::Nothing => add(beyond.what.clone()),
            }
        }
        harvest.beyond_files.iter().cloned().for_each(&mut add);
        for id in &harvest.kinds {
            let found = s.assessment.credentials.iter().any(|j| &*j.credential.kind == id.as_str());
            match s.catalog.kind(id) {
                _ if found => {}
                None => add(id.clone()),
                // The incident's own words say by which way it takes these.
                Some(kind) if kind.places.is_empty() && harvest.beyond_in_words().next().is_none() => {
                    add(kind.name.clone());
                }
                Some(kind) if !kind.places.is_empty() && !s.scope.whole && kind.lane != Lane::Irreversible => {
                    unseen.insert(&kind.name);
                }
                Some(_) => {}
            }
        }
        if lines.len() > known || !unseen.is_empty() {
            urgency = urgency.max(*urgent);
        }
    }
    not_shown.extend(in_other_clusters(s));
    if lines.is_empty() && unseen.is_empty() && not_shown.is_empty() {
        return None;
    }
    let named = |ids: &BTreeSet<&str>| {
        if ran.len() < 2 { String::new() } else { format!(" ({})", Vec::from_iter(ids.iter().copied()).join(", ")) }
    };
    let why = "no scan can see which of these the process that ran it could reach";
    let title = match lines.is_empty() && unseen.is_empty() {
        true => "Ask those who run it what no file shows",
        false => "Ask those who run it, and replace what no file shows",
    };
    let mut item = Item::new(Phase::Rotate, title, why).urgent(urgency).at(Place::Clean);
    if !lines.is_empty() {
        item = item
            .say("whatever of this the process could reach:")
            .steps(lines.iter().map(|(line, ids)| Step::say(format!("{line}{}", named(ids)))));
    }
    if !unseen.is_empty() {
        let names: Vec<&str> = unseen.into_iter().collect();
        item = item.say(format!("not every place of these was examined: {}", names.join(", ")));
    }
    if !not_shown.is_empty() {
        let names = Vec::from_iter(not_shown).join("; ");
        item = item.say(format!("nothing on this machine shows that these are there; ask whether they are: {names}"));
    }
    Some(item)
}

/// Whether something of the incident ran, or may have, in a tree.
fn is_hit(s: &Situation<'_>, incident: &Incident, tree: &str) -> bool {
    let here = |f: &&Finding| s.incident_of(f) == incident.id && &*f.origin.tree == tree;
    s.assessment.findings.iter().filter(here).any(|f| f.exposure >= Exposure::Removed)
}

/// Whether what was not found is not there: the whole machine was examined, and it is no image, which runs anywhere.
fn is_seen_whole(s: &Situation<'_>, incident: &Incident) -> bool {
    let of = |f: &&Finding| s.incident_of(f) == incident.id && f.exposure >= Exposure::Removed;
    s.scope.whole && s.assessment.findings.iter().filter(of).all(|f| f.origin.layer.is_none() && !f.origin.is_of_job())
}
