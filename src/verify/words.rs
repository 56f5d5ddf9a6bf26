//! The answer in one sentence, and what to do next.

use super::v1::{Item, State, Verification};
use crate::report::{
    page::{counted as count, ranges},
    v1::PLAN,
};

/// What is open, what is not proven, what is closed: the worst first.
pub fn summary(answer: &Verification) -> String {
    let (all, counts) = (answer.items.len(), &answer.summary);
    let of_all = |n: usize| match (n, all) {
        (n, all) if n == all && n > 1 => format!("all {n} credentials"),
        (1, 1) => "the one credential".to_owned(),
        (n, all) => format!("{n} of {all} credentials"),
    };
    let (mut open, mut unproven, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    let add = |list: &mut Vec<String>, n: usize, text: String| {
        if n > 0 {
            list.push(text);
        }
    };
    let in_window = answer.unclaimed.iter().filter(|u| u.in_window).count();
    let later = answer.unclaimed.len() - in_window;
    let (findings, without) = (answer.findings.len(), counts.without_credential);
    add(&mut open, counts.open, of_all(counts.open));
    add(&mut open, findings, format!("{} of the incident", count(findings, "finding")));
    add(&mut open, in_window, format!("{} at a provider that nobody on the list owns", count(in_window, "credential")));
    add(&mut unproven, counts.unknown, of_all(counts.unknown));
    match &answer.examined {
        None => unproven.push("no machine was examined now".to_owned()),
        Some(now) if !now.complete => unproven.push("not everything could be examined".to_owned()),
        Some(_) => {}
    }
    add(&mut unproven, later, format!("{} made at providers since, perhaps replacements", count(later, "credential")));
    let others = format!("{} of the checklist without a credential to look at", count(without, "item"));
    add(&mut unproven, without, others);
    add(&mut rest, counts.closed, of_all(counts.closed));
    let mut parts = Vec::new();
    for (word, list) in [("open", open), ("not proven", unproven), ("closed", rest)] {
        if !list.is_empty() {
            parts.push(format!("{word}: {}", list.join(", ")));
        }
    }
    if parts.is_empty() { "the checklist asks to replace nothing".to_owned() } else { parts.join("; ") }
}

/// What to do next, what is open first, each with the items that it is to be done for.
pub fn next(answer: &Verification) -> Vec<(String, String)> {
    let mut all: Vec<(&str, Vec<&Item>)> = Vec::new();
    for state in [State::Open, State::Unknown] {
        for item in answer.items.iter().filter(|i| i.state == state) {
            let nexts = [&item.here.next, &item.provider_state.next, &item.silence.next];
            for next in nexts.into_iter().flatten() {
                match all.iter_mut().find(|(known, _)| known == next) {
                    Some((_, items)) => items.push(item),
                    None => all.push((next, vec![item])),
                }
            }
        }
    }
    let mut all: Vec<_> = all.into_iter().map(|(next, items)| (names(&items), next.to_owned())).collect();
    if !answer.summary.without_names.is_empty() {
        let what = match answer.case.schema == PLAN {
            true => {
                "no credential of it was found: ask who knows, and tick it in the plan (`dosimeter rotate --update`)"
            }
            false => "no credential of it was found: make a plan (`dosimeter rotate`), tick it there, and verify that",
        };
        all.push((ranges(&answer.summary.without_names), what.to_owned()));
    }
    all
}

/// Where an item stands in the plan; what has no label comes last.
pub fn place(item: &Item) -> (bool, Option<&str>, Option<usize>) {
    let label = item.label.as_deref();
    (label.is_none(), label.and_then(|l| l.get(..1)), label.and_then(|l| l.get(1..)?.parse().ok()))
}

/// Items that are named by their ids, where the plan has no label.
const NAMED: usize = 8;

/// "B1-B3, B7": each once, in the order of the plan.
fn names(items: &[&Item]) -> String {
    let mut items = items.to_vec();
    items.sort_by_key(|i| place(i));
    let mut labels: Vec<String> = items.iter().filter_map(|i| i.label.clone()).collect();
    labels.dedup();
    let mut ids: Vec<&str> = items.iter().filter(|i| i.label.is_none()).map(|i| i.id.as_str()).collect();
    let more = ids.len().saturating_sub(NAMED);
    ids.truncate(NAMED);
    let mut all = if labels.is_empty() { Vec::new() } else { vec![ranges(&labels)] };
    all.extend(ids.into_iter().map(str::to_owned));
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    all.join(", ")
}
