//! The three facts of each credential side by side, and what they come to.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    attest::Attestation,
    case::Case,
    here::{self, Today},
    listing::Listing,
    log::Extract,
    provider::{self, Subject},
    silence,
    v1::{
        Attested, CaseRef, Change, Examined, Item, Life, MachineState, Quiet, SCHEMA, Source, State, Still, Summary,
        Unclaimed, Verification,
    },
    words,
};
use crate::{
    credential::{Catalog, Forms},
    report::v1::{Credential, Report, State as Progress, Tool, Work},
    verdict::{Exposure, Urgency},
};

/// Everything that is known.
pub struct Input<'i> {
    /// The file of the report or plan.
    pub file: String,
    /// What it says.
    pub case: &'i Case,
    /// The kinds of credential.
    pub catalog: &'i Catalog,
    /// The examination of today; `None` where nothing could be examined, with the reason.
    pub today: Result<&'i Report, String>,
    /// Listings of providers.
    pub listings: &'i [Listing],
    /// Extracts of logs.
    pub extracts: &'i [Extract],
    /// Which machine of a case of several was examined.
    pub machine: Option<&'i str>,
    /// What people answer for.
    pub attested: &'i [Attestation],
    /// Findings below it are not open.
    pub fail_on: Exposure,
    /// When, UTC.
    pub now: Timestamp,
}

/// The answer.
pub fn judge(input: &Input<'_>) -> Verification {
    let forms = Forms::new(input.catalog);
    let plan = Plan { work: input.case.work(), items: input.case.replaced_by() };
    let today = input.today.as_ref().map(|report| Today::new(report, &forms, input.case, input.machine));
    let items: Vec<Item> = input
        .case
        .asked()
        .map(|old| item(input, &forms, &plan, today.as_ref().map_err(|why| why.as_str()), old))
        .collect();
    let report = input.today.as_ref().ok();
    let findings = report.map(|report| still(report, input)).unwrap_or_default();
    let gaps = report.map(|report| report.coverage.gaps.clone()).unwrap_or_default();
    let examined = report.map(|report| Examined {
        target: report.run.target.clone(),
        user: report.run.user.clone(),
        privileged: report.run.privileged,
        complete: report.verdict.complete,
        case_key: report.run.case_key.clone(),
    });
    let mut answer = Verification {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        started: input.now,
        case: CaseRef {
            file: input.file.clone(),
            schema: input.case.schema.clone(),
            target: input.case.run.target.clone(),
            examined: input.case.run.started,
            case_key: input.case.run.case_key.clone(),
        },
        examined,
        summary: Summary::default(),
        machines: machines(input, &items),
        items,
        findings,
        unclaimed: Vec::new(),
        sources: sources(input),
        gaps,
    };
    answer.unclaimed = unclaimed(input, &answer.items);
    answer.summary = summary(&answer, input.case);
    answer.summary.text = words::summary(&answer);
    answer
}

/// What the checklist has of each credential.
struct Plan<'c> {
    work: HashMap<&'c str, &'c Work>,
    items: HashMap<&'c str, (String, &'c str)>,
}

fn item(input: &Input<'_>, forms: &Forms, plan: &Plan<'_>, today: Result<&Today<'_>, &str>, old: &Credential) -> Item {
    let mut here = match today {
        Ok(today) => today.of(input.case, old),
        Err(reason) => here::unknown(reason.to_owned(), None, here::ELSEWHERE),
    };
    let own_id = old.identifier.as_deref().filter(|id| forms.fit(&old.kind, id));
    let subject = Subject { old, own_id, here: &here, written: input.case.written() };
    let mut provider_state = provider::state(&subject, input.listings, input.extracts);
    let work = plan.work.get(old.id.as_str()).copied();
    let ended = provider_state.ended.or(work.and_then(|w| w.revoked));
    let began = input.case.began();
    let mut silence = silence::state(&subject, ended, input.extracts, began, input.now);
    let mut attested = Vec::new();
    for fact in [HERE, PROVIDER, SILENCE] {
        let covers = |a: &&Attestation| a.covers(&old.id, fact);
        attested.extend(input.attested.iter().filter(covers).map(|a| a.about(fact)));
    }
    attested.extend(work.into_iter().flat_map(by_plan));
    let is_attested = |fact: &str| attested.iter().any(|a| a.fact == fact);
    let facts = [
        match here.answer {
            Change::Gone | Change::Replaced => State::Closed,
            // What a file shows weighs more than anybody's word.
            Change::Same => State::Open,
            Change::Unknown if is_attested(HERE) => State::Closed,
            Change::Unknown => State::Unknown,
        },
        match provider_state.answer {
            Life::Dead => State::Closed,
            Life::Alive => State::Open,
            Life::Unknown if is_attested(PROVIDER) => State::Closed,
            Life::Unknown => State::Unknown,
        },
        match silence.answer {
            Quiet::Silent => State::Closed,
            Quiet::Used => State::Open,
            Quiet::Unknown if is_attested(SILENCE) => State::Closed,
            Quiet::Unknown => State::Unknown,
        },
    ];
    let nexts = [&mut here.next, &mut provider_state.next, &mut silence.next];
    nexts.into_iter().zip(facts).filter(|(_, state)| *state == State::Closed).for_each(|(next, _)| *next = None);
    let replaced_by = plan.items.get(old.id.as_str());
    Item {
        id: old.id.clone(),
        label: replaced_by.map(|(label, _)| label.clone()).filter(|label| !label.is_empty()),
        item: replaced_by.map(|(_, item)| (*item).to_owned()),
        kind: old.kind.clone(),
        provider: old.provider.clone(),
        location: old.location.clone(),
        owner: old.owner.clone(),
        identifier: old.identifier.clone(),
        rotate: old.rotate,
        state: facts.into_iter().max().unwrap_or(State::Unknown),
        here,
        provider_state,
        silence,
        attested,
    }
}

