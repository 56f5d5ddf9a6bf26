//! The lock file of Poetry.
//!
//! ```text
//! project/
//! └── poetry.lock      [[package]] name, version, files = [{file, hash}]; [metadata] lock-version
//!                      up to Poetry 1.2 the files stand in [metadata.files], by package
//! ```
//!
//! Written by `poetry lock`, `poetry add`, `poetry install` of every version since 1.0. A hit proves that the project resolves to
//! the version; not that it was installed. Documented under "Installing with poetry.lock" of Poetry, the layout only by its code.

use super::toml_lock;
use crate::{
    fact::Package,
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `poetry.lock`.
pub struct PoetryLock;

static META: Meta = Meta {
    id: "python/poetry-lock",
    title: "the lock file of Poetry",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for PoetryLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("poetry.lock")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        toml_lock::inspect(file, out, "poetry.lock", "mtime of poetry.lock")
    }
}
