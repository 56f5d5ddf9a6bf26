//! Folders still to list, shared among the workers of a walk.

use std::sync::{
    Condvar, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::fact::TreePath;

/// Folders still to list. Last in, first out: what waits is bounded by depth times width, not by the size of the tree.
pub struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    folders: Vec<Below>,
    busy: usize,
}

/// A folder by its parent and its name: the path of the parent is kept once, however many folders it has.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Below {
    parent: TreePath,
    name: Box<[u8]>,
}

impl Below {
    /// `name` in the folder `parent`.
    pub fn new(parent: &TreePath, name: &[u8]) -> Self {
        Self { parent: parent.clone(), name: name.into() }
    }
}

impl Queue {
    /// Starts with one folder.
    pub fn new(start: &TreePath) -> Self {
        let start = Below::new(&TreePath::root(), start.as_bytes());
        Self { state: Mutex::new(Waiting { folders: vec![start], busy: 0 }), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next folder; `None` when none is left and nobody works on one.
    pub fn next(&self, stop: &AtomicBool) -> Option<TreePath> {
        let mut state = self.state();
        loop {
            if stop.load(Ordering::Relaxed) {
                self.changed.notify_all();
                return None;
            }
            if let Some(Below { parent, name }) = state.folders.pop() {
                state.busy += 1;
                return Some(parent.join(&name));
            }
            if state.busy == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// One folder is done; these were found in it.
    pub fn finished(&self, below: Vec<Below>) {
        let mut state = self.state();
        let wake = !below.is_empty() || state.busy == 1;
        state.folders.extend(below);
        state.busy = state.busy.saturating_sub(1);
        if wake {
            self.changed.notify_all();
        }
    }
}
