//! From facts to a judgement: exposure, confidence, reach. Pure: no I/O, no clock. The table of the design, row by row:
//! `evidence` says what a single fact is worth, a family of `family` looks for signs that it ran, `reach` says what it could take.

mod access;
pub mod anomaly;
mod built;
pub mod chain;
mod configured;
pub mod contained;
mod corroborate;
mod evidence;
mod extras;
mod family;
mod from_lists;
mod harvest;
mod kept;
mod layered;
mod logged;
mod named;
mod on_path;
mod platform;
mod ran_in;
pub mod reach;
mod references;
mod resolved;
pub mod rule;
mod running;
mod services;
mod shared;
mod started;
mod threat;
pub mod timeline;
mod traces;
mod typed;
mod unit_view;
pub mod units;
mod used;
mod used_by_name;
mod variables;
mod whereabouts;

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest as _, Sha256};

pub use self::{
    anomaly::Anomaly,
    chain::Link,
    family::{Removal, Unread, for_ecosystem as family_of, publishes},
    kept::Kept,
    layered::{BuildStep, Gone, Layers, Steps},
    platform::{PartOf, Shown},
    reach::{Judged, ReachBy},
    references::Reference,
    rule::Rule,
    timeline::Moment,
    units::UnitEnvironment,
};
use self::{
    family::{FAMILIES, Hooks},
    unit_view::UnitCache,
    units::Units,
};
use crate::{
    accounts::Accounts,
    coverage::{Gap, GapKind},
    credential::Catalog,
    fact::{Artifact, At, Ecosystem, Fact, Origin, Seen, TreePath, Unit},
    guard::caught,
    ioc::{
        Index,
        index::IncidentId,
        model::{FileRole, Moment as RunsAt},
    },
    matcher,
    text::hex,
    verdict::{Confidence, Exposure},
};

/// A fact, and what became of its file since.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What was read.
    pub seen: Seen,
    /// In an image: what removed the file in a later layer.
    pub gone: Option<Gone>,
    /// In an image: what made the layer.
    pub made: Option<Arc<BuildStep>>,
    /// In an image: where its file stands among the layers.
    pub layers: Option<Layers>,
    /// In an image: the steps of its build that made and took out its file.
    pub steps: Option<Steps>,
}

impl From<Seen> for Evidence {
    fn from(seen: Seen) -> Self {
        Self { seen, gone: None, made: None, layers: None, steps: None }
    }
}

/// What kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// A package version.
    Package,
    /// A file.
    File,
    /// An install command.
    Command,
    /// A network name.
    Network,
    /// A running process.
    Process,
    /// A container image.
    Image,
    /// A use of an action.
    Action,
    /// A trace in a repository.
    Git,
    /// A text of a payload.
    Text,
}

impl FindingKind {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::File => "file",
            Self::Command => "command",
            Self::Network => "network",
            Self::Process => "process",
            Self::Image => "image",
            Self::Action => "action",
            Self::Git => "git",
            Self::Text => "text",
        }
    }
}

/// The account whose code ran, or would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// This one.
    Uid(u32),
    /// Every account: a system folder, or nobody knows.
    All,
    /// None of this tree: what was typed elsewhere took nothing here.
    Elsewhere,
}

/// What of the machine was before code that did not have all that its account can read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Folders and files.
    pub folders: Vec<TreePath>,
    /// Variables of whoever started it.
    pub environment: bool,
    /// The keys in the agent of whoever started it, which it could use and not read.
    pub agent: bool,
    /// Whether something else of the machine may have been mounted where it ran.
    pub mounts_unknown: bool,
}

/// One piece of evidence, judged.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `f-` and 16 hex digits.
    pub id: String,
    /// Whose indicator it fits.
    pub incident: IncidentId,
    /// `pypi/litellm@1.82.8`.
    pub indicator: String,
    /// What it is.
    pub kind: FindingKind,
    /// By which rule it is one.
    pub rule: Rule,
    /// How far it got, as the rule says.
    pub exposure: Exposure,
    /// How sure.
    pub confidence: Confidence,
    /// Which surface read it.
    pub surface: &'static str,
    /// Package URL.
    pub package: Option<String>,
    /// Where.
    pub origin: Origin,
    /// Of what kind of package, where it is one or belongs to one.
    pub ecosystem: Option<Ecosystem>,
    /// The files and folders that it is, where its family says so.
    pub holdings: Option<Vec<TreePath>>,
    /// What it is loaded with.
    pub unit: Option<Arc<Unit>>,
    /// The environment it belongs to.
    pub environment: Option<UnitEnvironment>,
    /// The downloadable file it is in.
    pub artifact: Option<Artifact>,
    /// When.
    pub at: Option<At>,
    /// Why it is a finding, and when the code runs.
    pub reason: String,
    /// What shows, or is presumed to show, that it ran or did not: the reason ends with it.
    pub sign: Option<String>,
    /// From what was asked for to the package.
    pub chain: Vec<Link>,
    /// When its code runs first, where that is known.
    pub moment: Option<RunsAt>,
    /// Its code runs without anybody using the package.
    pub by_itself: bool,
    /// By which rule it is one, and how sure, with other evidence of its incident beside it, and why, where its name alone speaks.
    pub corroborated: Option<(Rule, Confidence, String)>,
    /// Whose code it is.
    pub account: Account,
    /// What of the machine it had before it; `None`: whatever the account can read.
    pub bounds: Option<Arc<Bounds>>,
    /// The role of the file, where it is one.
    pub role: Option<FileRole>,
    /// Other incidents that leave the same.
    pub alike: Vec<IncidentId>,
}

