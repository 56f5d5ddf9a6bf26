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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    /// The tables of Podman 5 with three containers, written by SQLite 3.40 in pages of 512 bytes, compressed with gzip.
    const DATABASE: &str = "H4sIAAAAAAACAwsO9MksSVVIyy/KTSxRMGZgYmBkZHBQUGBgYGAGYg4GBGACYhYkPiMDYcDMoJfMyApSzPgbxOeAUKNgcAB2Zl5YzI6CEQm4Ru\
    N/NP5H43/EAlD5z8x4mYHxM+NjIDUKhj7gY2aVZOQQTK0ANuxS2Kpr+ZjA/ILE0uLUFNbqWm5GVmEgv6g0j7m6lgsc/48ZgLH/jvHnaOANxyKe\
    WZIRkhiYQUxIOmBiYxbmBCYBXsYfwEb6VQaGq4w7GasYZgAhQWDNyibur8nIkJmXklpRXJgDNDo+sbQkH8yPd87PK0nMzEstCi5JBEoYovLZGp\
    WI6TcwAJ1lS7aPgXawi2trMzZWlyQm5aTCXQBkpGWmo3GZnINcHUNcFUIcnXxcFdAkNbgUPF0UQlwjQhQCgjx9HYMiFbxdIxX8/EMU/EJ9fHQU\
    /BJzUyHyoX6egaGuSFIB+SlQvToKXsH+fhBlMHlNW2Y28UBtgqEIcUe8EZoAiy0TKdoN0QTgfTtecPX/g4HRFEiMIEBZGvZgYRfX1GRs8kZNX2\
    BZVB4r9tQFliOYuMCqFDz9QlzdXYOQxF2Budk5PwUuhS196XApOHu4OnsraMBVO7mGhLu6+inoGio4+rkoGJmaamoCAIugA9cAEAAA";

    #[test]
    fn which_containers_run() {
        let mut database = Vec::new();
        let compressed = STANDARD.decode(DATABASE).unwrap();
        flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut database).unwrap();
        let mut running = HashMap::new();
        read(&database, None, &mut running).unwrap();
        let mut running: Vec<_> = running.into_iter().collect();
        running.sort();
        let known = [("exited", false), ("paused", true), ("run", true)];
        assert_eq!(running, known.map(|(id, runs)| (id.to_owned(), runs)));
        for cut in (0..database.len()).step_by(100) {
            let _ = read(&database[..cut], None, &mut HashMap::new());
        }
    }
}
