//! Whether the install script of a package ran: what installers wrote down, and the settings that keep them from it.

use std::{collections::HashMap, sync::Arc};

use crate::{
    assess::{Evidence, Finding, rule::Rule},
    ecosystem::purl::Purl,
    fact::{Fact, Origin, ScriptOutcome, Seen, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// What the evidence says of install scripts and of settings that block them.
pub struct Scripts<'e> {
    /// By the name of the package.
    records: HashMap<&'e str, Vec<Record<'e>>>,
    blocks: Vec<Block<'e>>,
    /// The tool that installed a unit, by the record that it left there.
    tools: HashMap<(&'e Arc<str>, TreePath), &'static str>,
    /// Folders of packages that a log names, by the log and the package.
    places: HashMap<(&'e Arc<str>, &'e TreePath, &'e str), Vec<&'e TreePath>>,
}

struct Record<'e> {
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
        let mut scripts =
            Self { records: HashMap::new(), blocks: Vec::new(), tools: HashMap::new(), places: HashMap::new() };
        for seen in evidence.iter().map(|e| &e.seen) {
            if let (Fact::Recorded { .. } | Fact::InstallScript { .. }, Some(tool), Some(unit)) =
                (&seen.fact, tool_of(&seen.origin.path), &seen.unit)
            {
                scripts.tools.insert((&seen.origin.tree, unit.root.clone()), tool);
            }
            match &seen.fact {
                Fact::InstallScript { name, version, folder, outcome } => {
                    if let Some(folder) = folder {
                        let log = (&seen.origin.tree, &seen.origin.path, &**name);
                        scripts.places.entry(log).or_default().push(folder);
                    }
                    let record = Record { version, folder: folder.as_ref(), outcome: *outcome, seen };
                    scripts.records.entry(name).or_default().push(record);
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
        } else if finding.exposure == Exposure::Executed
            && let Some(block) = self.block(finding, &package.name)
        {
            let place = escape(block.origin.path.text().as_bytes());
            lower(
                finding,
                &format!("`{place}` keeps {} from running scripts now, and nothing shows that one ran", block.by),
            );
        }
    }

    /// A setting that keeps the tool which installed a package from running its script.
    fn block(&self, finding: &Finding, name: &str) -> Option<&Block<'e>> {
        let unit = finding.unit.as_ref()?;
        let virtual_store = finding.origin.path.components().any(|c| c == b".pnpm");
        let tool = self.tools.get(&(&finding.origin.tree, unit.root.clone())).copied();
        let tool = tool.or(virtual_store.then_some("pnpm"));
        self.blocks.iter().find(|b| b.is_read_by(tool) && b.holds(finding, name))
    }

    /// Whether a record is of this copy of the package: of its folder, or of a folder that it does not name.
    fn is_of(&self, record: &Record<'_>, finding: &Finding, name: &str) -> bool {
        let origin = &record.seen.origin;
        if origin.tree != finding.origin.tree {
            return false;
        }
        let here = finding.origin.path.parent();
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

/// The tool that writes a record of this name into the `node_modules` that it made.
fn tool_of(record: &TreePath) -> Option<&'static str> {
    match record.name() {
        b".package-lock.json" => Some("npm"),
        b".modules.yaml" => Some("pnpm"),
        b".yarn-integrity" | b".yarn-state.yml" => Some("yarn"),
        _ => None,
    }
}

impl Block<'_> {
    /// Whether the tool that installed something reads the setting. Only bun leaves no record. Lists of npm allow what they name and
    /// block nothing: it warns of the others and runs them.
    fn is_read_by(&self, tool: Option<&str>) -> bool {
        let of_npm = self.by == "npm" && self.origin.path.name() != b"package.json";
        match tool {
            Some("npm") => of_npm,
            // pnpm reads `.npmrc`.
            Some("pnpm") => self.by == "pnpm" || of_npm,
            Some(tool) => self.by == tool,
            None => self.by == "bun",
        }
    }

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

fn source(record: &Record<'_>) -> String {
    let at = record.seen.at.as_ref().map(|at| format!(" of {}", at.time)).unwrap_or_default();
    format!("`{}`{at}", escape(record.seen.origin.path.text().as_bytes()))
}

fn lift(finding: &mut Finding, confidence: Confidence, why: &str) {
    let sure = if finding.exposure == Exposure::Executed { finding.confidence.max(confidence) } else { confidence };
    finding.ran(Rule::InstallScriptRan, sure, why.to_owned());
}

fn lower(finding: &mut Finding, why: &str) {
    finding.ran(Rule::InstallScriptBlocked, Confidence::Likely, why.to_owned());
}
