//! Python: where distributions are installed, cached, and named.

include!(concat!(env!("OUT_DIR"), "/surface_python.rs"));

mod archive;
mod own_list;
pub mod placement;
#[cfg(test)]
mod trial;
mod zip_directory;
