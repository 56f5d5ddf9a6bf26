//! What a value of one of the plain lists is worth: an action, an image, an address, a text, a trace in git. Exposure is placement ×
//! what the value is: one table for all of them.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    Account, Bounds, Finding, FindingKind,
    evidence::{Draft, Judgement, first_moment},
    rule::Rule,
};
use crate::{
    accounts::HistoryOf,
    ecosystem::{oci, purl::Purl},
    fact::{Fact, Held, Origin, Trace, TraceKind, TreePath, Usage, Use},
    ioc::{
        index::{Fit, List},
        model::{ActionIndicator, FileRole, ImageIndicator, Moment, NetworkKind, PackageIndicator},
    },
    text::{defang, escape},
    verdict::{Confidence, Exposure},
};

impl Draft<'_, '_> {
    /// The finding that a value makes, if it makes one.
    pub(super) fn value(&self, fact: &Fact, list: List, at: usize, fit: Fit) -> Option<Finding> {
        let incident = self.incident;
        match (fact, list) {
            (Fact::Image { references, .. }, List::Images) => self.image(references, incident.images.get(at)?, fit),
            (Fact::Use(used), List::Images) => self.image_named(used, incident.images.get(at)?, fit),
            (Fact::Use(used), List::Actions) => self.action(used, incident.actions.get(at)?, fit),
            (Fact::Use(used), List::Packages) => Some(self.recorded_use(used, incident.packages.get(at)?)),
            (Fact::Host { .. }, List::Network) => {
                let network = incident.network.get(at)?;
                Some(self.host(&network.value, &network.what))
            }
            (Fact::Trace(trace), List::Network) => {
                let n = incident.network.get(at)?;
                let kind = if n.kind == NetworkKind::Url { "url" } else { "host" };
                let shown = defang(&n.value);
                Some(self.trace(trace, FindingKind::Network, format!("{kind}/{}", n.value), &shown, &n.what))
            }
            (Fact::Trace(trace), List::Strings) => {
                let s = incident.strings.get(at)?;
                let shown = format!("a text of the payload, {}", start(&s.value));
                Some(self.trace(trace, FindingKind::Text, format!("string/{}", s.value), &shown, &s.what))
            }
            (Fact::Trace(trace), List::Git) => {
                let git = incident.git.get(at)?;
                Some(self.in_git(trace, &git.value, &git.what, fit))
            }
            _ => None,
        }
    }

    /// An action, by its place and by what names it.
    fn action(&self, used: &Use, indicator: &ActionIndicator, fit: Fit) -> Option<Finding> {
        let at = self.seen().at.as_ref().map(|at| at.time);
        let named = format!("{}@{}", used.name, used.reference);
        let shown = escape(named.as_bytes());
        let runs = &indicator.runs;
        let by = match fit {
            Fit::Identity => "a malicious commit".to_owned(),
            Fit::Name | Fit::Common => "a tag that named nothing else".to_owned(),
            Fit::Moved => moved(indicator),
        };
        let sure = match (used.usage, fit) {
            (_, Fit::Identity | Fit::Name | Fit::Common) => Confidence::Confirmed,
            // What was fetched after the tag had been moved back is the good one again.
            (Usage::Fetched, Fit::Moved) => match within(indicator, at)? {
                true => Confidence::Likely,
                false => return None,
            },
            (Usage::Logged(_), Fit::Moved) => match self.logged_within(indicator) {
                Some(true) => Confidence::Likely,
                Some(false) => return None,
                None => Confidence::Possible,
            },
            (Usage::Named | Usage::Recorded | Usage::Typed, Fit::Moved) => named_then(indicator, at)?,
        };
        let judgement: Judgement = match used.usage {
            Usage::Fetched => {
                let reason = format!("the runner fetched `{shown}`, {by}, right before it ran it: {runs}");
                (Rule::ActionFetched, sure.min(Confidence::Likely), reason)
            }
            Usage::Logged(_) => self.logged_action(used, &by, sure, runs),
            Usage::Named | Usage::Recorded | Usage::Typed if fit == Fit::Moved => {
                let since = at.map_or_else(String::new, |at| format!("; the file is of {at:.0}"));
                let reason = format!("uses `{shown}`, {by}{since}: a run in that time took it: {runs}");
                (Rule::ActionByMovedTag, sure, reason)
            }
            Usage::Named | Usage::Recorded | Usage::Typed => {
                (Rule::ActionNamed, sure, format!("uses `{shown}`, {by}: {runs}"))
            }
        };
        let name = format!("action/{}@{}", indicator.repository, used.reference);
        let mut finding = self.finding(FindingKind::Action, name, judgement);
        finding.moment = Some(Moment::OnUse);
        finding.by_itself = matches!(used.usage, Usage::Fetched | Usage::Logged(_));
        if used.usage == Usage::Fetched {
            finding.holdings = Some(vec![self.seen().origin.path.parent()]);
        }
        if matches!(used.usage, Usage::Logged(_)) {
            self.is_logged(&mut finding);
        }
        Some(finding)
    }

