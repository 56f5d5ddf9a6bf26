//! Databases of SQLite, read from bytes in memory, or a page at a time from a file that is too large for that. Nothing is ever opened by
//! SQLite: it would write a `-shm` file beside the database, and without its `-wal` file the newest rows are missing.
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

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::HashSet,
    fmt,
    io::{Read, Seek, SeekFrom},
};

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

/// What can be read from any place.
pub trait Pages: Read + Seek {}
impl<T: Read + Seek + ?Sized> Pages for T {}

/// Where the pages are.
enum Main<'b> {
    Bytes(&'b [u8]),
    /// A file of so many bytes.
    File(RefCell<&'b mut dyn Pages>, u64),
}

impl fmt::Debug for Main<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl<'b> Main<'b> {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::File(_, len) => *len,
        }
    }

    fn part(&self, at: u64, len: usize) -> Option<Cow<'b, [u8]>> {
        match self {
            Self::Bytes(bytes) => {
                let at = usize::try_from(at).ok()?;
                Some(Cow::Borrowed(bytes.get(at..at.checked_add(len)?)?))
            }
            Self::File(file, _) => {
                let mut file = file.try_borrow_mut().ok()?;
                file.seek(SeekFrom::Start(at)).ok()?;
                let mut page = vec![0; len];
                file.read_exact(&mut page).ok()?;
                Some(Cow::Owned(page))
            }
        }
    }
}

/// A database.
#[derive(Debug)]
pub struct Database<'b> {
    main: Main<'b>,
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
        Self::of(Main::Bytes(main), wal)
    }

    /// From a file of so many bytes, of which a page is held at a time.
    ///
    /// # Errors
    /// As above.
    pub fn paged(file: &'b mut dyn Pages, len: u64, wal: Option<&'b [u8]>) -> Result<Self, SqliteError> {
        Self::of(Main::File(RefCell::new(file), len), wal)
    }

    fn of(main: Main<'b>, wal: Option<&'b [u8]>) -> Result<Self, SqliteError> {
        // A database that was never checkpointed has all its pages in the log.
        let wal = Wal::new(wal.unwrap_or_default())?;
        let first = wal.page(1).map(Cow::Borrowed).or_else(|| main.part(0, 100));
        let first = &*first.filter(|page| page.len() >= 100).ok_or(SqliteError::Truncated)?;
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
        let of_file = main.len().checked_div(u64::try_from(page_size).unwrap_or(u64::MAX)).unwrap_or_default();
        let of_file = u32::try_from(of_file).unwrap_or(u32::MAX);
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
        self.walk(1, &|_| true, &mut |_, row| {
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
        self.rows_like(table, &|_| true, each)
    }

    /// The same of rows whose first bytes, as they are stored, look like one that is wanted: of others nothing more is read.
    ///
    /// # Errors
    /// Where the table is damaged.
    pub fn rows_like(
        &self,
        table: &Table,
        like: &dyn Fn(&[u8]) -> bool,
        each: &mut dyn FnMut(i64, &[Value<'_>]) -> bool,
    ) -> Result<(), SqliteError> {
        self.walk(table.root, like, each)?;
        if self.is_cut { Err(SqliteError::Truncated) } else { Ok(()) }
    }

    fn page(&self, number: u32) -> Result<Cow<'b, [u8]>, SqliteError> {
        if number == 0 || number > self.pages {
            return Err(SqliteError::Malformed("a page that does not exist"));
        }
        if let Some(page) = self.wal.page(number) {
            return Ok(Cow::Borrowed(page));
        }
        let at = u64::try_from(self.page_size).ok().and_then(|size| u64::from(number - 1).checked_mul(size));
        at.and_then(|at| self.main.part(at, self.page_size)).ok_or(SqliteError::Truncated)
    }

    /// Visits each page of a tree once, from the left.
    fn walk(
        &self,
        root: u32,
        like: &dyn Fn(&[u8]) -> bool,
        each: &mut dyn FnMut(i64, &[Value<'_>]) -> bool,
    ) -> Result<(), SqliteError> {
        let (mut waiting, mut met) = (vec![root], HashSet::new());
        // Each page of a chain belongs to one row.
        let bytes = usize::try_from(self.main.len()).unwrap_or(usize::MAX).saturating_add(self.wal.len());
        let mut chained = bytes / self.page_size;
        while let Some(number) = waiting.pop() {
            if !met.insert(number) {
                return Err(SqliteError::Malformed("a page that is in a tree twice"));
            }
            let page = self.page(number)?;
            match page::node(&page, number == 1, self.usable)? {
                Node::Inner(mut below, rows) => {
                    if !self.hand_on(rows, &mut chained, like, each)? {
                        return Ok(());
                    }
                    below.reverse();
                    waiting.append(&mut below);
                }
                Node::Leaf(rows) => {
                    if !self.hand_on(rows, &mut chained, like, each)? {
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
        cells: Vec<Cell<'_>>,
        chained: &mut usize,
        like: &dyn Fn(&[u8]) -> bool,
        each: &mut dyn FnMut(i64, &[Value<'_>]) -> bool,
    ) -> Result<bool, SqliteError> {
        for Cell { row, payload, total, overflow } in cells.into_iter().filter(|cell| like(cell.payload)) {
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
            next = record::be32(&page, 0).unwrap_or(0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
