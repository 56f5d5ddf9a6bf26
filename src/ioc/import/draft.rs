//! An incident in the making: every value of another format is checked here before it is taken.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::{Context, Imported, PACKAGE_VERSIONS, version};
use crate::{
    ecosystem::pypi,
    fact::Ecosystem,
    ioc::{
        feed::FeedRow,
        model::{
            ActionIndicator, ArtifactIndicator, FileIndicator, FileRole, ImageIndicator, Incident, NetworkIndicator,
            NetworkKind, PackageIndicator, Source, Standing, Trigger,
        },
        pattern,
        query::{is_hash, is_host, refang},
    },
    verdict::Confidence,
    work,
};

/// What nobody says of an imported package.
pub const UNKNOWN_RUNS: &str = "the record does not say what runs, or when";

/// One incident in the making.
pub struct Draft {
    /// What is gathered.
    pub incident: Incident,
    /// What the next value may claim.
    pub standing: Standing,
    /// What the next value is, in words.
    pub what: String,
    /// Digests of the values that it has.
    met: HashSet<[u8; 16]>,
}

impl Draft {
    /// Of a file, or of a record in one.
    pub fn new(id: &str, title: &str, source: Source) -> Self {
        let incident = Incident {
            schema: "dosimeter.incident/1".to_owned(),
            id: line(id, 120),
            title: line(title, 200),
            sources: [("import".to_owned(), source)].into(),
            ..Incident::default()
        };
        Self { incident, standing: Standing::default(), what: "of the imported file".to_owned(), met: HashSet::new() }
    }

    /// Of a whole file.
    pub fn of_file(context: Context<'_>, format: &str) -> Self {
        let stem = context.name.split('.').next().unwrap_or_default();
        let source = Source {
            title: format!("{format} {}", line(context.name, 100)),
            url: None,
            relayed: Some(format!("imported from {}", line(context.name, 100))),
        };
        Self::new(&slug(stem), &format!("Indicators of {}", context.name), source)
    }

    /// Hands it over, where there is something in it.
    pub fn finish(self, out: &mut Imported) {
        let i = &self.incident;
        let empty = i.packages.is_empty()
            && i.artifacts.is_empty()
            && i.files.is_empty()
            && i.network.is_empty()
            && i.actions.is_empty()
            && i.images.is_empty();
        if !empty {
            out.incidents.push(self.incident);
        }
    }

    /// Whether nothing equal was here before. A list is looked up, not searched: it may have a hundred thousand values.
    fn is_new(&mut self, value: &impl serde::Serialize) -> bool {
        work::done(1);
        let digest = Sha256::digest(serde_json::to_vec(value).unwrap_or_default());
        digest.first_chunk::<16>().is_none_or(|key| self.met.insert(*key))
    }

    fn sources() -> Vec<String> {
        vec!["import".to_owned()]
    }

    /// Versions of a package, as part of this incident.
    pub fn package(&mut self, out: &mut Imported, ecosystem: Ecosystem, name: &str, versions: Vec<String>) {
        let Some(versions) = checked(out, ecosystem, name, versions) else { return };
        out.took(PACKAGE_VERSIONS, versions.len());
        self.incident.packages.push(PackageIndicator {
            ecosystem,
            name: name.to_owned(),
            versions,
            triggers: vec![Trigger::InstallHook, Trigger::Import],
            runs: UNKNOWN_RUNS.to_owned(),
            safe: Vec::new(),
            standing: self.standing.clone(),
            sources: Self::sources(),
        });
    }

    /// One file, by as many of its hashes as are known; `name` where it has one.
    pub fn hashes(&mut self, out: &mut Imported, hashes: &[&str], name: Option<&str>) {
        let mut artifact = ArtifactIndicator {
            standing: self.standing.clone(),
            sources: Self::sources(),
            ..ArtifactIndicator::default()
        };
        for text in hashes {
            let hash = text.trim();
            let hash =
                ["sha256:", "sha512:", "sha1:", "md5:"].iter().find_map(|p| hash.strip_prefix(p)).unwrap_or(hash);
            let hash = hash.to_ascii_lowercase();
            if !is_hash(&hash) {
                out.leave("not a SHA-512, SHA-256, SHA-1 or MD5", text);
                continue;
            }
            if EMPTY.contains(&hash.as_str()) {
                out.leave("the hash of an empty file: it fits every empty file", text);
                continue;
            }
            artifact.name = name.map_or_else(|| format!("file of {}", hash.get(..12).unwrap_or(&hash)), base);
            out.took("hashes", 1);
            match hash.len() {
                128 => artifact.sha512 = Some(hash),
                64 => artifact.sha256 = Some(hash),
                40 => artifact.sha1 = Some(hash),
                _ => artifact.md5 = Some(hash),
            }
        }
        if !artifact.name.is_empty() && self.is_new(&artifact) {
            self.incident.artifacts.push(artifact);
        }
    }

