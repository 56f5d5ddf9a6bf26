//! Environments whose programs a unit, a table of cron or the like starts by itself: as root, or another account than the one whose
//! folder it is, so that what that account can read was in reach; and a sign that start-up code in it ran.

use std::collections::HashMap;

use super::{Account, Case, Finding, rule::Rule, whereabouts::folder};
use crate::{
    accounts::Accounts,
    fact::{Command, CommandAction, Fact, Seen, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// Of one environment: the files that start it, with what they start.
type Starts<'c> = Vec<(&'c Seen, &'c Command)>;

/// Gives findings the accounts that start them, and lifts those whose code runs at every start.
pub fn look_for_services(case: &Case<'_>, findings: &mut [Finding]) {
    let mut by_prefix: HashMap<(&str, TreePath), Starts<'_>> = HashMap::new();
    for seen in case.evidence.iter().map(|e| &e.seen).filter(|s| s.origin.layer.is_none()) {
        if let Fact::Starts(command) = &seen.fact
            && command.whereabouts.is_here()
            && let Some(prefix) = started(case, seen, command)
        {
            by_prefix.entry((&seen.origin.tree, prefix)).or_default().push((seen, command));
        }
    }
    if by_prefix.is_empty() {
        return;
    }
    for finding in findings.iter_mut().filter(|f| f.origin.inner.is_none() && f.exposure >= Exposure::Removed) {
        let Some(prefix) = finding.environment.as_ref().map(|e| e.prefix.clone()) else {
            continue;
        };
        let Some(starts) = by_prefix.get(&(&*finding.origin.tree, prefix)) else {
            continue;
        };
        let accounts = case.accounts.get(&finding.origin.tree);
        for (seen, command) in starts {
            finding.account = with_starter(finding.account, starter(accounts, seen, command));
        }
        let by_itself = starts.iter().find(|(_, command)| command.action == CommandAction::Start);
        let Some((seen, command)) = by_itself.or_else(|| starts.first()) else {
            continue;
        };
        let who = command.whereabouts.account.as_deref().map(|a| format!(", as `{a}`")).unwrap_or_default();
        let file = escape(&[b"/", seen.origin.path.as_bytes()].concat());
        if by_itself.is_none() {
            let start = format!("`{file}` would start its `{}`{who}; nothing that was found enables it", command.tool);
            finding.reason = format!("{}; {start}", finding.reason);
        } else if finding.by_itself && finding.exposure == Exposure::Installed {
            let sign = format!("`{file}` starts its `{}` by itself{who}", command.tool);
            finding.ran(Rule::HookRan, Confidence::Likely, sign);
        }
    }
}

/// Where the environment really stands that a file starts. `~` is the home of the account that it names, else of whoever has the file.
fn started(case: &Case<'_>, seen: &Seen, command: &Command) -> Option<TreePath> {
    let named = command.whereabouts.environment.as_deref()?;
    let accounts = case.accounts.get(&seen.origin.tree);
    let of_account = || {
        let accounts = accounts?;
        let home = accounts.home(accounts.uid_of(command.whereabouts.account.as_deref()?)?)?;
        let below = named.strip_prefix('~')?.trim_start_matches('/').split('/').filter(|p| !p.is_empty());
        let place = below.fold(home.clone(), |folder, name| folder.join(name.as_bytes()));
        Some(accounts.real(&place).clone())
    };
    of_account().or_else(|| folder(named, accounts, &seen.origin.path))
}

/// The account that starts it, where that is known to be one.
fn starter(accounts: Option<&Accounts>, seen: &Seen, command: &Command) -> Option<Option<u32>> {
    match command.whereabouts.account.as_deref() {
        Some(name) => Some(accounts.map_or_else(|| (name == "root").then_some(0), |a| a.uid_of(name))),
        // In a home, whoever lives there.
        None => accounts.and_then(|a| a.at_home(&seen.origin.path)).map(Some),
    }
}

/// Whose code it is, with the account that starts it.
fn with_starter(own: Account, starter: Option<Option<u32>>) -> Account {
    match (own, starter) {
        (_, None) | (Account::Elsewhere, _) => own,
        (Account::Uid(own), Some(Some(uid))) if own == uid => Account::Uid(own),
        // Root reads what everybody else can.
        (Account::Uid(_), Some(Some(0))) | (Account::Uid(0), _) => Account::Uid(0),
        _ => Account::All,
    }
}
