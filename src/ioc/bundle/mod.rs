//! A bundle: the whole database in one file, used where it lies. Opening it reads the head only; a look-up reads the few blocks
//! it needs, and each block is checked against the digest that the head gives, so that trust in the head is trust in the file
//! without reading all of it.
//!
//! ```text
//! "DOSIMBN1"                      8 bytes
//! length of the description       u32, little endian like all numbers here
//! description                     JSON: `Head`
//! digests                         SHA-256 of each block of the body, 32 bytes each
//! ------------------------------- the head ends here: the signature (minisign) covers what stands above
//! body                            in blocks of 64 KiB, the last one shorter
//!   incidents                       JSON array of incident files, lists included
//!   slots                           u32 each: 1 + place of a record, 0 where empty; a power of two of them
//!   records                         length of the key u16, key (`npm\0name`), length u32, JSON: the rows of the package
//! signature                       optional: the `.minisig` text, its length u32, "DOSIMSIG"
//! ```
//!
//! A package's slot is the FNV-1a hash of its key, then the next one, until an empty slot.

mod read;
mod write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    read::Bundle,
    write::{Content, build, head_of, with_signature},
};

pub(super) const MAGIC: &[u8; 8] = b"DOSIMBN1";
const SIGNED: &[u8; 8] = b"DOSIMSIG";
const BLOCK: usize = 64 << 10;
const DIGEST: usize = 32;
/// Of the description and of the digests: a quarter of a million packages make some ten kilobytes.
const LARGEST_HEAD: u64 = 16 << 20;

/// The value of `schema`.
pub const SCHEMA: &str = "dosimeter.bundle/1";

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// `dosimeter.bundle/1`.
    pub schema: String,
    /// What it is, in a few words.
    pub title: String,
    /// Counts releases: an older one never takes the place of a newer one.
    pub sequence: u64,
    /// UTC.
    pub created: Timestamp,
    /// How many incidents.
    pub incidents: usize,
    /// How many packages of the feed.
    pub packages: usize,
    /// How many versions of them; `*` and a range count one.
    pub versions: usize,
    /// Bytes of the body.
    pub body: u64,
    /// Of the JSON array of incidents, from the start of the body: its length.
    pub incidents_length: u64,
    /// How many slots.
    pub slots: u64,
}

impl Head {
    fn parse(json: &[u8]) -> Result<Self, BundleError> {
        let unreadable = |_| BundleError::Broken("its head cannot be read");
        let head: serde_json::Value = serde_json::from_slice(json).map_err(unreadable)?;
        let schema = head.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
        if schema != SCHEMA {
            return Err(BundleError::Later(schema.chars().take(40).collect()));
        }
        serde_json::from_value(head).map_err(unreadable)
    }
}

/// Why a bundle cannot be used: the file's fault.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The medium fails.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
    /// It does not start like one.
    #[error("not a dosimeter bundle")]
    Foreign,
    /// It is one, and broken. In words.
    #[error("broken bundle: {0}")]
    Broken(&'static str),
    /// It does not match its head.
    #[error("the bundle was changed after it was made: block {0} is not what its head says")]
    Changed(usize),
    /// It was written by a later version.
    #[error("a bundle of format `{}`, which this version does not read", crate::text::printable(.0))]
    Later(String),
}

/// The slot where the search for a key starts.
fn slot(key: &[u8], slots: u64) -> u64 {
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    // The low bits of FNV are its weakest; fold the high ones in.
    (hash ^ (hash >> 32)) & slots.saturating_sub(1)
}

fn key(ecosystem: crate::fact::Ecosystem, name: &str) -> Vec<u8> {
    [ecosystem.purl_type().as_bytes(), b"\0", name.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
