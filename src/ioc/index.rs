//! The incidents compiled into lookups.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    embedded,
    model::{ArtifactIndicator, FileIndicator, FileRole, Incident, NetworkIndicator, PackageIndicator},
};
use crate::{
    ecosystem::{normal_name, same_version},
    fact::{Ecosystem, TextId, TreePath},
    interest::{Interest, glob},
    text::hex,
};

/// The incidents of one examination, with their date.
#[derive(Debug)]
pub struct Database {
    /// Counts releases of the database.
    pub sequence: u64,
    /// UTC.
    pub created: Timestamp,
    /// `sha256:` over all files.
    pub digest: String,
    /// By id.
    pub incidents: Vec<Incident>,
}

/// A database that cannot be used. The file's fault; where it is embedded, this program's.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A file is not what the format says.
    #[error("{file}: {error}")]
    Malformed {
        /// File name.
        file: String,
        /// Place and mend.
        error: serde_json::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    sequence: u64,
    created: Timestamp,
}

impl Database {
    /// The copy in the binary.
    ///
    /// # Errors
    /// Only where the build put a broken file in.
    pub fn embedded() -> Result<Self, DatabaseError> {
        let header = embedded::files("").into_iter().find(|(n, _)| *n == "database.json");
        let (file, text) = header.unwrap_or(("database.json", ""));
        Self::parse((file, text), &embedded::files("incidents"))
    }

    /// From the header file and the incident files, as names and texts.
    ///
    /// # Errors
    /// Where one of them is not JSON of the documented shape.
    pub fn parse(header: (&str, &str), files: &[(&str, &str)]) -> Result<Self, DatabaseError> {
        fn read<'t, T: Deserialize<'t>>(file: &str, text: &'t str) -> Result<T, DatabaseError> {
            serde_json::from_str(text).map_err(|error| DatabaseError::Malformed { file: file.to_owned(), error })
        }
        let Header { sequence, created } = read(header.0, header.1)?;
        let mut hash = Sha256::new_with_prefix(header.1);
        let mut incidents: Vec<Incident> = Vec::new();
        for (file, text) in files {
            hash.update(text);
            incidents.push(read(file, text)?);
        }
        incidents.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { sequence, created, digest: format!("sha256:{}", hex(&hash.finalize())), incidents })
    }
}

/// Position of an incident in the database.
pub type IncidentId = usize;

/// Where an indicator stands: the incident, and the position in one of its lists.
pub type Place = (IncidentId, usize);

/// Lookups over a database.
#[derive(Debug)]
pub struct Index {
    /// What was compiled.
    pub database: Database,
    packages: HashMap<(Ecosystem, Box<str>), Vec<Place>>,
    artifacts: HashMap<String, Place>,
    file_hashes: HashMap<String, Place>,
    files: HashMap<String, Vec<Place>>,
    hosts: HashMap<String, Vec<Place>>,
    texts: Vec<String>,
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
    /// Compiles a database, or only the incidents `wanted` names.
    pub fn new(mut database: Database, wanted: &[String]) -> Self {
        if !wanted.is_empty() {
            database.incidents.retain(|i| wanted.contains(&i.id));
        }
        let mut index = Self {
            packages: HashMap::new(),
            artifacts: HashMap::new(),
            file_hashes: HashMap::new(),
            files: HashMap::new(),
            hosts: HashMap::new(),
            texts: Vec::new(),
            holds: HashMap::new(),
            database,
        };
        let incidents = std::mem::take(&mut index.database.incidents);
        for (id, incident) in incidents.iter().enumerate() {
            index.add(id, incident);
        }
        index.database.incidents = incidents;
        index
    }

    fn add(&mut self, id: IncidentId, incident: &Incident) {
        for (i, p) in incident.packages.iter().enumerate() {
            let key = (p.ecosystem, normal_name(p.ecosystem, &p.name));
            self.packages.entry(key).or_default().push((id, i));
        }
        for (i, a) in incident.artifacts.iter().enumerate() {
            self.artifacts.insert(a.sha256.clone(), (id, i));
        }
        for (i, f) in incident.files.iter().enumerate() {
            if let Some(hash) = &f.sha256 {
                self.file_hashes.insert(hash.clone(), (id, i));
            }
            for path in &f.paths {
                let name = path.rsplit(['/', ':']).next().unwrap_or(path);
                self.files.entry(name.to_owned()).or_default().push((id, i));
            }
            for text in &f.holds {
                let text = self.text_id(text);
                self.holds.entry(text).or_default().push(Holder::File((id, i)));
            }
        }
        for (i, n) in incident.network.iter().enumerate() {
            if !n.context_only {
                let name = n.value.to_lowercase();
                self.hosts.entry(name).or_default().push((id, i));
            }
        }
        for (i, p) in incident.processes.iter().enumerate() {
            let text = self.text_id(&p.holds);
            self.holds.entry(text).or_default().push(Holder::Process((id, i)));
        }
    }

