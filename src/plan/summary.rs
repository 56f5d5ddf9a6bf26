//! What an update took over, line by line: a person sees whether it is what he meant.

use super::put::{Change, Taken};
use crate::report::count;

/// Lines of each list.
const LISTED: usize = 50;

impl Taken {
    /// What changed.
    pub fn changes(&self) -> Vec<String> {
        let states = self.changes.iter().filter(|c| c.state.0 != c.state.1).count();
        let others = self.changes.len() - states;
        let mut head = vec![format!("{} changed state", count(states, "item"))];
        if others > 0 {
            head.push(format!("{others} changed otherwise"));
        }
        let (read, ticked) = self.steps;
        if read > 0 {
            let changed = self.steps_changed;
            head.push(format!("{} read ({ticked} ticked, {changed} changed)", boxes(read)));
        }
        let mut lines = vec![format!("taken over: {}", head.join(", "))];
        lines.extend(listed(self.changes.iter().map(line)));
        lines
    }

    /// What was left aside, and why.
    pub fn left(&self) -> Vec<String> {
        match self.ignored.len() {
            0 => Vec::new(),
            n => [format!("left aside: {}", count(n, "line"))]
                .into_iter()
                .chain(listed(self.ignored.iter().cloned()))
                .collect(),
        }
    }
}

fn boxes(n: usize) -> String {
    if n == 1 { "1 box of steps".to_owned() } else { format!("{n} boxes of steps") }
}

/// "B3 open -> revoked, owner (plan.md:41)".
fn line(change: &Change) -> String {
    let (from, to) = change.state;
    let state = (from != to).then(|| format!("{} -> {}", from.as_str(), to.as_str()));
    let what: Vec<String> = state.into_iter().chain(change.fields.iter().map(|f| f.as_str().to_owned())).collect();
    format!("{} {} ({})", change.label, what.join(", "), change.line.short())
}

fn listed(all: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = all.len().saturating_sub(LISTED);
    let more = (more > 0).then(|| format!("  and {more} more"));
    all.take(LISTED).map(|line| format!("  {line}")).chain(more).collect()
}
