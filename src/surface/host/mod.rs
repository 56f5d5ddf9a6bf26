//! The machine itself: files that indicators name, units, name resolution, running processes.

pub mod cron;
pub mod file;
pub mod hosts;
pub mod process;
pub mod systemd;
