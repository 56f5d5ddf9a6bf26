//! What editors, git and shells start in a project.

include!(concat!(env!("OUT_DIR"), "/surface_project.rs"));
surface_modules!();
