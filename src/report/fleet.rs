//! One report of several machines: the answers for each of them, side by side.
//!
//! Lists are those of all machines, each entry with the `tree` of its own; `machines` says how each of them stands. The checklist is
//! in the order of the phases, not of the machines: every monitor of a stolen token is switched off before any token is revoked. What
//! is the same to do for several machines, and done elsewhere, is one item.

mod same;
#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use jiff::Timestamp;

use self::same::{replaces, said};
use super::{
    build::{FLEET, Outcome, run_id, summary},
    v1,
};
use crate::{
    coverage::GapKind,
    rotate::edge::{Because, Edge},
    verdict::{Phase, Place, Urgency},
};

/// Entries of each list that are kept of all machines.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Findings: three kilobytes each.
    pub findings: usize,
    /// Credentials: a kilobyte each.
    pub credentials: usize,
    /// Items of the checklist: two kilobytes each.
    pub items: usize,
    /// Of every other list: a few hundred bytes each.
    pub others: usize,
}

impl Default for Most {
    fn default() -> Self {
        Self { findings: 10_000, credentials: 10_000, items: 5_000, others: 50_000 }
    }
}

/// Machines whose credentials without an identifier have an item each.
const EACH: usize = 50;

/// What one machine may have of it. Who has more is judged by himself.
const SHARE: Most = Most { findings: 2_000, credentials: 2_000, items: 500, others: 5_000 };

/// Which machine a report is of.
#[derive(Debug, Clone)]
pub struct Named {
    /// What it is called in the report of all.
    pub tree: String,
    /// The file that it was judged by.
    pub inventory: String,
    /// When it was examined.
    pub examined: Option<Timestamp>,
}

/// What the caller knows of the whole run.
pub struct Run {
    /// What the command line names.
    pub id: String,
    /// UTC.
    pub started: Timestamp,
    /// UTC.
    pub finished: Timestamp,
    /// The command line.
    pub argv: Vec<String>,
    /// The account it ran as.
    pub user: String,
    /// The indicators, as they are at the end.
    pub indicators: v1::Indicators,
}

/// The report of one machine, cut to its share of that of all.
pub struct Part {
    machine: v1::Machine,
    report: v1::Report,
}

impl Part {
    /// Of a report all of whose places are in the tree of that name.
    pub fn new(named: &Named, mut report: v1::Report) -> Self {
        let found = report.incidents.iter().map(|i| v1::MachineIncident {
            id: i.id.clone(),
            exposure: i.exposure,
            confidence: i.confidence,
            findings: i.findings.len(),
        });
        let mut machine = v1::Machine {
            target: Some(report.run.target.clone()),
            examined: named.examined,
            privileged: report.run.privileged,
            case_key: report.run.case_key.clone(),
            exposure: report.verdict.exposure,
            complete: report.verdict.complete,
            incidents: found.collect(),
            to_rotate: report.credentials.iter().filter(|c| c.rotate != Urgency::No).count(),
            gaps: report.coverage.gaps.len(),
            ..unknown(named)
        };
        let dropped = &mut machine.unlisted;
        let mut left = SHARE.findings;
        for incident in &mut report.incidents {
            cut(&mut incident.findings, left, dropped);
            left -= incident.findings.len();
        }
        cut(&mut report.credentials, SHARE.credentials, dropped);
        cut(&mut report.checklist, SHARE.items, dropped);
        cut(&mut report.timeline, SHARE.others, dropped);
        cut(&mut report.anomalies, SHARE.others, dropped);
        cut(&mut report.kept_evidence, SHARE.others, dropped);
        cut(&mut report.platforms, SHARE.others, dropped);
        cut(&mut report.coverage.gaps, SHARE.others, dropped);
        cut(&mut report.coverage.exclusions, SHARE.others, dropped);
        let c = &mut report.coverage;
        let mut light = 0;
        cut(&mut c.unreadable_without_weight, SHARE.others, &mut light);
        let light = u64::try_from(light).unwrap_or(u64::MAX);
        c.unreadable_without_weight_unlisted = c.unreadable_without_weight_unlisted.saturating_add(light);
        Self { machine, report }
    }
}

