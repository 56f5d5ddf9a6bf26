//! A table: a value a row, `artifact_type` says what it is. What needs more than a value to be judged is not in it.

use super::{Exported, live};
use crate::{
    ioc::{
        model::{FileRole, Incident, NetworkKind},
        pattern,
    },
    text::printable,
};

/// The first line of the table.
pub const COLUMNS: &str = "artifact_type,ecosystem,name,version,incident";

/// The table.
///
/// # Errors
/// Where it is too large for memory.
pub fn csv(incidents: &[&Incident]) -> Result<Exported, csv::Error> {
    let mut out = Exported::default();
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS.split(','))?;
    for i in incidents {
        let mut row = |kind: &str, ecosystem: &str, name: &str, version: &str| {
            // No value of an indicator needs what is hidden, and a table has no way to say it.
            table.write_record([kind, ecosystem, name, version, i.id.as_str()].map(printable))
        };
        for p in i.packages.iter().filter(|p| live(&p.standing)) {
            for version in &p.versions {
                row("package", p.ecosystem.purl_type(), &p.name, version)?;
            }
        }
        let artifacts =
            i.artifacts.iter().filter(|a| live(&a.standing)).map(|a| [&a.sha256, &a.sha1, &a.md5, &a.sha512]);
        let files = i.files.iter().filter(|f| live(&f.standing)).map(|f| [&f.sha256, &f.sha1, &f.md5, &None]);
        for hashes in artifacts.chain(files) {
            for (kind, hash) in ["sha256", "sha1", "md5", "sha512"].into_iter().zip(hashes) {
                if let Some(hash) = hash {
                    row(kind, "", hash, "")?;
                }
            }
        }
        for n in i.network.iter().filter(|n| live(&n.standing) && !n.context_only) {
            let kind = match n.kind {
                NetworkKind::Domain => "domain",
                NetworkKind::Ip => "ip",
                NetworkKind::Url => "url",
            };
            row(kind, "", &n.value, "")?;
        }
        for f in i.files.iter().filter(|f| live(&f.standing)) {
            let alone = !matches!(f.role, FileRole::Module | FileRole::Companion) && f.holds.is_empty();
            for path in &f.paths {
                if alone && !pattern::COMMON.contains(&pattern::base(path)) {
                    row("file", "", path, "")?;
                } else if f.sha256.is_none() {
                    out.cannot(
                        "files that count only with their hash, their text or beside another: not in the table",
                        1,
                    );
                }
            }
        }
        for a in i.actions.iter().filter(|a| live(&a.standing)) {
            for reference in a.tags.iter().chain(&a.commits) {
                row("github action", "", &a.repository, reference)?;
            }
            out.cannot("tags of actions that were moved and moved back: not in the table", a.moved_tags.len());
        }
        for image in i.images.iter().filter(|x| live(&x.standing)) {
            for tag in image.tags.iter().chain(&image.digests) {
                row("docker image", "", &image.repository, tag)?;
            }
        }
        for (what, count) in
            [("processes", i.processes.len()), ("strings", i.strings.len()), ("traces in git", i.git.len())]
        {
            out.cannot(&format!("{what}: not in the table"), count);
        }
    }
    let bytes = table.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    out.records.push(("indicators.csv".to_owned(), String::from_utf8_lossy(&bytes).into_owned()));
    Ok(out)
}
