//! Python: where distributions are installed, cached, and named.

mod archive;
pub mod bytecode;
pub mod conda_meta;
pub mod dist_info;
pub mod egg;
pub mod environment;
pub mod hook;
pub mod pip_cache;
pub mod placement;
#[cfg(test)]
mod trial;
pub mod uv_cache;
pub mod wheel;
mod zip_directory;
