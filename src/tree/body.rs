//! The bytes of one wanted file, read once and shared by every surface that wants them.

use std::{
    fs::File,
    io::{self, Read, Seek},
    os::unix::fs::MetadataExt as _,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use sha2::{Digest, Sha256};

use super::front::{FrontToBack, HostReader};
use crate::{stop::STOP, text::hex, work};

/// Bytes kept of a file for the next claimant.
const KEEP: usize = 1 << 20;
/// Bytes of a stream that may be held in memory for random access.
const HOLD: usize = 64 << 20;
/// Where more of a file is held in memory, one file at a time is: so memory does not grow with the number of workers.
const LARGE: usize = 4 << 20;

/// A larger file of which the disk holds less than a sixteenth is made of holes: hashing it could take forever.
const HOLES: u64 = 64 << 20;

static TURN: Mutex<()> = Mutex::new(());

/// Total bytes read from targets by this process.
pub static BYTES_READ: AtomicU64 = AtomicU64::new(0);

pub(super) fn count(n: usize) {
    work::done(n);
    BYTES_READ.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Reading and seeking in one object.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// Why a body is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The medium's fault.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// More bytes than the reader accepts.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Parts of the file that the disk does not hold were passed over: so many bytes.
    #[error("{0} bytes of it are holes, which were passed over")]
    Holes(u64),
}

impl BodyError {
    /// What an error of a reader says: one of these, where it is one.
    pub fn from_io(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

enum Source<'a> {
    Host(&'a File),
    Stream(&'a mut dyn Read),
}

/// What stands in the folder of a file under its name and an ending.
#[derive(Debug, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Absent,
    /// This.
    Bytes(Vec<u8>),
    /// It cannot be looked for: the file is read front to back in an archive.
    Unknown,
}

/// Looks for a file beside another by an ending, and reads at most so many bytes of it.
pub type LookBeside<'a> = dyn Fn(&str, usize) -> Result<Beside, BodyError> + 'a;

/// One file's bytes: random access on a disk, front to back in a compressed layer.
pub struct Body<'a> {
    source: Source<'a>,
    /// The first bytes of the file.
    kept: Vec<u8>,
    /// `kept` is the whole file.
    whole: bool,
    /// A stream was read past `kept`: the rest is gone.
    spent: bool,
    sha256: Option<String>,
    len: u64,
    stop: &'a AtomicBool,
    beside: Option<&'a LookBeside<'a>>,
    /// Held by a body that keeps more than `LARGE` bytes.
    turn: Option<MutexGuard<'static, ()>>,
}

impl<'a> Body<'a> {
    /// A file of the machine.
    pub fn host(file: &'a File, len: u64) -> Self {
        Self::new(Source::Host(file), len)
    }

    /// A member of an archive that is being read front to back.
    pub fn stream(reader: &'a mut dyn Read, len: u64) -> Self {
        Self::new(Source::Stream(reader), len)
    }

    fn new(source: Source<'a>, len: u64) -> Self {
        Self {
            source,
            kept: Vec::new(),
            whole: false,
            spent: false,
            sha256: None,
            len,
            stop: &STOP,
            beside: None,
            turn: None,
        }
    }

    /// The same, where something else than the user's wish ends the reading.
    pub fn until(mut self, stop: &'a AtomicBool) -> Self {
        self.stop = stop;
        self
    }

    /// With a way to the files beside it.
    pub fn with_beside(mut self, beside: &'a LookBeside<'a>) -> Self {
        self.beside = Some(beside);
        self
    }

    /// The file in the same folder whose name is this one's and an ending: `-wal`.
    ///
    /// # Errors
    /// When the medium fails, or it has more than `limit` bytes.
    pub fn beside(&self, ending: &str, limit: usize) -> Result<Beside, BodyError> {
        self.beside.map_or(Ok(Beside::Unknown), |look| look(ending, limit))
    }

    /// Reads on until `kept` holds `want` bytes or the file ends.
    fn keep(&mut self, want: usize) -> Result<(), BodyError> {
        if self.whole || self.kept.len() >= want {
            return Ok(());
        }
        if self.spent {
            return Err(BodyError::Io(io::Error::other("the stream was already consumed")));
        }
        // One byte more shows whether it ends there.
        if want > LARGE + 1 && self.turn.is_none() {
            self.keep(LARGE + 1)?;
            if self.whole {
                return Ok(());
            }
            self.turn = Some(TURN.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let missing = want.saturating_sub(self.kept.len());
        let before = self.kept.len();
        let limit = u64::try_from(missing).unwrap_or(u64::MAX);
        match &mut self.source {
            Source::Host(file) => {
                let at = u64::try_from(before).unwrap_or(u64::MAX);
                // In one read, where it is small.
                let left = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
                self.kept.reserve(left.min(missing).min(KEEP));
                HostReader::new(file, at, self.len, self.stop).take(limit).read_to_end(&mut self.kept)?;
            }
            Source::Stream(reader) => {
                reader.take(limit).read_to_end(&mut self.kept)?;
                count(self.kept.len().saturating_sub(before));
            }
        }
        self.whole = self.kept.len() < want;
        Ok(())
    }

    /// The first `limit` bytes, or fewer where the file is shorter.
    pub fn head(&mut self, limit: usize) -> Result<&[u8], BodyError> {
        self.keep(limit)?;
        Ok(self.kept.get(..limit).unwrap_or(&self.kept))
    }

    /// The whole file, if it has at most `limit` bytes.
    pub fn all(&mut self, limit: usize) -> Result<&[u8], BodyError> {
        let limit_u64 = u64::try_from(limit).unwrap_or(u64::MAX);
        if matches!(self.source, Source::Host(_)) && self.len > limit_u64 {
            return Err(BodyError::TooLarge(limit_u64));
        }
        self.keep(limit.saturating_add(1))?;
        if self.kept.len() > limit {
            return Err(BodyError::TooLarge(limit_u64));
        }
        Ok(&self.kept)
    }

    /// Random access. A stream is held in memory for it, up to 64 MiB.
    pub fn seekable(&mut self) -> Result<Box<dyn ReadSeek + '_>, BodyError> {
        if let Source::Host(file) = self.source {
            return Ok(Box::new(HostReader::new(file, 0, self.len, self.stop)));
        }
        let held = self.all(HOLD)?;
        Ok(Box::new(io::Cursor::new(held)))
    }

    /// Front to back, once. After it a stream gives only its first mebibyte, or what was kept before. Large holes of a file are one
    /// line end each; where something was left out, an error that says so comes after the last byte.
    pub fn reader(&mut self) -> Box<dyn Read + '_> {
        if let Source::Host(file) = self.source {
            return Box::new(FrontToBack::new(file, self.len, self.stop));
        }
        self.every_byte()
    }

    fn every_byte(&mut self) -> Box<dyn Read + '_> {
        if matches!(self.source, Source::Stream(_)) && !self.spent {
            // Who comes after this reader wants the start; a medium that fails does so again below.
            let _ = self.keep(KEEP);
        }
        match &mut self.source {
            Source::Host(file) => Box::new(HostReader::new(file, 0, self.len, self.stop)),
            Source::Stream(_) if self.whole => Box::new(self.kept.as_slice()),
            Source::Stream(reader) => {
                self.spent = true;
                Box::new(self.kept.as_slice().chain(Counted(reader)))
            }
        }
    }

    /// SHA-256 of the whole file in hex. The first mebibyte stays for others. Not of a large file that is nothing but holes, nor of
    /// one that grows meanwhile.
    pub fn sha256(&mut self) -> Result<String, BodyError> {
        if let Some(known) = &self.sha256 {
            return Ok(known.clone());
        }
        if let Source::Host(file) = self.source {
            let stored = file.metadata()?.blocks().saturating_mul(512);
            if self.len > HOLES && stored < self.len / 16 {
                return Err(io::Error::other("a file of holes is not hashed").into());
            }
        }
        self.keep(KEEP)?;
        let mut hash = Sha256::new();
        let mut reader = self.every_byte();
        let mut block = vec![0; 1 << 17];
        loop {
            match reader.read(&mut block) {
                Ok(0) => break,
                Ok(n) => hash.update(block.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        drop(reader);
        if let Source::Host(file) = self.source
            && file.metadata()?.len() != self.len
        {
            return Err(io::Error::other("it grew while it was read").into());
        }
        let hash = hex(&hash.finalize());
        self.sha256 = Some(hash.clone());
        Ok(hash)
    }
}

struct Counted<'a>(&'a mut dyn Read);

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buf)?;
        count(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_serves_head_all_and_hash() -> Result<(), BodyError> {
        let bytes = vec![7; 3 << 20];
        let mut source = bytes.as_slice();
        let mut body = Body::stream(&mut source, 3 << 20);
        assert_eq!(body.head(3)?, [7, 7, 7]);
        assert!(matches!(body.all(1 << 20), Err(BodyError::TooLarge(_))));
        let hash = body.sha256()?;
        assert_eq!(body.head(5)?.len(), 5);
        assert_eq!(hash, body.sha256()?);
        Ok(())
    }

    #[test]
    fn a_file_that_grows_is_not_hashed_for_ever() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &[7; 3 << 20]).unwrap();
        assert!(Body::host(&file, 3 << 20).sha256().is_ok());
        assert!(Body::host(&file, 1).sha256().is_err());
    }

    #[test]
    fn the_start_is_left_for_others_when_a_stream_was_read() -> Result<(), BodyError> {
        let bytes = vec![7; 3 << 20];
        for length in [3, 3 << 20] {
            let mut source = bytes.get(..length).unwrap_or_default();
            let mut body = Body::stream(&mut source, 0);
            assert_eq!(io::copy(&mut body.reader(), &mut io::sink())?, u64::try_from(length).unwrap_or(0));
            assert_eq!(body.head(3)?, [7, 7, 7]);
        }
        Ok(())
    }

    #[test]
    fn one_stream_at_a_time_is_held_beyond_what_each_may_hold() -> Result<(), BodyError> {
        let large = vec![7; LARGE + 1];
        let (mut first, mut second, mut small) = (large.as_slice(), large.as_slice(), &large[1..]);
        let mut first = Body::stream(&mut first, 0);
        assert_eq!(first.all(HOLD)?.len(), LARGE + 1);
        assert!(TURN.try_lock().is_err());
        // Others go on within what each may hold.
        assert_eq!(Body::stream(&mut small, 0).all(HOLD)?.len(), LARGE);
        drop(first);
        assert_eq!(Body::stream(&mut second, 0).all(HOLD)?.len(), LARGE + 1);
        Ok(())
    }
}
