//! The examiner's own inputs: a saved image file, or a folder in the OCI layout. Opened read-only, with `O_NOATIME` where the
//! kernel allows it. They are not the suspect system, but they may be the only copy of the evidence.

use std::{
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::FileExt as _,
    },
    path::Path,
    sync::Arc,
};

use rustix::{
    fs::{self as sys, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use crate::tree;

const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
const BUFFER: usize = 1 << 17;

/// What the caller named.
pub(super) enum Input {
    /// A regular file.
    File(Arc<File>, u64),
    /// A folder.
    Folder(OwnedFd),
}

/// Opens what the caller named; links are followed, as with any file that a user names.
pub(super) fn open_input(path: &Path) -> io::Result<Input> {
    let fd = unless_refused(|flags| sys::open(path, READ | flags, Mode::empty()))?;
    let file = File::from(fd);
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Ok(Input::Folder(file.into()));
    }
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a regular file nor a folder"));
    }
    Ok(Input::File(Arc::new(file), meta.len()))
}

/// A regular file below a folder, whatever links it holds; `None` where there is none. It is looked at before it is opened.
pub(super) fn open_below(folder: &OwnedFd, name: &[u8]) -> io::Result<Option<(File, u64)>> {
    let file = match tree::open::file(folder.as_fd(), name, ResolveFlags::BENEATH, |_| Ok(())) {
        Ok((fd, _)) => File::from(fd),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NXIO) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let meta = file.metadata()?;
    Ok(meta.is_file().then_some((file, meta.len())))
}

fn unless_refused(open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    match open(OFlags::NOATIME) {
        Err(Errno::PERM) => open(OFlags::empty()),
        other => other,
    }
}

/// Bytes front to back, where passing over some may be cheaper than reading them.
pub(super) trait Bytes: Read + Send {
    /// Passes over `n` bytes.
    fn skip(&mut self, n: u64) -> io::Result<()>;
}

impl<B: Bytes + ?Sized> Bytes for &mut B {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        (**self).skip(n)
    }
}

/// Passes over `n` bytes by reading them.
pub(super) fn read_past(source: &mut (impl Read + ?Sized), n: u64) -> io::Result<()> {
    if io::copy(&mut source.take(n), &mut io::sink())? < n {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// A part of a file, read by position, so that several threads can read one file.
pub(super) struct Section {
    file: Arc<File>,
    /// Where the next bytes of the file are read from.
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    taken: usize,
}

impl Section {
    pub(super) fn new(file: Arc<File>, start: u64, len: u64) -> Self {
        Self { file, at: start, end: start.saturating_add(len), buffer: Vec::new(), taken: 0 }
    }

    /// The same bytes from here on, to be read once more.
    pub(super) fn again(&self) -> Self {
        let left = self.left();
        Self::new(self.file.clone(), self.end.saturating_sub(left), left)
    }

    /// Bytes still to be read.
    pub(super) fn left(&self) -> u64 {
        let ready = to_u64(self.buffer.len().saturating_sub(self.taken));
        self.end.saturating_sub(self.at).saturating_add(ready)
    }

    fn fill(&mut self) -> io::Result<()> {
        let left = self.end.saturating_sub(self.at);
        let want = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
        self.buffer.resize(want, 0);
        self.taken = 0;
        let n = loop {
            match self.file.read_at(&mut self.buffer, self.at) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        // On failure nothing of the old content may be taken for new.
        self.buffer.truncate(*n.as_ref().unwrap_or(&0));
        let n = n?;
        if n == 0 && want > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = self.at.saturating_add(to_u64(n));
        Ok(())
    }
}

impl Read for Section {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.buffer.len() {
            self.fill()?;
        }
        let ready = self.buffer.get(self.taken..).unwrap_or_default();
        let n = ready.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.taken += n;
        Ok(n)
    }
}

impl Bytes for Section {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        let ready = to_u64(self.buffer.len().saturating_sub(self.taken));
        match n.checked_sub(ready) {
            None | Some(0) => self.taken = self.taken.saturating_add(usize::try_from(n).unwrap_or(usize::MAX)),
            Some(ahead) => {
                self.buffer.clear();
                self.taken = 0;
                if ahead > self.end.saturating_sub(self.at) {
                    self.at = self.end;
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.at = self.at.saturating_add(ahead);
            }
        }
        Ok(())
    }
}

/// A length as it is counted in files.
pub(super) fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn nothing_but_files_inside_is_opened_below_a_folder() {
        let folder = tempfile::TempDir::new().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("file"), "abc").unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        sys::mknodat(sys::CWD, folder.path().join("fifo"), fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        for (to, name) in [("file", "link"), ("/dev/null", "device"), ("/etc/passwd", "out"), ("loop", "loop")] {
            symlink(to, folder.path().join(name)).unwrap();
        }
        let own: OwnedFd = File::open(folder.path()).unwrap().into();
        let len = |name: &str| open_below(&own, name.as_bytes()).unwrap().map(|(_, len)| len);
        assert_eq!((len("file"), len("link")), (Some(3), Some(3)));
        for name in ["fifo", "device", "out", "loop", "inner", "nothing", "file/below"] {
            assert_eq!(len(name), None, "{name}");
        }
    }
}