fn cut<T>(list: &mut Vec<T>, most: usize, dropped: &mut usize) {
    *dropped += list.len().saturating_sub(most);
    list.truncate(most);
    list.shrink_to_fit();
}

/// The machines so far. They are put in by name.
#[derive(Default)]
pub struct Fleet {
    most: Most,
    machines: Vec<v1::Machine>,
    incidents: BTreeMap<String, v1::IncidentReport>,
    findings: usize,
    credentials: Vec<v1::Credential>,
    items: Vec<v1::Item>,
    /// Items that serve several machines, by what they say.
    shared: HashMap<[u8; 32], usize>,
    timeline: Vec<v1::Moment>,
    anomalies: Vec<v1::Anomaly>,
    kept_evidence: Vec<v1::KeptEvidence>,
    platforms: Vec<v1::PartOf>,
    sweeps: Vec<v1::Sweep>,
    /// Ids of what sweeps say: an image that several machines have says the same on each.
    ids: HashSet<String>,
    coverage: v1::Coverage,
    counts: BTreeMap<String, (u64, u64)>,
}

impl Fleet {
    /// With other bounds than the usual ones.
    pub fn within(most: Most) -> Self {
        Self { most, ..Self::default() }
    }

    /// The machines that were added.
    pub fn machines(&self) -> &[v1::Machine] {
        &self.machines
    }

    /// Adds what a machine has of it.
    pub fn add(&mut self, part: Part) {
        let Part { mut machine, mut report } = part;
        if report.sweep.is_some() {
            self.once(&mut report);
        }
        let mut dropped = machine.unlisted;
        for incident in report.incidents {
            self.incident(incident, &mut dropped);
        }
        fill(&mut self.credentials, report.credentials, self.most.credentials, &mut dropped);
        self.sweeps.extend(report.sweep);
        self.items(report.checklist, &machine.tree, &mut dropped);
        let moments = report.timeline.into_iter();
        let moments = moments.map(|m| v1::Moment { what: format!("{}: {}", machine.tree, m.what), ..m });
        fill(&mut self.timeline, moments, self.most.others, &mut dropped);
        fill(&mut self.anomalies, report.anomalies, self.most.others, &mut dropped);
        fill(&mut self.kept_evidence, report.kept_evidence, self.most.others, &mut dropped);
        fill(&mut self.platforms, report.platforms, self.most.others, &mut dropped);
        self.coverage(report.coverage, &mut dropped);
        machine.unlisted = dropped;
        self.machines.push(machine);
    }

    /// Leaves out of a sweep what an earlier one said of the same images.
    fn once(&mut self, report: &mut v1::Report) {
        let mut is_new = |id: &String| self.ids.insert(id.clone());
        report.incidents.iter_mut().for_each(|incident| incident.findings.retain(|f| is_new(&f.id)));
        report.credentials.retain(|c| is_new(&c.id));
        report.anomalies.retain(|a| is_new(&a.id));
    }

    /// Adds a machine whose file could not be read, with the reason.
    pub fn unread(&mut self, named: &Named, gap: v1::Gap) {
        self.coverage.trees.push(named.tree.clone());
        self.coverage.gaps.push(gap);
        self.machines.push(v1::Machine { gaps: 1, ..unknown(named) });
    }

    /// Adds a problem, or what was left out, that is of no machine.
    pub fn beside(&mut self, gaps: Vec<v1::Gap>, exclusions: Vec<v1::Exclusion>) {
        self.coverage.gaps.extend(gaps);
        self.coverage.exclusions.extend(exclusions);
    }

