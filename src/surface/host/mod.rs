//! The machine itself: files that indicators name, units, name resolution, running processes.

include!(concat!(env!("OUT_DIR"), "/surface_host.rs"));
surface_modules!();

pub mod plist;
