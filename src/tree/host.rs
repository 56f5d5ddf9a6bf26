//! The live machine, a mounted disk, or a folder of evidence. Every folder is opened below the root's descriptor with
//! `openat2(RESOLVE_NO_SYMLINKS)`, so no link, however it changes while we look, leads the walk out of the root; a wanted file
//! that is a link is resolved by the kernel as if the root were `/` (`RESOLVE_IN_ROOT`), or not at all beyond the folder
//! that was asked for (`RESOLVE_BENEATH`).

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use rustix::{
    fs::{self as sys, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, StatxFlags},
    io::Errno,
};

use super::{Body, Entry, Kind, Visit, mounts::Skip};
use crate::{
    coverage::{Exclusion, Gap, GapKind},
    fact::{Origin, TreePath, parent},
};

const DIR: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
/// Folders deeper than this are a gap: the kernel's own limit on a path is near.
const MAX_PATH: usize = 4000;

/// A tree on this machine.
pub struct Host {
    label: Arc<str>,
    root: OwnedFd,
    /// Path of `root` as reports show it.
    prefix: TreePath,
    links: ResolveFlags,
    skips: HashMap<TreePath, Skip>,
}

impl Host {
    /// The tree below `root`. Reports show paths below `prefix`: empty for a mounted disk, the folder's own path for a folder
    /// of this machine. `leave_out` are mount points in the tree.
    ///
    /// # Errors
    /// Where `root` cannot be opened as a folder: the caller's fault.
    pub fn open(label: &str, root: &Path, prefix: TreePath, leave_out: HashMap<TreePath, Skip>) -> io::Result<Self> {
        let beneath = !prefix.as_bytes().is_empty();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = sys::open(root, flags | OFlags::NOATIME, Mode::empty())
            .or_else(|_| sys::open(root, flags, Mode::empty()))?;
        Ok(Self {
            label: label.into(),
            root,
            prefix,
            links: if beneath { ResolveFlags::BENEATH } else { ResolveFlags::IN_ROOT },
            skips: leave_out,
        })
    }

