//! What puts a folder on the path of an interpreter without copying anything: links to code that is installed in place
//! (`pip install -e`, `setup.py develop`, `poetry install`, `hatch`, `flit -s`, `uv`, `conda develop`).
//!
//! ```text
//! site-packages/
//! ├── litellm.egg-link                        the folder, then `.`            setuptools, `pip install -e` until 2023
//! ├── easy-install.pth                        one line per folder or egg      setuptools
//! ├── __editable__.litellm-1.82.8.pth         one folder                      setuptools, hatch, uv
//! ├── litellm.pth, _litellm.pth, conda.pth    folders                         poetry, flit, pdm, `conda develop`
//! ├── __editable___litellm_1_82_8_finder.py   MAPPING = {'litellm': '/srv/litellm/litellm'}
//! ├── _editable_impl_litellm.py               F.map_module('litellm', '/srv/litellm/litellm/__init__.py')    editables (hatch, pdm)
//! └── litellm-1.82.8.dist-info/direct_url.json   {"dir_info": {"editable": true}, "url": "file:///srv/litellm"}
//! ```
//!
//! A `.pth` may also run code that adds a folder (`site.addsitedir('…')`); only one that stands there in quotes is read. A hit proves
//! that the interpreters of that site folder look for modules in the folder named; `python/egg` and its kin say what stands there.
//! Documented in the `site` module of docs.python.org, in setuptools ("Development Mode") and in "Direct URL" of packaging.python.org.

use serde::Deserialize;

use super::placement;
use crate::{
    ecosystem::pypi::{is_site, unit_around},
    fact::{Fact, Placement, TreePath, Unit, parent},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Far above any honest one.
const HEAD: usize = 1 << 20;
/// Folders that one file puts there.
const MOST: usize = 500;

/// `*.pth`, `*.egg-link`, finders, `direct_url.json`.
pub struct OnPath;

static META: Meta = Meta {
    id: "python/on-path",
    title: "folders that a site folder puts on Python's path",
    proves: "interpreters of that environment look for modules there; not that one was started",
};

impl Surface for OnPath {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::suffix(".pth"),
            Claim::suffix(".egg-link"),
            Claim::affix("__editable__", "_finder.py"),
            Claim::affix("_editable_impl_", ".py"),
            Claim::affix("__editables_", ".py"),
            Claim::name("direct_url.json").in_suffix(".dist-info"),
        ]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let folder = path.parent();
        let site = if path.name() == b"direct_url.json" { folder.parent() } else { folder };
        if path.name().starts_with(b".")
            || !is_site(site.as_bytes())
            || placement::of_content(&site) != Placement::Loadable
        {
            return Ok(());
        }
        let at = file.mtime("mtime of the link");
        let text = file.head(HEAD)?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut entries = match path.name() {
            b"direct_url.json" => direct(text),
            name if name.ends_with(b".egg-link") => lines(text).take(1).map(<[u8]>::to_vec).collect(),
            name if name.ends_with(b".py") => mapped(text),
            _ => lines(text).flat_map(of_pth).take(MOST).collect(),
        };
        entries.truncate(MOST);
        let mut found: Vec<TreePath> = entries.iter().filter_map(|entry| site.resolve(entry)).collect();
        found.sort();
        found.dedup();
        // A file that names its own folder, or the whole tree, says nothing.
        for entry in found.into_iter().filter(|e| *e != site && !e.as_bytes().is_empty()) {
            out.push(at.clone(), Fact::OnPath { site: site.clone(), entry });
        }
        Ok(())
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| matches!(b, b'\n' | b'\r')).map(<[u8]>::trim_ascii_end).filter(|l| !l.is_empty())
}

/// A folder of a line, or the one that the line's code adds.
fn of_pth(line: &[u8]) -> Option<Vec<u8>> {
    if line.starts_with(b"#") {
        return None;
    }
    if !(line.starts_with(b"import ") || line.starts_with(b"import\t")) {
        return Some(line.to_vec());
    }
    let calls = ["addsitedir(", "sys.path.append(", "sys.path.insert("];
    let at = calls.iter().find_map(|c| Some(memchr::memmem::find(line, c.as_bytes())? + c.len()))?;
    quoted(line.get(at..)?).next().filter(|path| path.starts_with(b"/")).map(<[u8]>::to_vec)
}

/// The folders of the packages and modules in `MAPPING` and `NAMESPACES` of a finder.
fn mapped(text: &[u8]) -> Vec<Vec<u8>> {
    let table = |l: &&[u8]| {
        l.starts_with(b"MAPPING")
            || l.starts_with(b"NAMESPACES")
            || ["map_module(", "add_to_path("].iter().any(|c| memchr::memmem::find(l, c.as_bytes()).is_some())
    };
    let paths = lines(text).filter(table).flat_map(quoted).filter(|path| path.starts_with(b"/"));
    let folder = |path: &[u8]| parent(path.strip_suffix(b"/__init__.py").unwrap_or(path)).to_vec();
    paths.take(MOST).map(folder).collect()
}

