//! The plan for what a bill of materials states. Nobody looked at what it describes: no path of it is one to move away, and first of
//! all the thing itself has to be found and examined.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, Plan, audit,
    cleanup::{incident_cleanup_items, look_for},
    edge::Because,
    purge::{bare, good},
    secrets,
    situation::{Situation, place},
};
use crate::{
    assess::Finding,
    text::escape,
    verdict::{Exposure, Phase, Place, Workstream},
};

/// Packages that one item names.
const NAMED: usize = 40;

/// All phases.
pub fn stated(s: &Situation<'_>, plan: &mut Plan) {
    let trees: BTreeSet<&str> = s.assessment.findings.iter().map(|f| &*f.origin.tree).collect();
    let subject = trees.into_iter().map(|t| escape(t.as_bytes())).collect::<Vec<_>>().join(", ");
    plan.add(&[b"find"], find(s, &subject).by(Workstream::Machine));
    incident_cleanup_items(s, plan, Phase::Contain);
    let first = plan.edges(Phase::Preserve, &Because::KeepsEvidence);
    if let Some(item) = look_for(s, Phase::Disarm) {
        plan.add(&[b"look"], item.at(Place::Clean).after(first.clone()));
    }
    let mut by_incident: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for f in &s.assessment.findings {
        by_incident.entry(s.incident_of(f)).or_default().push(f);
    }
    for (incident, found) in by_incident {
        plan.add(&[b"source", incident.as_bytes()], source(s, &subject, &found).after(first.clone()));
    }
    incident_cleanup_items(s, plan, Phase::Purge);
    if s.worst >= Exposure::Removed {
        secrets::freeze(s, plan);
        secrets::rotate(s, plan);
        secrets::verify(s, plan);
        let mut after = plan.edges(Phase::Purge, &Because::RemovesCode);
        after.extend(plan.edges(Phase::Verify, &Because::Proves));
        plan.add(&[b"anew"], anew(&subject).after(after));
        incident_cleanup_items(s, plan, Phase::Rebuild);
        audit::audit(s, plan);
    }
}

fn find(s: &Situation<'_>, subject: &str) -> Item {
    if s.worst < Exposure::Removed {
        let why =
            "a lock file or a manifest names it: whether it was ever installed from there, the statement does not say";
        return Item::new(Phase::Preserve, format!("Find out what was installed from what {subject} names"), why)
            .at(Place::Clean)
            .say("build logs and images since the first upload: where one installed from it, examine what came out, with `dosimeter images` or `dosimeter scan`");
    }
    let why = "a bill of materials says what a tool listed; whether it ran, and what it could take, only the thing itself shows";
    Item::new(Phase::Preserve, format!("Find every place where {subject} runs or is kept, and examine it before it is changed"), why)
        .at(Place::Clean)
        .run("an image: save it, and export its containers, then examine what was saved", "dosimeter images saved.tar")
        .run("a machine: examine it there, as root", "dosimeter -o case.json")
        .say("an environment or a folder: `dosimeter scan PATH`; the plan of that report names what to move away there, this one cannot")
        .say("where nothing of it is left, take it that the code ran with all that this place could reach")
}

fn source(s: &Situation<'_>, subject: &str, found: &[&Finding]) -> Item {
    let mut named: Vec<String> = found.iter().map(|f| format!("{} ({})", bare(f), place(&f.origin))).collect();
    named.sort();
    named.dedup();
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    let why = "what is built or installed from the same lock files and manifests has it again";
    let mut item = Item::new(Phase::Purge, format!("Change what {subject} is made from"), why).at(Place::Clean);
    for line in named {
        item = item.say(line);
    }
    if more > 0 {
        item = item.say(format!("and {more} more, which the report lists"));
    }
    item.say(format!("write {} instead, in its sources, and make the lock files anew", good(s, found)))
        .say("empty the caches and mirrors of whatever builds it: they may still hold the malicious version")
}

fn anew(subject: &str) -> Item {
    let why = "what was made with the malicious version keeps it, whatever its sources say now";
    Item::new(Phase::Rebuild, format!("Make {subject} anew, and take every old copy out of use"), why)
        .at(Place::Clean)
        .say("on a machine that is in order, without any cache of an earlier build")
        .say("delete the old one where it is published or deployed: tags, releases, registries, hosts")
        .run("have its bill of materials made again, and judge that", "dosimeter match new.cdx.json")
}