    /// A version that what loads it wrote down as installed. Where its files stand, they speak for themselves.
    fn recorded_use(&self, used: &Use, indicator: &PackageIndicator) -> Finding {
        let reason = format!("listed as installed, and its files are not there any more; {}", indicator.runs);
        let name = format!("{}/{}@{}", indicator.ecosystem.purl_type(), used.name, used.reference);
        let mut finding = self.finding(FindingKind::Package, name, (Rule::PackageGone, Confidence::Likely, reason));
        finding.package = Some(Purl::new(indicator.ecosystem, &used.name, Some(&used.reference)).to_string());
        finding.ecosystem = Some(indicator.ecosystem);
        finding.holdings = Some(Vec::new());
        finding.moment = first_moment(&indicator.triggers);
        finding.by_itself = indicator.triggers.iter().any(|t| t.by_itself());
        finding
    }

    /// An image that a command takes: what runs in it has what the command mounts, which is not known here.
    fn image_typed(&self, used: &Use, indicator: &ImageIndicator, fit: Fit) -> Option<Finding> {
        let (repository, tag) = (&indicator.repository, escape(used.reference.as_bytes()));
        let (sure, by) = match fit {
            Fit::Identity => (Confidence::Likely, "by digest".to_owned()),
            Fit::Name | Fit::Common => match used.digest {
                None => (Confidence::Likely, format!("by `{tag}`, a tag that named nothing else")),
                Some(_) => (Confidence::Possible, format!("by `{tag}`; the digest beside it is another one")),
            },
            Fit::Moved => {
                let at = self.seen().at.as_ref().map(|at| at.time)?;
                let window = self.incident.windows.iter().find(|w| w.holds(at))?;
                let span = window.span();
                (Confidence::Possible, format!("by `{tag}`, a moving tag, while it named that ({span})"))
            }
        };
        let whose = self.whose();
        let reason =
            format!("a command took the malicious image of `{repository}`, {by}; whether it succeeded is not recorded");
        let (rule, reason) = match whose {
            HistoryOf::Nobody => {
                let copied = "this file is no account's own history, so that nothing shows that it was typed here";
                (Rule::CommandInCopy, format!("{reason}; {copied}"))
            }
            HistoryOf::Account | HistoryOf::Somebody => (Rule::ImageTaken, reason),
        };
        let mut finding = self.finding(FindingKind::Image, format!("image/{repository}"), (rule, sure, reason));
        finding.moment = Some(Moment::OnUse);
        finding.account = if whose == HistoryOf::Somebody { Account::Elsewhere } else { finding.account };
        finding.bounds = Some(Arc::new(Bounds { mounts_unknown: true, ..Bounds::default() }));
        Some(finding)
    }

