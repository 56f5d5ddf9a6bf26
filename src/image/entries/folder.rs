//! A layer that an engine unpacked: a folder on disk, front to back, each folder before what is in it, names in the order of their
//! bytes. Nothing is opened through a link, nor a device, a FIFO or a socket, nor what is mounted inside.
//!
//! ```text
//! a           character device 0:0 of an overlay: `a` of lower layers is gone
//! b/          attribute `overlay.opaque` = y: what lower layers have in `b` is gone
//! c/.wh.d     of fuse-overlayfs and vfs: `c/d` of lower layers is gone
//! ```
//!
//! A driver without layers keeps each of them as a whole copy of the file system. Of such a copy this gives what its layer changed:
//! the names that the engine wrote down when it unpacked the layer, or, where it wrote none (the layer of a container), what differs
//! from the copy below by kind, owner, mode, size, time of modification or target, with a whiteout for what is gone. A file that was
//! replaced by one of the same size, and with its time put back, is not seen there.

mod body;
mod changes;
mod marks;
mod split;
#[cfg(test)]
mod tests;

use std::{io, io::Read, os::fd::OwnedFd, vec};

use jiff::Timestamp;
use rustix::{
    fs::{self as sys, FileType, Stat},
    io::Errno,
};

pub(in crate::image) use self::{body::Lower, split::Split};
use self::{body::OpenedFile, changes::Below, marks::Marks};
use super::{Entries, Kind, Member};
use crate::{
    image::source::disk::{self, LONGEST, Mounts},
    stop,
    surface::Flaw,
};

/// Names that wait to be looked at, in all open folders.
const WAITING: usize = 2_000_000;
/// Their bytes.
const WAITING_BYTES: usize = 128 << 20;
/// Folders inside folders.
const DEPTH: usize = 1024;
/// Folders that stay open while others inside them are read.
const OPEN: usize = 32;
/// Problems that are listed one by one.
const LISTED: usize = 1000;

/// What of a folder belongs to the layer.
pub(in crate::image) enum Form {
    /// All of it, and the marks of an overlay say what is gone.
    Overlay(Lower),
    /// All of it.
    Files,
    /// The names that the engine wrote down, of a copy of the whole file system.
    Listed(Split),
    /// What differs from this folder, of a copy of the whole file system.
    Changed(OwnedFd),
}

/// Reads a folder.
pub(in crate::image) struct Folder {
    root: OwnedFd,
    form: Form,
    stack: Vec<Level>,
    /// Entries that come before the next name.
    ready: Vec<Member>,
    /// The file that `next` gave.
    current: Option<Vec<u8>>,
    opened: Option<Result<OpenedFile, ()>>,
    waiting: usize,
    waiting_bytes: usize,
    unread: Vec<(Vec<u8>, Flaw)>,
    /// How many more there were.
    unlisted: u64,
}

/// A folder that is being read.
struct Level {
    path: Vec<u8>,
    /// Closed while many folders inside it are open.
    fd: Option<OwnedFd>,
    /// Names that the copy below has, and this one has not.
    gone: vec::IntoIter<Vec<u8>>,
    names: vec::IntoIter<Vec<u8>>,
    /// It holds whiteouts that are files with an attribute.
    holds_whiteouts: bool,
    /// The same folder of the copy below.
    below: Option<Below>,
}

impl Folder {
    /// Reads this folder.
    pub(in crate::image) fn new(root: OwnedFd, form: Form) -> Result<Self, Flaw> {
        let mut folder = Self {
            root,
            form,
            stack: Vec::new(),
            ready: Vec::new(),
            current: None,
            opened: None,
            waiting: 0,
            waiting_bytes: 0,
            unread: Vec::new(),
            unlisted: 0,
        };
        let top = disk::folder(&folder.root, b"", Mounts::Refuse).map_err(io::Error::from)?;
        if let (Form::Overlay(_), Ok(stat)) = (&folder.form, sys::fstat(&top))
            && marks::may_be_unseen(&stat)
        {
            folder.unread.push((
                Vec::new(),
                Flaw::Unsupported("reading the marks of an overlay without root's rights (CAP_SYS_ADMIN)"),
            ));
        }
        let below = match &folder.form {
            Form::Changed(below) => Some(Below::top(below).map_err(io::Error::from)?),
            _ => None,
        };
        if let Form::Listed(split) = &mut folder.form {
            folder.ready = split.take_whiteouts().into_iter().rev().map(|path| bare(path, Kind::File)).collect();
        }
        folder.enter(Vec::new(), top, below);
        Ok(folder)
    }

