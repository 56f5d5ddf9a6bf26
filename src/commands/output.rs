//! The one place that writes: standard output, and the files that `-o` names.

mod earlier;
mod place;
mod store;
mod writer;

use std::{
    cell::RefCell,
    io::{self, BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use self::earlier::Earlier;
pub use self::{
    place::{Ours, Place, is_within},
    store::{prepare, store},
    writer::{Growing, make_folder, open_now, put_in, remove_left, start_in},
};
use super::{Ending, finish::Held};
use crate::{
    cli::OutputOptions,
    guard::caught,
    ioc,
    report::{
        Colour, Document, Format, Style,
        format::{self, JSON},
        v1::Report,
    },
    stop,
    text::{escape, printable_lines},
};

/// Where the report goes, checked before anything is examined.
pub struct Outputs {
    stdout: &'static Format,
    files: Vec<(Place, &'static Format)>,
    /// What stands there already, of each of them; nothing where the user insists.
    earlier: Vec<Earlier>,
    beside: Option<Place>,
    /// What failed before the report was written.
    failed: RefCell<Option<anyhow::Error>>,
}

/// Checks the endings of `-o`, that each file can be made, and that none of them stands in the evidence or takes the place of
/// something else; then starts the thread that will write them.
///
/// # Errors
/// An ending without a format, or a place that is refused.
pub fn plan(options: &OutputOptions, evidence: &[PathBuf], document: Document) -> anyhow::Result<Outputs> {
    plan_with(options, evidence, document, None, &[])
}

/// The same, with a file that is written beside the report, with what may be replaced there, and folders that get files of their own.
///
/// # Errors
/// As for `plan`.
pub fn plan_with(
    options: &OutputOptions,
    evidence: &[PathBuf],
    document: Document,
    beside: Option<(&Path, Ours)>,
    folders: &[PathBuf],
) -> anyhow::Result<Outputs> {
    let check = |(path, ours)| Place::check(path, evidence, ours, options.force_output);
    let beside = beside.map(check).transpose()?;
    let stdout = options.format;
    if !stdout.writes(document) {
        bail!(
            "`--format {}` is not for this command\nhint: `-o` takes {}",
            stdout.name,
            format::usual_endings(document)
        );
    }
    let mut files = Vec::new();
    for path in &options.output {
        let named = Format::from_path(path);
        let Some(format) = named.or_else(|| Place::is_stream(path).then_some(stdout)) else {
            bail!("no format ends like `{}`\nhint: use {}", shown(path), format::usual_endings(document));
        };
        if !format.writes(document) {
            let (name, endings) = (format.name, format::usual_endings(document));
            bail!("`{}` means {name}, which is not for this command\nhint: use {endings}", shown(path));
        }
        let place = Place::check(path, evidence, format::is_ours, options.force_output)?;
        // The report goes there anyway.
        if path != Path::new("/dev/stdout") {
            files.push((place, format));
        }
    }
    let known =
        |(place, _): &(Place, &Format)| if options.force_output { Earlier::default() } else { Earlier::at(place) };
    let earlier = files.iter().map(known).collect();
    writer::start(files.iter().map(|(place, _)| place).chain(&beside), folders);
    Ok(Outputs { stdout, files, earlier, beside, failed: RefCell::default() })
}

/// An inventory beside a report: it may take the place of an earlier one.
pub fn inventory(path: &Path) -> (&Path, Ours) {
    (path, crate::inventory::is_ours)
}

impl Outputs {
    /// Of an examination whose report is not written: these places are left out of it.
    pub fn none(places: &[Place]) -> Self {
        let files = places.iter().map(|place| (place.clone(), JSON)).collect();
        Self { stdout: JSON, files, earlier: Vec::new(), beside: None, failed: RefCell::default() }
    }

    /// Where the files really are.
    pub fn real(&self) -> Vec<PathBuf> {
        let places = self.files.iter().map(|(place, _)| place).chain(&self.beside);
        places.filter_map(Place::real).map(Path::to_owned).collect()
    }

    /// Ends with this error once all that can be written is.
    pub fn fail(&self, error: anyhow::Error) {
        self.failed.replace(Some(error));
    }

    /// Where the file beside the report goes.
    pub fn beside(&self) -> Option<&Place> {
        self.beside.as_ref()
    }

    /// The whole report.
    ///
    /// # Errors
    /// Where a file or standard output cannot be written.
    pub fn write(&self, report: &Report) -> anyhow::Result<()> {
        self.write_each(report, |format, out, style| guarded(format, Document::Report, out, report, style))
    }

    /// The checklist only, in the formats for people; the whole report in those for machines.
    ///
    /// # Errors
    /// As for `write`.
    pub fn write_checklist(&self, report: &Report) -> anyhow::Result<()> {
        self.write_each(report, |format, out, style| guarded(format, Document::Checklist, out, report, style))
    }

    /// The checklist in the formats for people, whose first line says that it was interrupted; in those for machines the whole
    /// report, which says it too.
    ///
    /// # Errors
    /// As for `write`.
    pub fn write_interrupted(&self, report: &Report) -> anyhow::Result<()> {
        self.write_each(report, |format, out, style| {
            let document = if format.for_people { Document::Checklist } else { Document::Report };
            format.render(document, report, out, style)
        })
    }

    fn write_each(
        &self,
        report: &Report,
        render: impl Fn(&Format, &mut dyn Write, Style) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        // What was found is written to the others where one place cannot be written, a full disk say.
        let mut failed = self.failed.take().map_or(Ok(()), Err);
        let mut earlier = self.earlier.iter();
        for (place, format) in &self.files {
            if let Some(Err(why)) = earlier.next().map(|known| known.allows(place, report)) {
                failed = failed.and(Err(why));
                continue;
            }
            let style = Style { width: 100, colour: Colour::Never };
            let written = writer::write(place, |out| render(format, out, style));
            failed = failed.and(written.with_context(|| format!("cannot write `{}`", shown(place.named()))));
        }
        let style = Style { width: usize::from(width()), colour: colour() };
        if stop::unheeded() {
            return Err(stop::ended().into());
        }
        failed.and(to_stdout(|out| {
            let mut held = Held::new(out);
            render(self.stdout, &mut held, style)?;
            held.let_go()
        }))
    }
}

/// Where a format fails, a fault of this program, the whole report follows as JSON: what was found is reported.
fn guarded(format: &Format, document: Document, out: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    match caught(|| format.render(document, report, &mut *out, style)) {
        Some(written) => written,
        None if format == JSON => Err(io::Error::other("internal error: the report could not be written")),
        None => {
            note("internal error: this format could not be written; the report follows as JSON");
            out.write_all(b"\n")?;
            caught(|| JSON.render(Document::Report, report, &mut *out, style))
                .unwrap_or_else(|| Err(io::Error::other("internal error: the report could not be written")))
        }
    }
}

/// A line or a table.
///
/// # Errors
/// Where standard output cannot be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut line = printable_lines(text);
    line.push('\n');
    to_stdout(|out| out.write_all(line.as_bytes()))
}

/// Lines on standard error. Whatever they quote, nothing in them steers the terminal.
pub fn note(text: &str) {
    // Where standard error is closed nobody misses it.
    let _ = writeln!(io::stderr(), "{}", printable_lines(text));
}

/// A reader that has seen enough (`| head`) is no error.
fn to_stdout(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(writer::BUFFER, io::stdout().lock());
    match render(&mut out).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// One file of indicators of `-o`, checked before anything is read.
///
/// # Errors
/// Where the place is refused.
pub fn check(path: &Path, inputs: &[PathBuf], force: bool) -> anyhow::Result<Place> {
    Place::check(path, inputs, ioc::is_ours, force)
}

/// The same for another kind of file.
///
/// # Errors
/// Where the place is refused.
pub fn check_as(path: &Path, evidence: &[PathBuf], ours: Ours, force: bool) -> anyhow::Result<Place> {
    Place::check(path, evidence, ours, force)
}

/// Starts the thread that will write these, and files in whole folders.
pub fn start<'p>(places: impl IntoIterator<Item = &'p Place>, folders: &[PathBuf]) {
    writer::start(places.into_iter(), folders);
}

/// Writes a file that was planned.
///
/// # Errors
/// Where it cannot be written.
pub fn write_named(place: &Place, bytes: &[u8]) -> anyhow::Result<()> {
    writer::write(place, |out| out.write_all(bytes)).with_context(|| format!("cannot write `{}`", shown(place.named())))
}

/// A path, for a message.
pub fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

/// Some of these paths, for a message.
pub fn shown_some(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 10;
    let some: Vec<String> = paths.iter().take(SHOWN).map(|path| shown(path)).collect();
    let more = paths.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", some.join(" "))
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
    let ending = Ending::from_examination(report.verdict.exposure, report.verdict.complete, options.fail_on.into());
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
