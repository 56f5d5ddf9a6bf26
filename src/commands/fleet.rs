//! Several inventories of one run: read side by side, each judged as its own machine, one report.
//!
//! Memory stays bounded however many there are and whatever they hold: as many are read at once as there are threads, of those that
//! are large one at a time, and of what was judged only the report is kept, within the bounds of `report::fleet`.

use std::{
    cell::RefCell,
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::anyhow;
use jiff::Timestamp;

use super::{
    examine::Setup,
    input,
    inventories::{Many, Named},
    output,
    progress::Progress,
    stored::{Reading, Unusable, read},
};
use crate::{
    cli::MatchCommand,
    coverage::{GapKind, INVENTORY},
    guard::caught,
    ioc::model::Incident,
    report::{
        fleet::{self, Fleet, Part},
        v1::{self, Report},
    },
    sandbox::Sandbox,
    stop,
    tree::threads::on_threads,
};

/// Machines that are judged before their reports are put together: for each thread, and at least.
const AT_ONCE: (usize, usize) = (4, 16);
/// An inventory with a line of more bytes, or with more facts that are kept, is large: one such is in memory at a time.
const LARGE: (usize, usize) = (1 << 20, 10_000);

/// What became of one file.
enum Outcome {
    Judged(Box<Part>),
    /// Lists of packages name some of it: these become incidents first.
    New(Vec<Incident>),
    Unread(GapKind, String),
    /// The user ended the run before it.
    NotReached,
}

/// Judges all of them.
///
/// # Errors
/// Where none can be read, or the indicators cannot be used.
pub fn judged(
    command: &MatchCommand,
    mut setup: Setup,
    sandbox: &Sandbox,
    many: Many,
    started: Timestamp,
) -> anyhow::Result<Report> {
    let paths: Vec<PathBuf> = many.files.iter().map(|n| n.path.clone()).collect();
    sandbox.enclose(&paths);
    let fleet = gathered(&mut setup, sandbox, &many, command.output.quiet, started)?;
    let mut report = fleet.report(run(&setup, output::shown_some(&command.inventories), started));
    report.run.sandbox = Some(v1::Sandbox::from(sandbox.held()));
    Ok(report)
}

/// What is known of this run, whose report calls all files by `id`.
pub fn run(setup: &Setup, id: String, started: Timestamp) -> fleet::Run {
    fleet::Run {
        id,
        started,
        finished: Timestamp::now(),
        argv: output::argv(),
        user: output::user(),
        indicators: setup.described(started),
    }
}

/// Judges all of them, in a process that is enclosed already.
///
/// # Errors
/// As for `judged`.
pub fn gathered(
    setup: &mut Setup,
    sandbox: &Sandbox,
    many: &Many,
    quiet: bool,
    started: Timestamp,
) -> anyhow::Result<Fleet> {
    let progress = Progress::start("judging inventories", quiet);
    let mut fleet = Fleet::default();
    let mut unread = 0;
    for part in many.files.chunks(AT_ONCE.1.max(AT_ONCE.0 * setup.threads())) {
        let all: Vec<usize> = (0..part.len()).collect();
        let mut outcomes = side_by_side(setup, sandbox, part, &all, started);
        let mut again = Vec::new();
        for (at, outcome) in outcomes.iter_mut().enumerate() {
            if let Some(Outcome::New(new)) = outcome {
                setup.index.admit(std::mem::take(new));
                again.push(at);
            }
        }
        if !again.is_empty() {
            for (at, outcome) in side_by_side(setup, sandbox, part, &again, started).into_iter().enumerate() {
                if outcome.is_some()
                    && let Some(place) = outcomes.get_mut(at)
                {
                    *place = outcome;
                }
            }
        }
        for (named, outcome) in part.iter().zip(outcomes) {
            unread += usize::from(matches!(outcome, Some(Outcome::Unread(..))));
            put(&mut fleet, named, outcome);
            progress.names.fetch_add(1, Ordering::Relaxed);
        }
    }
    drop(progress);
    setup.indicators.still_good()?;
    if let [only] = many.files.as_slice()
        && unread == 1
    {
        return Err(anyhow!("`{}` cannot be used\nhint: name the file itself to see why", output::shown(&only.path)));
    }
    anyhow::ensure!(unread < many.files.len(), "none of the {unread} files can be used\nhint: name one to see why");
    let exclusions = many.others.iter().map(|(path, reason)| v1::Exclusion {
        location: location("inventories", path.as_os_str().as_bytes()),
        reason: reason.clone(),
    });
    fleet.beside(Vec::new(), exclusions.collect());
    Ok(fleet)
}

fn location(tree: &str, path: &[u8]) -> v1::Location {
    let absolute = if path.starts_with(b"/") { path.to_vec() } else { [b"/", path].concat() };
    v1::Location { tree: tree.to_owned(), path: v1::PathText(absolute), inner: None, line: None, layer: None }
}

fn put(fleet: &mut Fleet, named: &Named, outcome: Option<Outcome>) {
    let (kind, detail) = match outcome {
        Some(Outcome::Judged(part)) => return fleet.add(*part),
        Some(Outcome::Unread(kind, detail)) => (kind, detail),
        Some(Outcome::NotReached) => (GapKind::Interrupted, "interrupted: it was not judged".to_owned()),
        Some(Outcome::New(_)) | None => (GapKind::Panicked, "internal error: it was not judged".to_owned()),
    };
    let gap = v1::Gap { location: location(&named.label, b"/"), surface: INVENTORY.to_owned(), kind, detail };
    fleet.unread(&reported(named, None), gap);
}

fn reported(named: &Named, examined: Option<Timestamp>) -> fleet::Named {
    fleet::Named { tree: named.label.clone(), inventory: output::shown(&named.path), examined }
}

/// Some of these files, as many at a time as there are threads.
fn side_by_side(
    setup: &Setup,
    sandbox: &Sandbox,
    part: &[Named],
    wanted: &[usize],
    started: Timestamp,
) -> Vec<Option<Outcome>> {
    let next = AtomicUsize::new(0);
    let large = Mutex::new(());
    let done: Mutex<Vec<Option<Outcome>>> = Mutex::new(part.iter().map(|_| None).collect());
    on_threads(setup.threads().min(wanted.len()), &|| {
        while let Some(at) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(named) = part.get(*at) else { continue };
            let outcome = match stop::requested() {
                true => Some(Outcome::NotReached),
                false => caught(|| judge(setup, sandbox, named, &large, started)),
            };
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = done.get_mut(*at) {
                *place = outcome;
            }
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn judge(setup: &Setup, sandbox: &Sandbox, named: &Named, large: &Mutex<()>, started: Timestamp) -> Outcome {
    let alone: RefCell<Option<MutexGuard<'_, ()>>> = RefCell::new(None);
    let wait = |bytes: usize, facts: usize| {
        if (bytes > LARGE.0 || facts > LARGE.1) && alone.borrow().is_none() {
            let guard = large.lock().unwrap_or_else(PoisonError::into_inner);
            alone.replace(Some(guard));
        }
    };
    let input = match input::open(&named.path) {
        Ok(input) => input,
        Err(why) => return Outcome::Unread(GapKind::Unreadable, first_line(&format!("{why:#}"))),
    };
    let shown = output::shown(&named.path);
    let name = named.path.file_name().map_or(&b"-"[..], std::ffi::OsStr::as_bytes);
    let reading = Reading { shown: &shown, name, label: Some(&named.label), before_line: &wait };
    let examined = match read(setup, input, &reading) {
        Ok(examined) => examined,
        Err(_) if stop::requested() => return Outcome::NotReached,
        Err(why) => return Outcome::Unread(why.kind(), said(&why)),
    };
    let new = setup.unadmitted(&examined.evidence);
    if !new.is_empty() {
        return Outcome::New(new);
    }
    let own = reported(named, examined.examined);
    Outcome::Judged(Box::new(Part::new(&own, examined.report(setup, sandbox, started))))
}

fn said(why: &Unusable) -> String {
    first_line(&why.to_string())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
