//! What another tool says of a package.

/// What a bill of materials says of where a package stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Statement {
    /// In a lock file or a manifest.
    Listed,
    /// Nothing.
    Unclear,
    /// It was installed.
    Installed,
}
