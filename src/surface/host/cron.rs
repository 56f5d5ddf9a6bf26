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
    fact::{At, Fact},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

const LIMIT: usize = 4 << 20;

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
        let fact = Fact::Autostart { texts, sha256: file.sha256()? };
        out.push(at, fact);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::TreePath;

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
