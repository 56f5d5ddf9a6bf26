//! The lock file of PDM.
//!
//! ```text
//! project/
//! ├── pdm.lock         [[package]] name, version, groups, files = [{file or url, hash}]; [metadata] lock_version
//! └── pdm.*.lock       other targets (`pdm lock -L`)
//! ```
//!
//! Written by `pdm lock`, `pdm add`, `pdm install`. A name stands there once for each set of extras, with the same version. A hit
//! proves that the project resolves to the version; not that it was installed. Documented under "Lock file" of PDM.

use super::toml_lock;
use crate::{
    fact::Package,
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `pdm.lock`, `pdm.*.lock`.
pub struct PdmLock;

static META: Meta = Meta {
    id: "python/pdm-lock",
    title: "the lock file of PDM",
    proves: "the project resolves to the version; not that it was installed",
};

impl Surface for PdmLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("pdm.lock"), Claim::affix("pdm.", ".lock")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        toml_lock::inspect(file, out, "pdm.lock", "mtime of pdm.lock")
    }
}
