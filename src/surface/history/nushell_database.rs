//! The history of nushell where it is set up to be a database.
//!
//! ```text
//! ~/.config/nushell/history.sqlite3      SQLite: table history (id, command_line, start_timestamp, session_id, hostname, cwd,
//!                                        duration_ms, exit_status, more_info); start_timestamp in milliseconds since 1970
//! ```
//!
//! Rows are read from copies of the database and its log in memory. A hit proves that the command was typed, not that it succeeded.
//! Documented by the source of `reedline`, `src/history/sqlite_backed.rs`.

use crate::{
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::{
            nushell::for_posix,
            rows::{Layout, Unit},
        },
    },
};

/// `history.sqlite3` of nushell.
pub struct NushellDatabase;

static META: Meta = Meta {
    id: "history/nushell-database",
    title: "commands that nushell recorded in a database",
    proves: "the command was typed; not that it succeeded",
};

const LAYOUT: Layout = Layout {
    table: "history",
    command: "command_line",
    time: Some(("start_timestamp", Unit::Milliseconds)),
    folder: Some("cwd"),
    text: for_posix,
    other: "a database without a history of nushell",
    ..Layout::PLAIN
};

impl Surface for NushellDatabase {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["history.sqlite3", "history.sqlite3-wal"].map(|name| Claim::name(name).in_tail("nushell")).into()
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        LAYOUT.read(file, out)
    }
}
