//! The members of a tar, front to back, in bounded memory.
//!
//! Headers are read by the `tar` crate; the loop around them is our own, for two reasons. The crate's reads a GNU long name or a PAX
//! header of any size into memory, and an examiner must see the members that a container engine would see: where an archive can be
//! read in two ways, this reads it as Go's `archive/tar` does, which all engines use. So links, folders and devices have no
//! bytes whatever their size field says, a GNU long name wins over PAX, and an extended header above 1 MiB ends the archive.

use std::io::{self, Read};

use jiff::Timestamp;
use tar::{EntryType, Header};

use super::{Entries, Kind, Member};
use crate::{
    image::{
        codec,
        input::{Bytes, to_u64},
    },
    surface::Flaw,
};

const BLOCK: usize = 512;
const BLOCK_U64: u64 = 512;
/// Go's own limit on an extended header.
const EXTENDED: u64 = 1 << 20;
/// Extended headers in front of one member; honest archives have at most three.
const CHAIN: u32 = 16;
const WHAT: &str = "tar";

/// Reads one member after the other.
pub(in crate::image) struct Members<'s> {
    source: &'s mut (dyn Bytes + 's),
    /// Bytes of the current member that were not read yet, and the padding behind them.
    left: u64,
    padding: u64,
    /// Bytes of the archive up to the next header or body.
    at: u64,
    /// Bytes of the body behind that, with padding.
    size: u64,
    marked: bool,
}

/// What extended headers say of the member behind them.
#[derive(Default)]
struct Extended {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    seconds: Option<i64>,
    sparse: bool,
    sparse_name: Option<Vec<u8>>,
}

impl<'s> Members<'s> {
    pub(in crate::image) fn new(source: &'s mut (dyn Bytes + 's)) -> Self {
        Self { source, left: 0, padding: 0, at: 0, size: 0, marked: false }
    }

    /// Whether the end-of-archive mark was met.
    pub(in crate::image) fn marked(&self) -> bool {
        self.marked
    }

    /// Where the body of the member that `next` gave starts in the archive.
    pub(in crate::image) fn position(&self) -> u64 {
        self.at
    }

    /// The next member; what was left of the one before is passed over.
    pub(in crate::image) fn next(&mut self) -> Result<Option<Member>, Flaw> {
        let mut extended = Extended::default();
        for _ in 0..CHAIN {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            match header.entry_type() {
                EntryType::GNULongName => extended.long_name = Some(until_nul(self.small(&header)?)),
                EntryType::GNULongLink => extended.long_link = Some(until_nul(self.small(&header)?)),
                EntryType::XHeader => {
                    let records = self.small(&header)?;
                    extended.records(&records)?;
                }
                EntryType::XGlobalHeader => drop(self.small(&header)?),
                _ => return self.member(&header, extended).map(Some),
            }
        }
        Err(Flaw::malformed(WHAT, "too many extended headers in front of one member"))
    }

    /// The bytes of the member that `next` gave.
    pub(in crate::image) fn body(&mut self) -> Contents<'_, 's> {
        Contents(self)
    }

    /// The next header that is not part of a body; `None` at the end.
    fn header(&mut self) -> Result<Option<Header>, Flaw> {
        let rest =
            self.left.checked_add(self.padding).ok_or_else(|| Flaw::malformed(WHAT, "a size is out of range"))?;
        (self.left, self.padding) = (0, 0);
        if rest > 0 {
            self.source.skip(rest).map_err(|e| codec::flaw(e, WHAT))?;
        }
        let mut header = Header::new_old();
        self.at = self.at.saturating_add(self.size);
        self.size = 0;
        if !self.block(header.as_mut_bytes())? {
            return Ok(None);
        }
        if header.as_bytes().iter().all(|b| *b == 0) {
            if self.block(header.as_mut_bytes())? && header.as_bytes().iter().any(|b| *b != 0) {
                return Err(Flaw::malformed(WHAT, "an empty block stands between members"));
            }
            self.marked = true;
            return Ok(None);
        }
        if !checksum_holds(&header) {
            return Err(Flaw::malformed(WHAT, "a member's header has a wrong checksum"));
        }
        Ok(Some(header))
    }

    /// Fills a block; `false` where the bytes end in front of it.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, Flaw> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|r| !r.is_empty()) {
            match self.source.read(rest) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(Flaw::Truncated(WHAT)),
                Ok(n) => {
                    filled += n;
                    self.at = self.at.saturating_add(to_u64(n));
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(codec::flaw(e, WHAT)),
            }
        }
        Ok(true)
    }

    /// The body of an extended header.
    fn small(&mut self, header: &Header) -> Result<Vec<u8>, Flaw> {
        let size = size(header)?;
        if size > EXTENDED {
            return Err(Flaw::malformed(WHAT, "an extended header is larger than engines accept"));
        }
        self.expect(size);
        let mut bytes = Vec::new();
        self.body().read_to_end(&mut bytes).map_err(|e| codec::flaw(e, WHAT))?;
        Ok(bytes)
    }

    fn expect(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK_U64;
        self.size = size.saturating_add(self.padding);
    }

    fn member(&mut self, header: &Header, extended: Extended) -> Result<Member, Flaw> {
        let path = extended.long_name.or(extended.sparse_name).or(extended.path);
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = extended.long_link.or(extended.link).or_else(|| header.link_name_bytes().map(|l| l.into_owned()));
        let kind = match header.entry_type() {
            EntryType::Regular | EntryType::Continuous if path.ends_with(b"/") => Kind::Dir,
            EntryType::Regular | EntryType::Continuous if extended.sparse => Kind::Sparse,
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::GNUSparse => Kind::Sparse,
            EntryType::Directory => Kind::Dir,
            EntryType::Symlink => Kind::Symlink(link.unwrap_or_default()),
            EntryType::Link => Kind::HardLink(link.unwrap_or_default()),
            _ => Kind::Other,
        };
        if header.entry_type().is_gnu_sparse() {
            self.pass_sparse_map(header)?;
        }
        let bodiless = matches!(
            header.entry_type(),
            EntryType::Link
                | EntryType::Symlink
                | EntryType::Char
                | EntryType::Block
                | EntryType::Directory
                | EntryType::Fifo
        );
        let size = if bodiless { 0 } else { extended.size.map_or_else(|| size(header), Ok)? };
        self.expect(size);
        let seconds = extended.seconds.or_else(|| i64::try_from(header.mtime().ok()?).ok());
        Ok(Member {
            path,
            len: if kind == Kind::Dir { 0 } else { size },
            kind,
            mtime: seconds.and_then(|s| Timestamp::from_second(s).ok()),
            uid: extended.uid.or_else(|| u32::try_from(header.uid().ok()?).ok()),
            gid: extended.gid.or_else(|| u32::try_from(header.gid().ok()?).ok()),
            mode: header.mode().ok().map(|m| m & 0o7777),
        })
    }

    /// The old GNU format keeps a long map of holes in blocks between header and body.
    fn pass_sparse_map(&mut self, header: &Header) -> Result<(), Flaw> {
        let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        while more {
            let mut map = tar::GnuExtSparseHeader::new();
            if !self.block(map.as_mut_bytes())? {
                return Err(Flaw::Truncated(WHAT));
            }
            more = map.is_extended();
        }
        Ok(())
    }
}

