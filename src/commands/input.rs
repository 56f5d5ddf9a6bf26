//! Reading the files that the user names: reports and indicators, never evidence. Whatever he named, it is read to a bound, and
//! his wish to end is heard while it is waited for.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use anyhow::{Context as _, ensure};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{self as sys, FileType, Mode, OFlags},
    io::Errno,
};

use super::output;
use crate::stop;

/// Bytes of a list of indicators; the largest public list of malicious packages has a third of it.
pub const LIST: u64 = 128 << 20;
/// Bytes of an archive of lists, which is read where it lies.
pub const ARCHIVE: u64 = 1 << 30;
/// Bytes of a report; one of 20,000 findings and 20,000 credentials has less.
pub const REPORT: u64 = 256 << 20;
/// Bytes of a key, or of a signature.
pub const KEY: u64 = 64 << 10;

/// How long a pipe is waited for between two looks at the user's wish.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Something that the user named, open.
pub struct Input {
    file: File,
    /// What it may be waited for: a pipe, or standard input.
    waits: bool,
    /// In bytes, of a regular file.
    len: Option<u64>,
}

/// Opens a file or a pipe; `-` is standard input. Devices are refused: `/dev/zero` has no end.
///
/// # Errors
/// Where it cannot be opened, or is neither.
pub fn open(path: &Path) -> anyhow::Result<Input> {
    let shown = output::shown(path);
    let fd = if path == Path::new("-") {
        rustix::io::dup(io::stdin()).context("cannot read standard input")?
    } else {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened: io::Result<OwnedFd> = sys::open(path, flags, Mode::empty()).map_err(Into::into);
        opened.with_context(|| format!("cannot open `{shown}`"))?
    };
    let stat = sys::fstat(&fd).map_err(io::Error::from).with_context(|| format!("cannot open `{shown}`"))?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let named = path != Path::new("-");
    let what = match kind {
        FileType::RegularFile | FileType::Fifo => None,
        FileType::Directory => Some("a folder"),
        FileType::CharacterDevice | FileType::BlockDevice if named => Some("a device"),
        _ if named => Some("neither a file nor a pipe"),
        _ => None,
    };
    if let Some(what) = what {
        anyhow::bail!("`{shown}` is {what}\nhint: name a file, a pipe, or `-`");
    }
    let file = File::from(fd);
    let regular = kind == FileType::RegularFile;
    let len = regular.then(|| file.metadata().map(|m| m.len())).transpose().context("cannot read it")?;
    Ok(Input { file, waits: !regular, len })
}

impl Input {
    /// The file itself, where it can be read at any place.
    pub fn regular(&self) -> Option<(&File, u64)> {
        Some((&self.file, self.len?))
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            stop::check()?;
            if self.waits {
                let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
                match poll(&mut fds, Some(&PATIENCE)) {
                    // Nobody has written yet.
                    Ok(0) | Err(Errno::INTR) => continue,
                    Ok(_) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            match rustix::io::read(self.file.as_fd(), &mut *buf) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other.map_err(Into::into),
            }
        }
    }
}

/// The bytes of a file, at most `limit` of them.
///
/// # Errors
/// Where it cannot be read, or is larger.
pub fn bytes(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    read_whole(open(path)?, path, limit)
}

/// The same, of what is open.
///
/// # Errors
/// Where it cannot be read, or is larger.
pub fn read_whole(mut input: Input, path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let shown = output::shown(path);
    let size = |bytes: u64| if bytes < 1 << 20 { format!("{} KB", bytes >> 10) } else { format!("{} MB", bytes >> 20) };
    let larger = || format!("`{shown}` is larger than {}", size(limit));
    ensure!(input.len.is_none_or(|len| len <= limit), larger());
    let mut bytes = Vec::with_capacity(usize::try_from(input.len.unwrap_or(0)).unwrap_or(0));
    let read =
        (&mut input).take(limit + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read `{shown}`"))?;
    ensure!(u64::try_from(read).is_ok_and(|r| r <= limit), larger());
    Ok(bytes)
}

/// The text of a file; `-` is standard input.
///
/// # Errors
/// Where it cannot be read, is too large, or is not UTF-8.
pub fn text(path: &Path, limit: u64) -> anyhow::Result<String> {
    String::from_utf8(bytes(path, limit)?).with_context(|| format!("cannot read `{}`", output::shown(path)))
}

/// Lets pass no more than so many bytes and commas: a value of JSON needs one, so that what is made of a text stays in proportion.
pub struct Bounded<R> {
    inner: R,
    bytes: u64,
    values: u64,
}

impl<R: Read> Bounded<R> {
    /// `bytes` and `values` are what may pass.
    pub fn new(inner: R, bytes: u64, values: u64) -> Self {
        Self { inner, bytes, values }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        let block = buf.get(..n).unwrap_or_default();
        let commas = memchr::memchr_iter(b',', block).count();
        let less = |left: u64, n: usize| left.checked_sub(u64::try_from(n).unwrap_or(u64::MAX));
        let too = |what: &str| io::Error::new(io::ErrorKind::FileTooLarge, what);
        self.bytes = less(self.bytes, n).ok_or_else(|| too("larger than any report"))?;
        self.values = less(self.values, commas).ok_or_else(|| too("more values than any report has"))?;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // a file of its own
    fn what_has_no_end_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let why = |path: &Path, limit| format!("{:#}", bytes(path, limit).unwrap_err());
        assert_eq!(why(&path, LIST), format!("`{}` is larger than 128 MB", path.display()));
        assert!(why(Path::new("/dev/zero"), LIST).starts_with("`/dev/zero` is a device\nhint: "));
        assert!(why(folder.path(), LIST).contains("is a folder"));
        std::fs::write(&path, [b'x'; 9]).unwrap();
        assert_eq!(bytes(&path, 9).unwrap().len(), 9);
        assert!(why(&path, 8).contains("is larger than 0 KB"));
    }

    #[test]
    fn a_text_of_nothing_but_values_is_cut() {
        let text = format!("[{}0]", "0,".repeat(100));
        let read = |bytes, values| {
            let mut all = Vec::new();
            Bounded::new(text.as_bytes(), bytes, values).read_to_end(&mut all)
        };
        assert!(read(1000, 100).is_ok());
        assert!(read(1000, 99).is_err() && read(100, 100).is_err());
    }
}
