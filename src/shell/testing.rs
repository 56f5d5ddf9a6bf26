//! What commands say, in a line each, for tests.

use super::install_commands;
use crate::fact::{Command, Wanted};

/// `install name@1.2.3 other@^2` for each command.
pub fn said(text: &str) -> Vec<String> {
    let one = |w: &Wanted| format!("{}@{}{}", w.name, w.pinned.as_deref().unwrap_or(""), w.specifier);
    let of = |c: Command| format!("{} {}", c.action.as_str(), c.wanted.iter().map(one).collect::<Vec<_>>().join(" "));
    install_commands(text).into_iter().map(of).collect()
}
