//! The values of a row, and the numbers that everything is made of.

use std::borrow::Cow;

use super::{Encoding, SqliteError};

/// More columns than SQLite itself allows.
const COLUMNS: usize = 32_767;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'v> {
    /// Nothing; also a whole number that is the row id.
    Null,
    /// A whole number.
    Integer(i64),
    /// A broken number.
    Real(f64),
    /// A text; what is broken in it is replaced.
    Text(Cow<'v, str>),
    /// Bytes.
    Blob(&'v [u8]),
}

/// Two bytes, the high one first.
pub fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Four bytes, the high one first.
pub fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// A number of one to nine bytes, and how many it has.
pub fn varint(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value: i64 = 0;
    for (n, byte) in bytes.iter().enumerate().take(9) {
        if n == 8 {
            return Some((value << 8 | i64::from(*byte), 9));
        }
        value = value << 7 | i64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, n + 1));
        }
    }
    None
}

/// The values of a row. A row that was cut ends with the values that are whole; a text that was cut ends where the row does.
pub fn values(row: &[u8], encoding: Encoding) -> Result<Vec<Value<'_>>, SqliteError> {
    let damaged = SqliteError::Malformed("a damaged row");
    let (len, used) = varint(row).ok_or(damaged)?;
    let len = usize::try_from(len).map_err(|_| damaged)?;
    let mut types = row.get(used..len).ok_or(damaged)?;
    let mut body = row.get(len..).unwrap_or_default();
    let mut values = Vec::new();
    while !types.is_empty() && values.len() < COLUMNS {
        let (kind, used) = varint(types).ok_or(damaged)?;
        types = types.get(used..).unwrap_or_default();
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).map_err(|_| damaged)?,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).map_err(|_| damaged)?,
            _ => return Err(damaged),
        };
        let (bytes, rest) = body.split_at_checked(size).unwrap_or((body, b""));
        body = rest;
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            _ if kind < 12 && bytes.len() < size => break,
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().map_err(|_| damaged)?)),
            1..=6 => Value::Integer(integer(bytes)),
            _ if kind % 2 == 0 => Value::Blob(bytes),
            _ => Value::Text(text(bytes, encoding)),
        });
    }
    Ok(values)
}

/// One to eight bytes with a sign.
fn integer(bytes: &[u8]) -> i64 {
    let start = if bytes.first().is_some_and(|b| b & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(start, |value, byte| value << 8 | i64::from(*byte))
}

fn text(bytes: &[u8], encoding: Encoding) -> Cow<'_, str> {
    let unit = match encoding {
        Encoding::Utf8 => return String::from_utf8_lossy(bytes),
        Encoding::Utf16Le => u16::from_le_bytes,
        Encoding::Utf16Be => u16::from_be_bytes,
    };
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(unit);
    Cow::Owned(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}
