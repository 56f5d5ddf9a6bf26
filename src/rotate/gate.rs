//! The gates that a secret passes before it is replaced: each by what it protects.

use super::{
    Item, Plan,
    edge::{Because, Edge},
};
use crate::verdict::{Phase, Workstream};

/// What is known of the secrets of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// One of them is a token that a monitor may watch.
    pub watched: bool,
    /// One of them publishes or deploys, or opens one that does.
    pub spreads: bool,
    /// The new one is stored on the examined machine before the old one ends.
    pub put_back: bool,
}

/// The item behind its gates. Cutting the network and switching the monitors off opens them for whatever is not put back on the machine.
pub fn guarded(mut item: Item, plan: &Plan, guard: Guard) -> Item {
    let on_machine = |e: &Edge| plan.is_in(&e.item, Workstream::Machine);
    let mut after: Vec<Edge> =
        plan.edges(Phase::Contain, &Because::CutsNetwork).into_iter().filter(on_machine).collect();
    item.watched = guard.watched;
    if guard.watched {
        let monitors = plan.edges(Phase::Disarm, &Because::SwitchesOffMonitors);
        item.blocked = (!monitors.is_empty()).then_some(Phase::Disarm);
        after.extend(monitors);
    }
    if guard.spreads {
        after.extend(plan.edges(Phase::Freeze, &Because::StopsJobs));
    }
    if guard.put_back {
        after.extend(plan.edges(Phase::Eradicate, &Because::RemovesCode));
        after.extend(plan.edges(Phase::Purge, &Because::RemovesCode).into_iter().filter(on_machine));
    }
    item.after(after)
}
