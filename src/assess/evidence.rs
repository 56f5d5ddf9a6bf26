//! What one fact that fits an indicator is worth: the rows of the table that need no second fact.

use super::{
    Account, Case, Evidence, Finding, FindingKind,
    chain::Link,
    family::{self, Family, Hooks, Missing},
    layered::{made_by, taken_out},
    named,
    rule::Rule,
    unit_view::UnitCache,
    units::{Distribution, UnitEnvironment},
};
use crate::{
    ecosystem::{purl::Purl, store_entry, unit_of},
    fact::{Artifact, Ecosystem, EnvironmentKind, Fact, Package, Placement, Seen, Statement, TreePath},
    ioc::model::{FileIndicator, FileRole, Incident, Moment, NameWeight, PackageIndicator, Trigger},
    matcher::{self, By, Hit},
    verdict::{Confidence, Exposure},
};

/// Where the indicator is of a sibling of the ecosystem.
const OTHER_SOURCE: &str = "the malicious one was published elsewhere than where this editor takes extensions from by default, and its \
                            place does not say where it was taken from";

/// By which rule, how sure, and the reason.
pub(super) type Judgement = (Rule, Confidence, String);

/// The finding that a hit makes, if it makes one.
pub fn judge(case: &Case<'_>, units: &UnitCache<'_>, hooks: &Hooks, evidence: &Evidence, hit: Hit) -> Option<Finding> {
    let incident = case.index.incident(hit.incident)?;
    let seen = &evidence.seen;
    let draft = Draft { case, units, hooks, evidence, incident, hit };
    let finding = match (&seen.fact, hit.by) {
        (Fact::Package(p), By::Version(at)) => draft.version(p, incident.packages.get(at)?),
        (Fact::Recorded { package, folder }, By::Version(at)) => {
            draft.recorded(package, folder, incident.packages.get(at)?)
        }
        (Fact::Named(p), By::Version(at)) => named::doubt(draft.version(p, incident.packages.get(at)?)),
        (Fact::Package(p) | Fact::Named(p), By::Artifact(at)) => draft.artifact(p, &incident.artifacts.get(at)?.name),
        (_, By::Artifact(at)) => draft.bytes(&incident.artifacts.get(at)?.name),
        (Fact::Executable { pid, program, deleted }, By::File { at, .. }) => {
            draft.executable(*pid, program, *deleted, incident.files.get(at)?)
        }
        (_, By::File { at, hash, placed }) => draft.file(incident.files.get(at)?, hash, placed),
        (Fact::Command(c), By::Pinned(at, w)) => draft.pinned(c, incident.packages.get(at)?, w)?,
        (Fact::Command(c), By::Admits(at, w)) => draft.admits(c, at, w)?,
        (fact, By::Value { list, at, fit }) => draft.value(fact, list, at, fit)?,
        (Fact::Process { pid, .. }, By::Process(at)) => draft.process(*pid, incident.processes.get(at)?),
        (Fact::Autostart { in_project, .. }, By::Process(at)) => {
            draft.autostart(incident.processes.get(at)?, *in_project)
        }
        _ => return None,
    };
    Some(draft.placed(finding))
}

/// The finding of a hook that a distribution's list names and that is gone.
pub fn missing(case: &Case<'_>, units: &UnitCache<'_>, hooks: &Hooks, gone: &Missing) -> Option<Finding> {
    let evidence = case.evidence.get(gone.listed)?;
    let (incident, at) = gone.indicator;
    let hit = Hit { incident, by: By::File { at, hash: false, placed: true } };
    let incident = case.index.incident(incident)?;
    let draft = Draft { case, units, hooks, evidence, incident, hit };
    Some(draft.placed(draft.missing_hook(incident.files.get(at)?, &gone.path)))
}

