//! What an install command is worth that somebody typed, or that built an image.

use jiff::{SignedDuration, Timestamp};

use super::{
    Account, Finding, FindingKind,
    evidence::{Draft, first_moment, runs},
    rule::Rule,
    whereabouts::Ran,
};
use crate::{
    accounts::HistoryOf,
    ecosystem::purl::Purl,
    fact::{Command, CommandAction, Cutoff, Wanted},
    ioc::{
        Index,
        model::{Incident, PackageIndicator, Window},
    },
    matcher::{self, By, Hit, is_configured},
    surface::{CommandSource, commands_of},
    verdict::Confidence,
};

impl Draft<'_, '_> {
    /// Whose commands the file holds; what built an image is the image's own.
    pub(super) fn whose(&self) -> HistoryOf {
        let seen = self.seen();
        let accounts = self.case.accounts.get(&seen.origin.tree).filter(|_| is_typed(seen.surface));
        accounts.map_or(HistoryOf::Account, |a| a.history_of(&seen.origin.path))
    }

    /// A command that pins the malicious version, or names a package that is malicious in every one.
    pub(super) fn pinned(&self, c: &Command, indicator: &PackageIndicator, wanted: usize) -> Option<Finding> {
        let wanted = c.wanted.get(wanted)?;
        let version = wanted.pinned.as_deref().unwrap_or("*");
        let which = if version == "*" { "this package, malicious in every version" } else { "the malicious version" };
        let (typed, whose) = (typed(self.seen().surface), self.whose());
        let asked = if is_configured(self.seen()) { "is set up" } else { "was asked" };
        let at = self.seen().at.as_ref().map(|at| at.time).filter(|_| is_typed(self.seen().surface));
        if at.is_some_and(|at| is_before_upload(self.incident, indicator, at)) {
            return None;
        }
        let reason = match c.action {
            CommandAction::Download => format!("`{}` {asked} to download {which} ({typed})", c.tool),
            CommandAction::Resolve => {
                format!("`{}` {asked} to choose {which}, which installs nothing ({typed})", c.tool)
            }
            _ => format!(
                "`{}` {asked} to install {which} ({typed}); {}",
                c.tool,
                runs(indicator.triggers.iter().copied())
            ),
        };
        let install = self.set_up_or(Rule::InstallCommandPinned);
        let (rule, mut reason) = placed(c, whose, install, reason);
        let mut confidence = Confidence::Likely;
        if let Some(end) = at.and_then(|at| withdrawn_before(self.incident, indicator, at)) {
            confidence = Confidence::Possible;
            reason =
                format!("{reason}; it had been withdrawn by then ({end}): only a mirror or a cache can have had it");
        }
        let name = format!("{}/{}@{version}", wanted.ecosystem.purl_type(), wanted.name);
        let mut finding = self.finding(FindingKind::Command, name, (rule, confidence, reason));
        finding.package = Some(Purl::new(wanted.ecosystem, &wanted.name, wanted.pinned.as_deref()).to_string());
        finding.by_itself = indicator.triggers.iter().any(|t| t.by_itself());
        finding.moment = first_moment(&indicator.triggers);
        self.ran(c, whose, &mut finding);
        Some(finding)
    }

    /// The rule of a command that a program is set up to start, else this one.
    fn set_up_or(&self, other: Rule) -> Rule {
        if is_configured(self.seen()) { Rule::CommandSetUp } else { other }
    }

    /// A command without a version, typed while a malicious one was available. One finding, whatever the number of versions.
    pub(super) fn admits(&self, c: &Command, at: usize, wanted: usize) -> Option<Finding> {
        // The lock file that it wrote, if any, speaks for itself.
        if c.action == CommandAction::Resolve {
            return None;
        }
        let hits = matcher::hits(self.case.index, self.seen()).into_iter().filter(|h| h.incident == self.hit.incident);
        let open = |h: Hit| match h.by {
            By::Admits(i, w) if w == wanted => Some(i),
            _ => None,
        };
        let time = self.seen().at.as_ref()?.time;
        let all: Vec<usize> = hits.filter_map(open).collect();
        let in_time = all.iter().filter_map(|i| {
            let indicator = self.incident.packages.get(*i)?;
            let window = if is_configured(self.seen()) {
                // It stands there since then, and each start asks anew.
                windows_of(self.incident, indicator).into_iter().find(|w| w.end.is_none_or(|end| time < end))?
            } else {
                window_of(self.incident, indicator, time)?
            };
            let published = c.cutoff.is_none_or(|cutoff| window.start < before(cutoff, time));
            published.then_some((*i, indicator, window))
        });
        let in_time: Vec<_> = in_time.collect();
        if in_time.first().is_none_or(|(first, ..)| *first != at) {
            return None;
        }
        let wanted = c.wanted.get(wanted)?;
        let spans: Vec<String> =
            in_time.iter().map(|(_, _, w)| format!("{} was available ({})", w.artifact, w.span())).collect();
        let whose = self.whose();
        let which = if &*wanted.specifier == Wanted::UNSAID {
            format!("a version of `{}` that stands in a variable", wanted.name)
        } else {
            format!("the newest `{}`", wanted.name)
        };
        let asked = if is_configured(self.seen()) { "is set up" } else { "was asked" };
        let reason = format!("`{}` {asked} to take {which} at a time when {}", c.tool, spans.join(" and "));
        let (rule, reason) = placed(c, whose, self.set_up_or(Rule::InstallCommandInWindow), reason);
        let versions: Vec<&str> = in_time.iter().flat_map(|(_, i, _)| i.versions.iter().map(String::as_str)).collect();
        let name = format!("{}/{}@{}", wanted.ecosystem.purl_type(), wanted.name, versions.join("|"));
        let mut finding = self.finding(FindingKind::Command, name, (rule, Confidence::Possible, reason));
        finding.package = Some(Purl::new(wanted.ecosystem, &wanted.name, None).to_string());
        self.ran(c, whose, &mut finding);
        Some(finding)
    }
}

