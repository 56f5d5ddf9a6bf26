//! A folder that holds images: the OCI layout, an unpacked save, skopeo's `dir`.
//!
//! ```text
//! oci-layout               {"imageLayoutVersion":"1.0.0"}
//! index.json               the images
//! blobs/sha256/<digest>    manifests, configurations, layers
//! ```
//!
//! Links inside the folder are followed, links out of it are not.

use std::{io::Read as _, os::fd::OwnedFd, sync::Arc, sync::atomic::AtomicBool};

use super::{
    archive::{ReadMember, Store, shared},
    codec,
    input::{Section, open_below},
    manifest::JSON,
};
use crate::{fact::TreePath, surface::Flaw};

/// An opened folder.
pub(super) struct Layout<'a> {
    pub(super) folder: OwnedFd,
    pub(super) stop: &'a AtomicBool,
}

impl Layout<'_> {
    fn open(&self, name: &[u8]) -> Result<Option<Section>, Flaw> {
        let Some(path) = TreePath::new(name).filter(|p| !p.as_bytes().is_empty()) else {
            return Ok(None);
        };
        let opened = open_below(&self.folder, path.as_bytes())?;
        Ok(opened.map(|(file, len)| Section::new(Arc::new(file), 0, len)))
    }
}

impl Store for Layout<'_> {
    fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        let Some(mut section) = self.open(name)? else {
            return Ok(None);
        };
        if section.left() > JSON {
            return Err(Flaw::TooLarge(JSON));
        }
        let mut bytes = Vec::new();
        section.read_to_end(&mut bytes).map_err(|e| codec::flaw(e, "image folder"))?;
        Ok(Some(bytes))
    }

    fn find(&self, name: &[u8]) -> Option<(TreePath, u64)> {
        // One that is there and cannot be opened is reported when it is read.
        let len = self.open(name).map_or(Some(0), |s| s.map(|s| s.left()))?;
        Some((TreePath::new(name)?, len))
    }

    fn read_each(&self, members: &[TreePath], threads: usize, read: &ReadMember<'_>) {
        shared(members.len(), threads, self.stop, &|at| match members.get(at).map(|m| self.open(m.as_bytes())) {
            Some(Ok(Some(mut section))) => read(at, Ok(&mut section)),
            Some(Err(flaw)) => read(at, Err(flaw)),
            _ => read(at, Err(Flaw::malformed("image folder", "a blob is missing"))),
        });
    }
}
