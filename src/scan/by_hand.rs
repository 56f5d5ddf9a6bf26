//! What the caller named, and the promise that it is never passed over in silence: a folder in which nothing is read, a FIFO, a device, a
//! file that no surface understands are gaps.

use std::{
    io,
    os::{fd::AsRawFd as _, unix::ffi::OsStrExt as _},
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::fs::{self as sys, FileType, Mode, OFlags};

use super::{Scan, Target, TargetError};
use crate::{
    coverage::{Gap, GapKind, WALK},
    fact::{Origin, TreePath},
    surface::SURFACES,
    tree::{Visit as _, host::Host},
    walk::{ByHand, Inspector},
};

/// Names of a folder that are looked through for a hint.
pub(super) const LISTED: usize = 10_000;

/// One folder to walk, and the files or folders in it to start from.
pub(super) struct Part {
    pub(super) root: PathBuf,
    pub(super) prefix: TreePath,
    pub(super) starts: Vec<TreePath>,
    pub(super) files: Vec<TreePath>,
    /// What the caller named is no file and no folder: a FIFO, a device.
    odd: Option<&'static str>,
}

/// What a target consists of.
pub(super) fn parts(target: &Target) -> Result<Vec<Part>, TargetError> {
    let whole = |root: &Path| Part {
        root: root.to_owned(),
        prefix: TreePath::root(),
        starts: Vec::new(),
        files: Vec::new(),
        odd: None,
    };
    match target {
        Target::Live => Ok(vec![whole(Path::new("/"))]),
        Target::Root(root) => Ok(vec![whole(root)]),
        Target::Paths(paths, _) => paths.iter().map(|p| part_of(p)).collect(),
    }
}

/// A folder is walked below itself; of a file, its folder is opened and only the file read, where it really is.
fn part_of(path: &Path) -> Result<Part, TargetError> {
    let fail = |error: io::Error| TargetError { path: path.to_owned(), error };
    let full = absolute(path).map_err(fail)?;
    let kind = |stat: sys::Stat| FileType::from_raw_mode(stat.st_mode);
    let found = sys::stat(&full).map(kind).map_err(|e| fail(e.into()))?;
    let tree_path =
        |p: &Path| TreePath::new(p.as_os_str().as_bytes()).ok_or_else(|| fail(io::ErrorKind::InvalidInput.into()));
    if found == FileType::Directory {
        return Ok(Part {
            prefix: tree_path(&full)?,
            root: full,
            starts: vec![TreePath::root()],
            files: Vec::new(),
            odd: None,
        });
    }
    let is_link = sys::lstat(&full).map(kind).is_ok_and(|kind| kind == FileType::Symlink);
    let full = if is_link && found == FileType::RegularFile { real(&full).map_err(fail)? } else { full };
    let folder = full.parent().unwrap_or(Path::new("/"));
    let name = TreePath::root().join(full.file_name().map_or(b"".as_slice(), |n| n.as_bytes()));
    let odd = match found {
        FileType::RegularFile => None,
        FileType::Fifo => Some("a FIFO is not opened: save what comes out of it to a file"),
        FileType::Socket => Some("a socket is not opened"),
        FileType::BlockDevice => Some("a device is not opened: mount it read-only and give the folder to `--root`"),
        _ => Some("a device is not opened"),
    };
    Ok(Part { prefix: tree_path(folder)?, root: folder.to_owned(), starts: Vec::new(), files: vec![name], odd })
}

/// Where a link leads. Nothing is opened for reading.
fn real(link: &Path) -> io::Result<PathBuf> {
    let held = sys::open(link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let path = sys::readlink(format!("/proc/self/fd/{}", held.as_raw_fd()), Vec::new())?;
    Ok(Path::new(std::ffi::OsStr::from_bytes(path.as_bytes())).to_owned())
}

/// Absolute and without `..`, by the text alone but for the working folder.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let mut full = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            Component::ParentDir => {
                full.pop();
            }
            other => full.push(other),
        }
    }
    Ok(full)
}

/// Reads the files that the caller named.
pub(super) fn read(host: &Host, inspector: &Inspector<'_>, part: &Part, stop: &AtomicBool) {
    let by_hand = ByHand::new(inspector);
    for file in &part.files {
        let gap = |kind, detail: &str| {
            let origin = Origin::file(host.label(), part.prefix.join(file.name()));
            inspector.gap(Gap { origin, surface: WALK, kind, detail: detail.to_owned() });
        };
        if let Some(why) = part.odd {
            gap(GapKind::Unsupported, why);
            continue;
        }
        host.visit_files(&by_hand, std::slice::from_ref(file), stop);
        if !by_hand.met() {
            gap(GapKind::Unreadable, "it was there and could not be opened as a file");
        }
    }
}

impl Scan<'_> {
    /// A folder that was named and holds nothing that is read, or a saved image. Whoever chose a few surfaces may well find nothing
    /// for them.
    pub(super) fn nothing_read(&self, host: &Host, inspector: &Inspector<'_>, part: &Part, read: bool, homes: bool) {
        if self.stop.load(Ordering::Relaxed) || self.surfaces.len() < SURFACES.len() {
            return;
        }
        // A system without anything of interest: its accounts were read.
        let is_system = TreePath::new(b"etc/passwd").is_some_and(|p| host.read(&p, 1).is_some());
        let names = host.list(&TreePath::root(), LISTED);
        // A home that its owner hardly used.
        let is_home = homes && names.iter().any(|n| n.starts_with(b"."));
        let has = |name: &str| names.iter().any(|n| n == name.as_bytes());
        if is_system || is_home || read && !has("oci-layout") {
            return;
        }
        let saved =
            |n: &&Vec<u8>| [&b".tar"[..], b".tar.gz", b".tgz", b".tar.zst", b".tar.xz"].iter().any(|e| n.ends_with(e));
        let hint = match () {
            () if has("oci-layout") || has("manifest.json") => ": `dosimeter images` examines saved images",
            () if names.iter().any(|n| saved(&n)) => {
                ": unpack the archives and give the folder; `dosimeter images` examines saved images"
            }
            () if names.is_empty() => ": it is empty; is something mounted there?",
            () => "",
        };
        let origin = Origin::file(host.label(), part.prefix.clone());
        let detail = format!("no file in this folder is one that this program reads{hint}");
        inspector.gap(Gap { origin, surface: WALK, kind: GapKind::Unsupported, detail });
    }
}
