//! The answer for a terminal: what is open first, what to do next, then one block an item. Sentences wrap at the width; a path stays in
//! one piece. Nothing in it steers the terminal.

use std::fmt::Write as _;

use super::{
    second,
    v1::{Change, Item, Life, Quiet, State, Verification},
    words,
};
use crate::{
    report::page::wrap,
    text::{escape, printable},
};

/// Items, findings and others that are listed; the JSON has all.
const MOST: usize = 200;
/// Sentences longer than this are hard to read on any screen.
const PROSE: usize = 110;

/// The whole, in lines of so many columns.
pub fn render(answer: &Verification, width: usize) -> String {
    let mut page = Page { text: String::new(), width: width.clamp(40, PROSE) };
    let text = &answer.summary.text;
    let (word, lead) = match answer.state() {
        State::Open => ("OPEN: ", "open: "),
        State::Unknown => ("NOT PROVEN: ", "not proven: "),
        State::Closed => ("CLOSED: ", "closed: "),
    };
    page.hung(word, "  ", text.strip_prefix(lead).unwrap_or(text));
    let case = &answer.case;
    page.prose(
        "  report   ",
        &format!("{} of {} `{}`, {}", case.file, case.target.kind, case.target.id, second(case.examined)),
    );
    match &answer.examined {
        Some(now) => {
            let limits = if now.complete { "" } else { ", not everything could be examined" };
            let text = format!("{} `{}`, {}{limits}", now.target.kind, now.target.id, second(answer.started));
            page.prose("  now      ", &text);
        }
        None => page.prose("  now      ", "nothing was examined"),
    }
    machines(&mut page, answer);
    next(&mut page, answer);
    for state in [State::Open, State::Unknown, State::Closed] {
        let mut items: Vec<&Item> = answer.items.iter().filter(|i| i.state == state).collect();
        items.sort_by_key(|i| words::place(i));
        let word = if state == State::Unknown { "not proven" } else { state.as_str() };
        page.section(&word.to_uppercase(), items.len());
        let several = !answer.machines.is_empty();
        items.iter().take(MOST).for_each(|item| block(&mut page, item, several));
        page.more(items.len());
    }
    findings(&mut page, answer);
    unclaimed(&mut page, answer);
    sources(&mut page, answer);
    page.section("NOT EXAMINED", answer.gaps.len());
    for gap in answer.gaps.iter().take(MOST) {
        page.prose("  ", &format!("{}: {}", escape(&gap.location.path.0), gap.detail));
    }
    page.more(answer.gaps.len());
    page.text
}

struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// One line as it is; what a report or listing says may hold anything.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}", printable(text).trim_end());
    }

    /// Wrapped; lines after the first stand under the text.
    fn prose(&mut self, lead: &str, text: &str) {
        self.hung(lead, &" ".repeat(lead.chars().count()), text);
    }

    /// Wrapped; lines after the first begin with `hang`.
    fn hung(&mut self, lead: &str, hang: &str, text: &str) {
        let columns = self.width.saturating_sub(lead.chars().count().max(hang.len()));
        let lines = wrap(&printable(text), columns);
        self.line(&format!("{lead}{}", lines.first().map_or("", String::as_str)));
        for line in lines.iter().skip(1) {
            self.line(&format!("{hang}{line}"));
        }
    }

    /// A heading; none above nothing.
    fn section(&mut self, title: &str, entries: usize) {
        if entries > 0 {
            let _ = writeln!(self.text, "\n{title} ({entries})");
        }
    }

    fn more(&mut self, all: usize) {
        if all > MOST {
            self.line(&format!("  and {} more: the JSON has all", all - MOST));
        }
    }
}

fn machines(page: &mut Page, answer: &Verification) {
    page.section("MACHINES", answer.machines.len());
    for m in answer.machines.iter().take(MOST) {
        let now = if m.examined { "examined now" } else { "not examined now: verify there" };
        let counts = format!("{} open, {} not proven, {} closed", m.open, m.unknown, m.closed);
        page.prose("  ", &format!("{}: {counts}; {now}", escape(m.machine.as_bytes())));
    }
    page.more(answer.machines.len());
}

