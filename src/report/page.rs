//! The first page: was it hit, did it run, since when, what never, who does what now, when is it over. Made of the report's values; 25
//! lines of 80 columns hold it for one machine and ten credentials.

mod fit;
mod rows;
mod since;
mod why;

pub use self::why::why;

use std::collections::HashMap;

pub use self::fit::wrap;
use self::{
    fit::{columns, cut, fitting},
    rows::{alike, is_notice, listed, rows, short},
    since::{opened, since},
};
pub use super::words::count as counted;
use super::{v1, words};
use crate::{
    assess::family_of,
    ecosystem::purl::Purl,
    fact::Ecosystem,
    ioc::model::Moment,
    rotate::page::Never,
    text::{escape, printable},
    verdict::{Confidence, Exposure, Phase, Workstream},
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

fn head(report: &v1::Report, labels: &Labels<'_>, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let stopped = report.checklist.iter().any(|i| words::still_blocked(report, i).is_some());
    if stopped {
        let first = report.checklist.iter().find(|i| i.phase == Phase::Disarm);
        let first = first.map_or("the monitors are off", |i| labels.of(&i.id));
        lines.push(format!("STOP   revoke no token before {first}: a monitor deletes files when one stops working"));
    }
    let mut text = |lead: &str, words: &str, most: usize| {
        let wrapped = wrap(words, width.saturating_sub(LEAD));
        for (n, line) in wrapped.iter().take(most).enumerate() {
            let more = n + 1 == most && wrapped.len() > most;
            lines.push(format!("{:<LEAD$}{line}{}", if n == 0 { lead } else { "" }, if more { " …" } else { "" }));
        }
    };
    let hits = hits(report);
    let more = hits.len().saturating_sub(HITS);
    for (n, hit) in hits.iter().take(HITS).enumerate() {
        let last = n + 1 == HITS && more > 0;
        let more = if last { format!("; and {}", words::count(more, "more place")) } else { String::new() };
        text(if n == 0 { "HIT" } else { "" }, &format!("{hit}{more}"), 2);
    }
    text("RAN?", &fit::short_hashes(&ran(report)), 2);
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

/// The worst of each place, worst first.
fn hits(report: &v1::Report) -> Vec<String> {
    if !report.machines.is_empty() {
        let mut hits = vec![words::machines_counted(report)];
        let taken = words::machines_by_weight(report).into_iter().filter(|m| m.exposure.is_some());
        hits.extend(taken.map(|m| format!("{}: {}", escape(m.tree.as_bytes()), words::taken(m))));
        return hits;
    }
    let mut all: Vec<(&v1::IncidentReport, &v1::Finding)> =
        report.incidents.iter().flat_map(|i| i.findings.iter().map(move |f| (i, f))).collect();
    // A package says more than a file that it left, wherever it ran.
    let stands = |f: &v1::Finding| f.package.is_some() && f.exposure >= Exposure::Removed;
    all.sort_by_key(|(_, f)| std::cmp::Reverse((stands(f), f.exposure, f.confidence, f.package.is_some())));
    // What an incident's package left is said where it is said that it ran.
    let with_package: Vec<&str> = all.iter().filter(|(_, f)| stands(f)).map(|(i, _)| i.id.as_str()).collect();
    all.retain(|(i, f)| f.package.is_some() || !with_package.contains(&i.id.as_str()));
    // What is only stored or named does not count beside what was there.
    if all.iter().any(|(_, f)| f.exposure >= Exposure::Removed) {
        all.retain(|(_, f)| f.exposure >= Exposure::Removed);
    }
    let mut hits: Vec<String> = Vec::new();
    let mut places: Vec<(&str, Vec<u8>)> = Vec::new();
    for (incident, f) in all {
        let folder = f.environment.as_ref().map_or(&f.location.path, |e| &e.path);
        let key = (incident.id.as_str(), folder.0.clone());
        if places.contains(&key) {
            continue;
        }
        places.push(key);
        let file = || f.location.path.0.rsplit(|b| *b == b'/').next().map(escape);
        let named = if f.kind == "file" { file() } else { None };
        let what = package(f).or(named).unwrap_or_else(|| fit::short_hashes(&words::indicator(f)));
        let maybe = if f.confidence == Confidence::Possible { "possibly " } else { "" };
        let tree = match f.location.tree.as_str() {
            "host" | "root" => String::new(),
            tree => format!(" of {}", escape(tree.as_bytes())),
        };
        hits.push(format!(
            "{what} {maybe}{} in {}{tree} ({})",
            f.exposure.as_str(),
            words::path(folder),
            escape(incident.id.as_bytes())
        ));
    }
    hits
}

/// "litellm 1.82.8".
fn package(f: &v1::Finding) -> Option<String> {
    let purl = Purl::parse(f.package.as_deref()?)?;
    Some(format!("{} {}", escape(purl.name.as_bytes()), escape(purl.version.as_deref().unwrap_or_default().as_bytes())))
}

/// Whether it ran, by what, and what was looked for in vain.
fn ran(report: &v1::Report) -> String {
    let findings = || report.incidents.iter().flat_map(|i| &i.findings);
    let Some(worst) = findings().max_by_key(|f| (f.exposure, f.runs_by_itself, f.confidence, f.package.is_some()))
    else {
        return "nothing was found that could".to_owned();
    };
    let answer = match (worst.exposure, worst.confidence) {
        // Nothing more has to be looked for.
        (Exposure::Executed, Confidence::Confirmed) if worst.kind == "file" => {
            return format!("yes: the payload left {} when it ran", words::path(&worst.location.path));
        }
        (Exposure::Executed, Confidence::Confirmed) => return format!("yes: {}", printable(&worst.reason)),
        (Exposure::Executed, _) => format!("presume yes: {}", printable(&worst.reason)),
        (Exposure::Installed, _) if worst.runs_by_itself => match worst.moment {
            Some(Moment::AtInstall) => {
                "presume yes: its code runs when it is installed, and nothing shows that it was kept from it".to_owned()
            }
            _ => format!(
                "presume yes: {} there, and leaves no log",
                family_of(worst.ecosystem.unwrap_or(Ecosystem::Generic)).words().at_start
            ),
        },
        (Exposure::Installed, _) => {
            "not shown: it runs when it is used, and nothing that was found shows a use".to_owned()
        }
        (Exposure::Removed, Confidence::Possible) => "nobody knows: it may have been there, and is gone".to_owned(),
        (Exposure::Removed, _) => "presume yes: it was there, and is gone".to_owned(),
        (Exposure::Cached, _) => "no sign: its bytes are stored, and nothing shows that they were installed".to_owned(),
        (Exposure::Referenced, _) => "no sign: files name it, and nothing shows that it was installed".to_owned(),
    };
    let Some(page) = report.page.as_ref().filter(|p| !p.not_found.is_empty()) else {
        return answer;
    };
    let mut names: Vec<&str> = page.not_found.iter().map(|p| p.rsplit('/').next().unwrap_or(p)).collect();
    names.dedup();
    let named: Vec<String> = names.iter().take(3).map(|p| escape(p.as_bytes())).collect();
    let more = names.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let part = if page.everywhere { "" } else { " in what was examined" };
    format!("{answer}. Not found{part}, which is no all-clear: {}{more}", named.join(", "))
}

fn never(never: &Never) -> String {
    match never {
        Never::RevokeFirst => "revoke a token before the monitors are off".to_owned(),
        Never::Start { programs } => format!("start {programs} on it"),
        Never::Uninstall { command } => command.clone(),
        Never::RunImage => "start a container of it".to_owned(),
        Never::RunJob => "run one of its jobs again, or start the runner".to_owned(),
        Never::OpenWallet => "open a wallet on it".to_owned(),
        Never::TryStolen => "use a stolen key".to_owned(),
    }
}

fn heading(report: &v1::Report, labels: &Labels<'_>, of: Workstream) -> String {
    let words = match of {
        Workstream::Machine if report.checklist.iter().any(is_notice) => " that this disk is of, not here".to_owned(),
        Workstream::Machine | Workstream::Close => String::new(),
        Workstream::Clean => ": another person revokes and replaces".to_owned(),
        Workstream::Logs => {
            let from = opened(report).map(|at| format!(" from {at}")).unwrap_or_default();
            format!("{from}: a third person, since they expire")
        }
    };
    // An item that waits for nothing outside can be begun at once; what replaces a secret may have to wait.
    let items = || report.checklist.iter().filter(|i| i.workstream() == of);
    let outside = |i: &v1::Item| {
        let others = i.after.iter().map(|id| labels.of(id));
        others
            .filter(|label| !label.is_empty() && !label.starts_with(of.letter()))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut waits: Vec<Vec<String>> = items().map(outside).collect();
    waits.sort_by_key(Vec::len);
    let begin = match waits.first() {
        Some(first) if !first.is_empty() => format!("; after {}", ranges(first)),
        _ => "; now".to_owned(),
    };
    let rotates: Vec<String> = items()
        .filter(|i| i.phase == Phase::Rotate && i.blocked.is_none() && !i.after.is_empty())
        .map(outside)
        .min_by_key(Vec::len)
        .unwrap_or_default();
    let first = items().find(|i| i.phase == Phase::Rotate && !i.after.is_empty()).map_or("", |i| labels.of(&i.id));
    let begin = if rotates.is_empty() { begin } else { format!("{begin}, {first} on after {}", ranges(&rotates)) };
    let done = match items().filter(|i| is_over(report, i)).count() {
        0 => String::new(),
        n => format!("; {n} of {} done", items().count()),
    };
    format!("{}  {}{words}{begin}{done}", of.letter(), stream(of))
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
        boxes.push(format!("[{}] C is read", if logs.all(|i| is_over(report, i)) { 'x' } else { ' ' }));
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
    if !then.is_empty() {
        lines.push(format!("{:<LEAD$}{}", "THEN", then.join("; ")));
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
