//! Whether the install script of a package ran: what installers wrote down, and the settings that keep them from it.

use std::{collections::HashMap, sync::Arc};

use super::{tools::Tools, typed::Typed};
use crate::{
    assess::{Case, Finding, rule::Rule},
    ecosystem::purl::Purl,
    fact::{Fact, ScriptOutcome, Seen, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// What the evidence says of install scripts and of settings that block them.
pub struct Scripts<'e> {
    /// By the name of the package.
    records: HashMap<&'e str, Vec<Record<'e>>>,
    tools: Tools<'e>,
    typed: Typed<'e>,
    /// Folders of packages that a log names, by the log and the package.
    places: HashMap<(&'e Arc<str>, &'e TreePath, &'e str), Vec<&'e TreePath>>,
}

struct Record<'e> {
    version: &'e str,
    folder: Option<&'e TreePath>,
    outcome: ScriptOutcome,
    seen: &'e Seen,
}

impl<'e> Scripts<'e> {
    /// Looks through the evidence.
    pub fn new(case: &'e Case<'e>) -> Self {
        let evidence = &case.evidence;
        let (tools, typed) = (Tools::new(evidence), Typed::new(case));
        let mut scripts = Self { records: HashMap::new(), tools, typed, places: HashMap::new() };
        for seen in evidence.iter().map(|e| &e.seen) {
            let Fact::InstallScript { name, version, folder, outcome } = &seen.fact else {
                continue;
            };
            if let Some(folder) = folder.as_ref().filter(|_| *outcome == ScriptOutcome::Started) {
                let log = (&seen.origin.tree, &seen.origin.path, &**name);
                scripts.places.entry(log).or_default().push(folder);
            }
            let record = Record { version, folder: folder.as_ref(), outcome: *outcome, seen };
            scripts.records.entry(name).or_default().push(record);
        }
        scripts
    }

    /// Lifts a finding of an installed package where its script is known to have run, and lowers it where it is known not to have.
    pub fn weigh(&self, finding: &mut Finding) {
        let Some(package) = finding.package.as_deref().and_then(Purl::parse) else {
            return;
        };
        let version = package.version.as_deref().unwrap_or_default();
        let records = self.records.get(&*package.name).map_or([].as_slice(), Vec::as_slice);
        let of_this = records.iter().filter(|t| t.version.is_empty() || t.version == version);
        let of_this: Vec<&Record<'_>> = of_this.filter(|t| self.is_of(t, finding, &package.name)).collect();
        let find = |outcome: ScriptOutcome| of_this.iter().find(|t| t.outcome == outcome);
        if let Some(record) = find(ScriptOutcome::Succeeded) {
            lift(
                finding,
                Confidence::Confirmed,
                &format!("{} says that its script ended without a fault", source(record)),
            );
        } else if let Some(record) = find(ScriptOutcome::Started).or_else(|| find(ScriptOutcome::Failed)) {
            lift(finding, Confidence::Likely, &format!("{} says that its script was started", source(record)));
        } else if let Some(record) = find(ScriptOutcome::Skipped).filter(|_| finding.exposure == Exposure::Executed) {
            lower(finding, &format!("{} says that its script was not run", source(record)));
        } else if finding.exposure == Exposure::Executed && is_in_an_archive(finding) {
            lower(finding, "yarn unpacks a package whose script it runs, and loads this one out of its archive");
        } else if finding.exposure == Exposure::Executed
            && let Some(why) = self.blocked(finding, &package)
        {
            lower(finding, &why);
        }
    }

    /// What kept its tool from running it.
    fn blocked(&self, finding: &Finding, package: &Purl) -> Option<String> {
        let typed = || self.typed.blocks(finding, self.tools.name(finding)?);
        self.tools.blocks(finding, package).or_else(typed)
    }

    /// Whether a record is of this copy of the package: of its folder, or of a folder that it does not name.
    fn is_of(&self, record: &Record<'_>, finding: &Finding, name: &str) -> bool {
        let origin = &record.seen.origin;
        if origin.tree != finding.origin.tree {
            return false;
        }
        // A record lists packages of other folders than its own.
        let held = finding.holdings.as_ref().and_then(|all| all.first()).cloned();
        let here = held.unwrap_or_else(|| finding.origin.path.parent());
        match record.folder {
            Some(folder) => *folder == here,
            // A log names the folder where the script starts, a record is of the unit that it lies in.
            None => match self.places.get(&(&origin.tree, &origin.path, name)) {
                Some(folders) => folders.contains(&&here),
                None => finding
                    .unit
                    .as_ref()
                    .is_none_or(|u| record.outcome != ScriptOutcome::Skipped || origin.path.is_within(&u.root)),
            },
        }
    }
}

/// Yarn's Plug'n'Play loads most packages out of zips; its list says so.
fn is_in_an_archive(finding: &Finding) -> bool {
    matches!(finding.origin.path.name(), b".pnp.cjs" | b".pnp.js" | b".pnp.data.json")
}

fn source(record: &Record<'_>) -> String {
    let at = record.seen.at.as_ref().map(|at| format!(" of {}", at.time)).unwrap_or_default();
    format!("`{}`{at}", escape(record.seen.origin.path.text().as_bytes()))
}

fn lift(finding: &mut Finding, confidence: Confidence, why: &str) {
    let sure = if finding.exposure == Exposure::Executed { finding.confidence.max(confidence) } else { confidence };
    finding.ran(Rule::InstallScriptRan, sure, why.to_owned());
}

fn lower(finding: &mut Finding, why: &str) {
    // Of a package that only a log knows any more nothing is left that could run.
    if super::recorded::is_log(&finding.origin.path) {
        return finding.ran(Rule::PackageGone, Confidence::Likely, why.to_owned());
    }
    finding.ran(Rule::InstallScriptBlocked, Confidence::Likely, why.to_owned());
}
