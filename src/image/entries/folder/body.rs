//! The bytes of one file of a layer.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    sync::atomic::Ordering,
};

use rustix::io::Errno;

use super::marks::Marks;
use crate::{
    fact::{TreePath, parent},
    image::source::disk::{self, Mounts},
    stop,
    tree::body::BodyError,
};

/// Opens the nth layer below, from 0; `None` where there is none.
pub(in crate::image) type Lower = Box<dyn Fn(usize) -> Option<OwnedFd> + Send>;

/// Layers that are looked through for the data of one file.
const LAYERS: usize = 512;

/// A file up to where it ended when it was opened.
pub(super) struct OpenedFile {
    file: File,
    left: u64,
}

impl OpenedFile {
    /// A file of this layer. Its data may stand in a lower one of an overlay.
    pub(super) fn new(root: &OwnedFd, path: &[u8], lower: Option<&Lower>) -> io::Result<Self> {
        let mut file = disk::file(root, path, Mounts::Refuse)?;
        if let Some(lower) = lower {
            let marks = Marks::of(&file)?;
            if marks.metacopy {
                file = data(path, marks, lower)?;
            }
        }
        if let Some(bytes) = disk::holes(&file)? {
            return Err(io::Error::other(BodyError::Holes(bytes)));
        }
        let left = file.metadata()?.len();
        Ok(Self { file, left })
    }
}

impl Read for OpenedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if stop::STOP.load(Ordering::Relaxed) {
            return Err(stop::ended());
        }
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let n = self.file.read(into.get_mut(..want).unwrap_or_default())?;
        self.left = self.left.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }
}

/// The file of a lower layer that has the data of one of which an overlay copied owner and mode only.
fn data(path: &[u8], mut marks: Marks, lower: &Lower) -> io::Result<File> {
    let mut path = TreePath::new(path).ok_or(Errno::INVAL)?;
    for nth in 0..LAYERS {
        if let Some(to) = marks.redirect.take() {
            // From the root, or another name in the same folder.
            let folder = if to.starts_with(b"/") { TreePath::root() } else { folder_of(&path)? };
            path = TreePath::new(&to)
                .map(|to| TreePath::new(folder.join(to.as_bytes()).as_bytes()))
                .ok_or(Errno::INVAL)?
                .ok_or(Errno::INVAL)?;
        }
        let Some(layer) = lower(nth) else {
            break;
        };
        match disk::file(&layer, path.as_bytes(), Mounts::Refuse) {
            Ok(file) => {
                marks = Marks::of(&file)?;
                if !marks.metacopy {
                    return Ok(file);
                }
            }
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(io::Error::other("its data stand in a lower layer, where they were not found"))
}

fn folder_of(path: &TreePath) -> Result<TreePath, Errno> {
    TreePath::new(parent(path.as_bytes())).ok_or(Errno::INVAL)
}
