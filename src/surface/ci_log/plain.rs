//! Logs of which nothing says what wrote them: saved output of other systems of CI, where somebody named the file or the folder.
//!
//! ```text
//! <any name>.log        lines as the tools wrote them, at their start
//! ```
//!
//! A hit proves that the tool wrote the line, on a machine that the file does not name: it is reported as a machine of its own.

use super::{line::Form, read_lines, run_of, said::says};
use crate::{
    fact::{TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, SURFACES, Shows, Sink, Surface},
};

/// Endings of texts, messages and programs.
const TEXTS: &[&str] = &[
    ".md",
    ".markdown",
    ".rst",
    ".adoc",
    ".html",
    ".htm",
    ".eml",
    ".json",
    ".yml",
    ".yaml",
    ".py",
    ".js",
    ".ts",
    ".rs",
    ".go",
    ".sh",
    ".patch",
    ".diff",
    ".csv",
];

/// Saved output.
pub struct Plain;

static META: Meta = Meta {
    id: "ci-log/plain",
    title: "saved output of installers",
    proves: "a tool wrote that it fetched, chose or installed the version; not on which machine",
};

impl Surface for Plain {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Actions, Shows::Images]
    }

    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, interest: &Interest) -> Vec<Claim> {
        // A text that quotes such lines is no log.
        let folders = ["ci-log", "ci_log"];
        let there = folders.into_iter().map(|folder| Claim::suffix(".log").within_holding(folder));
        let ends = [".log", ".trace", ".out"].map(Claim::suffix).into_iter().filter(|_| interest.named);
        there.filter(|_| !interest.named).chain(ends).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        (!is_other(head) && !head.contains(&0) && says(&String::from_utf8_lossy(head))).then_some("*.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let is_text = is_text(file.entry.path.name());
        let head = file.head(super::HEAD)?;
        if is_text || is_other(head) || head.contains(&0) {
            out.not_mine();
            return Ok(());
        }
        let written = file.mtime("mtime of the log, whose lines have no time");
        out.on_machine(format!("ci:log/{}", run_of(&file.entry.path)).into());
        let said = read_lines(&mut *file.reader(), Form::Plain, (None, None), written.as_ref(), out)?;
        if !said {
            out.not_mine();
        }
        Ok(())
    }
}

/// Whether a file has the name of a text that may quote such lines: a file that was named by hand has one more ending.
fn is_text(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".log").unwrap_or(name).to_ascii_lowercase();
    TEXTS.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// Whether another surface of this folder reads it.
fn is_other(head: &[u8]) -> bool {
    let others = SURFACES.iter().filter(|s| s.meta().id.starts_with("ci-log/") && s.meta().id != META.id);
    others.into_iter().any(|s| s.recognises(head).is_some())
}
