//! Databases of SQLite that record commands, a row for each: what is in which column.
//!
//! Rows are read from copies of the database and of its log (`-wal`, the newest rows) in memory.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{COMMAND, facts_of, of_seconds, of_this_time};
use crate::{
    fact::At,
    interest::Interest,
    sqlite::{Database, SqliteError, Table, Value},
    surface::{Flaw, Opened, Sink},
    tree::body::Beside,
};

const WHAT: &str = "database of SQLite";

/// A hundred thousand commands have 30 MB.
const FILE: usize = 64 << 20;
const WAL: usize = 32 << 20;

/// What a time counts since 1970.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// Also with fractions.
    Seconds,
    Milliseconds,
    Nanoseconds,
}

/// Where a program puts what.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// The table.
    pub(super) table: &'static str,
    /// The column of what was typed.
    pub(super) command: &'static str,
    pub(super) time: Option<(&'static str, Unit)>,
    /// Of the folder that it ran in.
    pub(super) folder: Option<&'static str>,
    /// Of `host:account`, where rows of other machines may stand here.
    pub(super) host: Option<&'static str>,
    /// What a shell reads of a row.
    pub(super) text: fn(&str) -> Cow<'_, str>,
    /// What a database is that has no such table.
    pub(super) other: &'static str,
}

impl Layout {
    /// Without what most of them lack.
    pub(super) const PLAIN: Self = Self {
        table: "",
        command: "",
        time: None,
        folder: None,
        host: None,
        text: |text| Cow::Borrowed(text),
        other: "a database without a history",
    };

    /// Reads a database; the log beside it is read with it.
    pub(super) fn read(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let Some(log) = log_of(file)? else { return Ok(()) };
        let database = Database::new(file.all(FILE)?, log.as_deref()).map_err(flaw)?;
        let tables = database.tables().map_err(flaw)?;
        let found = tables.iter().find_map(|t| Some((t, self.columns(t)?)));
        let (table, columns) = found.ok_or(Flaw::Unsupported(self.other))?;
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

    fn columns(&self, table: &Table) -> Option<Columns> {
        let command = table.column(self.command).filter(|_| table.name == self.table)?;
        let column = |name: Option<&str>| name.and_then(|name| table.column(name));
        let time = match self.time {
            Some((name, unit)) => Some((table.column(name)?, unit)),
            None => None,
        };
        Some(Columns { command, time, folder: column(self.folder), host: column(self.host), text: self.text })
    }
}

/// The log beside a database, where it has one; `None` for the log itself.
///
/// # Errors
/// Where the log cannot be read, or stands in an archive, where it is not beside its database.
pub(super) fn log_of(file: &mut Opened<'_, '_>) -> Result<Option<Option<Vec<u8>>>, Flaw> {
    let beside = file.beside("-wal", WAL)?;
    if file.entry.path.name().ends_with(b"-wal") {
        // On a disk it is read with its database; in an archive the two cannot be brought together.
        let apart = beside == Beside::Unknown && !file.head(1)?.is_empty();
        return if apart { Err(Flaw::Unsupported("the log of a database in an archive")) } else { Ok(None) };
    }
    Ok(Some(match beside {
        Beside::Bytes(bytes) => Some(bytes),
        Beside::Absent | Beside::Unknown => None,
    }))
}

pub(super) fn flaw(error: SqliteError) -> Flaw {
    match error {
        SqliteError::Malformed(why) => Flaw::malformed(WHAT, why),
        SqliteError::Truncated => Flaw::Truncated(WHAT),
    }
}

/// Where the values stand in a row.
struct Columns {
    command: usize,
    time: Option<(usize, Unit)>,
    folder: Option<usize>,
    host: Option<usize>,
    text: fn(&str) -> Cow<'_, str>,
}

impl Columns {
    /// Hands on the install commands of a row; whether it was short enough to be read.
    fn command(&self, row: &[Value<'_>], number: u64, interest: &Interest, out: &mut Sink<'_>) -> bool {
        let Some(Value::Text(command)) = row.get(self.command) else {
            return true;
        };
        if command.len() > COMMAND {
            return false;
        }
        let at = self.time.and_then(|(column, unit)| time(row.get(column)?, unit));
        let text = |column: Option<usize>| match row.get(column?) {
            Some(Value::Text(text)) => Some(&**text),
            _ => None,
        };
        let host = text(self.host).filter(|host| is_host(host)).map(|host| format!(", typed at {host}"));
        let mut folder = text(self.folder).filter(|f| f.starts_with('/') && f.len() <= 4096).map(Into::into);
        let command = (self.text)(command);
        for fact in facts_of(command.as_bytes(), &mut folder, interest) {
            let inner = format!("row {number}{}", host.as_deref().unwrap_or_default());
            out.push_at(Some(&inner), None, at.clone(), fact);
        }
        true
    }
}

fn time(value: &Value<'_>, unit: Unit) -> Option<At> {
    let nanoseconds = match unit {
        Unit::Seconds => 1_000_000_000,
        Unit::Milliseconds => 1_000_000,
        Unit::Nanoseconds => 1_i128,
    };
    match value {
        Value::Integer(count) => of_this_time(Timestamp::from_nanosecond(i128::from(*count) * nanoseconds).ok()?),
        Value::Real(seconds) if matches!(unit, Unit::Seconds) => of_seconds(*seconds),
        _ => None,
    }
}

/// `host:account`, where it is safe to show.
fn is_host(text: &str) -> bool {
    text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_this_time() {
        let of = |value: Value<'_>, unit| time(&value, unit).map(|at| at.time.as_millisecond());
        let expected = Some(1_774_349_600_000);
        assert_eq!(of(Value::Integer(1_774_349_600_000_000_001), Unit::Nanoseconds), expected);
        assert_eq!(of(Value::Integer(1_774_349_600_000), Unit::Milliseconds), expected);
        assert_eq!(of(Value::Integer(1_774_349_600), Unit::Seconds), expected);
        assert_eq!(of(Value::Real(1_774_349_600.25), Unit::Seconds), Some(1_774_349_600_250));
        for other in [0, -1, 1_774_349_600, i64::MAX, i64::MIN] {
            assert_eq!(of(Value::Integer(other), Unit::Nanoseconds), None, "{other}");
        }
        for other in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert_eq!(of(Value::Real(other), Unit::Seconds), None, "{other}");
        }
    }
}