    /// Says of the layer itself that something of it cannot be read.
    pub(in crate::image) fn note(&mut self, flaw: Flaw) {
        self.problem(Vec::new(), flaw);
    }

    /// Lists an open folder, whose names come next.
    fn enter(&mut self, path: Vec<u8>, fd: OwnedFd, mut below: Option<Below>) {
        let mut marks = Marks::default();
        if matches!(self.form, Form::Overlay(_)) {
            match Marks::of(&fd) {
                Ok(read) => marks = read,
                Err(e) => self.problem(path.clone(), io::Error::from(e).into()),
            }
            if marks.redirect.is_some() {
                self.problem(path.clone(), Flaw::Unsupported("a folder that has another name in lower layers"));
            }
            if marks.opaque {
                self.ready.push(bare(path.clone(), Kind::Opaque));
            }
        }
        let budget = WAITING.saturating_sub(self.waiting).min(disk::NAMES);
        let (mut names, mut more) = disk::list(&fd, budget).unwrap_or_else(|e| {
            self.problem(path.clone(), io::Error::from(e).into());
            (Vec::new(), false)
        });
        let mut bytes = names.iter().map(Vec::len).sum::<usize>();
        if self.waiting_bytes.saturating_add(bytes) > WAITING_BYTES {
            (names, bytes, more) = (Vec::new(), 0, true);
        }
        if more {
            self.problem(path.clone(), Flaw::malformed("layer", "a folder has more names than are read"));
        }
        let gone = match &mut below {
            Some(below) if !more => below.gone(&names),
            _ => Vec::new(),
        };
        self.waiting += names.len();
        self.waiting_bytes += bytes;
        if let Some(far) = self.stack.len().checked_sub(OPEN).and_then(|at| self.stack.get_mut(at)) {
            far.fd = None;
        }
        let holds_whiteouts = marks.holds_whiteouts;
        self.stack.push(Level {
            path,
            fd: Some(fd),
            gone: gone.into_iter(),
            names: names.into_iter(),
            holds_whiteouts,
            below,
        });
    }

