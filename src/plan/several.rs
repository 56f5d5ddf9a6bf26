//! Reports of several machines in one plan: what is done at a machine is that machine's, a credential that several hold is one item.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{
    named::{called, is_machine, is_same},
    swept,
    union::{both, unite},
};
use crate::{
    report::{
        fleet::{Fleet, Named, Part, Run},
        v1::{Location, Machine, Report, Work},
    },
    text::{escape, hex},
};

/// One report of all; later reports of the same machine beside the earlier ones. A single machine keeps its names.
pub fn of_several(reports: Vec<(String, Report)>) -> Option<Report> {
    let (mut machines, mut fleets) = apart(reports);
    if fleets.is_empty() && machines.len() <= 1 {
        return machines.pop().map(|(_, report)| report);
    }
    if let Some(run) = run_of(&machines) {
        let known = fleets.iter().flat_map(|f| f.machines.clone()).collect();
        fleets.push(together(Fleet::default(), run, machines, known)?);
    }
    fleets.into_iter().reduce(unite)
}

/// The same, with machines that were judged before.
pub fn with_fleet(fleet: Fleet, run: Run, reports: Vec<(String, Report)>) -> Option<Report> {
    let (machines, mut fleets) = apart(reports);
    let known = fleets.iter().flat_map(|f| f.machines.clone()).collect();
    fleets.push(together(fleet, run, machines, known)?);
    fleets.into_iter().reduce(unite)
}

/// The machines, and reports of several.
fn apart(reports: Vec<(String, Report)>) -> (Vec<(String, Report)>, Vec<Report>) {
    let (mut machines, mut fleets): (Vec<(String, Report)>, _) = (Vec::new(), Vec::new());
    for (file, report) in reports {
        if !report.machines.is_empty() {
            fleets.push(report);
            continue;
        }
        match machines.iter_mut().find(|(_, known)| is_same(known, &report)) {
            Some((_, known)) => *known = unite(known.clone(), report),
            None => machines.push((file, report)),
        }
    }
    (machines, fleets)
}

/// Which reports are taken for one machine by its name, though they are of two folders: a person sees whether that is so.
pub fn joined(reports: &[(String, Report)]) -> Vec<String> {
    let single = |report: &Report| report.machines.is_empty();
    let mut said = Vec::new();
    for (n, (file, report)) in reports.iter().enumerate().filter(|(_, (_, r))| single(r)) {
        let first = reports.iter().take(n).find(|(_, known)| single(known) && is_same(known, report));
        if let Some((other, known)) = first.filter(|(_, known)| known.run.target.id != report.run.target.id) {
            let name = escape(called(&known.run.target).as_bytes());
            said.push(format!("{file} is of the machine of {other}: both disks call it `{name}`"));
        }
    }
    said
}

/// What two plans say of one item, where they do not say the same: nobody knows which of them is later.
pub fn disagreeing(plans: &[(String, Report)]) -> Vec<String> {
    let mut known: HashMap<(&str, &str), (&str, &Work)> = HashMap::new();
    let mut faults = Vec::new();
    for (file, plan) in plans {
        // The plans of two machines have items of one id.
        let machine = if plan.machines.is_empty() { called(&plan.run.target) } else { "" };
        for work in &plan.work {
            let (first, other) = *known.entry((machine, &work.item)).or_insert((file, work));
            if other != work {
                let (a, b) = (other.state.as_str(), work.state.as_str());
                let what = if a == b { format!("{a} with another record") } else { b.to_owned() };
                faults.push(format!("{}: item {} is {what}, and {a} in {first}", file, work.item));
            }
        }
    }
    faults
}

/// What is known of the run that joins these; `None` where there is none.
fn run_of(machines: &[(String, Report)]) -> Option<Run> {
    let (_, first) = machines.first()?;
    Some(Run {
        id: format!("{} reports", machines.len()),
        started: machines.iter().map(|(_, r)| r.run.started).min()?,
        finished: machines.iter().map(|(_, r)| r.run.finished).max()?,
        argv: first.run.argv.clone(),
        user: first.run.user.clone(),
        indicators: machines.iter().map(|(_, r)| &r.indicators).max_by_key(|i| i.sequence)?.clone(),
    })
}

