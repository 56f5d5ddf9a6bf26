//! One page of a tree of rows.

use super::{
    SqliteError,
    record::{be16, be32, varint},
};

/// A page: others below it, or rows. Of a table without row ids the inner pages hold rows too.
pub enum Node<'p> {
    Inner(Vec<u32>, Vec<Cell<'p>>),
    Leaf(Vec<Cell<'p>>),
}

/// One row, or its start.
pub struct Cell<'p> {
    pub row: i64,
    pub payload: &'p [u8],
    /// Bytes of the whole row.
    pub total: usize,
    /// The page that holds what follows.
    pub overflow: Option<u32>,
}

/// Reads a page; the first one has the header of the file before its own.
pub fn node(page: &[u8], first: bool, usable: usize) -> Result<Node<'_>, SqliteError> {
    let damaged = SqliteError::Malformed("a damaged page");
    let header = if first { 100 } else { 0 };
    let kind = *page.get(header).ok_or(damaged)?;
    let count = usize::from(be16(page, header + 3).ok_or(damaged)?);
    let is_inner = matches!(kind, 2 | 5);
    let pointers = header + if is_inner { 12 } else { 8 };
    let cells = (0..count).map(|n| be16(page, pointers + 2 * n).map(usize::from).ok_or(damaged));
    match kind {
        5 => {
            let mut below: Vec<u32> = cells.map(|at| be32(page, at?).ok_or(damaged)).collect::<Result<_, _>>()?;
            below.push(be32(page, header + 8).ok_or(damaged)?);
            Ok(Node::Inner(below, Vec::new()))
        }
        2 => {
            let (mut below, mut rows) = (Vec::new(), Vec::new());
            for at in cells {
                let at = at?;
                below.push(be32(page, at).ok_or(damaged)?);
                rows.push(keyed(page, at + 4, usable).ok_or(damaged)?);
            }
            below.push(be32(page, header + 8).ok_or(damaged)?);
            Ok(Node::Inner(below, rows))
        }
        10 => Ok(Node::Leaf(cells.map(|at| keyed(page, at?, usable).ok_or(damaged)).collect::<Result<_, _>>()?)),
        13 => Ok(Node::Leaf(cells.map(|at| cell(page, at?, usable).ok_or(damaged)).collect::<Result<_, _>>()?)),
        _ => Err(damaged),
    }
}

/// A row of a table with row ids.
fn cell(page: &[u8], at: usize, usable: usize) -> Option<Cell<'_>> {
    let (total, used) = varint(page.get(at..)?)?;
    let at = at + used;
    let (row, used) = varint(page.get(at..)?)?;
    content(page, at + used, row, usize::try_from(total).ok()?, usable, usable.checked_sub(35)?)
}

/// A row of a table without them (`WITHOUT ROWID`), which SQLite stores like an index.
fn keyed(page: &[u8], at: usize, usable: usize) -> Option<Cell<'_>> {
    let (total, used) = varint(page.get(at..)?)?;
    let most = (usable.checked_sub(12)? * 64 / 255).checked_sub(23)?;
    content(page, at + used, 0, usize::try_from(total).ok()?, usable, most)
}

/// As SQLite decides what of a row stays in the page: at most `most` bytes.
fn content(page: &[u8], at: usize, row: i64, total: usize, usable: usize, most: usize) -> Option<Cell<'_>> {
    if total <= most {
        return Some(Cell { row, payload: page.get(at..at.checked_add(total)?)?, total, overflow: None });
    }
    let least = (usable.checked_sub(12)? * 32 / 255).checked_sub(23)?;
    let wanted = least + (total - least) % (usable - 4);
    let here = if wanted <= most { wanted } else { least };
    Some(Cell { row, payload: page.get(at..at + here)?, total, overflow: be32(page, at + here) })
}
