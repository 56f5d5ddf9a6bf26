//! OSV records, and the flat form in which some tools ship them.
//!
//! Only what is malicious is taken: `MAL-` numbers, and others where the record says so (CWE-506, an origin among the malicious
//! packages, `malicious`). No severity means no doubt. `malicious-packages-origins[].sha256` is the hash of a report, never of a
//! file, and `withdrawn` records are left out.

use serde_json::Value;

use super::{
    Context, Imported,
    draft::{Draft, row},
    json::{field, items, texts, time},
    version::{ranges, simplified},
};
use crate::{
    fact::Ecosystem,
    ioc::model::{Incident, Source},
};

/// Where packages of an ecosystem go.
enum Home {
    Packages(&'static [Ecosystem]),
    Actions,
}

/// By the name OSV gives it, without what stands behind `:`.
fn home(name: &str) -> Option<Home> {
    let known = match name.split(':').next().unwrap_or(name) {
        "PyPI" => &[Ecosystem::Pypi],
        "npm" => &[Ecosystem::Npm],
        "crates.io" => &[Ecosystem::Cargo],
        "Go" => &[Ecosystem::Golang],
        "RubyGems" => &[Ecosystem::Gem],
        "Maven" => &[Ecosystem::Maven],
        "NuGet" => &[Ecosystem::Nuget],
        "Packagist" => &[Ecosystem::Composer],
        "Hex" => &[Ecosystem::Hex],
        "Pub" => &[Ecosystem::Pub],
        "SwiftURL" => &[Ecosystem::Swift],
        "CRAN" => &[Ecosystem::Cran],
        "ConanCenter" => &[Ecosystem::Conan],
        "Alpine" => &[Ecosystem::Apk],
        "VSCode" => &[Ecosystem::Vscode],
        "Debian" | "Ubuntu" => &[Ecosystem::Deb],
        "AlmaLinux" | "Red Hat" | "Rocky Linux" | "SUSE" | "openSUSE" => &[Ecosystem::Rpm],
        "GitHub Actions" => return Some(Home::Actions),
        _ => return words(name).map(Home::Packages),
    };
    Some(Home::Packages(known.as_slice()))
}

/// By the words of other tools. The extensions of an editor may come from either marketplace.
pub fn words(word: &str) -> Option<&'static [Ecosystem]> {
    if ["editor-extension", "vscode-extension", "extension"].contains(&word.to_ascii_lowercase().as_str()) {
        return Some(&[Ecosystem::Vscode, Ecosystem::Openvsx]);
    }
    let at = Ecosystem::ALL.iter().position(|e| Some(*e) == Ecosystem::from_word(word.trim()))?;
    ALL.get(at..=at)
}

static ALL: [Ecosystem; 26] = Ecosystem::ALL;

/// One record.
pub fn record(record: &Value, _: Context<'_>, out: &mut Imported) -> Result<(), String> {
    let id = field(record, "id")?.ok_or("a record without `id`")?;
    let inside = |what: String| format!("record `{}`: {what}", id.chars().take(60).collect::<String>());
    taken(record, id, out).map_err(inside)
}

fn taken(record: &Value, id: &str, out: &mut Imported) -> Result<(), String> {
    let specific = record.get("database_specific");
    if record.get("withdrawn").is_some_and(|w| !w.is_null()) {
        out.leave("withdrawn by its publisher", id);
        return Ok(());
    }
    out.dated(time(record, "modified"));
    if let Some(own) = specific.and_then(|s| s.get("dosimeter")).and_then(|d| d.get("incident")) {
        let incident: Incident =
            serde_json::from_value(own.clone()).map_err(|e| format!("`dosimeter.incident`: {e}"))?;
        out.took("incidents", 1);
        out.incidents.push(incident);
        return Ok(());
    }
    let affected = items(record, "affected")?;
    if !is_malicious(record, id, affected) {
        out.leave("a vulnerability, not marked malicious", id);
        return Ok(());
    }
    let mut draft = Draft::new(id, field(record, "summary")?.unwrap_or(id), source(id, record)?);
    "named by the record".clone_into(&mut draft.what);
    for holder in [specific, affected.first().and_then(|a| a.get("database_specific"))].into_iter().flatten() {
        let Some(iocs) = holder.get("iocs").filter(|i| i.is_object()) else { continue };
        for key in ["domains", "ips"] {
            texts(iocs, key)?.into_iter().for_each(|host| draft.host(out, host, false));
        }
        texts(iocs, "urls")?.into_iter().for_each(|url| draft.url(out, url, false));
    }
    if affected.is_empty() {
        out.leave("a record that names no package", id);
    }
    // A record that is more than a list of versions stays together.
    let whole = !draft.incident.network.is_empty();
    for one in affected {
        package(one, id, whole.then_some(&mut draft), out)?;
    }
    draft.finish(out);
    Ok(())
}

