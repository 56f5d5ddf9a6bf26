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

use jiff::Timestamp;

use crate::{
    fact::{At, Fact},
    interest::Interest,
    sqlite::{Database, MAGIC, SqliteError, Table, Value},
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Subject, Surface,
        history::{COMMAND, commands_in, fetches_in},
    },
    tree::body::Beside,
};

/// `history.db` of atuin.
pub struct Atuin;

static META: Meta = Meta {
    id: "history/atuin",
    title: "commands that atuin recorded",
    proves: "the command was typed; not that it succeeded",
};

const WHAT: &str = "database of SQLite";

/// A hundred thousand commands have 30 MB.
const FILE: usize = 64 << 20;
const WAL: usize = 32 << 20;

impl Surface for Atuin {
    fn meta(&self) -> &'static Meta {
        &META
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
        let interest = file.interest;
        let beside = file.beside("-wal", WAL)?;
        if file.entry.path.name().ends_with(b"-wal") {
            // On a disk it is read with its database; in an archive the two cannot be brought together.
            let apart = beside == Beside::Unknown && !file.head(1)?.is_empty();
            return if apart { Err(Flaw::Unsupported("the log of a database in an archive")) } else { Ok(()) };
        }
        let wal = match &beside {
            Beside::Bytes(bytes) => Some(bytes.as_slice()),
            Beside::Absent | Beside::Unknown => None,
        };
        let database = Database::new(file.all(FILE)?, wal).map_err(flaw)?;
        let tables = database.tables().map_err(flaw)?;
        let found = tables.iter().find_map(|t| Some((t, Columns::new(t)?)));
        let (table, columns) = found.ok_or(Flaw::Unsupported("a database without a history of atuin"))?;
        let (mut long, mut number) = (false, 0_u64);
        let end = database.rows(table, &mut |_, row| {
            number += 1;
            long |= !columns.command(row, number, interest, out);
            true
        });
        if long {
            out.gap(None, &Flaw::TooLarge(u64::try_from(COMMAND).unwrap_or(u64::MAX)));
        }
        end.map_err(flaw)
    }
}

fn flaw(error: SqliteError) -> Flaw {
    match error {
        SqliteError::Malformed(why) => Flaw::malformed(WHAT, why),
        SqliteError::Truncated => Flaw::Truncated(WHAT),
    }
}

/// Where the values stand in a row.
struct Columns {
    command: usize,
    timestamp: usize,
    hostname: Option<usize>,
}

impl Columns {
    fn new(table: &Table) -> Option<Self> {
        let command = table.column("command").filter(|_| table.name == "history")?;
        Some(Self { command, timestamp: table.column("timestamp")?, hostname: table.column("hostname") })
    }

    /// Hands on the install commands of a row; whether it was short enough to be read.
    fn command(&self, row: &[Value<'_>], number: u64, interest: &Interest, out: &mut Sink<'_>) -> bool {
        let Some(Value::Text(command)) = row.get(self.command) else {
            return true;
        };
        if command.len() > COMMAND {
            return false;
        }
        let at = match row.get(self.timestamp) {
            Some(Value::Integer(nanoseconds)) => time(*nanoseconds),
            _ => None,
        };
        let host = self.hostname.and_then(|at| row.get(at)).and_then(|value| match value {
            Value::Text(host) if is_host(host) => Some(format!(", typed at {host}")),
            _ => None,
        });
        let commands = commands_in(command.as_bytes()).into_iter().map(Fact::Command);
        for fact in commands.chain(fetches_in(command.as_bytes(), interest)) {
            let inner = format!("row {number}{}", host.as_deref().unwrap_or_default());
            out.push_at(Some(&inner), None, at.clone(), fact);
        }
        true
    }
}

/// Nanoseconds since 1970, between 2001 and 2038.
fn time(nanoseconds: i64) -> Option<At> {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    (1_000_000_000..=2_147_483_647).contains(&seconds).then_some(())?;
    Timestamp::from_nanosecond(nanoseconds.into()).ok().map(|t| At::new(t, "time in the history"))
}

/// `host:account`, where it is safe to show.
fn is_host(text: &str) -> bool {
    text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        coverage::Gap,
        fact::{Origin, Seen, TreePath},
        tree::{Body, Entry, body::BodyError},
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

    #[test]
    fn times_are_nanoseconds_of_this_time() {
        assert_eq!(time(1_774_349_600_000_000_001).map(|at| at.time.as_second()), Some(1_774_349_600));
        for other in [0, -1, 1_774_349_600, i64::MAX, i64::MIN] {
            assert_eq!(time(other), None, "{other}");
        }
    }
}
