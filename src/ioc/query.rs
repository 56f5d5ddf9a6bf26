//! What a person types when looking for an indicator: `litellm==1.82.7`, `npm:@scope/name@1.0.0`, a hash, `evil[.]example`,
//! `owner/action@v1`, a file name. One text may mean several things; each is looked up as an examination would match it.

use jiff::Timestamp;

use super::{
    index::{IncidentId, Index},
    pattern,
};
use crate::{
    ecosystem::{fits, normal_name, oci::same_image},
    fact::Ecosystem,
};

pub use super::reading::{is_hash, is_host, readings, refang};

/// One reading of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A package, and a version where one is given.
    Package {
        /// `None`: any.
        ecosystem: Option<Ecosystem>,
        /// As typed.
        name: String,
        /// Exact.
        version: Option<String>,
    },
    /// Hex digits of a SHA-256, SHA-1 or MD5, lower case.
    Hash(String),
    /// A digest of an image, `sha256:…`.
    Digest(String),
    /// A host name or address, lower case.
    Host(String),
    /// A URL.
    Url(String),
    /// A use of a GitHub Action.
    Action {
        /// `owner/name`.
        repository: String,
        /// Tag, branch or commit.
        reference: String,
    },
    /// A container image with its tag.
    Image {
        /// `owner/name`.
        repository: String,
        /// Tag.
        tag: String,
    },
    /// A file by its name or path.
    File(String),
    /// A text of the payload, a branch, a repository, a commit.
    Text(String),
}

/// One indicator that a query fits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Whose.
    pub incident: IncidentId,
    /// Where in the incident's file: `packages[3]`.
    pub place: String,
    /// `npm/foo@1.0.0`.
    pub indicator: String,
    /// What it is, in words.
    pub what: String,
}

impl Index {
    /// Every indicator that a text names, as an examination would match it: a safe version finds nothing. `at` is when an action
    /// or image was used; without it, a moved tag counts.
    pub fn find(&self, text: &str, at: Option<Timestamp>) -> Vec<Found> {
        let mut found: Vec<Found> = readings(text).iter().flat_map(|q| self.answer(q, at)).collect();
        found.sort();
        found.dedup();
        found
    }

    /// What one reading fits.
    pub fn answer(&self, query: &Query, at: Option<Timestamp>) -> Vec<Found> {
        match query {
            Query::Package { ecosystem, name, version } => {
                let ecosystems: &[Ecosystem] = ecosystem.as_ref().map_or(&Ecosystem::ALL, std::slice::from_ref);
                ecosystems.iter().flat_map(|e| self.packages_named(*e, name, version.as_deref())).collect()
            }
            Query::Hash(hash) => self.hash(hash),
            Query::Digest(digest) => {
                self.images(|i| i.digests.iter().any(|d| digest.starts_with(d.as_str())), at, |_| None)
            }
            Query::Host(host) => {
                let hosts = self.hosts(host).into_iter();
                hosts.map(|((i, at), n)| found(i, "network", at, format!("host/{}", n.value), &n.what)).collect()
            }
            Query::Url(url) => {
                let urls = self.urls(url).into_iter();
                urls.map(|((i, at), n)| found(i, "network", at, format!("url/{}", n.value), &n.what)).collect()
            }
            Query::Action { repository, reference } => {
                let name = |r: &str| format!("action/{r}@{reference}");
                let actions = self.actions(repository, reference, at).into_iter();
                actions.map(|((i, at), a)| found(i, "actions", at, name(&a.repository), &a.runs)).collect()
            }
            Query::Image { repository, tag } => {
                let reference = format!("{repository}:{tag}");
                let fixed =
                    |i: &super::model::ImageIndicator| i.tags.iter().any(|t| same_image(&reference, &i.repository, t));
                let moving = |i: &super::model::ImageIndicator| {
                    i.floating_tags.iter().any(|t| same_image(&reference, &i.repository, t)).then_some(())
                };
                self.images(fixed, at, moving)
            }
            Query::File(path) => self.files_called(path),
            Query::Text(text) => {
                let strings = self.strings(text).into_iter();
                let strings =
                    strings.map(|((i, at), s)| found(i, "strings", at, format!("string/{}", s.value), &s.what));
                let git = self.git(text).into_iter();
                strings
                    .chain(git.map(|((i, at), g)| found(i, "git", at, format!("git/{}", g.value), &g.what)))
                    .collect()
            }
        }
    }

