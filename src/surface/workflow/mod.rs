//! Workflows of CI: what they use and what they fetch.

include!(concat!(env!("OUT_DIR"), "/surface_workflow.rs"));
surface_modules!();
