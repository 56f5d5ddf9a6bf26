//! The assessment seen from the one who cleans up: which machine, which incident, how bad.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::writer::System;
use crate::{
    accounts::Accounts,
    assess::{Account, Assessment, Finding},
    credential::Catalog,
    fact::{Ecosystem, Origin, Platform, TreePath},
    ioc::{
        Index,
        index::IncidentId,
        model::{Cleanup, Incident, Window},
    },
    text::escape,
    verdict::{Confidence, Exposure, Phase, Urgency},
};

/// What the caller knows of the examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Every place of the machine was looked at with every surface: what was not found is not there.
    pub whole: bool,
    /// The monitors of all incidents that act when a token is revoked were looked for.
    pub monitors: bool,
    /// What the plan is for.
    pub subject: Subject,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Subject {
    /// One machine, disk or folder, and the images of the same run.
    #[default]
    Single,
    /// One of several machines, whose items say which.
    OneOfMany,
    /// What a bill of materials describes: nobody looked at it, and no path is one to move away.
    Statement,
}

impl Default for Scope {
    fn default() -> Self {
        Self { whole: true, monitors: true, subject: Subject::Single }
    }
}

/// Everything the phases ask for.
pub struct Situation<'s> {
    pub index: &'s Index,
    pub catalog: &'s Catalog,
    pub assessment: &'s Assessment,
    pub accounts: &'s BTreeMap<Arc<str>, Accounts>,
    pub scope: Scope,
    pub system: System,
    /// The incidents found, with the worst exposure of each.
    pub incidents: Vec<(&'s Incident, Exposure)>,
    /// The worst of all.
    pub worst: Exposure,
}

impl<'s> Situation<'s> {
    pub fn new(
        index: &'s Index,
        catalog: &'s Catalog,
        assessment: &'s Assessment,
        accounts: &'s BTreeMap<Arc<str>, Accounts>,
        scope: Scope,
        system: System,
    ) -> Self {
        let mut worst: BTreeMap<IncidentId, Exposure> = BTreeMap::new();
        for f in &assessment.findings {
            let known = worst.entry(f.incident).or_insert(f.exposure);
            *known = f.exposure.max(*known);
        }
        let incidents: Vec<_> = worst.iter().filter_map(|(id, e)| Some((index.incident(*id)?, *e))).collect();
        let worst = worst.values().copied().max().unwrap_or(Exposure::Referenced);
        Self { index, catalog, assessment, accounts, scope, system, incidents, worst }
    }

