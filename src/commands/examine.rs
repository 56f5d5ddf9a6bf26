//! What every examination shares: the indicators, the surfaces chosen, and the way from facts to a report.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use anyhow::bail;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{
    indicators::{self, Indicators},
    output, surfaces,
};
use crate::{
    accounts::Accounts,
    assess::{Assessment, Case, Evidence, Unread, assess_with},
    cli::Choice,
    coverage::Coverage,
    credential::{
        Catalog, CredentialSurface, ENVIRONMENT,
        moved::{Live, MovedPlaces, Setting as Text, moved_places},
        tag::CaseKey,
    },
    deep::{EveryFile, EveryText},
    fact::{Credential, TreePath},
    image::HISTORY,
    interest::Interest,
    inventory::v1::Head,
    ioc::{Index, model::Incident},
    report::{
        self, Examination,
        v1::{self, Report},
    },
    rotate::Scope,
    sandbox::Sandbox,
    scan::{Setting, Settings},
    surface::{
        SURFACES, Surface,
        host::{cron, file, process},
        python::hook,
        systemd::unit,
    },
    text::hex,
    tree::threads::beside,
};

/// The knowledge of one run.
pub struct Setup {
    /// The indicators.
    pub index: Index,
    /// Where they come from.
    pub indicators: Indicators,
    /// The kinds of credential.
    pub catalog: Catalog,
    /// What surfaces shall look for.
    pub interest: Interest,
    /// What of the settings that move credentials was not looked at.
    pub moved_gap: Option<String>,
    /// The surfaces that the user chose.
    pub chosen: Selection,
    credentials: CredentialSurface,
    /// Public name of the case key.
    pub case_key: Option<String>,
    unread: Unread,
    threads: Option<u16>,
    digest: OnceLock<String>,
    asked: OnceLock<BTreeMap<String, String>>,
    /// What incidents ask for of which only a part is looked for.
    whole: BTreeMap<String, String>,
    /// Where settings put histories.
    histories: Vec<TreePath>,
    /// Names that settings have for machines, each with the one that it stands for.
    hosts: Vec<(String, String)>,
}

/// Which surfaces an examination has.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These alone; empty for all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
    /// Every file is hashed.
    pub deep: bool,
}

impl Selection {
    /// Whether it leaves a surface.
    pub fn wants(&self, id: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|o| chosen_by(id, o)))
            && !self.skip.iter().any(|o| chosen_by(id, o))
    }

    /// What it leaves of a target, the whole of which is walked or a part.
    pub fn scope(&self, walked: bool) -> Scope {
        let all = self.only.is_empty() && self.skip.is_empty();
        let monitors = [&file::META, &unit::META, &process::META, &cron::META].iter().all(|m| self.wants(m.id));
        Scope { whole: walked && all, monitors: walked && monitors, ..Scope::default() }
    }

    /// What of it was not read: that it was not found there shows nothing.
    pub fn unread(&self, coverage: &Coverage) -> Unread {
        let files = coverage.gaps.iter().map(|g| (g.origin.tree.clone(), g.origin.path.clone()));
        Unread { files: files.collect(), hooks: !self.wants(hook::META.id) }
    }
}

