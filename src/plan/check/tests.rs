use super::*;
use crate::{
    plan::{
        later::overtaken,
        made::{at, id, plan, work},
    },
    report::v1::State,
    verdict::Mode,
};

const NOW: &str = "2026-04-01T00:00:00Z";
const LABELS: [&str; 12] = ["A2", "A3", "A4", "A5", "B1", "B2", "B3", "C1", "C2", "D1", "D2", "D3"];

fn faults(works: &[Work]) -> Vec<String> {
    let mut plan = plan();
    // The examination is of the day after the incident began.
    plan.run.started = at("2026-03-25T12:00:00Z");
    plan.work = works.to_vec();
    contradictions(&plan, &HashMap::new(), at(NOW))
}

/// What an item in a state should have waited for, where everything else is done but that.
fn waits_for(label: &str, state: State) -> Vec<&'static str> {
    let is_bound = |other: &&&str| {
        let done = LABELS.iter().filter(|l| **l != label && *l != *other).map(|l| work(l, State::Closed));
        let all: Vec<Work> = done.chain([work(label, state)]).collect();
        faults(&all).iter().any(|f| {
            f.starts_with(&format!("item {}: {label} is", id(label))) && f.contains(&format!("while {other} is open"))
        })
    };
    LABELS.iter().filter(|l| **l != label).filter(is_bound).copied().collect()
}

#[test]
fn each_state_waits_for_what_it_protects_itself_by() {
    use State::{Begun, Closed, Issued, Open, Revoked};
    let none: [&str; 0] = [];
    for (label, state, want) in [
        ("A2", Closed, &none[..]),
        ("A3", Closed, &none),
        ("A4", Closed, &["A2"]),
        ("A5", Begun, &none),
        ("A5", Closed, &["A2", "A3", "A4"]),
        ("B1", Closed, &none),
        // Whoever replaces secrets waits for the network and the monitors, and for no cleaning.
        ("B2", Begun, &none),
        ("B2", Revoked, &["A3", "A4"]),
        ("B2", Issued, &["A3", "A4", "B1"]),
        ("B2", Closed, &["A3", "A4", "B1"]),
        // What is stored on the machine again waits for that.
        ("B3", Revoked, &["A3"]),
        ("B3", Issued, &["A3", "A5", "B2"]),
        ("B3", Closed, &["A3", "A5", "B2"]),
        ("C2", Closed, &["C1"]),
        ("D1", Closed, &["A2", "A3", "A4", "A5"]),
        ("D2", Closed, &["B2", "B3"]),
        ("D3", Closed, &["A5", "D1"]),
        ("D3", Open, &none),
    ] {
        assert_eq!(waits_for(label, state), want, "{label} {}", state.as_str());
    }
}

#[test]
fn a_plan_that_is_worked_in_order_contradicts_nothing() {
    let mut done: Vec<Work> = Vec::new();
    for label in LABELS {
        for state in [State::Begun, State::Closed] {
            done.retain(|w| w.item != id(label));
            done.push(work(label, state));
            assert_eq!(faults(&done), Vec::<String>::new(), "{label}");
        }
    }
    // The secrets alone, with the network cut, the monitors off and the jobs stopped.
    let first = ["A2", "A3", "A4", "B1"].map(|l| work(l, State::Closed));
    assert_eq!(faults(&[&first[..], &[work("B2", State::Closed)]].concat()), Vec::<String>::new());
    // What was decided counts as done; what was revoked opens nothing.
    let decided = [work("A3", State::AcceptedRisk), work("A4", State::NotApplicable), work("B1", State::Closed)];
    assert_eq!(faults(&[&decided[..], &[work("B2", State::Revoked)]].concat()), Vec::<String>::new());
    let both = [work("A5", State::NotApplicable), work("B2", State::Revoked), work("B3", State::Closed)];
    assert_eq!(faults(&[&decided[..], &both].concat()), Vec::<String>::new());
}

#[test]
fn several_that_are_open_are_named_together() {
    assert_eq!(
        faults(&[work("D1", State::Closed)]),
        ["item s-000000d1: D1 is closed while A2-A5 are not done: this proves what that has done"]
    );
}

type Change = fn(&mut Work);

/// The faults of one item, everything before it done.
fn alone(label: &str, state: State, change: impl FnOnce(&mut Work)) -> Vec<String> {
    let mut own = work(label, state);
    change(&mut own);
    let others = LABELS.iter().take_while(|l| **l != label).map(|l| work(l, State::Closed));
    let all: Vec<Work> = others.chain([own]).collect();
    faults(&all).iter().map(|f| f.split_once(": ").unwrap().1.to_owned()).collect()
}

