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

use crate::image;

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
            let said = move || format!("{what}: {} names", HumanCount(names.load(Ordering::Relaxed)));
            // Where the system refuses a thread there is no progress to be seen.
            std::thread::Builder::new()
                .spawn(move || tick(&ProgressBar::new_spinner(), "{spinner} {msg}", &said, &done))
                .ok()
        };
        let thread = shown.then(start).flatten();
        Self { names, done, thread }
    }

    /// Starts one that counts layers and their bytes, of so many, and estimates when it is over.
    pub fn of_layers(swept: &Arc<image::Progress>, (layers, bytes): (usize, u64), quiet: bool) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let shown = !quiet && std::io::stderr().is_terminal();
        let start = || {
            let (swept, done) = (swept.clone(), done.clone());
            let bar = ProgressBar::new(bytes);
            let at = bar.clone();
            let said = move || {
                let [read, known, bytes] =
                    [&swept.layers, &swept.stored, &swept.bytes].map(|n| n.load(Ordering::Relaxed));
                at.set_position(bytes);
                format!(
                    "{} of {} layers",
                    HumanCount(read.saturating_add(known)),
                    HumanCount(u64::try_from(layers).unwrap_or(u64::MAX))
                )
            };
            let form = "{spinner} examining images: {msg}, {binary_bytes} of {binary_total_bytes}, about {eta} left";
            std::thread::Builder::new().spawn(move || tick(&bar, form, &said, &done)).ok()
        };
        let thread = shown.then(start).flatten();
        Self { names: Arc::default(), done, thread }
    }
}

fn tick(bar: &ProgressBar, form: &str, said: &dyn Fn() -> String, done: &AtomicBool) {
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    while !done.load(Ordering::Relaxed) {
        bar.set_message(said());
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