/// One report of these machines, each called as it is among those that are known already, and of those of the fleet.
fn together(mut fleet: Fleet, run: Run, machines: Vec<(String, Report)>, mut known: Vec<Machine>) -> Option<Report> {
    let mut images = swept::Known::default();
    let (mut work, mut page) = (Vec::new(), None);
    for (file, mut report) in machines {
        let tree = match known.iter().position(|m| m.target.as_ref().is_some_and(|t| is_machine(t, &report.run.target)))
        {
            // Each of them is one machine's.
            Some(at) => known.swap_remove(at).tree,
            None => {
                let called = called(&report.run.target);
                let base = if report.sweep.is_some() { format!("images of {called}") } else { called.to_owned() };
                let free = |name: &String| known.iter().chain(fleet.machines()).all(|m| m.tree != *name);
                let numbered = (2..).map(|n: usize| format!("{base} ({n})"));
                [base.clone()].into_iter().chain(numbered).find(free)?
            }
        };
        match report.sweep {
            Some(_) => images.own(&mut report, &tree),
            None => own(&mut report, &tree),
        }
        work.append(&mut report.work);
        page = both(page, report.page.take());
        let named = Named { tree, inventory: file, examined: Some(report.run.finished) };
        fleet.add(Part::new(&named, report));
    }
    let mut report = fleet.report(run);
    (report.work, report.page) = (work, page);
    Some(report)
}

/// What an id of a report of one machine is in a report of several.
pub fn own_id(id: &str, machine: &str) -> String {
    let (start, digits) = id.split_at(id.find('-').map_or(0, |at| at + 1));
    let mut hash = Sha256::new_with_prefix(machine);
    hash.update([0]);
    hash.update(digits);
    let own = hex(&hash.finalize());
    format!("{start}{}", own.get(..digits.len()).unwrap_or_default())
}

/// Gives everything of a report names that no other machine's things have.
fn own(report: &mut Report, machine: &str) {
    let id = |id: &mut String| *id = own_id(id, machine);
    let tree = |location: &mut Location| {
        if matches!(location.tree.as_str(), "host" | "root") {
            machine.clone_into(&mut location.tree);
        }
    };
    for finding in report.incidents.iter_mut().flat_map(|i| &mut i.findings) {
        id(&mut finding.id);
        tree(&mut finding.location);
    }
    for credential in &mut report.credentials {
        id(&mut credential.id);
        tree(&mut credential.location);
    }
    for item in &mut report.checklist {
        let before = item.id.clone();
        id(&mut item.id);
        // The archives that the commands make are called by it.
        for command in item.steps.iter_mut().filter_map(|s| s.command.as_mut()) {
            *command = command.replace(&before, &item.id);
        }
        item.after.iter_mut().for_each(id);
        item.edges.iter_mut().for_each(|e| id(&mut e.item));
        item.credentials.iter_mut().for_each(id);
    }
    report.work.iter_mut().for_each(|w| id(&mut w.item));
    for moment in &mut report.timeline {
        moment.finding.iter_mut().chain(&mut moment.credential).for_each(id);
    }
    report.anomalies.iter_mut().for_each(|a| {
        id(&mut a.id);
        tree(&mut a.location);
    });
    report.kept_evidence.iter_mut().for_each(|k| tree(&mut k.location));
    report.coverage.gaps.iter_mut().for_each(|g| tree(&mut g.location));
    report.coverage.exclusions.iter_mut().for_each(|x| tree(&mut x.location));
    report.coverage.logins.iter_mut().filter(|l| matches!(l.tree.as_str(), "host" | "root")).for_each(|login| {
        machine.clone_into(&mut login.tree);
    });
    report.coverage.trees = vec![machine.to_owned()];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::made::{plan, work},
        report::v1::State,
    };

    #[test]
    fn plans_that_say_two_things_are_named() {
        let of = |file: &str, machine: &str, works: &[Work]| {
            let mut plan = Report { work: works.to_vec(), ..plan() };
            machine.clone_into(&mut plan.run.target.id);
            plan.run.target.name = None;
            (file.to_owned(), plan)
        };
        let (closed, begun) = (work("A3", State::Closed), work("A3", State::Begun));
        let ann = || of("ann.json", "web1", &[closed.clone(), work("A2", State::Closed)]);
        assert_eq!(
            disagreeing(&[ann(), of("bob.json", "web1", std::slice::from_ref(&begun))]),
            ["bob.json: item s-000000a3 is begun, and closed in ann.json"]
        );
        let other = Work { note: "x".into(), ..closed.clone() };
        assert_eq!(
            disagreeing(&[ann(), of("bob.json", "web1", &[other])]),
            ["bob.json: item s-000000a3 is closed with another record, and closed in ann.json"]
        );
        assert_eq!(disagreeing(&[of("p.json", "web1", &[begun.clone(), closed.clone()])]).len(), 1, "twice in one");
        // What only one of them says, what both say, and what another machine's plan says.
        assert!(disagreeing(&[ann(), of("bob.json", "web1", &[closed.clone(), work("A4", State::Closed)])]).is_empty());
        assert!(disagreeing(&[ann(), of("bob.json", "web2", &[begun])]).is_empty());
    }
}
