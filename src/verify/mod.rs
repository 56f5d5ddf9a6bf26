//! Is it done? Three facts of each credential of a report's checklist, never merged into one:
//!
//! ```text
//! here      the value at its place is gone, replaced or the same      an examination of the same target, now
//! provider  the old one is dead where it is accepted                  listings that somebody fetched and handed in
//! silence   nobody used the old one since                             extracts of logs, handed in likewise
//! ```
//!
//! What cannot be known is `unknown`, with the reason; a time of a file is a hint and no proof. Where there is no file to ask, a
//! named person may attest. Pure: what is read was read by the caller, and the time is handed in.

mod attest;
mod case;
mod here;
mod judge;
pub mod listing;
pub mod log;
mod provider;
mod silence;
mod table;
pub mod v1;
mod words;

pub use self::{
    attest::{Attestation, Unclear},
    case::{Case, CaseError},
    judge::{Input, judge},
    table::render,
};

/// A moment for people, to the second.
fn second(at: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests;
