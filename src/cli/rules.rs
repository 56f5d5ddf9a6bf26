//! Arguments of `dosimeter rules` and `dosimeter surfaces`.

use clap::{Args, ValueEnum};

/// `dosimeter rules`, `dosimeter surfaces`.
#[derive(Debug, Args)]
pub struct PageCommand {
    /// How to write the list
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: PageFormat,
}

/// Formats of lists that are a page of the project too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PageFormat {
    /// For people
    #[default]
    Table,
    /// An array
    Json,
    /// The project's page in `docs`
    Markdown,
}
