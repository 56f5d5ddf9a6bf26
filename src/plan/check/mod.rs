//! What a worked plan cannot say: each is refused with the line that says it.

mod alone;
mod order;
mod person;

use std::collections::HashMap;

use jiff::Timestamp;

pub use self::order::{binds, waits};
use super::read::Line;
use crate::report::{
    page::Labels,
    v1::{Item, Report, Work},
};

/// Every contradiction of a plan, with the line that an item's state was read from.
pub fn contradictions(plan: &Report, lines: &HashMap<String, Line>, now: Timestamp) -> Vec<String> {
    let labels = Labels::new(plan);
    let place = |id: &str| lines.get(id).map_or_else(|| format!("item {id}"), Line::to_string);
    let items: HashMap<&str, &Item> = plan.checklist.iter().map(|i| (i.id.as_str(), i)).collect();
    let works: HashMap<&str, &Work> = plan.work.iter().map(|w| (w.item.as_str(), w)).collect();
    let clock = alone::Clock::new(plan, now);
    let mut faults: Vec<String> = Vec::new();
    for work in &plan.work {
        let mut fault = |what: String| faults.push(format!("{}: {what}", place(&work.item)));
        let Some(item) = items.get(work.item.as_str()) else {
            fault("no item of the plan has this id".to_owned());
            continue;
        };
        let name = labels.of(&item.id);
        alone::alone(item, work, name, &clock, &mut fault);
        order::early(plan, item, work, &works, &labels, &mut fault);
    }
    faults
}

/// Whether one moment is before the other. Of a day without a time nobody knows which of that day was first.
fn is_before(a: Timestamp, b: Timestamp) -> bool {
    let day = |at: Timestamp| at.as_second().div_euclid(86_400);
    let whole = |at: Timestamp| at.as_second().rem_euclid(86_400) == 0;
    a < b && !(day(a) == day(b) && whole(a))
}

#[cfg(test)]
mod tests;
