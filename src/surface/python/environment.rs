//! Folders that are environments, by the file that makes each one such.
//!
//! ```text
//! venv/pyvenv.cfg                                  venv, virtualenv, uv; key = value lines, one of them `home`
//! ~/.local/share/uv/tools/litellm/uv-receipt.toml  uv tool install: [tool] requirements = [{ name, specifier }]
//! ~/.local/share/pipx/venvs/litellm/pipx_metadata.json   main_package.{package, package_or_url}, injected_packages
//! ~/.cache/uv/archive-v0/KEY/pyvenv.cfg            uvx, uv run --with; environments-v2/NAME-KEY for scripts
//! ~/.cache/pipx/KEY/pyvenv.cfg                     pipx run
//! /opt/conda/conda-meta/history                    conda, mamba: `# update specs: ['litellm=1.82.8']`
//! ```
//!
//! A hit proves that the folder is an environment, and what the user asked the tool to put there; it proves no package. URLs and
//! indexes in these files may hold credentials and are not read. Documented in PEP 405, and in the tools' own sources.

use serde_json::Value;

use crate::{
    ecosystem::pypi::{CONDA, EPHEMERAL, PIPX, UV_TOOL, is_name, normalise, requirement, unit_around},
    fact::{EnvironmentKind, Fact, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, python::toml_doc},
};

/// conda adds to its history at every change.
const HISTORY: usize = 4 << 20;
const LIMIT: usize = 1 << 20;

/// Marker files of environments.
pub struct EnvironmentMarkers;

static META: Meta = Meta {
    id: "python/environment",
    title: "Python environments",
    proves: "the folder is an environment, and what was asked for; not that a package is there",
};

impl Surface for EnvironmentMarkers {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name("pyvenv.cfg"),
            Claim::name("uv-receipt.toml"),
            Claim::name("pipx_metadata.json"),
            Claim::name("history").in_tail("conda-meta"),
        ]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let folder = file.entry.path.parent();
        let at = file.mtime("mtime of the environment's own file");
        let name = file.entry.path.name();
        let bytes = file.all(if name == b"history" { HISTORY } else { LIMIT })?;
        let (kind, prefix, asked) = match name {
            b"pyvenv.cfg" if !is_pyvenv(bytes) => return Ok(()),
            b"pyvenv.cfg" if is_ephemeral(&folder) => (EPHEMERAL, folder, Vec::new()),
            b"pyvenv.cfg" => (EnvironmentKind::VENV, folder, Vec::new()),
            b"uv-receipt.toml" => (UV_TOOL, folder, uv_asked(bytes)?),
            b"pipx_metadata.json" => (PIPX, folder, pipx_asked(bytes)?),
            _ => (CONDA, folder.parent(), conda_asked(bytes)),
        };
        out.push(at, Fact::Environment { prefix, kind, asked });
        Ok(())
    }
}

/// `uv/archive-v0/KEY`, `uv/environments-v2/NAME-KEY`, `~/.cache/pipx/KEY`: unpacked wheels beside them have no `pyvenv.cfg`.
fn is_ephemeral(folder: &TreePath) -> bool {
    let above = folder.parent();
    let name = String::from_utf8_lossy(above.name()).into_owned();
    let numbered = |bucket: &str| {
        let version = name.strip_prefix(bucket);
        version.is_some_and(|v| !v.is_empty() && v.chars().all(|c| c.is_ascii_digit()))
    };
    let over = above.parent();
    let by_pipx = (name == "pipx" && over.name() == b".cache") || (name == ".cache" && over.name() == b"pipx");
    let key = folder.name().len() >= 15 && folder.name().iter().all(u8::is_ascii_hexdigit);
    numbered("archive-v") || numbered("environments-v") || (by_pipx && key)
}

/// As CPython reads it: keys in any case, `home` among them.
fn is_pyvenv(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().filter_map(|l| l.split_once('=')).any(|(key, _)| key.trim().eq_ignore_ascii_case("home"))
}

/// Early releases wrote each requirement as one text.
fn uv_asked(bytes: &[u8]) -> Result<Vec<Requirement>, Flaw> {
    const WHAT: &str = "uv-receipt.toml";
    let malformed = || Flaw::malformed(WHAT, "not the TOML that uv writes");
    let receipt = toml_doc::parse(std::str::from_utf8(bytes).map_err(|_| malformed())?, WHAT)?;
    let listed = toml_doc::table(&receipt, "tool").and_then(|t| toml_doc::field(t, "requirements")?.as_array());
    let asked = listed.ok_or_else(malformed)?.iter().filter_map(|item| {
        let item = item.get_ref();
        if let Some(text) = item.as_str() {
            return requirement(text);
        }
        let item = item.as_table()?;
        let name = toml_doc::string(item, "name")?;
        let specifier = toml_doc::string(item, "specifier").unwrap_or_default();
        let extras = toml_doc::field(item, "extras").and_then(|e| e.as_array());
        let extras: Vec<&str> = extras.into_iter().flatten().filter_map(|e| e.get_ref().as_str()).collect();
        requirement(&format!("{name}[{}]{specifier}", extras.join(","))).or_else(|| named(name))
    });
    Ok(asked.collect())
}

