//! Counts what readers do, in tests: twice the input may take twice the work, not four times. Everywhere else it is nothing.

/// So many steps were done: bytes read, names compared, values kept.
#[inline]
pub fn done(steps: usize) {
    #[cfg(test)]
    DONE.with(|done| done.set(done.get() + steps));
    let _ = steps;
}

#[cfg(test)]
thread_local! {
    static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The steps that something takes, on this thread.
#[cfg(test)]
pub fn steps(work: impl FnOnce()) -> usize {
    let before = DONE.with(std::cell::Cell::get);
    work();
    DONE.with(std::cell::Cell::get) - before
}

#[cfg(test)]
mod tests;