/// What another tool says of a malicious version.
fn stated(statement: Statement) -> Judgement {
    let (rule, confidence, what) = match statement {
        Statement::Installed => (Rule::PackageStated, Confidence::Likely, "is installed"),
        Statement::Unclear => (Rule::PackageStated, Confidence::Possible, "is part of it, and not where it stood"),
        Statement::Listed => (Rule::PackageStatedListed, Confidence::Likely, "is named by a lock file or a manifest"),
    };
    (rule, confidence, format!("an SBOM, which is somebody's statement, says that the malicious version {what}"))
}

/// One hit on its way to a finding.
pub struct Draft<'d, 's> {
    pub(super) case: &'d Case<'d>,
    pub(super) units: &'d UnitCache<'s>,
    pub(super) hooks: &'d Hooks,
    pub(super) evidence: &'d Evidence,
    pub(super) incident: &'d Incident,
    pub(super) hit: Hit,
}

impl Draft<'_, '_> {
    /// With the ceiling of its indicator, and what became of its file among the layers of an image.
    fn placed(&self, mut finding: Finding) -> Finding {
        if let Some((standing, sources)) = matcher::standing(self.case.index, &self.hit) {
            let ceiling = self.incident.ceiling(standing, sources);
            finding.confidence = finding.confidence.min(ceiling);
            finding.corroborated = finding.corroborated.map(|(rule, sure, why)| (rule, sure.min(ceiling), why));
        }
        if let Some(made) = &self.evidence.made {
            finding.reason = format!("{}; {}", finding.reason, made_by(self.case.index, made));
        }
        if let Some(gone) = self.evidence.gone.as_ref().filter(|_| finding.exposure == Exposure::Installed) {
            finding.set_rule(Rule::InLowerLayer, finding.confidence.min(Confidence::Likely));
            finding.reason = format!("{}; {}", finding.reason, taken_out(self.case.index, gone));
        }
        finding
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.evidence.seen
    }

    pub(super) fn finding(
        &self,
        kind: FindingKind,
        indicator: String,
        (rule, confidence, reason): Judgement,
    ) -> Finding {
        let seen = self.seen();
        Finding {
            id: String::new(),
            incident: self.hit.incident,
            indicator,
            kind,
            rule,
            exposure: rule.exposure(),
            confidence,
            surface: seen.surface,
            package: None,
            origin: seen.origin.clone(),
            ecosystem: seen.unit.as_ref().map(|u| u.ecosystem),
            holdings: None,
            unit: seen.unit.clone(),
            environment: None,
            artifact: None,
            at: seen.at.clone(),
            reason,
            sign: None,
            chain: Vec::new(),
            moment: None,
            by_itself: false,
            corroborated: None,
            account: seen.uid.map_or(Account::All, Account::Uid),
            bounds: None,
            role: None,
            alike: Vec::new(),
        }
    }

    /// A malicious version, wherever it stood.
    fn version(&self, p: &Package, indicator: &PackageIndicator) -> Finding {
        let family = family::for_ecosystem(p.ecosystem);
        let (runs, mut by_itself) = self.when_it_runs(indicator, p.placement);
        let (mut in_place, mut sign) = (false, None);
        let judgement = match p.placement {
            Placement::Loadable => {
                let here = family.loadable(self, p, indicator);
                (by_itself, in_place, sign) = (here.by_itself, here.in_place, here.sign);
                (here.rule, here.confidence, here.reason)
            }
            Placement::Leftover => (Rule::PackageLeftOver, Confidence::Likely, family.left_over(self.seen(), &runs)),
            Placement::Built if indicator.triggers.contains(&Trigger::Build) => {
                (Rule::BuildRan, Confidence::Likely, Rule::BuildRan.meaning().to_owned())
            }
            Placement::Stated(statement) => stated(statement),
            Placement::Logged(logged) => self.logged(logged, indicator),
            Placement::Built => by_rule(Rule::PackageBuilt),
            Placement::Cached => match family.stored(self.seen()) {
                Some(reason) => (Rule::PackageStored, Rule::PackageStored.up_to(), reason.to_owned()),
                None => by_rule(Rule::PackageStored),
            },
            Placement::Listed => match family.listed(self.seen()) {
                Some(rule) => by_rule(rule),
                None => {
                    let reason = "names the malicious version: what is installed from it takes it".to_owned();
                    (Rule::PackageNamed, Confidence::Confirmed, reason)
                }
            },
        };
        let indicator_triggers = indicator.triggers.clone();
        let foreign = indicator.ecosystem != p.ecosystem;
        let indicator = format!("{}/{}@{}", p.ecosystem.purl_type(), p.name, p.version);
        let mut finding = self.finding(FindingKind::Package, indicator, judgement);
        finding.package = Some(purl(p));
        finding.ecosystem = Some(p.ecosystem);
        if !matches!(p.placement, Placement::Stated(_)) {
            finding.holdings = family.holdings(self.seen());
        }
        finding.artifact = p.artifacts.first().cloned();
        finding.by_itself = by_itself;
        finding.sign = sign;
        if foreign {
            finding.confidence = finding.confidence.min(Confidence::Possible);
            finding.reason = format!("{}; {}", finding.reason, OTHER_SOURCE);
        }
        finding.moment = first_moment(&indicator_triggers);
        if matches!(p.placement, Placement::Logged(_)) {
            self.is_logged(&mut finding);
        }
        if in_place {
            self.settle_in(&mut finding, Some(&p.name));
        }
        finding
    }

