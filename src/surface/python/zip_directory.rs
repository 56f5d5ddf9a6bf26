//! Finds members of a zip by its central directory, in constant memory.
//!
//! The `zip` crate holds the whole directory in memory, reserves room by the count that the file claims, and tries one end record
//! after the other: a hostile file can abort the process or keep it busy for hours. What is needed here is one small member out
//! of a well-known format, so its directory is read as a stream, from the one place where Python's `zipfile` reads it too.

use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

use crate::surface::Flaw;

/// Longest end record: 22 bytes and a comment; before it the zip64 locator.
const TAIL: u64 = 22 + 65_535 + 20;
/// A directory of half a million files.
const DIRECTORY: u64 = 64 << 20;

/// A member of a zip, as its directory describes it.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    method: u16,
    packed: u64,
    /// Of the local header, from the start of the file.
    offset: u64,
}

/// Calls `report` with the name of each member, in the directory's order.
///
/// # Errors
/// Where there is no directory, or it ends early.
pub fn each_member<R: Read + Seek>(zip: &mut R, report: &mut dyn FnMut(&[u8], Member)) -> Result<(), Flaw> {
    let directory = find_directory(zip)?;
    zip.seek(SeekFrom::Start(directory.start))?;
    let mut stream = BufReader::with_capacity(1 << 16, zip.take(directory.size));
    let (mut name, mut rest) = (Vec::new(), Vec::new());
    let mut left = directory.size;
    while left >= 46 {
        let mut head = [0; 46];
        exact(&mut stream, &mut head)?;
        if !head.starts_with(b"PK\x01\x02") {
            return Err(Flaw::malformed("zip", "its directory holds something else"));
        }
        let (names, extras, comments) = (u16_at(&head, 28), u16_at(&head, 30), u16_at(&head, 32));
        name.resize(usize::from(names), 0);
        exact(&mut stream, &mut name)?;
        rest.resize(usize::from(extras) + usize::from(comments), 0);
        exact(&mut stream, &mut rest)?;
        let extra = rest.get(..usize::from(extras)).unwrap_or_default();
        let (packed, offset) = sizes(&head, extra);
        let offset = directory.shift.checked_add(offset).ok_or(Flaw::malformed("zip", "a member lies outside"))?;
        report(&name, Member { method: u16_at(&head, 10), packed, offset });
        left = left.saturating_sub(46 + u64::from(names) + u64::from(extras) + u64::from(comments));
    }
    Ok(())
}

/// The first `limit` bytes of a member, unpacked.
///
/// # Errors
/// Where it is not where the directory says, or packed in a way that wheels do not use.
pub fn read_member<R: Read + Seek>(zip: &mut R, member: Member, limit: u64) -> Result<Vec<u8>, Flaw> {
    let mut bytes = Vec::new();
    let read = unpacked(zip, member)?.take(limit).read_to_end(&mut bytes);
    read.map_err(|_| Flaw::malformed("zip", "a member cannot be unpacked"))?;
    Ok(bytes)
}

/// A member, unpacked while it is read.
///
/// # Errors
/// As for `read_member`.
pub fn unpacked<'z, R: Read + Seek>(zip: &'z mut R, member: Member) -> Result<Box<dyn Read + 'z>, Flaw> {
    let mut head = [0; 30];
    zip.seek(SeekFrom::Start(member.offset))?;
    exact(zip, &mut head)?;
    if !head.starts_with(b"PK\x03\x04") {
        return Err(Flaw::malformed("zip", "a member is not where the directory says"));
    }
    let skip = u64::from(u16_at(&head, 26)) + u64::from(u16_at(&head, 28));
    zip.seek(SeekFrom::Start(member.offset.saturating_add(30 + skip)))?;
    let packed = zip.take(member.packed);
    match member.method {
        0 => Ok(Box::new(packed)),
        8 => Ok(Box::new(DeflateDecoder::new(packed))),
        _ => Err(Flaw::Unsupported("this compression of a zip member")),
    }
}

/// A member that is stored as it is, to look into it where it lies; `None` of one that is packed.
///
/// # Errors
/// As for `read_member`.
pub fn window<R: Read + Seek>(zip: &mut R, member: Member) -> Result<Option<Window<'_, R>>, Flaw> {
    if member.method != 0 {
        return Ok(None);
    }
    drop(unpacked(zip, member)?);
    let start = zip.stream_position()?;
    Ok(Some(Window { inner: zip, start, len: member.packed, at: 0 }))
}

/// A part of a file.
pub struct Window<'z, R> {
    inner: &'z mut R,
    start: u64,
    len: u64,
    at: u64,
}

impl<R: Read + Seek> Read for Window<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = self.len.saturating_sub(self.at);
        self.inner.seek(SeekFrom::Start(self.start.saturating_add(self.at)))?;
        let read = self.inner.by_ref().take(left).read(into)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Window<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

struct Directory {
    start: u64,
    size: u64,
    /// What stands before the zip in the file, as with self-extracting ones.
    shift: u64,
}

