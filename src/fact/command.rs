//! Install commands.

use jiff::{SignedDuration, Timestamp};

use super::Ecosystem;

/// What an install-like command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CommandAction {
    /// Puts packages into an environment.
    Install,
    /// Installs into a throw-away environment and runs it (`uvx`, `pipx run`).
    Run,
    /// Fetches only.
    Download,
    /// Takes packages out.
    Uninstall,
}

/// An install command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program: `pip`, `uv`.
    pub tool: Box<str>,
    /// What it does.
    pub action: CommandAction,
    /// The packages it names.
    pub wanted: Vec<Wanted>,
    /// It takes only versions that are older.
    pub cutoff: Option<Cutoff>,
}

/// Since when a version may not have been published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutoff {
    /// This time.
    At(Timestamp),
    /// So long before the command.
    Age(SignedDuration),
}

/// What a command asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Normalised name.
    pub name: Box<str>,
    /// The exact version, when the command pins one.
    pub pinned: Option<Box<str>>,
    /// The other version clauses (`>=1.80,!=1.82.7`), empty when there are none.
    pub specifier: Box<str>,
}

impl Wanted {
    /// The specifier of an exact version that the command does not say: `==$V`.
    pub const UNSAID: &'static str = "==?";
}
