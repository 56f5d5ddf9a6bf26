//! cron and at: what starts by the clock, for the system and for each user.
//!
//! ```text
//! /etc/crontab, /etc/cron.d/*, /etc/cron.{hourly,daily,weekly,monthly,yearly}/*     lines with a user column; scripts
//! /etc/anacrontab                                     anacron: days, delay, name, command
//! /var/spool/cron/crontabs/NAME, /var/spool/cron/NAME, /var/cron/tabs/NAME     Debian; Red Hat, SUSE (`tabs/NAME`); the BSDs
//! /etc/crontabs/NAME, /etc/periodic/*/*               busybox (Alpine, OpenWrt)
//! /etc/fcrontab, /var/spool/fcron/*, /var/spool/incron/*, /etc/incron.d/*      fcron; incron (starts when a file changes)
//! /var/spool/at/JOB, /var/spool/cron/atjobs/JOB, /var/spool/atjobs/JOB    at, batch: a shell script a job; SUSE
//! /usr/lib/cron/tabs/NAME, /var/at/tabs/NAME, /var/at/jobs/JOB, /private/var/at/…, /etc/daily.local     macOS
//! ```
//!
//! A hit says that a line holds a text that an indicator asks for; the line itself never leaves this reader. It does not say
//! that it was run. Documented in crontab(5), anacrontab(5), at(1), cron(8) and periodic(8).

use crate::{
    fact::{At, Fact, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, fetched, starts},
};

const LIMIT: usize = 4 << 20;
/// Starts of one table.
const STARTS: usize = 200;

/// Single files, by folder.
const FILES: &[(&str, &[&str])] = &[
    ("etc", &["crontab", "anacrontab", "fcrontab", "daily.local", "weekly.local", "monthly.local", "cron.local"]),
    ("etc/cron", &["crontab"]),
];

/// Folders of tables, scripts and jobs.
const FOLDERS: &[&str] = &[
    "etc/cron.d",
    "etc/cron.hourly",
    "etc/cron.daily",
    "etc/cron.weekly",
    "etc/cron.monthly",
    "etc/cron.yearly",
    "etc/crontabs",
    "etc/incron.d",
    "usr/lib/cron/tabs",
    "usr/lib/cron/jobs",
];

/// The same, with folders below them.
const TREES: &[&str] = &[
    "etc/periodic",
    "var/spool/cron",
    "var/spool/at",
    "var/spool/atjobs",
    "var/spool/anacron",
    "var/spool/fcron",
    "var/spool/incron",
    "var/cron",
    "var/at",
    "private/var/at",
    "private/var/cron",
];

/// Tables, scripts and jobs.
pub struct Cron;

/// Of this surface.
pub static META: Meta = Meta {
    id: "host/cron",
    title: "cron tables and scripts, jobs of at",
    proves: "a table, script or job with that text stands there; not that it ran",
};

impl Surface for Cron {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let files = FILES.iter().flat_map(|(folder, names)| names.iter().map(|n| Claim::name(n).in_root(folder)));
        let folders = FOLDERS.iter().map(|folder| Claim::any().in_root(folder));
        files.chain(folders).chain(TREES.iter().map(|folder| Claim::any().below(folder))).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let at = file.entry.btime.map(|t| At::new(t, "birth time")).or_else(|| file.mtime("mtime of the table"));
        let text = file.all(LIMIT)?;
        let lines = text.split(|b| *b == b'\n').filter(|l| !l.trim_ascii_start().starts_with(b"#"));
        let mut texts: Vec<_> = lines.flat_map(|l| interest.texts_in(l)).collect();
        texts.sort_unstable();
        texts.dedup();
        let fact = Fact::Autostart { texts, sha256: file.sha256()?, in_project: false };
        out.push(at.clone(), fact);
        let text = String::from_utf8_lossy(file.all(LIMIT)?).into_owned();
        for fact in started(&text, &file.entry.path).into_iter().chain(fetched::started(&text, interest)) {
            out.push(at.clone(), fact);
        }
        Ok(())
    }
}

/// Folders of scripts that root runs.
const SCRIPTS: &[&[u8]] =
    &[b"etc/cron.hourly", b"etc/cron.daily", b"etc/cron.weekly", b"etc/cron.monthly", b"etc/cron.yearly"];
/// Folders of scripts that their owner's job runs.
const JOBS: &[&[u8]] = &[b"/at", b"/at/spool", b"/at/jobs", b"/atjobs"];