    /// The tree's name in reports.
    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// The start of a small file of the tree, links resolved inside it; `None` where it cannot be read.
    pub fn read(&self, path: &TreePath, limit: u64) -> Option<Vec<u8>> {
        use io::Read as _;
        let fd = self.open_file(self.root.as_fd(), path.as_bytes(), self.links).ok()?.0;
        let file = File::from(fd);
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// SHA-256 in hex and size in bytes of a file, by its path as reports show it; `None` where no regular file is there.
    ///
    /// # Errors
    /// Where there is one and it cannot be read.
    pub fn sha256_shown(&self, path: &TreePath) -> io::Result<Option<(String, u64)>> {
        let Some(below) = path.below(&self.prefix).and_then(TreePath::new) else {
            return Ok(None);
        };
        let fd = match self.open_file(self.root.as_fd(), below.as_bytes(), self.links) {
            Ok((fd, _)) => fd,
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::NOTDIR | Errno::XDEV) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let file = File::from(fd);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let sha256 = Body::host(&file, metadata.len()).sha256().map_err(io::Error::other)?;
        Ok(Some((sha256, metadata.len())))
    }

    /// Names of a folder of the tree; empty where it cannot be read.
    pub fn list(&self, path: &TreePath) -> Vec<Vec<u8>> {
        let mut names = Vec::new();
        if let Ok((fd, _)) = self.open_dir(path) {
            let _ = each_name(&fd, &mut |name, _| names.push(name.to_vec()));
        }
        names
    }

    /// Tells `visit` of everything below `starts`, in that order; a start inside an earlier one is not visited twice, and a
    /// later start leaves out the earlier ones. Ends early when `stop` is set.
    pub fn walk<V: Visit>(&self, visit: &V, starts: &[TreePath], threads: usize, stop: &AtomicBool) {
        let mut done: HashSet<TreePath> = HashSet::new();
        for start in starts {
            if done.iter().any(|d| start.is_within(d)) {
                continue;
            }
            let queue = Queue::new(start.clone());
            std::thread::scope(|scope| {
                for _ in 0..threads.max(1) {
                    scope.spawn(|| {
                        let mut buffer = Vec::with_capacity(1 << 16);
                        while let Some(folder) = queue.next(stop) {
                            let mut below = Vec::new();
                            self.folder(visit, &folder, &done, &mut below, &mut buffer);
                            queue.finished(below);
                        }
                    });
                }
            });
            done.insert(start.clone());
        }
    }

    /// Tells `visit` of these files only, where it wants them.
    pub fn visit_files<V: Visit>(&self, visit: &V, files: &[TreePath]) {
        for path in files {
            let parent = path.parent();
            let folder = visit.folder(&self.shown(&parent));
            visit.seen(1);
            if !visit.wants(&folder, path.name()) {
                continue;
            }
            match self.open_dir(&parent) {
                Ok((fd, _)) => {
                    let kind = kind_of(fd.as_fd(), path.name());
                    self.file(visit, fd.as_fd(), path.clone(), path.name(), kind);
                }
                Err(Errno::NOENT) => {}
                Err(e) => visit.gap(self.gap(path, e)),
            }
        }
    }

    fn folder<V: Visit>(
        &self,
        visit: &V,
        path: &TreePath,
        done: &HashSet<TreePath>,
        below: &mut Vec<TreePath>,
        buffer: &mut Vec<u8>,
    ) {
        if let Some(skip) = self.skips.get(path) {
            visit.exclude(Exclusion { origin: self.origin(path), reason: skip.reason().to_owned() });
            return;
        }
        let fd = match self.open_dir(path) {
            Ok((fd, kept)) => {
                if !kept {
                    visit.atime_changed();
                }
                fd
            }
            // Gone, or replaced by a link, since it was listed.
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => return,
            Err(e) => return visit.gap(self.gap(path, e)),
        };
        let folder = visit.folder(&self.shown(path));
        let mut names = 0;
        let mut wanted: Vec<(Vec<u8>, Kind)> = Vec::new();
        buffer.clear();
        let listed = each_name_in(&fd, buffer, &mut |name, kind| {
            names += 1;
            let kind = kind.unwrap_or_else(|| kind_of(fd.as_fd(), name));
            match kind {
                Kind::Dir => {
                    let child = path.join(name);
                    if !done.contains(&child) {
                        below.push(child);
                    }
                }
                Kind::File | Kind::Symlink => {
                    if visit.wants(&folder, name) {
                        wanted.push((name.to_vec(), kind));
                    }
                }
                Kind::Other => {}
            }
        });
        visit.seen(names);
        if let Err(e) = listed {
            visit.gap(self.gap(path, e));
        }
        // The walk's queue is last in, first out; names in order make the work the same from run to run.
        below.sort_unstable_by(|a, b| b.cmp(a));
        for (name, kind) in wanted {
            self.file(visit, fd.as_fd(), path.join(&name), &name, kind);
        }
    }

    fn file<V: Visit>(&self, visit: &V, folder: BorrowedFd<'_>, path: TreePath, name: &[u8], kind: Kind) {
        let opened = if kind == Kind::Symlink {
            self.open_file(self.root.as_fd(), path.as_bytes(), self.links)
        } else {
            open_plain(folder, name)
        };
        let (fd, kept) = match opened {
            Ok(opened) => opened,
            // Gone since it was listed; a dangling link; a socket (ENXIO) that took a file's place; a process that ended.
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::NOTDIR | Errno::SRCH) => return,
            Err(Errno::XDEV) if kind == Kind::Symlink => {
                return visit.exclude(Exclusion {
                    origin: self.origin(&path),
                    reason: "link that leads out of the examined folder".to_owned(),
                });
            }
            Err(e) => return visit.gap(self.gap(&path, e)),
        };
        let stat = match sys::statx(&fd, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::BTIME) {
            Ok(stat) => stat,
            Err(e) => return visit.gap(self.gap(&path, e)),
        };
        if FileType::from_raw_mode(u32::from(stat.stx_mode)) != FileType::RegularFile {
            return;
        }
        if !kept {
            visit.atime_changed();
        }
        let has_birth = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::BTIME);
        let entry = Entry {
            path: self.shown(&path),
            len: stat.stx_size,
            mtime: timestamp(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            btime: timestamp(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec).filter(|_| has_birth),
            uid: Some(stat.stx_uid),
            gid: Some(stat.stx_gid),
            mode: Some(u32::from(stat.stx_mode) & 0o7777),
        };
        let file = File::from(fd);
        visit.file(&entry, &mut Body::host(&file, stat.stx_size));
    }

    /// `path` as reports show it.
    fn shown(&self, path: &TreePath) -> TreePath {
        if self.prefix.as_bytes().is_empty() {
            return path.clone();
        }
        if path.as_bytes().is_empty() {
            return self.prefix.clone();
        }
        self.prefix.join(path.as_bytes())
    }

    fn origin(&self, path: &TreePath) -> Origin {
        Origin::file(&self.label, self.shown(path))
    }

    fn gap(&self, path: &TreePath, error: Errno) -> Gap {
        Gap { origin: self.origin(path), surface: "walk", kind: GapKind::Unreadable, detail: reason(error) }
    }

    /// A folder, and whether its access time is safe.
    fn open_dir(&self, path: &TreePath) -> Result<(OwnedFd, bool), Errno> {
        let raw = path.as_bytes();
        if raw.len() > MAX_PATH {
            return Err(Errno::NAMETOOLONG);
        }
        let raw = if raw.is_empty() { b".".as_slice() } else { raw };
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::BENEATH;
        match unless_refused(|flags| sys::openat2(&self.root, raw, DIR | flags, Mode::empty(), resolve)) {
            Err(Errno::NOSYS) => self.open_dir_stepwise(path),
            opened => opened,
        }
    }