#[test]
fn a_state_and_its_times_fit_each_other() {
    let time = |w: &mut Work| w.revoked = Some(at("2026-03-26T09:00:00Z"));
    let refused: [(&str, State, Change, &str); 18] = [
        ("B2", State::Open, time, "B2 is open, and was revoked 2026-03-26T09:00:00Z: its state is revoked then"),
        ("B2", State::Begun, |w| w.issued = Some(at("2026-03-26T09:00:00Z")), "B2 is begun, and was issued"),
        ("B2", State::Issued, |w| w.issued = None, "B2 is issued, and no time says when"),
        ("B2", State::Revoked, |w| w.revoked = None, "B2 is revoked, and no time says when"),
        ("B2", State::Closed, |w| w.revoked = None, "B2 is closed, and no time says when the old one was revoked"),
        ("B2", State::Closed, |w| w.checked = None, "B2 is closed, and nobody is named who saw the old one refused"),
        (
            "B2",
            State::Closed,
            |w| "-".clone_into(&mut w.checked_by),
            "B2 is closed, and nobody is named who saw the old one refused",
        ),
        ("B2", State::Closed, |w| " ANN".clone_into(&mut w.checked_by), "B2 was checked by who did it, Ann"),
        (
            "B2",
            State::Closed,
            |w| {
                w.done_by.clear();
                "Bob".clone_into(&mut w.owner)
            },
            "B2 was checked by who did it, Bob",
        ),
        ("A3", State::Revoked, |_| {}, "A3 is about no secret, and cannot be revoked"),
        ("A3", State::Closed, time, "A3 is about no secret, and has a time of revoking or issuing"),
        ("A3", State::AcceptedRisk, |w| w.note.clear(), "A3 is accepted_risk, and no note says why"),
        (
            "B2",
            State::Revoked,
            |w| w.revoked = Some(at("2026-04-02T00:00:01Z")),
            "B2 was revoked 2026-04-02T00:00:01Z, which is yet to come",
        ),
        (
            "A3",
            State::Closed,
            |w| w.checked = Some(at("2027-01-01T00:00:00Z")),
            "A3 was checked 2027-01-01T00:00:00Z, which is yet to come",
        ),
        (
            "B2",
            State::Revoked,
            |w| w.revoked = Some(at("2026-03-01T09:00:00Z")),
            "B2 was revoked 2026-03-01T09:00:00Z, before the incident began",
        ),
        (
            "A5",
            State::Closed,
            |w| w.checked = Some(at("2026-03-25T09:00:00Z")),
            "A5 was checked 2026-03-25T09:00:00Z, before the examination that lists it",
        ),
        (
            "D1",
            State::Closed,
            |w| w.checked = Some(at("2026-03-25T09:00:00Z")),
            "D1 was checked 2026-03-25T09:00:00Z, before the examination that lists it",
        ),
        ("B2", State::Closed, |w| w.checked = Some(at("2026-03-26T08:00:00Z")), "B2 was checked before it was revoked"),
    ];
    for (label, state, change, want) in refused {
        let found = alone(label, state, change);
        assert!(found.len() == 1 && found[0].starts_with(want), "{want}: {found:?}");
    }
    let accepted: [(&str, State, Change); 7] = [
        ("B2", State::Issued, |_| {}),
        // A day without a time, and a clock that is a little wrong.
        ("B2", State::Closed, |w| w.checked = Some(at("2026-03-26T00:00:00Z"))),
        ("B2", State::Revoked, |w| w.revoked = Some(at("2026-04-01T23:00:00Z"))),
        // Rotated by whoever read the news, before anything was examined; evidence that was kept before.
        ("B2", State::Revoked, |w| w.revoked = Some(at("2026-03-25T09:00:00Z"))),
        ("A2", State::Closed, |w| w.checked = Some(at("2026-03-25T09:00:00Z"))),
        ("A5", State::Closed, |w| w.checked = Some(at("2026-03-25T00:00:00Z"))),
        ("B2", State::Closed, |w| "Ann, Bob".clone_into(&mut w.checked_by)),
    ];
    for (label, state, change) in accepted {
        assert_eq!(alone(label, state, change), Vec::<String>::new(), "{label} {}", state.as_str());
    }
}

#[test]
fn a_group_is_revoked_before_it_is_issued() {
    for mode in [Mode::Together, Mode::RevokeFirst, Mode::IssueFirst] {
        let mut plan = plan();
        plan.run.started = at("2026-03-25T12:00:00Z");
        plan.checklist.iter_mut().filter(|i| i.id == id("B2")).for_each(|i| i.mode = Some(mode));
        plan.work = ["A2", "A3", "A4", "B1"].map(|l| work(l, State::Closed)).to_vec();
        plan.work.push(work("B2", State::Issued));
        let found = contradictions(&plan, &HashMap::new(), at(NOW)).len();
        assert_eq!(found, usize::from(mode != Mode::IssueFirst), "{mode:?}");
    }
}

#[test]
fn the_line_is_named() {
    let mut plan = plan();
    plan.work = vec![work("B2", State::Issued), Work { item: "s-ffffffff".into(), ..Work::default() }];
    let lines = HashMap::from([(id("B2"), Line { file: "p.csv".into(), number: 7 })]);
    let found = contradictions(&plan, &lines, at(NOW));
    assert!(found[0].starts_with("p.csv, line 7: B2 is issued while A3 is open: while the network"), "{found:?}");
    assert_eq!(found.last().unwrap(), "item s-ffffffff: no item of the plan has this id");
}

/// A later report finds more: what proved that nothing is left proves it no more, and the plan can be worked on.
#[test]
fn what_a_later_report_adds_opens_what_waits_for_it() {
    let mut plan = plan();
    plan.run.started = at("2026-03-25T12:00:00Z");
    plan.work = LABELS.iter().filter(|l| **l != "A5").map(|l| work(l, State::Closed)).collect();
    let known = plan.checklist.iter().map(|i| i.id.clone()).filter(|i| *i != id("A5")).collect();
    let said = overtaken(&mut plan, &known);
    assert_eq!(
        said,
        [
            "B3 is closed, and should have waited for A5, which is new: look at it again",
            "D1 closed -> begun: it waits for A5, which is new",
            "D3 closed -> begun: it waits for A5, which is new",
        ]
    );
    let state = |label: &str| plan.work.iter().find(|w| w.item == id(label)).unwrap().state;
    assert_eq!((state("B3"), state("D1"), state("D2")), (State::Closed, State::Begun, State::Closed));
    assert_eq!(contradictions(&plan, &HashMap::new(), at(NOW)), Vec::<String>::new());
    let all = plan.checklist.iter().map(|i| i.id.clone()).collect();
    assert!(overtaken(&mut plan, &all).is_empty());
}