impl Setup {
    /// From the embedded indicators, with the places that the target's own settings move.
    ///
    /// # Errors
    /// Where they are broken, or the choice names an incident or surface that does not exist.
    pub fn new(choice: &Choice, deep: bool, settings: &Settings, live: bool) -> anyhow::Result<Self> {
        // Both are parsed from JSON; neither needs the other.
        let load = || Indicators::load(&choice.indicators);
        let (known, indicators) = beside(|| credentials(settings, live), load);
        let known = known.unwrap_or_else(|| bail!("the kinds of credential cannot be used"));
        let (mut indicators, known) = (indicators?, known?);
        // With `--incident`, of others only a part is looked for: who looked for the whole looked for that too.
        let whole = if choice.incident.is_empty() { BTreeMap::new() } else { asked(&indicators.database.incidents)? };
        let index = indicators.index(&choice.incident)?;
        let ids = || surfaces::metas().map(|m| m.id);
        for id in choice.only.iter().chain(&choice.skip) {
            if !ids().any(|k| chosen_by(k, id)) {
                bail!("no surface `{id}`\nhint: `dosimeter surfaces` lists them");
            }
        }
        let (only, skip) = (choice.only.clone(), choice.skip.clone());
        let chosen = Selection { only, skip, deep: deep || bare_hashes(&index) };
        let interest = index.interest();
        let moved_gap = (known.dropped > 0)
            .then(|| format!("{} more places of credentials, moved by variables, than are looked at", known.dropped));
        Ok(Self {
            index,
            indicators,
            catalog: known.catalog,
            interest,
            moved_gap,
            credentials: known.surface,
            case_key: None,
            chosen,
            threads: choice.threads,
            digest: OnceLock::new(),
            asked: OnceLock::new(),
            whole,
            unread: Unread::default(),
            histories: known.histories,
            hosts: settings.hosts.clone(),
        })
    }

    /// The same, with keyed tags of the credentials.
    pub fn with_case_key(mut self, key: Option<CaseKey>) -> Self {
        self.case_key = key.as_ref().map(|key| key.name().to_owned());
        self.credentials = self.credentials.with_case_key(key.map(Arc::new));
        self
    }

    /// Says that more is hashed than was asked for with `--deep`.
    pub fn note_hashing(&self, asked: bool) {
        if self.chosen.deep && !asked {
            output::note("a hash without a file name was given: every file is hashed");
        }
    }

    /// The surfaces that the user's choice leaves.
    pub fn surfaces(&self) -> Vec<&dyn Surface> {
        self.surfaces_of(&self.chosen)
    }

    /// The surfaces of a selection.
    pub fn surfaces_of(&self, selection: &Selection) -> Vec<&dyn Surface> {
        let mut all: Vec<&dyn Surface> = SURFACES.to_vec();
        all.push(&self.credentials);
        if selection.deep {
            // The search comes first: of a stream it holds what is hashed then.
            all.push(&EveryText);
            all.push(&EveryFile);
        }
        all.retain(|s| selection.wants(s.meta().id));
        all
    }

    /// Whether the user's choice leaves a surface.
    pub fn wants(&self, id: &str) -> bool {
        self.chosen.wants(id)
    }

    /// What the user's choice leaves of a target, the whole of which is walked or a part.
    pub fn scope(&self, walked: bool) -> Scope {
        self.chosen.scope(walked)
    }

    /// The secrets among the variables that every process of a tree has, unless the user's choice leaves them out.
    pub fn environment(&self, lines: &[u8]) -> Vec<(String, Credential)> {
        let wanted = self.wants(ENVIRONMENT);
        if wanted { self.credentials.of_environment(lines) } else { Vec::new() }
    }

    /// Takes note of what could not be read: that it was not found there shows nothing.
    pub fn note_unread(&mut self, coverage: &Coverage) {
        self.unread = self.chosen.unread(coverage);
    }

    /// The secrets among values that a build left in an image, unless the user's choice leaves them out.
    pub fn arguments(&self, lines: &[u8]) -> Vec<(String, Credential)> {
        let wanted = self.wants(HISTORY.id);
        if wanted { self.credentials.of_build(lines) } else { Vec::new() }
    }

    /// The same accounts, with what settings say: where histories are, and which names are this machine's.
    pub fn with_settings(&self, accounts: Accounts) -> Accounts {
        accounts.with_histories(self.histories.iter().cloned()).with_aliases(&self.hosts)
    }

    /// Of all that the indicators ask surfaces for. Two runs of equal digests read the same facts.
    pub fn digest(&self) -> anyhow::Result<String> {
        // What the feeds add later is not asked for.
        Ok(match self.digest.get() {
            Some(digest) => digest.clone(),
            None => {
                let new = self.digest_of_now()?;
                self.digest.get_or_init(|| new).clone()
            }
        })
    }

