//! The incidents compiled into lookups.

mod values;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    database::Database,
    feed::{self, Feed},
    model::{
        ActionIndicator, ArtifactIndicator, FileIndicator, FileRole, GitIndicator, Incident, NetworkIndicator,
        NetworkKind, PackageIndicator, Standing, StringIndicator,
    },
    pattern,
};
use crate::{
    ecosystem::{action, fits, normal_name},
    fact::{Ecosystem, TextId, TreePath},
    interest::{Interest, KnownPackages, Traces, begins, glob, is_address},
};
pub use values::{Fit, Known, List};

/// Position of an incident in the database.
pub type IncidentId = usize;

/// Where an indicator stands: the incident, and the position in one of its lists.
pub type Place = (IncidentId, usize);

type Table = HashMap<Box<str>, Vec<Place>>;

/// Lookups over a database. What was withdrawn is in none of them.
#[derive(Debug)]
pub struct Index {
    /// What was compiled.
    pub database: Database,
    packages: HashMap<(Ecosystem, Box<str>), Vec<Place>>,
    feeds: Vec<Arc<dyn Feed>>,
    artifacts: Table,
    file_hashes: Table,
    files: Table,
    /// Keys of `files` with a `*`.
    patterns: Vec<Box<str>>,
    hosts: Table,
    urls: Vec<(Box<str>, Place)>,
    actions: Table,
    strings: Table,
    git: Table,
    values: values::Values,
    texts: Vec<String>,
    text_ids: HashMap<String, TextId>,
    holds: HashMap<TextId, Vec<Holder>>,
}

/// Whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A file indicator that counts only with a text.
    File(Place),
    /// A process indicator.
    Process(Place),
}

impl Index {
    /// Compiles a database, or only the incidents `wanted` names; of the others what acts when a token is revoked, since whoever
    /// cleans up after one incident sets off the monitor of another.
    pub fn new(mut database: Database, wanted: &[String]) -> Self {
        if !wanted.is_empty() {
            database.incidents.retain(|i| wanted.contains(&i.id) || !i.dead_man_switches.is_empty());
            database.incidents.iter_mut().filter(|i| !wanted.contains(&i.id)).for_each(only_monitors);
        }
        let mut index = Self {
            packages: HashMap::new(),
            feeds: Vec::new(),
            artifacts: Table::new(),
            file_hashes: Table::new(),
            files: Table::new(),
            patterns: Vec::new(),
            hosts: Table::new(),
            urls: Vec::new(),
            actions: Table::new(),
            strings: Table::new(),
            git: Table::new(),
            values: values::Values::default(),
            texts: Vec::new(),
            text_ids: HashMap::new(),
            holds: HashMap::new(),
            database,
        };
        let incidents = std::mem::take(&mut index.database.incidents);
        for (id, incident) in incidents.iter().enumerate() {
            index.add(id, incident);
        }
        index.database.incidents = incidents;
        index.patterns = index.files.keys().filter(|k| k.contains('*')).cloned().collect();
        index.patterns.sort_unstable();
        index
    }

    /// Also asks a feed for packages.
    pub fn with_feed(mut self, feed: Arc<dyn Feed>) -> Self {
        self.feeds.push(feed);
        self
    }

    /// What the feeds say of these packages, as incidents, but for what is among the others. Sorted, so that the same packages give
    /// the same positions.
    pub fn unadmitted(&self, packages: &BTreeSet<(Ecosystem, Box<str>)>) -> Vec<Incident> {
        let mut new: Vec<Incident> = Vec::new();
        for (ecosystem, name) in packages {
            for feed in &self.feeds {
                let mut rows = feed.rows(*ecosystem, name);
                rows.sort();
                new.extend(rows.into_iter().map(|row| feed::incident(feed.label(), *ecosystem, name, row)));
            }
        }
        new.retain(|incident| !self.has(incident));
        new
    }

    /// Takes them among the others, so that they are judged like every other.
    pub fn admit(&mut self, new: Vec<Incident>) {
        for incident in new {
            if !self.has(&incident) {
                self.add(self.database.incidents.len(), &incident);
                self.database.incidents.push(incident);
            }
        }
    }

    /// One record may name several packages, each an incident of its own here.
    fn has(&self, incident: &Incident) -> bool {
        let same = |i: &Incident| i.id == incident.id && i.origin == incident.origin && i.packages == incident.packages;
        self.database.incidents.iter().any(same)
    }

