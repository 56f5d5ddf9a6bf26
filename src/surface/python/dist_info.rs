//! Installed distributions: `*.dist-info` (PEP 376, 427, 566, 610, 627), written by pip, uv, poetry, pdm, conda.
//!
//! ```text
//! site-packages/
//! └── litellm-1.82.8.dist-info/
//!     ├── METADATA     headers, then a blank line, then the README
//!     ├── RECORD       path,sha256=…,size for each file; bytecode has neither
//!     ├── direct_url.json  where it came from, when not from an index
//!     ├── INSTALLER    "pip", "uv", "Poetry 2.5.1"; written at install time even where files are hard links
//!     └── REQUESTED    there when the user asked for it by name (pip, uv)
//! ```
//!
//! Name and version are read first, and the folder's own name is a second witness (`identity`): the rest of `METADATA` may be
//! anything, the file may be missing, and its package is still known. `RECORD` names the folder a third time.
//!
//! A hit proves that the version stands where an interpreter loads it, or, as `placement` decides by the folder, in a cache or among
//! leftovers; of those only `METADATA` is read. It does not prove that anything ran.
//! Documented in the core metadata and recording-installed-packages specifications of packaging.python.org.

use serde::Deserialize;

pub use super::own_list::each_row;
use super::{identity, placement};
use crate::{
    ecosystem::pypi::{is_name, is_site, is_version, normalise, requirement, unit_around},
    fact::{Ecosystem, Fact, Package, Placement, TreePath, Unit, parent},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
    text::hex,
    tree::Kind,
};

/// Headers end long before this, whatever the README's size.
const HEADERS: usize = 4 << 20;
const RECORD: usize = 64 << 20;
const URL: usize = 1 << 20;

/// `*.dist-info`.
pub struct DistInfo;

static META: Meta = Meta {
    id: "python/dist-info",
    title: "installed Python distributions",
    proves: "the version stands where an interpreter loads it; not that it ran",
};

/// A description that somebody took out of its place: as little installed as what pip puts aside to read it.
const LOOSE: &str = "pip-metadata-by-hand/*.dist-info/METADATA";

impl Surface for DistInfo {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages]
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let names = ["METADATA", "PKG-INFO", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json"];
        let inside = names.map(|name| Claim::name(name).in_suffix(".dist-info"));
        inside.into_iter().chain([Claim::suffix(".dist-info")]).collect()
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, kind: Kind, interest: &Interest) -> Option<(TreePath, Fact)> {
        if path.name().ends_with(b".dist-info") {
            return identity::of_folder(path);
        }
        if kind != Kind::Dir {
            let folder = path.parent();
            return folder.name().ends_with(b".dist-info").then(|| identity::of_folder(&folder))?;
        }
        let name = normalise(std::str::from_utf8(path.name()).ok().filter(|n| is_name(n))?);
        // Any folder may be one that `pip --target` filled; the long lists hold too many everyday names for that.
        let known = match is_site(parent(path.as_bytes())) {
            true => interest.knows_package(Ecosystem::Pypi, &name),
            false => interest.packages.contains(Ecosystem::Pypi, &name),
        };
        known.then(|| (path.clone(), Fact::CodeFolder))
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        let mut headers = text.trim_start_matches('\u{feff}').lines().take_while(|line| !line.is_empty());
        headers.any(|line| line.starts_with("Metadata-Version:")).then_some(LOOSE)
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let folder = file.entry.path.parent();
        if let Some((name, _)) = identity::folder_parts(file.entry.path.name()) {
            let known = file.interest.knows_package(Ecosystem::Pypi, &normalise(name));
            return if known { Err(Flaw::malformed("dist-info", "it is no folder")) } else { Ok(()) };
        }
        let placement = placement::of_info(&folder);
        match file.entry.path.name() {
            b"METADATA" | b"PKG-INFO" => {
                let at = file.mtime("mtime of METADATA");
                let what = if file.entry.path.name() == b"METADATA" { "METADATA" } else { "PKG-INFO" };
                let package = package(file.head(HEADERS)?, what, placement)?;
                identity::compare(out, identity::folder_parts(folder.name()), "its folder", &package, what);
                out.push(at, Fact::Package(package));
            }
            b"direct_url.json" => direct_url(file, out, placement)?,
            // A cached wheel has no owner of files and no installer.
            _ if placement != Placement::Loadable => {}
            b"INSTALLER" => {
                let name = String::from_utf8_lossy(file.head(64)?).trim().to_owned();
                let known = name.chars().all(|c| c.is_ascii_alphanumeric() || " .-_".contains(c));
                let name = if known { name } else { "unknown".to_owned() };
                let at = file.mtime("mtime of INSTALLER");
                out.push(at, Fact::Installer { name: name.into() });
            }
            b"REQUESTED" => out.push(file.mtime("mtime of REQUESTED"), Fact::Requested),
            _ => record(file, out)?,
        }
        Ok(())
    }
}

