//! Python: where distributions are installed and cached, and the files in which a project says which packages it wants.
//!
//! A hit in a requirement file, manifest or lock file proves that the file names the version, not that it was ever fetched.

include!(concat!(env!("OUT_DIR"), "/surface_python.rs"));
surface_modules!();

pub mod archive;
mod found;
mod identity;
mod include;
mod listing;
mod lock_requires;
mod own_list;
mod pin;
pub mod placement;
mod raw;
mod requires;
#[cfg(test)]
mod testing;
pub(super) mod toml_doc;
mod toml_lock;
#[cfg(test)]
pub(crate) mod trial;
pub mod zip_directory;

pub use listing::text;

/// Larger manifests and lock files are not read.
const FILE: usize = 64 << 20;