fn find_directory<R: Read + Seek>(zip: &mut R) -> Result<Directory, Flaw> {
    let len = zip.seek(SeekFrom::End(0))?;
    let from = len.saturating_sub(TAIL);
    zip.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    zip.take(TAIL).read_to_end(&mut tail)?;
    let at = memchr::memmem::rfind(&tail, b"PK\x05\x06").ok_or(Flaw::Truncated("zip"))?;
    let end = tail.get(at..).filter(|e| e.len() >= 22).ok_or(Flaw::Truncated("zip"))?;
    let (mut size, mut offset) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
    let mut end_at = from.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
    let locator = at.checked_sub(20).and_then(|l| tail.get(l..at)).filter(|l| l.starts_with(b"PK\x06\x07"));
    if locator.is_some() {
        // Where Python looks for it too: right before its locator, whatever the locator says.
        let at = end_at.checked_sub(20 + 56).ok_or(Flaw::Truncated("zip"))?;
        let mut end = [0; 56];
        zip.seek(SeekFrom::Start(at))?;
        exact(zip, &mut end)?;
        if end.starts_with(b"PK\x06\x06") {
            (size, offset, end_at) = (u64_at(&end, 40), u64_at(&end, 48), at);
        }
    }
    if size > DIRECTORY {
        return Err(Flaw::TooLarge(DIRECTORY));
    }
    let outside = Flaw::malformed("zip", "its directory lies outside");
    let start = end_at.checked_sub(size).ok_or(outside)?;
    let shift = start.checked_sub(offset).ok_or(Flaw::malformed("zip", "its directory lies outside"))?;
    Ok(Directory { start, size, shift })
}

/// Packed size and offset; the zip64 field has those that do not fit, in a fixed order.
fn sizes(head: &[u8], extra: &[u8]) -> (u64, u64) {
    let (plain, packed, offset) = (u32_at(head, 24), u32_at(head, 20), u32_at(head, 42));
    let mut wide = zip64_field(extra);
    let mut widen = |value: u32| {
        if value != u32::MAX {
            return u64::from(value);
        }
        let (first, rest) = wide.split_at_checked(8).unwrap_or_default();
        wide = rest;
        u64_at(first, 0)
    };
    widen(plain);
    (widen(packed), widen(offset))
}

fn zip64_field(mut extra: &[u8]) -> &[u8] {
    while let Some((head, rest)) = extra.split_at_checked(4) {
        let (field, rest) = rest.split_at_checked(usize::from(u16_at(head, 2))).unwrap_or_default();
        if u16_at(head, 0) == 1 {
            return field;
        }
        extra = rest;
    }
    &[]
}

fn exact<R: Read>(from: &mut R, into: &mut [u8]) -> Result<(), Flaw> {
    from.read_exact(into).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => Flaw::Truncated("zip"),
        _ => Flaw::Io(e),
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|b| b.first_chunk::<N>()).copied().unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn zip_of(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn read(zip: &[u8], wanted: &str, limit: u64) -> Result<Option<Vec<u8>>, Flaw> {
        let mut zip = Cursor::new(zip);
        let mut found = None;
        each_member(&mut zip, &mut |name, member| {
            if name == wanted.as_bytes() {
                found = Some(member);
            }
        })?;
        found.map(|m| read_member(&mut zip, m, limit)).transpose()
    }

    #[test]
    fn members_are_found_stored_deflated_and_behind_a_prefix() {
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let zip = zip_of(&[("a/x", b"one"), ("b", b"two")], method);
            assert_eq!(read(&zip, "b", 100).unwrap().as_deref(), Some(b"two".as_slice()));
            assert_eq!(read(&zip, "c", 100).unwrap(), None);
            let prefixed = [b"#!/usr/bin/env python3\n".as_slice(), &zip].concat();
            assert_eq!(read(&prefixed, "a/x", 2).unwrap().as_deref(), Some(b"on".as_slice()));
        }
    }

    #[test]
    fn an_archive_in_an_archive_is_read_where_it_lies() {
        let inner = zip_of(&[("a/x", b"one")], CompressionMethod::Deflated);
        for (method, is) in [(CompressionMethod::Stored, true), (CompressionMethod::Deflated, false)] {
            let mut zip = Cursor::new(zip_of(&[("first", b"0"), ("in.jar", &inner)], method));
            let mut found = None;
            each_member(&mut zip, &mut |name, member| found = found.or((name == b"in.jar").then_some(member))).unwrap();
            let mut window = window(&mut zip, found.unwrap()).unwrap();
            assert_eq!(window.is_some(), is);
            let mut names = Vec::new();
            window.iter_mut().for_each(|w| each_member(w, &mut |name, _| names.push(name.to_vec())).unwrap());
            assert_eq!(names.concat(), if is { b"a/x".as_slice() } else { b"" });
        }
    }

    #[test]
    fn a_bomb_is_unpacked_to_the_limit_only() {
        let zip = zip_of(&[("m", &vec![b'a'; 64 << 20])], CompressionMethod::Deflated);
        assert_eq!(read(&zip, "m", 1000).unwrap().map(|b| b.len()), Some(1000));
    }

    #[test]
    fn every_cut_is_a_flaw_and_no_panic() {
        let zip = zip_of(&[("a/x", b"one"), ("b", b"two")], CompressionMethod::Deflated);
        for len in 0..zip.len() {
            assert!(read(&zip[..len], "b", 100).is_err(), "{len}");
        }
    }

    #[test]
    fn every_changed_byte_is_survived() {
        let zip = zip_of(&[("a/x", b"one"), ("b", b"two")], CompressionMethod::Deflated);
        for at in 0..zip.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bad = zip.clone();
                bad[at] = value;
                let _ = read(&bad, "b", 100);
            }
        }
    }

    #[test]
    fn a_directory_that_claims_too_much_is_refused() {
        // A zip64 end record: 2^40 members in a directory of 2^50 bytes.
        let mut end = b"PK\x06\x06".to_vec();
        end.resize(24, 0);
        end.extend((1_u64 << 40).to_le_bytes());
        end.extend((1_u64 << 40).to_le_bytes());
        end.extend((1_u64 << 50).to_le_bytes());
        end.extend(0_u64.to_le_bytes());
        end.extend(b"PK\x06\x07");
        end.resize(56 + 20, 0);
        end.extend(b"PK\x05\x06");
        end.resize(56 + 20 + 22, 0xff);
        assert!(matches!(read(&end, "b", 1), Err(Flaw::TooLarge(_))));
    }
}
