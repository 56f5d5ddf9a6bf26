//! Arguments of `dosimeter rules`.

use clap::{Args, ValueEnum};

/// `dosimeter rules`.
#[derive(Debug, Args)]
pub struct RulesCommand {
    /// How to write the list
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: RulesFormat,
}

/// Formats of the list of rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// For people
    #[default]
    Table,
    /// An array
    Json,
    /// The project's `docs/rules.md`
    Markdown,
}
