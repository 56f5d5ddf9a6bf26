//! The report or plan that is asked about: of both the same fields, and no others.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    credential::{Catalog, moved::Moved, place::PlacePath, tag},
    fact::TreePath,
    report::{
        page::Labels,
        v1::{Credential, Item, Location, Machine, PathText, SCHEMA, Target, Window, Work},
    },
    verdict::{Phase, Urgency},
};

/// The schemas that are understood.
const SCHEMAS: &[&str] = &[SCHEMA, "dosimeter.plan/1"];

/// A file that is no case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// Another document.
    #[error("neither a report nor a plan")]
    Schema,
    /// Somebody changed it by hand.
    #[error("a tag or the name of a key has not the form of one")]
    Tag,
}

/// What is asked about.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Of the report or plan.
    pub schema: String,
    /// When, what.
    pub run: Run,
    /// All of them.
    pub credentials: Vec<Credential>,
    #[serde(default)]
    checklist: Vec<Item>,
    #[serde(default)]
    incidents: Vec<Incident>,
    #[serde(default)]
    machines: Vec<Machine>,
    #[serde(default)]
    work: Vec<Work>,
}

/// The run of the report.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    /// UTC.
    pub started: Timestamp,
    /// UTC.
    #[serde(default)]
    pub finished: Option<Timestamp>,
    /// What was examined.
    pub target: Target,
    /// The public name of the key of the tags.
    #[serde(default)]
    pub case_key: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Incident {
    #[serde(default)]
    windows: Vec<Window>,
    #[serde(default)]
    findings: Vec<Found>,
}

#[derive(Debug, Clone, Deserialize)]
struct Found {
    id: String,
    #[serde(default)]
    location: Option<Location>,
}

impl Case {
    /// Checks what serde does not.
    ///
    /// # Errors
    /// Where it is another document, or has tags that are none.
    pub fn checked(self) -> Result<Self, CaseError> {
        if !SCHEMAS.contains(&self.schema.as_str()) {
            return Err(CaseError::Schema);
        }
        let tags = self.credentials.iter().filter_map(|c| c.tag.as_deref());
        let names = self.run.case_key.iter().chain(self.machines.iter().filter_map(|m| m.case_key.as_ref()));
        let good = tags.into_iter().all(tag::is_tag) && names.into_iter().all(|name| tag::is_key_name(name));
        if good { Ok(self) } else { Err(CaseError::Tag) }
    }

    /// When it was written, UTC.
    pub fn written(&self) -> Timestamp {
        self.run.finished.unwrap_or(self.run.started)
    }

    /// When the earliest artefact of its incidents was available, UTC.
    pub fn began(&self) -> Option<Timestamp> {
        self.incidents.iter().flat_map(|i| &i.windows).map(|w| w.start).min()
    }

    /// The credentials to rotate.
    pub fn asked(&self) -> impl Iterator<Item = &Credential> {
        self.credentials.iter().filter(|c| c.rotate != Urgency::No)
    }

    /// What `rotate` calls the items about secrets that name no credential (of the account of a cloud, of a cluster) and that nobody
    /// ended in the plan.
    pub fn without_credential(&self) -> Vec<String> {
        let labels = Labels::of_items(&self.checklist);
        let over = |i: &Item| self.work.iter().any(|w| w.item == i.id && w.state.is_over());
        let about = |i: &&Item| i.credentials.is_empty() && i.urgency.is_some_and(|u| u != Urgency::No);
        self.checklist.iter().filter(about).filter(|i| !over(i)).map(|i| labels.of(&i.id).to_owned()).collect()
    }

    /// Whether it has findings; a plan has none.
    pub fn has_findings(&self) -> bool {
        self.incidents.iter().any(|i| !i.findings.is_empty())
    }

    /// The ids and the files of its findings.
    pub fn findings(&self) -> (HashSet<&str>, HashSet<&PathText>) {
        let all = || self.incidents.iter().flat_map(|i| &i.findings);
        let paths = all().filter_map(|f| f.location.as_ref()).map(|location| &location.path);
        (all().map(|f| f.id.as_str()).collect(), paths.collect())
    }

    /// The names of the keys that its tags were made with.
    pub fn key_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.machines.iter().filter_map(|m| m.case_key.as_deref()).collect();
        names.extend(self.run.case_key.as_deref());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The name of the key of a credential's tag.
    pub fn key_of(&self, credential: &Credential) -> Option<&str> {
        let machine = self.machines.iter().find(|m| m.tree == credential.location.tree);
        machine.and_then(|m| m.case_key.as_deref()).or(self.run.case_key.as_deref())
    }

