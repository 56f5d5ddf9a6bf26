//! Indicators: their format, the copy in the binary, and the lookups.

pub mod ask;
pub mod bundle;
pub mod database;
mod decode;
pub mod embedded;
pub mod export;
pub mod feed;
pub mod import;
pub mod index;
pub mod lint;
pub mod list;
pub mod model;
pub mod pattern;
pub mod query;
mod reading;
pub mod rows;
pub mod signature;
mod token;
pub mod typed;
pub mod weigh;
pub mod withdrawn;

pub use database::Database;
pub use index::Index;

/// Whether the start of a file is that of a bundle, an incident or an export that this program wrote.
pub fn is_ours(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let start: String = text.chars().filter(|c| !c.is_whitespace()).take(200).collect();
    let exported = ["\"dosimeter\"", "\"dosimeter_incident\"", "\"name\": \"dosimeter"];
    head.starts_with(bundle::MAGIC)
        || start.starts_with("{\"schema\":\"dosimeter.incident/")
        || text.starts_with(export::COLUMNS)
        || start.starts_with(['{', '[']) && exported.iter().any(|e| text.contains(e))
}
