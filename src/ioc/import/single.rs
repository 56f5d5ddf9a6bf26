//! Everything that was imported as one incident file, with examples and near misses, so that it passes `iocs check`.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::Timestamp;

use super::{Imported, draft::UNKNOWN_RUNS, version::simplified};
use crate::{
    ecosystem::{is_range, is_version, order},
    fact::Ecosystem,
    ioc::{
        Database, Index,
        model::{Example, Incident, NetworkKind, PackageIndicator, Source, Standing, Trigger},
    },
};

/// How many values of each kind become examples.
const SHOWN: usize = 3;

/// One incident of everything. `file` is what was read, in words; `created` the newest date of the input.
pub fn single(imported: Imported, id: &str, title: &str, file: &str, created: Timestamp) -> Incident {
    let mut incident = Incident {
        schema: "dosimeter.incident/1".to_owned(),
        id: id.to_owned(),
        title: title.to_owned(),
        date: created.strftime("%Y-%m-%d").to_string(),
        summary: format!("Imported from {file}. Nothing is known here beyond its values."),
        ..Incident::default()
    };
    if !imported.rows.is_empty() {
        let source = Source { title: file.to_owned(), url: None, relayed: Some(format!("imported from {file}")) };
        incident.sources.insert("file".to_owned(), source);
    }
    let mut aliases: Vec<String> = Vec::new();
    let mut packages: BTreeMap<(Ecosystem, String), Vec<String>> = BTreeMap::new();
    for (ecosystem, name, row) in imported.rows {
        aliases.extend(row.advisory.starts_with("MAL-").then_some(row.advisory));
        packages.entry((ecosystem, name)).or_default().extend(row.versions);
    }
    incident.packages.extend(packages.into_iter().map(|((ecosystem, name), versions)| PackageIndicator {
        ecosystem,
        name,
        versions: simplified(versions),
        triggers: vec![Trigger::InstallHook, Trigger::Import],
        runs: UNKNOWN_RUNS.to_owned(),
        safe: Vec::new(),
        standing: Standing::default(),
        sources: vec!["file".to_owned()],
    }));
    for other in imported.incidents {
        absorb(&mut incident, other);
    }
    once(&mut incident);
    aliases.sort();
    aliases.dedup();
    incident.aliases = aliases;
    let (examples, near_misses) = cases(&incident);
    incident.examples = examples;
    incident.near_misses = near_misses;
    incident
}

/// The values of another incident, under source keys of their own.
fn absorb(into: &mut Incident, mut other: Incident) {
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for (key, source) in std::mem::take(&mut other.sources) {
        let same = into.sources.iter().find(|(_, s)| s.title == source.title && s.url == source.url);
        let new = match same {
            Some((known, _)) => known.clone(),
            None => {
                let plain = [key.clone(), format!("{}-{key}", other.id)];
                let free = plain.into_iter().find(|k| !into.sources.contains_key(k));
                let new = free.unwrap_or_else(|| format!("{key}-{}", into.sources.len()));
                into.sources.insert(new.clone(), source);
                new
            }
        };
        keys.insert(key, new);
    }
    let renamed = |sources: &mut Vec<String>| {
        for source in sources {
            if let Some(new) = keys.get(source.as_str()) {
                source.clone_from(new);
            }
        }
    };
    macro_rules! append {
        ($($list:ident),*) => {$(
            for mut item in std::mem::take(&mut other.$list) {
                renamed(&mut item.sources);
                into.$list.push(item);
            }
        )*};
    }
    append!(packages, artifacts, files, network, processes, images, actions, strings, git, kubernetes);
    append!(windows, dead_man_switches, not_indicators);
    for window in &mut into.windows {
        window.published.iter_mut().for_each(|c| renamed(&mut c.sources));
    }
    into.cleanup.append(&mut other.cleanup);
    if into.harvest.paths.is_empty() && !other.harvest.sources.is_empty() {
        renamed(&mut other.harvest.sources);
        into.harvest = other.harvest;
    }
}

