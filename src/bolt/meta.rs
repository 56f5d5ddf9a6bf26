//! The header of a database, which it has twice.

use std::{fs::File, os::unix::fs::FileExt as _};

use super::{
    BoltError,
    page::{HEADER, u32_at, u64_at},
};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Bytes of a header behind that of its page; the last eight are the checksum of the others.
const META: usize = 64;

/// What one header says.
#[derive(Debug, Clone, Copy)]
pub struct Meta {
    /// In bytes.
    pub page_size: u64,
    /// The page of the root bucket.
    pub root: u64,
    /// How many pages there are.
    pub pages: u64,
    pub transaction: u64,
}

/// The newer of the headers that are whole.
pub fn newest(file: &File) -> Result<Meta, BoltError> {
    let first = read(file, 0);
    // Without the first header, nothing says where the second one is.
    let places = match &first {
        Ok(meta) => vec![meta.page_size],
        Err(_) => (9..=16).map(|shift| 1 << shift).collect(),
    };
    let second = places.into_iter().find_map(|at| read(file, at).ok().filter(|m| m.page_size == at));
    match (first, second) {
        (Ok(first), Some(second)) if second.transaction > first.transaction => Ok(second),
        (Err(_), Some(second)) => Ok(second),
        (first, _) => first,
    }
}

fn read(file: &File, at: u64) -> Result<Meta, BoltError> {
    let mut page = [0; HEADER + META];
    file.read_exact_at(&mut page, at)?;
    let meta = page.get(HEADER..).unwrap_or_default();
    let number = |at| u32_at(meta, at).ok_or(BoltError::Truncated);
    let long = |at| u64_at(meta, at).ok_or(BoltError::Truncated);
    match number(0)? {
        MAGIC => {}
        other if other.swap_bytes() == MAGIC => {
            return Err(BoltError::Malformed("it was written on a machine of the other byte order"));
        }
        _ => return Err(BoltError::Malformed("no header of bbolt")),
    }
    if number(4)? != VERSION {
        return Err(BoltError::Malformed("another version of the format"));
    }
    if long(META - 8)? != fnv(meta.get(..META - 8).unwrap_or_default()) {
        return Err(BoltError::Malformed("a damaged header"));
    }
    let meta = Meta { page_size: number(8)?.into(), root: long(16)?, pages: long(40)?, transaction: long(48)? };
    if !meta.page_size.is_power_of_two() || !(512..=65536).contains(&meta.page_size) || meta.root >= meta.pages {
        return Err(BoltError::Malformed("a header that cannot be"));
    }
    Ok(meta)
}

/// FNV-1a of 64 bits.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
