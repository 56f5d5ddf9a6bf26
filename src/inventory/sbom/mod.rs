//! Software bills of materials as inventories: CycloneDX 1.4 to 1.7, SPDX 2.3 and 3.0, as JSON. Somebody else's tool wrote them: what they
//! say is a statement, and nothing in them shows that anything ran.
//!
//! | the document says | placement |
//! | --- | --- |
//! | a cataloger of installed packages, a path where packages are installed, or a container image | `Statement::Installed` |
//! | a cataloger or a path of lock files and manifests | `Statement::Listed` |
//! | neither | `Statement::Unclear` |

mod cyclonedx;
mod graph;
mod spdx;
mod spdx3;
mod stream;

use self::graph::Graph;
use serde_json::error::Category;

use crate::{
    assess::Link,
    ecosystem::{normal_name, purl::Purl},
    fact::{Artifact, Ecosystem, Fact, Origin, Package, Placement, Seen, Statement, TreePath},
};

/// What reports name as the surface.
pub const ID: &str = "sbom";
/// What is read, for a hint.
pub const FORMATS: &str = "CycloneDX 1.4 to 1.7, SPDX 2.3 or 3.0, as JSON";
/// Bytes of one document.
pub const LIMIT: u64 = 64 << 20;
/// Values of one document, by its commas: what is made of a text stays in proportion.
const VALUES: usize = 1_500_000;
/// Packages of one document that are kept.
const KEPT: usize = 50_000;

/// Whether a file with that start may be one, rather than an inventory of ours.
pub fn may_be(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    text.starts_with(b"{") && memchr::memmem::find(first, b"\"dosimeter-inventory\"").is_none()
}

/// What a document says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sbom {
    /// `CycloneDX 1.6`.
    pub format: String,
    /// What it describes, as it says itself.
    pub subject: Option<String>,
    /// Packages that are wanted, with a version and an ecosystem that indicators know, or with a hash.
    pub packages: Vec<Stated>,
    /// How many packages it lists, wanted or not.
    pub listed: u64,
    /// Components without a version, or without an ecosystem that indicators know.
    pub others: u64,
    /// Some of the packages that are wanted are beyond the bound.
    pub cut: bool,
}

/// One package of a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Stated {
    /// With a version.
    pub purl: Purl,
    /// The file by which the other tool knew it.
    pub place: Option<TreePath>,
    /// What it says of it.
    pub statement: Statement,
    /// SHA-256 of its file, hex.
    pub sha256: Option<String>,
    /// From what was asked for to the package.
    pub chain: Vec<Link>,
}

/// Whether a package is worth keeping.
pub type Wanted<'w> = dyn Fn(&Stated) -> bool + 'w;

/// A document while it is read.
struct Reader<'r> {
    sbom: Sbom,
    wanted: &'r Wanted<'r>,
    /// The document describes an image of a container.
    image: bool,
    graph: Graph,
    /// What each of the packages is called in the graph, and whether it stands in an image is what its place depends on.
    references: Vec<(Box<str>, bool)>,
}

/// What a document says of one component.
struct Component<'c> {
    purl: Option<&'c str>,
    name: Option<&'c str>,
    version: Option<&'c str>,
    reference: Option<&'c str>,
    sha256: Option<String>,
    clues: Clues<'c>,
}

/// What a document says of where one package stood.
#[derive(Default)]
struct Clues<'c> {
    /// What the tool calls the part of it that found the package.
    cataloger: Option<&'c str>,
    /// The file it found it in.
    path: Option<&'c str>,
}

