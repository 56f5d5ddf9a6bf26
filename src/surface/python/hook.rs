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
//! Names that start with a dot are ignored by `site`, and so is whatever ends otherwise: `x.pth.bak`, `x.pth.disabled` is a hook that
//! somebody put out of action. A `.pth` with folders only is what an editable install leaves: it runs nothing. A hit proves that code
//! stands where every interpreter of the environment runs it; whether one was started since is judged from other traces. Documented in the
//! `site` module of docs.python.org.

use super::placement;
use crate::{
    ecosystem::pypi::{PTH, original_hook},
    ecosystem::pypi::{is_site, unit_around},
    fact::{At, Fact, HookContent, HookKind, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
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

/// Of this surface.
pub static META: Meta = Meta {
    id: "python/hook",
    title: "code that runs at every Python start",
    proves: "every interpreter of that environment runs it; not that one was started",
};

impl Surface for Hook {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files]
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, interest: &Interest) -> Vec<Claim> {
        let mut claims = vec![
            Claim::suffix(".pth"),
            Claim::suffix(".start"),
            Claim::name("sitecustomize.py"),
            Claim::name("usercustomize.py"),
        ];
        let wanted = interest.files.iter().map(|f| f.name.as_str());
        let wanted = wanted.filter(|n| n.ends_with(PTH) && !n.contains('*'));
        claims.extend(wanted.flat_map(|n| [Claim::affix(n, "").in_suffix("-packages"), Claim::name(&format!(".{n}"))]));
        claims
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let import = |line: &str| line.starts_with("import ") || line.starts_with("import\t");
        let text = String::from_utf8_lossy(head);
        // A script that says what it wants is no hook, however few lines it has.
        if text.lines().any(|line| line.trim_end() == "# /// script") {
            return None;
        }
        let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let pth = lines.all(|line| import(line) || !line.contains([' ', '(', '=', ':']));
        (pth && text.lines().any(import)).then_some("site-packages/*.pth")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let name = file.entry.path.name();
        let folder = file.entry.path.parent();
        let Some(kind) = kind(name) else {
            return renamed(file, out);
        };
        let in_site = is_site(folder.as_bytes()) && placement::of_content(&folder) == Placement::Loadable;
        if !in_site && !file.interest.wants_file(name) {
            return Ok(());
        }
        let at = file.mtime("mtime of the hook");
        let len = file.entry.len;
        let content = content(kind, file.head(HEAD)?, len);
        push(file, at, (kind, content), out)
    }
}

/// What somebody put out of action by its name alone: known bytes, or lines that would run.
fn renamed(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let known = original_hook(file.entry.path.name()).is_some_and(|name| file.interest.wants_file(name));
    if !known || !is_site(file.entry.path.parent().as_bytes()) {
        return Ok(());
    }
    let at = file.mtime("mtime of the hook");
    let len = file.entry.len;
    if content(HookKind::Pth, file.head(HEAD)?, len) != HookContent::Runs {
        return Ok(());
    }
    push(file, at, (HookKind::Pth, HookContent::Renamed), out)
}

fn push(
    file: &mut Opened<'_, '_>,
    at: Option<At>,
    (kind, content): (HookKind, HookContent),
    out: &mut Sink<'_>,
) -> Result<(), Flaw> {
    let head = file.head(HEAD)?;
    let odd = ODD.iter().filter(|w| memchr::memmem::find(head, w.as_bytes()).is_some()).copied().collect();
    let fact = Fact::Hook { kind, content, sha256: file.sha256_or_gap(out), size: file.entry.len, odd };
    out.push(at, fact);
    Ok(())
}

/// What of it would run. Of what is longer than its head, the rest may.
fn content(kind: HookKind, head: &[u8], len: u64) -> HookContent {
    let whole = u64::try_from(head.len()).is_ok_and(|read| read >= len);
    let runs = match kind {
        HookKind::Pth => lines(head).any(|l| l.starts_with(b"import ") || l.starts_with(b"import\t")),
        HookKind::Start => speaks(head),
        // Python decides what a module does; only what holds no statement at all does nothing.
        HookKind::Sitecustomize | HookKind::Usercustomize => speaks(head),
    };
    if runs || !whole {
        HookContent::Runs
    } else if speaks(head) {
        HookContent::Paths
    } else {
        HookContent::Empty
    }
}

