//! Whether the install script of a package ran: what installers wrote down, and the settings that keep them from it.

use std::{collections::HashMap, sync::Arc};

use crate::{
    assess::{Evidence, Finding},
    ecosystem::purl::Purl,
    fact::{Fact, Origin, ScriptOutcome, Seen, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// What the evidence says of install scripts and of settings that block them.
pub struct Scripts<'e> {
    /// By the name of the package.
    told: HashMap<&'e str, Vec<Told<'e>>>,
    blocks: Vec<Block<'e>>,
    /// Folders of packages that a log names, by the log and the package.
    places: HashMap<(&'e Arc<str>, &'e TreePath, &'e str), Vec<&'e TreePath>>,
}

struct Told<'e> {
    version: &'e str,
    folder: Option<&'e TreePath>,
    outcome: ScriptOutcome,
    seen: &'e Seen,
}

struct Block<'e> {
    by: &'static str,
    root: &'e TreePath,
    allowed: &'e [Box<str>],
    origin: &'e Origin,
}

impl<'e> Scripts<'e> {
    /// Looks through the evidence.
    pub fn new(evidence: &'e [Evidence]) -> Self {
        let mut scripts = Self { told: HashMap::new(), blocks: Vec::new(), places: HashMap::new() };
        for seen in evidence.iter().map(|e| &e.seen) {
            match &seen.fact {
                Fact::InstallScript { name, version, folder, outcome } => {
                    if let Some(folder) = folder {
                        let log = (&seen.origin.tree, &seen.origin.path, &**name);
                        scripts.places.entry(log).or_default().push(folder);
                    }
                    let told = Told { version, folder: folder.as_ref(), outcome: *outcome, seen };
                    scripts.told.entry(name).or_default().push(told);
                }
                Fact::ScriptsBlocked { by, root, allowed } => {
                    scripts.blocks.push(Block { by, root, allowed, origin: &seen.origin });
                }
                _ => {}
            }
        }
        scripts
    }

    /// Lifts a finding of an installed package where its script is known to have run, and lowers it where it is known not to have.
    pub fn weigh(&self, finding: &mut Finding) {
        let Some(package) = finding.package.as_deref().and_then(Purl::parse) else {
            return;
        };
        let version = package.version.as_deref().unwrap_or_default();
        let told = self.told.get(&*package.name).map_or([].as_slice(), Vec::as_slice);
        let of_this = told.iter().filter(|t| t.version.is_empty() || t.version == version);
        let of_this: Vec<&Told<'_>> = of_this.filter(|t| self.is_of(t, finding, &package.name)).collect();
        let find = |outcome: ScriptOutcome| of_this.iter().find(|t| t.outcome == outcome);
        if let Some(told) = find(ScriptOutcome::Succeeded) {
            lift(
                finding,
                Confidence::Confirmed,
                &format!("{} says that its script ended without a fault", source(told)),
            );
        } else if let Some(told) = find(ScriptOutcome::Started).or_else(|| find(ScriptOutcome::Failed)) {
            lift(finding, Confidence::Likely, &format!("{} says that its script was started", source(told)));
        } else if let Some(told) = find(ScriptOutcome::Skipped).filter(|_| finding.exposure == Exposure::Executed) {
            lower(finding, &format!("{} says that its script was not run", source(told)));
        } else if finding.exposure == Exposure::Executed
            && let Some(block) = self.blocks.iter().find(|b| b.holds(finding, &package.name))
        {
            let place = escape(block.origin.path.text().as_bytes());
            lower(
                finding,
                &format!("`{place}` keeps {} from running scripts now, and nothing shows that one ran", block.by),
            );
        }
    }

    /// Whether what is told is of this copy of the package: of its folder, or of no folder that is known.
    fn is_of(&self, told: &Told<'_>, finding: &Finding, name: &str) -> bool {
        let origin = &told.seen.origin;
        if origin.tree != finding.origin.tree {
            return false;
        }
        let here = finding.origin.path.parent();
        match told.folder {
            Some(folder) => *folder == here,
            // A log names the folder where the script starts, a record is of the unit that it lies in.
            None => match self.places.get(&(&origin.tree, &origin.path, name)) {
                Some(folders) => folders.contains(&&here),
                None => finding
                    .unit
                    .as_ref()
                    .is_none_or(|u| told.outcome != ScriptOutcome::Skipped || origin.path.is_within(&u.root)),
            },
        }
    }
}

impl Block<'_> {
    /// Whether a setting holds where a package was installed.
    fn holds(&self, finding: &Finding, name: &str) -> bool {
        let allowed = self.allowed.iter().any(|a| **a == *name);
        let refused = self.allowed.iter().any(|a| a.strip_prefix('!') == Some(name));
        // A list of those that must not run says nothing of the others.
        let lists_refused = self.allowed.iter().any(|a| a.starts_with('!'));
        let inside = finding.unit.as_ref().is_some_and(|u| u.root.is_within(self.root));
        self.origin.tree == finding.origin.tree && inside && if lists_refused { refused } else { !allowed }
    }
}

fn source(told: &Told<'_>) -> String {
    let at = told.seen.at.as_ref().map(|at| format!(" of {}", at.time)).unwrap_or_default();
    format!("`{}`{at}", escape(told.seen.origin.path.text().as_bytes()))
}

fn lift(finding: &mut Finding, confidence: Confidence, why: &str) {
    if finding.exposure < Exposure::Executed || finding.confidence < confidence {
        finding.exposure = Exposure::Executed;
        finding.confidence = confidence;
    }
    say(finding, why);
}

fn lower(finding: &mut Finding, why: &str) {
    finding.exposure = Exposure::Installed;
    finding.confidence = Confidence::Likely;
    say(finding, why);
}

/// In place of the presumption.
fn say(finding: &mut Finding, why: &str) {
    finding.reason = format!("{}; {why}", finding.reason.trim_end_matches(super::PRESUMED));
}
