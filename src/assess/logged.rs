//! What a log of a job is worth. It stands on this disk, and what it says happened on another machine: nothing that was examined here was
//! before the code that ran there.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    Account, Finding,
    evidence::{Draft, Judgement, runs},
    rule::Rule,
};
use crate::{
    fact::{At, Logged, Origin, TreePath, Use},
    ioc::{
        index::Fit,
        model::{ActionIndicator, ImageIndicator, Moment, PackageIndicator},
    },
    text::escape,
    verdict::{Confidence, Exposure},
};

impl Draft<'_, '_> {
    /// A malicious version, by what the log says was done with it.
    pub(super) fn logged(&self, logged: Logged, indicator: &PackageIndicator) -> Judgement {
        let when = runs(indicator.triggers.iter().copied());
        let by_itself = indicator.triggers.iter().any(|t| t.moment() != Moment::OnUse);
        let (rule, sure, what) = match logged {
            Logged::Ran => (Rule::LoggedRun, Confidence::Confirmed, "its install script was started"),
            Logged::Installed if by_itself => (Rule::LoggedInstall, Confidence::Likely, "it was installed"),
            Logged::Installed => (Rule::LoggedInstallUnused, Confidence::Likely, "it was installed"),
            Logged::Blocked => {
                let what = "it was installed, and its install scripts were not run";
                (Rule::LoggedInstallUnused, Confidence::Likely, what)
            }
            Logged::Downloaded => {
                let what = "it was downloaded, and nothing in it says that it was installed";
                (Rule::LoggedDownload, Confidence::Likely, what)
            }
            Logged::Resolved => {
                let what = "it was asked for or chosen, and nothing in it says that it was downloaded";
                (Rule::LoggedResolve, Confidence::Likely, what)
            }
        };
        (rule, sure, format!("{} says that {what}; {when}", self.log()))
    }

    /// What a runner resolved an action to.
    pub(super) fn logged_action(&self, used: &Use, by: &str, sure: Confidence, runs: &str) -> Judgement {
        let named = escape(format!("{}@{}", used.name, used.reference).as_bytes());
        let commit = used.digest.as_deref().map(|sha| format!(" at {}", escape(sha.as_bytes()))).unwrap_or_default();
        let reason = format!(
            "{} says that the runner fetched `{named}`{commit}, {by}, right before it ran it: {runs}",
            self.log()
        );
        (Rule::ActionResolved, sure, reason)
    }

    /// A malicious image that a job pulled or ran.
    pub(super) fn logged_image(
        &self,
        used: &Use,
        logged: Logged,
        indicator: &ImageIndicator,
        fit: Fit,
    ) -> Option<Judgement> {
        let (sure, by) = match fit {
            Fit::Identity => (Confidence::Confirmed, "by digest"),
            Fit::Name | Fit::Common if used.digest.is_none() => {
                (Confidence::Likely, "by a tag that named the malicious image")
            }
            Fit::Name | Fit::Common => {
                (Confidence::Likely, "by a tag that named the malicious image; the digest beside it is another one")
            }
            Fit::Moved => match self.seen().at.as_ref() {
                None => (Confidence::Possible, "by a moving tag, at a time that is not known"),
                Some(at) if self.incident.windows.iter().any(|w| may_be_in(at, Some(w.start), w.end)) => {
                    (Confidence::Possible, "by a moving tag, while it was the malicious image")
                }
                Some(_) => return None,
            },
        };
        let (rule, ceiling, what) = match logged {
            Logged::Ran | Logged::Installed => (Rule::LoggedRun, Confidence::Confirmed, "a container was started from"),
            Logged::Blocked | Logged::Downloaded | Logged::Resolved => {
                (Rule::LoggedDownload, Confidence::Likely, "the job fetched")
            }
        };
        let repository = &indicator.repository;
        Some((rule, sure.min(ceiling), format!("{} says that {what} the image of `{repository}`, {by}", self.log())))
    }

    /// Whether a tag was moved when the log names it; `None` where the time is not known.
    pub(super) fn logged_within(&self, indicator: &ActionIndicator) -> Option<bool> {
        self.seen().at.as_ref().map(|at| may_be_in(at, indicator.from, indicator.until))
    }

