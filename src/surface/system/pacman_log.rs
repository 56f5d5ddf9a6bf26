//! Pacman's log.
//!
//! ```text
//! var/log/pacman.log                 also rotated: pacman.log.1, pacman.log-20260701.gz
//!
//! [2026-06-11T09:12:03+0200] [PACMAN] Running 'pacman -U -- /home/ada/.cache/yay/alvr/alvr-20.13.0-1-x86_64.pkg.tar.zst'
//! [2026-06-11T09:12:04+0200] [ALPM] transaction started
//! [2026-06-11T09:12:05+0200] [ALPM] installed alvr (20.13.0-1)
//! [2026-06-11T09:12:05+0200] [ALPM-SCRIPTLET] what a scriptlet of it writes
//! [2026-06-11T09:13:00+0200] [ALPM] upgraded alvr (20.13.0-1 -> 20.13.1-1)       also reinstalled, downgraded, removed
//! [2019-08-01 10:00] [ALPM] installed alvr (20.13.0-1)                           before pacman 5.2: local time without its zone
//! ```
//!
//! A hit proves that pacman installed the version then. `-U` before it says that it came from a file, as what was built on the machine
//! does. What was removed or replaced was installed at another time: it is not reported for this line. Documented in pacman's source,
//! `lib/libalpm/add.c`.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{fact, is_name, text_lines};
use crate::{
    ecosystem::normal_name,
    fact::{At, Ecosystem, Fact, Placement, ScriptOutcome},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `pacman.log`.
pub struct PacmanLog;

static META: Meta = Meta {
    id: "system/pacman-log",
    title: "pacman's log",
    proves: "pacman installed the version then; not that it is still there",
};

impl Surface for PacmanLog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("pacman.log", "").in_tail("log")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        let first = text.lines().next().and_then(entry);
        first.is_some_and(|(_, who, _)| who == "PACMAN" || who.starts_with("ALPM")).then_some("var/log/pacman.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let known = |name: &str| interest.knows_package(Ecosystem::Aur, &normal_name(Ecosystem::Aur, name));
        let (mut from_file, mut last) = (false, None);
        text_lines::each(file, &mut |line, number| {
            let Some((time, who, text)) = entry(line) else {
                return;
            };
            match who {
                "PACMAN" => from_file = text.strip_prefix("Running '").map_or(from_file, installs_a_file),
                "ALPM" => {
                    last = None;
                    let Some((name, version)) = installed(text) else {
                        return;
                    };
                    let Some(package) = fact(Ecosystem::Aur, name, version, Placement::Leftover) else {
                        return;
                    };
                    let at = at(time);
                    out.push_at(None, Some(number), at.clone(), package);
                    if known(name) {
                        last = Some((Box::<str>::from(name), Box::<str>::from(version)));
                        if from_file {
                            out.push_at(None, Some(number), at, script(name, version, ScriptOutcome::Started));
                        }
                    }
                }
                "ALPM-SCRIPTLET" if !text.starts_with("call to exec") => {
                    if let Some((name, version)) = last.take() {
                        out.push_at(None, Some(number), at(time), script(&name, &version, ScriptOutcome::Succeeded));
                    }
                }
                _ => {}
            }
        })
    }
}

fn script(name: &str, version: &str, outcome: ScriptOutcome) -> Fact {
    Fact::InstallScript { name: name.into(), version: version.into(), folder: None, outcome }
}

/// Time, who wrote it, and what.
fn entry(line: &str) -> Option<(&str, &str, &str)> {
    let (time, rest) = line.strip_prefix('[')?.split_once("] [")?;
    let (who, text) = rest.split_once("] ")?;
    Some((time, who, text))
}

/// Whether a command of pacman installs files that it names.
fn installs_a_file(command: &str) -> bool {
    let short = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('U');
    command.trim_end_matches('\'').split_ascii_whitespace().any(|word| short(word) || word == "--upgrade")
}

/// The package that stands there after this line.
fn installed(text: &str) -> Option<(&str, &str)> {
    let (what, rest) = text.split_once(' ')?;
    let (name, versions) = rest.split_once(" (")?;
    let versions = versions.trim_end().strip_suffix(')')?;
    let version = match what {
        "installed" | "reinstalled" => versions,
        "upgraded" | "downgraded" => versions.split_once(" -> ")?.1,
        _ => return None,
    };
    is_name(name).then_some((name, version))
}

