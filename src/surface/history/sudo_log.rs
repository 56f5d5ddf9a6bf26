//! What sudo wrote into the system's log.
//!
//! ```text
//! /var/log/auth.log, secure, sudo.log, syslog, messages      also rotated: auth.log.1, auth.log.2.gz, secure-20260329
//!
//! Mar 24 10:11:12 box sudo:       al : TTY=pts/0 ; PWD=/home/al ; USER=root ; COMMAND=/usr/bin/pip install litellm==1.82.8
//! 2026-03-24T10:11:12.123456+01:00 box sudo[812]:       al : TTY=pts/0 ; PWD=/home/al ; USER=root ; COMMAND=/usr/bin/pip install x
//! ```
//!
//! The words of the command stand there without quotes. The older form of times has no year and no zone: the year is that of the file, and
//! they are read as UTC. A hit proves that sudo started the command; not that it succeeded. Documented in sudoers(5), LOG FORMAT.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::logged_facts;
use crate::{
    fact::At,
    interest::Interest,
    surface::{Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface, system::text_lines},
};

/// `auth.log`, `secure` and their kin.
pub struct SudoLog;

static META: Meta = Meta {
    id: "history/sudo-log",
    title: "commands that sudo started",
    proves: "sudo started the command; not that it succeeded",
};

const NAMES: &[&str] = &["auth.log", "secure", "sudo.log", "syslog", "messages"];

impl Surface for SudoLog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        NAMES.iter().map(|name| Claim::affix(name, "").in_root("var/log")).collect()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Typed
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (written, interest) = (file.entry.mtime, file.interest);
        text_lines::each(file, &mut |line, number| {
            let Some(started) = started(line) else {
                return;
            };
            let at = time(line, written);
            let folder = Some(started.folder).filter(|f| f.starts_with('/')).map(Into::into);
            for fact in logged_facts(started.command.as_bytes(), folder, Some(started.account), interest) {
                out.push_at(None, Some(number), at.clone(), fact);
            }
        })
    }
}

/// What a line says that sudo started.
#[derive(Debug, PartialEq, Eq)]
struct Started<'l> {
    folder: &'l str,
    account: &'l str,
    command: &'l str,
}

fn started(line: &str) -> Option<Started<'_>> {
    let (before, command) = line.split_once(" COMMAND=")?;
    let program = before.split_once(" sudo")?.1;
    let is_sudo = program.starts_with(": ") || program.starts_with('[');
    // What somebody tried and was not allowed to.
    let refused =
        ["command not allowed", "NOT in sudoers", "incorrect password"].iter().any(|why| before.contains(why));
    let fields = program.split_once(" : ")?.1;
    let field = |name: &str| fields.split(';').find_map(|part| part.trim().strip_prefix(name));
    let account = field("USER=").unwrap_or("root");
    let plain = account.chars().all(|c| c.is_ascii_alphanumeric() || "._-$#".contains(c)) && account.len() <= 64;
    let found = Started { folder: field("PWD=").unwrap_or_default(), account, command };
    (is_sudo && !refused && plain).then_some(found)
}

/// The time at the start of a line.
fn time(line: &str, written: Option<Timestamp>) -> Option<At> {
    let first = line.split(' ').next()?;
    if let Ok(time) = first.parse::<Timestamp>() {
        return Some(At::new(time, "time in the log"));
    }
    let written = written?.to_zoned(TimeZone::UTC).datetime();
    let of_year = |year: i16| DateTime::strptime("%Y %b %d %H:%M:%S", format!("{year} {}", line.get(..15)?)).ok();
    let local = of_year(written.year()).filter(|t| t.date() <= written.date());
    let local = local.or_else(|| of_year(written.year().checked_sub(1)?))?;
    let time = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(At::new(time, "time in the log, without year and zone, read as UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sudo_started_is_known() {
        let of = |line: &str| started(line).map(|s| format!("{} {} {}", s.account, s.folder, s.command));
        for line in [
            "Mar 24 10:11:12 box sudo:       al : TTY=pts/0 ; PWD=/home/al ; USER=root ; COMMAND=/usr/bin/pip install x",
            "2026-03-24T10:11:12.1+01:00 box sudo[812]:   al : PWD=/home/al ; USER=root ; COMMAND=/usr/bin/pip install x",
        ] {
            assert_eq!(of(line).as_deref(), Some("root /home/al /usr/bin/pip install x"), "{line}");
        }
        for line in [
            "",
            "Mar 24 10:11:12 box sudo: al : command not allowed ; PWD=/x ; USER=root ; COMMAND=/usr/bin/pip install x",
            "Mar 24 10:11:12 box sudo: al : user NOT in sudoers ; PWD=/x ; USER=root ; COMMAND=/usr/bin/pip install x",
            "Mar 24 10:11:12 box app: sudoku COMMAND=/usr/bin/pip install x",
            "Mar 24 10:11:12 box sudo: pam_unix(sudo:session): session opened for user root",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn a_time_without_a_year_is_of_the_last_year_that_fits() {
        let written: Timestamp = "2026-03-25T00:00:00Z".parse().unwrap();
        let of = |line: &str| time(line, Some(written)).map(|at| at.time.to_string());
        assert_eq!(of("Mar 24 10:11:12 box").as_deref(), Some("2026-03-24T10:11:12Z"));
        assert_eq!(of("Mar  4 10:11:12 box").as_deref(), Some("2026-03-04T10:11:12Z"));
        assert_eq!(of("Dec 24 10:11:12 box").as_deref(), Some("2025-12-24T10:11:12Z"));
        assert_eq!(of("2026-03-24T10:11:12.5+01:00 box").as_deref(), Some("2026-03-24T09:11:12.5Z"));
        for line in ["", "Foo 24 10:11:12", "é 24 10:11:12 box sudo", "Mar 24"] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
