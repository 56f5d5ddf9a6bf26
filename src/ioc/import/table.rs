//! CSV with a header. Columns are known by their names; what a version column says in words is left, never guessed.

use super::{
    Context, Fault, Imported,
    draft::{Draft, row},
    lines::{self, advisory},
    osv::words,
    version,
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Kind,
    Namespace,
    Name,
    Version,
    Purl,
    Hash,
    Host,
    Url,
    File,
    Value,
    Id,
}

/// By the name that a header gives it.
fn column(name: &str) -> Option<Column> {
    let name = name.trim().trim_matches('"').to_ascii_lowercase().replace([' ', '-'], "_");
    Some(match name.as_str() {
        "ecosystem" | "type" | "registry" | "package_manager" | "artifact_type" | "indicator_type" | "ioc_type"
        | "kind" => Column::Kind,
        "namespace" | "scope" | "group" | "publisher" => Column::Namespace,
        "name" | "package" | "package_name" | "artifact" | "component" | "module" => Column::Name,
        "version"
        | "versions"
        | "affected_versions"
        | "malicious_versions"
        | "compromised_versions"
        | "package_version"
        | "package_versions"
        | "affected_version" => Column::Version,
        "purl" | "package_url" => Column::Purl,
        "sha256" | "sha_256" | "sha512" | "sha_512" | "sha1" | "sha_1" | "md5" | "hash" | "file_hash" => Column::Hash,
        "domain" | "domains" | "host" | "hostname" | "ip" | "ip_address" | "ipv4" | "ipv6" | "fqdn" => Column::Host,
        "url" | "urls" | "uri" => Column::Url,
        "file" | "filename" | "file_name" | "path" | "file_path" => Column::File,
        "value" | "indicator" | "ioc" | "indicator_value" => Column::Value,
        "id" | "advisory" | "advisory_id" | "incident" | "osv_id" | "campaign" => Column::Id,
        _ => return None,
    })
}

/// The columns of a header; `None` where it is none.
fn columns(header: &csv::StringRecord) -> Option<Vec<Option<Column>>> {
    let columns: Vec<Option<Column>> = header.iter().map(column).collect();
    let has = |c: Column| columns.contains(&Some(c));
    let whole = [Column::Purl, Column::Hash, Column::Host, Column::Url];
    let known = has(Column::Name) && (has(Column::Version) || has(Column::Kind))
        || has(Column::Value)
        || whole.into_iter().any(has);
    known.then_some(columns)
}

/// Every row of a table.
pub fn read(text: &str, context: Context<'_>, out: &mut Imported) -> Result<(), Fault> {
    let mut start = text;
    while start.starts_with(['#', '\n', '\r']) {
        start = start.split_once('\n').map_or("", |(_, rest)| rest);
    }
    let first = start.lines().next().unwrap_or_default();
    let by = [b',', b';', b'\t'].into_iter().max_by_key(|d| first.bytes().filter(|b| b == d).count());
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(by.unwrap_or(b',')).from_reader(start.as_bytes());
    let header = reader.headers().map_err(|_| Fault::Unknown)?.clone();
    let columns = columns(&header).ok_or(Fault::Unknown)?;
    let skipped = text.lines().count() - start.lines().count();
    let mut draft = Draft::of_file(context, "table");
    let (mut record, mut rows) = (csv::StringRecord::new(), 0_usize);
    while reader.read_record(&mut record).map_err(|e| Fault::Broken(format!("not comma-separated values: {e}")))? {
        rows += 1;
        out.goes_on()?;
        let line = record.position().map_or(0, csv::Position::line) + u64::try_from(skipped).unwrap_or(0);
        let row = Row { columns: &columns, record: &record };
        if let Err(why) = row.add_to(context, &mut draft, out) {
            let cells: Vec<&str> = record.iter().take(20).map(|cell| crate::text::start(cell, 100)).collect();
            out.leave(why, &format!("line {line}: {}", cells.join(",")));
        }
    }
    draft.finish(out);
    if rows == 0 { Err(Fault::Broken("a header without rows".to_owned())) } else { Ok(()) }
}

struct Row<'r> {
    columns: &'r [Option<Column>],
    record: &'r csv::StringRecord,
}

