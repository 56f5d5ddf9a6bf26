//! Databases of SQLite, read from bytes in memory. Nothing is ever opened in place: SQLite itself would write a `-shm` file beside the
//! database, and without its `-wal` file the newest rows are missing.
//!
//! ```text
//! history.db         pages; the first has the header and the table of tables
//! history.db-wal     newer pages in frames, each with the salts of the log and a running checksum; they count up to the last commit
//! history.db-shm     an index of the log: not needed
//! ```
//!
//! Of tables made `WITHOUT ROWID` the row id is 0, the order is that of the pages, and the columns of the key come first. Documented as
//! "Database File Format" of SQLite.

mod page;
mod record;
mod schema;
mod wal;

use std::collections::HashSet;

use self::{
    page::{Cell, Node},
    wal::Wal,
};
pub use self::{record::Value, schema::Table};

/// What every database starts with.
pub const MAGIC: &[u8] = b"SQLite format 3\0";

/// Of one row; nothing that is read here is longer.
const ROW: usize = 1 << 20;

/// Why a database cannot be read: its own fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SqliteError {
    /// The bytes are not what the format says.
    #[error("{0}")]
    Malformed(&'static str),
    /// It ends before its last page.
    #[error("it ends too early")]
    Truncated,
}

/// How texts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// A database in memory.
#[derive(Debug)]
pub struct Database<'b> {
    main: &'b [u8],
    wal: Wal<'b>,
    page_size: usize,
    /// Bytes of a page that hold content.
    usable: usize,
    encoding: Encoding,
    pages: u32,
    /// It has fewer pages than its header says.
    is_cut: bool,
}

impl<'b> Database<'b> {
    /// From the bytes of the file, and of the `-wal` file beside it where there is one.
    ///
    /// # Errors
    /// Where the header is none, or the log has other pages.
    pub fn new(main: &'b [u8], wal: Option<&'b [u8]>) -> Result<Self, SqliteError> {
        // A database that was never checkpointed has all its pages in the log.
        let wal = Wal::new(wal.unwrap_or_default())?;
        let first = wal.page(1).or(Some(main)).filter(|p| p.len() >= 100).ok_or(SqliteError::Truncated)?;
        if !first.starts_with(MAGIC) {
            return Err(SqliteError::Malformed("no header of SQLite"));
        }
        let page_size = match record::be16(first, 16) {
            Some(1) => 65536,
            Some(size) if size.is_power_of_two() && size >= 512 => usize::from(size),
            _ => return Err(SqliteError::Malformed("no size of a page")),
        };
        if wal.page_size().is_some_and(|size| size != page_size) {
            return Err(SqliteError::Malformed("the log has pages of another size"));
        }
        let reserved = first.get(20).copied().map_or(0, usize::from);
        let encoding = match record::be32(first, 56) {
            Some(0 | 1) => Encoding::Utf8,
            Some(2) => Encoding::Utf16Le,
            Some(3) => Encoding::Utf16Be,
            _ => return Err(SqliteError::Malformed("no encoding")),
        };
        let usable = page_size.saturating_sub(reserved);
        if usable < 480 {
            return Err(SqliteError::Malformed("no room in a page"));
        }
        let of_file = u32::try_from(main.len() / page_size).unwrap_or(u32::MAX);
        // Releases before 3.7 did not write it, nor the number that says that it counts.
        let counts = record::be32(first, 24) == record::be32(first, 92);
        let is_cut = wal.pages().is_none() && counts && record::be32(first, 28).is_some_and(|pages| pages > of_file);
        Ok(Self { main, page_size, usable, encoding, pages: wal.pages().unwrap_or(of_file), is_cut, wal })
    }

    /// Its tables, each with the names of its columns.
    ///
    /// # Errors
    /// Where the table of tables is damaged.
    pub fn tables(&self) -> Result<Vec<Table>, SqliteError> {
        let mut tables = Vec::new();
        self.walk(1, &mut |_, row| {
            if let [Value::Text(kind), Value::Text(name), _, Value::Integer(root), Value::Text(sql), ..] = row
                && kind == "table"
                && let Ok(root) = u32::try_from(*root)
            {
                tables.push(Table::new(name, root, sql));
            }
            true
        })?;
        Ok(tables)
    }

    /// Hands on each row of a table with its row id, until `each` answers no. Rows before damage are handed on too. A row longer than
    /// a mebibyte ends where that is.
    ///
    /// # Errors
    /// Where the table is damaged.
    pub fn rows(&self, table: &Table, each: &mut dyn FnMut(i64, &[Value<'_>]) -> bool) -> Result<(), SqliteError> {
        self.walk(table.root, each)?;
        if self.is_cut { Err(SqliteError::Truncated) } else { Ok(()) }
    }

    fn page(&self, number: u32) -> Result<&'b [u8], SqliteError> {
        if number == 0 || number > self.pages {
            return Err(SqliteError::Malformed("a page that does not exist"));
        }
        if let Some(page) = self.wal.page(number) {
            return Ok(page);
        }
        let at = usize::try_from(number - 1).ok().and_then(|n| n.checked_mul(self.page_size));
        let page = at.and_then(|at| self.main.get(at..at.checked_add(self.page_size)?));
        page.ok_or(SqliteError::Truncated)
    }

    /// Visits each page of a tree once, from the left.
    fn walk(&self, root: u32, each: &mut dyn FnMut(i64, &[Value<'_>]) -> bool) -> Result<(), SqliteError> {
        let (mut waiting, mut met) = (vec![root], HashSet::new());
        // Each page of a chain belongs to one row.
        let mut chained = (self.main.len() + self.wal.len()) / self.page_size;
        while let Some(number) = waiting.pop() {
            if !met.insert(number) {
                return Err(SqliteError::Malformed("a page that is in a tree twice"));
            }
            let page = self.page(number)?;
            match page::node(page, number == 1, self.usable)? {
                Node::Inner(mut below, rows) => {
                    if !self.hand_on(rows, &mut chained, each)? {
                        return Ok(());
                    }
                    below.reverse();
                    waiting.append(&mut below);
                }
                Node::Leaf(rows) => {
                    if !self.hand_on(rows, &mut chained, each)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows of one page; `false` when no more are wanted.
    fn hand_on(
        &self,
        cells: Vec<Cell<'b>>,
        chained: &mut usize,
        each: &mut dyn FnMut(i64, &[Value<'_>]) -> bool,
    ) -> Result<bool, SqliteError> {
        for Cell { row, payload, total, overflow } in cells {
            let mut whole = Vec::new();
            let bytes = match overflow {
                None => payload,
                Some(first) => {
                    whole.extend_from_slice(payload);
                    self.chain(first, total.min(ROW), &mut whole, chained)?;
                    &whole
                }
            };
            if !each(row, &record::values(bytes, self.encoding)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What of a row did not fit into its page.
    fn chain(&self, first: u32, total: usize, whole: &mut Vec<u8>, left: &mut usize) -> Result<(), SqliteError> {
        let mut next = first;
        while next != 0 && whole.len() < total {
            *left = left.checked_sub(1).ok_or(SqliteError::Malformed("a chain of pages without an end"))?;
            let page = self.page(next)?;
            let content = page.get(4..self.usable).unwrap_or_default();
            let missing = total.saturating_sub(whole.len());
            whole.extend_from_slice(content.get(..missing).unwrap_or(content));
            next = record::be32(page, 0).unwrap_or(0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
