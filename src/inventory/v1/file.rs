//! A file that was hashed or searched, in an own type.

use serde::{Deserialize, Serialize};

/// A file that an indicator asks about, or whose place says its hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct File {
    /// Hex.
    pub sha256: Option<String>,
    /// Another hash, `sha512:<hex>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Box<str>>,
    /// In bytes.
    pub size: u64,
    /// Texts of indicators that it holds.
    pub texts: Vec<String>,
    /// It starts like a native program.
    pub program: bool,
}
