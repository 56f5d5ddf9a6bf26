//! Software bills of materials as inventories: CycloneDX 1.4 to 1.7 and SPDX 2.3, as JSON. Somebody else's tool wrote them: what they
//! say is a statement, and nothing in them shows that anything ran.
//!
//! | the document says | placement |
//! | --- | --- |
//! | a cataloger of installed packages, a path where packages are installed, or a container image | `Statement::Installed` |
//! | a cataloger or a path of lock files and manifests | `Statement::Listed` |
//! | neither | `Statement::Unclear` |

mod cyclonedx;
mod spdx;

use serde_json::error::Category;

use crate::{
    ecosystem::{normal_name, purl::Purl},
    fact::{Ecosystem, Fact, Origin, Package, Placement, Seen, Statement, TreePath},
};

/// What reports name as the surface.
pub const ID: &str = "sbom";
/// What is read, for a hint.
pub const FORMATS: &str = "CycloneDX 1.4 to 1.7 or SPDX 2.3, as JSON";
/// Bytes of one document.
pub const LIMIT: u64 = 64 << 20;
/// Values of one document, by its commas: what is made of a text stays in proportion.
const VALUES: usize = 1_500_000;
/// Packages of one document.
const PACKAGES: usize = 1_000_000;

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
    /// Packages with a version and an ecosystem that indicators know.
    pub packages: Vec<Stated>,
    /// Components without those.
    pub others: u64,
    /// Some of its packages are beyond the bound.
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
}

/// What a document says of where one package stood.
#[derive(Default)]
struct Clues<'c> {
    /// What the tool calls the part of it that found the package.
    cataloger: Option<&'c str>,
    /// The file it found it in.
    path: Option<&'c str>,
    /// The document describes an image of a container.
    image: bool,
}

/// Reads a document; `None` where it is no bill of materials.
///
/// # Errors
/// What is wrong with it, without quoting it.
pub fn read(bytes: &[u8]) -> Result<Option<Sbom>, String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        bom_format: Option<String>,
        spec_version: Option<String>,
        spdx_version: Option<String>,
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
    match (kind.bom_format.as_deref(), kind.spec_version.as_deref(), kind.spdx_version.as_deref()) {
        (Some("CycloneDX"), Some(version @ ("1.4" | "1.5" | "1.6" | "1.7")), _) => {
            cyclonedx::read(bytes, version).map(Some).map_err(|e| why(&e))
        }
        (Some("CycloneDX"), ..) => Err("a version of CycloneDX other than 1.4 to 1.7".to_owned()),
        (_, _, Some("SPDX-2.3")) => spdx::read(bytes).map(Some).map_err(|e| why(&e)),
        (_, _, Some(_)) => Err("a version of SPDX other than 2.3".to_owned()),
        _ => Ok(None),
    }
}

/// Whether a text was meant to be one.
pub fn names_a_format(bytes: &[u8]) -> bool {
    let start = bytes.get(..64 << 10).unwrap_or(bytes);
    [&b"\"bomFormat\""[..], b"\"spdxVersion\""].iter().any(|key| memchr::memmem::find(start, key).is_some())
}

fn why(error: &serde_json::Error) -> String {
    let at = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Data => format!("not of a bill of materials' form, {at}"),
        Category::Eof => format!("it ends too early, {at}"),
        _ => format!("not JSON, {at}"),
    }
}

impl Sbom {
    /// Takes a component by its package URL, and by the version beside it where the URL has none.
    fn admit(&mut self, purl: Option<&str>, version: Option<&str>, clues: &Clues<'_>) {
        let package = purl.and_then(Purl::parse).and_then(|purl| {
            let version = purl.version.or_else(|| version.map(str::to_owned)).filter(|v| !v.is_empty())?;
            Some(Purl { version: Some(version), ..purl })
        });
        match package {
            None => self.others += 1,
            Some(_) if self.packages.len() >= PACKAGES => self.cut = true,
            Some(purl) => {
                let place = clues.path.and_then(|path| TreePath::new(path.trim_start_matches('/').as_bytes()));
                self.packages.push(Stated { statement: statement(clues, purl.ecosystem), purl, place });
            }
        }
    }
}

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
            artifacts: Vec::new(),
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

