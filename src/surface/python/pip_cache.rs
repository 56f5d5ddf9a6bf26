//! pip's HTTP cache, and poetry's, which has the same form. Recognised by that form alone: cache mounts of image builds and
//! moved caches have other names above.
//!
//! ```text
//! ~/.cache/pip/
//! ├── http/8/2/c/f/0/82cf0d…            pip before 23.3: "cc=4," and a msgpack map with headers and body
//! ├── http-v2/8/2/c/f/0/82cf0d…         pip from 23.3: the same with an empty body
//! └── http-v2/8/2/c/f/0/82cf0d….body    the body alone: the wheel, byte for byte
//! ~/.cache/pypoetry/cache/repositories/<repo>/_http/8/2/c/f/0/82cf0d…[.body]
//! ```
//!
//! The name is the SHA-224 of the URL (56 hex digits, the first five are the folders), so it says nothing; the body does. Bodies
//! that are no archive (index pages, PEP 658 metadata) are no hit: they show that a version was looked at. A hit proves that the
//! bytes were fetched and are still here, not that they were installed. Documented in `pip cache` and CacheControl's serializer.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use jiff::{Timestamp, fmt::rfc2822};
use rmpv::{Value, decode::read_value_with_max_depth};

use super::{
    archive::{of_sdist, of_zip},
    placement::is_hex,
};
use crate::{
    ecosystem::pypi::unit_around,
    fact::{At, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// Hex digits of a SHA-224.
const NAME: usize = 56;
/// All headers of one response.
const HEADERS: u64 = 1 << 20;
const DEPTH: usize = 16;

/// Entries of the HTTP cache of pip and poetry.
pub struct PipCache;

static META: Meta = Meta {
    id: "python/pip-cache",
    title: "downloads in the HTTP cache of pip and poetry",
    proves: "the bytes were fetched and are still here; not that they were installed",
};

impl Surface for PipCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Artifacts]
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];
        digits.iter().flat_map(|d| [Claim::hex(NAME).in_tail(d), Claim::suffix(".body").in_tail(d)]).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if !is_entry(&file.entry.path) {
            return Ok(());
        }
        let interest = file.interest;
        let mtime = file.mtime("mtime of the cache entry");
        if file.entry.path.name().ends_with(b".body") {
            // Most bodies are small or of no interest: distinguished before the archive is opened.
            if is_archive(file.head(2)?) {
                let len = file.entry.len;
                body(&mut file.seekable()?, 0..len, mtime, interest, out)?;
            }
            return Ok(());
        }
        match file.head(5)? {
            b"cc=4," => {}
            [b'c', b'c', b'=', b'0'..=b'3', b','] => return Err(Flaw::Unsupported("this old form of a cache entry")),
            _ => return Ok(()),
        }
        let mut entry = file.seekable()?;
        let Some(found) = response(&mut entry)? else {
            return Ok(());
        };
        let date = found.date.map(|time| At::new(time, "Date of the response"));
        body(&mut entry, found.body, date.or(mtime), interest, out)
    }
}

/// `8/2/c/f/0/82cf0d…`, with or without `.body`.
fn is_entry(path: &TreePath) -> bool {
    let name = path.name().strip_suffix(b".body").unwrap_or(path.name());
    let folders: Vec<u8> = path.components().rev().skip(1).take(5).filter_map(|c| c.first().copied()).collect();
    let single = path.components().rev().skip(1).take(5).all(|c| c.len() == 1);
    name.len() == NAME && is_hex(name) && single && name.iter().take(5).rev().eq(folders.iter()) && folders.len() == 5
}

fn is_archive(head: &[u8]) -> bool {
    head == b"PK" || head == b"\x1f\x8b"
}

/// Tells what the archive in this part of the file is.
fn body<R: Read + Seek>(
    file: &mut R,
    part: std::ops::Range<u64>,
    at: Option<At>,
    interest: &Interest,
    out: &mut Sink<'_>,
) -> Result<(), Flaw> {
    let mut part = Part { file, from: part.start, len: part.end.saturating_sub(part.start), at: 0 };
    let mut head = Vec::new();
    (&mut part).take(2).read_to_end(&mut head)?;
    if !is_archive(&head) {
        return Ok(());
    }
    part.seek(SeekFrom::Start(0))?;
    let found = match head.as_slice() {
        b"PK" => of_zip(&mut part, Placement::Cached)?,
        _ => of_sdist(&mut part, interest, Placement::Cached)?,
    };
    match found {
        Some(found) => found.push(&mut part, None, interest, at, out),
        None => Ok(()),
    }
}

struct Response {
    body: std::ops::Range<u64>,
    date: Option<Timestamp>,
}

/// Where the body stands in a `cc=4` entry, and when it was sent; `None` where it is kept in its own file. Values are read one by
/// one, since the body alone may be larger than memory.
fn response<R: Read + Seek>(entry: &mut R) -> Result<Option<Response>, Flaw> {
    let mut entry = BufReader::new(entry);
    entry.seek(SeekFrom::Start(5))?;
    let (mut found, mut date) = (None, None);
    for _ in 0..map_len(&mut entry)? {
        if small(&mut entry)?.as_str() != Some("response") {
            small(&mut entry)?;
            continue;
        }
        for _ in 0..map_len(&mut entry)? {
            match small(&mut entry)?.as_str() {
                Some("body") => {
                    let len = u64::from(rmp::decode::read_bin_len(&mut entry).map_err(not_msgpack)?);
                    let from = entry.stream_position()?;
                    if len == 0 {
                        return Ok(None);
                    }
                    let to = from.saturating_add(len);
                    if to > entry.seek(SeekFrom::End(0))? {
                        return Err(Flaw::Truncated("cache entry"));
                    }
                    entry.seek(SeekFrom::Start(to))?;
                    found = Some(from..to);
                }
                Some("headers") => date = date_of(&small(&mut entry)?),
                _ => {
                    small(&mut entry)?;
                }
            }
        }
    }
    Ok(found.map(|body| Response { body, date }))
}

