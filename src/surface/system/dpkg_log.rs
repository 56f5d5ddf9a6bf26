//! What dpkg did.
//!
//! ```text
//! var/log/dpkg.log                 also rotated: dpkg.log.1, dpkg.log.2.gz
//!
//! 2026-03-24 10:11:12 install trivy:amd64 <none> 0.69.4
//! 2026-03-24 10:11:13 status installed trivy:amd64 0.69.4
//! 2026-03-25 08:00:00 upgrade trivy:amd64 0.69.4 0.69.5
//! 2026-03-25 08:00:00 remove trivy:amd64 0.69.5 <none>
//! ```
//!
//! A hit proves that the version was installed at that time, or until then. Times are local and have no zone: they are read as UTC. Each
//! version is reported once per file, at its first line. Documented in dpkg(1), `--log`.

use super::{apt_history::local_time, fact, text_lines};
use crate::{
    fact::{Ecosystem, Placement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `dpkg.log`.
pub struct DpkgLog;

static META: Meta = Meta {
    id: "system/dpkg-log",
    title: "dpkg's log",
    proves: "the version was installed then; not that it is still there",
};

impl Surface for DpkgLog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("dpkg.log", "").in_tail("log")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        let what = text.lines().next()?.get(19..)?;
        let starts = [" startup archives ", " startup packages ", " status installed ", " status half-"];
        starts.iter().any(|start| what.starts_with(start)).then_some("var/log/dpkg.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let mut reported = super::Reported::default();
        text_lines::each(file, &mut |line, number| {
            let Some((name, version)) = stood(line) else {
                return;
            };
            let name = name.split(':').next().unwrap_or(name);
            if reported.is_new(name, version)
                && let Some(found) = fact(Ecosystem::Deb, name, version, Placement::Leftover)
            {
                let at = line
                    .get(..19)
                    .and_then(|time| local_time(time, "time in dpkg's log, which is local time, read as UTC"));
                out.push_at(None, Some(number), at, found);
            }
        })
    }
}

/// The package that was installed when the line was written.
fn stood(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ').skip(2);
    match (words.next()?, words.next()?, words.next()?, words.next()) {
        ("status", "installed", name, Some(version)) => Some((name, version)),
        ("upgrade" | "remove" | "purge", name, old, _) if old != "<none>" => Some((name, old)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    // Written by dpkg 1.21, with other names.
    const LOG: &str = "2026-03-24 10:11:12 startup archives unpack\n2026-03-24 10:11:12 install trivy:amd64 <none> 0.69.4\n\
        2026-03-24 10:11:12 status half-installed trivy:amd64 0.69.4\n2026-03-24 10:11:12 status unpacked trivy:amd64 0.69.4\n\
        2026-03-24 10:11:13 configure trivy:amd64 0.69.4 <none>\n2026-03-24 10:11:13 status installed trivy:amd64 0.69.4\n\
        2026-03-24 10:11:14 trigproc man-db:amd64 2.11.2-2 <none>\n2026-03-24 10:11:14 status installed trivy:amd64 0.69.4\n\
        2026-03-25 08:00:00 upgrade xz-utils:amd64 5.6.1-1 5.6.1+really5.4.5-1\n2026-03-25 08:00:01 remove liblzma-dev:amd64 5.6.0-0.2 <none>\n";

    fn of(text: &str) -> Vec<String> {
        said(&DpkgLog, "var/log/dpkg.log", text.as_bytes(), &[])
    }

    #[test]
    fn what_stood_there_is_reported_once_with_its_time() {
        let expected = [
            "trivy 0.69.4 Leftover 2026-03-24T10:11:13Z :6",
            "xz-utils 5.6.1-1 Leftover 2026-03-25T08:00:00Z :9",
            "liblzma-dev 5.6.0-0.2 Leftover 2026-03-25T08:00:01Z :10",
        ];
        assert_eq!(of(LOG), expected);
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in [
            "",
            "2026-03-24 10:11:12",
            "2026-03-24 10:11:12 status installed",
            "2026-03-24 10:11:12 status installed trivy:amd64",
            "2026-03-24 10:11:12 status installed trivy:amd64 <none>",
            "2026-03-24 10:11:12 status not-installed trivy:amd64 <none>",
            "2026-03-24 10:11:12 conffile /etc/x keep",
            "2026-03-24 10:11:12 install trivy:amd64 <none> 0.69.4",
            "2026-03-24 10:11:12 remove ../x 1 <none>",
        ] {
            assert_eq!(of(line), [""; 0], "{line}");
        }
        assert_eq!(of("é026-03-24 10:1:12 status installed trivy 0.69.4"), ["trivy 0.69.4 Leftover :1"]);
        let large = format!("{}\n\0\n{LOG}", "x".repeat(3 << 20));
        assert_eq!(of(&large).len(), 4);
    }

    #[test]
    fn a_log_under_another_name_is_known_by_its_first_line() {
        assert!(DpkgLog.recognises(LOG.as_bytes()).is_some());
        for other in ["", "2026-03-24 10:11:12 error x", "Log started: 2026-03-24  10:11:12"] {
            assert!(DpkgLog.recognises(other.as_bytes()).is_none(), "{other}");
        }
    }
}
