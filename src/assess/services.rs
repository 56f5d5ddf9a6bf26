//! Environments whose programs a unit, a table of cron or the like starts by itself: as root, or another account than the one whose
//! folder it is, so that what that account can read was in reach; and a sign that start-up code in it ran.

use std::collections::HashMap;

use super::{Account, Case, Finding, rule::Rule};
use crate::{
    fact::{Command, Fact, Seen, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// Gives findings the accounts that start them, and lifts those whose code runs at every start.
pub fn look_for_services(case: &Case<'_>, findings: &mut [Finding]) {
    let mut by_prefix: HashMap<(&str, TreePath), Vec<(&Seen, &Command)>> = HashMap::new();
    for seen in case.evidence.iter().map(|e| &e.seen).filter(|s| s.origin.layer.is_none()) {
        if let Fact::Starts(command) = &seen.fact
            && let Some(prefix) = command.whereabouts.environment.as_deref().and_then(|e| TreePath::new(e.as_bytes()))
            && command.whereabouts.is_here()
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
        for (_, command) in starts {
            let Some(name) = command.whereabouts.account.as_deref() else {
                continue;
            };
            let uid = accounts.map_or_else(|| (name == "root").then_some(0), |a| a.uid_of(name));
            finding.account = match (finding.account, uid) {
                (Account::Elsewhere, _) => Account::Elsewhere,
                (Account::Uid(own), Some(uid)) if own == uid => finding.account,
                // Root reads what everybody else can.
                (Account::Uid(_), Some(0)) => Account::Uid(0),
                (Account::Uid(0), _) => Account::Uid(0),
                _ => Account::All,
            };
        }
        let Some((seen, command)) = starts.first() else {
            continue;
        };
        if finding.by_itself && finding.exposure == Exposure::Installed {
            let who = command.whereabouts.account.as_deref().map(|a| format!(", as `{a}`")).unwrap_or_default();
            let file = escape(&[b"/", seen.origin.path.as_bytes()].concat());
            let sign = format!("`{file}` starts its `{}` by itself{who}", command.tool);
            finding.ran(Rule::HookRan, Confidence::Likely, sign);
        }
    }
}
