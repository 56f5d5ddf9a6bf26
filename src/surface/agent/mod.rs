//! What agents and editors are set up to start.

include!(concat!(env!("OUT_DIR"), "/surface_agent.rs"));
surface_modules!();

mod clients;
