//! Wording that every format for people shares. What comes from the target leaves through `escape` or `printable`.

mod images;
mod timeline;

pub use self::images::{bases, columns, image_cells, images_by_weight, images_counted, lists_images, users};
pub use self::timeline::{TIMES, timeline};
use super::{
    page::{self, Labels},
    v1,
};
use crate::{
    text::{defang, escape, printable},
    verdict::{Confidence, Phase, Place, Reach, Workstream},
};

/// A path, whole.
pub fn path(path: &v1::PathText) -> String {
    escape(&path.0)
}

/// A path, whole, with what narrows it down.
pub fn place(location: &v1::Location) -> String {
    format!("{}{}", path(&location.path), detail(location))
}

/// A place of which only the ends are needed: the middle of one that would fill the screen is left out. Files hold it whole.
pub fn shortened(place: &str) -> String {
    const END: usize = 150;
    let count = place.chars().count();
    if count <= 2 * END {
        return place.to_owned();
    }
    let start: String = place.chars().take(END).collect();
    let end: String = place.chars().skip(count - END).collect();
    format!("{start} … {end}")
}

/// What stands behind the path: the member, the line, the tree, the layer.
pub fn detail(location: &v1::Location) -> String {
    let mut words = String::new();
    if let Some(inner) = &location.inner {
        words.push_str(&format!(" [{}]", escape(inner.as_bytes())));
    }
    if let Some(line) = location.line {
        words.push_str(&format!(" line {line}"));
    }
    // This machine, or the one disk that was examined, is named at the top.
    if !matches!(location.tree.as_str(), "host" | "root") {
        words.push_str(&format!(" in {}", escape(location.tree.as_bytes())));
    }
    if let Some(layer) = &location.layer {
        let digest: String = layer.chars().take("sha256:".len() + 12).collect();
        words.push_str(&format!(" (layer {})", escape(digest.as_bytes())));
    }
    words
}

/// "litellm ← dspy ← my-plugin (asked for)".
pub fn chain(chain: &[v1::Link]) -> String {
    let steps = chain.iter().rev().map(|l| {
        let asked = if l.requested { " (asked for)" } else { "" };
        format!("{}{asked}", escape(l.name.as_bytes()))
    });
    steps.collect::<Vec<_>>().join(" ← ")
}

/// "harvested", "possibly harvested".
pub fn reach(c: &v1::Credential) -> String {
    let possibly = c.reach == Reach::Harvested && c.confidence == Some(Confidence::Possible);
    format!("{}{}", if possibly { "possibly " } else { "" }, c.reach.as_str())
}

/// The indicator, so that no host in it is a link.
pub fn indicator(f: &v1::Finding) -> String {
    let shown = match f.indicator.split_once('/') {
        Some((kind @ ("host" | "url" | "ip"), host)) => format!("{kind}/{}", defang(host)),
        _ => f.indicator.clone(),
    };
    escape(shown.as_bytes())
}

/// "2026-03-24T11:05:00Z (mtime of INSTALLER)".
pub fn when(f: &v1::Finding) -> Option<String> {
    let source = f.at_source.as_deref().map(|s| format!(" ({})", printable(s))).unwrap_or_default();
    Some(format!("{:.0}{source}", f.at?))
}

/// The wheel, sdist or the like.
pub fn artifact(a: &v1::Artifact) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(a.name.as_deref().map(|n| escape(n.as_bytes())));
    words.extend(a.size.map(|s| format!("{s} bytes")));
    words.extend(a.sha256.as_deref().map(|h| format!("sha256 {}", escape(h.as_bytes()))));
    words.join(", ")
}