/// Texts in quotes, without escapes.
fn quoted(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let open = rest.iter().position(|b| matches!(b, b'"' | b'\''))?;
        let quote = rest.get(open)?;
        let behind = rest.get(open + 1..)?;
        let close = memchr::memchr(*quote, behind)?;
        rest = behind.get(close + 1..)?;
        behind.get(..close)
    })
}

#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    #[serde(default)]
    dir_info: Option<DirInfo>,
}

#[derive(Deserialize)]
struct DirInfo {
    #[serde(default)]
    editable: bool,
}

/// The project's folder, and `src` in it, where it is installed in place.
fn direct(text: &[u8]) -> Vec<Vec<u8>> {
    // Other forms (an archive, a repository) are no folder of this machine.
    let Ok(DirectUrl { url, dir_info: Some(DirInfo { editable: true }) }) = serde_json::from_slice(text) else {
        return Vec::new();
    };
    let path = url.strip_prefix("file://").map(|rest| rest.strip_prefix("localhost").unwrap_or(rest));
    let path = path.filter(|p| p.starts_with('/')).map(unescape).unwrap_or_default();
    if path.is_empty() {
        return Vec::new();
    }
    vec![[path.as_slice(), b"/src"].concat(), path]
}

/// Without the `%41` escapes of an address.
fn unescape(text: &str) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    const SITE: &str = "v/lib/python3.11/site-packages";

    fn entries(path: &str, text: &str) -> Vec<String> {
        let got = tried(&OnPath, path, text.as_bytes(), &Interest::default());
        assert!(got.flaw.is_none(), "{path}");
        let entry = |s: crate::fact::Seen| match s.fact {
            Fact::OnPath { site, entry } => {
                assert_eq!(site.text(), format!("/{SITE}"));
                entry.text().into_owned()
            }
            other => panic!("{other:?}"),
        };
        got.seen.into_iter().map(entry).collect()
    }

    fn in_site(name: &str, text: &str) -> Vec<String> {
        entries(&format!("{SITE}/{name}"), text)
    }

    #[test]
    fn each_tool_writes_its_own_link() {
        assert_eq!(in_site("litellm.egg-link", "/srv/litellm\n."), ["/srv/litellm"]);
        assert_eq!(
            in_site("easy-install.pth", "/srv/a\n./six-1-py3.8.egg\r\n# /srv/no\n\n../up\n"),
            ["/srv/a", "/v/lib/python3.11/site-packages/six-1-py3.8.egg", "/v/lib/python3.11/up"]
        );
        assert_eq!(in_site("__editable__.litellm-1.82.8.pth", "/srv/litellm/src"), ["/srv/litellm/src"]);
        let finder = "import sys\nMAPPING: dict[str, str] = {'litellm': '/srv/litellm/litellm', 'x': \"/srv/y/x.py\"}\n\
                      NAMESPACES: dict[str, list[str]] = {}\nOTHER = '/srv/no/x'\n";
        assert_eq!(in_site("__editable___litellm_1_82_8_finder.py", finder), ["/srv/litellm", "/srv/y"]);
        let editables = "from editables.redirector import RedirectingFinder as F\nF.install()\n\
                         F.map_module('litellm', '/srv/litellm/litellm/__init__.py')\nF.map_module('x', '/srv/y/x.py')\n";
        assert_eq!(in_site("_editable_impl_litellm.py", editables), ["/srv/litellm", "/srv/y"]);
        let direct = r#"{"dir_info": {"editable": true}, "url": "file:///srv/my%20app"}"#;
        assert_eq!(in_site("litellm-1.82.8.dist-info/direct_url.json", direct), ["/srv/my app", "/srv/my app/src"]);
        let overlay = "import site; site.addsitedir('/home/a/.cache/uv/archive-v0/x')\n";
        assert_eq!(in_site("_uv_ephemeral_overlay.pth", overlay), ["/home/a/.cache/uv/archive-v0/x"]);
    }

    #[test]
    fn what_puts_nothing_on_the_path() {
        for (name, text) in [
            (
                "distutils-precedence.pth",
                "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled and __import__('_distutils_hack')",
            ),
            (".hidden.pth", "/srv/x\n"),
            ("self.pth", ".\n"),
            ("root.pth", "../../../../..\n"),
            ("empty.egg-link", "\n"),
            ("x-1.dist-info/direct_url.json", r#"{"url": "file:///srv/x", "dir_info": {}}"#),
            ("x-1.dist-info/direct_url.json", r#"{"url": "https://host.example/x", "dir_info": {"editable": true}}"#),
            ("x-1.dist-info/direct_url.json", r#"{"url": "file:///srv/x.whl", "archive_info": {}}"#),
            ("x-1.dist-info/direct_url.json", "[[["),
        ] {
            assert_eq!(in_site(name, text), [""; 0], "{name} {text}");
        }
        assert_eq!(entries("srv/notes/easy-install.pth", "/srv/x\n"), [""; 0]);
        let many: String = (0..5000).map(|n| format!("/srv/{n}\n")).collect();
        assert_eq!(in_site("many.pth", &many).len(), MOST);
        let _ = in_site("hostile.pth", &"'\"import ".repeat(50_000));
        let _ = in_site("hostile.pth", &format!("import x; addsitedir({}", "'".repeat(100_000)));
    }
}
