//! The plan: one report, or several in one, with how far each item is. It outlives the evidence: what a later examination no longer
//! shows stays on it until somebody closes it.

pub mod check;
mod later;
#[cfg(test)]
mod made;
mod named;
mod only;
mod put;
pub mod read;
mod several;
mod summary;
mod swept;
mod union;

use self::union::unite;
pub use self::{
    later::overtaken,
    named::called,
    only::{Words, only_for, words_for},
    put::{Change, Taken, put},
    several::{disagreeing, joined, of_several, own_id, with_fleet},
};
use crate::report::v1::{self, PLAN, Report, State};

/// The plan of a report. Items that nobody touched are open.
pub fn plan(mut report: Report) -> Report {
    PLAN.clone_into(&mut report.schema);
    report
}

/// A plan with what a later report adds. Nothing of the plan goes.
pub fn update(plan: Report, later: Report) -> Report {
    unite(plan, later)
}

/// How far an item is.
pub fn state(plan: &Report, item: &v1::Item) -> State {
    plan.work.iter().find(|w| w.item == item.id).map_or(State::Open, |w| w.state)
}
