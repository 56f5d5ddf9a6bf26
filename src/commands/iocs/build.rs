//! `dosimeter iocs build`: a bundle of a folder of incidents, for those who publish one.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::{
    super::{Ending, indicators, input, output},
    check,
};
use crate::{
    cli::IocsBuild,
    ioc::{
        bundle::{self, Content},
        database::{self, Header},
        import::Reading,
        withdrawn::Withdrawals,
    },
};

/// Writes the bundle, and its head for signing.
///
/// # Errors
/// Where a file has a fault, or cannot be written.
pub fn run(command: &IocsBuild) -> anyhow::Result<Ending> {
    let header = command.folder.join("database.json");
    let Header { sequence, created } = serde_json::from_str(&input::text(&header)?)
        .with_context(|| format!("`{}` is not `{{\"sequence\": …, \"created\": …}}`", header.display()))?;
    let files = check::files(std::slice::from_ref(&command.folder))?;
    let (incidents, _) = check::all_good(&files)?;
    ensure!(incidents > 0, "no incident file in `{}`", command.folder.display());
    let own = files.iter().filter(|(f, _)| Path::new(f) != header);
    let pairs: Vec<(&str, &str)> = own.map(|(f, t)| (f.as_str(), t.as_str())).collect();
    let incidents = database::incidents(&pairs, "")?;
    let mut rows = Vec::new();
    for feed in &command.feed {
        let mut imported = indicators::imported(feed, Reading::default())?;
        imported.without(&Withdrawals::embedded()?);
        for (why, left) in &imported.left {
            output::note(&format!("{}: left out {} times: {why} (`{}`)", feed.display(), left.count, left.example));
        }
        rows.extend(imported.rows);
    }
    let content = Content { title: command.title.clone(), sequence, created, incidents, rows };
    let bytes = bundle::build(&content)?;
    let head = bundle::head_of(&bytes)?;
    let mut beside = command.output.as_os_str().to_owned();
    beside.push(".head");
    output::write_named(&command.output, &bytes)?;
    output::write_named(Path::new(&beside), head)?;
    output::print(&format!(
        "number {sequence} of {}: {} incidents, {} packages, {} bytes\nsign `{}`: minisign -S -m {} -x {}.minisig",
        created.strftime("%Y-%m-%d"),
        content.incidents.len(),
        content.rows.len(),
        bytes.len(),
        Path::new(&beside).display(),
        Path::new(&beside).display(),
        command.output.display(),
    ))?;
    Ok(Ending::Nothing)
}