    /// The findings that some condition holds for, worst first within an incident.
    pub fn findings(&self, wanted: impl Fn(&Finding) -> bool) -> Vec<&'s Finding> {
        self.assessment.findings.iter().filter(|f| wanted(f)).collect()
    }

    /// Id of a finding's incident.
    pub fn incident_of(&self, finding: &Finding) -> &'s str {
        self.index.incident(finding.incident).map_or("", |i| i.id.as_str())
    }

    /// By whose rules a finding loads; of a trace, those of the packages of every incident that leaves it.
    pub fn ecosystems(&self, f: &Finding) -> BTreeSet<Ecosystem> {
        let incidents = f.alike.iter().chain([&f.incident]).filter_map(|i| self.index.incident(*i));
        let packages = incidents.flat_map(|i| &i.packages).map(|p| p.ecosystem);
        f.ecosystem.into_iter().chain(packages.filter(|_| f.ecosystem.is_none())).collect()
    }

    /// Name of an account in a tree.
    pub fn account(&self, tree: &Arc<str>, account: Account) -> Option<String> {
        let Account::Uid(uid) = account else {
            return None;
        };
        Some(self.accounts.get(tree).map_or_else(|| uid.to_string(), |a| a.name(uid)))
    }

    /// Whose a dropped file is: in a home, of the account that lives there, since that account's session starts it.
    pub fn lives_at(&self, f: &Finding) -> Account {
        f.lives_at(self.accounts)
    }

    /// Incidents that got far enough that something of theirs may have run, and how urgent that makes what they take.
    pub fn ran(&self) -> Vec<(&'s Incident, Urgency)> {
        let far = self.incidents.iter().filter(|(_, e)| *e >= Exposure::Removed);
        far.map(|(incident, _)| {
            let strong = |f: &&Finding| {
                self.incident_of(f) == incident.id
                    && match f.exposure {
                        Exposure::Executed => true,
                        Exposure::Installed => f.by_itself,
                        Exposure::Removed => f.confidence >= Confidence::Likely,
                        Exposure::Cached | Exposure::Referenced => false,
                    }
            };
            let strong = self.assessment.findings.iter().any(|f| strong(&f));
            (*incident, if strong { Urgency::Now } else { Urgency::Soon })
        })
        .collect()
    }

    /// Whether a finding is of an image: nothing of it is a machine's that could be cut off, or a file that could be moved.
    pub fn is_of_image(&self, f: &Finding) -> bool {
        self.assessment.is_of_image(f)
    }

    /// The worst that was found, but for what happened on machines of CI.
    pub fn here(&self) -> Option<Exposure> {
        self.assessment.findings.iter().filter(|f| !f.origin.is_of_job()).map(|f| f.exposure).max()
    }

    /// Whether something of an incident got far here, and not only in runs of CI.
    pub fn is_here(&self, incident: &Incident) -> bool {
        let of = |f: &&Finding| self.incident_of(f) == incident.id && !f.origin.is_of_job();
        self.assessment.findings.iter().filter(of).any(|f| f.exposure >= Exposure::Removed)
    }

    /// Whether something shows that a cluster can be reached from here, or nobody can say that none is.
    pub fn may_reach_clusters(&self) -> bool {
        let leads = |kind: &str| kind.starts_with("k8s.");
        !self.scope.whole
            || self.assessment.credentials.iter().any(|j| leads(&j.credential.kind))
            || self.assessment.platforms.iter().any(|p| p.platform == Platform::Kubernetes)
            || self.assessment.findings.iter().any(|f| self.is_of_image(f))
    }

    /// When what was found was first on offer: from then on logs are read.
    pub fn opened(&self) -> Option<Timestamp> {
        let windows = self.incidents.iter().filter(|(_, e)| *e >= Exposure::Removed).flat_map(|(incident, _)| {
            let mut found = self.assessment.findings.iter().filter(|f| self.incident_of(f) == incident.id);
            let own: BTreeSet<&str> =
                found.by_ref().filter(|f| f.exposure >= Exposure::Removed).map(|f| f.indicator.as_str()).collect();
            let covers = |covered: &str, indicator: &str| {
                indicator.strip_prefix(covered).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
            };
            let is_own = |w: &&Window| w.covers.iter().any(|c| own.iter().any(|indicator| covers(c, indicator)));
            let some_are = incident.windows.iter().any(|w| is_own(&w));
            incident.windows.iter().filter(move |w| !some_are || is_own(w)).map(|w| w.start).collect::<Vec<_>>()
        });
        windows.min()
    }

    /// What the incidents' own files say about one phase.
    pub fn cleanup(&self, phase: Phase) -> Vec<(&'s Incident, &'s Cleanup)> {
        let all = self.incidents.iter().flat_map(|(i, e)| i.cleanup.iter().map(move |c| (*i, *e, c)));
        all.filter(|(_, exposure, c)| c.phase == phase && c.from.is_none_or(|from| *exposure >= from))
            .map(|(i, _, c)| (i, c))
            .collect()
    }
}

/// Absolute, as the target's own bytes.
pub fn absolute(path: &TreePath) -> Vec<u8> {
    [b"/", path.written()].concat()
}

/// A path for a sentence.
pub fn shown(path: &TreePath) -> String {
    escape(&absolute(path))
}

/// Where a machine is not the only tree, or the tree is an image: which one, as the end of a sentence.
pub fn within(origin: &Origin) -> Cow<'static, str> {
    match (&origin.layer, &*origin.tree) {
        (Some(_), image) => format!(" of image {}", escape(image.as_bytes())).into(),
        // The one disk that was examined is named at the top.
        (None, "host" | "root") => "".into(),
        (None, tree) => format!(" of {}", escape(tree.as_bytes())).into(),
    }
}

/// A file in a title: what it calls the thing, then where it lies.
pub fn short_place(origin: &Origin) -> String {
    let inner = origin.inner.as_deref().map(|i| format!("{} in ", escape(i.as_bytes()))).unwrap_or_default();
    format!("{inner}{}{}", shown(&origin.path), within(origin))
}

/// A file named in a sentence, with the line.
pub fn place(origin: &Origin) -> String {
    let line = origin.line.map(|l| format!(", line {l}")).unwrap_or_default();
    let inner = origin.inner.as_deref().map(|i| format!(" [{}]", escape(i.as_bytes()))).unwrap_or_default();
    format!("{}{inner}{line}{}", shown(&origin.path), within(origin))
}
