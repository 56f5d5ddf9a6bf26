//! A plan for tests, with one item of each sort.

use serde_json::{Value, json};

use crate::report::v1::{Report, State, Work};

/// Id of the item that is called so: `B2` is `s-000000b2`.
pub fn id(label: &str) -> String {
    format!("s-{:0>8}", label.to_lowercase())
}

fn item(label: &str, phase: &str, place: &str, stream: &str, edges: &[(&str, &str)]) -> Value {
    let edge = |(because, first): &(&str, &str)| match *because {
        "opens" => json!({"item": id(first), "because": "opens", "kind": "cloud", "opened": "db"}),
        because => json!({"item": id(first), "because": because}),
    };
    json!({
        "id": id(label), "phase": phase, "where": place, "workstream": stream, "title": format!("do {label}"), "why": "x",
        "after": edges.iter().map(|(_, first)| id(first)).collect::<Vec<_>>(),
        "edges": edges.iter().map(edge).collect::<Vec<_>>(),
        "steps": [{"do": "first, one", "command": null}, {"do": "look", "command": "ls"}, {"do": "look", "command": "ps"},
                  {"do": "careful: no", "command": null}],
        "credentials": [],
    })
}

/// B3 is stored on the machine again; C1 saves logs; D1 examines again.
pub fn plan() -> Report {
    let mut report: Value = serde_json::from_str(include_str!("../../tests/fixtures/report/example.json")).unwrap();
    let mut notice = item("A1", "preserve", "host", "machine", &[]);
    notice["steps"] = json!([]);
    let (first, net) = (("keeps_evidence", "A2"), ("cuts_network", "A3"));
    report["checklist"] = json!([
        notice,
        item("A2", "preserve", "host", "machine", &[]),
        item("A3", "contain", "clean", "machine", &[]),
        item("A4", "disarm", "host", "machine", &[first]),
        item("A5", "eradicate", "host", "machine", &[first, net, ("switches_off_monitors", "A4")]),
        item("B1", "freeze", "clean", "clean", &[]),
        item("B2", "rotate", "clean", "clean", &[net, ("switches_off_monitors", "A4"), ("stops_jobs", "B1")]),
        item("B3", "rotate", "clean", "clean", &[net, ("removes_code", "A5"), ("opens", "B2")]),
        item("C1", "preserve", "clean", "logs", &[]),
        item("C2", "audit", "clean", "logs", &[("saves_logs", "C1")]),
        item("D1", "verify", "host", "close", &[("proves", "A4"), ("proves", "A5")]),
        item("D2", "verify", "clean", "close", &[("proves", "B2"), ("proves", "B3")]),
        item("D3", "rebuild", "host", "close", &[("removes_code", "A5"), ("examines_again", "D1")]),
    ]);
    report["schema"] = json!("dosimeter.plan/1");
    serde_json::from_value(report).unwrap()
}

/// How far one item is, with what its state asks for.
pub fn work(label: &str, state: State) -> Work {
    let mut work = Work { item: id(label), state, ..Work::default() };
    if label.starts_with('B') && label != "B1" {
        let revoked = matches!(state, State::Revoked | State::Closed);
        work.revoked = revoked.then(|| at("2026-03-26T09:00:00Z"));
        work.issued = matches!(state, State::Issued | State::Closed).then(|| at("2026-03-26T10:00:00Z"));
        if state == State::Closed {
            work.checked = Some(at("2026-03-26T11:00:00Z"));
            "Ann".clone_into(&mut work.done_by);
            "Bob".clone_into(&mut work.checked_by);
        }
    }
    if matches!(state, State::AcceptedRisk | State::NotApplicable) {
        "the owner says so".clone_into(&mut work.note);
    }
    work
}

/// A moment.
pub fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}
