//! The history of atuin, which records what is typed in every shell.
//!
//! ```text
//! ~/.local/share/atuin/
//! ├── history.db           SQLite: table history (id, timestamp, duration, exit, command, cwd, session, hostname, deleted_at)
//! └── history.db-wal       the newest rows, until atuin or its daemon writes them back
//!
//! timestamp                nanoseconds since 1970
//! hostname                 host:account
//! deleted_at               set where the entry was deleted; the row may stay
//! ```
//!
//! Written by atuin since version 0.1; other columns came later. Rows are read from copies of both files in memory. A hit proves that the
//! command was typed, not that it succeeded. Where histories are synchronised, the row may have been typed on another machine: the
//! finding names the host of the row. Documented by atuin's source, `crates/atuin-client/src/database.rs`.

use crate::{
    interest::Interest,
    sqlite::MAGIC,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::rows::{Layout, Unit},
    },
};

/// `history.db` of atuin.
pub struct Atuin;

static META: Meta = Meta {
    id: "history/atuin",
    title: "commands that atuin recorded",
    proves: "the command was typed; not that it succeeded",
};

const LAYOUT: Layout = Layout {
    table: "history",
    command: "command",
    time: Some(("timestamp", Unit::Nanoseconds)),
    host: Some("hostname"),
    other: "a database without a history of atuin",
    ..Layout::PLAIN
};

impl Surface for Atuin {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["history.db", "history.db-wal"].map(|name| Claim::name(name).in_tail("atuin")).into()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        head.starts_with(MAGIC).then_some("*")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        LAYOUT.read(file, out)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        coverage::Gap,
        fact::{Fact, Origin, Seen, TreePath},
        tree::{
            Body, Entry,
            body::{Beside, BodyError},
        },
    };

    // Made by Python's `sqlite3` with the table of atuin 18: two rows in the file, the third in its log.
    const FILE: &[u8] = include_bytes!("../../../tests/fixtures/history/atuin-18/history.db");
    const LOG: &[u8] = include_bytes!("../../../tests/fixtures/history/atuin-18/history.db-wal");

    /// `inner time name@version` for each command, and what is wrong.
    fn read(name: &str, mut bytes: &[u8], beside: Option<&[u8]>) -> (Vec<String>, Option<String>) {
        let path = TreePath::new(format!("home/al/.local/share/atuin/{name}").as_bytes()).unwrap();
        let entry = Entry { path: path.clone(), len: 0, mtime: None, btime: None, uid: None, gid: None, mode: None };
        let mut seen = Vec::new();
        let (mut keep, mut gap) = (|s: Seen| seen.push(s), |g: Gap| panic!("{g:?}"));
        let mut sink = Sink::new(META.id, Origin::file(&Arc::from("t"), path), &entry, &mut keep, &mut gap);
        let look = |_: &str, _: usize| -> Result<Beside, BodyError> {
            Ok(beside.map_or(Beside::Absent, |b| Beside::Bytes(b.to_vec())))
        };
        let mut body = Body::stream(&mut bytes, 0);
        if beside.is_some() {
            body = body.with_beside(&look);
        }
        let interest = Interest::default();
        let flaw = Atuin.inspect(&mut Opened::new(&entry, &interest, &mut body), &mut sink).err();
        let shown = seen.iter().map(|s| {
            let Fact::Command(command) = &s.fact else { panic!("not a command") };
            let wanted: Vec<String> =
                command.wanted.iter().map(|w| format!("{}@{}", w.name, w.pinned.as_deref().unwrap_or("-"))).collect();
            let at = s.at.as_ref().map_or("-".to_owned(), |at| at.time.to_string());
            format!("{} {at} {}", s.origin.inner.as_deref().unwrap_or("-"), wanted.join(" "))
        });
        (shown.collect(), flaw.map(|f| f.to_string()))
    }

    #[test]
    fn rows_of_the_file_and_of_its_log_are_read() {
        let of_file = [
            "row 1, typed at box:al 2026-03-24T10:53:20Z litellm@1.82.8",
            "row 2, typed at box:al 2026-03-24T10:55:00Z six@-",
        ];
        assert_eq!(read("history.db", FILE, Some(b"")), (of_file.map(String::from).into(), None));
        // A host with a space in its name is not shown; a deleted row was typed all the same.
        let (all, flaw) = read("history.db", FILE, Some(LOG));
        assert_eq!(
            (all.len(), all[2].as_str(), flaw),
            (3, "row 3 2026-03-24T10:56:40.123456789Z litellm@1.82.7", None)
        );
    }

    #[test]
    fn a_log_in_an_archive_is_a_gap_of_its_own() {
        assert_eq!(read("history.db", FILE, None).0.len(), 2);
        let apart = Some("the log of a database in an archive is not supported".to_owned());
        assert_eq!(read("history.db-wal", LOG, None), (vec![], apart));
        assert_eq!(read("history.db-wal", b"", None), (vec![], None));
        assert_eq!(read("history.db-wal", LOG, Some(b"")), (vec![], None));
    }

    #[test]
    fn other_and_damaged_databases_say_so() {
        let other = include_bytes!("../../../tests/fixtures/sqlite/plain.db");
        let (facts, flaw) = read("history.db", other, Some(b""));
        assert_eq!(
            (facts.len(), flaw.unwrap().as_str()),
            (0, "a database without a history of atuin is not supported")
        );
        for bytes in [b"".as_slice(), b"pip install litellm==1.82.8\n", &FILE[..1024]] {
            assert!(read("history.db", bytes, Some(b"")).1.is_some());
        }
        assert!(read("history.db", FILE, Some(b"no log")).1.is_some());
    }
}
