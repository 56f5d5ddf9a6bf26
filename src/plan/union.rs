//! Two reports of the same machines in one: the earlier one keeps all it has.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::{
    report::{
        sweep,
        v1::{Coverage, Credential, Item, Machine, Report, Scope},
    },
    rotate::page::Page,
    text::hex,
    verdict::{Phase, Workstream},
};

/// The earlier report with what the later one has beside it.
pub fn unite(mut earlier: Report, later: Report) -> Report {
    for incident in later.incidents {
        match earlier.incidents.iter_mut().find(|i| i.id == incident.id) {
            None => earlier.incidents.push(incident),
            Some(known) => {
                if (incident.exposure, incident.confidence) > (known.exposure, known.confidence) {
                    (known.exposure, known.confidence) = (incident.exposure, incident.confidence);
                }
                add(&mut known.findings, incident.findings, |f| &f.id);
            }
        }
    }
    let credentials = with_tags_of_one_key(&mut earlier, &later.run.case_key, &later.machines, later.credentials);
    add(&mut earlier.credentials, credentials, |c| &c.id);
    for mut item in later.checklist {
        if earlier.checklist.iter().any(|i| i.id == item.id && adds(i, &item)) {
            // What is found elsewhere is another thing to do: nothing that was ticked may hide it.
            anew(&mut item);
        }
        match earlier.checklist.iter_mut().find(|i| i.id == item.id) {
            None => earlier.checklist.push(item),
            Some(known) => known.absorb(item),
        }
    }
    earlier.checklist.sort_by_key(|i| i.workstream().place(i.phase));
    let known: HashSet<String> = earlier.checklist.iter().map(|i| i.id.clone()).collect();
    for item in &mut earlier.checklist {
        item.edges.retain(|e| known.contains(&e.item));
        item.after.retain(|id| known.contains(id));
    }
    earlier.sweep = sweep::united(earlier.sweep.into_iter().chain(later.sweep).collect(), &earlier.incidents);
    let is_apart = !earlier.machines.is_empty()
        && !later.machines.is_empty()
        && later.machines.iter().all(|m| earlier.machines.iter().all(|known| known.tree != m.tree));
    for machine in later.machines {
        match earlier.machines.iter_mut().find(|m| m.tree == machine.tree) {
            None => earlier.machines.push(machine),
            Some(known) => {
                known.exposure = known.exposure.max(machine.exposure);
                known.case_key = known.case_key.take().or(machine.case_key);
            }
        }
    }
    earlier.page = both(earlier.page, later.page);
    earlier.run.target.name = earlier.run.target.name.take().or(later.run.target.name);
    add(&mut earlier.anomalies, later.anomalies, |a| &a.id);
    for kept in later.kept_evidence {
        if !earlier.kept_evidence.contains(&kept) {
            earlier.kept_evidence.push(kept);
        }
    }
    earlier.verdict.exposure = earlier.verdict.exposure.max(later.verdict.exposure);
    if is_apart {
        earlier.verdict.complete &= later.verdict.complete;
        beside(&mut earlier.coverage, later.coverage);
    } else {
        // How completely it was examined is what the last examination says.
        earlier.verdict.complete = later.verdict.complete;
        earlier.coverage = later.coverage;
    }
    earlier.run.finished = earlier.run.finished.max(later.run.finished);
    for work in later.work {
        if earlier.work.iter().all(|w| w.item != work.item) {
            earlier.work.push(work);
        }
    }
    earlier
}

/// One value has other tags with another key: those of a second key are left out.
fn with_tags_of_one_key(
    earlier: &mut Report,
    key: &Option<String>,
    machines: &[Machine],
    credentials: Vec<Credential>,
) -> Vec<Credential> {
    let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
    let other = differ(&earlier.run.case_key, key);
    let other_at = |tree: &str| {
        let own = |list: &[Machine]| list.iter().find(|m| m.tree == tree).and_then(|m| m.case_key.clone());
        differ(&own(&earlier.machines), &own(machines))
    };
    let one = |c: Credential| match other || other_at(&c.location.tree) {
        true => Credential { tag: None, ..c },
        false => c,
    };
    let credentials = credentials.into_iter().map(one).collect();
    earlier.run.case_key = earlier.run.case_key.take().or_else(|| key.clone());
    credentials
}

/// What was examined of other machines.
fn beside(known: &mut Coverage, other: Coverage) {
    known.trees.extend(other.trees);
    for count in other.surfaces {
        match known.surfaces.iter_mut().find(|s| s.id == count.id) {
            Some(s) => (s.files, s.facts) = (s.files.saturating_add(count.files), s.facts.saturating_add(count.facts)),
            None => known.surfaces.push(count),
        }
    }
    for (sum, more) in [
        (&mut known.files_seen, other.files_seen),
        (&mut known.bytes_read, other.bytes_read),
        (&mut known.atime_changed, other.atime_changed),
        (&mut known.undated_commands, other.undated_commands),
        (&mut known.unreadable_without_weight_unlisted, other.unreadable_without_weight_unlisted),
    ] {
        *sum = sum.saturating_add(more);
    }
    known.gaps.extend(other.gaps);
    known.unreadable_without_weight.extend(other.unreadable_without_weight);
    known.exclusions.extend(other.exclusions);
    known.logins.extend(other.logins);
    known.images.extend(other.images);
    known.scope = known
        .scope
        .zip(other.scope)
        .map(|(a, b)| Scope { whole: a.whole && b.whole, monitors: a.monitors && b.monitors });
}

fn add<T>(known: &mut Vec<T>, new: Vec<T>, id: impl Fn(&T) -> &String) {
    let ids: HashSet<String> = known.iter().map(|t| id(t).clone()).collect();
    known.extend(new.into_iter().filter(|t| !ids.contains(id(t))));
}

/// Whether the later item changes something that the earlier one did not.
fn adds(earlier: &Item, later: &Item) -> bool {
    let commands = |i: &Item| i.steps.iter().filter_map(|s| s.command.clone()).collect::<Vec<_>>();
    let known = commands(earlier);
    let here = matches!(later.workstream(), Workstream::Machine | Workstream::Close) && later.phase != Phase::Preserve;
    here && (earlier.title != later.title || commands(later).iter().any(|c| !known.contains(c)))
}

/// Gives an item an id of its own, by what it does; its archive is called by that.
fn anew(item: &mut Item) {
    let mut hash = Sha256::new_with_prefix(&item.id);
    hash.update(&item.title);
    for command in item.steps.iter().filter_map(|s| s.command.as_ref()) {
        hash.update([0]);
        hash.update(command);
    }
    let id = format!("s-{}", hex(hash.finalize().get(..4).unwrap_or_default()));
    for command in item.steps.iter_mut().filter_map(|s| s.command.as_mut()) {
        *command = command.replace(&item.id, &id);
    }
    item.id = id;
}

/// The first page of both: every prohibition of either, and what neither found.
pub fn both(earlier: Option<Page>, later: Option<Page>) -> Option<Page> {
    let (Some(mut page), Some(new)) = (earlier.clone(), later.clone()) else {
        return earlier.or(later);
    };
    for never in new.never {
        if !page.never.contains(&never) {
            page.never.push(never);
        }
    }
    page.not_found.retain(|path| new.not_found.contains(path));
    let more: Vec<String> = new.hosts.into_iter().filter(|host| !page.hosts.contains(host)).collect();
    page.hosts.extend(more);
    page.everywhere &= new.everywhere;
    Some(page)
}
