//! A folder that holds images: the OCI layout, an unpacked save, skopeo's `dir`.
//!
//! ```text
//! oci-layout               {"imageLayoutVersion":"1.0.0"}
//! index.json               the images
//! blobs/sha256/<digest>    manifests, configurations, layers
//! ```
//!
//! Links inside the folder are followed, links out of it are not.

use std::{io::Read as _, os::fd::OwnedFd, sync::Arc};

use super::{Content, Source, Store};
use crate::{
    fact::TreePath,
    image::{
        codec,
        input::{Section, open_below},
        manifest::JSON,
        plan::{self, Readers},
        planned::Plan,
    },
    surface::Flaw,
};

/// An opened folder.
pub(in crate::image) struct Layout {
    pub(in crate::image) folder: OwnedFd,
}

impl Layout {
    /// Whether something in it describes images.
    pub(in crate::image) fn is_image(&self) -> bool {
        plan::is_image(self)
    }

    fn section(&self, name: &[u8]) -> Result<Option<Section>, Flaw> {
        let Some(path) = TreePath::new(name).filter(|p| !p.as_bytes().is_empty()) else {
            return Ok(None);
        };
        let opened = open_below(&self.folder, path.as_bytes())?;
        Ok(opened.map(|(file, len)| Section::new(Arc::new(file), 0, len)))
    }
}

impl Store for Layout {
    fn small(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
        let Some(mut section) = self.section(name)? else {
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
        let len = self.section(name).map_or(Some(0), |s| s.map(|s| s.left()))?;
        Some((TreePath::new(name)?, len))
    }
}

impl Source for Layout {
    fn plan(&self, readers: Readers<'_>) -> Plan {
        plan::plan(self, readers)
    }

    fn open(&self, layer: &TreePath) -> Result<Content<'_>, Flaw> {
        let section = self.section(layer.as_bytes())?;
        let section = section.ok_or_else(|| Flaw::malformed("image folder", "a blob is missing"))?;
        Ok(Content::Blob(Box::new(section)))
    }
}
