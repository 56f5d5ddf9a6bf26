//! What a worked plan cannot say: each is refused with the line that says it.

use std::collections::HashMap;

use super::read::Ticked;
use crate::{
    report::{
        page::Labels,
        v1::{Item, Report, State, Work},
    },
    rotate::edge::Because,
    verdict::{Mode, Phase},
};

/// Every contradiction of a plan, with the place that the ticks were read from.
pub fn contradictions(plan: &Report, ticked: &[Ticked]) -> Vec<String> {
    let labels = Labels::new(plan);
    let place = |id: &str| {
        let from = ticked.iter().rev().find(|t| t.work.item == id).map(|t| t.place.as_str());
        from.map_or_else(|| format!("item {id}"), str::to_owned)
    };
    let works: HashMap<&str, &Work> = plan.work.iter().map(|w| (w.item.as_str(), w)).collect();
    let items: HashMap<&str, &Item> = plan.checklist.iter().map(|i| (i.id.as_str(), i)).collect();
    let mut faults: Vec<String> = Vec::new();
    for work in &plan.work {
        let mut fault = |what: String| faults.push(format!("{}: {what}", place(&work.item)));
        let Some(item) = items.get(work.item.as_str()) else {
            fault("no item of the plan has this id".to_owned());
            continue;
        };
        let name = labels.of(&item.id);
        alone(item, work, name, &mut fault);
        if work.state == State::Open || work.state == State::NotApplicable {
            continue;
        }
        for edge in item.edges.iter().filter(|e| items.contains_key(e.item.as_str())) {
            let untouched = Work::default();
            let first = works.get(edge.item.as_str()).copied().unwrap_or(&untouched);
            let over = first.state.is_over() || first.state == State::Revoked;
            let (other, reason) = (labels.of(&edge.item), edge.because.words(str::to_owned));
            let early = match edge.because {
                Because::SwitchesOffMonitors => item.blocked.is_some() && is_touched(work),
                Because::Opens { .. } => is_issued(work),
                _ => false,
            };
            let later = || work.issued.zip(first.revoked).is_some_and(|(issued, revoked)| issued < revoked);
            if early && !over {
                fault(format!("{name} is {} while {other} is {}: {reason}", work.state.as_str(), first.state.as_str()));
            } else if matches!(edge.because, Because::Opens { .. }) && later() {
                fault(format!("{name} was issued before {other} was revoked: {reason}"));
            }
        }
    }
    faults
}

/// Whether an old secret was ended, or a new one made.
fn is_touched(work: &Work) -> bool {
    is_issued(work) || work.state == State::Revoked || work.revoked.is_some()
}

fn is_issued(work: &Work) -> bool {
    matches!(work.state, State::Issued | State::Closed) || work.issued.is_some()
}

/// What an item says against itself.
fn alone(item: &Item, work: &Work, name: &str, fault: &mut impl FnMut(String)) {
    let secret = item.phase == Phase::Rotate;
    if !work.checked_by.is_empty() && work.checked_by.trim().eq_ignore_ascii_case(work.done_by.trim()) {
        fault(format!("{name} was checked by who did it, {}: a second person has to", work.done_by));
    }
    if secret && work.state == State::Closed && (work.checked_by.is_empty() || work.checked.is_none()) {
        fault(format!(
            "{name} is closed, and nobody is named who saw the old one refused, and when (checked by, checked)"
        ));
    }
    if secret && work.state == State::Closed && work.revoked.is_none() {
        fault(format!("{name} is closed, and no time says when the old one was revoked"));
    }
    if secret && work.state == State::Revoked && work.revoked.is_none() {
        fault(format!("{name} is revoked, and no time says when"));
    }
    let early = work.issued.is_some_and(|issued| work.revoked.is_none_or(|revoked| issued < revoked));
    match item.mode {
        Some(Mode::Together) if early => {
            fault(format!(
                "{name} was issued before all of its group were revoked: one that still lives reads the new ones"
            ));
        }
        Some(Mode::RevokeFirst) if early => {
            fault(format!("{name} was issued before the old one was revoked: it can make or read the new one"));
        }
        _ => {}
    }
    if work.checked.zip(work.revoked).is_some_and(|(checked, revoked)| checked < revoked) {
        fault(format!("{name} was checked before it was revoked"));
    }
    if matches!(work.state, State::NotApplicable | State::AcceptedRisk) && work.note.trim().is_empty() {
        fault(format!("{name} is {}, and no note says why, or who decided it", work.state.as_str()));
    }
    if !secret && (work.revoked.is_some() || work.issued.is_some()) {
        fault(format!("{name} is about no secret, and has a time of revoking or issuing"));
    }
}
