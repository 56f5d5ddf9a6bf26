//! Where a file of `-o` may stand: never in the evidence, never through a link, never in place of something that is none of ours.

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
};

use anyhow::bail;
use rustix::{
    fs::{self as sys, FileType, Mode, OFlags, Stat},
    io::Errno,
};

use super::shown;

/// Whether the start of a file is one that this command writes.
pub type Ours = fn(&[u8]) -> bool;

/// Where the two streams of a process stand. Links that containers have for log files lead there.
const STREAMS: &[(&str, Stream)] = &[
    ("/dev/stdout", Stream::Out),
    ("/dev/stderr", Stream::Err),
    ("/dev/fd/1", Stream::Out),
    ("/dev/fd/2", Stream::Err),
    ("/proc/self/fd/1", Stream::Out),
    ("/proc/self/fd/2", Stream::Err),
];
/// Enough to recognise a file of ours by.
const HEAD: u64 = 64 << 10;
const FORCE: &str = "`--force-output` writes there all the same";

/// A stream of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// How a place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A new file takes the place of the old one.
    File,
    /// A pipe or device; a link, where the user insists.
    Through,
    /// An open stream.
    Stream(Stream),
}

/// A place that was checked.
#[derive(Debug, Clone)]
pub struct Place {
    named: PathBuf,
    real: Option<PathBuf>,
    kind: Kind,
}

impl Place {
    /// Checks what the user named with `-o`, before anything is read. `evidence` are the files and folders named on the same
    /// command line; what `ours` knows may be replaced; `force` leaves only what cannot be written at all.
    ///
    /// # Errors
    /// Why nothing shall be written there.
    pub fn check(path: &Path, evidence: &[PathBuf], ours: Ours, force: bool) -> anyhow::Result<Self> {
        if let Some(stream) = stream(path) {
            return Ok(Self { named: path.to_owned(), real: None, kind: Kind::Stream(stream) });
        }
        let (Some(name), folder) = (path.file_name(), folder(path)) else {
            bail!("`{}` is a folder\nhint: name a file", shown(path));
        };
        let Some(real) = real(folder).filter(|f| sys::access(f, sys::Access::WRITE_OK).is_ok()) else {
            bail!("cannot write in `{}`\nhint: name a folder that exists and that you may write to", shown(folder));
        };
        let there = sys::lstat(path).ok();
        let kind = match there.as_ref().map(|s| FileType::from_raw_mode(s.st_mode)) {
            Some(FileType::Directory) => bail!("`{}` is a folder\nhint: name a file", shown(path)),
            None | Some(FileType::RegularFile) => Kind::File,
            Some(_) => Kind::Through,
        };
        let place = Self { named: path.to_owned(), real: Some(real.join(name)), kind };
        if !force {
            place.refuse_evidence(&real, there.as_ref(), evidence)?;
            place.refuse_other(there.as_ref(), ours)?;
        }
        Ok(place)
    }

    /// Whether the user named one of the streams.
    pub fn is_stream(path: &Path) -> bool {
        stream(path).is_some()
    }

    /// As the user wrote it.
    pub fn named(&self) -> &Path {
        &self.named
    }

    /// Its folder without links, and its name; `None` for a stream.
    pub fn real(&self) -> Option<&Path> {
        self.real.as_deref()
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// By device and number, not by name: whatever links, mounts, `..` or spellings lead there.
    fn refuse_evidence(&self, folder: &Path, there: Option<&Stat>, evidence: &[PathBuf]) -> anyhow::Result<()> {
        for named in evidence {
            if holds(named, folder, there) {
                bail!(
                    "`{}` is part of `{}`, which is evidence\nhint: name a place outside it; {FORCE}",
                    shown(&self.named),
                    shown(named)
                );
            }
        }
        Ok(())
    }

    fn refuse_other(&self, there: Option<&Stat>, ours: Ours) -> anyhow::Result<()> {
        let shown = shown(&self.named);
        match there.map(|s| (FileType::from_raw_mode(s.st_mode), s.st_size)) {
            Some((FileType::Symlink, _)) => bail!("`{shown}` is a link\nhint: name what it leads to; {FORCE}"),
            Some((FileType::BlockDevice | FileType::Socket, _)) => {
                bail!("`{shown}` is no file\nhint: name a new file; {FORCE}")
            }
            Some((FileType::RegularFile, size)) if size > 0 && !self.is_ours(ours) => {
                bail!("`{shown}` exists and was not written by this program\nhint: name a new file; {FORCE}")
            }
            _ => Ok(()),
        }
    }

    /// Whether what stands there was written by this program. What cannot be read was not.
    fn is_ours(&self, ours: Ours) -> bool {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let Some(Ok(fd)) = self.real().map(|path| sys::open(path, flags, Mode::empty())) else {
            return false;
        };
        let mut head = Vec::new();
        let read = File::from(fd).take(HEAD).read_to_end(&mut head);
        read.is_ok() && ours(&head)
    }

    /// For writing through. What has become a link since it was looked at is not followed, unless the user insists.
    pub(super) fn open(&self) -> io::Result<File> {
        let (Some(path), Kind::Through) = (self.real(), self.kind) else {
            return Ok(File::from(match self.kind {
                Kind::Stream(Stream::Err) => io::stderr().as_fd().try_clone_to_owned()?,
                _ => io::stdout().as_fd().try_clone_to_owned()?,
            }));
        };
        let link = sys::lstat(path).is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Symlink);
        let follow = if link { OFlags::TRUNC } else { OFlags::NOFOLLOW };
        Ok(File::from(sys::open(path, OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC | follow, Mode::empty())?))
    }
}

/// Whether a file is what was named, or stands in a folder below it. By device and number.
pub fn is_within(path: &Path, named: &Path) -> bool {
    real(folder(path)).is_some_and(|folder| holds(named, &folder, sys::stat(path).ok().as_ref()))
}

fn holds(named: &Path, folder: &Path, file: Option<&Stat>) -> bool {
    let Ok(stat) = sys::stat(named) else {
        return false;
    };
    let mut all = folder.ancestors().filter_map(|f| sys::stat(f).ok()).chain(file.copied());
    all.any(|s| id(&s) == id(&stat))
}

fn id(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a folder of the user's really is.
#[allow(clippy::disallowed_methods)] // no evidence: a place for our own file
fn real(folder: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(folder).ok()
}

fn stream(path: &Path) -> Option<Stream> {
    let known = |path: &Path| STREAMS.iter().find(|(name, _)| Path::new(name) == path).map(|(_, stream)| *stream);
    let link = || -> Result<Option<Stream>, Errno> {
        let target = sys::readlink(path, Vec::new())?;
        Ok(target.to_str().ok().and_then(|target| known(Path::new(target))))
    };
    known(path).or_else(|| link().ok().flatten())
}