    fn digest_of_now(&self) -> anyhow::Result<String> {
        let mut hash = Sha256::new();
        serde_json::to_writer(&mut hash, &self.index.database.incidents)?;
        for layer in &self.indicators.layers {
            serde_json::to_writer(&mut hash, layer)?;
        }
        Ok(format!("sha256:{}", hex(&hash.finalize())))
    }

    /// What each incident asks of files, hosts and processes, as a digest by its id.
    pub fn asked(&self) -> anyhow::Result<&BTreeMap<String, String>> {
        if let Some(asked) = self.asked.get() {
            return Ok(asked);
        }
        let new = asked(&self.index.database.incidents)?;
        Ok(self.asked.get_or_init(|| new))
    }

    /// The incidents that ask for what a recording did not look for.
    ///
    /// # Errors
    /// Where they cannot be compared.
    pub fn missing(&self, asked: &BTreeMap<String, String>) -> anyhow::Result<Vec<&Incident>> {
        let now = self.asked()?;
        let missing = |i: &&Incident| match (now.get(&i.id), asked.get(&i.id)) {
            (None, _) => false,
            (Some(_), None) => true,
            (now, then) => now != then && self.whole.get(&i.id) != then,
        };
        let mut incidents: Vec<&Incident> = self.index.database.incidents.iter().filter(missing).collect();
        incidents.sort_by(|a, b| a.id.cmp(&b.id));
        incidents.dedup_by(|a, b| a.id == b.id);
        Ok(incidents)
    }

    /// The surfaces that an inventory was recorded with.
    pub fn chosen_of(&self, head: &Head) -> Selection {
        let (only, skip) = (head.only.clone(), head.skip.clone());
        Selection { only, skip, deep: head.deep || self.chosen.deep }
    }

    /// Worker threads.
    pub fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.threads.map_or(cores, usize::from)
    }

    /// Judges what was read.
    ///
    /// # Errors
    /// Where the indicators changed while they were in use.
    pub fn judge(
        &mut self,
        evidence: Vec<Evidence>,
        accounts: BTreeMap<Arc<str>, Accounts>,
    ) -> anyhow::Result<Assessment> {
        self.admit(&evidence)?;
        let unread = std::mem::take(&mut self.unread);
        Ok(self.judge_admitted(evidence, accounts, &unread))
    }

    /// Takes what the feeds say of the packages of this evidence among the incidents.
    ///
    /// # Errors
    /// Where the indicators changed while they were in use.
    pub fn admit(&mut self, evidence: &[Evidence]) -> anyhow::Result<()> {
        let new = self.unadmitted(evidence);
        self.index.admit(new);
        self.indicators.still_good()
    }

    /// The indicators, for a report of a run that began then.
    pub fn described(&self, started: Timestamp) -> v1::Indicators {
        report::described(&self.index, self.indicators.layers.clone(), started)
    }

    /// What the feeds say of the packages of this evidence, and is not among the incidents yet.
    pub fn unadmitted(&self, evidence: &[Evidence]) -> Vec<Incident> {
        self.index.unadmitted(&indicators::packages(evidence.iter().map(|e| &e.seen)))
    }

    /// Judges what was read, once what the feeds say of it is among the incidents.
    pub fn judge_admitted(
        &self,
        evidence: Vec<Evidence>,
        accounts: BTreeMap<Arc<str>, Accounts>,
        unread: &Unread,
    ) -> Assessment {
        let own = |(tree, a): (Arc<str>, Accounts)| (tree, self.with_settings(a));
        let accounts = accounts.into_iter().map(own).collect();
        assess_with(Case { index: &self.index, catalog: &self.catalog, evidence, accounts }, unread)
    }
}

/// What one examination met, judged.
pub struct Judged<'j> {
    /// The judgement.
    pub assessment: &'j Assessment,
    /// What was examined.
    pub coverage: Coverage,
    /// Who lives on each tree.
    pub accounts: &'j BTreeMap<Arc<str>, Accounts>,
    /// What it was.
    pub target: v1::Target,
    /// When it began.
    pub started: Timestamp,
    /// Whether every account's files could be read.
    pub privileged: bool,
    /// What a plan may speak of.
    pub scope: Scope,
}

