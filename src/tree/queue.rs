//! Folders still to list, shared among the workers of a walk.

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::fact::TreePath;

/// Folders that stay open at a time: a process may have 256 files on some systems.
const OPEN: usize = 100;

/// Folders still to list. Last in, first out: what waits is bounded by depth times width, not by the size of the tree.
pub struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    folders: Vec<Below>,
    busy: usize,
    /// Parents that were kept open, the most of them closed again.
    open: Vec<Weak<OwnedFd>>,
    /// Workers that wait for a folder: nobody else has to be woken, and waking costs a system call.
    idle: usize,
}

/// A folder by its parent and its name: the path of the parent is kept once, however many folders it has.
pub struct Below {
    parent: TreePath,
    /// As it stands there.
    pub name: Box<[u8]>,
    /// As it is usually spelled, where that differs.
    usual: Option<Box<[u8]>>,
    /// The open parent: from there the kernel has one name to look up instead of a path.
    pub from: Option<Arc<OwnedFd>>,
}

impl Below {
    /// `name` in the folder `parent`.
    pub fn new(parent: &TreePath, name: &[u8]) -> Self {
        Self { parent: parent.clone(), name: name.into(), usual: None, from: None }
    }

    /// The same with the usual spelling of its name.
    pub fn spelled(parent: &TreePath, usual: &[u8], name: &[u8]) -> Self {
        Self { usual: Some(usual.into()), ..Self::new(parent, name) }
    }

    pub fn path(&self) -> TreePath {
        match &self.usual {
            Some(usual) => self.parent.join_spelled(usual, &self.name),
            None => self.parent.join(&self.name),
        }
    }
}

impl Queue {
    /// Starts with one folder.
    pub fn new(start: &TreePath) -> Self {
        let start = Below::spelled(&TreePath::root(), start.as_bytes(), start.written());
        Self {
            state: Mutex::new(Waiting { folders: vec![start], busy: 0, open: Vec::new(), idle: 0 }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next folder; `None` when none is left and nobody works on one.
    pub fn next(&self, stop: &AtomicBool) -> Option<Below> {
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
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// One folder is done; these were found in it. It stays open for them while few others are.
    pub fn finished(&self, folder: Option<OwnedFd>, mut below: Vec<Below>) {
        let mut state = self.state();
        if let Some(folder) = folder.filter(|_| !below.is_empty()) {
            if state.open.len() >= OPEN {
                state.open.retain(|o| o.strong_count() > 0);
            }
            if state.open.len() < OPEN {
                let folder = Arc::new(folder);
                state.open.push(Arc::downgrade(&folder));
                below.iter_mut().for_each(|b| b.from = Some(folder.clone()));
            }
        }
        let wake = state.idle > 0 && (!below.is_empty() || state.busy == 1);
        state.folders.extend(below);
        state.busy = state.busy.saturating_sub(1);
        if wake {
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file descriptor; of what does not matter.
    fn some() -> OwnedFd {
        tempfile::tempfile().unwrap().into()
    }

    #[test]
    fn few_parents_stay_open_and_closed_ones_make_room() {
        let path = |n: usize| TreePath::new(n.to_string().as_bytes()).unwrap();
        let queue = Queue::new(&TreePath::root());
        let stop = AtomicBool::new(false);
        let start = queue.next(&stop).unwrap();
        queue.finished(None, vec![start]);
        for n in 0..2 * OPEN {
            let below = vec![Below::new(&path(n), b"a"), Below::new(&path(n), b"b")];
            queue.finished(Some(some()), below);
        }
        let open = || queue.state().folders.iter().filter(|f| f.from.is_some()).count();
        assert_eq!(open(), 2 * OPEN);
        // The last ones waited closed; those behind them let theirs go one by one.
        for _ in 0..2 * OPEN {
            assert!(queue.next(&stop).unwrap().from.is_none());
        }
        drop([queue.next(&stop), queue.next(&stop)]);
        queue.finished(Some(some()), vec![Below::new(&path(0), b"c")]);
        assert_eq!(open(), 2 * OPEN - 2 + 1);
    }
}