    fn add(&mut self, id: IncidentId, incident: &Incident) {
        let live = |standing: &Standing| standing.withdrawn.is_none();
        for (i, p) in live_of(&incident.packages, |p| live(&p.standing)) {
            let key = (p.ecosystem, normal_name(p.ecosystem, &p.name));
            self.packages.entry(key).or_default().push((id, i));
        }
        for (i, a) in live_of(&incident.artifacts, |a| live(&a.standing)) {
            for hash in [&a.sha256, &a.sha512, &a.sha1, &a.md5].into_iter().flatten() {
                put(&mut self.artifacts, hash, (id, i));
            }
        }
        for (i, f) in live_of(&incident.files, |f| live(&f.standing)) {
            for hash in [&f.sha256, &f.sha1, &f.md5].into_iter().flatten() {
                put(&mut self.file_hashes, hash, (id, i));
            }
            for path in &f.paths {
                put(&mut self.files, pattern::base(path), (id, i));
            }
            for text in &f.holds {
                let text = self.text_id(text);
                self.holds.entry(text).or_default().push(Holder::File((id, i)));
            }
        }
        for (i, n) in live_of(&incident.network, |n| live(&n.standing) && !n.context_only) {
            match n.kind {
                NetworkKind::Url => self.urls.push((n.value.as_str().into(), (id, i))),
                NetworkKind::Domain | NetworkKind::Ip => put(&mut self.hosts, &n.value.to_lowercase(), (id, i)),
            }
        }
        for (i, a) in live_of(&incident.actions, |a| live(&a.standing)) {
            put(&mut self.actions, &action::repository(&a.repository), (id, i));
        }
        for (i, s) in live_of(&incident.strings, |s| live(&s.standing) && !s.context_only) {
            put(&mut self.strings, &s.value, (id, i));
        }
        for (i, g) in live_of(&incident.git, |g| live(&g.standing) && !g.context_only) {
            put(&mut self.git, &g.value, (id, i));
        }
        self.values.add(id, incident);
        for (i, p) in live_of(&incident.processes, |p| live(&p.standing)) {
            let text = self.text_id(&p.holds);
            self.holds.entry(text).or_default().push(Holder::Process((id, i)));
        }
    }

    fn text_id(&mut self, text: &str) -> TextId {
        let next = TextId::try_from(self.texts.len()).unwrap_or(TextId::MAX);
        let id = *self.text_ids.entry(text.to_owned()).or_insert(next);
        if id == next {
            self.texts.push(text.to_owned());
        }
        id
    }

    /// What surfaces shall look for.
    pub fn interest(&self) -> Interest {
        let mut interest = Interest::with_texts(self.texts.clone());
        for rule in self.database.incidents.iter().flat_map(|i| &i.harvest.paths) {
            interest.paths.extend(rule.under.iter().chain(&rule.names).cloned());
        }
        let files = self.database.incidents.iter().flat_map(|i| &i.files);
        for file in files.filter(|f| f.standing.withdrawn.is_none()) {
            interest.files.extend(file.paths.iter().map(|p| pattern::wanted(p, file)));
            interest.paths.extend(file.paths.iter().map(|p| pattern::path(p).to_owned()));
            if matches!(file.role, FileRole::Module | FileRole::Companion) {
                let sites = file.paths.iter().filter(|p| p.starts_with("site:"));
                interest.modules.extend(sites.clone().filter_map(|p| pattern::module(p)));
                interest.module_folders.extend(sites.flat_map(|p| pattern::module_folders(p)));
            }
        }
        self.packages.keys().for_each(|(ecosystem, name)| interest.packages.insert(*ecosystem, name));
        interest.feeds = self.feeds.iter().map(|f| -> Arc<dyn KnownPackages> { Arc::new(Names(f.clone())) }).collect();
        interest.images = self.image_repositories().map(str::to_owned).collect();
        interest.traces = Traces::new(self.traces());
        interest
    }

