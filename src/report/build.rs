//! From the judgement to the report: sorted, with names instead of numbers, and one line that answers the question.

mod answer;

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use self::answer::settle;
pub(super) use self::answer::{Outcome, summary};
use super::v1;
use crate::{
    accounts::Accounts,
    assess::{self, Assessment},
    coverage::{Coverage, Gap, GapKind, ROTATE},
    credential::{self, Catalog},
    ecosystem::{normal_name, with_layouts},
    fact::{Origin, TreePath, Unit},
    guard::caught,
    ioc::{Index, model::Incident},
    rotate::{
        self,
        edge::Edge,
        writer::{System, Writer},
    },
    text::hex,
};

/// What was judged, and what the caller knows of the run.
pub struct Examination<'e> {
    /// The indicators.
    pub index: &'e Index,
    /// What was laid over the indicators of the program.
    pub layers: Vec<v1::Layer>,
    /// The kinds of credential.
    pub catalog: &'e Catalog,
    /// The judgement.
    pub assessment: &'e Assessment,
    /// What was examined.
    pub coverage: Coverage,
    /// Who lives in each tree.
    pub accounts: &'e BTreeMap<Arc<str>, Accounts>,
    /// What was named on the command line.
    pub target: v1::Target,
    /// UTC.
    pub started: Timestamp,
    /// UTC.
    pub finished: Timestamp,
    /// The command line.
    pub argv: Vec<String>,
    /// The account it ran as.
    pub user: String,
    /// Whether that account may read everything.
    pub privileged: bool,
    /// What of the target was looked at.
    pub scope: rotate::Scope,
}

/// Builds the report, with its checklist.
pub fn build(mut e: Examination<'_>) -> v1::Report {
    if !e.assessment.findings.is_empty() {
        e.coverage.give_weight(credential::META.id);
    }
    let mut gaps = e.assessment.gaps.clone();
    let whole = e.scope.whole && e.coverage.complete() && gaps.is_empty();
    let (scope, system) = (rotate::Scope { whole, ..e.scope }, System::named(e.target.os.as_deref()));
    let planned = caught(|| rotate::checklist(e.index, e.catalog, e.assessment, e.accounts, scope, system));
    let rotate::Checklist { items: mut checklist, page } = planned.unwrap_or_else(|| {
        let tree = e.coverage.trees.first().map_or("host", String::as_str);
        let detail = "internal error: the checklist could not be made".to_owned();
        let origin = Origin::file(&tree.into(), TreePath::root());
        gaps.push(Gap { origin, surface: ROTATE, kind: GapKind::Panicked, detail });
        rotate::Checklist::default()
    });
    e.coverage.gaps.append(&mut gaps);
    e.coverage.sort_and_dedup();
    lead(&mut e.coverage.gaps, e.index);
    let incidents = incidents(&e);
    let exposure = e.assessment.exposure();
    let complete = e.coverage.complete();
    let interrupted = e.coverage.gaps.iter().any(|g| g.kind == GapKind::Interrupted);
    let (run, case) = (run_id(e.started, (&e.target.kind, &e.target.id), &e.index.database.digest), case_id(&e));
    let writer = Writer { system, case: &case };
    if scope.subject == rotate::Subject::OneOfMany {
        rotate::make_own(&mut checklist, e.coverage.trees.first().map_or("", String::as_str));
    }
    let checklist = checklist.into_iter().map(|i| item(i, &writer)).collect();
    let kept_evidence = e.assessment.kept.iter().map(kept).collect::<Vec<_>>();
    let summary = summary(&incidents, &e.target, Outcome::new(complete, interrupted)) + earlier(&kept_evidence);
    v1::Report {
        schema: v1::SCHEMA.to_owned(),
        tool: v1::Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        indicators: described(e.index, e.layers.clone(), e.started),
        verdict: v1::Verdict { exposure, complete, summary },
        incidents,
        credentials: e.assessment.credentials.iter().map(|j| credential(&e, j)).collect(),
        page: Some(page),
        checklist,
        timeline: e.assessment.timeline.iter().map(moment).collect(),
        anomalies: e.assessment.anomalies.iter().map(anomaly).collect(),
        kept_evidence,
        platforms: e.assessment.platforms.iter().map(part_of).collect(),
        machines: Vec::new(),
        sweep: None,
        work: Vec::new(),
        run: v1::Run {
            id: run,
            started: e.started,
            finished: e.finished,
            target: e.target,
            argv: e.argv,
            user: e.user,
            privileged: e.privileged,
            sandbox: None,
            case_key: None,
        },
        coverage: v1::Coverage {
            scope: Some(v1::Scope { whole: scope.whole, monitors: scope.monitors }),
            ..v1::Coverage::new(e.coverage, e.assessment.undated_commands).with_basis(e.assessment, e.accounts)
        },
    }
}