    /// By whose rules the fact is loaded: by its unit, else by what the incident is about.
    fn family(&self) -> &'static dyn Family {
        let unit = self.seen().unit.as_ref().map(|u| u.ecosystem);
        let incident = || self.incident.packages.first().map(|p| p.ecosystem);
        family::for_ecosystem(unit.or_else(incident).unwrap_or(Ecosystem::Generic))
    }

    /// What an installer's record says it put into a folder; what the folder says itself is weighed by the family.
    fn recorded(&self, p: &Package, folder: &TreePath, indicator: &PackageIndicator) -> Finding {
        let mut finding = self.version(p, indicator);
        // A log stands elsewhere than what it reports.
        finding.unit = finding.unit.or_else(|| unit_of(folder).map(std::sync::Arc::new));
        // A record that names no folder of the package is no reason to take anything out: the project is somebody's own.
        let placed = finding.unit.as_ref().is_some_and(|u| folder.is_within(&u.folder) && *folder != u.folder);
        finding.holdings = Some(if placed { vec![folder.clone()] } else { Vec::new() });
        finding
    }

    /// Known bytes under another version.
    fn artifact(&self, p: &Package, name: &str) -> Finding {
        let known = |a: &&Artifact| a.hashes().any(|h| !self.case.index.artifacts(h).is_empty());
        let hash = p.artifacts.iter().find(known);
        let rule = if p.placement == Placement::Listed { Rule::ArtifactNamed } else { Rule::ArtifactStored };
        let indicator = hash.map(by_hash).unwrap_or_default();
        let reason = format!("the bytes of `{name}`, by {}", hash_kind(&indicator));
        let (judgement, is_here) = match p.placement {
            Placement::Stated(statement) => {
                let (rule, confidence, said) = stated(statement);
                ((rule, confidence, format!("{said}; {reason}")), false)
            }
            _ => ((rule, Confidence::Confirmed, reason), true),
        };
        let mut finding = self.finding(FindingKind::Package, indicator, judgement);
        finding.package = Some(purl(p));
        finding.ecosystem = Some(p.ecosystem);
        if is_here {
            finding.holdings = family::for_ecosystem(p.ecosystem).holdings(self.seen());
        }
        finding.artifact = hash.cloned();
        finding
    }

    /// A wheel or sdist under whatever name, by its hash (`--deep`).
    fn bytes(&self, name: &str) -> Finding {
        let artifact = bytes_of(&self.seen().fact).map(|a| Artifact { name: Some(name.to_owned()), ..a });
        let indicator = artifact.as_ref().map(by_hash).unwrap_or_default();
        let reason = format!("the bytes of `{name}`, by {}", hash_kind(&indicator));
        let judgement = (Rule::ArtifactStored, Confidence::Confirmed, reason);
        let mut finding = self.finding(FindingKind::File, indicator, judgement);
        finding.artifact = artifact;
        finding
    }

    /// A file, by its place or its bytes.
    fn file(&self, indicator: &FileIndicator, hash: bool, placed: bool) -> Finding {
        let what = &indicator.what;
        // A store of a package manager holds whole packages; a project loads its own copy.
        let placed = placed && store_entry(&self.seen().origin.path).is_none();
        let sure = if hash { Confidence::Confirmed } else { Confidence::Likely };
        let bytes = match (hash, &indicator.sha256) {
            (true, _) => ", by SHA-256",
            (false, Some(_)) => ", by name; its bytes are not the known ones",
            (false, None) => ", by name",
        };
        let seen = self.seen();
        let in_target = indicator.role == FileRole::Hook && !placed && self.beside_installed();
        let weak = !hash && self.by_name_alone(indicator);
        let left = format!("{what}, left by the payload when it ran{bytes}");
        let trace = if indicator.role == FileRole::Persistence { Rule::PersistenceFile } else { Rule::TraceFile };
        let judgement = match (indicator.role, placed) {
            _ if in_target => {
                let when = self.family().words().at_start_beside;
                (Rule::HookLoadable, sure, format!("{what}{bytes}, beside what was installed here; {when}"))
            }
            (FileRole::Hook, true) if self.out_of_action().is_some() => {
                let how = self.out_of_action().unwrap_or_default();
                (Rule::HookDisabled, Confidence::Likely, format!("{what}{bytes}; {how}"))
            }
            (FileRole::Hook | FileRole::Companion, true) => {
                let reason = format!("{what}{bytes}; {}", self.family().words().at_start);
                (Rule::HookLoadable, sure, reason)
            }
            (FileRole::Module | FileRole::Payload, true) => (Rule::PayloadFile, sure, format!("{what}{bytes}")),
            (FileRole::Planted, true) => {
                let reason = format!("{what}{bytes}; it comes with a clone, and does not show that it ran here");
                (Rule::PlantedFile, sure, reason)
            }
            (FileRole::Persistence | FileRole::Trace, true) if weak => (
                Rule::TraceByName,
                Confidence::Possible,
                format!("a file where the payload leaves one ({what}){bytes}; others may have one of that name too"),
            ),
            (FileRole::Persistence | FileRole::Trace, true) => (trace, Confidence::Confirmed, left.clone()),
            (_, false) => (Rule::FileStored, sure, format!("{what}{bytes}, where nothing loads it")),
        };
        let name = match (hash, placed, &indicator.sha256) {
            (true, false, Some(hash)) => format!("sha256/{hash}"),
            _ => path_name(indicator),
        };
        let mut finding = self.finding(FindingKind::File, name, judgement);
        finding.role = Some(indicator.role);
        finding.corroborated = weak.then_some((trace, Confidence::Confirmed, left));
        finding.moment = match indicator.role {
            FileRole::Hook | FileRole::Companion | FileRole::Planted | FileRole::Persistence => Some(Moment::AtStart),
            FileRole::Module | FileRole::Payload => Some(Moment::OnUse),
            FileRole::Trace => None,
        };
        finding.by_itself = in_target || (placed && matches!(indicator.role, FileRole::Hook | FileRole::Companion));
        finding.artifact = bytes_of(&self.seen().fact);
        if in_target || (placed && seen.unit.as_ref().is_some_and(|u| u.usual)) {
            self.settle_in(&mut finding, indicator.package.as_deref());
        }
        finding
    }

    /// Whether nothing but its place speaks for a file: not its bytes, no text in it, no mark of a program, and its name is one that
    /// others use.
    fn by_name_alone(&self, indicator: &FileIndicator) -> bool {
        let Fact::File { program, .. } = self.seen().fact else {
            return false;
        };
        let counts = match indicator.alone {
            Some(NameWeight::Distinctive) => true,
            Some(NameWeight::Program) => program,
            None => false,
        };
        matches!(indicator.role, FileRole::Persistence | FileRole::Trace) && indicator.holds.is_empty() && !counts
    }

    /// The environment, the time of the install, the chain, and the account of a finding in a site folder.
    pub(super) fn settle_in(&self, finding: &mut Finding, package: Option<&str>) {
        let seen = self.seen();
        let tree = &seen.origin.tree;
        let Some(unit) = &seen.unit else {
            return;
        };
        let environment = self.units.environment_of(tree, unit);
        let view = self.units.view(tree, unit);
        if finding.kind == FindingKind::Package {
            let own = view.of_folder(&seen.origin.path.parent());
            let own = own.filter(|d| family::for_ecosystem(d.package.ecosystem).has_own_time(d));
            finding.at = own.and_then(|d| d.installed.clone()).or_else(|| finding.at.take());
        } else {
            // uv and conda link files that are older than the install.
            let bad = |d: &&&Distribution| {
                Some(&*d.package.name) == package
                    && !self.case.index.version(d.package.ecosystem, &d.package.name, &d.package.version).is_empty()
            };
            let installed = view.distributions.iter().filter(bad).filter_map(|d| d.installed.clone());
            finding.at = installed.chain(finding.at.take()).max_by_key(|at| at.time);
        }
        finding.chain = package.map(|p| view.chain(p)).unwrap_or_default();
        // The row of the package that holds the finding itself comes from another version where the package was replaced.
        if finding.chain.last().is_some_and(|l: &Link| Some(l.name.as_str()) != package) {
            finding.chain.clear();
        }
        finding.account = account(&environment, seen.uid);
        finding.environment = Some(environment);
    }
}

