//! Node: where packages of npm's registry are installed, cached, and named.

include!(concat!(env!("OUT_DIR"), "/surface_node.rs"));

mod json;
mod listing;
mod raw;

#[cfg(test)]
mod listed;