/// Says in a report that the user ended the run, as the examination itself does where he ended that.
pub fn interrupt(report: &mut v1::Report) {
    let mut coverage = Coverage { trees: report.coverage.trees.clone(), ..Coverage::default() };
    coverage.interrupted();
    if report.coverage.gaps.iter().all(|g| g.kind != GapKind::Interrupted) {
        let gaps = v1::Coverage::new(coverage, 0).gaps;
        report.coverage.gaps.splice(..0, gaps);
    }
    report.verdict.complete = false;
    report.verdict.summary = summary(&report.incidents, &report.run.target, Outcome::Interrupted);
}

/// The kind of target that several inventories are.
pub(super) const FLEET: &str = "inventories";

/// What is called like a package that an indicator knows comes first: it may hide a finding.
fn lead(gaps: &mut [Gap], index: &Index) {
    let knows = |name: &[u8]| {
        with_layouts().any(|ecosystem| {
            let name = normal_name(ecosystem, &String::from_utf8_lossy(name));
            let ends = name.match_indices('-').map(|(at, _)| at).chain([name.len()]).take(16);
            let mut starts = ends.filter_map(|at| name.get(..at));
            starts.any(|start| index.knows_package(ecosystem, start))
        })
    };
    gaps.sort_by_cached_key(|g| !g.origin.path.components().rev().take(2).any(knows));
}

/// What a run is called: 16 hex digits, of when it began, what it examined and the digest of its indicators.
pub fn run_id(started: Timestamp, (kind, id): (&str, &str), digest: &str) -> String {
    let mut hash = Sha256::new();
    for part in [&started.to_string(), kind, id, digest] {
        hash.update(part);
        hash.update([0]);
    }
    hex(hash.finalize().get(..8).unwrap_or_default())
}

/// Of what was found and where: the same from run to run, so that kept evidence leads to any report of the same case.
fn case_id(e: &Examination<'_>) -> String {
    let found = e.assessment.findings.iter().map(|f| &f.id).chain(e.assessment.credentials.iter().map(|j| &j.id));
    let mut hash = Sha256::new();
    for part in [&e.target.kind, &e.target.id].into_iter().chain(found) {
        hash.update(part);
        hash.update([0]);
    }
    hex(hash.finalize().get(..8).unwrap_or_default())
}

/// The indicators, for a report of a run that began then.
pub fn described(index: &Index, layers: Vec<v1::Layer>, started: Timestamp) -> v1::Indicators {
    let database = &index.database;
    let versions = database.incidents.iter().flat_map(|i| &i.packages).map(|p| p.versions.len()).sum();
    v1::Indicators {
        sequence: database.sequence,
        created: database.created,
        digest: database.digest.clone(),
        incidents: database.incidents.len(),
        packages: versions,
        age_days: started.duration_since(database.created).as_hours().div_euclid(24),
        layers,
    }
}

/// Worst first, then by id.
fn incidents(e: &Examination<'_>) -> Vec<v1::IncidentReport> {
    let mut grouped: BTreeMap<usize, Vec<&assess::Finding>> = BTreeMap::new();
    for f in &e.assessment.findings {
        grouped.entry(f.incident).or_default().push(f);
    }
    let all = grouped.into_iter().filter_map(|(id, findings)| incident(e, e.index.incident(id)?, &findings));
    let mut incidents: Vec<_> = all.collect();
    incidents.sort_by(|a, b| {
        (Reverse((a.exposure, a.confidence)), &a.id).cmp(&(Reverse((b.exposure, b.confidence)), &b.id))
    });
    incidents
}

fn incident(e: &Examination<'_>, incident: &Incident, findings: &[&assess::Finding]) -> Option<v1::IncidentReport> {
    let (exposure, confidence) = findings.iter().map(|f| (f.exposure, f.confidence)).max()?;
    let window =
        |w: &crate::ioc::model::Window| v1::Window { artifact: w.artifact.clone(), start: w.start, end: w.end };
    Some(v1::IncidentReport {
        id: incident.id.clone(),
        title: incident.title.clone(),
        exposure,
        confidence,
        references: incident.sources.values().filter_map(|s| s.url.clone()).collect(),
        windows: incident.windows.iter().map(window).collect(),
        findings: findings.iter().map(|f| finding(e, f, &incident.origin)).collect(),
    })
}

fn finding(e: &Examination<'_>, f: &assess::Finding, origin: &str) -> v1::Finding {
    let environment =
        f.environment.as_ref().map(|e| v1::Environment { path: absolute(&e.prefix), kind: e.kind.clone() });
    let artifact =
        f.artifact.as_ref().map(|a| v1::Artifact { name: a.name.clone(), size: a.size, sha256: a.sha256.clone() });
    let link = |l: &assess::Link| v1::Link {
        name: l.name.clone(),
        version: l.version.clone(),
        requirement: l.requirement.clone(),
        requested: l.requested,
    };
    v1::Finding {
        id: f.id.clone(),
        indicator: f.indicator.clone(),
        indicator_source: origin.to_owned(),
        kind: f.kind.as_str().to_owned(),
        exposure: f.exposure,
        confidence: f.confidence,
        surface: f.surface.to_owned(),
        package: f.package.clone(),
        location: (&f.origin).into(),
        environment,
        artifact,
        at: f.at.as_ref().map(|at| at.time),
        at_source: f.at.as_ref().map(|at| at.source.to_string()),
        reason: f.reason.clone(),
        sign: f.sign.clone(),
        chain: f.chain.iter().map(link).collect(),
        rule: f.rule.code().to_owned(),
        moment: f.moment,
        runs_by_itself: f.by_itself,
        role: f.role,
        ecosystem: f.ecosystem,
        unit: f.unit.as_deref().map(unit),
        account: Some(account(e, f, f.account)),
        lives_at: Some(account(e, f, f.lives_at(e.accounts))),
        files: f.holdings.as_ref().map(|all| all.iter().map(absolute).collect()),
        alike: f.alike.iter().filter_map(|i| Some(e.index.incident(*i)?.id.clone())).collect(),
    }
}

