//! The program as its users meet it: the real binary on trees made for each case, and on what the real tools make.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    missing_docs
)]

mod architecture;
mod credentials;
mod erasure;
mod exposure;
mod hostile;
mod images;
mod imports;
mod index;
mod live;
mod look_alikes;
mod machine;
mod output;
mod program;
mod promises;
mod surfaces;
mod traces;
