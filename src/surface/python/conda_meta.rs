//! Packages that conda installed or fetched. conda's names are nearly always those of the Python index, so they are reported as
//! such; a package built by conda's own channels is another file than the index's, even of the same version.
//!
//! ```text
//! <prefix>/conda-meta/litellm-1.82.8-pyhd8ed1ab_0.json   installed: name, version, fn, size, sha256, depends, requested_spec(s)
//! <prefix>/conda-meta/history                            `-conda-forge/noarch::litellm-1.82.8-pyhd8ed1ab_0`: taken out
//! <root>/pkgs/litellm-1.82.8-pyhd8ed1ab_0.conda, .tar.bz2  fetched
//! <root>/pkgs/litellm-1.82.8-pyhd8ed1ab_0/info/index.json  unpacked
//! <root>/pkgs/urls.txt                                   every URL ever fetched, without time, kept after a clean-up
//! ```
//!
//! A record in `conda-meta` proves that the version is installed in that prefix, the archive that it was fetched; a line of
//! `urls.txt` that it once was. Python code of the package has a dist-info too, which `python/dist-info` reports. Documented in
//! conda's "Concepts" and in CEP 15 and 34.

use serde::Deserialize;
use serde_json::Value;

use super::{archive::of_interest, environment::conda_requirement, identity};
use crate::{
    ecosystem::pypi::{CONDA, conda_parts, is_name, is_version, normalise, unit_around},
    fact::{Artifact, Ecosystem, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// Records list every file of the package: the largest have some megabytes.
const RECORD: usize = 32 << 20;
const TEXT: usize = 16 << 20;

/// `conda-meta/*.json`, `pkgs/`.
pub struct CondaMeta;

/// Its id.
pub const ID: &str = "python/conda-meta";

/// Whether a fact comes from here, by its surface.
pub fn reads(surface: &str) -> bool {
    surface == ID
}

static META: Meta = Meta {
    id: ID,
    title: "packages of conda",
    proves: "conda installed the version in that prefix, or fetched it; not that it is the index's own file, nor that it ran",
};

impl Surface for CondaMeta {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::suffix(".json").in_tail("conda-meta"),
            Claim::name("history").in_tail("conda-meta"),
            Claim::name("index.json").in_tail("info"),
            Claim::suffix(".conda"),
            Claim::suffix(".tar.bz2"),
            Claim::name("urls.txt"),
        ]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        if kind == Kind::Dir {
            return None;
        }
        let (folder, name) = (path.parent(), path.name());
        let (stem, placement) = match name.strip_suffix(b".json") {
            Some(stem) if folder.name() == b"conda-meta" => (stem.to_vec(), Placement::Loadable),
            Some(b"index") if folder.name() == b"info" => (folder.parent().name().to_vec(), Placement::Cached),
            Some(_) => return None,
            None => (stem(name)?.to_vec(), Placement::Cached),
        };
        let (name, version, _) = conda_parts(&stem)?;
        Some((path.clone(), Fact::Named(named(name, version, placement)?)))
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let holds = |key: &[u8]| memchr::memmem::find(head, key).is_some();
        (head.starts_with(b"{") && holds(b"\"build_number\"") && holds(b"\"depends\"")).then_some("info/index.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = &file.entry.path;
        match path.name() {
            b"history" => taken_out(file, out),
            b"urls.txt" => urls(file, out),
            b"index.json" if path.parent().name() == b"info" => unpacked(file, out),
            name if name.ends_with(b".json") => installed(file, out),
            name => fetched(name, file, out),
        }
    }
}

#[derive(Deserialize)]
struct Record {
    name: Option<String>,
    version: Option<String>,
    build: Option<String>,
    #[serde(rename = "fn")]
    file: Option<String>,
    size: Option<u64>,
    sha256: Option<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    depends: Value,
    /// By conda and mamba.
    #[serde(default)]
    requested_spec: Value,
    /// By rattler and pixi.
    #[serde(default)]
    requested_specs: Value,
}

/// The requirements in one text or in a list of them.
fn requirements(specs: &Value) -> Vec<Requirement> {
    let list = specs.as_array().map_or_else(|| std::slice::from_ref(specs), Vec::as_slice);
    // Old releases of conda wrote the word for what nobody asked for.
    list.iter().filter_map(Value::as_str).filter(|s| *s != "None").filter_map(conda_requirement).collect()
}

fn installed(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let stem = file.entry.path.name().strip_suffix(b".json").unwrap_or_default();
    let Some((by_name, by_version, _)) = conda_parts(stem) else {
        return Ok(());
    };
    // conda's own packages may start with an underscore.
    let by_file = (by_name.trim_start_matches('_'), by_version);
    let at = file.mtime("mtime of the record");
    let prefix = file.entry.path.parent().parent();
    let interest = file.interest;
    let record: Record = parse(file.all(RECORD)?)?;
    if record.name.as_deref().is_some_and(|n| interest.knows_package(Ecosystem::Pypi, n)) {
        let paths = super::own_list::of_conda(&prefix, &record.files);
        out.push(at.clone(), Fact::Listed { paths });
    }
    let requires = requirements(&record.depends);
    let mut asked = requirements(&record.requested_spec);
    asked.extend(requirements(&record.requested_specs));
    let package = Package { requires: requires.into(), ..package(record, Placement::Loadable)? };
    if identity::compare(out, Some(by_file), "its file name", &package, "the record")
        && let Some(other) = named(by_file.0, by_file.1, Placement::Loadable)
    {
        out.push(at.clone(), Fact::Named(other));
    }
    out.push(at.clone(), Fact::Package(package));
    if !asked.is_empty() {
        out.push(at, Fact::Environment { prefix, kind: CONDA, asked });
    }
    Ok(())
}

fn unpacked(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let folder = file.entry.path.parent().parent();
    let Some((name, version, build)) = conda_parts(folder.name()) else {
        return Ok(());
    };
    let at = file.mtime("mtime of the index");
    // The folder may be anybody's; where it is called like a known package, it is worth saying that its index cannot be read.
    let known = named(name, version, Placement::Cached).is_some_and(|p| of_interest(file.interest, &p.name));
    let record = match parse(file.all(RECORD)?) {
        Ok(record) => record,
        Err(flaw) if known => return Err(flaw),
        Err(_) => return Ok(()),
    };
    let same = |known: &Option<String>, here: &str| known.as_deref() == Some(here);
    // The folder's name is the one mark that this `info/index.json` is conda's.
    if same(&record.name, name) && same(&record.version, version) && same(&record.build, build) {
        let package = package(record, Placement::Cached)?;
        out.push(at, Fact::Package(package));
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Record, Flaw> {
    serde_json::from_slice(bytes).map_err(|_| Flaw::malformed("conda record", "not the JSON that conda writes"))
}

fn package(record: Record, placement: Placement) -> Result<Package, Flaw> {
    let (name, version) = (record.name.unwrap_or_default(), record.version.unwrap_or_default());
    let mut package =
        named(&name, &version, placement).ok_or(Flaw::malformed("conda record", "no name or no version"))?;
    let hash = |h: &String| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit());
    package.artifacts.push(Artifact {
        name: record
            .file
            .filter(|f| stem(f.as_bytes()).and_then(conda_parts).is_some_and(|(n, v, b)| is_valid(n, v, b))),
        size: record.size,
        sha256: record.sha256.filter(hash).map(|h| h.to_lowercase()),
        digest: None,
    });
    Ok(package)
}

fn named(name: &str, version: &str, placement: Placement) -> Option<Package> {
    // conda allows a leading underscore; those (`_libgcc_mutex`) are never of the Python index.
    let name = name.trim_start_matches('_');
    (is_name(name) && is_version(version)).then(|| Package {
        ecosystem: Ecosystem::Pypi,
        name: normalise(name).into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    })
}

fn is_valid(name: &str, version: &str, build: &str) -> bool {
    is_name(name) && is_version(version) && is_version(build)
}

fn stem(file: &[u8]) -> Option<&[u8]> {
    file.strip_suffix(b".conda").or_else(|| file.strip_suffix(b".tar.bz2"))
}

/// An archive, by its name: conda itself finds them so.
fn fetched(name: &[u8], file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let Some(mut package) = of_archive(name, file.interest, Placement::Cached) else {
        return Ok(());
    };
    let at = file.mtime("mtime of the archive");
    let sha256 = Some(file.sha256()?);
    let name = String::from_utf8_lossy(name).into_owned();
    package.artifacts.push(Artifact { name: Some(name), size: Some(file.entry.len), sha256, ..Artifact::default() });
    out.push(at, Fact::Package(package));
    Ok(())
}

fn of_archive(file: &[u8], interest: &Interest, placement: Placement) -> Option<Package> {
    let (name, version, build) = conda_parts(stem(file)?)?;
    let package = named(name, version, placement).filter(|_| is_valid(name, version, build))?;
    of_interest(interest, &package.name).then_some(package)
}

fn urls(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let interest = file.interest;
    for (line, text) in (1..).zip(file.all(TEXT)?.split(|b| *b == b'\n')) {
        let name = text.trim_ascii().rsplit(|b| *b == b'/').next().unwrap_or_default();
        if let Some(package) = of_archive(name, interest, Placement::Listed) {
            out.push_at(None, Some(line), None, Fact::Package(package));
        }
    }
    Ok(())
}

/// The history's own times have no zone, so these facts have none.
fn taken_out(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let interest = file.interest;
    for (line, text) in (1..).zip(file.all(TEXT)?.split(|b| *b == b'\n')) {
        let Some(spec) = text.trim_ascii().strip_prefix(b"-") else {
            continue;
        };
        let spec = spec.rsplit(|b| matches!(b, b':' | b'/')).next().unwrap_or_default();
        let Some((name, version, _)) = conda_parts(spec) else {
            continue;
        };
        let package = named(name, version, Placement::Leftover).filter(|p| of_interest(interest, &p.name));
        if let Some(package) = package {
            out.push_at(None, Some(line), None, Fact::Package(package));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{archive::made::interest, trial::tried},
        *,
    };

    fn packages(path: &str, text: &str) -> Vec<String> {
        tried(&CondaMeta, path, text.as_bytes(), &interest()).packages()
    }

    #[test]
    fn installed_unpacked_and_fetched() {
        let record = r#"{"build":"py_0","name":"litellm","version":"1.82.8","fn":"litellm-1.82.8-py_0.conda","size":9,
            "url":"https://u:p@registry.example/x","files":["a"]}"#;
        assert_eq!(packages("opt/c/conda-meta/litellm-1.82.8-py_0.json", record), ["litellm 1.82.8 Loadable"]);
        assert_eq!(packages("opt/c/pkgs/litellm-1.82.8-py_0/info/index.json", record), ["litellm 1.82.8 Cached"]);
        assert_eq!(packages("opt/c/pkgs/litellm-1.82.8-py_0.conda", "zip"), ["litellm 1.82.8 Cached"]);
        assert_eq!(packages("opt/c/pkgs/litellm-1.82.8-py_0.tar.bz2", "BZh"), ["litellm 1.82.8 Cached"]);
        assert_eq!(packages("w/litellm-1.82.7-py_0/info/index.json", record), [""; 0]);
        assert_eq!(packages("opt/c/conda-meta/state.json", record), [""; 0]);
        assert_eq!(packages("opt/c/pkgs/six-1.0-py_0.conda", "zip"), [""; 0]);
        assert_eq!(packages("backup/litellm-src.tar.bz2", "BZh"), [""; 0]);
    }

    #[test]
    fn what_was_fetched_and_taken_out_is_remembered() {
        let urls =
            "https://registry.example/noarch/litellm-1.82.8-py_0.conda\r\nhttps://registry.example/six-1-b.conda\n";
        assert_eq!(packages("opt/c/pkgs/urls.txt", urls), ["litellm 1.82.8 Listed"]);
        let history = "==> 2026-03-24 10:12:33 <==\n+forge/noarch::litellm-1.82.8-py_0\n-forge/noarch::litellm-1.82.8-py_0\n-x::six-1-b\n";
        assert_eq!(packages("opt/c/conda-meta/history", history), ["litellm 1.82.8 Leftover"]);
    }

    #[test]
    fn damage_is_a_flaw() {
        for bad in ["", "{", "{\"name\":\"a\\u001b\",\"version\":\"1\"}", "{\"name\":\"a\"}", &"[".repeat(100_000)] {
            let got = tried(&CondaMeta, "c/conda-meta/litellm-1.82.8-py_0.json", bad.as_bytes(), &interest());
            assert!(got.flaw.is_some() && got.seen.is_empty());
        }
    }
}
