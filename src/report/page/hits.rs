//! What was hit and where, and whether it ran.

use std::collections::BTreeMap;

use super::fit::short_hashes;
use crate::{
    assess::family_of,
    ecosystem::purl::Purl,
    fact::Ecosystem,
    ioc::model::Moment,
    report::{v1, words},
    text::{escape, printable},
    verdict::{Confidence, Exposure},
};

/// Packages that are named for one place.
const NAMES: usize = 3;
/// Traces that are named.
const TRACES: usize = 3;

/// What was found at one place.
struct Hit {
    names: Vec<String>,
    /// "installed in /home/al/.venv (litellm-2026-03)".
    rest: String,
}

/// The worst of each place, worst first.
pub fn hits(report: &v1::Report) -> Vec<String> {
    if !report.machines.is_empty() {
        return of_machines(report);
    }
    let mut all: Vec<(&v1::IncidentReport, &v1::Finding)> =
        report.incidents.iter().flat_map(|i| i.findings.iter().map(move |f| (i, f))).collect();
    // A package says more than a file that it left, wherever it ran.
    let stands = |f: &v1::Finding| f.package.is_some() && f.exposure >= Exposure::Removed;
    all.sort_by_key(|(_, f)| std::cmp::Reverse((stands(f), f.exposure, f.confidence, f.package.is_some())));
    // What an incident's package left is said where it is said that it ran.
    let with_package: Vec<&str> = all.iter().filter(|(_, f)| stands(f)).map(|(i, _)| i.id.as_str()).collect();
    all.retain(|(i, f)| f.package.is_some() || !with_package.contains(&i.id.as_str()));
    // What is only stored or named does not count beside what was there.
    if all.iter().any(|(_, f)| f.exposure >= Exposure::Removed) {
        all.retain(|(_, f)| f.exposure >= Exposure::Removed);
    }
    let mut places: Vec<(&str, &[u8])> = Vec::new();
    let mut hits: Vec<Hit> = Vec::new();
    for (incident, f) in all {
        let folder = f.environment.as_ref().map_or(&f.location.path, |e| &e.path);
        let place = (incident.id.as_str(), folder.0.as_slice());
        let known = places.iter().position(|known| *known == place).and_then(|at| hits.get_mut(at));
        match known {
            // Its owner asked for the one, and the other came with it.
            Some(hit) => {
                hit.names.extend(package(f).filter(|name| hit.names.len() < NAMES && !hit.names.contains(name)));
            }
            None => {
                places.push(place);
                hits.push(hit(incident, f, folder));
            }
        }
    }
    hits.into_iter().map(|hit| format!("{} {}", hit.names.join(", "), hit.rest)).collect()
}

fn hit(incident: &v1::IncidentReport, f: &v1::Finding, folder: &v1::PathText) -> Hit {
    let file = || f.location.path.0.rsplit(|b| *b == b'/').next().map(escape);
    let named = if f.kind == "file" { file() } else { None };
    let what = package(f).or(named).unwrap_or_else(|| short_hashes(&words::indicator(f)));
    let maybe = if f.confidence == Confidence::Possible { "possibly " } else { "" };
    let tree = match f.location.tree.as_str() {
        "host" | "root" => String::new(),
        tree => format!(" of {}", escape(tree.as_bytes())),
    };
    let (exposure, folder, incident) = (f.exposure.as_str(), words::path(folder), escape(incident.id.as_bytes()));
    Hit { names: vec![what], rest: format!("{maybe}{exposure} in {folder}{tree} ({incident})") }
}

/// How many machines, and those that took the same together.
fn of_machines(report: &v1::Report) -> Vec<String> {
    let mut hits = vec![words::machines_counted(report)];
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for machine in words::machines_by_weight(report).into_iter().filter(|m| m.exposure.is_some()) {
        let (name, took) = (escape(machine.tree.as_bytes()), words::taken(machine));
        match alike.iter_mut().find(|(known, _)| *known == took) {
            Some((_, names)) => names.push(name),
            None => alike.push((took, vec![name])),
        }
    }
    hits.extend(alike.into_iter().map(|(took, mut names)| {
        names.sort();
        format!("{}: {took}", names.join(", "))
    }));
    hits
}