fn source(id: &str, record: &Value) -> Result<Source, String> {
    let first = items(record, "references")?.iter().find_map(|r| r.get("url")?.as_str());
    let url = if id.starts_with("MAL-") {
        Some(format!("https://osv.dev/vulnerability/{id}"))
    } else {
        first.map(str::to_owned)
    };
    let url = url.filter(|u| u.starts_with("https://") || u.starts_with("http://"));
    let relayed = url.is_none().then(|| format!("record {id}"));
    Ok(Source { title: format!("OSV record {id}"), url, relayed })
}

fn is_malicious(record: &Value, id: &str, affected: &[Value]) -> bool {
    let embedded = |holder: Option<&Value>| {
        let Some(holder) = holder else { return false };
        let listed = |key: &str| holder.get(key).is_some_and(|v| v.to_string().contains("CWE-506"));
        holder.get("malicious-packages-origins").is_some()
            || holder.get("malicious") == Some(&Value::Bool(true))
            || listed("cwe_ids")
            || listed("cwes")
    };
    let alias = |key: &str| texts(record, key).is_ok_and(|all| all.iter().any(|a| a.starts_with("MAL-")));
    id.starts_with("MAL-")
        || alias("aliases")
        || embedded(record.get("database_specific"))
        || affected.iter().any(|a| embedded(a.get("database_specific")))
}

