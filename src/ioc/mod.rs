//! Indicators: their format, the copy in the binary, and the lookups.

pub mod embedded;
pub mod index;
pub mod lint;
pub mod model;

pub use index::{Database, Index};
