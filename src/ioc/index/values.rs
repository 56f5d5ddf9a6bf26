//! Lookups of what is used by a reference and of traces in texts and repositories.

use std::collections::HashMap;

use super::{IncidentId, Index, Place, live_of};
use crate::{
    ecosystem::{action, normal_name, oci},
    fact::{Ecosystem, Trace, TraceKind, Use, UseKind},
    ioc::model::{ActionIndicator, GitIndicator, GitKind, ImageIndicator, Incident, NetworkKind},
};

/// Digits of a digest by which images are looked up: as many as an indicator has at least.
const DIGITS: usize = "sha256:".len() + 12;

/// The list of an incident that an indicator stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// `packages`
    Packages,
    /// `actions`
    Actions,
    /// `images`
    Images,
    /// `network`
    Network,
    /// `strings`
    Strings,
    /// `git`
    Git,
}

/// By what a value is the known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fit {
    /// A tag or branch that was moved and may have been moved back: the time says more.
    Moved,
    /// A name that others may use too.
    Common,
    /// A tag, a branch, an address that was nothing else.
    Name,
    /// A commit or a digest.
    Identity,
}

/// An indicator that a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Whose.
    pub incident: IncidentId,
    /// In which list.
    pub list: List,
    /// Its position there.
    pub at: usize,
    /// By what.
    pub fit: Fit,
}

#[derive(Debug, Default)]
pub(super) struct Values {
    /// By repository in its full form.
    images: HashMap<Box<str>, Vec<Place>>,
    /// By the first digits.
    digests: HashMap<Box<str>, Vec<Place>>,
    /// By kind and value, as `git_key` writes it.
    git: HashMap<(TraceKind, Box<str>), Vec<Place>>,
    messages: Vec<(Box<str>, Place)>,
}

impl Values {
    pub(super) fn add(&mut self, id: IncidentId, incident: &Incident) {
        for (at, image) in live_of(&incident.images, |i| i.standing.withdrawn.is_none()) {
            let repository = oci::repository(&image.repository);
            self.images.entry(repository.into()).or_default().push((id, at));
            for digest in image.digests.iter().filter_map(|d| d.get(..DIGITS)) {
                let places = self.digests.entry(digest.to_ascii_lowercase().into()).or_default();
                if !places.contains(&(id, at)) {
                    places.push((id, at));
                }
            }
        }
        for (at, git) in live_of(&incident.git, |g| g.standing.withdrawn.is_none() && !g.context_only) {
            match trace_kind(git.kind) {
                Some(TraceKind::Message) => self.messages.push((git.value.as_str().into(), (id, at))),
                Some(kind) => {
                    let key = git_key(kind, &git.value);
                    self.git.entry((kind, key.into())).or_default().push((id, at));
                }
                None => {}
            }
        }
    }
}

/// What shows an indicator of this kind on a machine; a description, an account of a registry or an event is a forge's alone. The
/// account of a repository is part of the repository's name.
fn trace_kind(kind: GitKind) -> Option<TraceKind> {
    Some(match kind {
        GitKind::Commit => TraceKind::Commit,
        GitKind::Branch => TraceKind::Branch,
        GitKind::Repository | GitKind::Account => TraceKind::Repository,
        GitKind::Message => TraceKind::Message,
        GitKind::Author => TraceKind::Author,
        GitKind::Workflow => TraceKind::Workflow,
        GitKind::Description | GitKind::Event => return None,
    })
}

/// A value as it is compared.
fn git_key(kind: TraceKind, value: &str) -> String {
    match kind {
        TraceKind::Commit => {
            let value = value.to_ascii_lowercase();
            value.get(..7).map_or(value.clone(), str::to_owned)
        }
        TraceKind::Repository | TraceKind::Author => value.to_ascii_lowercase(),
        _ => value.to_owned(),
    }
}

impl Index {
    /// What surfaces shall look for in texts.
    pub(super) fn traces(&self) -> impl Iterator<Item = (TraceKind, String)> {
        let live = self.database.incidents.iter();
        live.flat_map(|i| {
            let network = live_of(&i.network, |n| n.standing.withdrawn.is_none() && !n.context_only);
            let network = network.map(|(_, n)| match n.kind {
                NetworkKind::Url => (TraceKind::Url, n.value.clone()),
                NetworkKind::Domain | NetworkKind::Ip => (TraceKind::Host, n.value.clone()),
            });
            let strings = live_of(&i.strings, |s| s.standing.withdrawn.is_none() && !s.context_only);
            let git = live_of(&i.git, |g| g.standing.withdrawn.is_none() && !g.context_only);
            let git = git.filter_map(|(_, g)| Some((trace_kind(g.kind)?, g.value.clone())));
            network.chain(strings.map(|(_, s)| (TraceKind::Text, s.value.clone()))).chain(git)
        })
    }

