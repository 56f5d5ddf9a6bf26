//! Progress on a terminal, and nowhere else.

use std::{
    io::IsTerminal as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// A line on standard error that counts names, until it is dropped.
pub struct Progress {
    /// What it shows.
    pub names: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts it; silent where standard error is no terminal or `quiet` is set.
    pub fn start(what: &str, quiet: bool) -> Self {
        let names = Arc::new(AtomicU64::new(0));
        let done = Arc::new(AtomicBool::new(false));
        let shown = !quiet && std::io::stderr().is_terminal();
        let start = || {
            let (names, done, what) = (names.clone(), done.clone(), what.to_owned());
            // Where the system refuses a thread there is no progress to be seen.
            std::thread::Builder::new().spawn(move || tick(&what, &names, &done)).ok()
        };
        let thread = shown.then(start).flatten();
        Self { names, done, thread }
    }
}

fn tick(what: &str, names: &AtomicU64, done: &AtomicBool) {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    while !done.load(Ordering::Relaxed) {
        bar.set_message(format!("{what}: {} names", HumanCount(names.load(Ordering::Relaxed))));
        bar.tick();
        std::thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A progress line that failed has nothing to say.
            let _ = thread.join();
        }
    }
}