/// Name, version and requirements from the headers of `METADATA` or `PKG-INFO`. Shared by everything that holds one.
///
/// # Errors
/// Where the name or version is missing or not one.
pub fn package(body: &[u8], what: &'static str, placement: Placement) -> Result<Package, Flaw> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let (mut name, mut version, mut requires) = (None, None, Vec::new());
    for line in body.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let Ok(line) = std::str::from_utf8(line) else {
            continue;
        };
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key {
            _ if key.eq_ignore_ascii_case("name") => name = name.or(Some(value)),
            _ if key.eq_ignore_ascii_case("version") => version = version.or(Some(value)),
            _ if key.eq_ignore_ascii_case("requires-dist") => requires.extend(requirement(value)),
            _ => {}
        }
    }
    let name = name.ok_or_else(|| Flaw::malformed(what, "no Name"))?;
    let version = version.ok_or_else(|| Flaw::malformed(what, "no Version"))?;
    if !is_name(name) {
        return Err(Flaw::malformed(what, "the Name is not a project name"));
    }
    if !is_version(version) {
        return Err(Flaw::malformed(what, "the Version is not a version"));
    }
    Ok(Package {
        ecosystem: Ecosystem::Pypi,
        name: normalise(name).into(),
        version: version.into(),
        placement,
        requires: requires.into(),
        artifacts: Vec::new(),
    })
}

/// As PEP 610 names them.
const REPOSITORIES: &[&str] = &["git", "hg", "svn", "bzr"];

#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    vcs_info: Option<VcsInfo>,
}

#[derive(Deserialize)]
struct VcsInfo {
    vcs: String,
}

/// The file that the distribution came from is a witness where its name says something else than the folder. The URL itself may
/// hold a password.
fn direct_url(file: &mut Opened<'_, '_>, out: &mut Sink<'_>, placement: Placement) -> Result<(), Flaw> {
    let folder = file.entry.path.parent();
    let (Some(named), bytes) = (identity::folder_parts(folder.name()), file.all(URL)?) else {
        return Ok(());
    };
    let came: DirectUrl = serde_json::from_slice(bytes)
        .map_err(|_| Flaw::malformed("direct_url.json", "not the JSON that pip writes"))?;
    if let Some(vcs) = came.vcs_info.map(|info| info.vcs).filter(|vcs| REPOSITORIES.contains(&vcs.as_str())) {
        out.push(file.mtime("mtime of direct_url.json"), Fact::FromRepository { vcs: vcs.into() });
    }
    let path = came.url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    if let Some((name, version)) = identity::file_parts(name.as_bytes()) {
        let found = identity::package(name, version, placement);
        if identity::compare(out, Some(named), "its folder", &found, "the file that it came from") {
            out.push(None, Fact::Named(found));
        }
    }
    Ok(())
}

/// Rows of `RECORD` that somebody may ask about: start-up code, bytecode of named modules, files that indicators name.
fn record(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let Some(site) = TreePath::new(file.entry.path.parent().parent().as_bytes()) else {
        return Ok(());
    };
    let (interest, folder) = (file.interest, file.entry.path.parent());
    let at = file.mtime("mtime of RECORD");
    let mut named = false;
    let bytes = file.all(RECORD)?;
    let listed = super::own_list::of_record(&site, folder.name(), bytes, interest);
    if !listed.is_empty() {
        out.push(at.clone(), Fact::Listed { paths: listed });
    }
    each_row(bytes, &mut |path, hash| {
        if !named && let Some(other) = other_name(path, &folder) {
            named = true;
            let found = identity::package(other.0, other.1, Placement::Loadable);
            if identity::compare(out, identity::folder_parts(folder.name()), "its folder", &found, "RECORD") {
                out.push(at.clone(), Fact::Named(found));
            }
        }
        if is_worth_reporting(path, interest)
            && let Some(owned) = TreePath::new(path)
        {
            let file = site.join(owned.as_bytes());
            out.push(at.clone(), Fact::Owned { file, sha256: hash.and_then(record_hash) });
        }
    })
}

