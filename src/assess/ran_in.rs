//! The folders that a payload most likely ran in: what it looks for there it found, and what stands elsewhere perhaps.

use std::collections::HashSet;

use super::{Case, Finding, whereabouts::folder};
use crate::{
    accounts::Accounts,
    fact::{EnvironmentKind, Fact, Seen, TreePath},
};

/// Folders that a payload most likely ran in, and the ones above each: those of position 1 lie one above.
#[derive(Debug, Default)]
pub struct RanIn([HashSet<TreePath>; 4]);

impl RanIn {
    /// Adds a folder.
    pub fn add(&mut self, folder: TreePath) {
        let mut folder = folder;
        for level in &mut self.0 {
            let above = folder.parent();
            level.insert(folder);
            folder = above;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, HashSet::len)
    }

    /// Whether a folder lies so many above one of them.
    pub fn holds(&self, up: usize, folder: &TreePath) -> bool {
        self.0.get(up).is_some_and(|level| level.contains(folder))
    }
}

/// Folders of one incident that count.
pub const FOLDERS: usize = 1000;

/// Where a start of an environment says in which folder it is made: the tree, the environment, the folder.
pub fn starts<'c>(case: &'c Case<'_>) -> Vec<(&'c str, TreePath, TreePath)> {
    let start = |seen: &'c Seen| {
        let (Fact::Starts(command) | Fact::Command(command)) = &seen.fact else {
            return None;
        };
        let at = &command.whereabouts;
        let accounts = case.accounts.get(&seen.origin.tree);
        let real = |named: &str| folder(named, accounts, &seen.origin.path);
        let named = at.environment.as_deref().zip(at.folder.as_deref()).filter(|_| at.is_here());
        let (environment, ran_in) = named?;
        Some((&*seen.origin.tree, real(environment)?, real(ran_in)?))
    };
    case.evidence.iter().filter_map(|e| start(&e.seen)).collect()
}

/// The project that a finding's environment belongs to: that folder itself, or the one that a virtual environment stands in. A home,
/// and what lies directly below the root, is no project.
pub fn project_of(case: &Case<'_>, finding: &Finding) -> Option<TreePath> {
    let environment = finding.environment.as_ref()?;
    let project = match environment.kind.word() {
        kind if kind.ends_with("-project") => environment.prefix.clone(),
        _ if environment.kind == EnvironmentKind::VENV => environment.prefix.parent(),
        _ => return None,
    };
    let usual = Accounts::default();
    let accounts = case.accounts.get(&finding.origin.tree).unwrap_or(&usual);
    let is_home = || accounts.home_of(&project.join(b"x")).as_ref() == Some(&project);
    (project.components().count() > 1 && !is_home()).then_some(project)
}
