//! What the incidents' own files give to do.

use super::{
    Item, Plan,
    edge::Because,
    gate,
    shell::own_tools,
    situation::Situation,
    step::{Action, Step},
    store::is_trace,
};
use crate::{
    assess::{FindingKind, publishes},
    ioc::model::{CleanupStep, Incident},
    verdict::{Exposure, Phase, Place, Urgency},
};

/// Programs that speak to an account, a cluster, a registry or a provider: never from the examined machine.
const REMOTE: &[&str] = &[
    "aws",
    "az",
    "azd",
    "gcloud",
    "kubectl",
    "helm",
    "gh",
    "glab",
    "vault",
    "terraform",
    "docker",
    "op",
    "bw",
    "curl",
    "wget",
    "ssh",
    "git",
    "psql",
    "mysql",
];
/// Stands for each account of the machine in a command of an incident's file.
const ACCOUNT: &str = "ACCOUNT";

/// Items for a phase that is done elsewhere: in repositories, accounts, clusters.
pub fn incident_cleanup_items(s: &Situation<'_>, plan: &mut Plan, phase: Phase) {
    let items = s.cleanup(phase);
    let alike = |title: &str| items.iter().filter(|(_, c)| c.title == title).count() > 1;
    for (incident, c) in &items {
        let title = if alike(&c.title) { format!("{} ({})", c.title, incident.id) } else { c.title.clone() };
        let after = match phase {
            Phase::Purge => plan.edges(Phase::Eradicate, &Because::RemovesCode),
            Phase::Rebuild => plan.edges(Phase::Verify, &Because::ExaminesAgain).into_iter().take(1).collect(),
            Phase::Audit => plan.edges(Phase::Preserve, &Because::SavesLogs),
            _ => Vec::new(),
        };
        let mut item = Item::new(phase, title, &*c.why).at(place(phase, &c.steps)).after(after);
        if phase == Phase::Rotate {
            item = gate::guarded(
                item.urgent(Urgency::Now),
                plan,
                gate::Guard { watched: true, spreads: true, put_back: false },
            );
        }
        plan.add(&[incident.id.as_bytes(), c.title.as_bytes()], item.steps(c.steps.iter().map(step)));
    }
}

/// One item for what the payloads of these incidents may have left beside what was found: a line each. Where their traces stand on
/// this disk, items of their own remove them by name and account, and nothing is asked twice.
pub fn look_for(s: &Situation<'_>, phase: Phase) -> Option<Item> {
    let mut steps = Vec::new();
    if phase == Phase::Disarm {
        for (incident, _) in s.ran().into_iter().filter(|(i, _)| !is_found(s, i)) {
            let switches: Vec<String> =
                incident.dead_man_switches.iter().map(|d| format!("{} ({})", d.value, d.what)).collect();
            if !switches.is_empty() {
                steps.push(Step::say(format!("{}: {}", incident.id, switches.join("; "))));
            }
        }
    }
    for (incident, c) in s.cleanup(phase) {
        let found = is_found(s, incident);
        let rest: Vec<String> = c.steps.iter().filter(|step| !found || is_beside(step)).map(in_words).collect();
        if !rest.is_empty() {
            let title = if found { "also" } else { &c.title };
            steps.push(Step::say(format!("{}: {title}: {}", incident.id, rest.join("; "))));
        }
    }
    if steps.is_empty() {
        return None;
    }
    let item = match phase {
        Phase::Disarm => {
            let why =
                "a monitor watches a stolen token and destroys files, or runs new code, when the token stops working";
            let title = "STOP: before any token is revoked, look for monitors of it on every machine and account that may hold it";
            Item::new(phase, title, why)
        }
        _ => {
            let title = "Look for what else these payloads leave: no file found here shows it";
            Item::new(phase, title, "it would run again, or was left beside what was found")
        }
    };
    Some(item.steps(steps))
}

fn is_found(s: &Situation<'_>, incident: &Incident) -> bool {
    let theirs = |id| s.index.incident(id).is_some_and(|i| i.id == incident.id);
    let mut all = s.assessment.findings.iter().filter(|f| f.exposure >= Exposure::Removed && theirs(f.incident));
    all.any(|f| f.kind == FindingKind::Process || is_trace(f))
}

/// Whether a step is about something else than the files that were found.
fn is_beside(step: &CleanupStep) -> bool {
    let about_files =
        ["delete", "then ", "keep cop", "move ", "remove ", "stop ", "end ", "and ", "on Linux", "on macOS"];
    step.command.is_none() && !about_files.iter().any(|start| step.what.starts_with(start))
}

fn in_words(step: &CleanupStep) -> String {
    match &step.command {
        Some(command) if command.contains(ACCOUNT) => format!("{}, for each account: `{command}`", step.what),
        Some(command) => format!("{}: `{command}`", step.what),
        None => step.what.clone(),
    }
}

fn step(step: &CleanupStep) -> Step {
    let action = step.command.clone().map_or(Action::Say, Action::Given);
    let unchecked = step.checked.is_none() && step.command.as_deref().is_some_and(|c| !own_tools(c));
    Step { expect: step.expect.clone(), unchecked, ..Step::new(&*step.what, action) }
}

/// What is done to the examined machine is done there; what speaks to others, from a clean one.
fn place(phase: Phase, steps: &[CleanupStep]) -> Place {
    let commands = || steps.iter().filter_map(|s| s.command.as_deref());
    let remote = |c: &str| {
        c.split(['|', ';', '&', '('])
            .filter_map(|p| p.split_whitespace().next())
            .any(|p| REMOTE.contains(&p) || publishes(p))
    };
    match phase {
        Phase::Preserve | Phase::Disarm | Phase::Eradicate if !commands().any(remote) => Place::Host,
        Phase::Contain if commands().next().is_some() && !commands().any(remote) => Place::Host,
        _ => Place::Clean,
    }
}