/// What a table or a script starts, and as whom.
fn started(text: &str, path: &TreePath) -> Vec<Fact> {
    let folder = path.parent();
    let (place, name) = (folder.as_bytes(), path.name());
    if SCRIPTS.contains(&place) || place.starts_with(b"etc/periodic") {
        return starts::in_text(text, Some("root"));
    }
    if JOBS.iter().any(|end| place.ends_with(end)) {
        // `# atrun uid=1000 gid=1000`
        let owner = text.lines().take(10).find_map(|l| l.strip_prefix("# atrun uid=")?.split_whitespace().next());
        return starts::in_text(text, owner);
    }
    let (with_user, of_system) = (place == b"etc/cron.d" || name == b"crontab", place.starts_with(b"etc"));
    let owner = if of_system && place != b"etc/crontabs" { "root".into() } else { String::from_utf8_lossy(name) };
    let times = if name == b"anacrontab" { 3 } else { 5 };
    let rows = text.lines().map(str::trim_start).filter(|l| !l.starts_with('#')).filter_map(|line| {
        let mut rest = line;
        let mut word = || {
            let (word, behind) = rest.split_once(char::is_whitespace)?;
            rest = behind.trim_start();
            Some(word)
        };
        for _ in 0..if line.starts_with('@') { 1 } else { times } {
            word()?;
        }
        let account = if with_user { word()? } else { &*owner };
        Some(starts::in_text(rest, Some(account)))
    });
    rows.flatten().take(STARTS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_as_whom_its_lines_start() {
        let as_whom = |path: &str, text: &str| -> Vec<String> {
            let said = |fact: Fact| match fact {
                Fact::Starts(c) => c.whereabouts.account.as_deref().unwrap_or("-").to_owned(),
                other => panic!("{other:?}"),
            };
            started(text, &TreePath::new(path.as_bytes()).unwrap()).into_iter().map(said).collect()
        };
        let line = "/srv/v/bin/python /srv/job.py";
        for (path, row, who) in [
            ("etc/cron.d/job", "*/5 * * * * root ", "root"),
            ("etc/cron.d/job", "@reboot bob ", "bob"),
            ("etc/crontab", "17 *  * * * al ", "al"),
            ("etc/anacrontab", "1 5 nightly ", "root"),
            ("etc/crontabs/al", "0 1 * * * ", "al"),
            ("var/spool/cron/crontabs/al", "0 1 * * * ", "al"),
            ("var/spool/cron/crontabs/al", "0 1 * * * sudo -u bob ", "bob"),
            ("etc/cron.daily/x", "#!/bin/sh\n", "root"),
            ("var/spool/cron/atjobs/a01", "#!/bin/sh\n", "-"),
        ] {
            assert_eq!(as_whom(path, &format!("{row}{line}\n")), [who], "{path}");
        }
        for (path, text) in [
            ("etc/cron.d/job", "# * * * * * root /srv/v/bin/python x\n"),
            ("etc/cron.d/job", "* * * * * root /usr/bin/python3 x\n"),
            ("etc/cron.d/job", "* * * *\n"),
            ("etc/cron.d/job", ""),
        ] {
            assert_eq!(as_whom(path, text), [""; 0], "{text}");
        }
        assert!(as_whom("etc/cron.d/job", &format!("* * * * * root {line}\n").repeat(9000)).len() <= 200);
    }

    #[test]
    fn tables_of_every_dialect_are_claimed() {
        let claims = Cron.claims(&Interest::default());
        let claimed = |path: &str| {
            let path = TreePath::new(path.as_bytes()).unwrap();
            claims.iter().any(|c| c.file.fits(path.name()) && c.folder.fits(path.parent().as_bytes()))
        };
        for path in [
            "etc/crontab",
            "etc/anacrontab",
            "etc/cron.d/backup",
            "etc/cron.weekly/x",
            "etc/crontabs/root",
            "etc/periodic/15min/x",
            "var/spool/cron/crontabs/al",
            "var/spool/cron/tabs/al",
            "var/spool/cron/al",
            "var/spool/cron/atjobs/a0000101c2b3d4",
            "var/spool/at/a0000101c2b3d4",
            "var/spool/at/spool/a0000101c2b3d4",
            "var/at/tabs/root",
            "var/at/jobs/a0000101c2b3d4",
            "private/var/at/tabs/root",
            "usr/lib/cron/tabs/root",
            "var/cron/tabs/root",
        ] {
            assert!(claimed(path), "{path}");
        }
        for path in ["home/al/crontab", "etc/crontab.bak.md", "srv/etc/anacrontab", "etc/cron.deny", "var/log/cron"] {
            assert!(!claimed(path), "{path}");
        }
    }
}
