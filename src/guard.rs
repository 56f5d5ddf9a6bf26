//! Calls that may panic on hostile text: a fault of a parser that costs no more than what it was asked.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static GUARDED: Cell<u32> = const { Cell::new(0) };
}

/// What a call returns; `None` where it panicked. The panic is expected, so its place is not shown as an internal error.
pub fn quietly<T>(call: impl FnOnce() -> T) -> Option<T> {
    GUARDED.with(|depth| depth.set(depth.get().saturating_add(1)));
    let outcome = catch_unwind(AssertUnwindSafe(call));
    GUARDED.with(|depth| depth.set(depth.get().saturating_sub(1)));
    outcome.ok()
}

/// What a step of the run returns; `None` where it panicked. Shown as an internal error: the caller makes it a gap.
pub fn caught<T>(step: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok()
}

/// Whether this thread is inside `quietly`.
pub fn is_quiet() -> bool {
    GUARDED.with(|depth| depth.get() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic)]
    fn a_panic_costs_the_call_and_the_mark_is_taken_back() {
        assert_eq!(quietly(|| (is_quiet(), 1)), Some((true, 1)));
        assert_eq!(quietly(|| -> u32 { panic!("hostile") }), None);
        assert!(!is_quiet());
        assert_eq!(caught(is_quiet), Some(false));
    }
}
