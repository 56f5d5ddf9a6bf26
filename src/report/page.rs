//! The first page: was it hit, did it run, since when, what never, who does what now, when is it over. Made of the report's values; 25
//! lines of 80 columns hold it for one machine and ten credentials.

mod fit;
mod hits;
mod rows;
mod since;
mod why;

pub use self::{fit::wrap, why::why};

use std::collections::HashMap;

use self::{
    fit::{columns, cut, fitting, short_hashes},
    hits::{hits, ran},
    rows::{alike, is_notice, listed, rows, short},
    since::{opened, since},
};
pub use super::words::count as counted;
use super::{v1, words};
use crate::{
    rotate::page::Never,
    text::{escape, printable},
    verdict::{Phase, Workstream},
};

/// Lines of the whole page.
const LINES: usize = 25;
/// Hits that are named.
const HITS: usize = 3;
/// Criteria that are named.
const DONE: usize = 4;
/// Columns before the text of a line.
const LEAD: usize = 7;

/// The page, line by line; none is wider than `width` columns.
pub fn page(report: &v1::Report, width: usize) -> Vec<String> {
    let labels = Labels::new(report);
    let mut lines = head(report, &labels, width);
    let mut last = logs(report, &labels, width);
    last.extend(done(report, &labels, width));
    let (machine, clean) = (rows(report, &labels, Workstream::Machine), rows(report, &labels, Workstream::Clean));
    let space = LINES.saturating_sub(lines.len() + last.len() + 2).max(4);
    // A crowd in one of them leaves room for the other.
    let of_machine = machine.len().min(space.saturating_sub(clean.len()).max(space / 2));
    let of_clean = clean.len().min(space - of_machine);
    let mut spare = space.saturating_sub(of_machine + of_clean);
    for (stream, rows, share) in [(Workstream::Machine, machine, of_machine), (Workstream::Clean, clean, of_clean)] {
        if !rows.is_empty() {
            lines.push(heading(report, &labels, stream));
            lines.extend(listed(&rows, share, &mut spare));
        }
    }
    lines.extend(last);
    lines.into_iter().map(|line| cut(&line, width)).collect()
}

/// What the items are called in a document: "A3".
pub struct Labels<'r>(HashMap<&'r str, String>);

impl<'r> Labels<'r> {
    /// By workstream, in the order of the list.
    pub fn new(report: &'r v1::Report) -> Self {
        Self::of_items(&report.checklist)
    }

    /// The same for a checklist alone.
    pub fn of_items(checklist: &'r [v1::Item]) -> Self {
        let mut counts: HashMap<Workstream, usize> = HashMap::new();
        let mut label = |i: &'r v1::Item| {
            let stream = i.workstream();
            let number = counts.entry(stream).and_modify(|n| *n += 1).or_insert(1);
            (i.id.as_str(), format!("{}{number}", stream.letter()))
        };
        Self(checklist.iter().map(&mut label).collect())
    }

    /// Of the item with this id; nothing where there is none.
    pub fn of(&self, id: &str) -> &str {
        self.0.get(id).map_or("", String::as_str)
    }
}

/// What somebody does who takes a workstream.
pub fn stream(stream: Workstream) -> &'static str {
    match stream {
        Workstream::Machine => "THE MACHINE",
        Workstream::Clean => "A CLEAN MACHINE",
        Workstream::Logs => "LOGS",
        Workstream::Close => "DONE WHEN",
    }
}

/// Words in at most so many lines, behind a lead.
fn within(lead: &str, words: &str, most: usize, width: usize) -> Vec<String> {
    let wrapped = wrap(words, width.saturating_sub(LEAD));
    let line = |(n, line): (usize, &String)| {
        let more = n + 1 == most && wrapped.len() > most;
        format!("{:<LEAD$}{line}{}", if n == 0 { lead } else { "" }, if more { " …" } else { "" })
    };
    wrapped.iter().take(most).enumerate().map(line).collect()
}