/// What the people of a plan answer for: who saw that an item is done saw what stands there and what the provider has; who left it as
/// it is answers for all of it.
fn by_plan(work: &Work) -> Vec<Attested> {
    let (by, facts): (&str, &[&str]) = match work.state {
        Progress::Closed => (&work.checked_by, &[HERE, PROVIDER]),
        Progress::AcceptedRisk if !work.owner.is_empty() => (&work.owner, &[HERE, PROVIDER, SILENCE]),
        Progress::AcceptedRisk => (&work.checked_by, &[HERE, PROVIDER, SILENCE]),
        _ => return Vec::new(),
    };
    let text = if work.note.is_empty() { "by the plan" } else { &work.note };
    let about = |fact: &&str| Attested { fact: (*fact).to_owned(), by: by.to_owned(), text: text.to_owned() };
    if by.is_empty() { Vec::new() } else { facts.iter().map(about).collect() }
}

const HERE: &str = "here";
const PROVIDER: &str = "provider";
const SILENCE: &str = "silence";

/// What of the incidents is still found: start-up files, caches, mirrors, everything.
fn still(report: &Report, input: &Input<'_>) -> Vec<Still> {
    let (ids, paths) = input.case.findings();
    let all = report.incidents.iter().flat_map(|incident| incident.findings.iter().map(move |f| (incident, f)));
    let open = all.filter(|(_, f)| f.exposure >= input.fail_on);
    let mut open: Vec<Still> = open
        .map(|(incident, f)| Still {
            id: f.id.clone(),
            incident: incident.id.clone(),
            indicator: f.indicator.clone(),
            exposure: f.exposure,
            confidence: f.confidence,
            location: f.location.clone(),
            known: input.case.has_findings().then(|| ids.contains(f.id.as_str()) || paths.contains(&f.location.path)),
        })
        .collect();
    open.sort_by(|a, b| {
        (b.exposure, b.confidence, &a.location, &a.id).cmp(&(a.exposure, a.confidence, &b.location, &b.id))
    });
    open
}

/// What a listing has that nobody on the list owns, nobody attests, and that does not stand here today.
fn unclaimed(input: &Input<'_>, items: &[Item]) -> Vec<Unclaimed> {
    let today = input.today.as_ref().ok().into_iter().flat_map(|report| &report.credentials);
    let known = input.case.credentials.iter().chain(today).filter_map(|c| c.identifier.as_deref()).collect();
    let is_changed = |item: &Item| matches!(item.here.answer, Change::Gone | Change::Replaced);
    let changed = |kinds: &[&str]| items.iter().filter(|i| kinds.contains(&i.kind.as_str()) && is_changed(i)).count();
    let (began, written) = (input.case.began(), input.case.written());
    let mut all = provider::unclaimed(input.listings, began, written, &known, &changed);
    all.retain(|u| !input.attested.iter().any(|a| a.id == u.id));
    all
}

fn sources(input: &Input<'_>) -> Vec<Source> {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let listings = input.listings.iter().map(|l| Source {
        file: l.file.clone(),
        form: l.form.command().to_owned(),
        accounts: l.accounts.clone(),
        entries: count(l.entries.list.len()),
        incomplete: l.entries.incomplete.clone(),
        from: None,
        to: None,
    });
    let extracts = input.extracts.iter().map(|e| Source {
        file: e.file.clone(),
        form: e.log.title().to_owned(),
        accounts: e.accounts.iter().cloned().collect(),
        entries: e.events,
        incomplete: e.incomplete.clone(),
        from: e.from,
        to: e.to,
    });
    listings.chain(extracts).collect()
}

fn summary(answer: &Verification, case: &Case) -> Summary {
    let count = |state: State| answer.items.iter().filter(|i| i.state == state).count();
    let (closed, open, unknown) = (count(State::Closed), count(State::Open), count(State::Unknown));
    let without = case.without_credential();
    let (without_credential, without_names) = (without.len(), without);
    let not_asked = case.credentials.iter().filter(|c| c.rotate == Urgency::No).count();
    Summary { closed, open, unknown, not_asked, without_credential, without_names, text: String::new() }
}

/// How far each of several machines is.
fn machines(input: &Input<'_>, items: &[Item]) -> Vec<MachineState> {
    let of = |machine: &str| {
        let count = |state: State| items.iter().filter(|i| i.location.tree == machine && i.state == state).count();
        MachineState {
            machine: machine.to_owned(),
            examined: input.today.is_ok() && input.machine == Some(machine),
            closed: count(State::Closed),
            open: count(State::Open),
            unknown: count(State::Unknown),
        }
    };
    input.case.machines().map(of).collect()
}

impl Verification {
    /// What all of it comes to.
    pub fn state(&self) -> State {
        let worst = self.items.iter().map(|i| i.state).max().unwrap_or(State::Closed);
        let unexamined = self.examined.as_ref().is_none_or(|e| !e.complete);
        match worst {
            _ if !self.findings.is_empty() || self.unclaimed.iter().any(|u| u.in_window) => State::Open,
            State::Closed if unexamined || !self.unclaimed.is_empty() || self.summary.without_credential > 0 => {
                State::Unknown
            }
            worst => worst,
        }
    }
}
