//! Podman's database: which containers ran when it was written.

use std::collections::HashMap;

use crate::{
    image::source::catalog::Catalog,
    sqlite::{Database, SqliteError, Value},
    surface::Flaw,
};

/// Bytes of a database.
const MOST: u64 = 256 << 20;
/// Containers of one store.
const CONTAINERS: usize = 200_000;

/// The containers of a store, and whether each of them runs. Before Podman 4.8 the database has another format, which is not read.
pub(super) fn podman(catalog: &mut Catalog<'_>) -> HashMap<String, bool> {
    let mut running = HashMap::new();
    for path in ["db.sql", "libpod/db.sql"] {
        let Some(main) = catalog.small(0, path, MOST) else {
            continue;
        };
        let wal = catalog.small(0, &format!("{path}-wal"), MOST);
        if let Err(e) = read(&main, wal.as_deref(), &mut running) {
            catalog.flaw(path, Flaw::malformed("database of Podman", why(e)));
        }
    }
    running
}

fn read(main: &[u8], wal: Option<&[u8]>, running: &mut HashMap<String, bool>) -> Result<(), SqliteError> {
    let database = Database::new(main, wal)?;
    let tables = database.tables()?;
    let Some(table) = tables.iter().find(|t| t.name.eq_ignore_ascii_case("containerstate")) else {
        return Ok(());
    };
    let (Some(id), Some(state)) = (table.column("id"), table.column("state")) else {
        return Ok(());
    };
    database.rows(table, &mut |_, row| {
        if let (Some(Value::Text(id)), Some(Value::Integer(state))) = (row.get(id), row.get(state)) {
            // Running, paused, and being stopped.
            running.insert(id.to_string(), matches!(state, 3 | 5 | 8));
        }
        running.len() < CONTAINERS
    })
}

fn why(error: SqliteError) -> &'static str {
    match error {
        SqliteError::Malformed(why) => why,
        SqliteError::Truncated => "it ends too early",
    }
}