/// Reads a document, of its packages those that are wanted; `None` where it is no bill of materials.
///
/// # Errors
/// What is wrong with it, without quoting it.
pub fn read(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Option<Sbom>, String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        bom_format: Option<String>,
        spec_version: Option<String>,
        spdx_version: Option<String>,
        #[serde(rename = "@context")]
        context: Option<Context>,
    }
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Context {
        Address(String),
        Addresses(Vec<String>),
        Other(serde::de::IgnoredAny),
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if u64::try_from(bytes.len()).is_ok_and(|len| len >= LIMIT) {
        return Err("larger than 64 MB".to_owned());
    }
    if memchr::memchr_iter(b',', bytes).count() > VALUES {
        return Err("more values than any bill of materials has".to_owned());
    }
    let kind: Kind = match serde_json::from_slice(bytes) {
        Ok(kind) => kind,
        Err(error) => return if names_a_format(bytes) { Err(why(&error)) } else { Ok(None) },
    };
    let address = match kind.context {
        Some(Context::Address(address)) => Some(address),
        Some(Context::Addresses(all)) => all.into_iter().find(|a| a.contains(SPDX3)),
        Some(Context::Other(_)) | None => None,
    };
    // https://spdx.org/rdf/3.0.1/spdx-context.jsonld
    let spdx3 = address.as_deref().and_then(|a| a.split_once(SPDX3)).and_then(|(_, rest)| rest.split('/').next());
    let mut reader =
        Reader { sbom: Sbom::default(), wanted, image: false, graph: Graph::default(), references: Vec::new() };
    let read = match (kind.bom_format.as_deref(), kind.spec_version.as_deref(), kind.spdx_version.as_deref(), spdx3) {
        (Some("CycloneDX"), Some(version @ ("1.4" | "1.5" | "1.6" | "1.7")), ..) => {
            cyclonedx::read(bytes, version, &mut reader)
        }
        (Some("CycloneDX"), ..) => return Err("a version of CycloneDX other than 1.4 to 1.7".to_owned()),
        (_, _, Some("SPDX-2.3"), _) => spdx::read(bytes, &mut reader),
        (.., Some(version)) if version == "3.0" || version.starts_with("3.0.") => {
            spdx3::read(bytes, version, &mut reader)
        }
        (_, _, Some(_), _) | (.., Some(_)) => return Err("a version of SPDX other than 2.3 and 3.0".to_owned()),
        _ => return Ok(None),
    };
    read.map(|()| Some(reader.finish())).map_err(|e| why(&e))
}

/// Stands in the address of the context of SPDX 3.
const SPDX3: &str = "spdx.org/rdf/";

/// Whether a text was meant to be one.
pub fn names_a_format(bytes: &[u8]) -> bool {
    let start = bytes.get(..64 << 10).unwrap_or(bytes);
    [&b"\"bomFormat\""[..], b"\"spdxVersion\"", b"spdx.org/rdf/"]
        .iter()
        .any(|key| memchr::memmem::find(start, key).is_some())
}

fn why(error: &serde_json::Error) -> String {
    let at = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Data => format!("not of a bill of materials' form, {at}"),
        Category::Eof => format!("it ends too early, {at}"),
        _ => format!("not JSON, {at}"),
    }
}

/// The SHA-256 among hashes, however the document spells that.
fn hash_of(algorithm: Option<&str>, value: Option<&str>) -> Option<String> {
    let is_it = algorithm?.eq_ignore_ascii_case("SHA-256") || algorithm?.eq_ignore_ascii_case("SHA256");
    let value = value?.trim();
    let is_hex = value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    (is_it && is_hex).then(|| value.to_ascii_lowercase())
}

impl Reader<'_> {
    /// Takes a component by its package URL, and by the version beside it where the URL has none; without both by its hash.
    fn admit(&mut self, c: Component<'_>) {
        let known = c.purl.and_then(Purl::parse).and_then(|purl| {
            let version = purl.version.or_else(|| c.version.map(str::to_owned)).filter(|v| !v.is_empty())?;
            Some(Purl { version: Some(version), ..purl })
        });
        if let (Some(reference), Some(name)) = (c.reference, known.as_ref().map(|p| p.name.as_str()).or(c.name)) {
            let version = known.as_ref().and_then(|p| p.version.as_deref()).or(c.version);
            self.graph.name(reference, name, version);
        }
        if known.is_none() {
            self.sbom.others += 1;
        } else {
            self.sbom.listed += 1;
        }
        let by_hash =
            || Purl::new(Ecosystem::Generic, c.name.unwrap_or("unknown"), Some(c.version.unwrap_or("unknown")));
        let Some(purl) = known.or_else(|| c.sha256.as_ref().map(|_| by_hash())) else {
            return;
        };
        let place = c.clues.path.and_then(|path| TreePath::new(path.trim_start_matches('/').as_bytes()));
        let (alone, in_image) = (statement(&c.clues, purl.ecosystem, false), statement(&c.clues, purl.ecosystem, true));
        let stated = Stated { statement: alone, purl, place, sha256: c.sha256, chain: Vec::new() };
        if !(self.wanted)(&stated) {
            return;
        }
        if self.sbom.packages.len() >= KEPT {
            self.sbom.cut = true;
            return;
        }
        self.references.push((c.reference.unwrap_or_default().into(), in_image == Statement::Installed));
        self.sbom.packages.push(stated);
    }

    /// What is known only when all was read: whether it is an image, and what asks for what.
    fn finish(self) -> Sbom {
        let Self { mut sbom, image, graph, references, .. } = self;
        // A chain costs a walk through the graph: one document has few malicious packages, or is made up.
        for (at, (stated, (reference, in_image))) in sbom.packages.iter_mut().zip(&references).enumerate() {
            if image && *in_image {
                stated.statement = Statement::Installed;
            }
            if at < CHAINS {
                stated.chain = graph.chain(reference);
            }
        }
        sbom
    }
}

