//! What a person types when looking for an indicator: `litellm==1.82.7`, `npm:@scope/name@1.0.0`, a hash, `evil[.]example`,
//! `owner/action@v1`, a file name. One text may mean several things; each is looked up as an examination would match it.

use jiff::Timestamp;

use super::{
    index::{IncidentId, Index},
    pattern,
};
use crate::{
    ecosystem::{fits, normal_name},
    fact::Ecosystem,
};

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

/// Every reading of a text, most likely first. Defanged forms are understood.
pub fn readings(text: &str) -> Vec<Query> {
    let text = refang(text.trim());
    let mut all = Vec::new();
    if let Some(rest) = text.strip_prefix("pkg:") {
        all.extend(purl(rest));
        return all;
    }
    if let Some((word, rest)) = text.split_once(':') {
        match (word, Ecosystem::from_word(word)) {
            ("action" | "actions" | "githubactions" | "github-actions", _) => {
                return action(rest).into_iter().collect();
            }
            ("sha256", _) if is_hash(rest) => {
                let rest = rest.to_ascii_lowercase();
                return vec![Query::Hash(rest.clone()), Query::Digest(format!("sha256:{rest}"))];
            }
            ("sha1" | "md5", _) if is_hash(rest) => return vec![Query::Hash(rest.to_ascii_lowercase())],
            ("domain" | "ip" | "host", _) => return vec![Query::Host(rest.to_lowercase())],
            ("file" | "path", _) if !rest.starts_with("//") => return vec![Query::File(rest.to_owned())],
            ("string" | "git", _) => return vec![Query::Text(rest.to_owned())],
            (_, Some(Ecosystem::Oci)) => return image(rest).into_iter().collect(),
            (_, Some(ecosystem)) => return vec![package(Some(ecosystem), rest)],
            _ => {}
        }
    }
    if is_hash(&text) {
        all.push(Query::Hash(text.to_ascii_lowercase()));
    }
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        let host =
            host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
        all.push(Query::Url(text.clone()));
        all.push(Query::Host(host.to_lowercase()));
        return all;
    }
    if is_host(&text) {
        all.push(Query::Host(text.to_lowercase()));
    }
    all.extend(action(&text));
    all.extend(image(&text));
    if !text.chars().any(char::is_whitespace) {
        all.push(package(None, &text));
    }
    all.push(Query::File(text.clone()));
    all.push(Query::Text(text));
    all
}

/// `hxxps://evil[.]example` is `https://evil.example`.
pub fn refang(text: &str) -> String {
    let text =
        text.replace("[.]", ".").replace("(.)", ".").replace("{.}", ".").replace("[:]", ":").replace("[://]", "://");
    let text = text.replace("[@]", "@").replace("[dot]", ".");
    match text.get(..4) {
        Some("hxxp" | "hXXp" | "HXXP") => format!("http{}", text.get(4..).unwrap_or_default()),
        _ => text,
    }
}

/// Hex digits of a SHA-256, SHA-1 or MD5.
pub fn is_hash(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The form of a domain or an address.
pub fn is_host(text: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let last = text.rsplit('.').next().unwrap_or_default();
    text.parse::<std::net::IpAddr>().is_ok()
        || (text.contains('.') && text.split('.').all(label) && last.chars().all(char::is_alphabetic))
}

fn purl(rest: &str) -> Option<Query> {
    let rest = rest.split(['?', '#']).next().unwrap_or_default().replace("%40", "@").replace("%2F", "/");
    let (word, name) = rest.split_once('/')?;
    let ecosystem = Ecosystem::from_word(word)?;
    let name = if ecosystem == Ecosystem::Maven { name.replacen('/', ":", 1) } else { name.to_owned() };
    Some(package(Some(ecosystem), &name))
}

/// `name`, `name@version`, `name==version`, `@scope/name@version`.
fn package(ecosystem: Option<Ecosystem>, text: &str) -> Query {
    let (name, version) = match text.split_once("==") {
        Some((name, version)) => (name, Some(version)),
        None => match text.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        },
    };
    let ecosystem = ecosystem.or_else(|| text.contains("==").then_some(Ecosystem::Pypi));
    let version = version.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    Query::Package { ecosystem, name: name.trim().to_owned(), version }
}

/// `owner/name@reference`, with a path inside the repository or without.
fn action(text: &str) -> Option<Query> {
    let (path, reference) = text.split_once('@')?;
    let mut parts = path.split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (word(owner) && word(name) && !reference.is_empty())
        .then(|| Query::Action { repository: format!("{owner}/{name}"), reference: reference.to_owned() })
}

/// `repository:tag` or `repository@sha256:…`.
fn image(text: &str) -> Option<Query> {
    if let Some((_, digest)) = text.split_once('@').filter(|(_, d)| d.starts_with("sha256:")) {
        return Some(Query::Digest(digest.to_ascii_lowercase()));
    }
    if text.starts_with("sha256:") {
        return Some(Query::Digest(text.to_ascii_lowercase()));
    }
    let (repository, tag) = text.rsplit_once(':')?;
    (!tag.is_empty() && !tag.contains('/') && !repository.is_empty())
        .then(|| Query::Image { repository: repository.to_owned(), tag: tag.to_owned() })
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
                let fixed = |i: &super::model::ImageIndicator| {
                    i.tags.iter().any(|t| crate::text::same_image(&reference, &i.repository, t))
                };
                let moving = |i: &super::model::ImageIndicator| {
                    i.floating_tags.iter().any(|t| crate::text::same_image(&reference, &i.repository, t)).then_some(())
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

    #[test]
    fn texts_are_read_as_people_write_them() {
        let first = |t: &str| readings(t).into_iter().next().unwrap();
        let package = |ecosystem, name: &str, version: Option<&str>| Query::Package {
            ecosystem,
            name: name.into(),
            version: version.map(str::to_owned),
        };
        assert_eq!(first("litellm==1.82.7"), package(Some(Ecosystem::Pypi), "litellm", Some("1.82.7")));
        assert_eq!(first("npm:@a/b@1.0.0"), package(Some(Ecosystem::Npm), "@a/b", Some("1.0.0")));
        assert_eq!(first("pkg:npm/%40a/b@1.0.0"), package(Some(Ecosystem::Npm), "@a/b", Some("1.0.0")));
        assert_eq!(first("evil[.]example"), Query::Host("evil.example".into()));
        assert_eq!(first("hxxps://evil[.]example/x"), Query::Url("https://evil.example/x".into()));
        assert_eq!(first("203.0.113[.]7"), Query::Host("203.0.113.7".into()));
        let action = Query::Action { repository: "a/b".into(), reference: "v1".into() };
        assert_eq!(first("a/b@v1"), action);
        assert_eq!(first("a/b/sub@v1"), action);
        assert!(readings("@a/b@1.0.0").contains(&package(None, "@a/b", Some("1.0.0"))));
        assert!(!readings("@a/b@1.0.0").iter().any(|q| matches!(q, Query::Action { .. })));
        assert_eq!(first(&"A".repeat(64)), Query::Hash("a".repeat(64)));
    }
}