impl Finding {
    /// Puts it under another rule, with the exposure that this one stands for.
    fn set_rule(&mut self, rule: Rule, confidence: Confidence) {
        (self.rule, self.exposure, self.confidence) = (rule, rule.exposure(), confidence);
    }

    /// A sign that it ran: the rule, how sure, and what shows it, in place of what was presumed.
    fn ran(&mut self, rule: Rule, confidence: Confidence, sign: String) {
        self.set_rule(rule, confidence);
        self.sign = Some(sign);
    }

    /// Whose a dropped file is: in a home, of the account that lives there, since that account's session starts it.
    pub fn lives_at(&self, accounts: &BTreeMap<Arc<str>, Accounts>) -> Account {
        let home = accounts.get(&self.origin.tree).and_then(|a| a.home_owner(&self.origin.path));
        home.map_or(self.account, Account::Uid)
    }

    /// The folder that its unit is loaded from, where the layout of its path says so.
    fn usual_folder(&self) -> Option<&TreePath> {
        self.unit.as_ref().filter(|u| u.usual).map(|u| &u.folder)
    }
}

/// The whole judgement.
#[derive(Debug, Default)]
pub struct Assessment {
    /// Sorted by incident, then worst first, then place.
    pub findings: Vec<Finding>,
    /// Credentials with their reach.
    pub credentials: Vec<Judged>,
    /// Odd things without an indicator.
    pub anomalies: Vec<Anomaly>,
    /// By time.
    pub timeline: Vec<Moment>,
    /// Install commands without a time and a version.
    pub undated_commands: u64,
    /// Evidence that an earlier clean-up moved away.
    pub kept: Vec<Kept>,
    /// What each machine is part of.
    pub platforms: Vec<PartOf>,
    /// Digests of the configuration and the manifests of each image, `sha256:…`, by its tree.
    pub images: BTreeMap<Arc<str>, Vec<String>>,
    /// Fields for secrets that only refer to a store.
    pub references: Vec<Reference>,
    /// What could not be judged.
    pub gaps: Vec<Gap>,
}

impl Assessment {
    /// Whether a finding is of an image, also of the steps that built it, which stand in no layer.
    pub fn is_of_image(&self, finding: &Finding) -> bool {
        finding.origin.layer.is_some() || self.images.contains_key(&finding.origin.tree)
    }

    /// The worst exposure.
    pub fn exposure(&self) -> Option<Exposure> {
        self.findings.iter().map(|f| f.exposure).max()
    }
}

/// What to judge.
pub struct Case<'c> {
    /// The indicators.
    pub index: &'c Index,
    /// The kinds of credential.
    pub catalog: &'c Catalog,
    /// What was read.
    pub evidence: Vec<Evidence>,
    /// Who lives in each tree.
    pub accounts: BTreeMap<Arc<str>, Accounts>,
}

/// Judges a case of which everything was read.
pub fn assess(case: Case<'_>) -> Assessment {
    assess_with(case, &Unread::default())
}