    /// The indicators that a use is.
    pub fn uses(&self, used: &Use) -> Vec<Known> {
        match used.kind {
            UseKind::Action => {
                let named = self.actions.get(action::repository(&used.name).as_str());
                let all = self.all(named, |i, at| i.actions.get(at)).into_iter();
                // Where the commits are known that a moved tag led to, another one is none of them.
                let listed = all.clone().any(|(_, a)| !a.commits.is_empty());
                let fit = |a: &ActionIndicator| match &used.digest {
                    None => action_fit(a, &used.reference),
                    Some(commit) => action_fit(a, commit)
                        .or_else(|| action_fit(a, &used.reference).filter(|fit| *fit == Fit::Name || !listed)),
                };
                all.filter_map(|(place, a)| Some(known(List::Actions, place, fit(a)?))).collect()
            }
            UseKind::Image => self.images_named(used),
            UseKind::Extension => self.extensions(&used.name, &used.reference),
        }
    }

    /// The images with one of these names or digests.
    pub fn images_of(&self, references: &[String], digests: &[String]) -> Vec<Known> {
        let mut found: Vec<Known> = digests.iter().flat_map(|d| self.image_digests(d)).collect();
        for image in references.iter().filter_map(|r| oci::parse(r)) {
            found.extend(image.digest.iter().flat_map(|d| self.image_digests(d)));
            found.extend(image.tag.iter().flat_map(|tag| self.image_tags(&image.repository, tag)));
        }
        best(found)
    }

    /// By its id, whichever marketplace it came from: of an incident that names it in both, once.
    fn extensions(&self, name: &str, version: &str) -> Vec<Known> {
        let name = normal_name(Ecosystem::Vscode, name);
        let of = |ecosystem| self.version(ecosystem, &name, version).into_iter().map(|(place, _)| place);
        let mut found: Vec<Known> = Vec::new();
        // No id of one kind has the form of another's.
        let others = [Ecosystem::Openvsx, Ecosystem::Jetbrains, Ecosystem::Chrome, Ecosystem::Firefox];
        for place in of(Ecosystem::Vscode).chain(others.into_iter().flat_map(of)) {
            if !found.iter().any(|k| k.incident == place.0) {
                found.push(known(List::Packages, place, Fit::Identity));
            }
        }
        found
    }

    /// The repositories of all images.
    pub(super) fn image_repositories(&self) -> impl Iterator<Item = &str> {
        self.values.images.keys().map(|name| &**name)
    }

    fn images_named(&self, used: &Use) -> Vec<Known> {
        let repository = oci::repository(&used.name);
        let mut found: Vec<Known> = used.digest.iter().flat_map(|d| self.image_digests(d)).collect();
        let tags = self.image_tags(&repository, &used.reference).into_iter();
        // A moved tag beside a digest is a note for people: the digest says which image it is.
        found.extend(tags.filter(|known| used.digest.is_none() || known.fit != Fit::Moved));
        best(found)
    }

    fn image_tags(&self, repository: &str, tag: &str) -> Vec<Known> {
        let fit = |i: &ImageIndicator| {
            let named = |tags: &[String]| tags.iter().any(|t| t == tag);
            named(&i.tags).then_some(Fit::Name).or_else(|| named(&i.floating_tags).then_some(Fit::Moved))
        };
        let all = self.all(self.values.images.get(repository), |i, at| i.images.get(at)).into_iter();
        all.filter_map(|(place, i)| Some(known(List::Images, place, fit(i)?))).collect()
    }

    fn image_digests(&self, digest: &str) -> Vec<Known> {
        let digest = digest.to_ascii_lowercase();
        let is = |i: &ImageIndicator| i.digests.iter().any(|d| digest.starts_with(&d.to_ascii_lowercase()));
        let places = digest.get(..DIGITS).and_then(|start| self.values.digests.get(start));
        let all = self.all(places, |i, at| i.images.get(at)).into_iter();
        all.filter(|(_, i)| is(i)).map(|(place, _)| known(List::Images, place, Fit::Identity)).collect()
    }

