//! Repositories of git, read as files.

include!(concat!(env!("OUT_DIR"), "/surface_git.rs"));
surface_modules!();
