//! The lock file that all tools share (PEP 751).
//!
//! ```text
//! project/
//! ├── pylock.toml          lock-version = "1.0"; [[packages]] name, version, sdist, wheels = [{name, url, size, hashes}]
//! └── pylock.<name>.toml
//! ```
//!
//! Written by `pip lock` (wheels as `[[packages.wheels]]`), `uv export --format pylock.toml`, `pdm export`. The version may be
//! missing; it is then taken from a file's name. A hit proves that the project resolves to the version; not that it was installed.
//! Documented as the `pylock.toml` specification of packaging.python.org.

use super::{listing::text, toml_lock};
use crate::{
    fact::Package,
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, line_starts},
    },
};

/// `pylock.toml`, `pylock.*.toml`.
pub struct Pylock;

static META: Meta = Meta {
    id: "python/pylock",
    title: "pylock.toml lock files",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for Pylock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("pylock.toml"), Claim::affix("pylock.", ".toml")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "[[packages]]") && line_starts(&text, "lock-version")).then_some("pylock.toml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        toml_lock::inspect(file, out, "pylock.toml", "mtime of pylock.toml")
    }
}
