//! conda's records: the one thing that is written when conda installs.

use std::collections::HashMap;

use crate::{
    assess::units::{Units, folder_of},
    fact::{At, Seen},
};

const FOLDER: &[u8] = b"conda-meta";

/// The time of a record.
pub fn recorded_at(seen: &Seen) -> Option<At> {
    seen.at.clone().filter(|_| folder_of(seen).name() == FOLDER)
}

/// conda links files that are as old as the package; only its record is written at the install.
pub fn date_what_it_linked(units: &mut Units) {
    for ((tree, _), folders) in &units.below {
        let Some(meta) = folders.iter().find(|f| f.name() == FOLDER) else {
            continue;
        };
        let records = units.by_folder.get(&(tree.clone(), meta.clone())).map_or(&[][..], |s| &s.distributions);
        let known: HashMap<_, _> = records
            .iter()
            .map(|d| ((d.package.name.clone(), d.package.version.clone()), d.installed.clone()))
            .collect();
        for folder in folders.iter().filter(|f| *f != meta) {
            let Some(site) = units.by_folder.get_mut(&(tree.clone(), folder.clone())) else {
                continue;
            };
            // What pip put there has its own time.
            for d in site.distributions.iter_mut().filter(|d| d.installer.as_deref().is_none_or(|i| i == "conda")) {
                let record = known.get(&(d.package.name.clone(), d.package.version.clone()));
                d.installed = record.cloned().flatten().or_else(|| d.installed.take());
            }
        }
    }
}
