//! Files in which a project says which packages it wants: requirement files, manifests and lock files of Python.
//!
//! A hit proves that a file names the version. It does not prove that the version was ever fetched or installed.

pub mod conda_env;
mod listing;
pub mod pdm_lock;
mod pin;
pub mod pipfile;
pub mod pipfile_lock;
pub mod poetry_lock;
pub mod pylock;
pub mod pyproject;
pub mod requirements;
pub mod setup_cfg;
mod toml_doc;
mod toml_lock;
pub mod uv_lock;

/// Larger manifests and lock files are not read.
const FILE: usize = 64 << 20;
