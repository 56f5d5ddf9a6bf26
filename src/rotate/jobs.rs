//! What is done about runs of CI whose logs were read. Their machines are gone or belong to somebody else: nothing of them is moved or cut
//! off from here, and what they could read stands in no file that was examined.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, Plan,
    edge::Because,
    gate,
    situation::{Situation, place},
};
use crate::{
    assess::{Finding, FindingKind},
    text::escape,
    verdict::{Confidence, Exposure, Phase, Place, Urgency, Workstream},
};

/// Runs that one item names.
const NAMED: usize = 50;
/// Lines of logs that are named of one run.
const LINES: usize = 5;

/// Whether a finding is of a run of CI.
pub fn is_job(f: &Finding) -> bool {
    f.origin.is_of_job()
}

/// The findings of each run, by its label.
fn runs(findings: Vec<&Finding>) -> BTreeMap<&str, Vec<&Finding>> {
    let mut all: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for f in findings {
        all.entry(&f.origin.tree).or_default().push(f);
    }
    all
}

/// `github/123`
fn called(tree: &str) -> String {
    escape(tree.strip_prefix("ci:").unwrap_or(tree).as_bytes())
}

/// What is kept of them before it expires.
pub fn preserve(s: &Situation<'_>, plan: &mut Plan) {
    let found = runs(s.findings(is_job));
    if found.is_empty() {
        return;
    }
    let why = "a log of CI is deleted after weeks, and only it shows what a job fetched and ran";
    let mut item = Item::new(Phase::Preserve, "Keep the logs of the CI runs, and look for others like them", why)
        .at(Place::Clean)
        .by(Workstream::Logs)
        .say("copy the logs that were examined to where the accounts of CI cannot write");
    for tree in found.keys().take(NAMED) {
        item = item.say(called(tree));
    }
    if found.len() > NAMED {
        item = item.say(format!("and {} more runs, which the report lists", found.len() - NAMED));
    }
    let item = item
        .say("of every repository and project that uses the same package or action: export the logs of all runs since it was first on offer")
        .run("examine them the same way", "dosimeter scan FOLDER");
    plan.add(&[b"ci-logs"], item);
}

/// What a job could write that the next one reads.
pub fn purge(s: &Situation<'_>, plan: &mut Plan) {
    let found = runs(s.findings(|f| is_job(f) && f.exposure >= Exposure::Cached));
    if found.is_empty() {
        return;
    }
    let named: BTreeSet<String> = found.values().flatten().map(|f| super::purge::bare(f)).collect();
    let why = "a cache or an artifact of such a job brings the same code into the next one, whose secrets are new";
    let item = Item::new(Phase::Purge, "Empty what these CI runs could write: caches, artifacts, releases, images", why)
        .at(Place::Clean)
        .say(format!("what came in: {}", named.into_iter().take(NAMED).collect::<Vec<_>>().join(", ")))
        .say("delete the caches of their repositories and branches, and the caches of shared runners; write good versions and whole commits into the workflows")
        .say("take back what they published or deployed: packages, releases, images, sites; build it anew from a clean job")
        .say("make every self-hosted runner anew that ran one of them");
    plan.add(&[b"ci-caches"], item);
}

/// The secrets of each.
pub fn rotate(s: &Situation<'_>, plan: &mut Plan) {
    let found = runs(s.findings(|f| is_job(f) && f.exposure >= Exposure::Removed));
    if found.is_empty() {
        return;
    }
    let strong = found.values().flatten().any(|f| f.confidence >= Confidence::Likely);
    let why =
        "the code ran, or may have, with all that the job was given; none of that stands in a file that was examined";
    let mut item = Item::new(Phase::Rotate, "Replace every secret that these CI runs could read", why)
        .urgent(if strong { Urgency::Now } else { Urgency::Soon })
        .at(Place::Clean)
        .say("list for each run what its job was given: secrets of the repository, the environment and the organisation or group, deploy keys, tokens of registries, credentials of self-hosted runners and of clouds (OIDC: the sessions and roles of that time)")
        .say("the token that the system made for the job ended with it; look what was done with it until then: pushes, releases, packages, new workflows")
        .say("a log shows what a job printed: some payloads print the secrets, in base64 twice; whoever could read the log has them");
    for (tree, lines) in found.iter().take(NAMED) {
        let mut places: Vec<String> = lines.iter().map(|f| place_in(f)).collect();
        places.sort();
        places.dedup();
        let more = places.len().saturating_sub(LINES);
        places.truncate(LINES);
        let more = if more > 0 { format!(" and {more} more lines") } else { String::new() };
        item = item.say(format!("{}: {}{more}", called(tree), places.join("; ")));
    }
    if found.len() > NAMED {
        item = item.say(format!("and {} more runs, which the report lists", found.len() - NAMED));
    }
    let item = gate::guarded(item, plan, gate::Guard { watched: true, spreads: true, put_back: false });
    let after = plan.edges(Phase::Purge, &Because::RemovesCode);
    let caches = after.into_iter().filter(|edge| {
        plan.items.iter().any(|i| i.id == edge.item && i.title.starts_with("Empty what these CI runs could write"))
    });
    let caches: Vec<_> = caches.collect();
    plan.add(&[b"ci-secrets"], item.after(caches));
}

/// A line of a log, and what it speaks of.
fn place_in(f: &Finding) -> String {
    let what = match f.kind {
        FindingKind::Package => super::purge::bare(f),
        _ => escape(f.indicator.as_bytes()),
    };
    let at = f.at.as_ref().map(|at| format!(" at {:.0}", at.time)).unwrap_or_default();
    format!("{what}{at} ({})", place(&f.origin))
}