impl Extended {
    /// Records of the form `<length> <key>=<value>\n`, where the length counts all of it and a value may hold any byte.
    fn records(&mut self, mut rest: &[u8]) -> Result<(), Flaw> {
        let bad = || Flaw::malformed(WHAT, "an extended header is not one");
        while !rest.is_empty() {
            let digits = rest.iter().position(|b| *b == b' ').filter(|n| *n <= 7).ok_or_else(bad)?;
            let length: usize = number(rest.get(..digits)).ok_or_else(bad)?;
            let (record, next) = rest.split_at_checked(length).ok_or_else(bad)?;
            let record = record.get(digits + 1..).and_then(|r| r.strip_suffix(b"\n")).ok_or_else(bad)?;
            let equals = record.iter().position(|b| *b == b'=').ok_or_else(bad)?;
            let (key, value) = record.split_at_checked(equals).ok_or_else(bad)?;
            self.record(key, value.get(1..).unwrap_or_default())?;
            rest = next;
        }
        Ok(())
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), Flaw> {
        let text = || Some(value.to_vec()).filter(|v| !v.is_empty());
        match key {
            b"path" => self.path = text(),
            b"linkpath" => self.link = text(),
            b"size" if !value.is_empty() => {
                let size = number(Some(value)).ok_or_else(|| Flaw::malformed(WHAT, "a size is not a number"))?;
                self.size = Some(size);
            }
            b"uid" => self.uid = number(Some(value)),
            b"gid" => self.gid = number(Some(value)),
            b"mtime" => self.seconds = number(value.split(|b| *b == b'.').next()),
            b"GNU.sparse.name" => self.sparse_name = text(),
            b"GNU.sparse.major" | b"GNU.sparse.map" | b"GNU.sparse.numblocks" => self.sparse = true,
            _ => {}
        }
        Ok(())
    }
}

impl Entries for Members<'_> {
    fn next(&mut self) -> Result<Option<Member>, Flaw> {
        Members::next(self)
    }

    fn body(&mut self) -> &mut dyn Read {
        self
    }
}

/// The bytes of the current member. Ends with an error where the archive ends inside it.
impl Read for Members<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if want == 0 {
            return Ok(0);
        }
        let n = self.source.read(into.get_mut(..want).unwrap_or_default())?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(to_u64(n));
        Ok(n)
    }
}

/// The bytes of one member. Ends with an error where the archive ends inside it.
pub(in crate::image) struct Contents<'m, 's>(&'m mut Members<'s>);

impl Read for Contents<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Bytes for Contents<'_, '_> {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        if n > self.0.left {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.0.source.skip(n)?;
        self.0.left = self.0.left.saturating_sub(n);
        Ok(())
    }
}

fn size(header: &Header) -> Result<u64, Flaw> {
    header.entry_size().map_err(|_| Flaw::malformed(WHAT, "a size is not a number"))
}

fn number<N: std::str::FromStr>(text: Option<&[u8]>) -> Option<N> {
    std::str::from_utf8(text?).ok()?.parse().ok()
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

/// The sum of all bytes, with the checksum field as spaces; old writers took the bytes as signed.
fn checksum_holds(header: &Header) -> bool {
    let bytes = header.as_bytes().iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { b' ' } else { *b });
    let (unsigned, signed) = bytes.fold((0_u32, 0_i32), |(u, s), b| (u + u32::from(b), s + i32::from(b.cast_signed())));
    header.cksum().is_ok_and(|stored| stored == unsigned || i32::try_from(stored).is_ok_and(|n| n == signed))
}