    /// An image that a file names.
    fn image_named(&self, used: &Use, indicator: &ImageIndicator, fit: Fit) -> Option<Finding> {
        if used.usage == Usage::Typed {
            return self.image_typed(used, indicator, fit);
        }
        let repository = &indicator.repository;
        if let Usage::Logged(logged) = used.usage {
            let judgement = self.logged_image(used, logged, indicator, fit)?;
            let mut finding = self.finding(FindingKind::Image, format!("image/{repository}"), judgement);
            finding.moment = Some(Moment::AtStart);
            finding.by_itself = true;
            self.is_logged(&mut finding);
            return Some(finding);
        }
        let judgement = match fit {
            Fit::Identity => {
                let reason = format!("names the malicious image of `{repository}`, by digest");
                (Rule::ImageNamed, Confidence::Confirmed, reason)
            }
            Fit::Name | Fit::Common => {
                let (sure, beside) = match used.digest {
                    None => (Confidence::Confirmed, ""),
                    Some(_) => (Confidence::Likely, "; the digest beside it is another one"),
                };
                let tag = escape(used.reference.as_bytes());
                let reason = format!("names `{repository}:{tag}`, a tag that named the malicious image{beside}");
                (Rule::ImageNamed, sure, reason)
            }
            Fit::Moved => {
                let at = self.seen().at.as_ref().map(|at| at.time)?;
                let window = self.incident.windows.iter().find(|w| w.end.is_none_or(|end| at <= end))?;
                let tag = escape(used.reference.as_bytes());
                let reason = format!(
                    "names `{repository}:{tag}`, a moving tag, and has done so since {at:.0}: it was the malicious image ({})",
                    window.span()
                );
                (Rule::ImageNamedByMovingTag, Confidence::Possible, reason)
            }
        };
        let mut finding = self.finding(FindingKind::Image, format!("image/{repository}"), judgement);
        finding.moment = Some(Moment::OnUse);
        Some(finding)
    }

    /// A malicious image that is here: by digest, by a tag that named nothing else, or by a moving tag while it pointed there.
    fn image(&self, references: &[String], indicator: &ImageIndicator, fit: Fit) -> Option<Finding> {
        let repository = &indicator.repository;
        let (rule, confidence, reason) = match fit {
            Fit::Identity => {
                let reason = format!("the malicious image of `{repository}`, by digest");
                (Rule::ImageByDigest, Confidence::Confirmed, reason)
            }
            Fit::Name | Fit::Common => (
                Rule::ImageByTag,
                Confidence::Likely,
                format!("a tag of `{repository}` that named the malicious image; its digest is another one"),
            ),
            Fit::Moved => {
                let at = self.seen().at.as_ref()?;
                let moving = |r: &String| indicator.floating_tags.iter().any(|t| oci::same_image(r, repository, t));
                let mut windows = self.incident.windows.iter();
                let window = windows.find(|w| w.holds(at.time)).filter(|_| references.iter().any(moving))?;
                let span = window.span();
                (
                    Rule::ImageByMovingTag,
                    Confidence::Possible,
                    format!("a moving tag of `{repository}`, made while it named the malicious image ({span})"),
                )
            }
        };
        let name = format!("image/{repository}");
        let mut finding = self.finding(FindingKind::Image, name, (rule, confidence, reason));
        finding.by_itself = confidence > Confidence::Possible;
        Some(finding)
    }

    /// An address or a text, by how its file holds it.
    fn trace(&self, trace: &Trace, kind: FindingKind, name: String, shown: &str, what: &str) -> Finding {
        // A history that is no account's own shows nothing of this machine.
        let typed = matches!(trace.held, Held::Fetched | Held::Run) && super::typed::is_typed(self.seen().surface);
        let copied = typed && self.whose() == HistoryOf::Nobody;
        let judgement = match trace.held {
            _ if copied => {
                let reason = format!(
                    "holds a command that fetches from {shown} ({what}); this file is no account's own history, so that \
                     nothing shows that it was typed here"
                );
                (Rule::CommandInCopy, Confidence::Likely, reason)
            }
            Held::Stored => {
                let reason = format!("holds {shown}: {what}; an article about the incident holds it too");
                (Rule::TraceStored, Confidence::Possible, reason)
            }
            Held::Named | Held::Taken | Held::Installed => {
                (Rule::TraceNamed, Confidence::Likely, format!("names {shown}: {what}"))
            }
            Held::Fetched => {
                let reason = format!("a command fetched from {shown}: {what}");
                (Rule::FetchCommand, Confidence::Likely, reason)
            }
            Held::Run => {
                let reason = format!("a command ran what it fetched from {shown}: {what}");
                (Rule::FetchedAndRun, Confidence::Likely, reason)
            }
            Held::Starts => {
                let reason = format!("starts by itself, and holds {shown}: {what}");
                (Rule::StartsWithTrace, Confidence::Likely, reason)
            }
            Held::InProject => {
                let reason = format!("starts once the project is opened, trusted or used, and holds {shown}: {what}");
                (Rule::StartsInProject, Confidence::Likely, reason)
            }
        };
        let mut finding = self.finding(kind, name, judgement);
        if matches!(trace.held, Held::Starts | Held::InProject) {
            finding.kind = FindingKind::File;
            finding.role = Some(if trace.held == Held::Starts { FileRole::Persistence } else { FileRole::Planted });
            finding.moment = Some(Moment::AtStart);
        }
        finding.by_itself = matches!(finding.rule, Rule::FetchedAndRun | Rule::StartsWithTrace);
        finding
    }

