//! The answer for a terminal: what is open first, one block an item, nothing that steers the terminal.

use std::fmt::Write as _;

use super::v1::{Change, Item, Life, Quiet, State, Verification};
use crate::text::{escape, printable};

/// Items, findings and others that are listed; the JSON has all.
const MOST: usize = 200;

/// The whole.
pub fn render(answer: &Verification) -> String {
    let mut page = String::new();
    let word = match answer.state() {
        State::Open => "OPEN",
        State::Unknown => "NOT PROVEN",
        State::Closed => "NOTHING OPEN in what was asked",
    };
    line(&mut page, &format!("{word}: {}", answer.summary.text));
    let case = &answer.case;
    line(
        &mut page,
        &format!("  report   {} of {} `{}`, {}", case.file, case.target.kind, case.target.id, case.examined),
    );
    match &answer.examined {
        Some(now) => {
            let limits = if now.complete { "" } else { ", not everything could be examined" };
            line(&mut page, &format!("  now      {} `{}`, {}{limits}", now.target.kind, now.target.id, answer.started));
        }
        None => line(&mut page, "  now      nothing was examined"),
    }
    for state in [State::Open, State::Unknown, State::Closed] {
        let items: Vec<&Item> = answer.items.iter().filter(|i| i.state == state).collect();
        if items.is_empty() {
            continue;
        }
        line(&mut page, &format!("\n{} ({})", state.as_str().to_uppercase(), items.len()));
        items.iter().take(MOST).for_each(|item| block(&mut page, item));
        more(&mut page, items.len());
    }
    findings(&mut page, answer);
    unclaimed(&mut page, answer);
    sources(&mut page, answer);
    if !answer.gaps.is_empty() {
        line(&mut page, &format!("\nNOT EXAMINED ({})", answer.gaps.len()));
        for gap in answer.gaps.iter().take(MOST) {
            line(&mut page, &format!("  {}: {}", escape(&gap.location.path.0), gap.detail));
        }
        more(&mut page, answer.gaps.len());
    }
    page
}

/// One line; what a report or listing says may hold anything.
fn line(page: &mut String, text: &str) {
    for part in text.split('\n') {
        let _ = writeln!(page, "{}", printable(part));
    }
}

fn more(page: &mut String, all: usize) {
    if all > MOST {
        line(page, &format!("  and {} more: the JSON has all", all - MOST));
    }
}

fn block(page: &mut String, item: &Item) {
    let place = escape(&item.location.path.0);
    let inner = item.location.inner.as_ref().map(|i| format!(" [{i}]")).unwrap_or_default();
    let identifier = item.identifier.as_ref().map(|i| format!("  {i}")).unwrap_or_default();
    line(page, &format!("  {}  {}{identifier}", item.id, item.kind));
    line(page, &format!("      {place}{inner}"));
    let here = &item.here;
    let now = here.identifier_now.as_ref().map(|i| format!(" ({i} now)")).unwrap_or_default();
    line(page, &format!("      here      {:<8}  {}{now}", change(here.answer), here.reason));
    if let Some(hint) = &here.hint {
        line(page, &format!("                          {hint}"));
    }
    let provider = &item.provider_state;
    line(page, &format!("      provider  {:<8}  {}", life(provider.answer), provider.reason));
    line(page, &format!("      silence   {:<8}  {}", quiet(item.silence.answer), item.silence.reason));
    for a in &item.attested {
        line(page, &format!("      attested  {:<8}  {}: {}", a.fact, a.by, a.text));
    }
}

fn change(answer: Change) -> &'static str {
    match answer {
        Change::Gone => "gone",
        Change::Replaced => "replaced",
        Change::Same => "same",
        Change::Unknown => "unknown",
    }
}

fn life(answer: Life) -> &'static str {
    match answer {
        Life::Dead => "dead",
        Life::Alive => "alive",
        Life::Unknown => "unknown",
    }
}

fn quiet(answer: Quiet) -> &'static str {
    match answer {
        Quiet::Silent => "silent",
        Quiet::Used => "used",
        Quiet::Unknown => "unknown",
    }
}

fn findings(page: &mut String, answer: &Verification) {
    if answer.findings.is_empty() {
        return;
    }
    line(page, &format!("\nSTILL FOUND ({})", answer.findings.len()));
    for f in answer.findings.iter().take(MOST) {
        let new = if f.known == Some(false) { "  not in the report" } else { "" };
        let (exposure, confidence) = (f.exposure.as_str(), f.confidence.as_str());
        line(page, &format!("  {exposure}/{confidence}  {}  {}{new}", f.indicator, escape(&f.location.path.0)));
    }
    more(page, answer.findings.len());
}

fn unclaimed(page: &mut String, answer: &Verification) {
    if answer.unclaimed.is_empty() {
        return;
    }
    line(page, &format!("\nNOBODY ON THE LIST OWNS ({})", answer.unclaimed.len()));
    for u in answer.unclaimed.iter().take(MOST) {
        let label = u.label.as_ref().map(|l| format!(" `{l}`")).unwrap_or_default();
        let account = u.account.as_ref().map(|a| format!(" of {a}")).unwrap_or_default();
        let when = if u.in_window { "made while the incident ran" } else { "made since the report: a replacement?" };
        line(page, &format!("  {}{label}{account}  {}  {when} ({})", u.id, u.created, u.source));
    }
    more(page, answer.unclaimed.len());
}

fn sources(page: &mut String, answer: &Verification) {
    if answer.sources.is_empty() {
        return;
    }
    line(page, &format!("\nHANDED IN ({})", answer.sources.len()));
    for s in &answer.sources {
        let accounts = if s.accounts.is_empty() { String::new() } else { format!(" of {}", s.accounts.join(", ")) };
        let span = match (s.from, s.to) {
            (Some(from), Some(to)) => format!(", {from} to {to}"),
            _ => String::new(),
        };
        let limits = s.incomplete.as_ref().map(|why| format!("; not all: {why}")).unwrap_or_default();
        line(page, &format!("  {}  {}{accounts}, {} entries{span}{limits}", s.file, s.form, s.entries));
    }
}