fn package(affected: &Value, id: &str, draft: Option<&mut Draft>, out: &mut Imported) -> Result<(), String> {
    let Some(package) = affected.get("package").filter(|p| p.is_object()) else {
        out.leave("an entry that names no package", id);
        return Ok(());
    };
    let name = field(package, "name")?.ok_or("a package without `name`")?;
    let ecosystem = field(package, "ecosystem")?.ok_or("a package without `ecosystem`")?;
    let Some(home) = home(ecosystem) else {
        out.leave(format!("the ecosystem `{}` is not examined", short(ecosystem)), &format!("{id} {name}"));
        return Ok(());
    };
    let mut versions: Vec<String> = texts(affected, "versions")?.into_iter().map(str::to_owned).collect();
    for range in items(affected, "ranges")? {
        if field(range, "type")? == Some("GIT") {
            out.leave("a range of commits (`GIT`)", &format!("{id} {name}"));
            continue;
        }
        let mut events = Vec::new();
        for event in items(range, "events")? {
            events.extend(event.as_object().ok_or("an event of a range that is no object")?);
        }
        versions.extend(ranges(events.into_iter().map(|(k, v)| (k.as_str(), v)))?);
    }
    if versions.is_empty() {
        out.leave("a package without a version", &format!("{id} {name}"));
        return Ok(());
    }
    match (home, draft) {
        (Home::Actions, Some(draft)) => draft.action(out, name, simplified(versions)),
        (Home::Actions, None) => {
            let source = Source { title: format!("OSV record {id}"), url: None, relayed: Some(format!("record {id}")) };
            let mut draft = Draft::new(id, &format!("Malicious action {name}"), source);
            draft.action(out, name, simplified(versions));
            draft.finish(out);
        }
        (Home::Packages(all), Some(draft)) => all.iter().for_each(|e| draft.package(out, *e, name, versions.clone())),
        (Home::Packages(all), None) => all.iter().for_each(|e| row(out, *e, name, versions.clone(), id)),
    }
    Ok(())
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// One record of a flat list: `ecosystem`, `name`, `malicious`, and `versions` or the ends of one range.
pub fn flat(record: &Value, out: &mut Imported) -> Result<(), String> {
    let id = field(record, "id")?.ok_or("a record without `id`")?;
    if record.get("malicious") != Some(&Value::Bool(true)) {
        out.leave("a vulnerability, not marked malicious", id);
        return Ok(());
    }
    if record.get("withdrawn").is_some_and(|w| !w.is_null() && *w != Value::Bool(false)) {
        out.leave("withdrawn by its publisher", id);
        return Ok(());
    }
    let (ecosystem, name) =
        (field(record, "ecosystem")?.unwrap_or_default(), field(record, "name")?.unwrap_or_default());
    let Some(all) = words(ecosystem) else {
        out.leave(format!("the ecosystem `{}` is not examined", short(ecosystem)), &format!("{id} {name}"));
        return Ok(());
    };
    let mut versions: Vec<String> = texts(record, "versions")?.into_iter().map(str::to_owned).collect();
    let ends = ["introduced", "fixed", "last_affected"].into_iter();
    let events: Vec<(&str, &Value)> = ends.filter_map(|k| Some((k, record.get(k).filter(|v| !v.is_null())?))).collect();
    versions.extend(ranges(events.into_iter()).map_err(|what| format!("record `{}`: {what}", short(id)))?);
    if versions.is_empty() {
        out.leave("a package without a version", &format!("{id} {name}"));
    }
    all.iter().for_each(|e| row(out, *e, name, versions.clone(), id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, read};
    use super::*;

    fn imported(text: &str) -> Imported {
        read(&[("x.json".to_owned(), text.as_bytes().to_vec())], Reading::default()).unwrap()
    }

    fn versions(i: &Imported) -> Vec<String> {
        i.rows.iter().map(|(e, n, r)| format!("{}/{n}@{}", e.purl_type(), r.versions.join(" "))).collect()
    }

    const HEAD: &str = r#""schema_version":"1.7.5","modified":"2026-03-24T00:00:00Z""#;

    #[test]
    fn the_malicious_versions_are_taken_and_a_report_s_hash_is_not() {
        let i = imported(&format!(
            r#"{{"id":"MAL-2026-1",{HEAD},"affected":[
                {{"package":{{"ecosystem":"PyPI","name":"evil"}},"versions":["1.0","1.1"]}},
                {{"package":{{"ecosystem":"npm","name":"evil"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}]}}]}},
                {{"package":{{"ecosystem":"Debian:12","name":"evil"}},"ranges":[{{"type":"GIT","repo":"x","events":[]}},
                  {{"type":"ECOSYSTEM","events":[{{"introduced":"1"}},{{"fixed":"2"}}]}}]}},
                {{"package":{{"ecosystem":"Hackage","name":"evil"}},"versions":["1"]}}],
              "database_specific":{{"malicious-packages-origins":[{{"sha256":"{}"}}]}}}}"#,
            "ab".repeat(32)
        ));
        assert_eq!(versions(&i), ["pypi/evil@1.0 1.1", "npm/evil@*", "deb/evil@>=1,<2"]);
        assert!(i.incidents.is_empty() && !i.taken.contains_key("hashes"));
        let why: Vec<&str> = i.left.keys().map(String::as_str).collect();
        assert_eq!(why, ["a range of commits (`GIT`)", "the ecosystem `Hackage` is not examined"]);
        assert_eq!(i.newest.unwrap().to_string(), "2026-03-24T00:00:00Z");
    }

    #[test]
    fn vulnerabilities_and_withdrawn_records_are_left() {
        let package = r#""affected":[{"package":{"ecosystem":"npm","name":"evil"},"versions":["1.0.0"]"#;
        let i = imported(&format!(
            "{{\"id\":\"GHSA-1\",{HEAD},{package}}}]}}\n{{\"id\":\"MAL-2\",{HEAD},\"withdrawn\":\"2026-03-25T00:00:00Z\",{package}}}]}}\n\
             {{\"id\":\"GHSA-3\",{HEAD},{package},\"database_specific\":{{\"cwes\":[{{\"cweId\":\"CWE-506\"}}]}}}}]}}\n"
        ));
        assert_eq!(versions(&i), ["npm/evil@1.0.0"]);
        assert_eq!(i.rows[0].2.advisory, "GHSA-3");
        assert_eq!(i.left["withdrawn by its publisher"].example, "MAL-2");
        assert_eq!(i.left["a vulnerability, not marked malicious"].count, 1);
    }

    #[test]
    fn addresses_make_an_incident_of_a_record() {
        let i = imported(&format!(
            r#"[{{"id":"MAL-2026-1",{HEAD},"summary":"Malicious code in evil","affected":[{{"package":{{"ecosystem":"npm","name":"evil"}},"versions":["1.0.0"]}}],
              "database_specific":{{"iocs":{{"domains":["c2[.]evil.example"],"ips":["203.0.113.9"],"urls":["https://evil.example/x"]}}}}}}]"#
        ));
        assert!(i.rows.is_empty());
        let network: Vec<&str> = i.incidents[0].network.iter().map(|n| n.value.as_str()).collect();
        assert_eq!(network, ["c2.evil.example", "203.0.113.9", "https://evil.example/x"]);
        assert_eq!(i.incidents[0].packages[0].versions, ["1.0.0"]);
    }

    #[test]
    fn actions_and_flat_records() {
        let i = imported(&format!(
            r#"[{{"id":"MAL-1",{HEAD},"affected":[{{"package":{{"ecosystem":"GitHub Actions","name":"a/b"}},"versions":["v1"]}}]}},
               {{"ecosystem":"gomod","id":"MAL-2","name":"example.org/evil","introduced":"0","malicious":true}},
               {{"ecosystem":"git","id":"MAL-3","name":"example.org/evil","introduced":"0","malicious":true}},
               {{"ecosystem":"npm","id":"CVE-1","name":"good","introduced":"0","malicious":false}}]"#
        ));
        assert_eq!(i.incidents[0].actions[0].tags, ["v1"]);
        assert_eq!(versions(&i), ["golang/example.org/evil@*"]);
        assert_eq!(i.left.values().map(|l| l.count).sum::<usize>(), 2);
    }

    #[test]
    fn wrong_types_name_the_record() {
        for broken in [
            r#""affected":7"#,
            r#""affected":[{"package":{"ecosystem":"npm","name":7}}]"#,
            r#""affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":[7]}]"#,
            r#""affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"events":[7]}]}]"#,
        ] {
            let text = format!(r#"{{"id":"MAL-1",{HEAD},{broken}}}"#);
            let error = read(&[("x.json".to_owned(), text.into_bytes())], Reading::default()).unwrap_err().to_string();
            assert!(error.starts_with("x.json: record `MAL-1`: ") && error.contains("line 1"), "{error}");
        }
    }
}