fn head(report: &v1::Report, labels: &Labels<'_>, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let stopped = report.checklist.iter().any(|i| words::still_blocked(report, i).is_some());
    if stopped {
        let first = report.checklist.iter().find(|i| i.phase == Phase::Disarm);
        let first = first.map_or("the monitors are off", |i| labels.of(&i.id));
        // Where one was found, its files are moved away.
        let found = report.checklist.iter().filter(|i| i.phase == Phase::Disarm).flat_map(|i| &i.steps);
        let is_here = found.filter_map(|s| s.command.as_deref()).any(|c| c.starts_with("keep "));
        let why = match is_here {
            true => "a monitor deletes files when one stops working",
            false => "a monitor may be here, and delete files then",
        };
        lines.push(format!("STOP   revoke no token before {first}: {why}"));
    }
    let mut text = |lead: &str, words: &str, most: usize| lines.extend(within(lead, words, most, width));
    let hits = hits(report);
    let more = hits.len().saturating_sub(HITS);
    for (n, hit) in hits.iter().take(HITS).enumerate() {
        let last = n + 1 == HITS && more > 0;
        let more = if last { format!("; and {}", words::count(more, "more place")) } else { String::new() };
        text(if n == 0 { "HIT" } else { "" }, &format!("{hit}{more}"), 2);
    }
    let answers = ran(report);
    if let [only] = answers.as_slice() {
        text("RAN?", &short_hashes(only), 2);
    } else {
        // Of several incidents each has a line.
        let named = if answers.len() > HITS { HITS - 1 } else { HITS };
        let more = answers.get(named..).unwrap_or_default().len();
        let more = (more > 0).then(|| words::count(more, "more incident"));
        for (n, answer) in answers.iter().take(named).map(|a| short_hashes(a)).chain(more).enumerate() {
            lines.push(format!("{:<LEAD$}{answer}", if n == 0 { "RAN?" } else { "" }));
        }
    }
    let mut text = |lead: &str, words: &str, most: usize| lines.extend(within(lead, words, most, width));
    text("SINCE", &since(report), 2);
    let never: Vec<String> = report
        .page
        .iter()
        .flat_map(|p| &p.never)
        // That stands in the first line.
        .filter(|n| !(stopped && **n == Never::RevokeFirst))
        .map(never)
        .collect();
    if !never.is_empty() {
        text("NEVER", &never.join("; "), 2);
    }
    lines
}

fn never(never: &Never) -> String {
    match never {
        Never::RevokeFirst => "revoke a token before the monitors are off".to_owned(),
        Never::Start { programs } => format!("start {programs} on it"),
        Never::Uninstall { command } => command.clone(),
        Never::RunImage => "start a container of it".to_owned(),
        Never::RunJob => "run one of its jobs again, or start the runner".to_owned(),
        Never::OpenWallet => "open a wallet on it".to_owned(),
        Never::TryStolen => "test an old key".to_owned(),
    }
}

fn heading(report: &v1::Report, labels: &Labels<'_>, of: Workstream) -> String {
    let items = || report.checklist.iter().filter(|i| i.workstream() == of);
    let words = match of {
        Workstream::Machine => {
            let several = if report.machines.len() > 1 { "S" } else { "" };
            // What says where the commands belong stands here instead of a line of its own.
            let notices: Vec<String> = items().filter(|i| is_notice(i)).map(|i| labels.of(&i.id).to_owned()).collect();
            match notices.is_empty() {
                true => several.to_owned(),
                false => format!("{several} of the disk, not this one ({})", short(&notices)),
            }
        }
        Workstream::Close => String::new(),
        Workstream::Clean => ": another person".to_owned(),
        Workstream::Logs => {
            let from = opened(report).map(|at| format!(" from {at}")).unwrap_or_default();
            format!("{from}: a third person, before they expire")
        }
    };
    let done = match items().filter(|i| is_over(report, i)).count() {
        0 => String::new(),
        n => format!("; {n} of {} done", items().count()),
    };
    format!("{}  {}{words}; {}{done}", of.letter(), stream(of), begin(report, labels, of))
}

/// Who can begin when: what waits for nothing outside at once; what replaces a secret may have to wait.
fn begin(report: &v1::Report, labels: &Labels<'_>, of: Workstream) -> String {
    let items = || report.checklist.iter().filter(|i| i.workstream() == of);
    let outside = |i: &v1::Item| {
        let others = i.after.iter().map(|id| labels.of(id));
        let others = others.filter(|label| !label.is_empty() && !label.starts_with(of.letter()));
        others.map(str::to_owned).collect::<Vec<_>>()
    };
    let waits = items()
        .filter(|i| i.phase == Phase::Rotate && i.blocked.is_none() && !i.after.is_empty())
        .map(outside)
        .min_by_key(Vec::len)
        .unwrap_or_default();
    if waits.is_empty() {
        return match items().map(outside).min_by_key(Vec::len) {
            Some(first) if !first.is_empty() => format!("after {}", ranges(&first)),
            _ => "now".to_owned(),
        };
    }
    let is_first = |i: &&v1::Item| i.phase == Phase::Rotate && !i.after.is_empty();
    let first = items().find(is_first).map_or("", |i| labels.of(&i.id));
    let free: Vec<String> = items().take_while(|i| !is_first(i)).map(|i| labels.of(&i.id).to_owned()).collect();
    let free = if free.is_empty() { String::new() } else { format!("{} now, ", ranges(&free)) };
    let gates: Vec<String> = report
        .checklist
        .iter()
        .filter(|i| i.phase == Phase::Disarm && items().any(|item| words::still_blocked(report, item).is_some()))
        .map(|i| labels.of(&i.id).to_owned())
        .collect();
    let tokens = if gates.is_empty() { String::new() } else { format!(", tokens after {}", ranges(&gates)) };
    format!("{free}{first} on after {}{tokens}", ranges(&waits))
}

