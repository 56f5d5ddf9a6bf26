//! What an item says against itself.

use jiff::{SignedDuration, Timestamp};

use super::{
    is_before,
    person::{are_all_among, is_anybody},
};
use crate::{
    report::v1::{Item, Report, State, Work},
    verdict::{Mode, Phase},
};

/// How far a clock may be wrong.
const SKEW: SignedDuration = SignedDuration::from_hours(24);

/// The times between which a plan is worked.
pub struct Clock {
    now: Timestamp,
    /// When the earliest artefact of its incidents was on offer.
    began: Option<Timestamp>,
    /// When the first examination started: what it found was still there.
    found: Timestamp,
}

impl Clock {
    /// Of a plan.
    pub fn new(plan: &Report, now: Timestamp) -> Self {
        let began = plan.incidents.iter().flat_map(|i| &i.windows).map(|w| w.start).min();
        Self { now, began, found: plan.run.started }
    }
}

/// All of it.
pub fn alone(item: &Item, work: &Work, name: &str, clock: &Clock, fault: &mut impl FnMut(String)) {
    // A history is looked through, and cannot be revoked.
    let secret = item.phase == Phase::Rotate && item.mode != Some(Mode::Review);
    let doer = if is_anybody(&work.done_by) { &work.done_by } else { &work.owner };
    if are_all_among(&work.checked_by, doer) {
        fault(format!("{name} was checked by who did it, {doer}: a second person has to"));
    }
    states(secret, work, name, fault);
    if work.state == State::Closed && secret && (!is_anybody(&work.checked_by) || work.checked.is_none()) {
        fault(format!(
            "{name} is closed, and nobody is named who saw the old one refused, and when (checked by, checked)"
        ));
    }
    let early = match (work.issued, work.revoked) {
        (Some(issued), Some(revoked)) => is_before(issued, revoked),
        (issued, _) => issued.is_some(),
    };
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
    if work.checked.zip(work.revoked).is_some_and(|(checked, revoked)| is_before(checked, revoked)) {
        fault(format!("{name} was checked before it was revoked"));
    }
    if matches!(work.state, State::NotApplicable | State::AcceptedRisk) && work.note.trim().is_empty() {
        fault(format!("{name} is {}, and no note says why, or who decided it", work.state.as_str()));
    }
    times(item, work, name, clock, fault);
}

/// What a state asks for, and what it excludes.
fn states(secret: bool, work: &Work, name: &str, fault: &mut impl FnMut(String)) {
    if !secret {
        if work.revoked.is_some() || work.issued.is_some() {
            fault(format!("{name} is about no secret, and has a time of revoking or issuing"));
        }
        if matches!(work.state, State::Issued | State::Revoked) {
            fault(format!(
                "{name} is about no secret, and cannot be {}: begun or closed is meant",
                work.state.as_str()
            ));
        }
        return;
    }
    match work.state {
        State::Open | State::Begun => {
            for (time, state) in [(work.revoked, "revoked"), (work.issued, "issued")] {
                if let Some(at) = time {
                    fault(format!(
                        "{name} is {}, and was {state} {at:.0}: its state is {state} then, or it has no such time",
                        work.state.as_str()
                    ));
                }
            }
        }
        State::Closed if work.revoked.is_none() => {
            fault(format!("{name} is closed, and no time says when the old one was revoked"));
        }
        State::Revoked if work.revoked.is_none() => fault(format!("{name} is revoked, and no time says when")),
        State::Issued if work.issued.is_none() => fault(format!("{name} is issued, and no time says when")),
        _ => {}
    }
}

fn times(item: &Item, work: &Work, name: &str, clock: &Clock, fault: &mut impl FnMut(String)) {
    let all = [("revoked", work.revoked), ("issued", work.issued), ("checked", work.checked)];
    for (word, at) in all.into_iter().filter_map(|(word, at)| Some((word, at?))) {
        if at.duration_since(clock.now) > SKEW {
            fault(format!("{name} was {word} {at:.0}, which is yet to come"));
        } else if let Some(began) = clock.began.filter(|began| is_before(at, *began)) {
            fault(format!("{name} was {word} {at:.0}, before the incident began ({began:.0})"));
        }
    }
    // A secret may have been replaced by whoever read the news; what the examination found on the machine was still there.
    let cleans = matches!(item.phase, Phase::Disarm | Phase::Eradicate | Phase::Purge | Phase::Rebuild)
        || super::order::proves_the_machine(item);
    if let Some(at) = work.checked.filter(|at| cleans && is_before(*at, clock.found)) {
        fault(format!(
            "{name} was checked {at:.0}, before the examination that lists it ({:.0}): it was not done then",
            clock.found
        ));
    }
}