fn statement(clues: &Clues<'_>, ecosystem: Ecosystem) -> Statement {
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
    if name == "package.json" && !installed && !clues.image {
        // The manifest of a project, which is installed nowhere.
        return Statement::Listed;
    }
    match installed || database || by_cataloger || clues.image {
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
    let requirements = path.contains("requirements") && (name.ends_with(".txt") || name.ends_with(".in"));
    requirements || known.iter().chain(&python).chain(&others).any(|k| *k == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Sbom {
        read(text.as_bytes()).unwrap().unwrap()
    }

    fn shown(sbom: &Sbom) -> Vec<String> {
        sbom.packages.iter().map(|p| format!("{} {:?}", p.purl, p.statement)).collect()
    }

    #[test]
    fn cyclonedx_says_where_packages_stood() {
        let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"/home"}},
        "components":[
         {"type":"library","name":"litellm","version":"1.82.8","purl":"pkg:pypi/litellm@1.82.8","properties":[
          {"name":"syft:package:foundBy","value":"python-installed-package-cataloger"},
          {"name":"syft:location:0:path","value":"/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA"}]},
         {"type":"library","name":"axios","version":"1.14.1","purl":"pkg:npm/axios@1.14.1","properties":[
          {"name":"syft:package:foundBy","value":"javascript-lock-cataloger"},
          {"name":"syft:location:0:path","value":"/w/package-lock.json"}]},
         {"type":"library","name":"six","purl":"pkg:pypi/six","version":"1.17.0","components":[
          {"type":"library","group":"@s","name":"x","version":"2","purl":"pkg:npm/%40s/x@2?a=b",
           "evidence":{"occurrences":[{"location":"w/node_modules/@s/x/package.json"}]}}]},
         {"type":"file","name":"plain"}, {"type":"library","name":"z","purl":"pkg:cocoapods/z@1"}]}"#;
        let sbom = read_text(text);
        assert_eq!(sbom.format, "CycloneDX 1.6");
        assert_eq!(sbom.subject.as_deref(), Some("/home"));
        let expected = [
            "pkg:pypi/litellm@1.82.8 Installed",
            "pkg:npm/axios@1.14.1 Listed",
            "pkg:pypi/six@1.17.0 Unclear",
            "pkg:npm/%40s/x@2 Installed",
        ];
        assert_eq!(shown(&sbom), expected);
        assert!(sbom.others >= 1);
        let image = text.replace("\"type\":\"file\",\"name\":\"/home\"", "\"type\":\"container\",\"name\":\"i\"");
        let image = read_text(&image);
        assert_eq!(shown(&image)[1], "pkg:npm/axios@1.14.1 Listed", "a lock file in an image is one");
        assert_eq!(shown(&image)[2], "pkg:pypi/six@1.17.0 Installed");
    }

    #[test]
    fn spdx_says_where_packages_stood() {
        let package = |name: &str, info: &str, locator: &str| {
            format!(
                r#"{{"name":"{name}","versionInfo":"1.82.8","sourceInfo":"{info}","externalRefs":[
                {{"referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a"}},{{"referenceType":"purl","referenceLocator":"{locator}"}}]}}"#
            )
        };
        let all = [
            package(
                "litellm",
                "acquired package info from installed python package manifest file: /v/site-packages/litellm-1.82.8.dist-info/METADATA",
                "pkg:pypi/litellm@1.82.8",
            ),
            package(
                "litellm",
                "acquired package info from the following paths: /w/poetry.lock",
                "pkg:pypi/litellm@1.82.8",
            ),
            package("litellm", "", "pkg:pypi/LiteLLM"),
        ];
        let text = format!(r#"{{"spdxVersion":"SPDX-2.3","name":"home","packages":[{}]}}"#, all.join(","));
        let sbom = read_text(&text);
        let expected = ["Installed", "Listed", "Unclear"];
        assert!(sbom.packages.iter().map(|p| format!("{:?}", p.statement)).eq(expected), "{:?}", shown(&sbom));
        assert_eq!(
            sbom.packages[0].place.as_ref().unwrap().text(),
            "/v/site-packages/litellm-1.82.8.dist-info/METADATA"
        );
        let image =
            text.replacen("{\"name\":\"litellm\"", "{\"primaryPackagePurpose\":\"CONTAINER\",\"name\":\"litellm\"", 1);
        assert_eq!(read_text(&image).packages[2].statement, Statement::Installed);
    }

    #[test]
    fn what_is_none_or_is_broken_is_refused() {
        for none in ["{}", "[]", "x", "", "{\"packages\":[]}", "{\"name\":\"CycloneDX\"}"] {
            assert_eq!(read(none.as_bytes()), Ok(None), "{none}");
        }
        let deep = format!(
            "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":{}",
            "[{\"components\":".repeat(5000)
        );
        for bad in [
            "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"2.0\"}",
            "{\"bomFormat\":\"CycloneDX\"}",
            "{\"spdxVersion\":\"SPDX-2.1\"}",
            "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[{",
            "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":7}",
            "{\"spdxVersion\":\"SPDX-2.3\",\"packages\":{}}",
            &deep,
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{}", &bad[..60.min(bad.len())]);
        }
    }

    #[test]
    fn what_would_cost_memory_is_refused() {
        let begin = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[";
        let of = |n: usize| format!("{begin}{}{{}}]}}", "{},".repeat(n));
        assert!(read(of(1000).as_bytes()).is_ok());
        assert!(read(of(VALUES).as_bytes()).unwrap_err().contains("more values"));
        let long = format!("{begin}{}]}}", " ".repeat(64 << 20));
        assert!(read(long.as_bytes()).unwrap_err().contains("larger than"));
    }

    #[test]
    fn a_hostile_path_leads_nowhere() {
        let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","components":[{"purl":"pkg:pypi/a@1",
            "properties":[{"name":"syft:location:0:path","value":"/../../etc/passwd"}]}]}"#;
        assert_eq!(read_text(text).packages[0].place, None);
    }
}
