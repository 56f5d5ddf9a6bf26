//! Start-up code of Python: what `site` runs by itself at every start of the interpreter.
//!
//! ```text
//! site-packages/
//! ├── anything.pth          each line that starts with `import` and a space or tab is executed; others are paths
//! ├── anything.start        from Python 3.15 (PEP 829): `module:callable` lines
//! ├── sitecustomize.py      imported after the .pth files
//! └── usercustomize.py      imported last
//! ```
//!
//! Names that start with a dot are ignored by `site`. A hit proves that code stands where every interpreter of the environment
//! runs it; whether one was started since is judged from other traces. Documented in the `site` module of docs.python.org.

use super::placement;
use crate::{
    ecosystem::pypi::is_site,
    fact::{Fact, HookKind, Placement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Far above any honest hook; larger ones are still hashed, and their head is read.
const HEAD: usize = 1 << 20;

/// Words that honest start-up code seldom needs.
const ODD: &[&str] = &[
    "base64",
    "b64decode",
    "zlib",
    "marshal",
    "subprocess",
    "Popen",
    "urllib",
    "socket",
    "os.system",
    "compile(",
    "requests",
    "http.client",
    "/tmp/",
];

/// `*.pth`, `*.start`, `sitecustomize.py`, `usercustomize.py`.
pub struct Hook;

static META: Meta = Meta {
    id: "python/hook",
    title: "code that runs at every Python start",
    proves: "every interpreter of that environment runs it; not that one was started",
};

impl Surface for Hook {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::suffix(".pth"),
            Claim::suffix(".start"),
            Claim::name("sitecustomize.py"),
            Claim::name("usercustomize.py"),
        ]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let import = |line: &str| line.starts_with("import ") || line.starts_with("import\t");
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let pth = lines.all(|line| import(line) || !line.contains([' ', '(', '=', ':']));
        (pth && text.lines().any(import)).then_some("site-packages/*.pth")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let name = file.entry.path.name();
        let Some(kind) = kind(name) else {
            return Ok(());
        };
        let folder = file.entry.path.parent();
        let in_site = is_site(folder.as_bytes()) && placement::of_content(&folder) == Placement::Loadable;
        if !in_site && !file.interest.wants_file(name) {
            return Ok(());
        }
        let at = file.mtime("mtime of the hook");
        let head = file.head(HEAD)?;
        let runs = match kind {
            HookKind::Pth => pth_runs(head),
            HookKind::Start => start_runs(head),
            HookKind::Sitecustomize | HookKind::Usercustomize => !head.is_empty(),
        };
        let odd = ODD.iter().filter(|w| memchr::memmem::find(head, w.as_bytes()).is_some()).copied().collect();
        let fact = Fact::Hook { kind, runs, sha256: file.sha256_or_gap(out), size: file.entry.len, odd };
        out.push(at, fact);
        Ok(())
    }
}

fn kind(name: &[u8]) -> Option<HookKind> {
    match name {
        b"sitecustomize.py" => Some(HookKind::Sitecustomize),
        b"usercustomize.py" => Some(HookKind::Usercustomize),
        [b'.', ..] => None,
        n if n.ends_with(b".pth") => Some(HookKind::Pth),
        n if n.ends_with(b".start") => Some(HookKind::Start),
        _ => None,
    }
}

/// Whether a file of this name in a site folder is start-up code.
pub fn is_hook_name(name: &[u8]) -> bool {
    kind(name).is_some()
}

/// CPython's own rule: a line that starts with `import` followed by a space or a tab is executed.
fn pth_runs(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.split(|b| matches!(b, b'\n' | b'\r')).any(|line| line.starts_with(b"import ") || line.starts_with(b"import\t"))
}

fn start_runs(text: &[u8]) -> bool {
    text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).any(|line| !line.is_empty() && !line.starts_with(b"#"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_import_lines_run() {
        assert!(pth_runs(b"import os; print(1)\n"));
        assert!(pth_runs(b"/some/path\nimport\tx"));
        assert!(pth_runs(b"\xef\xbb\xbfimport x"));
        for harmless in
            ["/a/path\n", "# import x\n", " import x\n", "important\n", "import_x\n", "import", "", "from x import y\n"]
        {
            assert!(!pth_runs(harmless.as_bytes()), "{harmless:?}");
        }
    }

    #[test]
    fn hooks_are_known_by_name_and_place() {
        assert!(is_hook_name(b"a.pth") && !is_hook_name(b".a.pth") && !is_hook_name(b"sitecustomize.pyc"));
        assert!(is_site(b"v/lib/python3.11/site-packages") && is_site(b"usr/lib/python3.11"));
        assert!(!is_site(b"src/python3") && !is_site(b"site-packages/ddtrace/bootstrap"));
    }
}