    /// One incident.
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.database.incidents.get(id)
    }

    /// Whether any version of this package is malicious.
    pub fn knows_package(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.packages.contains_key(&(ecosystem, name.into())) || self.feeds.iter().any(|f| f.knows(ecosystem, name))
    }

    /// The feeds, for the report.
    pub fn feeds(&self) -> &[Arc<dyn Feed>] {
        &self.feeds
    }

    /// Every package of the incidents; those of feeds cannot be listed.
    pub fn package_names(&self) -> impl Iterator<Item = (Ecosystem, &str)> {
        self.packages.keys().map(|(e, name)| (*e, &**name))
    }

    /// Every host name and address that counts alone.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        self.hosts.keys().map(|h| &**h)
    }

    /// The indicators of a package, whatever the version.
    pub fn package(&self, ecosystem: Ecosystem, name: &str) -> Vec<(Place, &PackageIndicator)> {
        let places = self.packages.get(&(ecosystem, name.into()));
        self.all(places, |i, at| i.packages.get(at))
    }

    /// The indicators that call this exact version malicious.
    pub fn version(&self, ecosystem: Ecosystem, name: &str, version: &str) -> Vec<(Place, &PackageIndicator)> {
        let mut found = self.package(ecosystem, name);
        found.retain(|(_, p)| p.versions.iter().any(|v| fits(ecosystem, v, version)));
        found
    }

    /// Whether one with this hash is malicious.
    pub fn knows_artifact(&self, hash: &str) -> bool {
        self.artifacts.contains_key(hash)
    }

    /// The wheels, sdists or the like with this hash; an examination computes SHA-256.
    pub fn artifacts(&self, hash: &str) -> Vec<(Place, &ArtifactIndicator)> {
        self.all(self.artifacts.get(hash), |i, at| i.artifacts.get(at))
    }

    /// The files with this hash.
    pub fn file_hashes(&self, hash: &str) -> Vec<(Place, &FileIndicator)> {
        self.all(self.file_hashes.get(hash), |i, at| i.files.get(at))
    }

    /// The file indicators whose path pattern this path fits; `site` is the part below a site folder.
    pub fn files_at(&self, path: &TreePath, site: Option<&[u8]>) -> Vec<(Place, &FileIndicator)> {
        let name = String::from_utf8_lossy(path.name()).into_owned();
        let exact = self.files.get(name.as_str()).into_iter();
        let patterns = self.patterns.iter().filter(|p| glob(p, &name)).filter_map(|p| self.files.get(p));
        let mut found: Vec<_> = exact
            .chain(patterns)
            .flatten()
            .filter_map(|p| Some((*p, self.incident(p.0)?.files.get(p.1)?)))
            .filter(|(_, f)| f.paths.iter().any(|pattern| pattern::fits(pattern, path, site)))
            .collect();
        found.sort_by_key(|(place, _)| *place);
        found.dedup_by_key(|(place, _)| *place);
        found
    }

    /// The file indicators of this base name, wherever it stands.
    pub fn files_named(&self, name: &[u8]) -> Vec<(Place, &FileIndicator)> {
        let name = String::from_utf8_lossy(name);
        self.all(self.files.get(name.as_ref()), |i, at| i.files.get(at))
    }

    /// The network indicators that a host name, or one of the domains above it, is.
    pub fn hosts(&self, name: &str) -> Vec<(Place, &NetworkIndicator)> {
        let mut rest = name;
        loop {
            if let Some(places) = self.hosts.get(rest).filter(|_| rest == name || !is_address(rest)) {
                return self.all(Some(places), |i, at| i.network.get(at));
            }
            // An address has nothing above it, and is above nothing.
            match rest.split_once('.') {
                Some((_, above)) if !is_address(name) => rest = above,
                _ => return Vec::new(),
            }
        }
    }

    /// The URL indicators that this URL is, or begins with.
    pub fn urls(&self, url: &str) -> Vec<(Place, &NetworkIndicator)> {
        let places: Vec<Place> = self.urls.iter().filter(|(known, _)| begins(known, url)).map(|(_, p)| *p).collect();
        self.all(Some(&places), |i, at| i.network.get(at))
    }

    /// The indicators that this use of a GitHub Action is: a commit by itself, a tag that named nothing else, a moved tag while
    /// it was moved. A moved tag used at an unknown time counts, as no more than `possible`. The repository may have a path
    /// behind it.
    pub fn actions(&self, repository: &str, reference: &str, at: Option<Timestamp>) -> Vec<(Place, &ActionIndicator)> {
        let mut found = self.all(self.actions.get(action::repository(repository).as_str()), |i, at| i.actions.get(at));
        found.retain(|(_, a)| action_fits(a, reference, at));
        found
    }

    /// The strings of this value.
    pub fn strings(&self, value: &str) -> Vec<(Place, &StringIndicator)> {
        self.all(self.strings.get(value), |i, at| i.strings.get(at))
    }

    /// The traces in git of this value.
    pub fn git(&self, value: &str) -> Vec<(Place, &GitIndicator)> {
        self.all(self.git.get(value), |i, at| i.git.get(at))
    }

    fn all<'i, T>(
        &'i self,
        places: Option<&Vec<Place>>,
        get: fn(&'i Incident, usize) -> Option<&'i T>,
    ) -> Vec<(Place, &'i T)> {
        let places = places.into_iter().flatten();
        places.filter_map(|p| Some((*p, get(self.database.incidents.get(p.0)?, p.1)?))).collect()
    }

    /// Who asked for a text.
    pub fn holders(&self, text: TextId) -> &[Holder] {
        self.holds.get(&text).map_or(&[], Vec::as_slice)
    }
}

/// Whether a reference of an action is a malicious one at a time.
fn action_fits(a: &ActionIndicator, reference: &str, at: Option<Timestamp>) -> bool {
    let then = || at.is_none_or(|at| a.from.is_none_or(|from| at >= from) && a.until.is_none_or(|until| at <= until));
    values::action_fit(a, reference).is_some_and(|fit| fit != Fit::Moved || then())
}

/// Leaves of an incident what starts by itself.
fn only_monitors(incident: &mut Incident) {
    incident.files.retain(|f| f.role == FileRole::Persistence);
    incident.packages.clear();
    incident.artifacts.clear();
    incident.network.clear();
    incident.actions.clear();
    incident.strings.clear();
    incident.git.clear();
    incident.images.clear();
}

fn live_of<T>(items: &[T], live: impl Fn(&T) -> bool) -> impl Iterator<Item = (usize, &T)> {
    items.iter().enumerate().filter(move |(_, item)| live(item))
}

fn put(table: &mut Table, key: &str, place: Place) {
    let places = table.entry(key.into()).or_default();
    if !places.contains(&place) {
        places.push(place);
    }
}

#[derive(Debug)]
struct Names(Arc<dyn Feed>);

impl KnownPackages for Names {
    fn knows(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.0.knows(ecosystem, name)
    }
}
