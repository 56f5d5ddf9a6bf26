//! The lines of a workstream: one for each item, and one for what is to do alike on several machines.

use std::collections::HashSet;

use super::{Labels, ranges};
use crate::{
    report::{v1, words},
    rotate::FOREIGN,
    text::{escape, printable},
    verdict::{Mode, Phase, Urgency, Workstream},
};

/// Bytes of a command that is worth a line.
const COMMAND: usize = 200;
/// Bytes of the labels of a line.
const LABEL: usize = 16;
/// Machines that a line names.
const NAMED: usize = 2;

/// One line of a workstream.
pub struct Row {
    /// Of its items, in the order of the list.
    labels: Vec<String>,
    machines: Vec<String>,
    /// Its rank in a word, with what comes first.
    rank: Option<String>,
    /// What keeps it, and how urgent it is.
    lead: String,
    title: String,
    command: Option<String>,
    /// It has a line whatever the space.
    must: bool,
}

/// What says where the commands belong stands in the heading.
pub fn is_notice(item: &v1::Item) -> bool {
    item.title == FOREIGN
}

/// What is left to do of a workstream.
pub fn rows(report: &v1::Report, labels: &Labels<'_>, of: Workstream) -> Vec<Row> {
    let over: HashSet<&str> = report.work.iter().filter(|w| w.state.is_over()).map(|w| w.item.as_str()).collect();
    let items = report.shown().filter(|i| i.workstream() == of && !over.contains(i.id.as_str()) && !is_notice(i));
    let row = |i: &v1::Item| {
        let blocked = match words::state(report, i).as_str() {
            "open" => String::new(),
            state => format!("{state}: "),
        };
        let soon = if i.urgency == Some(Urgency::Soon) { "soon: " } else { "" };
        // What makes the folder for the evidence is longer than any line.
        // A look by hand comes before what is done, and is in the list below.
        let first = i.steps.iter().filter(|s| !s.by_hand).chain(&i.steps).find_map(|s| s.command.as_deref());
        let command = first.filter(|c| c.len() < COMMAND);
        Row {
            labels: vec![labels.of(&i.id).to_owned()],
            machines: i.machines.clone(),
            rank: i.rank.map(|rank| format!("{}{}", rank.as_str(), haste(i))).or_else(|| {
                // Of a wallet nothing can be revoked.
                (i.mode == Some(Mode::MoveAssets)).then(|| "move the funds now".to_owned())
            }),
            lead: format!("{blocked}{soon}"),
            title: printable(&i.title),
            command: command.map(printable),
            must: i.phase == Phase::Disarm || i.phase == Phase::Contain && of == Workstream::Machine,
        }
    };
    together(items.map(row))
}

/// "2 open others".
fn counted(rank: &str, n: usize) -> &str {
    match rank {
        "opens others" if n > 1 => "open others",
        "spreads" if n > 1 => "spread",
        rank => rank,
    }
}

/// What must not wait for the new one.
fn haste(item: &v1::Item) -> &'static str {
    match item.mode {
        Some(Mode::RevokeFirst) => ", revoke then issue",
        Some(Mode::Together) => ", revoke all then issue",
        Some(Mode::MoveAssets) => ", move now",
        _ => "",
    }
}

/// What reads the same for other machines is one line.
fn together(all: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in all {
        let same = |known: &&mut Row| {
            (&known.rank, &known.lead, &known.title) == (&row.rank, &row.lead, &row.title)
                && known.machines.iter().all(|m| !row.machines.contains(m))
        };
        match rows.iter_mut().find(same).filter(|_| !row.machines.is_empty()) {
            Some(known) => {
                known.labels.extend(row.labels);
                known.machines.extend(row.machines);
                // It is another machine's.
                known.command = None;
            }
            None => rows.push(row),
        }
    }
    rows
}

/// The labels of each title; one with several labels is to do on several machines.
pub fn alike(items: impl Iterator<Item = (String, usize, String)>) -> Vec<(Vec<String>, String)> {
    let mut all: Vec<(Vec<String>, String)> = Vec::new();
    for (label, machines, title) in items {
        match all.iter_mut().find(|(_, known)| machines > 0 && *known == title) {
            Some((labels, _)) => labels.push(label),
            None => all.push((vec![label], title)),
        }
    }
    all
}

