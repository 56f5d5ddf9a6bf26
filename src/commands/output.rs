//! The one place that writes: standard output, and the files that `-o` names.

use std::{
    io::{self, BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::Ending;
use crate::{
    cli::{FormatName, OutputOptions},
    report::{self, Colour, Format, Style, v1::Report},
};

/// A report is written as it is made: of thousands of findings it takes hundreds of megabytes.
const BUFFER: usize = 1 << 16;

/// Where the report goes, checked before anything is examined.
pub struct Outputs {
    stdout: Format,
    files: Vec<(PathBuf, Format)>,
}

/// Checks the endings of `-o`, and that each file can be made.
///
/// # Errors
/// An ending without a format, or a folder that does not exist.
pub fn plan(options: &OutputOptions) -> anyhow::Result<Outputs> {
    let mut files = Vec::new();
    for path in &options.output {
        let Some(format) = Format::from_path(path) else {
            bail!("no format ends like `{}`\nhint: use .json, .ndjson, .md, .txt or .sh", path.display());
        };
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() {
            bail!("cannot write in `{}`\nhint: name a folder that exists and that you may write to", folder.display());
        }
        if path.is_dir() {
            bail!("`{}` is a folder\nhint: name a file", path.display());
        }
        files.push((path.clone(), format));
    }
    let stdout = match options.format {
        FormatName::Table => Format::Table,
        FormatName::Json => Format::Json,
        FormatName::Ndjson => Format::Ndjson,
        FormatName::Markdown => Format::Markdown,
        FormatName::Sh => Format::Script,
    };
    Ok(Outputs { stdout, files })
}

impl Outputs {
    /// The whole report.
    ///
    /// # Errors
    /// Where a file or standard output cannot be written.
    pub fn write(&self, report: &Report) -> anyhow::Result<()> {
        self.each(|format, out, style| report::render(format, report, out, style))
    }

    /// The checklist only, in the formats for people; the whole report in those for machines.
    ///
    /// # Errors
    /// As for `write`.
    pub fn write_checklist(&self, report: &Report) -> anyhow::Result<()> {
        self.each(|format, out, style| report::render_checklist(format, report, out, style))
    }

    fn each(&self, render: impl Fn(Format, &mut dyn Write, Style) -> io::Result<()>) -> anyhow::Result<()> {
        // What was found is not lost because of one place that cannot be written, a full disk say.
        let mut failed = Ok(());
        for (path, format) in &self.files {
            let style = Style { width: 100, colour: Colour::Never };
            let written = write_file(path, |out| render(*format, out, style));
            failed = failed.and(written.with_context(|| format!("cannot write `{}`", path.display())));
        }
        let style = Style { width: usize::from(width()), colour: colour() };
        failed.and(to_stdout(|out| render(self.stdout, out, style)))
    }
}

/// A line or a table.
///
/// # Errors
/// Where standard output cannot be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut line = text.to_owned();
    line.push('\n');
    to_stdout(|out| out.write_all(line.as_bytes()))
}

/// A line on standard error.
pub fn note(text: &str) {
    // Where standard error is closed nobody misses it.
    let _ = writeln!(io::stderr(), "{text}");
}

/// A reader that has seen enough (`| head`) is no error.
fn to_stdout(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    match render(&mut out).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Whole or not at all: into a new file beside it, then renamed. A link or device of that name is written through.
#[allow(clippy::disallowed_methods)] // the user named this file
fn write_file(path: &Path, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let all = |file: std::fs::File| -> io::Result<std::fs::File> {
        let mut out = BufWriter::with_capacity(BUFFER, file);
        render(&mut out)?;
        Ok(out.into_inner()?)
    };
    let plain = rustix::fs::lstat(path)
        .map_or(true, |s| rustix::fs::FileType::from_raw_mode(s.st_mode) == rustix::fs::FileType::RegularFile);
    if !plain {
        return all(std::fs::OpenOptions::new().write(true).open(path)?).map(drop);
    }
    let part = beside(path, &format!(".{}.part", std::process::id()));
    let file = std::fs::File::create_new(&part)?;
    let written = all(file).and_then(|file| file.sync_all()).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// A file that the user named with `-o`.
///
/// # Errors
/// Where it cannot be written.
pub fn write_named(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_file(path, |out| out.write_all(bytes)).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Puts bytes into this program's own data folder: written beside their place, judged there by `good`, and moved only where it
/// says so. A kill at any moment leaves the old file or the new one. Several that do so at a time wait for one another, so that
/// what `good` compared with is what is replaced; what one that was killed left lying is removed.
///
/// # Errors
/// What `good` says, or the system.
#[allow(clippy::disallowed_methods)] // the user's own data folder
pub fn store(path: &Path, bytes: &[u8], good: impl FnOnce(&Path) -> anyhow::Result<bool>) -> anyhow::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let folder = path.parent().unwrap_or(Path::new("."));
    let shown = folder.display();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make `{shown}`"))?;
    let _lock = locked(&beside(path, ".lock")).with_context(|| format!("cannot write in `{shown}`"))?;
    remove_leftovers(path);
    let part = beside(path, &format!(".{}.part", std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    let done = write().with_context(|| format!("cannot write in `{shown}`")).and_then(|()| {
        if !good(&part)? {
            std::fs::remove_file(&part)?;
            return Ok(());
        }
        std::fs::rename(&part, path).with_context(|| format!("cannot replace `{}`", path.display()))?;
        // The move itself is on the disk only with its folder.
        std::fs::File::open(folder)?.sync_all()?;
        Ok(())
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// An exclusive lock, kept while the file is open; the system releases it when a process dies.
#[allow(clippy::disallowed_methods)] // the user's own data folder
fn locked(path: &Path) -> anyhow::Result<std::fs::File> {
    use std::{fs::TryLockError, os::unix::fs::OpenOptionsExt as _, thread::sleep, time::Duration};
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // Writing takes a second at most.
    for _ in 0..200 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(50)),
            Err(TryLockError::Error(error)) => {
                return Err(error).context("cannot lock it\nhint: set `DOSIMETER_DATA` to a folder of a local disk");
            }
        }
    }
    bail!("another update is at it\nhint: try again when it has ended")
}

/// Whoever wrote them is dead: the lock is ours.
#[allow(clippy::disallowed_methods)] // the user's own data folder
fn remove_leftovers(path: &Path) {
    let start = beside(path, ".");
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let start = name(&start);
    for entry in path.parent().and_then(|f| std::fs::read_dir(f).ok()).into_iter().flatten().flatten() {
        let path = entry.path();
        if name(&path).strip_prefix(&start).is_some_and(|rest| rest.ends_with(".part")) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Columns of standard output: of the terminal, else what `COLUMNS` says, else 100.
pub fn width() -> u16 {
    let terminal = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|w| w.ws_col).filter(|w| *w > 0);
    let named = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(named).unwrap_or(100).clamp(40, 400)
}

fn colour() -> Colour {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    if io::stdout().is_terminal() && !refused && !dumb { Colour::Always } else { Colour::Never }
}

/// The exit code that a report deserves.
pub fn ending(report: &Report, options: &OutputOptions) -> Ending {
    let ending = Ending::of(report.verdict.exposure, report.verdict.complete, options.fail_on.into());
    if options.exit_zero && ending != Ending::Interrupted { Ending::Nothing } else { ending }
}

/// The command line, as the report shows it.
pub fn argv() -> Vec<String> {
    std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect()
}

/// The account this runs as.
pub fn user() -> String {
    let uid = rustix::process::geteuid().as_raw();
    if uid == 0 { "root".to_owned() } else { std::env::var("USER").unwrap_or_else(|_| uid.to_string()) }
}

/// Name of this machine.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