impl<'r> Row<'r> {
    fn cells(&self, column: Column) -> impl Iterator<Item = &'r str> {
        let pairs = self.columns.iter().zip(self.record.iter());
        pairs.filter(move |(c, _)| **c == Some(column)).map(|(_, cell)| cell.trim()).filter(|cell| !cell.is_empty())
    }

    fn add_to(&self, context: Context<'_>, draft: &mut Draft, out: &mut Imported) -> Result<(), String> {
        let mut has_indicator = false;
        for purl in self.cells(Column::Purl) {
            lines::add_indicator(purl, context, draft, out)?;
            has_indicator = true;
        }
        let hashes: Vec<&str> = self.cells(Column::Hash).collect();
        let files: Vec<&str> = self.cells(Column::File).collect();
        if !hashes.is_empty() {
            draft.hashes(out, &hashes, files.first().copied());
        }
        for host in self.cells(Column::Host) {
            draft.host(out, host, false);
        }
        for url in self.cells(Column::Url) {
            draft.url(out, url, false);
        }
        has_indicator |=
            !hashes.is_empty() || self.cells(Column::Host).next().is_some() || self.cells(Column::Url).next().is_some();
        if hashes.is_empty() {
            files.iter().for_each(|file| draft.file_name(out, file));
            has_indicator |= !files.is_empty();
        }
        let subject = self.cells(Column::Name).next().or_else(|| self.cells(Column::Value).next());
        match subject {
            // A table of hashes and addresses may name the package that they belong to.
            Some(_) if has_indicator && self.cells(Column::Version).next().is_none() => Ok(()),
            Some(subject) if self.cells(Column::Purl).next().is_none() => self.subject(subject, context, draft, out),
            None if !has_indicator => Err("a row without a name or value".to_owned()),
            _ => Ok(()),
        }
    }

    fn subject(&self, name: &str, context: Context<'_>, draft: &mut Draft, out: &mut Imported) -> Result<(), String> {
        let kinds: Vec<String> = self.cells(Column::Kind).map(str::to_ascii_lowercase).collect();
        for kind in &kinds {
            match kind.replace(['_', '-'], " ").as_str() {
                "sha256" | "sha 256" | "sha512" | "sha1" | "md5" | "hash" => draft.hashes(out, &[name], None),
                "domain" | "hostname" | "host" | "ip" | "ipv4" | "ipv6" | "ip dst" | "ip address" | "domain name" => {
                    draft.host(out, name, false);
                }
                "url" => draft.url(out, name, false),
                "file" | "filename" | "file name" | "path" => draft.file_name(out, name),
                "github action" | "action" | "actions" | "github actions" => {
                    return self.versions().map(|v| draft.action(out, name, v));
                }
                "docker image" | "container image" | "image" | "oci" | "docker" => {
                    return self.tags().map(|v| draft.image(out, name, v));
                }
                _ => continue,
            }
            return Ok(());
        }
        let found = kinds.iter().find_map(|kind| {
            let kind = kind.strip_suffix(" package").or_else(|| kind.strip_suffix(" extension")).unwrap_or(kind);
            words(kind.trim())
        });
        let own = context.reading.ecosystem.as_ref().map(std::slice::from_ref);
        let ecosystems = match (found, own) {
            (Some(found), _) => found,
            (None, Some(own)) if kinds.iter().all(|k| k == "package") => own,
            (None, _) if kinds.is_empty() => {
                if self.cells(Column::Value).next().is_some() && self.cells(Column::Version).next().is_none() {
                    return lines::add_indicator(name, context, draft, out);
                }
                return Err("a package without its ecosystem".to_owned());
            }
            _ => {
                return Err(format!(
                    "the kind `{}` is not known",
                    kinds.join(" ").chars().take(40).collect::<String>()
                ));
            }
        };
        let id = self.cells(Column::Id).next().map_or_else(|| advisory(context), str::to_owned);
        let versions = self.versions()?;
        for e in ecosystems {
            row(out, *e, &self.full(*e, name), versions.clone(), &id);
        }
        Ok(())
    }

    /// With its namespace, where that is a column of its own.
    fn full(&self, ecosystem: crate::fact::Ecosystem, name: &str) -> String {
        use crate::fact::Ecosystem as E;
        let Some(space) = self.cells(Column::Namespace).next().filter(|s| !name.contains(s)) else {
            return name.to_owned();
        };
        match ecosystem {
            E::Npm => format!("@{}/{name}", space.trim_start_matches('@')),
            E::Maven => format!("{space}:{name}"),
            E::Vscode | E::Openvsx => format!("{space}.{name}"),
            _ => format!("{space}/{name}"),
        }
    }

    fn versions(&self) -> Result<Vec<String>, String> {
        let mut versions = Vec::new();
        for cell in self.cells(Column::Version) {
            versions.extend(version::cell(cell).ok_or("words where a version belongs")?);
        }
        if versions.is_empty() { Err("a package without a version".to_owned()) } else { Ok(versions) }
    }

    fn tags(&self) -> Result<Vec<String>, String> {
        let digest = |c: &&str| c.starts_with("sha256:") && !c.contains(char::is_whitespace);
        match self.cells(Column::Version).find(digest) {
            Some(digest) => Ok(vec![digest.to_owned()]),
            None => self.versions(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, read};
    use super::*;

    fn imported(text: &str) -> Imported {
        read(&[("wave-1.csv".to_owned(), text.as_bytes().to_vec())], Reading::default()).unwrap()
    }

    fn rows(i: &Imported) -> Vec<String> {
        let row = |(e, n, r): &(crate::fact::Ecosystem, String, crate::ioc::feed::FeedRow)| {
            format!("{}/{n}@{} {}", e.purl_type(), r.versions.join(" "), r.advisory)
        };
        i.rows.iter().map(row).collect()
    }

    #[test]
    fn the_snapshot_s_forms_are_understood() {
        let i = imported(
            "ecosystem,package,version,id\ncargo,evil,0.1.0,MAL-1\ncargo,evil,0.1.1,MAL-1\nnpm,@evil/a,*,MAL-2\n\
             npm,evil,\"range:{\"\"introduced\"\": \"\"1.0.3\"\"}\",MAL-3\ngit,example.org/evil,*,MAL-4\ngomod,example.org/evil,*,MAL-5\n",
        );
        let expected = [
            "cargo/evil@0.1.0 0.1.1 MAL-1",
            "npm/@evil/a@* MAL-2",
            "npm/evil@>=1.0.3 MAL-3",
            "golang/example.org/evil@* MAL-5",
        ];
        assert_eq!(rows(&i), expected);
        assert_eq!(i.taken["package versions"], 5);
        assert_eq!(i.left["the kind `git` is not known"].example, "line 6: git,example.org/evil,*,MAL-4");
    }

    #[test]
    fn a_list_of_kinds_is_read_and_prose_is_left() {
        let i = imported(
            "artifact_type,name,affected_versions\npypi package,evil,\"1.0, 1.1\"\ndocker image,evil/image,\"0.1, 0.2\"\n\
             github action,a/b,v1.1\ngithub action,a/c,0.2.0 to 0.2.6\nopenvsx extension,evil,1.0\nnpm package,evil,\n",
        );
        assert_eq!(rows(&i), ["pypi/evil@1.0 1.1 wave-1"]);
        let incident = &i.incidents[0];
        assert_eq!(incident.images[0].tags, ["0.1", "0.2"]);
        assert_eq!((incident.actions.len(), incident.actions[0].tags[0].as_str()), (1, "v1.1"));
        let why: Vec<&str> = i.left.keys().map(String::as_str).collect();
        assert_eq!(why, ["a package without a version", "not a name of openvsx", "words where a version belongs"]);
    }

    #[test]
    fn other_kinds_of_columns() {
        let (one, two) = ("ab".repeat(32), "cd".repeat(32));
        let i =
            imported(&format!("sha256;filename;domain\n{one};evil.js;evil[.]example\n{two};;\n{};;\n", "a".repeat(65)));
        let incident = &i.incidents[0];
        assert_eq!(incident.artifacts.len(), 2);
        assert_eq!(incident.artifacts[0].name, "evil.js");
        assert_eq!(incident.network[0].value, "evil.example");
        assert_eq!(i.left["not a SHA-512, SHA-256, SHA-1 or MD5"].count, 1);
        let i = imported("type,value\nurl,hxxps://evil[.]example/x\ndomain,evil.example\nip,203.0.113.9\n");
        assert_eq!(i.incidents[0].network.len(), 3);
        let i = imported("ecosystem,namespace,name,version\nnpm,@evil,a,1.0.0\nvscode,evil,b,1.0.0\n");
        assert_eq!(rows(&i), ["npm/@evil/a@1.0.0 wave-1", "vscode/evil.b@1.0.0 wave-1"]);
        let i = imported("purl\npkg:npm/evil@1.0.0\n");
        assert_eq!(rows(&i), ["npm/evil@1.0.0 wave-1"]);
    }

    #[test]
    fn what_has_no_header_of_ours_is_none() {
        for text in ["a,b,c\n1,2,3\n", "name,size\nx,1\n", "ecosystem,package,version,id\n"] {
            let file = ("x.csv".to_owned(), text.as_bytes().to_vec());
            assert!(read(&[file], Reading::default()).is_err(), "{text}");
        }
    }
}
