//! What comes before anything is removed: the evidence, the network, the monitors.

use std::collections::BTreeSet;

use super::{
    Item, Plan,
    cleanup::{incident_cleanup_items, look_for},
    eradicate::{by_owner, persistence},
    images,
    page::hosts,
    situation::Situation,
    step::{Action, Step},
    store::is_trace,
    writer::System,
};
use crate::{
    assess::{Finding, FindingKind, contained::store, family_of},
    ioc::model::FileRole,
    verdict::{Exposure, Phase, Place, Workstream},
};

/// Preserve, contain, disarm.
pub fn before(s: &Situation<'_>, plan: &mut Plan) {
    let images = images::alone(s);
    // What ran in a job of CI is no reason to touch this machine.
    let here = s.here();
    if here >= Some(Exposure::Removed) {
        plan.add(&[b"evidence"], with_wallets(s, if images { images::preserve(s) } else { preserve(s) }));
        plan.add(&[b"logs"], logs());
    } else if s.worst >= Exposure::Removed {
        plan.add(&[b"logs"], logs());
    } else if s.assessment.findings.iter().any(|f| f.exposure == Exposure::Cached && on_disk(f)) {
        let why = "a stored copy may be the only one left to learn from";
        let item = Item::new(Phase::Preserve, "Make a folder for what is taken out", why);
        plan.add(&[b"evidence"], evidence(s, item));
    }
    if here >= Some(Exposure::Installed) {
        plan.add(&[b"network"], if images { images::contain(&far_hosts(s)) } else { contain(s) });
    }
    incident_cleanup_items(s, plan, Phase::Contain);
    disarm(s, plan);
}

/// Whether a finding is of this disk: not of an image, not of a job of CI, and not of a store that only its engine may change.
pub fn on_disk(f: &Finding) -> bool {
    f.origin.layer.is_none() && !f.origin.is_of_job() && store(&f.origin.path).is_none()
}

fn preserve(s: &Situation<'_>) -> Item {
    let why = "what follows destroys traces, and only they can tell what was taken and when";
    let mut item = Item::new(Phase::Preserve, "Keep the evidence before anything is changed", why)
        .steps(start_nothing(s))
        .say("take an image of the disk, or a snapshot of the volume or virtual machine; of a running machine its memory too")
        .say("copy this report to another machine: a later examination finds less, and only this one lists what to rotate");
    if s.assessment.findings.iter().any(|f| on_disk(f) && f.exposure >= Exposure::Cached) {
        item = evidence(s, item);
    }
    item
}

fn with_wallets(s: &Situation<'_>, item: Item) -> Item {
    let now = "at the same time, from a clean device: move the wallets; their items stand under `rotate` and wait for nothing";
    if super::secrets::has_wallets(s) { item.say(now) } else { item }
}

/// What could run the payload again, by what was found; of a trace by the packages of every incident that leaves one.
fn start_nothing(s: &Situation<'_>) -> Vec<Step> {
    let ecosystems = s.assessment.findings.iter().flat_map(|f| s.ecosystems(f));
    let all: BTreeSet<&str> = ecosystems.filter_map(|e| family_of(e).removal().start_nothing).collect();
    all.into_iter().map(Step::say).collect()
}

fn evidence(s: &Situation<'_>, item: Item) -> Item {
    let words = match s.system {
        System::Windows => "make a folder for what is taken out below",
        _ => {
            "in `sh`, as whoever owns the files below or as root: make a folder for what is taken out; `keep` moves files into one \
             archive an item, with its digest, and removes nothing that it could not keep"
        }
    };
    item.step(words, Action::MakeEvidence)
}

fn logs() -> Item {
    let why = "most providers keep them for 30 to 90 days";
    Item::new(Phase::Preserve, "Export the logs that expire", why)
        .at(Place::Clean)
        .say("cloud audit trails (90 days in CloudTrail's event history), CI, registries, forges, DNS and proxy; those that end first come first")
        .say("where a log no longer reaches back to the beginning of the exposure, ask for copies (a trail's bucket, a SIEM), and write down what nobody has")
        .say("keep them where the compromised accounts cannot write")
}