/// Each version once and everything in order, as the check wants it.
fn once(incident: &mut Incident) {
    let mut met = std::collections::BTreeSet::new();
    for p in &mut incident.packages {
        p.versions.retain(|v| met.insert((p.ecosystem, p.name.clone(), v.clone())));
    }
    incident.packages.retain(|p| !p.versions.is_empty());
    for p in &mut incident.packages {
        p.versions.sort();
        // A list with something else in it has no order of the ecosystem's.
        if p.versions.iter().all(|v| is_version(p.ecosystem, v)) {
            p.versions.sort_by(|a, b| order(p.ecosystem, a, b).unwrap_or(Ordering::Equal));
        }
    }
    incident.packages.sort_by(|a, b| (a.ecosystem.purl_type(), &a.name).cmp(&(b.ecosystem.purl_type(), &b.name)));
    let used: std::collections::BTreeSet<String> = crate::ioc::lint::sourced(incident)
        .into_iter()
        .flat_map(|(_, keys)| keys.to_vec())
        .chain(incident.harvest.sources.iter().cloned())
        .collect();
    incident.sources.retain(|key, _| used.contains(key));
}

/// What must be found and what must not, of the first values of each kind; kept only where the real look-up says so.
fn cases(incident: &Incident) -> (Vec<Example>, Vec<Example>) {
    let (mut hits, mut misses) = (Vec::new(), Vec::new());
    for p in incident.packages.iter().take(SHOWN) {
        let name = format!("{}:{}", p.ecosystem.purl_type(), p.name);
        match p.versions.iter().find(|v| *v != "*" && !is_range(v)) {
            Some(v) => {
                hits.push(format!("{name}@{v}"));
                misses.push(format!("{name}@{v}.99"));
            }
            None => hits.push(name.clone()),
        }
        misses.push(format!("{name}-look-alike@1.0.0"));
    }
    for hash in incident.artifacts.iter().flat_map(|a| [&a.sha256, &a.sha512, &a.sha1, &a.md5]).flatten().take(SHOWN) {
        hits.push(hash.clone());
        misses.push(hash.chars().rev().collect());
    }
    for n in incident.network.iter().filter(|n| !n.context_only).take(SHOWN) {
        let (word, neighbour) = match n.kind {
            NetworkKind::Domain => ("domain:", format!("domain:not-{}", n.value)),
            NetworkKind::Ip => ("ip:", format!("domain:not-{}.example", n.value)),
            NetworkKind::Url => ("", format!("{}-look-alike", n.value.trim_end_matches('/'))),
        };
        hits.push(format!("{word}{}", n.value));
        misses.push(neighbour);
    }
    for path in incident.files.iter().flat_map(|f| &f.paths).filter(|p| !p.contains('*')).take(SHOWN) {
        let name = crate::ioc::pattern::base(path);
        hits.push(format!("file:{name}"));
        misses.push(format!("file:not-{name}"));
    }
    for a in incident.actions.iter().take(SHOWN) {
        if let Some(reference) = a.tags.iter().chain(&a.commits).next() {
            hits.push(format!("action:{}@{reference}", a.repository));
        }
        misses.push(format!("action:{}-look-alike@v1", a.repository));
    }
    for i in incident.images.iter().take(SHOWN) {
        hits.extend(i.tags.iter().take(1).map(|tag| format!("oci:{}:{tag}", i.repository)));
        misses.push(format!("oci:{}-look-alike:latest", i.repository));
    }
    let database = Database {
        sequence: 0,
        created: Timestamp::UNIX_EPOCH,
        digest: String::new(),
        incidents: vec![incident.clone()],
    };
    let index = Index::new(database, &[]);
    hits.retain(|text| !index.find(text, None).is_empty());
    misses.retain(|text| index.find(text, None).is_empty());
    let example = |title: &str, lookups: Vec<String>| Example {
        title: title.to_owned(),
        files: BTreeMap::new(),
        expect: Vec::new(),
        lookups,
        at: None,
    };
    let some = |title: &str, lookups: Vec<String>| {
        if lookups.is_empty() { Vec::new() } else { vec![example(title, lookups)] }
    };
    (some("imported values are found", hits), some("their neighbours are not", misses))
}