/// Whether any line is neither blank nor a comment.
fn speaks(text: &[u8]) -> bool {
    lines(text).map(<[u8]>::trim_ascii).any(|line| !matches!(line, [] | [b'#', ..]))
}

/// Lines as `str.splitlines` cuts them, which `site` uses from Python 3.12 on: also at form feeds and Unicode's line ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
    std::iter::from_fn(move || {
        let text = rest?;
        let end = (0..text.len()).find_map(|at| Some((at, line_end(text.get(at..)?)?)));
        let (line, behind) = match end {
            Some((at, len)) => (text.get(..at), text.get(at + len..)),
            None => (Some(text), None),
        };
        rest = behind;
        line
    })
}

fn line_end(text: &[u8]) -> Option<usize> {
    match text {
        [b'\n' | b'\r' | 0x0b | 0x0c | 0x1c..=0x1e, ..] => Some(1),
        [0xc2, 0x85, ..] => Some(2),
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => Some(3),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pth_content(text: &[u8]) -> HookContent {
        content(HookKind::Pth, text, u64::try_from(text.len()).unwrap())
    }

    #[test]
    fn only_import_lines_run() {
        for runs in [
            &b"import os; print(1)\n"[..],
            b"/some/path\nimport\tx",
            b"\xef\xbb\xbfimport x",
            b"/a\rimport x",
            b"# a\x0cimport x",
            b"# a\xe2\x80\xa8import x",
        ] {
            assert_eq!(pth_content(runs), HookContent::Runs, "{runs:?}");
        }
        for paths in ["/a/path\n", " import x\n", "important\n", "import_x\n", "import", "from x import y\n"] {
            assert_eq!(pth_content(paths.as_bytes()), HookContent::Paths, "{paths:?}");
        }
        for empty in ["", "\n \n", "# import x\n", "\u{feff}", "\r\n#\r\n"] {
            assert_eq!(pth_content(empty.as_bytes()), HookContent::Empty, "{empty:?}");
        }
        // What was not read may run.
        assert_eq!(content(HookKind::Pth, b"/a\n", 1 << 30), HookContent::Runs);
    }

    #[test]
    fn a_module_runs_unless_it_holds_no_statement() {
        let module_content = |text: &[u8]| content(HookKind::Sitecustomize, text, u64::try_from(text.len()).unwrap());
        assert_eq!(module_content(b"# -*- coding: utf-8 -*-\nimport evil\n"), HookContent::Runs);
        assert_eq!(module_content(b"exec(x)"), HookContent::Runs);
        assert_eq!(module_content(b"# import evil\n\n"), HookContent::Empty);
    }

    #[test]
    fn a_changed_name_leads_to_the_hook_that_it_was() {
        for (name, was) in [
            ("x_init.pth.bak", Some("x_init.pth")),
            ("x_init.pth~", Some("x_init.pth")),
            (".x_init.pth", Some("x_init.pth")),
            ("x_init.pth.pth.old", Some("x_init.pth")),
            ("x_init.bak", None),
            (".pth", None),
            ("", None),
        ] {
            assert_eq!(original_hook(name.as_bytes()), was.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn a_disabled_hook_is_read_in_a_site_folder_only() {
        use super::super::trial::tried;
        let mut interest = Interest::default();
        let wanted = crate::interest::WantedFile {
            name: "x_init.pth".into(),
            folder: crate::interest::WantedFolder::Any,
            size: None,
            holds: false,
        };
        interest.files.insert(wanted);
        let facts = |path: &str, text: &[u8]| tried(&Hook, path, text, &interest).seen.len();
        assert_eq!(facts("v/lib/python3.11/site-packages/x_init.pth.disabled", b"import x\n"), 1);
        assert_eq!(facts("v/lib/python3.11/site-packages/x_init.pth.disabled", b"/a/path\n"), 0);
        assert_eq!(facts("v/lib/python3.11/site-packages/other.pth.disabled", b"import x\n"), 0);
        assert_eq!(facts("home/al/notes/x_init.pth.disabled", b"import x\n"), 0);
    }

    #[test]
    fn hooks_are_known_by_name_and_place() {
        assert!(is_hook_name(b"a.pth") && !is_hook_name(b".a.pth") && !is_hook_name(b"sitecustomize.pyc"));
        assert!(is_site(b"v/lib/python3.11/site-packages") && is_site(b"usr/lib/python3.11"));
        assert!(!is_site(b"src/python3") && !is_site(b"site-packages/ddtrace/bootstrap"));
    }
}
