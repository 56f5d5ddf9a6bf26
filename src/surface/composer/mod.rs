//! PHP: where Composer names and installs packages.

include!(concat!(env!("OUT_DIR"), "/surface_composer.rs"));
surface_modules!();

mod entries;
#[cfg(test)]
mod trial;