/// A line for each, as far as the share goes; where lines are to spare, with its first command.
pub fn listed(rows: &[Row], share: usize, spare: &mut usize) -> Vec<String> {
    let whole = if rows.len() <= share { rows.len() } else { share.saturating_sub(1) };
    let mut others = whole.saturating_sub(rows.iter().filter(|r| r.must).count());
    let mut musts = whole;
    let (shown, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|r| {
        let left = if r.must { &mut musts } else { &mut others };
        let fits = *left > 0;
        *left = left.saturating_sub(1);
        fits
    });
    let mut lines: Vec<String> = Vec::new();
    for row in shown {
        lines.push(row.line());
        if let Some(command) = row.command.as_ref().filter(|_| *spare > 0) {
            lines.push(format!("      {command}"));
            *spare -= 1;
        }
    }
    let mut left: Vec<String> = rest.iter().flat_map(|r| r.labels.iter().cloned()).collect();
    left.sort_by_key(|label| (label.len(), label.clone()));
    if left.is_empty() {
        return lines;
    }
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for row in rest {
        let rank = row.rank.as_deref().and_then(|r| r.split(',').next()).unwrap_or("other");
        match groups.iter_mut().find(|(r, _)| *r == rank) {
            Some((_, n)) => *n += row.labels.len(),
            None => groups.push((rank, row.labels.len())),
        }
    }
    let ranked = groups.iter().any(|(rank, _)| *rank != "other");
    let groups: Vec<String> = groups.iter().map(|(rank, n)| format!("{n} {}", counted(rank, *n))).collect();
    let groups = if ranked { format!(": {}", groups.join(", ")) } else { String::new() };
    lines.push(format!("    and {} more, {}{groups}", left.len(), ranges(&left)));
    lines
}

/// "A1, A4-A6", or the ends of what is longer.
pub fn short(labels: &[String]) -> String {
    let all = ranges(labels);
    match (labels.first(), labels.last()) {
        (Some(first), Some(last)) if all.len() > LABEL => format!("{first}…{last}"),
        _ => all,
    }
}

impl Row {
    fn line(&self) -> String {
        let at = match self.machines.as_slice() {
            [] => String::new(),
            few if few.len() <= NAMED => {
                format!("{}: ", few.iter().map(|m| escape(m.as_bytes())).collect::<Vec<_>>().join(", "))
            }
            many => format!("{}: ", words::count(many.len(), "machine")),
        };
        let rank = self.rank.as_ref().map(|rank| format!("{rank}: ")).unwrap_or_default();
        let label = short(&self.labels);
        let gap = 4_usize.saturating_sub(label.len()).max(1);
        format!("{label}{}{rank}{}{at}{}", " ".repeat(gap), self.lead, self.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, machines: &[&str], title: &str) -> Row {
        Row {
            labels: vec![label.to_owned()],
            machines: machines.iter().map(|m| (*m).to_owned()).collect(),
            rank: None,
            lead: String::new(),
            title: title.to_owned(),
            command: Some("ls".to_owned()),
            must: title.starts_with("STOP"),
        }
    }

    fn lines(rows: Vec<Row>, share: usize) -> Vec<String> {
        listed(&together(rows.into_iter()), share, &mut 0)
    }

    #[test]
    fn what_is_alike_on_several_machines_is_one_line() {
        let all = || {
            vec![
                row("A1", &["web1"], "keep"),
                row("A2", &["web2"], "keep"),
                row("A3", &["web3"], "keep"),
                row("A4", &["web1"], "take x out"),
                row("A5", &["web2"], "take y out"),
                row("A6", &["web3"], "take x out"),
            ]
        };
        assert_eq!(
            lines(all(), 9),
            ["A1-A3 3 machines: keep", "A4, A6 web1, web3: take x out", "A5  web2: take y out"]
        );
        assert_eq!(lines(all(), 2), ["A1-A3 3 machines: keep", "    and 3 more, A4-A6"]);
    }

    #[test]
    fn what_switches_a_monitor_off_has_a_line_whatever_the_space() {
        let all = |stop: usize| {
            let title = |n: usize| if n == stop { "STOP: switch it off".to_owned() } else { format!("do {n}") };
            (1..8).map(|n| row(&format!("A{n}"), &[], &title(n))).collect::<Vec<_>>()
        };
        assert_eq!(
            lines(all(5), 4),
            ["A1  do 1", "A2  do 2", "A5  STOP: switch it off", "    and 4 more, A3-A4, A6-A7"]
        );
        assert_eq!(lines(all(1), 3), ["A1  STOP: switch it off", "A2  do 2", "    and 5 more, A3-A7"]);
        assert_eq!(lines(all(7), 2), ["A7  STOP: switch it off", "    and 6 more, A1-A6"]);
        assert_eq!(lines(all(3), 7).len(), 7);
    }

    #[test]
    fn what_one_machine_has_twice_is_two_lines() {
        assert_eq!(lines(vec![row("A1", &[], "keep"), row("A2", &[], "keep")], 9), ["A1  keep", "A2  keep"]);
        let twice = vec![row("A1", &["web1"], "keep"), row("A2", &["web1"], "keep")];
        assert_eq!(lines(twice, 9), ["A1  web1: keep", "A2  web1: keep"]);
    }

    #[test]
    fn the_label_of_a_single_line_keeps_its_column() {
        assert_eq!(
            lines(vec![row("A1", &[], "x"), row("A12", &[], "y"), row("A123", &[], "z")], 9),
            ["A1  x", "A12 y", "A123 z"]
        );
    }
}
