//! OSV 1.7.5: one record per incident. Own numbers start with `x_`; ecosystems that OSV lacks, and everything that is no package or
//! address, stand in `database_specific.dosimeter`.

use serde_json::{Map, Value, json};

use super::{Exported, live, moment, whole};
use crate::{
    ecosystem::is_range,
    fact::Ecosystem,
    ioc::model::{Incident, NetworkKind},
};

const ONLY_HERE: &str = "OSV has no place for them, they stand in `database_specific`";

/// The records.
///
/// # Errors
/// Where a value cannot be said in JSON.
pub fn osv(incidents: &[&Incident]) -> Result<Exported, serde_json::Error> {
    let mut out = Exported::default();
    for incident in incidents {
        let record = record(incident, &mut out)?;
        out.records.push((format!("x_{}.json", incident.id), format!("{}\n", crate::text::json::pretty(&record)?)));
    }
    Ok(out)
}

fn record(i: &Incident, out: &mut Exported) -> Result<Value, serde_json::Error> {
    let mut affected = Vec::new();
    for p in i.packages.iter().filter(|p| live(&p.standing)) {
        match ecosystem(p.ecosystem) {
            Some(name) => affected.push(entry(name, p.ecosystem, &p.name, &p.versions, out)),
            None => out.cannot(&format!("packages of {}: {ONLY_HERE}", p.ecosystem.purl_type()), 1),
        }
    }
    for a in i.actions.iter().filter(|a| live(&a.standing)) {
        let exact: Vec<String> = a.tags.iter().chain(&a.commits).cloned().collect();
        out.cannot(&format!("tags of actions that were moved and moved back: {ONLY_HERE}"), a.moved_tags.len());
        if !exact.is_empty() {
            affected.push(json!({"package": {"ecosystem": "GitHub Actions", "name": a.repository}, "versions": exact}));
        }
    }
    for (what, count) in [
        ("files", i.files.len()),
        ("artifacts and their hashes", i.artifacts.len()),
        ("processes", i.processes.len()),
        ("images", i.images.len()),
        ("strings", i.strings.len()),
        ("traces in git", i.git.len()),
        ("Kubernetes objects", i.kubernetes.len()),
    ] {
        out.cannot(&format!("{what}: {ONLY_HERE}"), count);
    }
    let network = |kind: NetworkKind| -> Vec<&str> {
        let of = i.network.iter().filter(|n| n.kind == kind && !n.context_only && live(&n.standing));
        of.map(|n| n.value.as_str()).collect()
    };
    let references: Vec<Value> =
        i.sources.values().filter_map(|s| Some(json!({"type": "WEB", "url": s.url.as_ref()?}))).collect();
    let aliases: Vec<&String> = i.aliases.iter().filter(|a| is_number(a)).collect();
    let mut record = Map::new();
    let mut put = |key: &str, value: Value| record.insert(key.to_owned(), value);
    put("schema_version", json!("1.7.5"));
    put("id", json!(format!("x_{}", i.id)));
    put("modified", json!(moment(i)));
    put("published", json!(moment(i)));
    put("aliases", json!(aliases));
    put("summary", json!(i.title));
    put("details", json!(i.summary));
    put("affected", json!(affected));
    put("references", json!(references));
    put(
        "database_specific",
        json!({
            "malicious": true,
            "iocs": {
                "domains": network(NetworkKind::Domain),
                "ips": network(NetworkKind::Ip),
                "urls": network(NetworkKind::Url),
            },
            "dosimeter": {"incident": whole(i)?},
        }),
    );
    Ok(Value::Object(record))
}

fn entry(name: &str, ecosystem: Ecosystem, package: &str, versions: &[String], out: &mut Exported) -> Value {
    let exact: Vec<&String> = versions.iter().filter(|v| *v != "*" && !is_range(v)).collect();
    let semantic = matches!(ecosystem, Ecosystem::Npm | Ecosystem::Cargo | Ecosystem::Golang);
    let kind = if semantic { "SEMVER" } else { "ECOSYSTEM" };
    let mut ranges = Vec::new();
    for v in versions.iter().filter(|v| *v == "*" || is_range(v)) {
        match events(v) {
            Some(events) => ranges.push(json!({"type": kind, "events": events})),
            None => out.cannot(&format!("ranges like `{v}`: {ONLY_HERE}"), 1),
        }
    }
    let mut entry = json!({"package": {"ecosystem": name, "name": package}});
    if let Some(entry) = entry.as_object_mut() {
        if !exact.is_empty() {
            entry.insert("versions".to_owned(), json!(exact));
        }
        if !ranges.is_empty() {
            entry.insert("ranges".to_owned(), json!(ranges));
        }
    }
    entry
}

/// A range as OSV's events; `None` where they cannot say it (`>1.0`).
fn events(range: &str) -> Option<Vec<Value>> {
    let (mut from, mut to) = ("0", None);
    for clause in range.split(',').filter(|c| *c != "*") {
        match clause.trim_start_matches(['<', '>', '=']) {
            v if clause.starts_with(">=") => from = v,
            v if clause.starts_with("<=") => to = Some(json!({"last_affected": v})),
            v if clause.starts_with('<') => to = Some(json!({"fixed": v})),
            _ => return None,
        }
    }
    Some([json!({"introduced": from})].into_iter().chain(to).collect())
}

fn ecosystem(ecosystem: Ecosystem) -> Option<&'static str> {
    Some(match ecosystem {
        Ecosystem::Pypi => "PyPI",
        Ecosystem::Npm => "npm",
        Ecosystem::Cargo => "crates.io",
        Ecosystem::Golang => "Go",
        Ecosystem::Gem => "RubyGems",
        Ecosystem::Maven => "Maven",
        Ecosystem::Nuget => "NuGet",
        Ecosystem::Composer => "Packagist",
        Ecosystem::Vscode => "VSCode",
        Ecosystem::Deb => "Debian",
        Ecosystem::Hex => "Hex",
        Ecosystem::Pub => "Pub",
        Ecosystem::Swift => "SwiftURL",
        Ecosystem::Cran => "CRAN",
        Ecosystem::Conan => "ConanCenter",
        Ecosystem::Apk => "Alpine",
        Ecosystem::Openvsx
        | Ecosystem::Jetbrains
        | Ecosystem::Chrome
        | Ecosystem::Firefox
        | Ecosystem::Oci
        | Ecosystem::Rpm
        | Ecosystem::Aur
        | Ecosystem::Cocoapods
        | Ecosystem::Brew
        | Ecosystem::Generic => return None,
    })
}

/// Numbers of databases that OSV knows; names that people use are none.
fn is_number(alias: &str) -> bool {
    ["MAL-", "GHSA-", "CVE-", "PYSEC-", "RUSTSEC-", "GO-"].iter().any(|p| alias.starts_with(p))
}