    /// The indicators that a trace is.
    pub fn traces_of(&self, trace: &Trace) -> Vec<Known> {
        let value = &*trace.value;
        let places = |found: Vec<Place>, list, fit| found.into_iter().map(|p| known(list, p, fit)).collect();
        match trace.kind {
            TraceKind::Url => places(self.urls(value).into_iter().map(|(p, _)| p).collect(), List::Network, Fit::Name),
            TraceKind::Host => {
                places(self.hosts(value).into_iter().map(|(p, _)| p).collect(), List::Network, Fit::Name)
            }
            TraceKind::Text => {
                places(self.strings(value).into_iter().map(|(p, _)| p).collect(), List::Strings, Fit::Name)
            }
            TraceKind::Message => {
                let begin = self.values.messages.iter().filter(|(m, _)| value.starts_with(&**m)).map(|(_, p)| *p);
                places(begin.collect(), List::Git, Fit::Common)
            }
            TraceKind::Commit => self.commits(value),
            TraceKind::Repository => self.repositories(value),
            TraceKind::Branch => self.branches(value),
            TraceKind::Author => self.git_of(TraceKind::Author, value, Fit::Name),
            TraceKind::Workflow => self.git_of(TraceKind::Workflow, value, Fit::Name),
        }
    }

    fn git_of(&self, kind: TraceKind, value: &str, fit: Fit) -> Vec<Known> {
        let places = self.values.git.get(&(kind, git_key(kind, value).into()));
        places.into_iter().flatten().map(|place| known(List::Git, *place, fit)).collect()
    }

    fn git_at(&self, place: Place) -> Option<&GitIndicator> {
        self.incident(place.0)?.git.get(place.1)
    }

    fn commits(&self, id: &str) -> Vec<Known> {
        let id = id.to_ascii_lowercase();
        let mut found = self.git_of(TraceKind::Commit, &id, Fit::Name);
        found.retain_mut(|known| {
            let value =
                self.git_at((known.incident, known.at)).map(|g| g.value.to_ascii_lowercase()).unwrap_or_default();
            if value == id {
                known.fit = Fit::Identity;
            }
            value.starts_with(&id) || id.starts_with(&value)
        });
        found
    }

    /// `owner/name` by both, by the owner's account, or by a name that payloads give.
    fn repositories(&self, value: &str) -> Vec<Known> {
        let mut found = self.git_of(TraceKind::Repository, value, Fit::Name);
        if let Some((owner, name)) = value.split_once('/') {
            let of_kind = |known: &Known, kind| self.git_at((known.incident, known.at)).is_some_and(|g| g.kind == kind);
            let owners = self.git_of(TraceKind::Repository, owner, Fit::Name).into_iter();
            found.extend(owners.filter(|known| of_kind(known, GitKind::Account)));
            let names = self.git_of(TraceKind::Repository, name, Fit::Common).into_iter();
            // What a payload made has its capitals too; a checker of it is seldom called so.
            found.extend(names.filter(|known| {
                of_kind(known, GitKind::Repository)
                    && self.git_at((known.incident, known.at)).is_some_and(|g| g.value == name)
            }));
        }
        found
    }

    /// A whole name, or the folder of branches that an indicator ending in `/` names.
    fn branches(&self, value: &str) -> Vec<Known> {
        let mut found = self.git_of(TraceKind::Branch, value, Fit::Common);
        for (at, _) in value.match_indices('/') {
            let start = value.get(..=at).unwrap_or_default();
            found.extend(self.git_of(TraceKind::Branch, start, Fit::Common));
        }
        found
    }
}

fn known(list: List, (incident, at): Place, fit: Fit) -> Known {
    Known { incident, list, at, fit }
}

/// Of each indicator the best fit.
fn best(mut found: Vec<Known>) -> Vec<Known> {
    found.sort_by_key(|k| (k.incident, k.at, std::cmp::Reverse(k.fit)));
    found.dedup_by_key(|k| (k.incident, k.at));
    found
}

/// By what a reference of an action is a malicious one; a moved tag whenever it was used.
pub(super) fn action_fit(a: &ActionIndicator, reference: &str) -> Option<Fit> {
    let reference = action::short_reference(reference);
    if action::is_commit(reference) {
        let named = || a.tags.iter().chain(&a.moved_tags).any(|t| t == reference);
        // A few hex digits may be a tag too, where the incident names it.
        if reference.len() >= 12 || !named() {
            return a.commits.iter().any(|c| action::same_commit(c, reference)).then_some(Fit::Identity);
        }
    }
    if a.tags.iter().any(|t| t == reference) {
        return Some(Fit::Name);
    }
    let moved = a.moved_tags.iter().any(|t| t == reference || (t == "*" && !a.safe.iter().any(|s| s == reference)));
    moved.then_some(Fit::Moved)
}