fn next(page: &mut Page, answer: &Verification) {
    let mut steps = words::next(answer);
    if !answer.findings.is_empty() {
        let text = "clean up what is listed as still found, as the plan's part A says, and verify again";
        steps.insert(0, ("machine".to_owned(), text.to_owned()));
    }
    if answer.unclaimed.iter().any(|u| u.in_window) {
        let text = "revoke what nobody on the list owns, unless somebody answers for it";
        steps.insert(0, ("providers".to_owned(), text.to_owned()));
    }
    page.section("NEXT", steps.len());
    for (who, what) in &steps {
        page.hung("  ", "      ", &format!("{who}: {what}"));
    }
    if steps.iter().any(|(_, what)| what.contains("attest")) {
        let named = answer.items.iter().find(|i| i.state != State::Closed);
        let named = named.map_or("ID", |i| i.label.as_deref().unwrap_or(&i.id));
        page.hung(
            "  ",
            "      ",
            &format!("to attest: `--attest \"{named} provider by NAME: what NAME saw, and where\"`"),
        );
    }
}

fn block(page: &mut Page, item: &Item, several: bool) {
    let machine = if several { format!("{}: ", escape(item.location.tree.as_bytes())) } else { String::new() };
    let place = format!("{machine}{}", escape(&item.location.path.0));
    let inner = item.location.inner.as_ref().map(|i| format!("[{i}]")).unwrap_or_default();
    let label = item.label.as_ref().map(|label| format!("{label} ")).unwrap_or_default();
    page.line(&format!("  {label}{}  {}", item.id, item.kind));
    if let Some(identifier) = &item.identifier {
        page.line(&format!("      {identifier}"));
    }
    if place.chars().count() + inner.chars().count() + 7 <= page.width {
        page.line(&format!("      {place} {inner}"));
    } else {
        page.line(&format!("      {place}"));
        page.line(&format!("        {inner}"));
    }
    let here = &item.here;
    let now = here.identifier_now.as_ref().map(|i| format!(" ({i} now)")).unwrap_or_default();
    let hint = here.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    page.prose(&format!("      here      {:<9} ", change(here.answer)), &format!("{}{now}{hint}", here.reason));
    let provider = &item.provider_state;
    page.prose(&format!("      provider  {:<9} ", life(provider.answer)), &provider.reason);
    page.prose(&format!("      silence   {:<9} ", quiet(item.silence.answer)), &item.silence.reason);
    for a in &item.attested {
        page.prose(&format!("      attested  {:<9} ", a.fact), &format!("{}: {}", a.by, a.text));
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

fn findings(page: &mut Page, answer: &Verification) {
    page.section("STILL FOUND", answer.findings.len());
    for f in answer.findings.iter().take(MOST) {
        let new = if f.known == Some(false) { ", not in the report" } else { "" };
        let (exposure, confidence) = (f.exposure.as_str(), f.confidence.as_str());
        page.line(&format!("  {exposure}, {confidence}: {}{new}", f.indicator));
        page.line(&format!("      {}", escape(&f.location.path.0)));
    }
    page.more(answer.findings.len());
}

fn unclaimed(page: &mut Page, answer: &Verification) {
    page.section("NOBODY ON THE LIST OWNS", answer.unclaimed.len());
    for u in answer.unclaimed.iter().take(MOST) {
        let label = u.label.as_ref().map(|l| format!(" `{l}`")).unwrap_or_default();
        let account = u.account.as_ref().map(|a| format!(" of {a}")).unwrap_or_default();
        let when = if u.in_window { "made while the incident ran" } else { "made since the report: a replacement?" };
        page.hung("  ", "      ", &format!("{}{label}{account}, {}, {when} ({})", u.id, second(u.created), u.source));
    }
    page.more(answer.unclaimed.len());
}

fn sources(page: &mut Page, answer: &Verification) {
    page.section("HANDED IN", answer.sources.len());
    for s in &answer.sources {
        let accounts = if s.accounts.is_empty() { String::new() } else { format!(" of {}", s.accounts.join(", ")) };
        let span = match (s.from, s.to) {
            (Some(from), Some(to)) => format!(", {} to {}", second(from), second(to)),
            _ => String::new(),
        };
        let limits = s.incomplete.as_ref().map(|why| format!("; not all: {why}")).unwrap_or_default();
        let text = format!("{}: {}{accounts}, {} entries{span}{limits}", s.file, s.form, s.entries);
        page.hung("  ", "      ", &text);
    }
}