/// Older logs have no zone.
fn at(time: &str) -> Option<At> {
    if let Ok(time) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", time) {
        return Some(At::new(time, "time in pacman's log"));
    }
    let local = DateTime::strptime("%Y-%m-%d %H:%M", time).ok()?;
    let time = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(At::new(time, "time in pacman's log, which is local time, read as UTC"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::{super::trial::said, *};

    // Written by pacman 6.0.2, with other names.
    const LOG: &str = "[2026-06-11T09:12:03+0200] [PACMAN] Running 'pacman -U --config /etc/pacman.conf -- /h/alvr-20.13.0-1-any.pkg.tar.gz'\n\
        [2026-06-11T09:12:03+0200] [ALPM] transaction started\n\
        [2026-06-11T09:12:04+0200] [ALPM] installed alvr (20.13.0-1)\n\
        [2026-06-11T09:12:04+0200] [ALPM-SCRIPTLET] hello from post_install\n\
        [2026-06-11T09:12:04+0200] [ALPM-SCRIPTLET] and again\n\
        [2026-06-11T09:12:04+0200] [ALPM] transaction completed\n";

    fn of(text: &str) -> Vec<String> {
        said(&PacmanLog, "var/log/pacman.log", text.as_bytes(), &[(Ecosystem::Aur, "alvr")])
    }

    #[test]
    fn an_install_has_its_time_and_what_its_scriptlet_wrote() {
        let expected = [
            "alvr 20.13.0-1 Leftover 2026-06-11T07:12:04Z :3",
            "script alvr 20.13.0-1 Started 2026-06-11T07:12:04Z :3",
            "script alvr 20.13.0-1 Succeeded 2026-06-11T07:12:04Z :4",
        ];
        assert_eq!(of(LOG), expected);
        assert_eq!(of(&LOG.replace('\n', "\r\n")), expected);
        // From a repository; by its long name; a scriptlet that could not be started.
        assert_eq!(of(&LOG.replace("-U", "-S")).len(), 2);
        assert_eq!(of(&LOG.replace("-U", "--upgrade")).len(), 3);
        assert_eq!(
            of(&LOG.replace("hello from", "call to execv failed").replace("and again", "call to execv")).len(),
            2
        );
        // Of a package that no indicator names its install alone is reported.
        assert_eq!(of(&LOG.replace("alvr", "paru")), ["paru 20.13.0-1 Leftover 2026-06-11T07:12:04Z :3"]);
    }

    #[test]
    fn each_form_names_what_stands_there_after_it() {
        let line = |text: &str| of(&format!("[2026-06-11T09:12:04+0200] [ALPM] {text}\n"));
        for (text, version) in [
            ("upgraded alvr (1.0-1 -> 1.1-1)", "1.1-1"),
            ("downgraded alvr (1.1-1 -> 1.0-2)", "1.0-2"),
            ("reinstalled alvr (2:1.1.r5.gabc-1)", "2:1.1.r5.gabc-1"),
        ] {
            assert_eq!(line(text), [format!("alvr {version} Leftover 2026-06-11T07:12:04Z :1")], "{text}");
        }
        for text in [
            "removed alvr (1.0-1)",
            "warning: alvr-1.0-1 is up to date -- reinstalling",
            "installed alvr",
            "installed alvr ()",
            "installed alvr (1.0-1",
            "installed al vr (1.0-1)",
            "installed alvr (one)",
            "upgraded alvr (1.0-1)",
            "running '30-systemd-update.hook'...",
        ] {
            assert_eq!(line(text), [""; 0], "{text}");
        }
        for text in
            ["[2026-06-11T09:12:04+0200] [PACMAN] installed alvr (1.0-1)", "installed alvr (1.0-1)", "", "[", "[] []"]
        {
            assert_eq!(of(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn times_without_a_zone_are_read_as_utc_and_wrong_ones_not_at_all() {
        assert_eq!(
            of("[2019-08-01 10:00] [ALPM] installed alvr (1.0-1)"),
            ["alvr 1.0-1 Leftover 2019-08-01T10:00:00Z :1"]
        );
        assert_eq!(of("[yesterday] [ALPM] installed alvr (1.0-1)"), ["alvr 1.0-1 Leftover :1"]);
        assert_eq!(of("[2026-13-45T99:00:00+0000] [ALPM] installed alvr (1.0-1)"), ["alvr 1.0-1 Leftover :1"]);
    }

    #[test]
    fn a_packed_log_is_read_and_a_damaged_one_says_so() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(LOG.repeat(50).as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        let of = |bytes: &[u8]| said(&PacmanLog, "var/log/pacman.log-20260701.gz", bytes, &[]);
        assert_eq!(of(&packed).len(), 50);
        let cut = of(&packed[..packed.len() / 2]);
        assert_eq!(cut.last().unwrap(), "flaw: gzip ends too early");
        let damaged = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &[0xff; 64]].concat();
        assert_eq!(of(&damaged), ["flaw: not a valid gzip: its data are damaged"]);
    }

    #[test]
    fn odd_bytes_and_long_lines_take_nothing_with_them() {
        let mut bytes = vec![b'['; 3 << 20];
        bytes.extend_from_slice(b"\n\xff\xfe\0\n");
        bytes.extend_from_slice(LOG.as_bytes());
        let found = said(&PacmanLog, "var/log/pacman.log", &bytes, &[]);
        assert_eq!(found, ["alvr 20.13.0-1 Leftover 2026-06-11T07:12:04Z :5", "flaw: larger than 1048576 bytes"]);
    }

    #[test]
    fn a_log_under_another_name_is_known_by_its_lines() {
        assert!(PacmanLog.recognises(LOG.as_bytes()).is_some());
        for other in ["", "[x]", "[2026-06-11T09:12:03+0200] [error] x", "alvr"] {
            assert!(PacmanLog.recognises(other.as_bytes()).is_none(), "{other}");
        }
    }
}
