//! Python: where distributions are installed, cached, and named.

include!(concat!(env!("OUT_DIR"), "/surface_python.rs"));

mod archive;
mod found;
mod identity;
mod own_list;
pub mod placement;
mod requires;
#[cfg(test)]
mod trial;
mod zip_directory;
