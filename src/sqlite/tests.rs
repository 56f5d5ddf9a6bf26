use super::*;

const PLAIN: &[u8] = include_bytes!("../../tests/fixtures/sqlite/plain.db");
const LOGGED: &[u8] = include_bytes!("../../tests/fixtures/sqlite/log.db");
const LOG: &[u8] = include_bytes!("../../tests/fixtures/sqlite/log.db-wal");

/// The rows of a table, as the fixtures were made by Python's `sqlite3`.
fn rows(main: &[u8], wal: Option<&[u8]>, table: &str) -> Result<Vec<String>, SqliteError> {
    let database = Database::new(main, wal)?;
    let tables = database.tables()?;
    let table = tables.iter().find(|t| t.name == table).ok_or(SqliteError::Malformed("no such table"))?;
    let mut rows = Vec::new();
    database.rows(table, &mut |id, values| {
        let shown = values.iter().map(|v| match v {
            Value::Null => "null".to_owned(),
            Value::Integer(i) => i.to_string(),
            Value::Real(r) => format!("{r:?}"),
            Value::Text(t) if t.len() > 100 => format!("{} letters", t.len()),
            Value::Text(t) => t.to_string(),
            Value::Blob(b) => format!("{b:?}"),
        });
        rows.push(format!("{id}: {}", shown.collect::<Vec<_>>().join(" ")));
        true
    })?;
    Ok(rows)
}

#[test]
fn every_kind_of_value_and_page_is_read() {
    let rows = rows(PLAIN, None, "odd name").unwrap();
    // Two hundred, one more with a long text, and one was deleted.
    assert_eq!(rows.len(), 200);
    assert_eq!(rows[0], "2: null -1 0.25 row 1 null");
    assert_eq!(rows[1], "6: null -3 0.75 row 3 null");
    // SQLite keeps a broken number without a fraction as a whole one.
    assert_eq!(rows[2], "8: null 4000000000000 1 row 4 null");
    assert_eq!(rows[199], "1000: null 0 null 3000 letters [0, 1]");
}

#[test]
fn tables_have_their_columns() {
    let database = Database::new(PLAIN, None).unwrap();
    let tables = database.tables().unwrap();
    assert_eq!(tables.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["odd name", "w", "empty"]);
    assert_eq!(tables[0].columns, ["n", "when", "real", "text", "blob"]);
    assert_eq!((tables[0].column("text"), tables[0].column("none")), (Some(3), None));
    assert_eq!(rows(PLAIN, None, "w"), Ok(vec![]));
    assert_eq!(rows(PLAIN, None, "empty"), Ok(vec![]));
}

/// Sixty rows on inner pages and leaves, the 31st with a blob that goes on in other pages.
#[test]
fn a_table_without_row_ids_is_read_on_all_its_pages() {
    let keyed = include_bytes!("../../tests/fixtures/sqlite/without-rowid.db").as_slice();
    let mut rows = rows(keyed, None, "k").unwrap();
    rows.sort();
    assert_eq!(rows.len(), 60);
    assert_eq!(rows[0], "0: key 00 [1, 1, 1]");
    assert_eq!(rows[59], "0: key 59 [1, 1, 1]");
    assert_eq!(rows[30], format!("0: key 30 {:?}", [1; 2000]));
    for len in (0..keyed.len()).step_by(13) {
        let _ = Database::new(&keyed[..len], None).map(|d| d.tables().map(|t| t.len()));
        if let Ok(rows) = self::rows(&keyed[..len], None, "k") {
            assert_eq!(rows.len(), 60, "{len}");
        }
    }
}

#[test]
fn both_orders_of_utf_16_are_read() {
    for bytes in [
        include_bytes!("../../tests/fixtures/sqlite/utf-16le.db").as_slice(),
        include_bytes!("../../tests/fixtures/sqlite/utf-16be.db"),
    ] {
        assert_eq!(rows(bytes, None, "t").unwrap(), ["1: é☕"]);
    }
}

#[test]
fn the_log_counts_up_to_its_last_commit() {
    assert_eq!(rows(LOGGED, None, "t").unwrap(), ["1: in the file"]);
    let all = ["1: in the file", "2: in the log", "3: in the log too"];
    assert_eq!(rows(LOGGED, Some(LOG), "t").unwrap(), all);
    // Frames that were never committed are there.
    assert!(memchr::memmem::find(LOG, b"never committed").is_some());
    // A frame whose checksum is wrong ends the log.
    let mut damaged = LOG.to_vec();
    damaged[32 + 24 + 100] ^= 1;
    assert_eq!(rows(LOGGED, Some(&damaged), "t").unwrap(), ["1: in the file"]);
    // So does one of an earlier log.
    let mut earlier = LOG.to_vec();
    earlier[32 + 8] ^= 1;
    assert_eq!(rows(LOGGED, Some(&earlier), "t").unwrap(), ["1: in the file"]);
    for none in [&[][..], &[0; 4096]] {
        assert_eq!(rows(LOGGED, Some(none), "t").unwrap().len(), 1);
    }
    assert_eq!(
        rows(LOGGED, Some(b"a text, which is no log of a database at all"), "t"),
        Err(SqliteError::Malformed("the log is none"))
    );
}

#[test]
fn every_cut_is_an_error_or_a_start() {
    for len in (0..PLAIN.len()).step_by(13) {
        if let Ok(rows) = rows(&PLAIN[..len], None, "odd name") {
            assert_eq!(rows.len(), 200, "{len}");
        }
    }
    for len in (0..LOG.len()).step_by(7) {
        assert!(rows(LOGGED, Some(&LOG[..len]), "t").map_or(true, |rows| rows.len() <= 3), "{len}");
    }
}

#[test]
fn damage_does_no_harm() {
    let mut random: u64 = 88_172_645_463_325_252;
    for _ in 0..1000 {
        let mut bytes = PLAIN.to_vec();
        for _ in 0..4 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = usize::try_from(random >> 8).unwrap() % bytes.len();
            bytes[at] = u8::try_from(random & 0xff).unwrap();
        }
        let _ = rows(&bytes, None, "odd name");
    }
}

#[test]
fn trees_and_chains_that_bite_their_tails_end() {
    let at = |page: usize| (page - 1) * 512;
    let database = Database::new(PLAIN, None).unwrap();
    let root = usize::try_from(database.tables().unwrap()[0].root).unwrap();
    // The rightmost page below the root is the root.
    let mut bytes = PLAIN.to_vec();
    bytes[at(root) + 8..at(root) + 12].copy_from_slice(&u32::try_from(root).unwrap().to_be_bytes());
    assert_eq!(rows(&bytes, None, "odd name"), Err(SqliteError::Malformed("a page that is in a tree twice")));
    // Each page of the long text goes on in itself: the row has its length, and no more.
    let mut bytes = PLAIN.to_vec();
    for page in 1..=PLAIN.len() / 512 {
        if bytes[at(page) + 4..at(page) + 512].iter().all(|b| *b == b'x') {
            bytes[at(page)..at(page) + 4].copy_from_slice(&u32::try_from(page).unwrap().to_be_bytes());
        }
    }
    assert!(rows(&bytes, None, "odd name").unwrap()[199].contains("3000 letters"));
}