    /// A file that is known by its name only.
    pub fn file_name(&mut self, out: &mut Imported, text: &str) {
        let path = text.trim().replace('\\', "/");
        let rooted = ["~/", "/", "site:", "any:"].iter().any(|s| path.starts_with(s));
        let name = pattern::base(&path).to_owned();
        if name.trim_matches(['*', '.']).len() < 3 || path.contains("/../") || path.chars().any(crate::text::hidden) {
            return out.leave("not a file name", text);
        }
        if !rooted && pattern::COMMON.contains(&name.as_str()) {
            return out.leave("a file name that many others use", text);
        }
        out.took("file names", 1);
        let confidence = Some(self.standing.confidence.unwrap_or(Confidence::Likely).min(Confidence::Likely));
        let file = FileIndicator {
            role: FileRole::Payload,
            paths: vec![if rooted { path } else { format!("any:{path}") }],
            sha256: None,
            sha1: None,
            md5: None,
            size: None,
            holds: Vec::new(),
            alone: None,
            package: None,
            what: self.what.clone(),
            standing: Standing { confidence, ..self.standing.clone() },
            sources: Self::sources(),
        };
        if self.is_new(&file) {
            self.incident.files.push(file);
        }
    }

    /// A domain or an address, defanged or not, with its port or without.
    pub fn host(&mut self, out: &mut Imported, text: &str, context_only: bool) {
        let host = refang(text.trim()).to_lowercase();
        let host = host.trim_start_matches("*.").trim_end_matches('.');
        let port = |(_, port): &(&str, &str)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let host = match host.rsplit_once(':').filter(port) {
            Some((before, _)) if !before.contains(':') => before,
            Some((before, _)) if before.starts_with('[') => before.trim_matches(['[', ']']),
            _ => host.trim_matches(['[', ']']),
        };
        let kind = if host.parse::<std::net::IpAddr>().is_ok() { NetworkKind::Ip } else { NetworkKind::Domain };
        if !is_host(host) {
            return out.leave("neither a domain nor an address", text);
        }
        self.network(out, kind, host.to_owned(), context_only);
    }

    /// An address on the web, defanged or not.
    pub fn url(&mut self, out: &mut Imported, text: &str, context_only: bool) {
        let url = refang(text.trim());
        let good = url.split_once("://").is_some_and(|(scheme, rest)| {
            scheme.bytes().all(|b| b.is_ascii_alphanumeric()) && rest.contains('.') && !rest.starts_with('/')
        });
        if !good || url.chars().any(|c| c.is_whitespace() || crate::text::hidden(c)) {
            return out.leave("not an address of the web", text);
        }
        self.network(out, NetworkKind::Url, url, context_only);
    }

    fn network(&mut self, out: &mut Imported, kind: NetworkKind, value: String, context_only: bool) {
        let (what, standing, sources) = (self.what.clone(), self.standing.clone(), Self::sources());
        if !self.is_new(&(kind, &value)) {
            return;
        }
        out.took(if context_only { "network names, as context only" } else { "network names" }, 1);
        self.incident.network.push(NetworkIndicator { kind, value, what, context_only, standing, sources });
    }

    /// Tags and commits of a GitHub Action.
    pub fn action(&mut self, out: &mut Imported, repository: &str, references: Vec<String>) {
        let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let mut parts = repository.split('/');
        let (Some(owner), Some(name)) = (parts.next().filter(|w| word(w)), parts.next().filter(|w| word(w))) else {
            return out.leave("not a GitHub Action (`owner/name`)", repository);
        };
        if references.is_empty() || references.iter().any(|r| r == "*" || crate::ecosystem::is_range(r)) {
            return out.leave("an action without its tags", repository);
        }
        let commit = |r: &String| r.len() >= 12 && r.bytes().all(|b| b.is_ascii_hexdigit());
        out.took("actions", references.len());
        let (commits, tags) = references.into_iter().partition(commit);
        self.incident.actions.push(ActionIndicator {
            repository: format!("{owner}/{name}"),
            tags,
            moved_tags: Vec::new(),
            safe: Vec::new(),
            commits,
            from: None,
            until: None,
            runs: UNKNOWN_RUNS.to_owned(),
            standing: self.standing.clone(),
            sources: Self::sources(),
        });
    }

