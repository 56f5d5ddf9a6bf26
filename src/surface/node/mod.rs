//! Node: where packages of npm's registry are installed, cached, and named.

include!(concat!(env!("OUT_DIR"), "/surface_node.rs"));
surface_modules!();

mod about;
mod identity;

#[cfg(test)]
mod trial;