/// Which logs, in two lines.
fn logs(report: &v1::Report, labels: &Labels<'_>, width: usize) -> Vec<String> {
    let of = || report.shown().filter(|i| i.workstream() == Workstream::Logs);
    let items: Vec<&v1::Item> = of().filter(|i| !is_over(report, i)).collect();
    if items.is_empty() {
        return of().next().map(|_| heading(report, labels, Workstream::Logs)).into_iter().collect();
    }
    let titles: Vec<String> = items.iter().map(|i| format!("{} {}", labels.of(&i.id), printable(&i.title))).collect();
    let mut text = String::new();
    for (n, title) in titles.iter().enumerate() {
        let more = format!("; and {} more, to {}", titles.len() - n, items.last().map_or("", |i| labels.of(&i.id)));
        if n > 0 && columns(&text) + columns(title) + more.len() + 8 > width {
            text.push_str(&more);
            break;
        }
        let lead = if n > 0 { "; " } else { "" };
        text.push_str(&format!("{lead}{title}"));
    }
    let mut lines = vec![heading(report, labels, Workstream::Logs), format!("    {text}")];
    let hosts = report.page.iter().flat_map(|p| &p.hosts);
    let (named, whole) = fitting(hosts.map(|h| escape(h.as_bytes())), width.saturating_sub(LOOK.len() + MORE));
    if !named.is_empty() {
        let more = if whole { "" } else { " and others" };
        lines.push(format!("{LOOK}{named}{more}"));
    }
    lines
}

/// Before the hosts that logs are searched for.
const LOOK: &str = "    look for ";
/// Columns of what says that there are more.
const MORE: usize = 11;

fn is_over(report: &v1::Report, item: &v1::Item) -> bool {
    report.work.iter().any(|w| w.item == item.id && w.state.is_over())
}

/// The criteria, side by side, and what comes after them.
fn done(report: &v1::Report, labels: &Labels<'_>, width: usize) -> Vec<String> {
    let closing =
        |phase: Phase| report.checklist.iter().filter(move |i| i.workstream() == Workstream::Close && i.phase == phase);
    let texts = |phase: Phase, done: bool| {
        let those = closing(phase).filter(|i| is_over(report, i) == done);
        let all = alike(those.map(|i| (labels.of(&i.id).to_owned(), i.machines.len(), printable(&i.title))));
        all.into_iter().map(|(labels, title)| format!("{} {title}", short(&labels)))
    };
    let mut boxes: Vec<String> = texts(Phase::Verify, false).map(|text| format!("[ ] {text}")).collect();
    boxes.extend(texts(Phase::Verify, true).map(|text| format!("[x] {text}")));
    let more = boxes.len().saturating_sub(DONE);
    boxes.truncate(DONE);
    if more > 0 {
        boxes.push(format!("[ ] and {more} more of D"));
    }
    let mut logs = report.checklist.iter().filter(|i| i.workstream() == Workstream::Logs).peekable();
    if logs.peek().is_some() {
        boxes.push(format!("[{}] Logs of C read", if logs.all(|i| is_over(report, i)) { 'x' } else { ' ' }));
    }
    let mut lines: Vec<String> = Vec::new();
    for text in boxes {
        let fits = |line: &&mut String| columns(line) + 3 + columns(&text) <= width;
        match lines.iter_mut().find(fits) {
            Some(line) => line.push_str(&format!("   {text}")),
            None => lines.push(format!("{:<LEAD$}{text}", if lines.is_empty() { "DONE" } else { "" })),
        }
    }
    let then: Vec<String> = texts(Phase::Rebuild, false).collect();
    let mut then = then.into_iter().enumerate().peekable();
    let mut text = String::new();
    let total = then.len();
    while let Some((n, next)) = then.next() {
        let more = format!("; and {} more of D", total - n);
        let room = if then.peek().is_some() { columns(&more) } else { 0 };
        // A single one that does not fit is cut.
        if n > 0 && total - n > 1 && LEAD + columns(&text) + 2 + columns(&next) + room > width {
            text.push_str(&more);
            break;
        }
        text.push_str(if n > 0 { "; " } else { "" });
        text.push_str(&next);
    }
    if !text.is_empty() {
        lines.push(format!("{:<LEAD$}{text}", "THEN"));
    }
    lines
}

/// "A1, B2-B4".
pub fn ranges(labels: &[String]) -> String {
    let mut runs: Vec<(&str, &str)> = Vec::new();
    let parts = |label: &str| Some((label.chars().next()?, label.get(1..)?.parse::<usize>().ok()?));
    for label in labels {
        match runs.last_mut() {
            Some((_, end)) if follows(parts(end), parts(label)) => *end = label,
            _ => runs.push((label, label)),
        }
    }
    let words = runs.into_iter().map(|(a, b)| if a == b { a.to_owned() } else { format!("{a}-{b}") });
    words.collect::<Vec<_>>().join(", ")
}

fn follows(before: Option<(char, usize)>, label: Option<(char, usize)>) -> bool {
    before.zip(label).is_some_and(|((a, n), (b, m))| a == b && n + 1 == m)
}
