//! Whose code a finding is.

use serde::{Deserialize, Serialize};

/// An account of the examined tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Account {
    /// This one.
    One {
        /// Its number.
        uid: u32,
        /// Its name, or the number where the tree names none.
        name: String,
    },
    /// Every account: a system folder, or nobody knows.
    All,
    /// None of this tree: what was typed elsewhere took nothing here.
    Elsewhere,
}