    /// Which log it is, as the subject of a sentence.
    fn log(&self) -> String {
        let origin = &self.seen().origin;
        match origin.tree.strip_prefix("ci:").filter(|_| origin.is_of_job()) {
            Some(run) => format!("the log of the CI run {}", escape(run.as_bytes())),
            None => "a log of this machine's CI runner".to_owned(),
        }
    }

    /// Nothing of what a log names stands where the log does; what ran on another machine took nothing of this one.
    pub(super) fn is_logged(&self, finding: &mut Finding) {
        finding.holdings = Some(Vec::new());
        if self.seen().origin.is_of_job() {
            finding.account = Account::Elsewhere;
        }
    }
}

/// Whether a time may lie between two others, as far as its zone is known.
fn may_be_in(at: &At, from: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    let (first, last) = at.span();
    from.is_none_or(|from| last >= from) && until.is_none_or(|until| first <= until)
}

/// Of one package and one part of a log: where, which incident, and what.
type Key = (Origin, usize, String);

/// Which part of a log speaks of which package; `None` for all else.
fn key(f: &Finding) -> Option<Key> {
    let of_log = matches!(
        f.rule,
        Rule::LoggedRun | Rule::LoggedInstall | Rule::LoggedInstallUnused | Rule::LoggedDownload | Rule::LoggedResolve
    );
    let origin = || Origin { line: None, ..f.origin.clone() };
    of_log.then(|| (origin(), f.incident, f.indicator.clone()))
}

/// What one part of a log says of one package, altogether.
#[derive(Default)]
struct Said {
    best: Option<Exposure>,
    installed: bool,
    unused: bool,
}

/// Leaves out the steps on the way to an install that the same part of a log says, and believes it where it says that scripts were
/// not run.
pub(super) fn sort_out(findings: &mut Vec<Finding>) {
    let mut said: HashMap<Key, Said> = HashMap::new();
    for (f, key) in findings.iter().filter_map(|f| Some((f, key(f)?))) {
        let said = said.entry(key).or_default();
        said.best = said.best.max(Some(f.exposure));
        said.installed |= f.rule == Rule::LoggedInstall;
        said.unused |= f.rule == Rule::LoggedInstallUnused;
    }
    findings.retain_mut(|f| {
        let Some(said) = key(f).and_then(|key| said.get(&key)) else {
            return true;
        };
        let blocked = said.installed && said.unused;
        if blocked && f.rule == Rule::LoggedInstall {
            f.set_rule(Rule::LoggedInstallUnused, f.confidence);
            f.sign = Some("the same log says that its install scripts were not run".to_owned());
            return true;
        }
        let says_less = f.exposure < Exposure::Removed && Some(f.exposure) < said.best;
        let repeats = blocked && f.rule == Rule::LoggedInstallUnused;
        !(says_less || repeats)
    });
    once_per_run(findings);
}

/// What two files of one run say alike is one thing: GitHub's archive has each line in the log of the step and in that of the job.
fn once_per_run(findings: &mut Vec<Finding>) {
    type Said = (Arc<str>, usize, String, At);
    let said = |f: &Finding| -> Option<Said> {
        let at = f.at.clone().filter(|_| f.origin.is_of_job() && f.holdings.as_ref().is_some_and(Vec::is_empty))?;
        Some((f.origin.tree.clone(), f.incident, f.indicator.clone(), at))
    };
    // Of the deepest file, which is that of the step.
    let mut best: BTreeMap<Said, TreePath> = BTreeMap::new();
    let deeper = |path: &TreePath, known: &TreePath| {
        let key = |path: &TreePath| (path.components().count(), Reverse(path.clone()));
        key(path) > key(known)
    };
    for f in findings.iter() {
        let Some(said) = said(f) else {
            continue;
        };
        let known = best.entry(said).or_insert_with(|| f.origin.path.clone());
        if deeper(&f.origin.path, known) {
            known.clone_from(&f.origin.path);
        }
    }
    findings.retain(|f| said(f).and_then(|said| best.get(&said)).is_none_or(|path| *path == f.origin.path));
}
