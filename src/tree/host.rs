//! The live machine, a mounted disk, or a folder of evidence. Every folder is opened below the root's descriptor with
//! `openat2(RESOLVE_NO_SYMLINKS)`, so no link, however it changes while we look, leads the walk out of the root; a wanted file
//! that is a link is resolved by the kernel as if the root were `/` (`RESOLVE_IN_ROOT`), or not at all beyond the folder
//! that was asked for (`RESOLVE_BENEATH`).

use std::{
    collections::HashSet,
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use rustix::{
    fs::{self as sys, AtFlags, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use super::{
    Body, Entry, Kind, Listed, Visit,
    body::{Beside, BodyError},
    folding::Folding,
    mounts::{Skip, Skips},
    open::{self, Opened},
    queue::{Below, Queue},
    stat,
    threads::on_threads,
};
use crate::{
    coverage::{Exclusion, Gap, GapKind, WALK},
    fact::{Origin, TreePath, split},
};

/// A tree on this machine.
pub struct Host {
    label: Arc<str>,
    pub(super) root: OwnedFd,
    /// Path of `root` as reports show it.
    pub(super) prefix: TreePath,
    /// Where `root` is on this machine.
    pub(super) own: TreePath,
    pub(super) links: ResolveFlags,
    skips: Skips,
    pub(super) folding: Folding,
}

impl Host {
    /// The tree below `root`. Reports show paths below `prefix`: empty for a mounted disk, the folder's own path for a folder
    /// of this machine. `leave_out` are mounts, by their paths on this machine; one that was asked for itself is not left out.
    ///
    /// # Errors
    /// Where `root` cannot be opened as a folder: the caller's fault.
    pub fn open(label: &str, root: &Path, prefix: TreePath, leave_out: Skips) -> io::Result<Self> {
        let beneath = !prefix.as_bytes().is_empty();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = sys::open(root, flags | OFlags::NOATIME, Mode::empty())
            .or_else(|_| sys::open(root, flags, Mode::empty()))?;
        // Where it really is: the caller may have named a link. Without /proc no mounts are known either.
        let own = open::path_of(root.as_fd()).unwrap_or_else(|_| TreePath::root());
        let Skips { points, devices } = leave_out;
        let below = |(path, skip): (TreePath, Skip)| Some((TreePath::new(path.below(&own)?)?, skip));
        let points = points.into_iter().filter_map(below).collect();
        Ok(Self {
            label: label.into(),
            root,
            prefix,
            own,
            links: if beneath { ResolveFlags::BENEATH } else { ResolveFlags::IN_ROOT },
            skips: Skips { points, devices },
            folding: Folding::default(),
        })
    }

    /// Whether a mount that is left out holds this, or is this.
    fn left_out(&self, path: &TreePath) -> bool {
        within(path, |folder| self.skips.points.contains_key(folder))
    }

    /// Whether opening this may wait for another machine, or mount it.
    pub(super) fn is_far(&self, path: &TreePath) -> bool {
        within(path, |folder| matches!(self.skips.points.get(folder), Some(Skip::Network | Skip::Automount)))
    }

    /// The tree's name in reports.
    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// Tells `visit` of everything below `starts`, in that order; a start inside an earlier one is not visited twice, and a
    /// later start leaves out the earlier ones. Ends early when `stop` is set.
    pub fn walk<V: Visit>(&self, visit: &V, starts: &[TreePath], threads: usize, stop: &AtomicBool) {
        let mut done: HashSet<TreePath> = HashSet::new();
        for start in starts {
            let start = &*self.locate(start);
            // What is in a mount that is left out is left out, whoever names it.
            if within(start, |folder| done.contains(folder)) || self.left_out(&start.parent()) {
                continue;
            }
            let queue = Queue::new(start);
            on_threads(threads, &|| {
                let mut buffer = Vec::with_capacity(1 << 16);
                while let Some(folder) = queue.next(stop) {
                    let mut below = Vec::new();
                    let open = self.folder(visit, &folder, &done, &mut below, &mut buffer, stop);
                    drop(folder);
                    queue.finished(open, below);
                }
            });
            done.insert(start.clone());
        }
    }

    /// Tells `visit` of these files only, where it wants them.
    pub fn visit_files<V: Visit>(&self, visit: &V, files: &[TreePath], stop: &AtomicBool) {
        for path in files.iter().take_while(|_| !stop.load(Ordering::Relaxed)) {
            let path = &self.folding.path(path.clone());
            let parent = path.parent();
            let folder = visit.folder(&self.shown(&parent));
            visit.seen(1);
            if !visit.wants(&folder, path.name(), Kind::File) {
                continue;
            }
            match open::folder(self.root.as_fd(), &parent) {
                Ok((fd, _)) => {
                    let name = split(path.written()).1;
                    let kind = open::kind_of(fd.as_fd(), name);
                    self.file(visit, fd.as_fd(), path.clone(), name, kind);
                }
                Err(Errno::NOENT) => {}
                Err(e) => visit.gap(self.gap(path, e)),
            }
        }
    }

    /// Whether a path, as reports show it, is in this tree.
    pub fn shows(&self, path: &TreePath) -> bool {
        path.below(&self.prefix).is_some()
    }

    /// Tells `visit` of one file that another one named, by its path as reports show it, links resolved inside the tree; whether
    /// that path is in this tree at all.
    pub fn visit_named<V: Visit>(&self, visit: &V, path: &TreePath) -> bool {
        let Some(below) = path.below(&self.prefix).filter(|b| !b.is_empty()).and_then(TreePath::new) else {
            return false;
        };
        if !self.left_out(&below) {
            let below = self.locate(&below).into_owned();
            self.file(visit, self.root.as_fd(), below.clone(), split(below.written()).1, Kind::Symlink);
        }
        true
    }

    /// Tells `visit` of a link as a small file that holds what it points to; nothing is followed. Meant for the links of
    /// `/proc`, which have no time of their own: `mtime` stands for it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn visit_link<V: Visit>(&self, visit: &V, path: &TreePath, mtime: Option<Timestamp>) -> Result<(), Errno> {
        let (folder, _) = open::folder(self.root.as_fd(), &path.parent())?;
        let target = sys::readlinkat(&folder, path.name(), Vec::new())?;
        let owner = sys::fstat(&folder)?;
        visit.seen(1);
        if visit.wants(&visit.folder(&self.shown(&path.parent())), path.name(), Kind::Symlink) {
            let target = target.as_bytes();
            let len = u64::try_from(target.len()).unwrap_or(u64::MAX);
            let entry = Entry {
                path: self.shown(path),
                len,
                mtime,
                btime: None,
                uid: Some(owner.st_uid),
                gid: Some(owner.st_gid),
                mode: Some(0o777),
            };
            visit.file(&entry, &mut Body::stream(&mut &*target, len));
        }
        Ok(())
    }

    /// The folder itself, open.
    fn folder<V: Visit>(
        &self,
        visit: &V,
        folder: &Below,
        done: &HashSet<TreePath>,
        below: &mut Vec<Below>,
        buffer: &mut Vec<u8>,
        stop: &AtomicBool,
    ) -> Option<OwnedFd> {
        let path = &folder.path();
        if done.contains(path) {
            return None;
        }
        if let Some(skip) = self.skips.points.get(path) {
            visit.exclude(Exclusion { origin: self.origin(path), reason: skip.reason().to_owned() });
            return None;
        }
        let opened = match &folder.from {
            Some(parent) if path.written().len() <= open::MAX_PATH => open::folder_in(parent.as_fd(), &folder.name),
            _ => open::folder(self.root.as_fd(), path),
        };
        let fd = match opened {
            Ok((fd, kept)) => {
                if !kept {
                    visit.atime_changed();
                }
                fd
            }
            // Gone, or replaced by a link, since it was listed.
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => return None,
            Err(e) => {
                visit.gap(self.gap(path, e));
                return None;
            }
        };
        let folder = visit.folder(&self.shown(path));
        let mut names = 0;
        let mut wanted: Vec<(Vec<u8>, Kind)> = Vec::new();
        let mut all = visit.lists().then(Vec::new);
        let mut odd = self.folding.names(path);
        buffer.clear();
        let read = open::each_name(&fd, buffer, &mut |name, kind| {
            names += 1;
            let kind = kind.unwrap_or_else(|| open::kind_of(fd.as_fd(), name));
            let kept = odd.keep(name, kind);
            match kind {
                Kind::Dir if kept => {}
                Kind::Dir => below.push(Below::new(path, name)),
                Kind::File | Kind::Symlink => {
                    if !kept && visit.wants(&folder, name, kind) {
                        wanted.push((name.to_vec(), kind));
                    }
                    if let Some(all) = &mut all {
                        all.push(listed(fd.as_fd(), name));
                    }
                }
                Kind::Other => {}
            }
            !stop.load(Ordering::Relaxed)
        });
        visit.seen(names);
        if let Some(all) = all {
            visit.listed(&self.shown(path), all);
        }
        below.extend(odd.folders(path, below));
        let odd = odd.files(&wanted);
        wanted.extend(
            odd.iter().map(|(name, (_, kind))| (name.clone(), *kind)).filter(|(n, k)| visit.wants(&folder, n, *k)),
        );
        visit.sift(&folder, &mut wanted);
        if let Err(e) = read {
            visit.gap(self.gap(path, e));
        }
        // The walk's queue is last in, first out; names in order make the work the same from run to run.
        below.sort_unstable_by(|a, b| b.name.cmp(&a.name));
        for (name, kind) in wanted.into_iter().take_while(|_| !stop.load(Ordering::Relaxed)) {
            match odd.get(&name) {
                Some((written, _)) => self.file(visit, fd.as_fd(), path.join_spelled(&name, written), written, kind),
                None => self.file(visit, fd.as_fd(), path.join(&name), &name, kind),
            }
        }
        Some(fd)
    }

    fn file<V: Visit>(&self, visit: &V, folder: BorrowedFd<'_>, path: TreePath, name: &[u8], kind: Kind) {
        let opened = if kind == Kind::Symlink { self.follow(&path) } else { open::file_no_follow(folder, name) };
        let (fd, kept) = match opened {
            Ok(opened) => opened,
            // Gone since it was listed; a dangling link; a socket (ENXIO) that took a file's place; a process that ended.
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::NOTDIR | Errno::SRCH) => return,
            Err(Errno::XDEV) if kind == Kind::Symlink => {
                return visit.exclude(Exclusion {
                    origin: self.origin(&path),
                    reason: "link that leads out of what is examined".to_owned(),
                });
            }
            Err(e) => return visit.gap(self.gap(&path, e)),
        };
        let entry = match stat::regular(&fd, self.shown(&path)) {
            Ok(Some(entry)) => entry,
            Ok(None) => return,
            Err(e) => return visit.gap(self.gap(&path, e)),
        };
        if !kept {
            visit.atime_changed();
        }
        let file = File::from(fd);
        let beside = |ending: &str, limit: usize| {
            let name = [name, ending.as_bytes()].concat();
            // What a link leads to has its neighbours where it really is.
            let real = || open::path_of(file.as_fd()).ok().and_then(|p| TreePath::new(p.below(&self.own)?));
            let opened = match (kind, real()) {
                (Kind::Symlink, None) => return Ok(Beside::Unknown),
                (Kind::Symlink, Some(real)) => {
                    let parent = open::folder(self.root.as_fd(), &real.parent());
                    let name = [real.name(), ending.as_bytes()].concat();
                    parent.and_then(|(fd, _)| regular(fd.as_fd(), &name))
                }
                _ => regular(folder, &name),
            };
            match opened {
                Ok(None) => Ok(Beside::Absent),
                Ok(Some(file)) => bounded(&file, limit).map(Beside::Bytes),
                Err(e) => Err(BodyError::Io(e.into())),
            }
        };
        visit.file(&entry, &mut Body::host(&file, entry.len).with_beside(&beside));
    }

    /// A regular file of the tree, links resolved inside it; `XDEV` where they lead to a mount that is left out.
    pub(super) fn follow(&self, path: &TreePath) -> Result<Opened, Errno> {
        open::file(self.root.as_fd(), self.locate(path).written(), self.links, |stat| {
            let device = (sys::major(stat.st_dev), sys::minor(stat.st_dev));
            if self.skips.devices.contains(&device) { Err(Errno::XDEV) } else { Ok(()) }
        })
    }

    /// `path` as reports show it.
    pub(super) fn shown(&self, path: &TreePath) -> TreePath {
        if self.prefix.as_bytes().is_empty() { path.clone() } else { self.prefix.join_path(path) }
    }

    fn origin(&self, path: &TreePath) -> Origin {
        Origin::file(&self.label, self.shown(path))
    }

    fn gap(&self, path: &TreePath, error: Errno) -> Gap {
        Gap { origin: self.origin(path), surface: WALK, kind: GapKind::Unreadable, detail: reason(error) }
    }
}

/// What the entry of a name says, links not followed.
fn listed(folder: BorrowedFd<'_>, name: &[u8]) -> Listed {
    let stat = sys::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok();
    let file = stat.filter(|s| FileType::from_raw_mode(s.st_mode) == FileType::RegularFile);
    Listed {
        name: name.to_vec(),
        size: file.and_then(|s| u64::try_from(s.st_size).ok()),
        changed: file.map(|s| s.st_mtime),
    }
}

/// A file of a folder, where one of that name is there and no link, device or the like.
fn regular(folder: BorrowedFd<'_>, name: &[u8]) -> Result<Option<File>, Errno> {
    let stat = match sys::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(e) => return Err(e),
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Errno::NXIO);
    }
    open::file_no_follow(folder, name).map(|(fd, _)| Some(File::from(fd)))
}

/// The whole file, if it has at most `limit` bytes.
fn bounded(file: &File, limit: usize) -> Result<Vec<u8>, BodyError> {
    let len = file.metadata()?.len();
    Body::host(file, len).all(limit).map(<[u8]>::to_vec)
}

/// Whether a path or one of the folders that hold it is such a one.
fn within(path: &TreePath, is: impl Fn(&TreePath) -> bool) -> bool {
    let mut at = path.clone();
    loop {
        if is(&at) {
            return true;
        }
        if at.as_bytes().is_empty() {
            return false;
        }
        at = at.parent();
    }
}

fn reason(error: Errno) -> String {
    match error {
        Errno::ACCESS | Errno::PERM => "permission denied".to_owned(),
        Errno::NAMETOOLONG => "nested too deeply: the path is longer than the system allows".to_owned(),
        other => io::Error::from(other).to_string(),
    }
}
