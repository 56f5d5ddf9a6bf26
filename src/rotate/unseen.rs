//! What the payloads take by other ways than the files that were found: one item, so that nothing is asked twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{Item, situation::Situation, step::Step};
use crate::{
    credential::model::Lane,
    verdict::{Phase, Place, Urgency},
};

/// The item. A kind that lives in files and whose every place was examined and is empty was not there to take: it has no line.
pub fn unseen_targets(s: &Situation<'_>) -> Option<Item> {
    let mut lines: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut unseen: BTreeSet<&str> = BTreeSet::new();
    let mut urgency = Urgency::Soon;
    let ran = s.ran();
    for (incident, urgent) in &ran {
        let harvest = &incident.harvest;
        let mut add = |line: String| _ = lines.entry(line).or_default().insert(&incident.id);
        if harvest.environment && !harvest.beyond_in_words().any(|b| b.to_lowercase().contains("environment")) {
            add("every environment variable of the process that ran it".to_owned());
        }
        harvest.beyond_in_words().map(str::to_owned).for_each(&mut add);
        for id in &harvest.kinds {
            let found = s.assessment.credentials.iter().any(|j| &*j.credential.kind == id.as_str());
            match s.catalog.kind(id) {
                _ if found => {}
                None => add(id.clone()),
                // The incident's own words say by which way it takes these.
                Some(kind) if kind.places.is_empty() && harvest.beyond_in_words().next().is_none() => {
                    add(kind.name.clone())
                }
                Some(kind) if !kind.places.is_empty() && !s.scope.whole && kind.lane != Lane::Irreversible => {
                    unseen.insert(&kind.name);
                }
                Some(_) => {}
            }
        }
        urgency = urgency.max(*urgent);
    }
    if lines.is_empty() && unseen.is_empty() {
        return None;
    }
    let named = |ids: &BTreeSet<&str>| {
        if ran.len() < 2 { String::new() } else { format!(" ({})", Vec::from_iter(ids.iter().copied()).join(", ")) }
    };
    let why = "no scan can see which of these the process that ran it could reach";
    let mut item = Item::new(Phase::Rotate, "Ask those who run it, and replace what no file shows", why)
        .urgent(urgency)
        .at(Place::Clean)
        .say("whatever of this the process could reach:")
        .steps(lines.iter().map(|(line, ids)| Step::say(format!("{line}{}", named(ids)))));
    if !unseen.is_empty() {
        let names: Vec<&str> = unseen.into_iter().collect();
        item = item.say(format!("not every place of these was examined: {}", names.join(", ")));
    }
    Some(item)
}