/// Packages of one document whose chains are looked for.
const CHAINS: usize = 200;

impl Stated {
    /// As a fact. `file` is the document.
    pub fn seen(&self, file: &Origin) -> Seen {
        let ecosystem = self.purl.ecosystem;
        let package = Package {
            ecosystem,
            name: normal_name(ecosystem, &self.purl.name).into(),
            version: self.purl.version.as_deref().unwrap_or_default().into(),
            placement: Placement::Stated(self.statement),
            requires: [].into(),
            artifacts: self
                .sha256
                .iter()
                .map(|h| Artifact { sha256: Some(h.clone()), ..Artifact::default() })
                .collect(),
        };
        let path = self.place.as_ref().unwrap_or(&file.path).clone();
        let origin = Origin { path, ..file.clone() };
        Seen {
            surface: ID,
            origin,
            at: None,
            uid: None,
            gid: None,
            mode: None,
            unit: None,
            fact: Fact::Package(package),
        }
    }
}

fn statement(clues: &Clues<'_>, ecosystem: Ecosystem, image: bool) -> Statement {
    let cataloger = clues.cataloger.unwrap_or_default().to_ascii_lowercase();
    let path = clues.path.unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|w| cataloger.contains(w));
    if lists(path, name) || has(&["lock", "requirements", "manifest-analysis", "pyproject", "setup-cataloger"]) {
        return Statement::Listed;
    }
    // Trivy calls what it reads from lock files by the tool's name alone.
    if matches!(cataloger.as_str(), "npm" | "yarn" | "pnpm" | "bun" | "pip" | "pipenv" | "poetry" | "uv") {
        return Statement::Listed;
    }
    let folders = ["node_modules/", "site-packages/", "dist-packages/", ".dist-info/", ".egg-info"];
    let installed = folders.iter().any(|f| path.contains(f));
    let database = matches!(ecosystem, Ecosystem::Deb | Ecosystem::Rpm);
    let by_cataloger = has(&["installed", "-db-cataloger", "node-pkg", "python-pkg", "javascript-package-cataloger"]);
    if name == "package.json" && !installed && !image {
        // The manifest of a project, which is installed nowhere.
        return Statement::Listed;
    }
    match installed || database || by_cataloger || image {
        true => Statement::Installed,
        false => Statement::Unclear,
    }
}

/// Whether a file of that path and name asks for packages, or locks them.
fn lists(path: &str, name: &str) -> bool {
    let known = ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"];
    let python =
        ["poetry.lock", "uv.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "pyproject.toml", "pylock.toml", "setup.py"];
    let others = ["Cargo.lock", "go.mod", "go.sum", "Gemfile.lock", "composer.lock", "pom.xml", "deno.lock"];
    let more =
        ["packages.lock.json", "packages.config", "project.assets.json", "paket.lock", "mix.lock", "pubspec.lock"];
    let last = ["Podfile.lock", "Package.resolved", "renv.lock", "conan.lock"];
    let requirements = path.contains("requirements") && (name.ends_with(".txt") || name.ends_with(".in"));
    requirements || known.iter().chain(&python).chain(&others).chain(&more).chain(&last).any(|k| *k == name)
}

#[cfg(test)]
mod tests;