    fn problem(&mut self, path: Vec<u8>, flaw: Flaw) {
        if self.unread.len() < LISTED {
            self.unread.push((path, flaw));
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    /// The next name of the innermost folder.
    fn step(&mut self) -> Option<Option<Member>> {
        let level = self.stack.last_mut()?;
        if let Some(name) = level.gone.next() {
            return Some(Some(bare(joined(&level.path, &name), Kind::Whiteout)));
        }
        let Some(name) = level.names.next() else {
            self.stack.pop();
            return Some(None);
        };
        self.waiting = self.waiting.saturating_sub(1);
        self.waiting_bytes = self.waiting_bytes.saturating_sub(name.len());
        let path = joined(&level.path, &name);
        Some(match self.look(&name, &path) {
            Ok(member) => member,
            // It went while the folder was read.
            Err(Flaw::Io(e)) if e.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => None,
            Err(flaw) => {
                self.problem(path, flaw);
                None
            }
        })
    }

    fn look(&mut self, name: &[u8], path: &[u8]) -> Result<Option<Member>, Flaw> {
        if path.len() > LONGEST {
            return Err(io::Error::from(Errno::NAMETOOLONG).into());
        }
        let depth = self.stack.len();
        let Some(level) = self.stack.last_mut() else {
            return Ok(None);
        };
        let folder = match level.fd.take() {
            Some(fd) => fd,
            None => disk::folder(&self.root, &level.path, Mounts::Refuse).map_err(io::Error::from)?,
        };
        let folder = &*level.fd.insert(folder);
        let stat = disk::stat(folder, name).map_err(io::Error::from)?;
        let overlay = matches!(self.form, Form::Overlay(_));
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if overlay && level.holds_whiteouts && stat.st_size == 0 => {
                let file = disk::file(folder, name, Mounts::Refuse).map_err(io::Error::from)?;
                let marks = Marks::of(&file).map_err(io::Error::from)?;
                if marks.whiteout { Kind::Whiteout } else { Kind::File }
            }
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Dir,
            FileType::Symlink => {
                Kind::Symlink(sys::readlinkat(folder, name, Vec::new()).map_err(io::Error::from)?.into_bytes())
            }
            FileType::CharacterDevice if overlay && stat.st_rdev == 0 => Kind::Whiteout,
            _ => Kind::Other,
        };
        let mut below = level.below.as_mut().map(|below| below.find(name));
        let changed = below.as_ref().is_none_or(|below| below.differs(&stat, &kind));
        let inner = match &mut below {
            Some(below) if kind == Kind::Dir => below.folder(),
            _ => Ok(None),
        };
        let belongs = match &self.form {
            Form::Listed(split) => split.has(path),
            _ => changed,
        };
        if kind == Kind::Dir {
            if depth >= DEPTH {
                return Err(Flaw::malformed("layer", "folders are nested too deeply"));
            }
            let opened = disk::folder(folder, name, Mounts::Refuse);
            match opened {
                Ok(fd) => {
                    let inner = inner.map_err(io::Error::from)?;
                    // Without it, all that is in the folder is new.
                    self.enter(path.to_vec(), fd, inner);
                }
                Err(Errno::XDEV) => {
                    self.problem(path.to_vec(), Flaw::Unsupported("a file system that is mounted inside a layer"));
                }
                Err(e) => self.problem(path.to_vec(), io::Error::from(e).into()),
            }
        }
        if kind == Kind::File {
            self.current = Some(path.to_vec());
        }
        Ok(belongs.then(|| member(path.to_vec(), kind, &stat)))
    }
}

impl Entries for Folder {
    fn next(&mut self) -> Result<Option<Member>, Flaw> {
        (self.current, self.opened) = (None, None);
        loop {
            stop::check()?;
            if let Some(member) = self.ready.pop() {
                return Ok(Some(member));
            }
            match self.step() {
                None => return Ok(None),
                Some(None) => self.current = None,
                // What a folder says about lower layers comes behind its own entry.
                Some(Some(member)) => return Ok(Some(member)),
            }
        }
    }

    fn body(&mut self) -> &mut dyn Read {
        self
    }

    fn unread(&mut self) -> Vec<(Vec<u8>, Flaw)> {
        let mut unread = std::mem::take(&mut self.unread);
        if std::mem::take(&mut self.unlisted) > 0 {
            unread.push((Vec::new(), Flaw::malformed("layer", "more of its entries cannot be read than are listed")));
        }
        unread
    }
}

/// The bytes of the file that `next` gave, which is opened by the first read.
impl Read for Folder {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(path) = &self.current else {
            return Ok(0);
        };
        if self.opened.is_none() {
            let lower = if let Form::Overlay(lower) = &self.form { Some(lower) } else { None };
            match OpenedFile::new(&self.root, path, lower) {
                Ok(file) => self.opened = Some(Ok(file)),
                Err(e) => {
                    self.opened = Some(Err(()));
                    let path = path.clone();
                    let listed = io::Error::new(e.kind(), e.to_string());
                    self.problem(path, e.raw_os_error().map_or(listed, io::Error::from_raw_os_error).into());
                    return Err(e);
                }
            }
        }
        match &mut self.opened {
            Some(Ok(file)) => file.read(into),
            _ => Err(io::Error::other("the file cannot be opened")),
        }
    }
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

/// An entry that says something about lower layers alone.
fn bare(path: Vec<u8>, kind: Kind) -> Member {
    Member { path, kind, len: 0, mtime: None, uid: None, gid: None, mode: None }
}

fn member(path: Vec<u8>, kind: Kind, stat: &Stat) -> Member {
    let len = if kind == Kind::File { u64::try_from(stat.st_size).unwrap_or_default() } else { 0 };
    let nanoseconds = i32::try_from(stat.st_mtime_nsec).ok();
    Member {
        path,
        kind,
        len,
        mtime: nanoseconds.and_then(|n| Timestamp::new(stat.st_mtime, n).ok()),
        uid: Some(stat.st_uid),
        gid: Some(stat.st_gid),
        mode: Some(stat.st_mode & 0o7777),
    }
}