fn pipx_asked(bytes: &[u8]) -> Result<Vec<Requirement>, Flaw> {
    let malformed = || Flaw::malformed("pipx_metadata.json", "not the JSON that pipx writes");
    let metadata: Value = serde_json::from_slice(bytes).map_err(|_| malformed())?;
    let main = metadata.get("main_package").ok_or_else(malformed)?;
    let injected = metadata.get("injected_packages").and_then(Value::as_object);
    let packages = std::iter::once(main).chain(injected.into_iter().flat_map(|i| i.values()));
    let asked = packages.filter_map(|package| {
        let named = named(package.get("package")?.as_str()?)?;
        let written = package.get("package_or_url").and_then(Value::as_str).and_then(requirement);
        Some(written.filter(|w| w.name == named.name).unwrap_or(named))
    });
    Ok(asked.collect())
}

/// `# update specs: ['litellm=1.82.8', "python[version='>=3.9']"]`: the names, and of versions the plain ones.
fn conda_asked(bytes: &[u8]) -> Vec<Requirement> {
    let text = String::from_utf8_lossy(bytes);
    let lists = text
        .lines()
        .filter_map(|line| line.strip_prefix("# update specs: ").or(line.strip_prefix("# install specs: ")));
    let mut asked: Vec<Requirement> = Vec::new();
    for found in lists.flat_map(|list| list.split(['\'', '"', '[', ']'])).filter_map(conda_requirement) {
        if !asked.contains(&found) && asked.len() < 1000 {
            asked.push(found);
        }
    }
    asked
}

/// `channel::name`, `name=1.2`, `name >=1.2,<2`, `name 1.2 build_0`, `name[version='…']`: the name, and of versions the plain ones.
pub fn conda_requirement(spec: &str) -> Option<Requirement> {
    let spec = spec.rsplit("::").next().unwrap_or(spec).split('[').next().unwrap_or_default().trim();
    let name_end = |c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c);
    let (name, rest) = spec.split_at(spec.find(name_end).unwrap_or(spec.len()));
    let mut found = named(name)?;
    if rest.is_empty() {
        return Some(found);
    }
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = rest.len() <= 60 && rest.chars().all(|c| c.is_ascii_alphanumeric() || " =<>!~.,*|_+-".contains(c));
    let gap = if rest.starts_with(['=', '<', '>', '!', '~']) { "" } else { " " };
    found.text = format!("{name}{gap}{rest}").into();
    (plain && !rest.ends_with(['=', '<', '>'])).then_some(found)
}

fn named(name: &str) -> Option<Requirement> {
    is_name(name).then(|| Requirement::new(normalise(name), name))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    fn read(path: &str, text: &str) -> Option<(String, EnvironmentKind, Vec<String>)> {
        let got = tried(&EnvironmentMarkers, path, text.as_bytes(), &Interest::default());
        got.seen.into_iter().find_map(|seen| match seen.fact {
            Fact::Environment { prefix, kind, asked } => {
                Some((prefix.text().into_owned(), kind, asked.into_iter().map(|a| a.text.into()).collect()))
            }
            _ => None,
        })
    }

    #[test]
    fn each_tool_marks_its_own() {
        let venv = read("h/v/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n");
        assert_eq!(venv, Some(("/h/v".into(), EnvironmentKind::VENV, vec![])));
        let uv = "[tool]\nrequirements = [{ name = \"httpie\", specifier = \"==3.2.4\" }, \"six>=1\", { name = \"x\", url = \"https://u:p@registry.example/x.whl\" }]\n";
        let asked = ["httpie==3.2.4", "six>=1", "x"].map(str::to_owned).to_vec();
        assert_eq!(read("t/httpie/uv-receipt.toml", uv), Some(("/t/httpie".into(), UV_TOOL, asked)));
        let pipx = r#"{"main_package":{"package":"litellm","package_or_url":"litellm[proxy]==1.82.8"},"injected_packages":{
            "six":{"package":"six","package_or_url":"git+https://u:p@registry.example/six"}},"pipx_metadata_version":"0.5"}"#;
        let asked = ["litellm==1.82.8", "six"].map(str::to_owned).to_vec();
        assert_eq!(read("p/litellm/pipx_metadata.json", pipx), Some(("/p/litellm".into(), PIPX, asked)));
        let conda = "==> 2026-03-24 10:12:33 <==\n# cmd: conda install litellm\n+ch::a-1-b\n# update specs: ['conda-forge::litellm=1.82.8', \"python[version='>=3.9']\"]\n";
        let got = read("opt/conda/conda-meta/history", conda).unwrap();
        assert_eq!((got.0.as_str(), got.1), ("/opt/conda", CONDA));
        assert!(got.2.contains(&"litellm=1.82.8".to_owned()) && got.2.contains(&"python".to_owned()), "{:?}", got.2);
    }

    #[test]
    fn look_alikes_and_damage() {
        assert_eq!(read("x/pyvenv.cfg", "# a note about home\n"), None);
        for (path, text) in [
            ("t/uv-receipt.toml", "[tool"),
            ("t/uv-receipt.toml", "[other]\n"),
            ("t/uv-receipt.toml", &format!("x = {}", "[".repeat(100_000))),
            ("p/pipx_metadata.json", "{"),
            ("p/pipx_metadata.json", "[]"),
            ("p/pipx_metadata.json", &"[".repeat(100_000)),
        ] {
            assert!(tried(&EnvironmentMarkers, path, text.as_bytes(), &Interest::default()).flaw.is_some(), "{path}");
        }
    }
}