    /// A trace in a repository. It travels with a clone.
    fn in_git(&self, trace: &Trace, value: &str, what: &str, fit: Fit) -> Finding {
        let sure = match fit {
            Fit::Identity => Confidence::Confirmed,
            Fit::Name => Confidence::Likely,
            Fit::Common | Fit::Moved => Confidence::Possible,
        };
        let kind = match trace.kind {
            TraceKind::Repository => "a remote",
            TraceKind::Branch => "a branch",
            TraceKind::Commit => "a commit",
            TraceKind::Author => "a commit by an address",
            TraceKind::Message => "a commit with a message",
            TraceKind::Workflow => "a workflow",
            TraceKind::Url | TraceKind::Host | TraceKind::Text => "a text",
        };
        let taken = match trace.held {
            Held::Fetched => Some((Rule::CommitTyped, "a command takes")),
            Held::Installed => Some((Rule::CommitInstalled, "an installer took")),
            Held::Taken => Some((Rule::CommitTaken, "takes")),
            _ => None,
        };
        if let Some((rule, does)) = taken {
            let sure = if trace.held == Held::Fetched { sure.min(Confidence::Likely) } else { sure };
            let reason = format!("{does} a package from a commit of the incident: {what}");
            return self.finding(FindingKind::Git, format!("git/{value}"), (rule, sure, reason));
        }
        let doubt = if fit == Fit::Common { "; others may use the same name" } else { "" };
        let reason = format!(
            "{kind} of the incident: {what}; it comes with a clone, and does not show that anything ran here{doubt}"
        );
        self.finding(FindingKind::Git, format!("git/{value}"), (Rule::GitTrace, sure, reason))
    }
}

/// How bad a finding is, and its position: the least is the worst.
type Worth = (Reverse<(Exposure, Confidence)>, usize);

