//! Commands with an option to run install scripts or not to, as histories and the steps of an image's build have them.

use jiff::{SignedDuration, Timestamp};

use crate::{
    assess::{Account, Case, Finding, typed::is_typed, whereabouts::folder},
    fact::{Command, CommandAction, Fact, Seen, TreePath},
    text::escape,
};

/// How long an install may take until the package stands there.
const INSTALL: SignedDuration = SignedDuration::from_mins(10);
/// How far a history's clock may be behind: it counts whole seconds.
const BEFORE: SignedDuration = SignedDuration::from_secs(2);

/// Commands of Node's package managers.
pub struct Typed<'c> {
    case: &'c Case<'c>,
    commands: Vec<(&'c Seen, &'c Command)>,
}

impl<'c> Typed<'c> {
    /// Looks through the evidence.
    pub fn new(case: &'c Case<'c>) -> Self {
        let command = |seen: &'c Seen| match &seen.fact {
            Fact::Command(c) if matches!(&*c.tool, "npm" | "pnpm" | "yarn" | "bun") => Some((seen, c)),
            _ => None,
        };
        let commands: Vec<_> = case.evidence.iter().filter_map(|e| command(&e.seen)).collect();
        // Most machines have no command that says anything of scripts.
        let says = commands.iter().any(|(_, c)| c.scripts == Some(false));
        Self { case, commands: if says { commands } else { Vec::new() } }
    }

    /// Why the command that put a package there ran no script of it, where one says so and none after it ran them.
    pub fn blocks(&self, finding: &Finding, tool: &str) -> Option<String> {
        let installed = finding.at.as_ref()?.time;
        let mut last: Option<(&Seen, &Command)> = None;
        for (seen, command) in self.commands.iter().filter(|(s, c)| *c.tool == *tool && self.concerns(s, c, finding)) {
            if is_typed(seen.surface) {
                let Some(at) = seen.at.as_ref().map(|at| at.time) else {
                    continue;
                };
                if command.scripts == Some(true) && at >= earliest(installed) {
                    return None;
                }
                if !(earliest(installed)..=latest(installed)).contains(&at) || command.action != CommandAction::Install
                {
                    continue;
                }
            } else if seen.origin.layer.is_none() || seen.origin.layer != finding.origin.layer {
                continue;
            }
            // Of several that may have put it there nobody knows which did.
            if last.is_some_and(|(_, other)| other.scripts != command.scripts) {
                return None;
            }
            last = Some((seen, command));
        }
        let (seen, _) = last.filter(|(_, command)| command.scripts == Some(false))?;
        let place = escape(seen.origin.path.text().as_bytes());
        let at = seen.at.as_ref().map(|at| format!(" of {}", at.time)).unwrap_or_default();
        Some(format!("`{place}`{at} says that {tool} was asked to run no scripts, and nothing shows that one ran"))
    }

    /// Whether a command may have worked where the package stands, for the account that owns it.
    fn concerns(&self, seen: &Seen, command: &Command, finding: &Finding) -> bool {
        let owner = match finding.account {
            Account::Uid(uid) => seen.uid.is_none_or(|own| own == uid) || !is_typed(seen.surface),
            Account::All => true,
            Account::Elsewhere => false,
        };
        let here = command.whereabouts.is_here() && seen.origin.tree == finding.origin.tree;
        let accounts = self.case.accounts.get(&seen.origin.tree);
        let known = command.whereabouts.folder.as_deref().and_then(|f| folder(f, accounts, &seen.origin.path));
        let root: Option<&TreePath> = finding.unit.as_ref().map(|u| &u.root);
        let in_folder =
            known.is_none_or(|known| root.is_some_and(|root| known.is_within(root) || root.is_within(&known)));
        owner && here && in_folder
    }
}

fn earliest(installed: Timestamp) -> Timestamp {
    installed.checked_sub(INSTALL).unwrap_or(Timestamp::MIN)
}

fn latest(installed: Timestamp) -> Timestamp {
    installed.checked_add(BEFORE).unwrap_or(Timestamp::MAX)
}
