//! By which names a start loads a package: its own, which its program mostly has too, and those of the modules that the incident
//! changed.

use super::super::super::Finding;
use crate::{
    ecosystem::purl::Purl,
    ioc::model::{FileRole, Incident},
};

/// The names, lower case, words joined by `-`.
pub fn names(incident: &Incident, finding: &Finding) -> Vec<String> {
    let package = finding.package.as_deref().and_then(Purl::parse).map(|p| p.name);
    let of_package = |name: &Option<String>| match (name, &package) {
        (Some(of), Some(package)) => of == package,
        _ => true,
    };
    let carries = |role: FileRole| matches!(role, FileRole::Module | FileRole::Payload | FileRole::Companion);
    let files = incident.files.iter().filter(|f| carries(f.role) && of_package(&f.package));
    let modules = files.flat_map(|f| &f.paths).filter_map(|p| p.strip_prefix("site:")?.split_once('/').map(|(m, _)| m));
    // A file is loaded by the folder that it stands in, and no other.
    let below = finding.unit.as_ref().and_then(|unit| finding.origin.path.below(&unit.folder));
    let below = below.map(|below| String::from_utf8_lossy(below).into_owned()).unwrap_or_default();
    let stands_in = |module: &&str| package.is_some() || below.split('/').next() == Some(*module);
    let mut names: Vec<String> = modules.filter(stands_in).map(normal).collect();
    names.extend(package.as_deref().map(normal));
    names.sort_unstable();
    names.dedup();
    names
}

fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}