/// Drops what better evidence makes superfluous: an editor's list where the files stand, and of several values of one incident on one
/// line all but the best.
pub(super) fn sort_out(findings: &mut Vec<Finding>) {
    let stands = |f: &Finding| f.kind == FindingKind::Package && f.exposure >= Exposure::Installed;
    let here: HashSet<_> = findings
        .iter()
        .filter(|f| stands(f))
        .filter_map(|f| Some((f.origin.tree.clone(), f.unit.as_ref()?.folder.parent(), words(f)?, f.incident)))
        .collect();
    let superfluous = |f: &Finding| {
        let place = || Some((f.origin.tree.clone(), f.origin.path.parent(), words(f)?, f.incident));
        f.rule == Rule::PackageGone && place().is_some_and(|place| here.contains(&place))
    };
    findings.retain(|f| !superfluous(f));
    // Stored bytes of which the store's own index says whose they are.
    let place =
        |f: &Finding, path: &TreePath| (f.origin.tree.clone(), f.origin.layer.clone(), path.clone(), f.incident);
    let described: HashSet<_> = findings
        .iter()
        .flat_map(|f| {
            f.holdings.iter().flatten().filter(|path| **path != f.origin.path).map(move |path| place(f, path))
        })
        .collect();
    findings.retain(|f| f.rule != Rule::ArtifactStored || !described.contains(&place(f, &f.origin.path)));
    let is_value = |f: &Finding| {
        starts_with_trace(f) || matches!(f.kind, FindingKind::Network | FindingKind::Git | FindingKind::Text)
    };
    // A file that is known as a whole says what a line of it starts.
    let starts = |f: &Finding| {
        let rule = matches!(f.rule, Rule::StartsPayload | Rule::StartsInProject | Rule::StartsWithTrace);
        rule && f.origin.line.is_some()
    };
    let whole: HashSet<(Origin, usize)> = findings
        .iter()
        .filter(|f| f.kind == FindingKind::File && !starts(f))
        .map(|f| (f.origin.whole_file(), f.incident))
        .collect();
    findings.retain(|f| !(starts(f) && whole.contains(&(f.origin.whole_file(), f.incident))));
    let mut best: HashMap<(Origin, usize), Worth> = HashMap::new();
    for (at, f) in findings.iter().enumerate().filter(|(_, f)| is_value(f)) {
        let mine = (Reverse((f.exposure, f.confidence)), at);
        let known = best.entry((f.origin.clone(), f.incident)).or_insert(mine);
        *known = mine.min(*known);
    }
    // What the text is part of says more: a use on its line, or a file that is known as a whole.
    let spoken: HashSet<(Origin, usize)> = findings
        .iter()
        .filter_map(|f| match f.kind {
            FindingKind::Action | FindingKind::Image | FindingKind::Package => Some((f.origin.clone(), f.incident)),
            FindingKind::File if !starts_with_trace(f) => Some((f.origin.whole_file(), f.incident)),
            _ => None,
        })
        .collect();
    best.retain(|(origin, incident), (_, at)| {
        let f = findings.get(*at);
        let part = f.is_some_and(|f| f.kind != FindingKind::Network || starts_with_trace(f));
        let is_known = |origin: &Origin| spoken.contains(&(origin.clone(), *incident));
        !(part && (is_known(origin) || is_known(&origin.whole_file())))
    });
    // Of a file of which anything else is known, that a search found something in it says nothing more.
    let stored = |f: &Finding| f.rule == Rule::TraceStored;
    let known: HashSet<(Origin, usize)> =
        findings.iter().filter(|f| !stored(f)).map(|f| (f.origin.whole_file(), f.incident)).collect();
    best.retain(|(origin, incident), (_, at)| {
        !(findings.get(*at).is_some_and(stored) && known.contains(&(origin.whole_file(), *incident)))
    });
    let kept: HashSet<usize> = best.into_values().map(|(_, at)| at).collect();
    let mut at = 0;
    findings.retain(|f| {
        at += 1;
        !is_value(f) || kept.contains(&(at - 1))
    });
}

/// Whether it is by a text or an address in what starts, not by a command line of the payload.
fn starts_with_trace(f: &Finding) -> bool {
    f.rule == Rule::StartsWithTrace || f.rule == Rule::StartsInProject && !f.indicator.starts_with("process/")
}

/// Name and version of a package, without where it came from.
fn words(f: &Finding) -> Option<(String, Option<String>)> {
    let package = Purl::parse(f.package.as_deref()?)?;
    Some((package.name, package.version))
}

/// The first words of a text.
fn start(text: &str) -> String {
    const SHOWN: usize = 60;
    let cut: String = text.chars().take(SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", escape(cut.as_bytes()))
}

/// When a tag was moved, in words.
fn moved(indicator: &ActionIndicator) -> String {
    let from = indicator.from.map_or_else(|| "an unknown time".to_owned(), |t| format!("{t:.0}"));
    match indicator.until {
        Some(until) => format!("a tag that was moved to malicious code from {from} to {until:.0}"),
        None => format!("a tag that was moved to malicious code at {from}, and nobody says that it was moved back"),
    }
}

/// Whether something happened while the tags were moved. `None` where its time is not known.
fn within(indicator: &ActionIndicator, at: Option<Timestamp>) -> Option<bool> {
    let at = at?;
    Some(indicator.from.is_none_or(|from| at >= from) && indicator.until.is_none_or(|until| at <= until))
}

/// How sure it is that a file named a tag while it was moved. A file that was written later may have named it before, or never: it is
/// good again since then.
fn named_then(indicator: &ActionIndicator, at: Option<Timestamp>) -> Option<Confidence> {
    let (Some(until), Some(at)) = (indicator.until, at) else {
        return Some(if indicator.until.is_none() { Confidence::Likely } else { Confidence::Possible });
    };
    match at <= until {
        true if indicator.from.is_some_and(|from| at >= from) => Some(Confidence::Likely),
        true => Some(Confidence::Possible),
        false => None,
    }
}
