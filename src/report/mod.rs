//! What people and machines are shown. Knows the judgement, not the tree.

pub mod v1;
