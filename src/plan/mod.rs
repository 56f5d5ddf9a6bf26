//! The plan: one report, or several in one, with how far each item is. It outlives the evidence: what a later examination no longer
//! shows stays on it until somebody closes it.

pub mod check;
pub mod read;
mod several;
mod union;

pub use self::several::of_several;
use self::union::unite;
use std::collections::BTreeSet;

use crate::{
    report::v1::{self, PLAN, Report, State, Work},
    text::escape,
    verdict::Urgency,
};

/// The plan of a report. Items that nobody touched are open.
pub fn plan(mut report: Report) -> Report {
    PLAN.clone_into(&mut report.schema);
    report
}

/// A plan with what a later report adds. Nothing of the plan goes.
pub fn update(plan: Report, later: Report) -> Report {
    unite(plan, later)
}

/// Puts what was ticked on a plan, the last word on each item counting.
pub fn put(plan: &mut Report, ticked: Vec<Work>) {
    for work in ticked {
        plan.work.retain(|w| w.item != work.item);
        if work != (Work { item: work.item.clone(), ..Work::default() }) {
            plan.work.push(work);
        }
    }
    plan.work.sort_by(|a, b| a.item.cmp(&b.item));
}

/// How far an item is.
pub fn state(plan: &Report, item: &v1::Item) -> State {
    plan.work.iter().find(|w| w.item == item.id).map_or(State::Open, |w| w.state)
}

/// Leaves the items of one provider or owner, or of one machine. Gives back how many were left out.
pub fn only_for(plan: &mut Report, wanted: &str) -> usize {
    let same = |text: &str| text.eq_ignore_ascii_case(wanted);
    let of_provider: Vec<&str> =
        plan.credentials.iter().filter(|c| same(&c.provider) || same(&c.kind)).map(|c| c.id.as_str()).collect();
    let owned: Vec<&str> = plan.work.iter().filter(|w| same(&w.owner)).map(|w| w.item.as_str()).collect();
    let fits = |i: &v1::Item| {
        i.credentials.iter().any(|c| of_provider.contains(&c.as_str()))
            || owned.contains(&i.id.as_str())
            || i.machines.iter().any(|m| same(m))
    };
    let fits: Vec<bool> = plan.checklist.iter().map(fits).collect();
    for (item, fits) in plan.checklist.iter_mut().zip(&fits) {
        item.left_out = !fits;
    }
    fits.iter().filter(|fits| !**fits).count()
}

/// The words that `--for` knows in this plan.
pub fn words_for(plan: &Report) -> Vec<String> {
    let due = plan.credentials.iter().filter(|c| c.rotate != Urgency::No);
    let providers = due.map(|c| c.provider.clone());
    let owners = plan.work.iter().map(|w| w.owner.clone()).filter(|o| !o.is_empty());
    let machines = plan.checklist.iter().flat_map(|i| i.machines.iter().cloned());
    let all: BTreeSet<String> = providers.chain(owners).chain(machines).collect();
    all.iter().map(|w| escape(w.as_bytes())).collect()
}
