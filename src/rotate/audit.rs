//! Audit: what the attacker did with the secrets.

use std::collections::BTreeMap;

use super::{
    Item, Plan,
    cleanup::incident_cleanup_items,
    edge::{Because, Edge},
    fill::{Public, asks, dated, fill, fill_all, subjects},
    secrets::wanted,
    situation::Situation,
    step::Step,
};
use crate::{
    assess::Judged,
    credential::Kind,
    verdict::{Phase, Place, Workstream},
};

/// What the attacker did with them.
pub fn audit(s: &Situation<'_>, plan: &mut Plan) {
    incident_cleanup_items(s, plan, Phase::Audit);
    let kinds = audited(s);
    let pulled = plan.edges(Phase::Preserve, &Because::SavesLogs);
    let pulled: Vec<Edge> = pulled.into_iter().filter(|e| plan.is_in(&e.item, Workstream::Logs)).collect();
    // Where nothing but a place to look is known, a line of one list does.
    let short = |kind: &Kind| kind.audit.iter().all(|r| r.command.is_none() && !asks(r));
    let (short, long): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|(kind, _)| short(kind));
    let why = "whether it was used tells what else to clean, and what the attacker may have made with it";
    for (kind, found) in long {
        let mut item = Item::new(Phase::Audit, format!("Look for use of: {}", kind.title()), why).at(Place::Clean);
        item = item.steps(fill_all(&dated(&kind.audit, s.opened()), &subjects(&found)));
        item.credentials.extend(found.iter().map(|j| j.id.clone()));
        plan.add(&[b"kind", kind.id.as_bytes()], item.after(pulled.clone()));
    }
    let title = match short.as_slice() {
        [] => return,
        [(kind, _)] => format!("Look for use of: {}", kind.title()),
        many => format!("Look for use of what was in reach: {} kinds", many.len()),
    };
    let mut item = Item::new(Phase::Audit, title, why).at(Place::Clean);
    for (kind, found) in short {
        item = item.steps(
            kind.audit.iter().map(|r| Step::say(format!("{}: {}", kind.title(), fill(r, Public::default()).what))),
        );
        item.credentials.extend(found.iter().map(|j| j.id.clone()));
    }
    plan.add(&[b"kinds"], item.after(pulled));
}

/// Kinds to replace that say where use would show, with the credentials of each.
fn audited<'s>(s: &Situation<'s>) -> Vec<(&'s Kind, Vec<&'s Judged>)> {
    let mut kinds: BTreeMap<&str, (&Kind, Vec<&Judged>)> = BTreeMap::new();
    for w in wanted(s) {
        if let Some(kind) = w.known.filter(|k| !k.audit.is_empty()) {
            kinds.entry(w.kind).or_insert_with(|| (kind, Vec::new())).1.extend(w.found);
        }
    }
    let mut kinds: Vec<_> = kinds.into_values().collect();
    kinds.sort_by_key(|(k, _)| (k.lane, k.tier, k.order));
    kinds
}