/// Name and version of the folder that a `RECORD` lists itself in, where it is another one.
fn other_name<'p>(path: &'p [u8], folder: &TreePath) -> Option<(&'p str, &'p str)> {
    let (top, _) = path.split_at_checked(memchr::memchr(b'/', path)?)?;
    (top != folder.name() && top.ends_with(b".dist-info")).then(|| identity::folder_parts(top))?
}

/// `litellm/__init__.py` or `litellm.py`, of a package that an indicator knows: whether its code is there is asked where nothing
/// else describes it.
fn is_code(path: &[u8], interest: &Interest) -> bool {
    let top = path.strip_suffix(b"/__init__.py").or_else(|| path.strip_suffix(b".py"));
    let top = top.and_then(|t| std::str::from_utf8(t).ok()).filter(|t| is_name(t));
    top.is_some_and(|t| interest.knows_package(Ecosystem::Pypi, &normalise(t)))
}

fn is_worth_reporting(path: &[u8], interest: &Interest) -> bool {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
    let top = name.len() == path.len();
    let source = || {
        let folder = path.get(..path.len() - name.len()).and_then(|folder| folder.strip_suffix(b"/"));
        name.ends_with(b".py") && folder.is_some_and(|folder| interest.is_module_folder(folder))
    };
    (top && super::hook::is_hook_name(name))
        || source()
        || is_code(path, interest)
        || interest.wants_path(path)
        || compiled_from(name).is_some_and(|module| {
            let folder = path.get(..path.len() - name.len()).unwrap_or_default();
            interest.wants_module(folder.strip_suffix(b"/__pycache__/").unwrap_or(folder), module)
        })
}

/// The module that bytecode of this name is of: `proxy_server.cpython-311.pyc`.
fn compiled_from(name: &[u8]) -> Option<&str> {
    let (module, version) = std::str::from_utf8(name).ok()?.split_once(".cpython-")?;
    version.ends_with(".pyc").then_some(module)
}

/// `sha256=<urlsafe base64 without padding>` to hex.
pub fn record_hash(field: &[u8]) -> Option<String> {
    use base64::Engine as _;
    let encoded = field.strip_prefix(b"sha256=")?;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let hash = engine.decode(encoded.strip_suffix(b"=").unwrap_or(encoded)).ok()?;
    (hash.len() == 32).then(|| hex(&hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_end_at_the_blank_line() {
        let body =
            b"Metadata-Version: 2.1\r\nName: My.Egg\r\nVersion: 1.0\r\nRequires-Dist: litellm>=1\r\n\r\nName: evil\n";
        let p = package(body, "METADATA", Placement::Loadable).ok();
        let p = p.map(|p| (p.name.to_string(), p.version.to_string(), p.requires.len()));
        assert_eq!(p, Some(("my-egg".into(), "1.0".into(), 1)));
    }

    #[test]
    fn names_that_would_write_to_a_terminal_are_refused() {
        for body in ["Name: a\u{1b}[2J\nVersion: 1\n", "Name: a\nVersion: 1\u{202e}\n", "Name: a\n", "", "\0\0\0"] {
            assert!(package(body.as_bytes(), "METADATA", Placement::Loadable).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_cached_or_left_over_dist_info_is_distinguished() {
        use super::super::trial::tried;
        let about = b"Name: litellm\nVersion: 1.82.8\n";
        for (folder, says) in [
            ("v/lib/python3.11/site-packages/litellm-1.82.8.dist-info", "Loadable"),
            ("v/lib/python3.11/site-packages/~itellm-1.82.8.dist-info", "Leftover"),
            ("c/uv/archive-v0/SwJqFGqkJxEEAgSd/litellm-1.82.8.dist-info", "Cached"),
        ] {
            let got = tried(&DistInfo, &format!("{folder}/METADATA"), about, &Interest::default());
            assert_eq!(got.packages(), [format!("litellm 1.82.8 {says}")]);
            let record = tried(&DistInfo, &format!("{folder}/RECORD"), b"litellm_init.pth,,\n", &Interest::default());
            assert_eq!(record.seen.len(), usize::from(says == "Loadable"), "{folder}");
        }
    }

    #[test]
    fn record_hashes_are_hex() {
        // RECORD's own form of a known digest: printf '' | sha256sum.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let row = b"sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        assert_eq!(record_hash(row).as_deref(), Some(empty));
        assert_eq!(record_hash(b"md5=x"), None);
        assert_eq!(record_hash(b""), None);
    }
}
