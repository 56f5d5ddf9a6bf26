//! The checklist: what to do, in which order, and why in that order. Pure: no I/O, no clock.
//!
//! ```text
//! machine   preserve ─▶ disarm ─▶ eradicate ─▶ purge ───────────────────────────┐
//!              contain ─┴────┐                                                   ├─▶ verify ─▶ rebuild
//! clean     freeze ──────────┴─▶ rotate (what opens others first) ───────────────┘
//! logs      save them ─▶ audit                              wallets: at once, from a clean device
//! ```
//!
//! An item waits for another only where that protects something, and says what (`edge`): with the network cut and the monitors switched
//! off, secrets are replaced while others clean the machine; only what is put back on it waits for that. No command starts an
//! interpreter or a package manager of the examined machine: the first Python that starts in a poisoned environment runs the payload
//! again.

mod audit;
mod before;
mod cleanup;
pub mod edge;
mod eradicate;
mod fill;
mod gate;
mod images;
mod jobs;
mod named;
mod order;
pub mod page;
mod purge;
mod references;
mod running;
mod secrets;
pub mod shell;
mod situation;
mod stated;
pub mod step;
mod store;
mod unseen;
pub mod writer;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

pub use self::{
    cleanup::logins,
    situation::{Scope, Subject},
};
use self::{
    edge::{Because, Edge},
    page::Page,
    situation::Situation,
    step::{Action, Step},
    writer::System,
};
use crate::{
    accounts::Accounts,
    assess::{Assessment, Finding, Kept},
    credential::Catalog,
    ioc::Index,
    text::hex,
    verdict::{Mode, Phase, Place, Rank, Urgency, Workstream},
};

/// One item of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `s-` and 8 hex digits of what it is: the same from run to run.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Where it is done.
    pub place: Place,
    /// One line.
    pub title: String,
    /// The reason.
    pub why: String,
    /// How urgent it is, where it is about secrets.
    pub urgency: Option<Urgency>,
    /// Who does it.
    pub workstream: Workstream,
    /// Why a secret has its place among those that are replaced.
    pub rank: Option<Rank>,
    /// What comes first where it replaces a secret.
    pub mode: Option<Mode>,
    /// Whether it ends a token that a monitor may watch.
    pub watched: bool,
    /// The gate that it may not pass before all items of that phase are done, in every format.
    pub blocked: Option<Phase>,
    /// What comes first, and why; all stand earlier in the list.
    pub after: Vec<Edge>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Ids of the credentials it is about.
    pub credentials: Vec<String>,
}

/// What to do, and what the first page says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checklist {
    /// By workstream, then by phase.
    pub items: Vec<Item>,
    /// Beside them.
    pub page: Page,
}

/// The checklist for one assessment. Empty where nothing was found, now or before.
pub fn checklist(
    index: &Index,
    catalog: &Catalog,
    assessment: &Assessment,
    accounts: &BTreeMap<Arc<str>, Accounts>,
    scope: Scope,
    system: System,
) -> Checklist {
    let mut plan = Plan::default();
    if assessment.findings.is_empty() {
        earlier(&assessment.kept, &mut plan);
        return Checklist { items: plan.items, page: Page::default() };
    }
    let situation = Situation::new(index, catalog, assessment, accounts, scope, system);
    if scope.subject == Subject::Statement {
        stated::stated(&situation, &mut plan);
        plan.items.sort_by_key(|i| i.workstream.place(i.phase));
        let page = page::page(&situation, &plan.items);
        return Checklist { items: plan.items, page };
    }
    before::before(&situation, &mut plan);
    jobs::preserve(&situation, &mut plan);
    eradicate::eradicate(&situation, &mut plan);
    purge::purge(&situation, &mut plan);
    jobs::purge(&situation, &mut plan);
    secrets::freeze(&situation, &mut plan);
    earlier(&assessment.kept, &mut plan);
    secrets::rotate(&situation, &mut plan);
    jobs::rotate(&situation, &mut plan);
    secrets::verify(&situation, &mut plan);
    purge::rebuild(&situation, &mut plan);
    audit::audit(&situation, &mut plan);
    foreign_disk_notice(&situation, &mut plan);
    plan.items.sort_by_key(|i| i.workstream.place(i.phase));
    let page = page::page(&situation, &plan.items);
    Checklist { items: plan.items, page }
}

/// After a clean-up little is left to be found, and everything that was taken is still taken.
fn earlier(kept: &[Kept], plan: &mut Plan) {
    let cases: BTreeSet<&str> = kept.iter().map(|k| &*k.case).collect();
    for case in cases {
        let mut item = Item::new(
            Phase::Rotate,
            format!("Rotate what the list of the earlier examination {case} names"),
            "its evidence was moved away on this machine, so that an examination of today shows less than was taken; that list still holds",
        )
        .urgent(Urgency::Now)
        .at(Place::Clean)
        .say("use that report (`dosimeter rotate CASE.json`), not this one, until its every item is done; its first commands name the case");
        let here: Vec<&Kept> = kept.iter().filter(|k| *k.case == *case).collect();
        for k in &here {
            item = item.say(format!("kept evidence: {} archives beside {}", k.archives, situation::place(&k.origin)));
        }
        plan.add(&[b"earlier", case.as_bytes()], item);
    }
}