/// Hosts of the incidents that may be running.
fn far_hosts(s: &Situation<'_>) -> Vec<String> {
    let far = s.incidents.iter().filter(|(_, e)| *e >= Exposure::Installed);
    hosts(&far.map(|(incident, _)| *incident).collect::<Vec<_>>())
}

fn contain(s: &Situation<'_>) -> Item {
    let why = "the payload sends what it takes and fetches more; a proxy that answers 401, 403 or 407 can look like a \
               revoked token, and some payloads delete files when a token is revoked";
    let mut item = Item::new(Phase::Contain, "Cut the network by dropping packets; leave the power on", why).at(Place::Clean).by(Workstream::Machine).say(
        "deny all traffic at the switch, security group or firewall with a rule that drops and never rejects; not with a \
         proxy or captive portal that answers",
    );
    let hosts = far_hosts(s);
    if !hosts.is_empty() {
        item = item.say(format!("where the machine has to stay online, drop at least {}", hosts.join(", ")));
    }
    item
}

/// Monitors that act when a token is revoked come first of all, on every machine that may hold the token.
fn disarm(s: &Situation<'_>, plan: &mut Plan) {
    let first = plan.before_changes();
    for group in by_owner(s, s.findings(|f| on_disk(f) && is_monitor(s, f))) {
        let title = format!("STOP: switch off {} monitor of stolen tokens: {}", group.owner(), group.incidents());
        let why = "it watches a stolen token and destroys files, or runs new code, when the token stops working; revoke nothing \
                   on any machine before this is done on all of them";
        let item = Item::new(Phase::Disarm, title, why).after(first.clone());
        let item = persistence(s, &group, item)
            .say("make sure that no process of it is left, and do the same on every machine and account that may hold one of the tokens")
            .say("report no token to its provider and make no repository that holds one public until then: providers revoke what they see");
        plan.add(&group.key(), item);
    }
    if let Some(item) = look_for(s, Phase::Disarm) {
        plan.add(&[b"look"], item.after(first.clone()));
    }
    let revokes = s.assessment.credentials.iter().any(|j| j.rotate != crate::verdict::Urgency::No);
    if revokes && !s.scope.monitors {
        let why = "this examination looked at a part only: a monitor of any incident that stands elsewhere deletes files at the moment a token is revoked";
        let item = Item::new(Phase::Disarm, "STOP: monitors of stolen tokens were not looked for everywhere", why)
            .say("before anything is revoked, run `dosimeter` as root without `--only`, `--skip`, `--home` and paths, on every machine that may hold the tokens");
        plan.add(&[b"not-looked-for"], item.after(first));
    }
}

/// What starts by itself, of an incident that is known to watch tokens.
pub fn is_monitor(s: &Situation<'_>, f: &Finding) -> bool {
    let watches = s.index.incident(f.incident).is_some_and(|i| !i.dead_man_switches.is_empty());
    watches && is_trace(f) && f.kind == FindingKind::File && f.role == Some(FileRole::Persistence)
}

/// The step that moves whole files of an item away, and a line for each of those that are a part of a larger file.
pub fn moved(found: &[&Finding]) -> Vec<Step> {
    let (whole, parts): (Vec<&Finding>, Vec<&Finding>) = found.iter().partition(|f| super::store::is_whole(f));
    let paths = super::store::holdings_of_all(&whole);
    let mut steps: Vec<Step> = parts
        .iter()
        .map(|f| {
            format!("keep a copy of the file and take out what is not yours: {}", super::situation::place(&f.origin))
        })
        .map(Step::say)
        .collect();
    if !paths.is_empty() {
        let what = match paths.as_slice() {
            [one] => format!("move {} to the evidence", super::situation::shown(one)),
            many => format!("move to the evidence what is there of these {} files and folders", many.len()),
        };
        steps.push(Step::new(what, Action::Keep(paths)));
    }
    steps
}
