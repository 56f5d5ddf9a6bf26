//! Lock files of uv.
//!
//! ```text
//! project/
//! ├── uv.lock          version = 1, revision = N; [[package]] name, version, source, sdist, wheels with url, hash, size
//! └── tool.py.lock     the same, for a script with inline metadata (PEP 723)
//! ```
//!
//! Written by `uv lock`, `uv sync`, `uv add`, `uv lock --script`. One name may stand there twice, where markers fork the
//! resolution. A hit proves that the project resolves to the version; not that it was installed. Documented under "Locking and
//! syncing" of uv; the layout itself is not, and was read from files that uv 0.9 to 0.13 wrote.

use super::{listing::text, toml_lock};
use crate::{
    fact::Package,
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, line_starts},
    },
};

/// `uv.lock`, `*.py.lock`.
pub struct UvLock;

static META: Meta = Meta {
    id: "python/uv-lock",
    title: "lock files of uv",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for UvLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("uv.lock"), Claim::suffix(".py.lock")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "[[package]]") && line_starts(&text, "source = {")).then_some("uv.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        toml_lock::inspect(file, out, "uv.lock", "mtime of uv.lock")
    }
}
