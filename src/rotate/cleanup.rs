//! What the incidents' own files give to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Item, Plan,
    edge::{Because, Edge},
    gate,
    shell::{is_plain, own_tools},
    situation::Situation,
    step::{Action, Step},
    store::is_trace,
    writer::System,
};
use crate::{
    accounts::Accounts,
    assess::{Assessment, FindingKind, publishes},
    ioc::model::{Cleanup, CleanupStep, Incident},
    verdict::{Exposure, Phase, Place, Urgency, Workstream},
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
/// Stands for each account of the machine in a command of an incident's file, and the next for its number.
const ACCOUNT: &str = "ACCOUNT";
const UID: &str = "UID";
/// Accounts that one step is repeated for.
const ACCOUNTS: usize = 12;

/// Items for a phase that is done elsewhere: in repositories, accounts, clusters.
pub fn incident_cleanup_items(s: &Situation<'_>, plan: &mut Plan, phase: Phase) {
    let items = s.cleanup(phase);
    let alike = |title: &str| items.iter().filter(|(_, c)| c.title == title).count() > 1;
    for (incident, c) in &items {
        if phase == Phase::Contain && is_for_clusters(c) && !s.may_reach_clusters() {
            continue;
        }
        let title = if alike(&c.title) { format!("{} ({})", c.title, incident.id) } else { c.title.clone() };
        let after = match phase {
            // Whatever changes the machine, or takes what is stored of it elsewhere, leaves the evidence alone until it is kept.
            Phase::Contain if place(phase, &c.steps) == Place::Host => kept_first(plan),
            Phase::Purge => match plan.edges(Phase::Eradicate, &Because::RemovesCode) {
                none if none.is_empty() => kept_first(plan),
                removed => removed,
            },
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

fn kept_first(plan: &Plan) -> Vec<Edge> {
    let kept = plan.edges(Phase::Preserve, &Because::KeepsEvidence);
    kept.into_iter().filter(|e| plan.is_in(&e.item, Workstream::Machine)).collect()
}

/// Whether it speaks to clusters.
fn is_for_clusters(cleanup: &Cleanup) -> bool {
    cleanup.steps.iter().filter_map(|s| s.command.as_deref()).any(|c| c.contains("kubectl "))
}

/// What is looked for in clusters, where nothing here leads to one: whoever runs it knows whether there is one all the same.
pub fn in_other_clusters(s: &Situation<'_>) -> Vec<String> {
    let found = s.cleanup(Phase::Contain).into_iter().filter(|(_, c)| is_for_clusters(c) && !s.may_reach_clusters());
    found
        .map(|(incident, c)| {
            let steps: Vec<String> = c.steps.iter().map(in_words).collect();
            format!("clusters that whoever works on it can reach ({}: {}: {})", incident.id, c.title, steps.join("; "))
        })
        .collect()
}

/// One item for what the payloads of these incidents may have left beside what was found: a line each. Where their traces stand on
/// this disk, items of their own remove them by name and account, and nothing is asked twice.
pub fn look_for(s: &Situation<'_>, phase: Phase) -> Option<Item> {
    let mut steps = Vec::new();
    let mut given: BTreeSet<String> = BTreeSet::new();
    let logins = logins(s.assessment, s.accounts);
    if phase == Phase::Disarm {
        for (incident, _) in s.ran().into_iter().filter(|(i, _)| !is_found(s, i)) {
            let switches: Vec<String> =
                incident.dead_man_switches.iter().map(|d| format!("{} ({})", d.value, d.what)).collect();
            if !switches.is_empty() {
                steps.push(Step::say(format!("{}: {}", incident.id, switches.join("; "))));
            }
        }
    }
    // What a payload leaves beside itself, it left where it ran.
    let here = |incident: &Incident| phase == Phase::Disarm || s.is_here(incident);
    for (incident, c) in s.cleanup(phase).into_iter().filter(|(incident, _)| here(incident)) {
        let found = is_found(s, incident);
        let rest: Vec<&CleanupStep> = c.steps.iter().filter(|step| !found || is_beside(step)).collect();
        let runs: Vec<Vec<Step>> = rest.iter().map(|step| commands(s, &logins, step)).collect();
        let words = rest.iter().zip(&runs).filter(|(_, own)| own.is_empty()).map(|(step, _)| in_words(step));
        let words: Vec<String> = words.collect();
        // Incidents of one family leave the same: each command once.
        let new = |step: &Step| match &step.action {
            Action::Given(command) => given.insert(command.clone()),
            _ => true,
        };
        let runs: Vec<Step> = runs.into_iter().flatten().filter(new).collect();
        let title = if found { "also" } else { &c.title };
        match words.is_empty() {
            true if runs.is_empty() => {}
            true => steps.push(Step::say(format!("{}: {title}", incident.id))),
            false => steps.push(Step::say(format!("{}: {title}: {}", incident.id, words.join("; ")))),
        }
        steps.extend(runs);
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

/// The accounts of the examined disk that somebody logs in with, at most one more than a step is repeated for; none where more than
/// one disk, or none, was examined.
pub fn logins<'s>(
    assessment: &'s Assessment,
    accounts: &'s BTreeMap<Arc<str>, Accounts>,
) -> Vec<(&'s Arc<str>, u32, &'s str)> {
    let on_disk = assessment.findings.iter().filter(|f| !assessment.is_of_image(f) && !f.origin.is_of_job());
    let disks: BTreeSet<&Arc<str>> = on_disk.map(|f| &f.origin.tree).collect();
    let mut disks = disks.into_iter();
    let (Some(tree), None) = (disks.next(), disks.next()) else {
        return Vec::new();
    };
    let all = accounts.get(tree).into_iter().flat_map(Accounts::logins);
    all.filter(|(_, name)| is_plain(name)).take(ACCOUNTS + 1).map(|(uid, name)| (tree, uid, name)).collect()
}

/// A step of an incident's file as commands for the examined machine: one for each account where it asks for one. None where it is
/// for another system, or nobody knows the accounts.
fn commands(s: &Situation<'_>, logins: &[(&Arc<str>, u32, &str)], step: &CleanupStep) -> Vec<Step> {
    let Some(command) = step.command.as_deref().filter(|c| own_tools(c) && is_for(s.system, c)) else {
        return Vec::new();
    };
    let with = |what: String, command: String| {
        let made = Step::new(what, Action::Given(command));
        Step { expect: step.expect.clone(), ..made }
    };
    if !command.contains(ACCOUNT) && !command.contains(UID) {
        return vec![with(step.what.clone(), command.to_owned())];
    }
    let filled = logins.iter().take(ACCOUNTS).map(|(_, uid, name)| {
        with(format!("{} ({name})", step.what), command.replace(UID, &uid.to_string()).replace(ACCOUNT, name))
    });
    let mut steps: Vec<Step> = filled.collect();
    if logins.len() > ACCOUNTS {
        steps.push(Step::say("the same for every other account"));
    }
    steps
}

/// Whether a system has what a command speaks to.
fn is_for(system: System, command: &str) -> bool {
    let (linux, mac) =
        (command.contains("systemctl ") || command.contains("loginctl "), command.contains("launchctl "));
    match system {
        System::Unix => !mac,
        System::Mac => !linux,
        System::Windows => false,
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
