//! `dosimeter iocs export`: incidents for other programs.

use anyhow::ensure;

use super::super::{Ending, indicators::Indicators, output};
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
    let indicators = Indicators::load(&command.indicators)?;
    let incidents = &indicators.database.incidents;
    for id in &command.ids {
        ensure!(incidents.iter().any(|i| i.id == *id), "no incident `{id}`\nhint: `dosimeter iocs list` names them");
    }
    let wanted: Vec<_> = incidents.iter().filter(|i| command.ids.is_empty() || command.ids.contains(&i.id)).collect();
    let Exported { records, untold } = match command.format {
        ExportFormat::Osv => export::osv(&wanted)?,
        ExportFormat::Stix => export::stix(&wanted)?,
        ExportFormat::Csv => export::csv(&wanted)?,
    };
    match &command.output {
        None => output::print(export::joined(&records).trim_end())?,
        Some(folder) if folder.is_dir() => {
            for (name, text) in &records {
                output::write_named(&folder.join(name), text.as_bytes())?;
            }
        }
        Some(file) => output::write_named(file, export::joined(&records).as_bytes())?,
    }
    for (what, count) in &untold {
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
