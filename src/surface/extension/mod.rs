//! Extensions of editors.

include!(concat!(env!("OUT_DIR"), "/surface_extension.rs"));
surface_modules!();