    /// What was examined where a credential stood: the machine, in a report of several.
    pub fn target_of(&self, credential: &Credential) -> &Target {
        let machine = self.machines.iter().find(|m| m.tree == credential.location.tree);
        machine.and_then(|m| m.target.as_ref()).unwrap_or(&self.run.target)
    }

    /// The machine of several that was examined as this, or that is called so.
    pub fn machine(&self, kind: &str, id: &str) -> Option<&str> {
        let is = |m: &&Machine| m.target.as_ref().is_some_and(|t| t.kind == kind && t.id == id);
        self.machines.iter().find(is).map(|m| m.tree.as_str())
    }

    /// The machine of several whose disk it is: by its own name where both say one, else by the folder.
    pub fn disk(&self, folder: &str, name: Option<&str>) -> Option<&str> {
        let is = |t: &Target| match (&t.name, name) {
            (Some(then), Some(now)) => then.eq_ignore_ascii_case(now),
            _ => t.id == folder,
        };
        let disks = self.machines.iter().filter(|m| m.target.as_ref().is_some_and(|t| t.kind == "root" && is(t)));
        disks.map(|m| m.tree.as_str()).next()
    }

    /// The names of the machines of a report of several; empty for one.
    pub fn machines(&self) -> impl Iterator<Item = &str> {
        self.machines.iter().map(|m| m.tree.as_str())
    }

    /// The item that replaces each credential, by the credential's id: what `rotate` calls it, and its own id.
    pub fn replaced_by(&self) -> HashMap<&str, (String, &str)> {
        let labels = Labels::of_items(&self.checklist);
        let mut all = HashMap::new();
        for item in self.checklist.iter().filter(|i| i.phase == Phase::Rotate) {
            for credential in &item.credentials {
                all.entry(credential.as_str()).or_insert_with(|| (labels.of(&item.id).to_owned(), item.id.as_str()));
            }
        }
        all
    }

    /// The item that is called so (`B5`, or `s-…`), and whether it replaces credentials.
    pub fn item(&self, name: &str) -> Option<(&Item, bool)> {
        let labels = Labels::of_items(&self.checklist);
        let is = |i: &&Item| i.id == name || labels.of(&i.id).eq_ignore_ascii_case(name);
        self.checklist.iter().find(is).map(|i| (i, i.phase == Phase::Rotate))
    }

    /// What a plan says of each credential: how far its item is.
    pub fn work(&self) -> HashMap<&str, &Work> {
        let by_item: HashMap<&str, &Work> = self.work.iter().map(|w| (w.item.as_str(), w)).collect();
        let items = self.checklist.iter().filter_map(|i| Some((i, *by_item.get(i.id.as_str())?)));
        items.flat_map(|(i, work)| i.credentials.iter().map(move |id| (id.as_str(), work))).collect()
    }

    /// The places of its credentials that variables had moved there, so that they are read again whatever is set today.
    pub fn moved(&self, catalog: &Catalog) -> Vec<Moved> {
        let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for c in self.asked() {
            let path = std::str::from_utf8(&c.location.path.0).unwrap_or_default();
            // A star would make a pattern of it.
            if !path.contains('*') && path.starts_with('/') {
                by_kind.entry(&c.kind).or_default().push(path);
            }
        }
        let mut moved = Vec::new();
        for (id, paths) in by_kind {
            let Some(kind) = catalog.kind(id) else { continue };
            let usual: Vec<PlacePath> =
                kind.places.iter().filter_map(|p| PlacePath::new(&p.path, &p.except).ok()).collect();
            for path in paths {
                let Some(file) = TreePath::new(path.trim_start_matches('/').as_bytes()) else { continue };
                if usual.iter().any(|place| place.fits(&file)) {
                    continue;
                }
                let places = kind.places.iter().enumerate().filter(|(_, place)| !place.moved_by.is_empty());
                let by = "the report".to_owned();
                moved.extend(places.map(|(place, _)| Moved {
                    kind: id.to_owned(),
                    place,
                    path: path.to_owned(),
                    by: by.clone(),
                }));
            }
        }
        moved.sort();
        moved.dedup();
        moved
    }
}