impl Draft<'_, '_> {
    /// Who ran the command, and where.
    fn ran(&self, c: &Command, whose: HistoryOf, finding: &mut Finding) {
        let seen = self.seen();
        let ran =
            Ran::new(&c.whereabouts, self.case.accounts.get(&seen.origin.tree), &seen.origin.path, finding.account);
        if whose == HistoryOf::Somebody {
            finding.account = Account::Elsewhere;
        } else {
            (finding.account, finding.bounds) = (ran.account, ran.bounds);
        }
        if ran.unsure {
            finding.confidence = finding.confidence.min(Confidence::Possible);
        }
        if let Some(note) = ran.note {
            finding.reason = format!("{}; {note}", finding.reason);
        }
    }
}

/// Whether a surface reads what people typed.
pub(super) fn is_typed(surface: &str) -> bool {
    commands_of(surface) == CommandSource::Typed
}

/// The rule of a command, by what it does and whose it is: `install` where it installs.
fn placed(c: &Command, whose: HistoryOf, install: Rule, reason: String) -> (Rule, String) {
    match (whose, c.action) {
        (HistoryOf::Nobody, _) => {
            let where_it_is = "this file is no account's own history (a copy, a backup, test data), so that nothing shows \
                               that it was typed here";
            (Rule::CommandInCopy, format!("{reason}; {where_it_is}"))
        }
        (_, CommandAction::Resolve) => (Rule::ResolveCommand, reason),
        (HistoryOf::Somebody, CommandAction::Download) | (HistoryOf::Account, CommandAction::Download) => {
            (Rule::DownloadCommand, reason)
        }
        (HistoryOf::Somebody, _) => (install, format!("{reason}; the file does not say on which machine")),
        (HistoryOf::Account, _) => (install, reason),
    }
}

fn typed(surface: &str) -> &'static str {
    match commands_of(surface) {
        CommandSource::Typed => "it was typed; whether it succeeded is not recorded",
        CommandSource::Notebook => "a notebook says so; it may have run on another machine",
        CommandSource::Build => "it built the image",
        CommandSource::Configured => "settings have a program start it; whether it did is not recorded",
    }
}

/// The time before which a version must have been published, for a command typed at `time`.
fn before(cutoff: Cutoff, time: Timestamp) -> Timestamp {
    match cutoff {
        Cutoff::At(at) => at,
        Cutoff::Age(age) => time.checked_sub(age).unwrap_or(Timestamp::MIN),
    }
}

/// Whether only some versions of a package are malicious: then a time would show which one a command took.
pub(super) fn bounded(index: &Index, wanted: &Wanted) -> bool {
    let known = index.package(wanted.ecosystem, &wanted.name);
    !known.is_empty() && !known.iter().any(|(_, p)| p.versions.iter().any(|v| v == "*"))
}

/// How far the clock of a machine may be wrong.
const SKEW: SignedDuration = SignedDuration::from_hours(24);

/// Whether a time lies before anybody can have had one of the indicator's versions, whatever the clock.
pub(super) fn is_before_upload(incident: &Incident, indicator: &PackageIndicator, time: Timestamp) -> bool {
    let first = windows_of(incident, indicator).into_iter().map(|w| w.start).min();
    first.is_some_and(|first| time < first.checked_sub(SKEW).unwrap_or(Timestamp::MIN))
}

/// When the indicator's versions were withdrawn, where that was published and lies before a time.
pub(super) fn withdrawn_before(
    incident: &Incident,
    indicator: &PackageIndicator,
    time: Timestamp,
) -> Option<Timestamp> {
    let ends: Option<Vec<Timestamp>> = windows_of(incident, indicator).into_iter().map(|w| w.end).collect();
    ends?.into_iter().max().filter(|end| *end < time)
}

/// The window of one of the indicator's versions that holds this time; where an incident has none of its own for the package,
/// one that covers everything.
pub(super) fn window_of<'i>(
    incident: &'i Incident,
    indicator: &PackageIndicator,
    time: Timestamp,
) -> Option<&'i Window> {
    windows_of(incident, indicator).into_iter().find(|w| w.holds(time))
}

/// The windows of the indicator's versions; where an incident has none of its own for the package, those that cover everything.
fn windows_of<'i>(incident: &'i Incident, indicator: &PackageIndicator) -> Vec<&'i Window> {
    let name = format!("{}/{}", indicator.ecosystem.purl_type(), indicator.name);
    let covers = |covered: &String| match covered.strip_prefix(&name) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('@').is_some_and(|v| indicator.versions.iter().any(|known| known == v)),
        None => false,
    };
    let (own, open): (Vec<&Window>, Vec<&Window>) = incident.windows.iter().partition(|w| w.covers.iter().any(covers));
    if own.is_empty() { open.into_iter().filter(|w| w.covers.is_empty()).collect() } else { own }
}
