//! cron: what starts by the clock, for the system and for each user.
//!
//! ```text
//! /etc/crontab, /etc/cron.d/*                     lines with a user column
//! /etc/cron.{hourly,daily,weekly,monthly}/*       scripts
//! /var/spool/cron/crontabs/NAME, /var/spool/cron/NAME
//! ```
//!
//! A hit says that a line holds a text that an indicator asks for; the line itself never leaves this reader. It does not say
//! that it was run. Documented in crontab(5) and cron(8).

use crate::{
    fact::{At, Fact},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

const LIMIT: usize = 4 << 20;

/// Tables and scripts of cron.
pub struct Cron;

static META: Meta = Meta {
    id: "host/cron",
    title: "cron tables and scripts",
    proves: "a table or script with that text stands there; not that it ran",
};

impl Surface for Cron {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let folders = ["etc/cron.d", "etc/cron.hourly", "etc/cron.daily", "etc/cron.weekly", "etc/cron.monthly"];
        let mut claims: Vec<Claim> = folders.iter().map(|f| Claim::any().in_root(f)).collect();
        claims.push(Claim::name("crontab").in_root("etc"));
        claims.push(Claim::any().below("var/spool/cron"));
        claims
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
