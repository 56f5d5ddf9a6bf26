//! The history of IPython, which kernels of Jupyter share.
//!
//! ```text
//! ~/.ipython/profile_default/history.sqlite      SQLite: table history (session, line, source, source_raw), sessions (session, start, …)
//!
//! source_raw                                     as typed: `!pip install x`, `%pip install x`
//! ```
//!
//! Only what a line hands to a shell, or to a magic of pip and its kin, is a command; Python code is none. There is no time but that of the
//! session's start, which says little of a session of days. A hit proves that the command was typed, not that it succeeded. Documented by
//! IPython's source, `IPython/core/history.py`.

use std::borrow::Cow;

use crate::{
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface, history::rows::Layout,
        python::notebook::shell_commands,
    },
};

/// `history.sqlite` of IPython.
pub struct Ipython;

static META: Meta = Meta {
    id: "history/ipython",
    title: "commands typed in IPython and Jupyter",
    proves: "the command was typed; not that it succeeded",
};

const LAYOUT: Layout = Layout {
    table: "history",
    command: "source_raw",
    text: |cell| Cow::Owned(shell_commands(cell)),
    other: "a database without a history of IPython",
    ..Layout::PLAIN
};

impl Surface for Ipython {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["history.sqlite", "history.sqlite-wal"]
            .into_iter()
            .flat_map(|name| ["profile_default", ".ipython"].map(|folder| Claim::name(name).within(folder)))
            .collect()
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        LAYOUT.read(file, out)
    }
}
