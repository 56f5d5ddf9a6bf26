//! What people and machines are shown. Knows the judgement, not the tree. Every format is made from `v1::Report` alone, so that a
//! stored report renders as the fresh one did.

pub mod build;
pub mod fleet;
pub mod format;
pub mod page;
pub mod sweep;
pub mod v1;
mod words;

pub use words::count;

pub use build::{Examination, build, described, interrupt, run_id, settle};
pub use format::{Document, FORMATS, Format, image_record, is_records};

/// How text looks. Nothing is said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns; sentences wrap there, paths and commands stay in one piece.
    pub width: usize,
    /// Whether to colour.
    pub colour: Colour,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a file, a pipe, or with `NO_COLOR`.
    Never,
    /// For a terminal.
    Always,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, colour: Colour::Never }
    }
}

#[cfg(test)]
mod tests;
