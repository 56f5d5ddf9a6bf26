//! Packages that a program is set up to start by itself, as editors and agents start servers for their tools: why a package is there that
//! nobody chose, who set it up, and since when.

use std::collections::HashMap;

use super::{Case, Finding, FindingKind, Link, Moment, family};
use crate::{
    ecosystem::purl::Purl,
    fact::{Command, CommandAction, Ecosystem, Fact, Seen},
    matcher::is_configured,
    text::escape,
};

/// What starts a package: by tree, ecosystem and name.
type Launches<'c> = HashMap<(&'c str, Ecosystem, &'c str), Vec<(&'c Seen, &'c Command)>>;

/// Puts who starts them before the chains of packages in environments that a tool made for one program; returns since when.
pub fn explain(case: &Case<'_>, findings: &mut [Finding]) -> Vec<Moment> {
    let mut launches: Launches<'_> = HashMap::new();
    for seen in case.evidence.iter().map(|e| &e.seen).filter(|s| is_configured(s)) {
        let Fact::Command(command) = &seen.fact else { continue };
        if command.action == CommandAction::Run && command.whereabouts.is_here() {
            for wanted in &command.wanted {
                let key = (&*seen.origin.tree, wanted.ecosystem, &*wanted.name);
                launches.entry(key).or_default().push((seen, command));
            }
        }
    }
    let mut moments = Vec::new();
    if launches.is_empty() {
        return moments;
    }
    let is_code = |f: &Finding| matches!(f.kind, FindingKind::Package | FindingKind::File);
    for finding in findings.iter_mut().filter(|f| is_code(f)) {
        let Some(ecosystem) = finding.ecosystem.filter(|e| family::for_ecosystem(*e).is_of_one_program(finding)) else {
            continue;
        };
        let package = finding.package.as_deref().and_then(Purl::parse);
        let root = finding.chain.first().map(|link| link.name.clone());
        let Some(root) = root.or_else(|| package.as_ref().map(|p| p.name.clone())) else { continue };
        let Some(by) = launches.get(&(&*finding.origin.tree, ecosystem, root.as_str())) else {
            continue;
        };
        // Those of its own account first.
        let accounts = case.accounts.get(&finding.origin.tree);
        let owner = |seen: &Seen| accounts.and_then(|a| a.home_owner(&seen.origin.path));
        let own = accounts.and_then(|a| a.home_owner(&finding.origin.path));
        let Some((seen, command)) = by.iter().find(|(s, _)| owner(s) == own).or_else(|| by.first()) else {
            continue;
        };
        let what = seen.origin.inner.as_deref().unwrap_or("its settings");
        if let Some(Purl { name, version, .. }) = package.filter(|_| finding.chain.is_empty()) {
            finding.chain.push(Link { name, version, requirement: None, requested: false });
        }
        if let Some(first) = finding.chain.first_mut() {
            first.requirement = first.requirement.take().or_else(|| Some(format!("{} {root}", command.tool)));
            first.requested = false;
        }
        let name = what.replace('`', "");
        finding.chain.insert(0, Link { name, version: None, requirement: None, requested: true });
        let file = escape(&[b"/", seen.origin.path.as_bytes()].concat());
        let line = seen.origin.line.map(|line| format!(":{line}")).unwrap_or_default();
        let since = seen.at.as_ref().map(|at| format!(" ({} {})", at.source, at.time)).unwrap_or_default();
        let others = by.len().saturating_sub(1);
        let more = if others > 0 { format!(", and {others} more places do") } else { String::new() };
        let start = format!("`{file}{line}`, {what}, starts `{root}` with `{}`{since}{more}", command.tool);
        finding.reason = format!("{}; {start}", finding.reason);
        moments.extend(seen.at.as_ref().map(|at| Moment {
            at: at.time,
            what: format!("{what} was set up by then: it starts `{root}` with `{}`", command.tool),
            source: at.source.to_string(),
            finding: None,
        }));
    }
    moments
}
