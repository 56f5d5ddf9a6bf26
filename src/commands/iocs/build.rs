//! `dosimeter iocs build`: a bundle of a folder of incidents, for those who publish one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::{
    super::{
        Ending, indicators, input,
        output::{self, shown},
        sandbox,
    },
    check,
};
use crate::{
    cli::IocsBuild,
    credential::lint::is_kind,
    ioc::{
        bundle::{self, Content},
        database::{self, Header},
        import::Reading,
        withdrawn::Withdrawals,
    },
    text::printable,
};

/// Writes the bundle, and its head for signing.
///
/// # Errors
/// Where a file has a fault, or cannot be written.
pub fn run(command: &IocsBuild) -> anyhow::Result<Ending> {
    let inputs: Vec<PathBuf> = std::iter::once(&command.folder).chain(&command.feed).cloned().collect();
    let mut beside = command.output.as_os_str().to_owned();
    beside.push(".head");
    let beside = PathBuf::from(beside);
    let bundle = output::check(&command.output, &inputs, command.force_output)?;
    let own_head = output::check(&beside, &inputs, command.force_output)?;
    output::start([&bundle, &own_head], &[]);
    sandbox::begin("iocs build").enclose(&sandbox::with_neighbours(&inputs));
    let header = command.folder.join("database.json");
    let Header { sequence, created } = serde_json::from_str(&input::text(&header, input::LIST)?)
        .with_context(|| format!("`{}` is not `{{\"sequence\": …, \"created\": …}}`", shown(&header)))?;
    let mut files = check::files(std::slice::from_ref(&command.folder))?;
    // A bundle holds incidents alone.
    files.retain(|(_, text)| !is_kind(text));
    let (incidents, _) = check::all_good(&files)?;
    ensure!(incidents > 0, "no incident file in `{}`", shown(&command.folder));
    let own = files.iter().filter(|(f, _)| Path::new(f) != header);
    let pairs: Vec<(&str, &str)> = own.map(|(f, t)| (f.as_str(), t.as_str())).collect();
    let incidents = database::incidents(&pairs, "")?;
    let mut rows = Vec::new();
    for feed in &command.feed {
        let mut imported = indicators::imported(feed, Reading::default())?;
        imported.without(&Withdrawals::embedded()?);
        for (why, left) in &imported.left {
            output::note(&format!(
                "{}: left out {} times: {why} (`{}`)",
                shown(feed),
                left.count,
                printable(&left.example)
            ));
        }
        rows.extend(imported.rows);
    }
    let content = Content { title: command.title.clone(), sequence, created, incidents, rows };
    let bytes = bundle::build(&content)?;
    let head = bundle::head_of(&bytes)?;
    output::write_named(&bundle, &bytes)?;
    output::write_named(&own_head, head)?;
    output::print(&format!(
        "number {sequence} of {}: {} incidents, {} packages, {} bytes\nsign `{}`: minisign -S -m {} -x {}.minisig",
        created.strftime("%Y-%m-%d"),
        content.incidents.len(),
        content.rows.len(),
        bytes.len(),
        shown(&beside),
        shown(&beside),
        shown(&command.output),
    ))?;
    Ok(Ending::Nothing)
}
