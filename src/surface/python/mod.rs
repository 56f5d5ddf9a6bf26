//! Python: where distributions are installed, cached, and named.

pub mod dist_info;
pub mod hook;