    fn packages_named(&self, ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Vec<Found> {
        let normal = normal_name(ecosystem, name);
        let mut all = Vec::new();
        for ((i, at), p) in self.package(ecosystem, &normal) {
            let versions: Vec<&str> = match version {
                Some(v) => p.versions.iter().filter(|known| fits(ecosystem, known, v)).map(|_| v).take(1).collect(),
                None => p.versions.iter().map(String::as_str).collect(),
            };
            let named =
                |v: &&str| found(i, "packages", at, format!("{}/{}@{v}", ecosystem.purl_type(), p.name), &p.runs);
            all.extend(versions.iter().map(named));
        }
        all
    }

    fn hash(&self, hash: &str) -> Vec<Found> {
        let name = format!("hash/{hash}");
        let files = self.file_hashes(hash).into_iter();
        let files = files.map(|((i, at), f)| found(i, "files", at, name.clone(), &f.what));
        let artifacts = self.artifacts(hash).into_iter();
        let artifacts = artifacts.map(|((i, at), a)| found(i, "artifacts", at, name.clone(), &a.name));
        let commits = self.git(hash).into_iter();
        let commits = commits.map(|((i, at), g)| found(i, "git", at, format!("git/{hash}"), &g.what));
        let mut all: Vec<Found> = files.chain(artifacts).chain(commits).collect();
        for (i, incident) in self.database.incidents.iter().enumerate() {
            for (at, action) in incident.actions.iter().enumerate() {
                if action.standing.withdrawn.is_none() && action.commits.iter().any(|c| c == hash) {
                    all.push(found(i, "actions", at, format!("action/{}@{hash}", action.repository), &action.runs));
                }
            }
        }
        all
    }

    fn images(
        &self,
        fixed: impl Fn(&super::model::ImageIndicator) -> bool,
        at: Option<Timestamp>,
        moving: impl Fn(&super::model::ImageIndicator) -> Option<()>,
    ) -> Vec<Found> {
        let mut all = Vec::new();
        for (i, incident) in self.database.incidents.iter().enumerate() {
            let open = at.is_none_or(|at| incident.windows.iter().any(|w| w.holds(at)));
            for (n, image) in incident.images.iter().enumerate().filter(|(_, i)| i.standing.withdrawn.is_none()) {
                if fixed(image) || (open && moving(image).is_some()) {
                    all.push(found(i, "images", n, format!("image/{}", image.repository), "a malicious image"));
                }
            }
        }
        all
    }

    fn files_called(&self, path: &str) -> Vec<Found> {
        let called = |(i, at): (IncidentId, usize), f: &super::model::FileIndicator| {
            found(
                i,
                "files",
                at,
                format!("path/{}", f.paths.first().map_or("", |p| p.trim_start_matches('/'))),
                &f.what,
            )
        };
        let distinct = |f: &super::model::FileIndicator, name: &str| {
            !(pattern::COMMON.contains(&name) || f.role == super::model::FileRole::Module)
        };
        if !path.contains('/') {
            let named = self.files_named(path.as_bytes()).into_iter().filter(|(_, f)| distinct(f, path));
            return named.map(|(place, f)| called(place, f)).collect();
        }
        let Some(tree) = crate::fact::TreePath::new(path.trim_start_matches('~').as_bytes()) else {
            return Vec::new();
        };
        let site = crate::ecosystem::pypi::site_of(&tree);
        let below = site.as_ref().and_then(|s| tree.below(s));
        // `~/x` is below some home.
        let tree = if path.starts_with('~') { tree.in_folder(b"home/user") } else { tree.clone() };
        self.files_at(&tree, below).into_iter().map(|(place, f)| called(place, f)).collect()
    }
}

fn found(incident: IncidentId, list: &str, at: usize, indicator: String, what: &str) -> Found {
    Found { incident, place: format!("{list}[{at}]"), indicator, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::{database::Database, model::Incident};

    fn index() -> Index {
        let text = r#"{"schema":"dosimeter.incident/1","id":"x","title":"x","date":"2026-01-01","summary":"x",
            "sources":{"s":{"title":"s","url":"https://report.example"}},
            "packages":[
                {"ecosystem":"golang","name":"github.com/Evil/Mod","versions":["v1.2.3"],"triggers":["import"],"runs":"x","sources":["s"]},
                {"ecosystem":"maven","name":"org.evil:lib","versions":["1.0"],"triggers":["import"],"runs":"x","sources":["s"]},
                {"ecosystem":"openvsx","name":"Evil.ext","versions":["1.0.0"],"triggers":["extension_activation"],"runs":"x","sources":["s"]},
                {"ecosystem":"rpm","name":"xz-libs","versions":["5.6.0-1.fc40"],"triggers":["import"],"runs":"x","sources":["s"]}],
            "actions":[{"repository":"Evil/action","tags":["abcdef0"],"moved_tags":["*"],"safe":["v9"],
                "commits":["0e58ed8671d6b60d0890c21b07f8835ace038e67"],
                "from":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z","runs":"x","sources":["s"]}],
            "images":[{"repository":"ghcr.io/evil/image","tags":["1.0"],"digests":["sha256:31ecc5939de6"],"sources":["s"]}],
            "examples":[],"near_misses":[]}"#;
        let incident: Incident = serde_json::from_str(text).unwrap();
        let mut database = Database::embedded().unwrap();
        database.incidents = vec![incident];
        Index::new(database, &[])
    }

    #[test]
    fn what_is_found_is_what_an_examination_would_match() {
        let (index, digest) = (index(), format!("31ecc5939de6{}", "0".repeat(52)));
        let (day, later) = ("2026-01-01T12:00:00Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
        for text in [
            "github.com/Evil/Mod@v1.2.3",
            "github.com/!evil/!mod@1.2.3",
            "org.evil:lib@1.0",
            "org.evil:lib:1.0",
            "evil.EXT@1.0.0",
            "evil.ext@1.0.0@linux-x64",
            "rpm:xz-libs-5.6.0-1.fc40.x86_64",
            "evil/Action@0e58ed8671d6b60d0890c21b07f8835ace038e67",
            "evil/action/sub@0e58ed8",
            "evil/action@abcdef0",
            "evil/action@refs/tags/v1",
            "ghcr.io/evil/image:1.0",
            &format!("ghcr.io/evil/image@sha256:{digest}"),
            &format!("sha256:{digest}"),
        ] {
            assert_eq!(index.find(text, Some(day)).len(), 1, "{text}");
        }
        for text in [
            "github.com/evil/mod@v1.2.3",
            "github.com/Evil/Mod/v2@v1.2.3",
            "org.evil:lib@1.0.0",
            "evil.ext@1.0.1",
            "evil.ext-pack@1.0.0",
            "rpm:xz-libs-5.6.0-2.fc40.x86_64",
            "evil/action@0e58ed8671d6b60d0890c21b07f8835ace038e68",
            "evil/action@0e58ed9",
            "evil/action-x@v1",
            "evil/action@v9",
            "ghcr.io/evil/image:1.0.1",
            "evil/image:1.0",
            &format!("ghcr.io/evil/image@sha256:{}", "1".repeat(64)),
        ] {
            assert_eq!(index.find(text, Some(day)), [], "{text}");
        }
        // A tag that moved back; a commit stays what it is.
        assert_eq!(index.find("evil/action@v1", Some(later)), []);
        assert_eq!(index.find("evil/action@0e58ed8671d6b60d0890c21b07f8835ace038e67", Some(later)).len(), 1);
    }

    #[test]
    fn the_embedded_incidents_list_versions_of_their_ecosystems() {
        for incident in &Database::embedded().unwrap().incidents {
            for package in &incident.packages {
                for version in &package.versions {
                    let good = crate::ecosystem::is_pattern(package.ecosystem, version);
                    assert!(good, "{}: {} {version}", incident.id, package.name);
                }
            }
        }
    }
}