    /// For kernels before 5.6: one component at a time, none of which may be a link.
    fn open_dir_stepwise(&self, path: &TreePath) -> Result<(OwnedFd, bool), Errno> {
        let mut at: Option<(OwnedFd, bool)> = None;
        for name in path.components() {
            let folder = at.as_ref().map_or(self.root.as_fd(), |(fd, _)| fd.as_fd());
            let next = unless_refused(|flags| sys::openat(folder, name, DIR | flags, Mode::empty()))?;
            at = Some(next);
        }
        match at {
            Some(opened) => Ok(opened),
            None => unless_refused(|flags| sys::openat(&self.root, b".".as_slice(), DIR | flags, Mode::empty())),
        }
    }

    fn open_file(&self, at: BorrowedFd<'_>, path: &[u8], resolve: ResolveFlags) -> Result<(OwnedFd, bool), Errno> {
        let resolve = resolve | ResolveFlags::NO_MAGICLINKS;
        match unless_refused(|flags| sys::openat2(at, path, FILE | flags, Mode::empty(), resolve)) {
            // A kernel before 5.6 cannot keep a link inside the root: only plain files are read there.
            Err(Errno::NOSYS) => {
                let parent = TreePath::new(parent(path)).ok_or(Errno::INVAL)?;
                let (folder, _) = self.open_dir_stepwise(&parent)?;
                let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
                open_plain(folder.as_fd(), name).map_err(|e| if e == Errno::LOOP { Errno::XDEV } else { e })
            }
            opened => opened,
        }
    }
}

fn open_plain(folder: BorrowedFd<'_>, name: &[u8]) -> Result<(OwnedFd, bool), Errno> {
    unless_refused(|flags| sys::openat(folder, name, FILE | OFlags::NOFOLLOW | flags, Mode::empty()))
}

/// With `O_NOATIME`, and without it where the kernel refuses it to others than the owner. Says whether it was kept.
fn unless_refused(open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<(OwnedFd, bool), Errno> {
    let mut tries = 0;
    loop {
        match open(OFlags::NOATIME) {
            Err(Errno::PERM) => return open(OFlags::empty()).map(|fd| (fd, false)),
            // openat2 answers EAGAIN when a rename raced with the resolution of `..`.
            Err(Errno::AGAIN) if tries < 8 => tries += 1,
            other => return other.map(|fd| (fd, true)),
        }
    }
}

fn reason(error: Errno) -> String {
    match error {
        Errno::ACCESS | Errno::PERM => "permission denied".to_owned(),
        Errno::NAMETOOLONG => "nested too deeply: the path is longer than the system allows".to_owned(),
        other => io::Error::from(other).to_string(),
    }
}

fn timestamp(seconds: i64, nanoseconds: u32) -> Option<Timestamp> {
    Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
}

fn kind_of(folder: BorrowedFd<'_>, name: &[u8]) -> Kind {
    sys::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_or(Kind::Other, |stat| of_type(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Other))
}

fn of_type(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Dir),
        FileType::Symlink => Some(Kind::Symlink),
        FileType::Unknown => None,
        _ => Some(Kind::Other),
    }
}

fn each_name(fd: &OwnedFd, tell: &mut dyn FnMut(&[u8], Option<Kind>)) -> Result<(), Errno> {
    each_name_in(fd, &mut Vec::with_capacity(1 << 15), tell)
}

/// Calls `tell` for each name in a folder but `.` and `..`; the kind is `None` where the file system does not say.
fn each_name_in(fd: &OwnedFd, buffer: &mut Vec<u8>, tell: &mut dyn FnMut(&[u8], Option<Kind>)) -> Result<(), Errno> {
    let mut listing = RawDir::new(fd, buffer.spare_capacity_mut());
    while let Some(item) = listing.next() {
        let item = item?;
        let name = item.file_name().to_bytes();
        if name != b"." && name != b".." {
            tell(name, of_type(item.file_type()));
        }
    }
    Ok(())
}

/// Folders still to list. Last in, first out: what waits is bounded by depth times width, not by the size of the tree.
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    folders: Vec<TreePath>,
    busy: usize,
}

impl Queue {
    fn new(start: TreePath) -> Self {
        Self { state: Mutex::new(Waiting { folders: vec![start], busy: 0 }), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next folder; `None` when none is left and nobody works on one.
    fn next(&self, stop: &AtomicBool) -> Option<TreePath> {
        let mut state = self.state();
        loop {
            if stop.load(Ordering::Relaxed) {
                self.changed.notify_all();
                return None;
            }
            if let Some(folder) = state.folders.pop() {
                state.busy += 1;
                return Some(folder);
            }
            if state.busy == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn finished(&self, below: Vec<TreePath>) {
        let mut state = self.state();
        let wake = !below.is_empty() || state.busy == 1;
        state.folders.extend(below);
        state.busy = state.busy.saturating_sub(1);
        if wake {
            self.changed.notify_all();
        }
    }
}
