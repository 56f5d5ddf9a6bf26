//! The history of xonsh where it is set up to be a database.
//!
//! ```text
//! ~/.local/share/xonsh/xonsh-history.sqlite      SQLite: table xonsh_history (inp, rtn, tsb, tse, sessionid, out, info, frequency, cwd);
//!                                                tsb is its start in seconds since 1970, cwd came later
//! ```
//!
//! Rows are read from copies of the database and its log in memory; what commands printed (`out`) is not looked at. A hit proves that the
//! command was typed, not that it succeeded. Documented by the source of xonsh, `xonsh/history/sqlite.py`.

use crate::{
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::rows::{Layout, Unit},
    },
};

/// `xonsh-history.sqlite`.
pub struct XonshDatabase;

static META: Meta = Meta {
    id: "history/xonsh-database",
    title: "commands that xonsh recorded in a database",
    proves: "the command was typed; not that it succeeded",
};

const LAYOUT: Layout = Layout {
    table: "xonsh_history",
    command: "inp",
    time: Some(("tsb", Unit::Seconds)),
    folder: Some("cwd"),
    other: "a database without a history of xonsh",
    ..Layout::PLAIN
};

impl Surface for XonshDatabase {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["xonsh-history.sqlite", "xonsh-history.sqlite-wal"].map(Claim::name).into()
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        LAYOUT.read(file, out)
    }
}