/// "1 gap", "3 gaps".
pub fn count(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// Bytes for people, in powers of 1024 and tenths.
pub fn size(bytes: u64) -> String {
    let units = [("GiB", 30_u32), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in units {
        if bytes >> shift > 0 {
            let tenths = (u128::from(bytes) * 10) >> shift;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

/// What, when, as whom.
pub fn run(report: &v1::Report) -> String {
    let run = &report.run;
    let os = run.target.os.as_deref().map(|os| format!(" ({})", escape(os.as_bytes()))).unwrap_or_default();
    let user = escape(run.user.as_bytes());
    let rights = if run.privileged { "" } else { ", which may not read everything" };
    let kind = if run.target.kind == "root" { "disk" } else { &run.target.kind };
    let kind = if report.machines.is_empty() { kind } else { "several machines:" };
    let (kind, id) = (escape(kind.as_bytes()), escape(run.target.id.as_bytes()));
    let id = run.target.name.as_ref().map_or_else(|| id.clone(), |name| format!("{} at {id}", escape(name.as_bytes())));
    format!("{kind} {id}{os}, {:.0} to {:.0}, as {user}{rights}", run.started, run.finished)
}

/// What was examined, in one line.
pub fn examined(report: &v1::Report) -> String {
    let c = &report.coverage;
    let state = match report.verdict.complete {
        true => "examination complete".to_owned(),
        false => format!("EXAMINATION INCOMPLETE: {}", count(c.gaps.len(), "gap")),
    };
    let left = count(c.exclusions.len(), "exclusion");
    let light = match weightless(c) {
        0 => String::new(),
        n => format!(", {n} unreadable without weight"),
    };
    format!("{state}; {} files and folders, {} read, {left}{light}", c.files_seen, size(c.bytes_read))
}

/// Files that could not be read and hold nothing that could be a finding, also those that are not listed.
pub fn weightless(c: &v1::Coverage) -> usize {
    let unlisted = usize::try_from(c.unreadable_without_weight_unlisted).unwrap_or(usize::MAX);
    c.unreadable_without_weight.len().saturating_add(unlisted)
}

/// What such a list means.
pub const WEIGHTLESS: &str = "These files are not what their names say. Their text holds no name together with a version, no host, hash or \
                              text that an indicator knows, so the examination is complete without them.";

/// Which indicators.
pub fn indicators(report: &v1::Report) -> String {
    let i = &report.indicators;
    let age =
        usize::try_from(i.age_days).map_or_else(|_| "of the future".to_owned(), |d| format!("{} old", count(d, "day")));
    let day = i.created.strftime("%Y-%m-%d");
    let (incidents, versions) = (count(i.incidents, "incident"), count(i.packages, "malicious version"));
    let layers: Vec<String> = i.layers.iter().map(layer).collect();
    let more = if layers.is_empty() { String::new() } else { format!("; also {}", layers.join("; ")) };
    format!("indicators {} of {day} ({age}): {incidents}, {versions}{more}", i.sequence)
}

/// "/srv/feed.bundle (number 7 of 2026-11-20, 220411 packages, not signed)"
fn layer(l: &v1::Layer) -> String {
    let number = match (l.sequence, l.created) {
        (Some(n), Some(created)) => format!("number {n} of {}, ", created.strftime("%Y-%m-%d")),
        _ => String::new(),
    };
    let mut held = Vec::new();
    if l.incidents > 0 {
        held.push(count(l.incidents, "incident"));
    }
    if l.packages > 0 {
        held.push(count(l.packages, "package"));
    }
    let signed = if l.signed_by.is_some() { "signed" } else { "not signed" };
    let origin = escape(l.origin.as_bytes());
    format!("{origin} ({number}{}, {signed})", held.join(", "))
}

/// The findings of an incident, worst first.
pub fn worst_first(incident: &v1::IncidentReport) -> Vec<&v1::Finding> {
    let mut findings: Vec<&v1::Finding> = incident.findings.iter().collect();
    findings.sort_by_key(|f| std::cmp::Reverse((f.exposure, f.confidence)));
    findings
}

/// The title, with what keeps it, its rank and how urgent it is.
pub fn title(report: &v1::Report, item: &v1::Item) -> String {
    let blocked = match state(report, item).as_str() {
        "open" => String::new(),
        state => format!("{state}: "),
    };
    let rank = item.rank.map(|r| format!(" ({})", r.as_str())).unwrap_or_default();
    // What has to wait is not also for now.
    let urgency = item.urgency.filter(|_| still_blocked(report, item).is_none());
    let urgency = urgency.map(|u| format!("{}: ", u.as_str())).unwrap_or_default();
    format!("{blocked}{urgency}{}{rank}", printable(&item.title))
}

/// How far an item is: the state of its record; of one that nobody touched, `blocked: disarm` or `open`.
pub fn state(report: &v1::Report, item: &v1::Item) -> String {
    let state = report.work.iter().find(|w| w.item == item.id).map(|w| w.state).unwrap_or_default();
    match (state, still_blocked(report, item)) {
        (v1::State::Open, Some(phase)) => format!("blocked: {}", phase.as_str()),
        (state, _) => state.as_str().to_owned(),
    }
}

/// The gate that an item may not pass yet: until every item of that phase is over.
pub fn still_blocked(report: &v1::Report, item: &v1::Item) -> Option<Phase> {
    let phase = item.blocked?;
    let over = |i: &v1::Item| report.work.iter().any(|w| w.item == i.id && w.state.is_over());
    let mut gate = report.checklist.iter().filter(|i| i.phase == phase);
    (!gate.all(over) || report.checklist.iter().all(|i| i.phase != phase)).then_some(phase)
}

/// The rest of its record: owner, done by, checked by, revoked, issued, checked, note.
pub fn work(report: &v1::Report, item: &v1::Item) -> [String; 7] {
    let Some(w) = report.work.iter().find(|w| w.item == item.id) else {
        return Default::default();
    };
    let time = |at: Option<jiff::Timestamp>| at.map(|at| format!("{at:.0}")).unwrap_or_default();
    [
        printable(&w.owner),
        printable(&w.done_by),
        printable(&w.checked_by),
        time(w.revoked),
        time(w.issued),
        time(w.checked),
        printable(&w.note),
    ]
}

/// What an item waits for, by reason: "network cut: A1; opens this: B2, B4".
pub fn after(labels: &Labels<'_>, item: &v1::Item) -> String {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    let known = |id: &str| item.edges.iter().find(|e| e.item == id).map_or("", |e| e.because.shortly());
    for id in &item.after {
        let (reason, label) = (known(id), labels.of(id).to_owned());
        match reasons.iter_mut().find(|(r, _)| *r == reason) {
            Some((_, all)) => all.push(label),
            None => reasons.push((reason, vec![label])),
        }
    }
    let words = reasons.iter().map(|(reason, all)| match *reason {
        "" => page::ranges(all),
        reason => format!("{reason}: {}", page::ranges(all)),
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Where an item is done, and for which of several machines.
pub fn on(item: &v1::Item) -> String {
    let machines = machines(&item.machines);
    match (item.done_at(), item.machines.is_empty()) {
        (Place::Clean, true) if item.workstream() == Workstream::Machine => "around the examined machine".to_owned(),
        (Place::Host, true) => "on the examined machine".to_owned(),
        (Place::Clean, true) => "on a clean machine".to_owned(),
        (Place::Host, false) => format!("on {machines}"),
        (Place::Clean, false) => format!("on a clean machine, for {machines}"),
    }
}

/// Names of machines that a line lists.
const NAMED: usize = 10;

fn machines(names: &[String]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|n| escape(n.as_bytes())).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// The machines of a report of several: those with findings first, worst first, then those that were not examined completely.
pub fn machines_by_weight(report: &v1::Report) -> Vec<&v1::Machine> {
    let worth = |m: &&v1::Machine| m.exposure.is_some() || !m.complete;
    let mut all: Vec<&v1::Machine> = report.machines.iter().filter(worth).collect();
    all.sort_by_key(|m| std::cmp::Reverse((m.exposure, m.to_rotate)));
    all
}

/// "1000 machines: 3 exposed, 2 not examined completely, 995 with nothing found in what was examined".
pub fn machines_counted(report: &v1::Report) -> String {
    let count = |wanted: &dyn Fn(&v1::Machine) -> bool| report.machines.iter().filter(|m| wanted(m)).count();
    let exposed = count(&|m| m.exposure.is_some());
    let open = count(&|m| m.exposure.is_none() && !m.complete);
    let rest = report.machines.len() - exposed - open;
    format!(
        "{}: {exposed} exposed, {open} not examined completely, {rest} with nothing found in what was examined",
        self::count(report.machines.len(), "machine")
    )
}

/// What a machine took, worst first: "litellm-2026-03 executed, axios-2026-03 possibly installed".
pub fn taken(machine: &v1::Machine) -> String {
    let one = |i: &v1::MachineIncident| {
        let maybe = if i.confidence == Confidence::Possible { "possibly " } else { "" };
        format!("{} {maybe}{}", escape(i.id.as_bytes()), i.exposure.as_str())
    };
    let all: Vec<String> = machine.incidents.iter().map(one).collect();
    if all.is_empty() { "nothing found".to_owned() } else { all.join(", ") }
}

/// How a machine was examined, where that is not all there is: "2 gaps", "could not be read".
pub fn how_complete(machine: &v1::Machine) -> String {
    match (machine.target.is_some(), machine.gaps) {
        (false, _) => "not judged".to_owned(),
        (true, 0) => "complete".to_owned(),
        (true, gaps) => count(gaps, "gap"),
    }
}

/// What prints the whole checklist of this very report. Without a report, `rotate` examines the machine that it runs on.
pub fn whole_list(report: &v1::Report) -> &'static str {
    match report.run.target.kind.as_str() {
        "host" => "`dosimeter rotate`",
        _ => "add `-o case.json`, then `dosimeter rotate case.json`",
    }
}

/// Where evidence of an earlier clean-up is kept.
pub const EARLIER: &str =
    "an earlier examination's list still holds: rotate from that report; after a clean-up less is found than was taken";

/// "2 archives of case 0123456789abcdef".
pub fn kept(k: &v1::KeptEvidence) -> String {
    format!("{} of case {}", count(k.archives, "archive"), escape(k.case.as_bytes()))
}

/// A checklist without items.
pub const NO_STEPS: &str = "nothing was found that asks for a step";

/// Where there was nothing for any surface to read.
pub const NOTHING_TO_EXAMINE: &str = "no file that this program reads";

/// Lists of surfaces, gaps and the like stop here.
pub const LISTED: usize = 20;

/// "and 12 more, see the JSON report (`-o report.json`)", where some were left out.
pub fn more(all: usize, shown: usize) -> Option<String> {
    (all > shown).then(|| format!("and {} more, see the JSON report (`-o report.json`)", all - shown))
}

/// What stands beside a step, in the order that a person needs it: where, whether to trust the command, what it shows.
pub fn remarks(step: &v1::Step) -> Vec<String> {
    let place = step.place.map(|p| match p {
        Place::Host => "on the examined machine".to_owned(),
        Place::Clean => "on a clean machine".to_owned(),
    });
    let unchecked = step.unchecked && step.command.is_some();
    let unchecked = unchecked.then(|| "not checked: read its manual first".to_owned());
    let expect = step.expect.as_ref().map(|e| format!("expect: {e}"));
    place.into_iter().chain(unchecked).chain(expect).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(73_400_320), "70.0 MiB");
        assert_eq!(size(u64::MAX), "17179869183.9 GiB");
    }
}
