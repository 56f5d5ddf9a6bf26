//! The user's wish to end. Every loop that may last looks at it; what was found by then is reported.

use std::{
    io,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// Set by the first SIGINT, SIGTERM or SIGHUP.
pub static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A signal that comes while this is set ends the program at once.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The first signal is a wish, the second ends the program. SIGHUP is left alone where `nohup` had it ignored.
///
/// # Errors
/// Where the system refuses a handler.
pub fn on_signals() -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored_signals();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if signal == SIGHUP && ignored & 1 != 0 {
            continue;
        }
        // They run in this order: none that comes meanwhile is missed, and the first signal arms what the second one meets.
        signal_hook::flag::register(signal, STOP.clone())?;
        signal_hook::flag::register_conditional_shutdown(signal, 130, AT_ONCE.clone())?;
        signal_hook::flag::register(signal, AT_ONCE.clone())?;
    }
    Ok(())
}

/// Signals that were ignored when the program started, as the bits of `SigIgn` in proc(5): bit 0 is SIGHUP.
#[allow(clippy::disallowed_methods)] // this process, at a fixed path
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:"));
    mask.and_then(|m| u64::from_str_radix(m.trim(), 16).ok()).unwrap_or(0)
}

/// Whether the first signal ends the program: so it is where there is nothing to report half-way. It does not while a file is
/// being written, so that nothing of it is left lying.
pub fn at_once(ends: bool) {
    AT_ONCE.store(ends, Ordering::SeqCst);
}

/// Whether the user wishes to end.
pub fn requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// The error of a reader that the user ended.
pub fn ended() -> io::Error {
    io::Error::other("interrupted")
}

/// An error where the user wishes to end.
///
/// # Errors
/// Where the user does.
pub fn check() -> io::Result<()> {
    if requested() { Err(ended()) } else { Ok(()) }
}

/// Set when the report that is being written says so, or cannot say it any more.
static FINAL: AtomicBool = AtomicBool::new(false);

/// Whether the user wishes to end, and the report that is being written does not say so yet.
pub fn unheeded() -> bool {
    requested() && !FINAL.load(Ordering::Relaxed)
}

/// From here on what is written stands.
pub fn mark_final() {
    FINAL.store(true, Ordering::Relaxed);
}

/// Writes through to another writer, and ends in an error where the user wishes to end: what is written has to say so first.
pub struct Watched<W>(pub W);

impl<W: io::Write> io::Write for Watched<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if unheeded() { Err(ended()) } else { self.0.write(buf) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