    fn text_id(&mut self, text: &str) -> TextId {
        let known = self.texts.iter().position(|t| t == text);
        let at = known.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        });
        TextId::try_from(at).unwrap_or(TextId::MAX)
    }

    /// What surfaces shall look for.
    pub fn interest(&self) -> Interest {
        let mut interest = Interest::with_texts(self.texts.clone());
        interest.file_names = self.files.keys().cloned().collect();
        interest.packages = self.packages.keys().cloned().collect();
        interest.hosts = self.hosts.keys().cloned().collect();
        let files = self.database.incidents.iter().flat_map(|i| &i.files);
        for file in files.filter(|f| matches!(f.role, FileRole::Module | FileRole::Companion)) {
            for path in &file.paths {
                let name = path.rsplit(['/', ':']).next().unwrap_or(path);
                interest.modules.extend(name.strip_suffix(".py").map(str::to_owned));
            }
        }
        interest
    }

    /// One incident.
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.database.incidents.get(id)
    }

    /// Whether any version of this package is malicious.
    pub fn knows_package(&self, ecosystem: Ecosystem, name: &str) -> bool {
        self.packages.contains_key(&(ecosystem, name.into()))
    }

    /// The indicators of a package, whatever the version.
    pub fn package(&self, ecosystem: Ecosystem, name: &str) -> Vec<(Place, &PackageIndicator)> {
        let places = self.packages.get(&(ecosystem, name.into()));
        let places = places.into_iter().flatten();
        places.filter_map(|p| Some((*p, self.incident(p.0)?.packages.get(p.1)?))).collect()
    }

    /// The indicators that call this exact version malicious.
    pub fn version(&self, ecosystem: Ecosystem, name: &str, version: &str) -> Vec<(Place, &PackageIndicator)> {
        let mut found = self.package(ecosystem, name);
        found.retain(|(_, p)| p.versions.iter().any(|v| v == "*" || same_version(ecosystem, v, version)));
        found
    }

    /// The wheel, sdist or the like with this SHA-256.
    pub fn artifact(&self, sha256: &str) -> Option<(Place, &ArtifactIndicator)> {
        let place = self.artifacts.get(sha256)?;
        Some((*place, self.incident(place.0)?.artifacts.get(place.1)?))
    }

    /// The file with this SHA-256.
    pub fn file_hash(&self, sha256: &str) -> Option<(Place, &FileIndicator)> {
        let place = self.file_hashes.get(sha256)?;
        Some((*place, self.incident(place.0)?.files.get(place.1)?))
    }

    /// The file indicators whose path pattern this path fits; `site` is the part below a site folder.
    pub fn files_at(&self, path: &TreePath, site: Option<&[u8]>) -> Vec<(Place, &FileIndicator)> {
        let name = String::from_utf8_lossy(path.name()).into_owned();
        let exact = self.files.get(&name).into_iter();
        let patterns = self.files.iter().filter(|(p, _)| p.contains('*') && glob(p, &name));
        let places = exact.chain(patterns.map(|(_, places)| places)).flatten();
        let mut found: Vec<_> = places
            .filter_map(|p| Some((*p, self.incident(p.0)?.files.get(p.1)?)))
            .filter(|(_, f)| f.paths.iter().any(|pattern| path_fits(pattern, path, site)))
            .collect();
        found.sort_by_key(|(place, _)| *place);
        found.dedup_by_key(|(place, _)| *place);
        found
    }

    /// The file indicators of this base name, wherever it stands.
    pub fn files_named(&self, name: &[u8]) -> Vec<(Place, &FileIndicator)> {
        let name = String::from_utf8_lossy(name);
        let places = self.files.get(name.as_ref()).into_iter().flatten();
        places.filter_map(|p| Some((*p, self.incident(p.0)?.files.get(p.1)?))).collect()
    }

    /// The network indicator that a host name, or one of the domains above it, is.
    pub fn host(&self, name: &str) -> Option<(Place, &NetworkIndicator)> {
        let mut rest = name;
        loop {
            let place = self.hosts.get(rest).and_then(|places| places.first());
            if let Some(found) = place.and_then(|p| Some((*p, self.incident(p.0)?.network.get(p.1)?))) {
                return Some(found);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// Who asked for a text.
    pub fn holders(&self, text: TextId) -> &[Holder] {
        self.holds.get(&text).map_or(&[], Vec::as_slice)
    }
}

/// `~/…` fits below any folder: homes are anywhere in evidence. `/…` fits from the root, `site:…` below a site folder.
fn path_fits(pattern: &str, path: &TreePath, site: Option<&[u8]>) -> bool {
    let text = String::from_utf8_lossy(path.as_bytes());
    if let Some(rest) = pattern.strip_prefix("~/") {
        let count = rest.split('/').count();
        let at = text.rmatch_indices('/').nth(count - 1).map(|(i, _)| i);
        return at.is_some_and(|i| text.get(i + 1..).is_some_and(|tail| glob(rest, tail)));
    }
    if let Some(rest) = pattern.strip_prefix("site:") {
        return site.is_some_and(|below| glob(rest, &String::from_utf8_lossy(below)));
    }
    pattern.strip_prefix('/').is_some_and(|rest| glob(rest, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_by_component() {
        let fits = |pattern: &str, path: &str| {
            TreePath::new(path.as_bytes()).is_some_and(|p| path_fits(pattern, &p, Some(b"x.pth")))
        };
        assert!(fits("~/.config/sysmon/sysmon.py", "home/a/.config/sysmon/sysmon.py"));
        assert!(fits("~/.config/sysmon/sysmon.py", "root/.config/sysmon/sysmon.py"));
        assert!(!fits("~/.config/sysmon/sysmon.py", "home/a/x.config/sysmon/sysmon.py"));
        assert!(!fits("~/.config/sysmon/sysmon.py", ".config/sysmon/sysmon.py"));
        assert!(fits("/tmp/pglog", "tmp/pglog") && !fits("/tmp/pglog", "home/a/tmp/pglog"));
        assert!(fits("site:x.pth", "v/site-packages/x.pth") && !fits("site:y.pth", "v/site-packages/y.pth"));
    }
}