    fn incident(&mut self, mut new: v1::IncidentReport, dropped: &mut usize) {
        let known = new.findings.len();
        new.findings.truncate(self.most.findings.saturating_sub(self.findings));
        *dropped += known - new.findings.len();
        self.findings += new.findings.len();
        let Some(all) = self.incidents.get_mut(&new.id) else {
            self.incidents.insert(new.id.clone(), new);
            return;
        };
        if (new.exposure, new.confidence) > (all.exposure, all.confidence) {
            (all.exposure, all.confidence) = (new.exposure, new.confidence);
        }
        all.findings.append(&mut new.findings);
    }

    fn items(&mut self, items: Vec<v1::Item>, tree: &str, dropped: &mut usize) {
        let mut same: HashMap<String, String> = HashMap::new();
        let known: HashMap<&str, &v1::Credential> = self.credentials.iter().map(|c| (c.id.as_str(), c)).collect();
        let keys: Vec<[u8; 32]> = items.iter().map(|i| replaces(i, &known).unwrap_or_else(|| said(i))).collect();
        for (mut item, key) in items.into_iter().zip(keys) {
            item.edges.iter_mut().for_each(|edge| rename(&same, &mut edge.item));
            item.machines = vec![tree.to_owned()];
            if let Some(shared) = self.shared.get(&key).and_then(|at| self.items.get_mut(*at)) {
                same.insert(item.id.clone(), shared.id.clone());
                item.after.clear();
                shared.absorb(item);
                continue;
            }
            if self.items.len() >= self.most.items {
                *dropped += 1;
                continue;
            }
            // Of what has no identifier nobody knows whether it is the same on two machines; a crowd of them is one thing to do.
            let own = item.phase == Phase::Rotate && !item.credentials.is_empty() && self.machines.len() < EACH;
            if item.done_at() == Place::Clean && (!own || replaces(&item, &known).is_some()) {
                self.shared.insert(key, self.items.len());
            }
            self.items.push(item);
        }
    }

    fn coverage(&mut self, new: v1::Coverage, dropped: &mut usize) {
        let all = &mut self.coverage;
        all.trees.extend(new.trees);
        all.files_seen = all.files_seen.saturating_add(new.files_seen);
        all.bytes_read = all.bytes_read.saturating_add(new.bytes_read);
        all.atime_changed = all.atime_changed.saturating_add(new.atime_changed);
        all.undated_commands = all.undated_commands.saturating_add(new.undated_commands);
        for s in new.surfaces {
            let count = self.counts.entry(s.id).or_default();
            *count = (count.0.saturating_add(s.files), count.1.saturating_add(s.facts));
        }
        fill(&mut all.gaps, new.gaps, self.most.others, dropped);
        fill(&mut all.exclusions, new.exclusions, self.most.others, dropped);
        fill(&mut all.logins, new.logins, self.most.others, dropped);
        let images = new.images.into_iter().filter(|image| !all.images.contains(image)).collect::<Vec<_>>();
        fill(&mut all.images, images, self.most.others, dropped);
        let mut light = 0;
        fill(&mut all.unreadable_without_weight, new.unreadable_without_weight, self.most.others, &mut light);
        let light = u64::try_from(light).unwrap_or(u64::MAX).saturating_add(new.unreadable_without_weight_unlisted);
        all.unreadable_without_weight_unlisted = all.unreadable_without_weight_unlisted.saturating_add(light);
        all.scope = match (all.scope, new.scope) {
            (Some(a), Some(b)) => Some(v1::Scope { whole: a.whole && b.whole, monitors: a.monitors && b.monitors }),
            (a, b) => a.or(b),
        };
    }