/// The title of what says that a disk was examined on another machine.
pub const FOREIGN: &str = "A is for the machine that this disk is of; run nothing of it here";

/// Says once, above everything, where the commands belong, when the findings are of a disk that was examined on another
/// machine: there the same path is somebody else's file.
fn foreign_disk_notice(situation: &Situation<'_>, plan: &mut Plan) {
    let foreign = |f: &Finding| f.origin.layer.is_none() && !jobs::is_job(f) && &*f.origin.tree != "host";
    let changes = |i: &Item| i.steps.iter().any(|s| matches!(s.action, Action::Keep(_)));
    if situation.system == System::Windows
        || situation.scope.subject != Subject::Single
        || !situation.assessment.findings.iter().any(foreign)
        || !plan.items.iter().any(changes)
    {
        return;
    }
    let why = "its commands name paths as that machine knows them: on the one where the disk is mounted the same path is another file";
    plan.add(&[b"home"], Item::new(Phase::Preserve, FOREIGN, why));
    // What was added last comes first.
    plan.items.rotate_right(1);
}

/// Gives the items of one machine ids that no other machine's items have.
pub fn make_own(items: &mut [Item], machine: &str) {
    let own = |id: &mut String| {
        let mut hash = Sha256::new_with_prefix(machine);
        hash.update([0]);
        hash.update(&*id);
        *id = format!("s-{}", hex(hash.finalize().get(..4).unwrap_or_default()));
    };
    for item in items {
        own(&mut item.id);
        item.after.iter_mut().for_each(|e| own(&mut e.item));
    }
}

/// The list while it is written, by phase: what waits comes after what it waits for.
#[derive(Debug, Default)]
struct Plan {
    items: Vec<Item>,
    ids: BTreeSet<String>,
}

impl Plan {
    /// Adds an item and gives its id back. `what` distinguishes it from every other.
    fn add(&mut self, what: &[&[u8]], mut item: Item) -> String {
        let mut hash = Sha256::new_with_prefix(item.phase.as_str());
        for part in what {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        loop {
            let id = format!("s-{}", hex(hash.clone().finalize().get(..4).unwrap_or_default()));
            if self.ids.insert(id.clone()) {
                item.id.clone_from(&id);
                self.items.push(item);
                return id;
            }
            hash.update(b"again");
        }
    }

    /// Edges to the items of one phase that are done where this reason holds.
    fn edges(&self, phase: Phase, because: &Because) -> Vec<Edge> {
        let here = |i: &&Item| i.phase == phase && (i.workstream != Workstream::Logs || *because == Because::SavesLogs);
        let edge = |i: &Item| Edge { item: i.id.clone(), because: because.clone() };
        self.items.iter().filter(here).map(edge).collect()
    }

    /// What a change on the examined machine waits for.
    fn before_changes(&self) -> Vec<Edge> {
        let mut edges = self.edges(Phase::Preserve, &Because::KeepsEvidence);
        let here = |e: &Edge| self.is_in(&e.item, Workstream::Machine);
        edges.extend(self.edges(Phase::Contain, &Because::CutsNetwork).into_iter().filter(here));
        edges.extend(self.edges(Phase::Disarm, &Because::SwitchesOffMonitors));
        edges
    }

    fn is_in(&self, id: &str, workstream: Workstream) -> bool {
        self.items.iter().any(|i| i.id == id && i.workstream == workstream)
    }
}

impl Item {
    fn new(phase: Phase, title: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            phase,
            place: Place::Host,
            title: title.into(),
            why: why.into(),
            urgency: None,
            workstream: Workstream::usual(phase, Place::Host),
            rank: None,
            mode: None,
            watched: false,
            blocked: None,
            after: Vec::new(),
            steps: Vec::new(),
            credentials: Vec::new(),
        }
    }

    fn after(mut self, after: impl IntoIterator<Item = Edge>) -> Self {
        self.after.extend(after);
        self
    }

    /// In other hands than its phase and place say.
    fn by(mut self, workstream: Workstream) -> Self {
        self.workstream = workstream;
        self
    }

    fn urgent(mut self, urgency: Urgency) -> Self {
        self.urgency = Some(urgency);
        self
    }

    fn at(mut self, place: Place) -> Self {
        self.place = place;
        self.workstream = Workstream::usual(self.phase, place);
        self
    }

    fn say(mut self, what: impl Into<String>) -> Self {
        self.steps.push(Step::say(what));
        self
    }

    fn run(self, what: impl Into<String>, command: impl Into<String>) -> Self {
        self.step(what, Action::Given(command.into()))
    }

    fn step(mut self, what: impl Into<String>, action: Action) -> Self {
        self.steps.push(Step::new(what, action));
        self
    }

    fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps);
        self
    }
}

#[cfg(test)]
mod tests;
