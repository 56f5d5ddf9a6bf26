//! `dosimeter iocs import`: other people's indicators in this program's format.

use std::path::Path;

use anyhow::{bail, ensure};
use jiff::Timestamp;

use super::super::{Ending, indicators, output, sandbox};
use crate::{
    cli::IocsImport,
    ioc::{
        Database,
        bundle::{self, Content},
        import::{self, Imported, Reading},
        lint,
        withdrawn::Withdrawals,
    },
    stop,
    text::printable,
};

/// Reads everything, writes one file, and says what was taken and what was not.
///
/// # Errors
/// Where a file cannot be read, is broken or of no known format, or gives nothing.
pub fn run(command: &IocsImport) -> anyhow::Result<Ending> {
    let as_incident = command.output.extension().is_some_and(|e| e == "json");
    let stem = command.output.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(id) = command.id.as_ref().filter(|id| as_incident && **id != stem) {
        bail!("an incident file has the name of its incident\nhint: `-o {id}.json`");
    }
    let place = output::check(&command.output, &command.files, command.force_output)?;
    output::start([&place], &[]);
    sandbox::begin("iocs import").enclose(&sandbox::with_neighbours(&command.files));
    let mut imported = Imported::default();
    for path in &command.files {
        imported.add(indicators::imported(path, Reading { ecosystem: command.ecosystem })?, &path.to_string_lossy())?;
    }
    imported.beware(&Database::embedded()?.incidents);
    imported.without(&Withdrawals::embedded()?);
    let summary = summary(&imported);
    ensure!(!imported.is_empty(), "nothing could be taken over\n{summary}");
    let label = label(&command.files);
    let title = command.title.clone().unwrap_or_else(|| format!("Indicators of {label}"));
    let created = command.created.or(imported.newest).unwrap_or_else(Timestamp::now);
    let (bytes, what) = if as_incident {
        let incident = import::single(imported, &stem, &title, &label, created);
        let mut text = incident.to_text()?;
        text.push('\n');
        for fault in lint::check(&[(&*command.output.to_string_lossy(), &*text)], Timestamp::now()).1 {
            output::note(&format!(
                "{}: {}\nhint: {}",
                printable(&fault.place),
                printable(&fault.what),
                printable(&fault.hint)
            ));
        }
        (text.into_bytes(), format!("incident `{stem}`"))
    } else {
        let Imported { incidents, rows, .. } = imported;
        let content = Content { title, sequence: command.sequence, created, incidents, rows };
        (bundle::build(&content)?, format!("bundle number {} of {}", content.sequence, created.strftime("%Y-%m-%d")))
    };
    // From here on the first signal is a wish, so that no half file is left lying.
    stop::at_once(false);
    match output::write_named(&place, &bytes) {
        Err(_) if stop::unheeded() => return Ok(Ending::Interrupted),
        written => written?,
    }
    stop::mark_final();
    output::print(&format!("{summary}\nwritten: {what}, {} bytes", bytes.len()))?;
    Ok(Ending::Nothing)
}

/// What was taken and what was left, one line per kind.
fn summary(imported: &Imported) -> String {
    let mut lines: Vec<String> = imported.taken.iter().map(|(kind, count)| format!("taken: {count} {kind}")).collect();
    let left = imported.left.iter();
    lines.extend(
        left.map(|(why, left)| format!("left: {} × {} (`{}`)", left.count, printable(why), printable(&left.example))),
    );
    lines.join("\n")
}

/// The names of the files, without where they lay.
fn label(files: &[std::path::PathBuf]) -> String {
    let name = |p: &std::path::PathBuf| Path::new(p).file_name().map(|n| n.to_string_lossy().into_owned());
    let names: Vec<String> = files.iter().filter_map(name).map(|n| printable(&n)).collect();
    match names.as_slice() {
        [] => "imported files".to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}