impl Setup {
    /// The report, and what held this process while it was made.
    pub fn report(&self, judged: Judged<'_>, sandbox: &Sandbox) -> Report {
        let mut report = report::build(Examination {
            index: &self.index,
            layers: self.indicators.layers.clone(),
            catalog: &self.catalog,
            assessment: judged.assessment,
            coverage: judged.coverage,
            accounts: judged.accounts,
            target: judged.target,
            started: judged.started,
            finished: Timestamp::now(),
            argv: output::argv(),
            user: output::user(),
            privileged: judged.privileged,
            scope: judged.scope,
        });
        report.run.sandbox = Some(v1::Sandbox::from(sandbox.held()));
        report.run.case_key.clone_from(&self.case_key);
        report
    }
}

fn asked(incidents: &[Incident]) -> anyhow::Result<BTreeMap<String, String>> {
    let digest = |i: &Incident| -> anyhow::Result<(String, String)> {
        let mut hash = Sha256::new();
        serde_json::to_writer(&mut hash, &(&i.files, &i.network, &i.processes, &i.strings, &i.git))?;
        Ok((i.id.clone(), hex(hash.finalize().get(..8).unwrap_or_default())))
    };
    incidents.iter().filter(|i| asks_for_more(i)).map(digest).collect()
}

/// Whether an incident asks for more than packages and what is used by name, which every recording has.
fn asks_for_more(i: &Incident) -> bool {
    let files = i.files.iter().any(|f| f.standing.withdrawn.is_none());
    let network = i.network.iter().any(|n| n.standing.withdrawn.is_none());
    files || network || !i.processes.is_empty() || !i.strings.is_empty() || !i.git.is_empty()
}

/// The kind that histories of shells are.
const SHELL_HISTORY: &str = "os.shell_history";

/// The kinds of credential, and where they lie.
struct Credentials {
    catalog: Catalog,
    surface: CredentialSurface,
    /// Where settings put the histories of shells.
    histories: Vec<TreePath>,
    /// Moved places that were left out.
    dropped: usize,
}

fn credentials(settings: &Settings, live: bool) -> anyhow::Result<Credentials> {
    let catalog = Catalog::embedded().map_err(anyhow::Error::msg)?;
    let mut moved = moved(&catalog, &settings.texts, live);
    moved.places.extend(settings.places.iter().cloned());
    let surface = CredentialSurface::new(&catalog, &moved.places).map_err(anyhow::Error::msg)?;
    let histories = moved.places.iter().filter(|m| m.kind == SHELL_HISTORY);
    let histories = histories.filter_map(|m| TreePath::new(m.path.as_bytes())).collect();
    Ok(Credentials { catalog, surface, histories, dropped: moved.dropped })
}

/// Whether a hash was given without a name: then every file is hashed.
fn bare_hashes(index: &Index) -> bool {
    let artifacts = index.database.incidents.iter().flat_map(|i| &i.artifacts);
    artifacts.filter(|a| a.name.starts_with("sha256:")).count() > 0
}

/// Where credentials lie by these settings and, on the live machine, by the caller's environment.
fn moved(catalog: &Catalog, settings: &[Setting], live: bool) -> MovedPlaces {
    let texts: Vec<Text<'_>> = settings.iter().map(|s| Text { home: s.home.as_ref(), text: &s.text }).collect();
    let variables: Vec<(String, String)> =
        std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))).collect();
    let home = variables.iter().find(|(n, _)| n == "HOME").and_then(|(_, v)| TreePath::new(v.as_bytes()));
    let live: Vec<Live<'_>> =
        variables.iter().filter(|_| live).map(|(name, value)| Live { home: home.as_ref(), name, value }).collect();
    moved_places(catalog, &texts, &live)
}

/// `python` chooses `python/pip-cache`; `python/pip` does not.
fn chosen_by(id: &str, choice: &str) -> bool {
    id.strip_prefix(choice.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