/// "litellm 1.82.8".
pub fn package(f: &v1::Finding) -> Option<String> {
    let purl = Purl::parse(f.package.as_deref()?)?;
    Some(format!("{} {}", escape(purl.name.as_bytes()), escape(purl.version.as_deref().unwrap_or_default().as_bytes())))
}

/// Whether it ran, by what, and what was looked for in vain; of several incidents each by itself.
pub fn ran(report: &v1::Report) -> Vec<String> {
    let mut worst: BTreeMap<&str, &v1::Finding> = BTreeMap::new();
    for (incident, f) in report.incidents.iter().flat_map(|i| i.findings.iter().map(move |f| (i, f))) {
        let known = worst.entry(incident.id.as_str()).or_insert(f);
        if weight(f) > weight(known) {
            *known = f;
        }
    }
    if worst.values().any(|f| f.exposure >= Exposure::Removed) {
        worst.retain(|_, f| f.exposure >= Exposure::Removed);
    }
    let mut worst: Vec<(&str, &v1::Finding)> = worst.into_iter().collect();
    worst.sort_by_key(|(_, f)| std::cmp::Reverse(weight(f)));
    match worst.as_slice() {
        [] => vec!["nothing was found that could".to_owned()],
        [(_, f)] => vec![format!("{}{}", answer(f), not_found(report, f))],
        several => several.iter().map(|(id, f)| format!("{}: {}", escape(id.as_bytes()), answer(f))).collect(),
    }
}

fn weight(f: &v1::Finding) -> (Exposure, bool, Confidence, bool) {
    (f.exposure, f.runs_by_itself, f.confidence, f.package.is_some())
}

fn answer(f: &v1::Finding) -> String {
    let sign = || printable(f.sign.as_ref().unwrap_or(&f.reason));
    match (f.exposure, f.confidence) {
        (Exposure::Executed, Confidence::Confirmed) if f.kind == "file" => {
            format!("yes: the payload left {} when it ran", words::path(&f.location.path))
        }
        (Exposure::Executed, Confidence::Confirmed) => format!("yes: {}", sign()),
        (Exposure::Executed, _) => format!("presume yes: {}", sign()),
        (Exposure::Installed, _) if f.runs_by_itself => match f.moment {
            Some(Moment::AtInstall) => {
                "presume yes: its code runs when it is installed, and nothing shows that it was kept from it".to_owned()
            }
            _ => format!(
                "presume yes: {} there, and leaves no log",
                family_of(f.ecosystem.unwrap_or(Ecosystem::Generic)).words().at_start
            ),
        },
        (Exposure::Installed, _) => {
            "not shown: it runs when it is used, and nothing that was found shows a use".to_owned()
        }
        (Exposure::Removed, Confidence::Possible) => "nobody knows: it may have been there, and is gone".to_owned(),
        (Exposure::Removed, _) => "presume yes: it was there, and is gone".to_owned(),
        (Exposure::Cached, _) => "no sign: its bytes are stored, and nothing shows that they were installed".to_owned(),
        (Exposure::Referenced, _) => "no sign: files name it, and nothing shows that it was installed".to_owned(),
    }
}

/// Traces that were looked for in vain, where nothing shows yet that it ran.
fn not_found(report: &v1::Report, f: &v1::Finding) -> String {
    let shown = f.exposure == Exposure::Executed && f.confidence == Confidence::Confirmed;
    let Some(page) = report.page.as_ref().filter(|p| !p.not_found.is_empty() && !shown) else {
        return String::new();
    };
    let mut names: Vec<&str> = page.not_found.iter().map(|p| p.rsplit('/').next().unwrap_or(p)).collect();
    names.dedup();
    let named: Vec<String> = names.iter().take(TRACES).map(|p| escape(p.as_bytes())).collect();
    let more = names.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let part = if page.everywhere { "" } else { " in what was examined" };
    format!(". No trace{part} of {}{more}: no all-clear", named.join(", "))
}
