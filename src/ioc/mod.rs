//! Indicators: their format, the copy in the binary, and the lookups.

pub mod ask;
pub mod bundle;
pub mod database;
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
pub mod typed;
pub mod withdrawn;

pub use database::Database;
pub use index::Index;
