//! `dosimeter iocs export`: incidents for other programs.

use std::path::Path;

use anyhow::ensure;

use super::super::{Ending, indicators::Indicators, output, sandbox};
use crate::{
    cli::{ExportFormat, IocsExport},
    ioc::{
        export::{self, Exported},
        feed::Feed as _,
    },
};

/// Writes them, and counts on standard error what the format cannot say.
///
/// # Errors
/// Where the indicators cannot be used, an id is unknown, or a file cannot be written.
pub fn run(command: &IocsExport) -> anyhow::Result<Ending> {
    let folder = command.output.as_ref().filter(|path| path.is_dir());
    let inputs = &command.indicators.iocs;
    let checked = |path: &Path| output::check(path, inputs, command.force_output);
    let file = command.output.as_ref().filter(|_| folder.is_none()).map(|path| checked(path)).transpose()?;
    match folder {
        Some(folder) => output::start_in(std::slice::from_ref(folder)),
        None => output::start(&file, &[]),
    }
    let sandbox = sandbox::begin("iocs export");
    let indicators = Indicators::load(&command.indicators)?;
    sandbox.enclose(folder.map_or(&[], std::slice::from_ref));
    let incidents = &indicators.database.incidents;
    for id in &command.ids {
        ensure!(incidents.iter().any(|i| i.id == *id), "no incident `{id}`\nhint: `dosimeter iocs list` names them");
    }
    let wanted: Vec<_> = incidents.iter().filter(|i| command.ids.is_empty() || command.ids.contains(&i.id)).collect();
    let Exported { records, dropped } = match command.format {
        ExportFormat::Osv => export::osv(&wanted)?,
        ExportFormat::Stix => export::stix(&wanted)?,
        ExportFormat::Csv => export::csv(&wanted)?,
    };
    match (&file, folder) {
        (Some(file), _) => output::write_named(file, export::joined(&records).as_bytes())?,
        (None, Some(folder)) => {
            let places = records.iter().map(|(name, _)| checked(&folder.join(name)));
            let places = places.collect::<anyhow::Result<Vec<_>>>()?;
            for (place, (_, text)) in places.iter().zip(&records) {
                output::write_named(place, text.as_bytes())?;
            }
        }
        (None, None) => output::print(export::joined(&records).trim_end())?,
    }
    for (what, count) in &dropped {
        output::note(&format!("{count} {what}"));
    }
    for bundle in indicators.bundles.iter().filter(|b| b.size().0 > 0) {
        output::note(&format!(
            "{} packages of `{}` are a list without incidents: they are not exported",
            bundle.size().0,
            bundle.label()
        ));
    }
    Ok(Ending::Nothing)
}
