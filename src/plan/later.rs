//! What a later report does to what was done already: a proof that did not know of it proves no more.

use std::collections::{HashMap, HashSet};

use super::check::{binds, waits};
use crate::{
    report::{
        page::Labels,
        v1::{Report, State},
    },
    verdict::Phase,
};

/// Opens again what is closed and would have had to wait for an item that the plan did not have, and says so. What was done to a secret
/// stays done, and is said too. `known` are the ids of the items that the plan had.
pub fn overtaken(plan: &mut Report, known: &HashSet<String>) -> Vec<String> {
    let (mut said, mut opened, mut past) = (Vec::new(), HashSet::new(), HashMap::new());
    {
        let labels = Labels::new(plan);
        for work in &plan.work {
            let Some(item) = plan.checklist.iter().find(|i| i.id == work.item) else { continue };
            let new = waits(plan, item).into_iter().filter(|(id, b)| !known.contains(*id) && binds(*b, work));
            let new: Vec<&str> = new.map(|(id, _)| id).filter(|id| !labels.of(id).is_empty()).collect();
            if new.is_empty() || !known.contains(&work.item) {
                continue;
            }
            let (name, state) = (labels.of(&item.id), work.state.as_str());
            let others: Vec<&str> = new.iter().map(|id| labels.of(id)).collect();
            let others = others.join(", ");
            if item.phase == Phase::Rotate {
                said.push(format!(
                    "{name} is {state}, and should have waited for {others}, which is new: look at it again"
                ));
                past.insert(item.id.clone(), new.into_iter().map(str::to_owned).collect::<HashSet<String>>());
            } else {
                said.push(format!("{name} {state} -> begun: it waits for {others}, which is new"));
                opened.insert(item.id.clone());
            }
        }
    }
    for work in plan.work.iter_mut().filter(|w| opened.contains(&w.item)) {
        work.state = State::Begun;
        work.checked = None;
    }
    // Nobody can wait for it any more.
    for item in &mut plan.checklist {
        if let Some(past) = past.get(&item.id) {
            item.edges.retain(|e| !past.contains(&e.item));
            item.after.retain(|id| !past.contains(id));
        }
    }
    said
}