/// Judges a case.
pub fn assess_with(mut case: Case<'_>, unread: &Unread) -> Assessment {
    case.evidence.sort_by(|a, b| {
        (&a.seen.origin, a.seen.surface, &a.seen.at).cmp(&(&b.seen.origin, b.seen.surface, &b.seen.at))
    });
    let on_path = on_path::OnPath::new(&case.evidence);
    on_path.mark_linked_loadable(&mut case.evidence);
    let units = Units::new(&case.evidence, on_path);
    let cache = UnitCache::new(&units);
    let hooks = Hooks::new(&case, unread);
    let (mut assessment, mut named) = (Assessment::default(), Vec::new());
    for e in &case.evidence {
        if let Fact::Command(command) = &e.seen.fact {
            let open = |w: &crate::fact::Wanted| w.pinned.is_none() && typed::bounded(case.index, w);
            let undated = e.seen.at.is_none() && command.wanted.iter().any(open);
            assessment.undated_commands += u64::from(undated);
        }
        let by_name = matches!(e.seen.fact, Fact::Named(_));
        let judge = || -> Vec<Finding> {
            let hits = matcher::hits(case.index, &e.seen);
            hits.into_iter().filter_map(|hit| evidence::judge(&case, &cache, &hooks, e, hit)).collect()
        };
        match caught(judge) {
            Some(judged) => (if by_name { &mut named } else { &mut assessment.findings }).extend(judged),
            None => assessment.gaps.push(panicked(&e.seen.origin, "this evidence could not be judged")),
        }
    }
    // A step that fails costs what it adds, never what was found before.
    let Assessment { findings, credentials, anomalies, timeline, gaps, kept, platforms, images, references, .. } =
        &mut assessment;
    let root = Origin::file(
        &case.evidence.first().map_or_else(|| "host".into(), |e| e.seen.origin.tree.clone()),
        TreePath::root(),
    );
    let mut step = |what: &str, run: &mut dyn FnMut()| {
        if caught(run).is_none() {
            gaps.push(panicked(&root, what));
        }
    };
    step("hooks that are gone were not looked for", &mut || findings.extend(hooks.findings(&case, &cache)));
    step("what names say was not weighed", &mut || named::join(&case.evidence, findings, std::mem::take(&mut named)));
    step("names alone were not weighed against the rest", &mut || corroborate::lift(findings));
    step("spurious findings were not sorted out", &mut || {
        FAMILIES.iter().for_each(|family| family.sort_out(findings));
        used::sort_out(findings);
        logged::sort_out(findings);
        shared::merge(case.index, findings);
    });
    step("signs that the payload ran were not looked for", &mut || {
        FAMILIES.iter().for_each(|family| family.look_for_signs(&case, &cache, findings));
    });
    step("commands that start interpreters were not looked for", &mut || started::look_for_starts(&case, findings));
    step("what starts by itself was not looked for", &mut || services::look_for_services(&case, findings));
    step("installs from lists were not looked for", &mut || from_lists::look_for_installs(&case, findings));
    let mut set_up = Vec::new();
    step("who starts packages was not looked for", &mut || set_up = configured::explain(&case, findings));
    let mut resolved = Vec::new();
    step("what commands resolved to was not looked for", &mut || {
        resolved = resolved::drop_what_took_a_good_version(&case, findings);
        resolved.append(&mut built::drop_what_stands(findings));
    });
    step("what ran in containers was not kept apart from the rest", &mut || contained::bound(&case, findings));
    step("findings were not sorted", &mut || identify_and_sort(case.index, findings));
    step("what the payload could reach was not judged", &mut || *credentials = reach::judge(&case, findings));
    step("the files of packages were not looked for", &mut || {
        FAMILIES.iter().for_each(|family| family.find_holdings(&case, &units, findings));
    });
    step("kept evidence was not looked for", &mut || *kept = kept::kept(&case.evidence));
    step("references to secrets were not looked for", &mut || *references = references::references(&case.evidence));
    step("platforms were not looked for", &mut || *platforms = platform::platforms(&case.evidence));
    step("images were not looked for", &mut || *images = platform::images(&case.evidence));
    step("odd things were not looked for", &mut || *anomalies = anomaly::find(&case, &units));
    step("the times were not put in order", &mut || {
        *timeline = timeline::moments(&case, findings);
        timeline.append(&mut resolved);
        timeline.append(&mut set_up);
        timeline.sort();
        timeline.dedup();
    });
    assessment
}

/// A fault of this program, brought out by the evidence.
fn panicked(origin: &Origin, what: &str) -> Gap {
    Gap {
        origin: origin.clone(),
        surface: "assess",
        kind: GapKind::Panicked,
        detail: format!("internal error: {what}"),
    }
}

fn identify_and_sort(index: &Index, findings: &mut Vec<Finding>) {
    for f in findings.iter_mut() {
        let incident = index.incident(f.incident).map_or("", |i| i.id.as_str());
        f.id = format!("f-{}", identity(&[incident, &f.indicator, f.kind.as_str()], &f.origin));
        if let Some(sign) = &f.sign {
            f.reason = format!("{}; {sign}", f.reason);
        }
    }
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.incident, std::cmp::Reverse((f.exposure, f.confidence)));
        key(a).cmp(&key(b)).then_with(|| (&a.origin, &a.indicator).cmp(&(&b.origin, &b.indicator)))
    });
    findings.dedup_by(|a, b| a.id == b.id);
}

/// 16 hex digits of what something is and where.
pub fn identity(words: &[&str], origin: &Origin) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(bytes);
    };
    words.iter().for_each(|w| add(w.as_bytes()));
    add(origin.tree.as_bytes());
    add(origin.path.as_bytes());
    add(origin.inner.as_deref().unwrap_or_default().as_bytes());
    add(&origin.line.unwrap_or(0).to_le_bytes());
    add(origin.layer.as_deref().unwrap_or_default().as_bytes());
    hex(hash.finalize().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests;
