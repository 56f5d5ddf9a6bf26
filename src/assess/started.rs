//! Start-up hooks whose environment was certainly or nearly certainly started while they stood there: an environment that a tool makes
//! only to run a program at once, and later steps of an image's build that start the interpreter (another step is another process).

use std::collections::HashMap;

use super::{Case, Evidence, Finding, FindingKind, Steps};
use crate::{
    fact::{Command, CommandAction, EnvironmentKind, Fact, Origin, TreePath},
    ioc::model::Incident,
    verdict::{Confidence, Exposure},
};

/// Commands of one image by step, in the order of its build.
type ByStep<'c> = Vec<(usize, &'c Command)>;

/// Lifts such hooks, and versions whose hook is one.
pub fn look_for_starts(case: &Case<'_>, findings: &mut [Finding]) {
    let stands = |f: &Finding| {
        let here = matches!(f.kind, FindingKind::Package | FindingKind::File) && f.environment.is_some();
        let where_it_runs = matches!(f.exposure, Exposure::Installed | Exposure::Removed) && f.origin.inner.is_none();
        here && where_it_runs && f.by_itself
    };
    if !findings.iter().any(stands) {
        return;
    }
    let (mut commands, mut steps): (HashMap<&str, ByStep<'_>>, HashMap<&Origin, Steps>) = Default::default();
    for Evidence { seen, steps: of, .. } in &case.evidence {
        match (&seen.fact, of) {
            (Fact::Command(command), Some(of)) => {
                commands.entry(&seen.origin.tree).or_default().push((of.made, command));
            }
            (_, Some(of)) => {
                steps.insert(&seen.origin, *of);
            }
            _ => {}
        }
    }
    // The evidence is in the order of its place, where step 10 comes before step 2.
    commands.values_mut().for_each(|of| of.sort_by_key(|(step, _)| *step));
    for finding in findings.iter_mut().filter(|f| stands(f)) {
        let later = || {
            let commands = commands.get(&*finding.origin.tree)?;
            let incident = case.index.incident(finding.incident)?;
            let prefix = &finding.environment.as_ref()?.prefix;
            started_later(commands, *steps.get(&finding.origin)?, incident, prefix)
        };
        let sign = made_to_run(finding).or_else(later);
        if let Some(sign) = sign {
            finding.exposure = Exposure::Executed;
            finding.confidence = Confidence::Likely;
            finding.reason = format!("{}; {sign}", finding.reason);
        }
    }
}

/// Of an environment that is made to be run at once.
fn made_to_run(finding: &Finding) -> Option<String> {
    let kind = finding.environment.as_ref().filter(|_| finding.exposure == Exposure::Installed)?.kind;
    match kind {
        EnvironmentKind::Ephemeral => {
            Some("this environment was made in a tool's cache to run a program at once".to_owned())
        }
        EnvironmentKind::Pipx => {
            Some("the tool that made this environment starts its Python after each install, to look at it".to_owned())
        }
        _ => None,
    }
}

/// A start in a step after the one that brought the hook, or in that one behind the command that brought it, and not after the one
/// that took it out.
fn started_later(commands: &ByStep<'_>, steps: Steps, incident: &Incident, prefix: &TreePath) -> Option<String> {
    let names = |c: &Command| {
        c.wanted.iter().any(|w| incident.packages.iter().any(|p| p.ecosystem == w.ecosystem && p.name == *w.name))
    };
    let of_step = |step: usize| {
        let from = commands.partition_point(|(s, _)| *s < step);
        let to = commands.partition_point(|(s, _)| *s <= step);
        commands.get(from..to).unwrap_or_default()
    };
    let brought = of_step(steps.made).iter().rposition(|(_, c)| c.action == CommandAction::Install && names(c));
    let same = brought.and_then(|at| of_step(steps.made).get(at + 1..)).unwrap_or_default();
    let last = steps.gone.unwrap_or(usize::MAX);
    let from = commands.partition_point(|(s, _)| *s <= steps.made);
    let to = commands.partition_point(|(s, _)| *s < last);
    let between = commands.get(from..to).unwrap_or_default();
    let taken_out = if steps.gone.is_some() { of_step(last) } else { &[] };
    // What took it out by the installer started with it in place; what deleted the files may have started nothing before.
    let by = taken_out.iter().position(|(_, c)| c.action == CommandAction::Uninstall && names(c));
    let removing = by.and_then(|at| taken_out.get(..at)).unwrap_or_default();
    let starts = |c: &Command| {
        c.action == CommandAction::Start
            && c.whereabouts.is_here()
            && is_of(c.whereabouts.environment.as_deref(), prefix)
    };
    let (step, command) = [same, between, removing].into_iter().flatten().find(|(_, c)| starts(c))?;
    Some(format!("step {step} of the build started `{}`, which is Python, with it in place", command.tool))
}

/// Whether a start may be of this environment: only another absolute path says that it is not.
fn is_of(environment: Option<&str>, prefix: &TreePath) -> bool {
    environment.filter(|e| e.starts_with('/')).is_none_or(|e| TreePath::new(e.as_bytes()).as_ref() == Some(prefix))
}
