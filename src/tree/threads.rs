//! Work shared among as many threads as the system gives.

use std::thread::{Builder, scope};

/// Does `work` on this thread and up to `threads - 1` others at a time. Where the system refuses threads (`ulimit -u`, no memory
/// for a stack) there are fewer of them: `work` shares out its parts itself, and one alone does all.
pub fn on_threads(threads: usize, work: &(dyn Fn() + Sync)) {
    scope(|scope| {
        for _ in 1..threads {
            if Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
}

/// Does `aside` beside `work`, or before it where the system refuses a thread. `None` where `aside` panicked.
pub fn beside<A: Send, W>(aside: impl Fn() -> A + Sync, work: impl FnOnce() -> W) -> (Option<A>, W) {
    scope(|scope| match Builder::new().spawn_scoped(scope, &aside) {
        Ok(thread) => {
            let done = work();
            (thread.join().ok(), done)
        }
        Err(_) => (Some(aside()), work()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn work_is_done_on_this_thread_too() {
        let done = AtomicUsize::new(0);
        on_threads(0, &|| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.load(Ordering::Relaxed), 1);
        on_threads(3, &|| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.load(Ordering::Relaxed), 4);
        assert_eq!(beside(|| 1, || 2), (Some(1), 2));
    }
}