fn map_len<R: Read>(entry: &mut R) -> Result<u32, Flaw> {
    let len = rmp::decode::read_map_len(entry).map_err(not_msgpack)?;
    if len > 64 { Err(Flaw::malformed("cache entry", "too many keys")) } else { Ok(len) }
}

fn small<R: Read>(entry: &mut R) -> Result<Value, Flaw> {
    read_value_with_max_depth(&mut entry.take(HEADERS), DEPTH).map_err(not_msgpack)
}

fn not_msgpack<E>(_: E) -> Flaw {
    Flaw::malformed("cache entry", "not the msgpack that pip writes")
}

/// Header names keep the server's case.
fn date_of(headers: &Value) -> Option<Timestamp> {
    let is_date = |key: &Value| key.as_str().is_some_and(|k| k.eq_ignore_ascii_case("date"));
    let (_, value) = headers.as_map()?.iter().find(|(key, _)| is_date(key))?;
    Some(rfc2822::DateTimeParser::new().parse_zoned(value.as_str()?).ok()?.timestamp())
}

/// A part of a file as if it were one.
struct Part<'f, R> {
    file: &'f mut R,
    from: u64,
    len: u64,
    at: u64,
}

impl<R: Read + Seek> Read for Part<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.from.saturating_add(self.at)))?;
        let n = self.file.take(self.len.saturating_sub(self.at)).read(buf)?;
        self.at = self.at.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }
}

impl<R> Seek for Part<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            archive::made,
            trial::{Tried, tried},
        },
        *,
    };

    const NAME_82: &str = "82cf0d42ef81f336a1a24622dc40adee18429445f568f45478a3448e";

    fn inspect(path: &str, bytes: &[u8]) -> Tried {
        tried(&PipCache, path, bytes, &made::interest())
    }

    /// As pip 23.2.1 writes it: map of two, `response` first, seven keys.
    fn old_entry(body: &[u8]) -> Vec<u8> {
        let mut entry = b"cc=4,\x82\xa8response\x83\xa4body\xc6".to_vec();
        entry.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        entry.extend(body);
        entry.extend(b"\xa7headers\x81\xa4date\xbdTue, 24 Mar 2026 10:12:33 GMT\xa6status\xcc\xc8\xa4vary\x80");
        entry
    }

    #[test]
    fn a_body_file_is_a_wheel_or_nothing() {
        let path = format!("c/http-v2/8/2/c/f/0/{NAME_82}.body");
        let got = inspect(&path, &made::wheel("litellm", "1.82.8"));
        assert_eq!(got.packages(), ["litellm 1.82.8 Cached"]);
        assert_eq!(got.seen[0].at.as_ref().map(|a| &*a.source), Some("mtime of the cache entry"));
        for other in [b"<!DOCTYPE html>".as_slice(), b"Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n", b""] {
            let got = inspect(&path, other);
            assert!(got.seen.is_empty() && got.flaw.is_none());
        }
    }

    #[test]
    fn an_entry_of_old_pip_holds_the_body_and_its_date() {
        let path = format!("mount/8/2/c/f/0/{NAME_82}");
        let got = inspect(&path, &old_entry(&made::wheel("litellm", "1.82.8")));
        assert_eq!(got.packages(), ["litellm 1.82.8 Cached"]);
        let at = got.seen[0].at.clone().unwrap();
        assert_eq!((at.time.to_string().as_str(), &*at.source), ("2026-03-24T10:12:33Z", "Date of the response"));
        let sdist = made::tar_gz(&[("litellm-1.82.7/PKG-INFO", "Name: litellm\nVersion: 1.82.7\n")]);
        assert_eq!(inspect(&path, &old_entry(&sdist)).packages(), ["litellm 1.82.7 Cached"]);
        assert!(inspect(&path, &old_entry(b"<html>")).seen.is_empty());
    }

    #[test]
    fn the_head_of_a_split_entry_and_other_files_say_nothing() {
        let path = format!("c/http-v2/8/2/c/f/0/{NAME_82}");
        let head = b"cc=4,\x82\xa8response\x81\xa4body\xc4\x00\xa4vary\x80".as_slice();
        for other in [head, b"something else", b""] {
            let got = inspect(&path, other);
            assert!(got.seen.is_empty() && got.flaw.is_none());
        }
        let wheel = made::wheel("litellm", "1.82.8");
        for place in
            [format!("c/8/2/c/f/1/{NAME_82}.body"), format!("2/c/f/0/{NAME_82}.body"), "8/2/c/f/0/x.body".into()]
        {
            assert!(inspect(&place, &wheel).seen.is_empty(), "{place}");
        }
    }

    #[test]
    fn damage_is_a_flaw() {
        let path = format!("c/http/8/2/c/f/0/{NAME_82}");
        let whole = old_entry(&made::wheel("litellm", "1.82.8"));
        for len in 5..whole.len() - 1 {
            assert!(inspect(&path, &whole[..len]).flaw.is_some(), "{len}");
        }
        assert!(inspect(&path, b"cc=2,x").flaw.is_some());
        // A body of 4 GiB that is not there, and arrays within arrays.
        assert!(inspect(&path, b"cc=4,\x82\xa8response\x87\xa4body\xc6\xff\xff\xff\xff").flaw.is_some());
        let deep = [b"cc=4,\x82".as_slice(), &[0x91; 100_000]].concat();
        assert!(inspect(&path, &deep).flaw.is_some());
    }
}
