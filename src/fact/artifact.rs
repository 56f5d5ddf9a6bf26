//! Downloadable files of packages, and their hashes.

use super::{Package, Placement};

impl Package {
    /// In place of a version, where a manifest asks for whatever version there is.
    pub const ANY: &str = "*";

    /// Whether a file names this very version.
    pub fn is_listed(&self) -> bool {
        self.placement == Placement::Listed && *self.version != *Self::ANY
    }
}

/// A downloadable file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Artifact {
    /// File name, `litellm-1.82.8-py3-none-any.whl`, where known.
    pub name: Option<String>,
    /// In bytes.
    pub size: Option<u64>,
    /// Hex, lower case.
    pub sha256: Option<String>,
    /// Another hash of it that a list or a cache says, `sha512:<hex>`.
    pub digest: Option<Box<str>>,
}

impl Artifact {
    /// Its hashes in hex, of whatever kind: their lengths distinguish them.
    pub fn hashes(&self) -> impl Iterator<Item = &str> {
        hashes(self.sha256.as_deref(), self.digest.as_deref())
    }
}

/// The same, of its SHA-256 and the other one with the name of its kind.
pub fn hashes<'h>(sha256: Option<&'h str>, digest: Option<&'h str>) -> impl Iterator<Item = &'h str> {
    sha256.into_iter().chain(digest.map(|d| d.split_once(':').map_or(d, |(_, hex)| hex)))
}