    /// Tags of an image.
    pub fn image(&mut self, out: &mut Imported, repository: &str, tags: Vec<String>) {
        let digest = |t: &String| t.starts_with("sha256:");
        let (digests, tags): (Vec<String>, Vec<String>) = tags.into_iter().partition(digest);
        if tags.iter().any(|r| r == "*" || crate::ecosystem::is_range(r)) || repository.contains(char::is_whitespace) {
            return out.leave("an image without its tags", repository);
        }
        out.took("images", tags.len() + digests.len());
        self.incident.images.push(ImageIndicator {
            repository: repository.to_owned(),
            tags,
            floating_tags: Vec::new(),
            digests,
            standing: self.standing.clone(),
            sources: Self::sources(),
        });
    }
}

/// Of nothing: SHA-256, SHA-1, MD5.
const EMPTY: [&str; 3] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "d41d8cd98f00b204e9800998ecf8427e",
];

/// A package of which nothing but its versions is known. Rows of one advisory that follow each other become one.
pub fn row(out: &mut Imported, ecosystem: Ecosystem, name: &str, versions: Vec<String>, advisory: &str) {
    let Some(versions) = checked(out, ecosystem, name, versions) else { return };
    work::done(versions.len());
    out.took(PACKAGE_VERSIONS, versions.len());
    if let Some((e, n, last)) = out.rows.last_mut()
        && *e == ecosystem
        && n == name
        && last.advisory == advisory
    {
        last.versions.extend(versions);
        return;
    }
    out.rows.push((ecosystem, name.to_owned(), FeedRow { advisory: advisory.to_owned(), versions }));
}

fn checked(out: &mut Imported, ecosystem: Ecosystem, name: &str, versions: Vec<String>) -> Option<Vec<String>> {
    if !is_name(ecosystem, name) {
        out.leave(format!("not a name of {}", ecosystem.purl_type()), name);
        return None;
    }
    let mut good = Vec::with_capacity(versions.len());
    for v in versions {
        if version::is_good(ecosystem, &v) {
            good.push(v);
        } else {
            out.leave(format!("not a version of {}", ecosystem.purl_type()), &format!("{name} {v}"));
        }
    }
    let good = version::simplified(good);
    (!good.is_empty()).then_some(good)
}

/// Whether a name can be one of its ecosystem.
fn is_name(ecosystem: Ecosystem, name: &str) -> bool {
    let plain = !name.is_empty()
        && name.len() <= 512
        && !name.chars().any(|c| c.is_whitespace() || crate::text::hidden(c) || "\"<>`".contains(c));
    let parts = |by: char| name.split(by).filter(|p| !p.is_empty()).count();
    plain
        && match ecosystem {
            Ecosystem::Pypi => pypi::is_name(name),
            Ecosystem::Npm => match name.strip_prefix('@') {
                Some(rest) => parts('/') == 2 && rest.matches('/').count() == 1 && !rest.contains('@'),
                None => !name.contains(['/', '@']),
            },
            Ecosystem::Maven => parts(':') == 2,
            Ecosystem::Composer => parts('/') == 2,
            Ecosystem::Vscode | Ecosystem::Openvsx => parts('.') >= 2 && !name.contains('/'),
            Ecosystem::Firefox => crate::ecosystem::browser::is_firefox_id(name),
            _ => !name.contains('@'),
        }
}

/// Letters, digits, `-` and `.` of a name.
pub fn slug(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let slug: String = text.chars().take(80).map(plain).collect();
    let slug = slug.trim_matches(['-', '.']);
    if slug.is_empty() { "imported".to_owned() } else { slug.to_owned() }
}

fn base(path: &str) -> String {
    line(path.rsplit(['/', '\\']).next().unwrap_or(path), 200)
}

/// One line of text, cut.
pub fn line(text: &str, limit: usize) -> String {
    let plain = |c: char| if c.is_whitespace() || crate::text::hidden(c) { ' ' } else { c };
    let text: String = text.chars().take(limit).map(plain).collect();
    text.trim().to_owned()
}