/// What a rule says of every fact that fits it.
fn by_rule(rule: Rule) -> Judgement {
    (rule, rule.up_to(), rule.meaning().to_owned())
}

/// When the code of a package runs first.
pub(super) fn first_moment(triggers: &[Trigger]) -> Option<Moment> {
    triggers.iter().map(|t| t.moment()).min()
}

/// The indicator that a hash is: `sha512/<hex>`.
fn by_hash(a: &Artifact) -> String {
    match (&a.sha256, &a.digest) {
        (None, Some(digest)) => digest.replacen(':', "/", 1),
        (sha256, _) => format!("sha256/{}", sha256.as_deref().unwrap_or_default()),
    }
}

/// `SHA-512`
fn hash_kind(indicator: &str) -> String {
    indicator.split('/').next().unwrap_or_default().to_uppercase().replacen("SHA", "SHA-", 1)
}

/// The file itself as a downloadable file without a name.
fn bytes_of(fact: &Fact) -> Option<Artifact> {
    match fact {
        Fact::File { size, digest: Some(digest), .. } => {
            Some(Artifact { size: Some(*size), digest: Some(digest.clone()), ..Artifact::default() })
        }
        Fact::File { size, sha256: Some(sha256), .. } | Fact::Hook { size, sha256: Some(sha256), .. } => {
            Some(Artifact { size: Some(*size), sha256: Some(sha256.clone()), ..Artifact::default() })
        }
        _ => None,
    }
}

/// The owner of the site folder; of a system folder, every account.
fn account(environment: &UnitEnvironment, uid: Option<u32>) -> Account {
    match uid {
        None | Some(0) => Account::All,
        _ if environment.kind == EnvironmentKind::SYSTEM => Account::All,
        Some(uid) => Account::Uid(uid),
    }
}

/// What the indicator of a path is called in reports.
pub(super) fn path_name(indicator: &FileIndicator) -> String {
    let path = indicator.paths.first().map_or("", String::as_str);
    format!("path/{}", path.trim_start_matches('/'))
}

pub(super) fn runs(triggers: impl IntoIterator<Item = Trigger>) -> String {
    let when: Vec<&str> = triggers.into_iter().map(Trigger::words).collect();
    format!("it runs {}", when.join(" and "))
}

fn purl(p: &Package) -> String {
    Purl::new(p.ecosystem, &p.name, Some(&p.version)).to_string()
}
