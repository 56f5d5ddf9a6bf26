//! What every examination shares: the indicators, the surfaces chosen, and the way from facts to a report.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::bail;

use super::{
    indicators::{self, Indicators},
    output, surfaces,
};
use crate::{
    accounts::Accounts,
    assess::{Assessment, Case, Evidence, assess},
    cli::Choice,
    credential::{
        Catalog, CredentialSurface, ENVIRONMENT,
        moved::{Live, Moved, Setting as Text, moved_places},
    },
    fact::{Credential, TreePath},
    interest::Interest,
    ioc::Index,
    rotate::Scope,
    scan::Setting,
    surface::{SURFACES, Surface, host::file::EveryFile},
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
    credentials: CredentialSurface,
    choice: Choice,
    deep: bool,
}

impl Setup {
    /// From the embedded indicators, with the places that the target's own settings move.
    ///
    /// # Errors
    /// Where they are broken, or the choice names an incident or surface that does not exist.
    pub fn new(choice: &Choice, deep: bool, settings: &[Setting], live: bool) -> anyhow::Result<Self> {
        // Both are parsed from JSON; neither needs the other.
        let (indicators, known) = std::thread::scope(|scope| {
            let known = scope.spawn(|| credentials(settings, live));
            let indicators = Indicators::load(&choice.indicators);
            (indicators, known.join().unwrap_or_else(|_| bail!("the kinds of credential cannot be used")))
        });
        let (mut indicators, (catalog, credentials)) = (indicators?, known?);
        let index = indicators.index(&choice.incident)?;
        let known = || surfaces::metas().map(|m| m.id);
        for id in choice.only.iter().chain(&choice.skip) {
            if !known().any(|k| chosen(k, id)) {
                bail!("no surface `{id}`\nhint: `dosimeter surfaces` lists them");
            }
        }
        let deep = deep || bare_hashes(&index);
        let interest = index.interest();
        Ok(Self { index, indicators, catalog, interest, credentials, choice: choice.clone(), deep })
    }

    /// The surfaces that the user's choice leaves.
    pub fn surfaces(&self) -> Vec<&dyn Surface> {
        let mut all: Vec<&dyn Surface> = SURFACES.to_vec();
        all.push(&self.credentials);
        if self.deep {
            all.push(&EveryFile);
        }
        all.retain(|s| self.wants(s.meta().id));
        all
    }

    fn wants(&self, id: &str) -> bool {
        let only = &self.choice.only;
        (only.is_empty() || only.iter().any(|o| chosen(id, o))) && !self.choice.skip.iter().any(|o| chosen(id, o))
    }

    /// What the user's choice leaves of a target, the whole of which is walked or a part.
    pub fn scope(&self, walked: bool) -> Scope {
        let all = self.choice.only.is_empty() && self.choice.skip.is_empty();
        let monitors = ["host/file", "systemd/unit", "host/process", "host/cron"].iter().all(|id| self.wants(id));
        Scope { whole: walked && all, monitors: walked && monitors }
    }

    /// The secrets among the variables that every process of a tree has, unless the user's choice leaves them out.
    pub fn environment(&self, lines: &[u8]) -> Vec<(String, Credential)> {
        let wanted = self.wants(ENVIRONMENT);
        if wanted { self.credentials.of_environment(lines) } else { Vec::new() }
    }

    /// The secrets among values that a build left in an image, unless the user's choice leaves them out.
    pub fn arguments(&self, lines: &[u8]) -> Vec<(String, Credential)> {
        let wanted = self.wants(ENVIRONMENT);
        if wanted { self.credentials.of_build(lines) } else { Vec::new() }
    }

    /// Worker threads.
    pub fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.choice.threads.map_or(cores, usize::from)
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
        self.index.admit(&indicators::packages(evidence.iter().map(|e| &e.seen)));
        self.indicators.still_good()?;
        Ok(assess(Case { index: &self.index, catalog: &self.catalog, evidence, accounts }))
    }
}

/// The kinds of credential, and where they lie.
fn credentials(settings: &[Setting], live: bool) -> anyhow::Result<(Catalog, CredentialSurface)> {
    let catalog = Catalog::embedded().map_err(anyhow::Error::msg)?;
    let moved = moved(&catalog, settings, live);
    let surface = CredentialSurface::new(&catalog, &moved).map_err(anyhow::Error::msg)?;
    Ok((catalog, surface))
}

/// Whether a hash was given without a name: then every file is hashed.
fn bare_hashes(index: &Index) -> bool {
    let artifacts = index.database.incidents.iter().flat_map(|i| &i.artifacts);
    let bare = artifacts.filter(|a| a.name.starts_with("sha256:")).count();
    if bare > 0 {
        output::note("a hash without a file name was given: every file is hashed");
    }
    bare > 0
}

/// Where credentials lie by these settings and, on the live machine, by the caller's environment.
fn moved(catalog: &Catalog, settings: &[Setting], live: bool) -> Vec<Moved> {
    let texts: Vec<Text<'_>> = settings.iter().map(|s| Text { home: s.home.as_ref(), text: &s.text }).collect();
    let variables: Vec<(String, String)> =
        std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))).collect();
    let home = variables.iter().find(|(n, _)| n == "HOME").and_then(|(_, v)| TreePath::new(v.as_bytes()));
    let live: Vec<Live<'_>> =
        variables.iter().filter(|_| live).map(|(name, value)| Live { home: home.as_ref(), name, value }).collect();
    moved_places(catalog, &texts, &live)
}

/// `python` chooses `python/pip-cache`; `python/pip` does not.
fn chosen(id: &str, choice: &str) -> bool {
    id.strip_prefix(choice.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
