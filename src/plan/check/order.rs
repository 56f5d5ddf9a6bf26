//! What an item waits for, and which of its states that binds. Whoever replaces secrets waits for nobody at the machine but for the
//! network and the monitors, and where the new one is stored there.

use std::collections::HashMap;

use crate::{
    report::{
        page::{Labels, ranges},
        v1::{Item, Report, State, Work},
    },
    rotate::edge::Because,
    verdict::{Phase, Workstream},
};

/// What an item waits for, each with the reason; none in reports of early versions.
pub fn waits<'p>(plan: &'p Report, item: &'p Item) -> Vec<(&'p str, Option<&'p Because>)> {
    let mut waits: Vec<(&str, Option<&Because>)> =
        item.edges.iter().map(|e| (e.item.as_str(), Some(&e.because))).collect();
    let missing = |id: &str, waits: &[(&str, Option<&Because>)]| waits.iter().all(|(known, _)| *known != id);
    for id in &item.after {
        if missing(id, &waits) {
            waits.push((id, None));
        }
    }
    if proves_the_machine(item) {
        // An item without steps is a notice.
        let here = |i: &&Item| {
            i.workstream() == Workstream::Machine && !i.steps.is_empty() && share(&i.machines, &item.machines)
        };
        for other in plan.checklist.iter().filter(here) {
            if missing(&other.id, &waits) {
                waits.push((&other.id, Some(&Because::Proves)));
            }
        }
    }
    waits
}

/// The second examination of a machine.
pub fn proves_the_machine(item: &Item) -> bool {
    item.phase == Phase::Verify
        && item.workstream() == Workstream::Close
        && item.edges.iter().any(|e| e.because == Because::Proves)
        && item.credentials.is_empty()
        && item.done_at() == crate::verdict::Place::Host
}

fn share(a: &[String], b: &[String]) -> bool {
    a.is_empty() || b.is_empty() || a.iter().any(|m| b.contains(m))
}

/// Whether an item in this state should have waited.
pub fn binds(because: Option<&Because>, work: &Work) -> bool {
    let closed = work.state == State::Closed;
    let decided = matches!(work.state, State::NotApplicable | State::AcceptedRisk);
    let issued = matches!(work.state, State::Issued) || work.issued.is_some();
    let revoked = work.state == State::Revoked || work.revoked.is_some();
    !decided
        && match because {
            Some(Because::CutsNetwork | Because::SwitchesOffMonitors) => closed || issued || revoked,
            Some(Because::RemovesCode | Because::StopsJobs | Because::Opens { .. }) => closed || issued,
            Some(Because::KeepsEvidence | Because::ExaminesAgain | Because::Proves | Because::SavesLogs) | None => {
                closed
            }
        }
}

/// Names what an item should have waited for.
pub fn early(
    plan: &Report,
    item: &Item,
    work: &Work,
    works: &HashMap<&str, &Work>,
    labels: &Labels<'_>,
    fault: &mut impl FnMut(String),
) {
    let (name, untouched) = (labels.of(&item.id), Work::default());
    let mut open: Vec<(String, Vec<(&str, &Work)>)> = Vec::new();
    for (id, because) in waits(plan, item) {
        let first = works.get(id).copied().unwrap_or(&untouched);
        let (other, opens) = (labels.of(id), matches!(because, Some(Because::Opens { .. })));
        if other.is_empty() || !binds(because, work) {
            continue;
        }
        let reason = because.map_or_else(|| "it comes first".to_owned(), |b| b.words(str::to_owned));
        // What opens others opens them no more once it is revoked.
        if !(first.state.is_over() || opens && first.state == State::Revoked) {
            match open.iter_mut().find(|(r, _)| *r == reason) {
                Some((_, all)) => all.push((other, first)),
                None => open.push((reason, vec![(other, first)])),
            }
        } else if opens && work.issued.zip(first.revoked).is_some_and(|(i, r)| super::is_before(i, r)) {
            fault(format!("{name} was issued before {other} was revoked: {reason}"));
        }
    }
    for (reason, others) in open {
        let others = match others.as_slice() {
            [(other, first)] => format!("{other} is {}", first.state.as_str()),
            many => {
                let mut names: Vec<String> = many.iter().map(|(other, _)| (*other).to_owned()).collect();
                names.sort_by_key(|name| (name.chars().next(), name.len(), name.clone()));
                format!("{} are not done", ranges(&names))
            }
        };
        fault(format!("{name} is {} while {others}: {reason}", work.state.as_str()));
    }
}