    /// The report of all.
    pub fn report(mut self, run: Run) -> v1::Report {
        let unlisted: usize = self.machines.iter().map(|m| m.unlisted).sum();
        if unlisted > 0 {
            let detail = format!("{unlisted} more findings, credentials, items and the like than one report holds");
            let location = v1::Location {
                tree: FLEET.to_owned(),
                path: v1::PathText(b"/".to_vec()),
                inner: None,
                line: None,
                layer: None,
            };
            let surface = crate::coverage::INVENTORY.to_owned();
            self.coverage.gaps.push(v1::Gap { location, surface, kind: GapKind::TooLarge, detail });
        }
        self.sort();
        let surfaces = self.counts.into_iter().map(|(id, (files, facts))| v1::SurfaceCount { id, files, facts });
        let coverage = v1::Coverage { surfaces: surfaces.collect(), ..self.coverage };
        let mut incidents: Vec<_> = self.incidents.into_values().collect();
        incidents.sort_by(|a, b| {
            (Reverse((a.exposure, a.confidence)), &a.id).cmp(&(Reverse((b.exposure, b.confidence)), &b.id))
        });
        let sweep = super::sweep::united(self.sweeps, &incidents);
        let complete = coverage.gaps.is_empty() && self.machines.iter().all(|m| m.complete);
        let interrupted = coverage.gaps.iter().any(|g| g.kind == GapKind::Interrupted);
        let target = v1::Target { kind: FLEET.to_owned(), id: run.id, name: None, installation: None, os: None };
        let verdict = v1::Verdict {
            exposure: self.machines.iter().filter_map(|m| m.exposure).max(),
            complete,
            summary: summary(&incidents, &target, Outcome::new(complete, interrupted)),
        };
        let id = run_id(run.started, (&target.kind, &target.id), &run.indicators.digest);
        v1::Report {
            schema: v1::SCHEMA.to_owned(),
            tool: v1::Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            indicators: run.indicators,
            run: v1::Run {
                id,
                started: run.started,
                finished: run.finished,
                target,
                argv: run.argv,
                user: run.user,
                privileged: self.machines.iter().all(|m| m.privileged),
                sandbox: None,
                case_key: None,
            },
            verdict,
            incidents,
            credentials: self.credentials,
            page: None,
            checklist: self.items,
            timeline: self.timeline,
            anomalies: self.anomalies,
            kept_evidence: self.kept_evidence,
            platforms: self.platforms,
            machines: self.machines,
            sweep,
            work: Vec::new(),
            coverage,
        }
    }

    /// Each list as that of one machine is sorted; within that, by machine.
    fn sort(&mut self) {
        self.credentials.sort_by_key(|c| Reverse(c.rotate));
        self.items.sort_by_key(|i| i.workstream().place(i.phase));
        self.timeline.sort_by_key(|m| m.at);
        self.coverage.trees.sort();
        self.coverage.trees.dedup();
        let monitors: Vec<String> =
            self.items.iter().filter(|i| i.phase == Phase::Disarm).map(|i| i.id.clone()).collect();
        let places: HashMap<String, usize> = self.items.iter().enumerate().map(|(n, i)| (i.id.clone(), n)).collect();
        for (n, item) in self.items.iter_mut().enumerate() {
            // A monitor on one machine may watch the token that was found on another.
            if item.watched && !monitors.is_empty() {
                item.blocked = Some(Phase::Disarm);
                for id in &monitors {
                    if item.edges.iter().all(|e| e.item != *id) {
                        item.edges.push(Edge { item: id.clone(), because: Because::SwitchesOffMonitors });
                    }
                }
            }
            item.edges.retain(|e| places.get(&e.item).is_some_and(|at| *at < n));
            item.after = item.edges.iter().map(|e| e.item.clone()).collect();
            item.after.dedup();
        }
    }
}

/// The id of the item that says the same for all machines.
fn rename(same: &HashMap<String, String>, id: &mut String) {
    if let Some(shared) = same.get(id) {
        id.clone_from(shared);
    }
}

fn unknown(named: &Named) -> v1::Machine {
    v1::Machine {
        tree: named.tree.clone(),
        inventory: named.inventory.clone(),
        target: None,
        examined: None,
        privileged: true,
        case_key: None,
        exposure: None,
        complete: false,
        incidents: Vec::new(),
        to_rotate: 0,
        gaps: 0,
        unlisted: 0,
    }
}

fn fill<T>(list: &mut Vec<T>, new: impl IntoIterator<Item = T>, most: usize, dropped: &mut usize) {
    for value in new {
        if list.len() < most { list.push(value) } else { *dropped += 1 }
    }
}
