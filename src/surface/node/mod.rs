//! Node: where packages of npm's registry are installed, cached, and named.

include!(concat!(env!("OUT_DIR"), "/surface_node.rs"));
surface_modules!();

mod about;
mod identity;
pub(super) mod integrity;
pub(super) mod json;
mod listing;
mod npm_run;
mod raw;

#[cfg(test)]
mod listed;
#[cfg(test)]
mod trial;
