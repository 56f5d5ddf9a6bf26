//! The program as its users meet it: the real binary on trees made for each case, and on what the real tools make.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    missing_docs
)]

mod architecture;
mod boms;
mod browsers;
mod by_hand;
mod ci_logs;
mod commands;
mod composer;
mod conda;
mod content;
mod crates_and_modules;
mod credentials;
mod dependencies;
#[cfg(feature = "online")]
mod engines;
mod erasure;
mod exposure;
mod fingerprints;
mod fleet;
mod foreign;
mod formats;
mod gems;
mod hooks;
mod hostile;
mod identity;
mod idle;
#[cfg(feature = "online")]
mod image_registry;
mod image_stores;
mod images;
mod imports;
mod index;
mod inventory;
mod iocs;
mod iocs_check;
mod live;
mod lock_chains;
mod look_alikes;
mod machine;
mod maven;
mod merge;
mod middle;
mod mutations;
mod names;
mod other_ecosystems;
mod output;
mod places;
mod plans;
mod processes;
mod program;
mod promises;
#[cfg(feature = "online")]
mod publisher;
mod reach;
mod reach_containers;
mod reach_image;
mod reach_litellm;
mod reach_waves;
mod redact;
mod replan;
mod rules;
mod sandbox;
mod schema;
mod servers;
mod signals;
mod surfaces;
mod system_packages;
mod traces;
#[cfg(feature = "online")]
mod trust;
#[cfg(feature = "online")]
mod update;
mod values;
mod verify;
mod weight;
mod whereabouts;
mod worked;
mod worked_files;
mod zip_apps;
