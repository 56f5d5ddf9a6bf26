//! Ruby: where gems are installed.

include!(concat!(env!("OUT_DIR"), "/surface_ruby.rs"));
surface_modules!();
