//! What apt was asked for and did.
//!
//! ```text
//! var/log/apt/history.log          also rotated: history.log.1.gz
//!
//! Start-Date: 2026-03-24  10:11:12
//! Commandline: apt-get install -y trivy
//! Requested-By: ada (1000)
//! Install: trivy:amd64 (0.69.4), ca-certificates:amd64 (20230311, automatic)
//! Upgrade: xz-utils:amd64 (5.6.1-1, 5.6.1+really5.4.5-1)              Remove, Purge: one version; Downgrade: two; Reinstall: one
//! End-Date: 2026-03-24  10:11:13
//! ```
//!
//! A hit proves that apt had the version installed, or took it out, at that time. Times are local and have no zone: they are read as UTC.
//! Documented in apt.conf(5), `Dir::Log::History`.

use jiff::{civil::DateTime, tz::TimeZone};

use super::{Reported, fact, text_lines};
use crate::{
    fact::{At, Ecosystem, Placement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `apt/history.log`.
pub struct AptHistory;

static META: Meta = Meta {
    id: "system/apt-history",
    title: "apt's history",
    proves: "apt installed the version then, or took it out; not that it is still there",
};

const LINES: &[&str] = &["Install", "Upgrade", "Downgrade", "Reinstall", "Remove", "Purge"];

impl Surface for AptHistory {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("history.log", "").in_tail("log/apt")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        let first = text.lines().find(|line| !line.trim().is_empty());
        first.is_some_and(|line| line.starts_with("Start-Date: ")).then_some("var/log/apt/history.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (mut at, mut reported) = (None, Reported::default());
        text_lines::each(file, &mut |line, number| {
            let Some((key, value)) = line.split_once(": ") else {
                return;
            };
            if key == "Start-Date" {
                at = local_time(value.trim(), "time in apt's history, which is local time, read as UTC");
            } else if LINES.contains(&key) {
                for (name, version) in packages(value) {
                    if reported.is_new(name, version)
                        && let Some(found) = fact(Ecosystem::Deb, name, version, Placement::Leftover)
                    {
                        out.push_at(None, Some(number), at.clone(), found);
                    }
                }
            }
        })
    }
}

/// Each version that stood there before or after.
fn packages(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let entries = value.split("), ").filter_map(|entry| entry.split_once(" ("));
    entries.flat_map(|(name, versions)| {
        let name = name.split(':').next().unwrap_or(name).trim();
        let versions = versions.trim_end().trim_end_matches(')').split(", ");
        versions.filter(|v| !matches!(*v, "automatic" | "")).map(move |version| (name, version))
    })
}

/// `2026-03-24 10:11:12`, of a zone that is not known; apt writes two spaces.
pub fn local_time(text: &str, source: &'static str) -> Option<At> {
    let (date, time) = text.split_once(' ')?;
    let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", format!("{date} {}", time.trim())).ok()?;
    Some(At::new(local.to_zoned(TimeZone::UTC).ok()?.timestamp(), source))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    // Written by apt 2.6, with other names.
    const HISTORY: &str = "\nStart-Date: 2026-03-24  10:11:12\nCommandline: apt-get install -y trivy\nRequested-By: ada (1000)\n\
        Install: trivy:amd64 (0.69.4), ca-certificates:amd64 (20230311, automatic)\nEnd-Date: 2026-03-24  10:11:13\n\n\
        Start-Date: 2026-03-25  08:00:00\nUpgrade: xz-utils:amd64 (5.6.1-1, 5.6.1+really5.4.5-1), trivy:amd64 (0.69.4, 0.69.5)\n\
        End-Date: 2026-03-25  08:00:09\n";

    fn of(text: &str) -> Vec<String> {
        said(&AptHistory, "var/log/apt/history.log", text.as_bytes(), &[])
    }

    #[test]
    fn each_version_before_and_after_is_reported_once() {
        let expected = [
            "trivy 0.69.4 Leftover 2026-03-24T10:11:12Z :5",
            "ca-certificates 20230311 Leftover 2026-03-24T10:11:12Z :5",
            "xz-utils 5.6.1-1 Leftover 2026-03-25T08:00:00Z :9",
            "xz-utils 5.6.1+really5.4.5-1 Leftover 2026-03-25T08:00:00Z :9",
            "trivy 0.69.5 Leftover 2026-03-25T08:00:00Z :9",
        ];
        assert_eq!(of(HISTORY), expected);
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in [
            "",
            "Install",
            "Install: ",
            "Install: trivy",
            "Install: trivy:amd64 ()",
            "Install: tr ivy (1)",
            "Error: trivy:amd64 (0.69.4)",
            "Install: ), ), (",
        ] {
            assert_eq!(of(line), [""; 0], "{line}");
        }
        assert_eq!(of("Start-Date: soon\nInstall: trivy:amd64 (0.69.4)\n"), ["trivy 0.69.4 Leftover :2"]);
        assert_eq!(of(&format!("Start-Date: {}\n{HISTORY}\0\n", "x".repeat(3 << 20))).len(), 6);
    }

    #[test]
    fn a_history_under_another_name_is_known_by_its_first_line() {
        assert!(AptHistory.recognises(HISTORY.as_bytes()).is_some());
        assert!(AptHistory.recognises(b"Log started: 2026-03-24  10:11:12").is_none());
    }
}