fn absolute(path: &TreePath) -> v1::PathText {
    v1::PathText([b"/", path.written()].concat())
}

fn unit(u: &Unit) -> v1::Unit {
    v1::Unit { ecosystem: u.ecosystem, folder: absolute(&u.folder), root: absolute(&u.root), kind: u.kind.clone() }
}

fn account(e: &Examination<'_>, f: &assess::Finding, account: assess::Account) -> v1::Account {
    match account {
        assess::Account::Uid(uid) => v1::Account::One { uid, name: name_of(e, &f.origin.tree, uid) },
        assess::Account::All => v1::Account::All,
        assess::Account::Elsewhere => v1::Account::Elsewhere,
    }
}

fn name_of(e: &Examination<'_>, tree: &Arc<str>, uid: u32) -> String {
    e.accounts.get(tree).map_or_else(|| uid.to_string(), |a| a.name(uid))
}

fn credential(e: &Examination<'_>, j: &assess::Judged) -> v1::Credential {
    let kind = &*j.credential.kind;
    let provider = e.catalog.kind(kind).map(|k| k.provider.clone());
    let by = j.by.iter().filter_map(|b| {
        let incident = e.index.incident(b.incident)?.id.clone();
        Some(v1::ReachBy {
            incident,
            reach: b.reach,
            confidence: b.confidence,
            rule: b.rule.clone(),
            rotate: Some(b.rotate),
        })
    });
    v1::Credential {
        id: j.id.clone(),
        kind: kind.to_owned(),
        provider: provider.unwrap_or_else(|| kind.split('.').next().unwrap_or(kind).to_owned()),
        location: (&j.origin).into(),
        owner: j.uid.map(|uid| name_of(e, &j.origin.tree, uid)),
        uid: j.uid,
        identifier: j.credential.identifier.clone(),
        note: j.credential.note.clone(),
        tag: j.credential.tag.clone(),
        modified: j.modified.as_ref().map(|at| at.time),
        reach: j.reach,
        confidence: j.confidence,
        reach_by: by.collect(),
        rotate: j.rotate,
        reason: j.reason.clone(),
    }
}

fn item(item: rotate::Item, writer: &Writer<'_>) -> v1::Item {
    let steps = item.steps.iter().map(|s| writer.write(&item.id, s));
    let steps = steps.map(v1::Step::from).collect();
    v1::Item {
        id: item.id,
        phase: item.phase,
        place: Some(item.place),
        title: item.title,
        why: item.why,
        urgency: item.urgency,
        after: ids(&item.after),
        edges: item.after,
        workstream: Some(item.workstream),
        rank: item.rank,
        mode: item.mode,
        watched: item.watched,
        blocked: item.blocked,
        steps,
        credentials: item.credentials,
        left_out: false,
        machines: Vec::new(),
    }
}

/// Each once, in the order of the edges.
fn ids(edges: &[Edge]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for edge in edges {
        if !ids.contains(&edge.item) {
            ids.push(edge.item.clone());
        }
    }
    ids
}

fn part_of(p: &assess::PartOf) -> v1::PartOf {
    v1::PartOf { platform: p.platform, location: (&p.origin).into() }
}

fn kept(k: &assess::Kept) -> v1::KeptEvidence {
    v1::KeptEvidence { location: (&k.origin).into(), case: k.case.to_string(), archives: k.archives }
}

/// Little is left to be found after a clean-up; what was taken is still taken.
fn earlier(kept: &[v1::KeptEvidence]) -> &'static str {
    match kept.is_empty() {
        true => "",
        false => "; evidence of an earlier examination is kept here: what its report lists still has to be rotated",
    }
}

fn moment(m: &assess::Moment) -> v1::Moment {
    v1::Moment {
        at: m.at,
        source: m.source.clone(),
        what: m.what.clone(),
        finding: m.finding.clone(),
        credential: None,
    }
}

fn anomaly(a: &assess::Anomaly) -> v1::Anomaly {
    v1::Anomaly {
        id: a.id.clone(),
        surface: a.surface.to_owned(),
        location: (&a.origin).into(),
        at: a.at.as_ref().map(|at| at.time),
        what: a.what.clone(),
    }
}
