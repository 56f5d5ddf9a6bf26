//! What systemd starts.

include!(concat!(env!("OUT_DIR"), "/surface_systemd.rs"));
surface_modules!();
