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
    folders: Vec<TreePath>,
    busy: usize,
}

impl Queue {
    /// Starts with one folder.
    pub fn new(start: TreePath) -> Self {
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

    /// One folder is done; these were found in it.
    pub fn finished(&self, below: Vec<TreePath>) {
        let mut state = self.state();
        let wake = !below.is_empty() || state.busy == 1;
        state.folders.extend(below);
        state.busy = state.busy.saturating_sub(1);
        if wake {
            self.changed.notify_all();
        }
    }
}
