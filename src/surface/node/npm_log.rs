//! npm's own logs: one file per run, of which npm keeps the last ten.
//!
//! ```text
//! ~/.npm/_logs/2026-11-22T01_03_36_878Z-debug-0.log       npm 7 and later; the time is that of the start, UTC
//! ~/.npm/_logs/2020-05-01T10_00_00_000Z-debug.log         npm 6, after failures only
//!
//! 7 verbose title npm i esbuild@0.19.0
//! 142 info run esbuild@0.19.0 postinstall node_modules/esbuild node install.js
//! 143 info run esbuild@0.19.0 postinstall { code: 0, signal: null }
//! 130 silly placeDep ROOT esbuild@0.19.0 OK for: a@1.0.0 want: ^0.19.0       which version
//! 144 silly ADD node_modules/esbuild                      put there; without a line of its script before: none was run
//! 90 info lifecycle esbuild@0.19.0~postinstall: esbuild@0.19.0                npm 6
//! 93 silly lifecycle esbuild@0.19.0~postinstall: Returned: code: 0  signal: null
//! ```
//!
//! The best evidence there is in the world of npm: that an install script was started, and how it ended. What was typed is reported as
//! in a shell's history, where it is understood there. Documented in npm's `logging` page.

use jiff::Timestamp;

use super::{
    identity::{is_name, is_version},
    npm_run::Run,
};
use crate::{
    ecosystem::npm::reference,
    fact::{At, Fact, ScriptOutcome},
    interest::Interest,
    shell::install_commands,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// A run of npm over two thousand packages writes two megabytes.
const FILE: usize = 64 << 20;
/// Longer lines are not read.
const LINE: usize = 64 << 10;

/// `_logs/*-debug-0.log`.
pub struct NpmLog;

static META: Meta = Meta {
    id: "node/npm-log",
    title: "logs of npm's runs",
    proves: "what npm was asked for, that it started an install script, and how that ended",
};

impl Surface for NpmLog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("", ".log").in_tail("_logs")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = start(file.entry.path.name()).or_else(|| file.mtime("mtime of npm's log"));
        let (path, interest) = (file.entry.path.clone(), file.interest);
        let bytes = file.all(FILE)?;
        let lines = || bytes.split(|b| *b == b'\n').zip(1_u32..).filter_map(|(l, n)| Some((readable(l)?, n)));
        // npm writes where it works first or last.
        let mut run = Run::new(&path, lines().map(|(text, _)| text));
        for (text, number) in lines() {
            if let Some(typed) = text.strip_prefix("verbose title ") {
                for command in install_commands(typed) {
                    out.push_at(None, Some(number), at.clone(), Fact::Command(command));
                }
            } else if let Some(fact) = script(text, &run) {
                if let Fact::InstallScript { folder: Some(folder), .. } = &fact {
                    run.start(folder);
                }
                out.push_at(None, Some(number), at.clone(), fact);
            } else {
                run.add(text, number, interest);
            }
        }
        for (number, fact) in run.recorded().into_iter().chain(run.skipped()) {
            out.push_at(None, Some(number), at.clone(), fact);
        }
        Ok(())
    }
}

fn readable(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok().filter(|l| l.len() <= LINE).and_then(message)
}

/// Without the number of the line.
fn message(line: &str) -> Option<&str> {
    let (number, message) = line.trim_end_matches('\r').split_once(' ')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(message)
}

/// `2026-11-22T01_03_36_878Z-debug-0.log`
fn start(name: &[u8]) -> Option<At> {
    let (date, rest) = std::str::from_utf8(name).ok()?.split_once('T')?;
    let mut parts = rest.split_once('Z')?.0.split('_');
    let (hour, minute, second, milli) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let time: Timestamp = format!("{date}T{hour}:{minute}:{second}.{milli}Z").parse().ok()?;
    Some(At::new(time, "start of npm's run, by the name of its log"))
}

/// That a script was started, or ended.
fn script(text: &str, run: &Run) -> Option<Fact> {
    let (package, event, rest) = if let Some(run) = text.strip_prefix("info run ") {
        let (package, rest) = run.split_once(' ')?;
        let (event, rest) = rest.split_once(' ')?;
        (package, event, rest)
    } else {
        let (_, run) = text.split_once(" lifecycle ").filter(|(level, _)| matches!(*level, "info" | "silly"))?;
        let (package, rest) = run.split_once('~')?;
        let (event, rest) = rest.split_once(": ")?;
        (package, event, rest)
    };
    if !matches!(event, "preinstall" | "install" | "postinstall") {
        return None;
    }
    let reference = reference::locator(package);
    let name = reference.name.as_deref().filter(|n| is_name(n))?;
    let version = reference.version().filter(|v| is_version(v))?;
    let end = rest.strip_prefix("{ ").or_else(|| rest.strip_prefix("Returned: "));
    let (folder, outcome) = match end {
        Some(end) if ends_well(end) => (None, ScriptOutcome::Succeeded),
        Some(end) if end.contains("code:") => (None, ScriptOutcome::Failed),
        _ if text.starts_with("silly") => return None,
        _ => {
            let place = rest.split_once(' ').map_or(rest, |(place, _)| place);
            let inside = Some(place).filter(|p| p.contains("node_modules/"));
            (inside.and_then(|p| run.folder(p)), ScriptOutcome::Started)
        }
    };
    Some(Fact::InstallScript { name: name.into(), version: version.into(), folder, outcome })
}

/// `code: 0, signal: null`
fn ends_well(end: &str) -> bool {
    let value = |key: &str| {
        let rest = end.split_once(key)?.1.trim_start();
        Some(rest.split([',', ' ', '}']).next().unwrap_or_default())
    };
    value("code:") == Some("0") && value("signal:").is_none_or(|s| matches!(s, "null" | "undefined"))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    const LOG: &str = "0 verbose cli /usr/bin/node /usr/bin/npm\n7 verbose title npm i esbuild@0.19.0\n8 verbose argv \"i\" \"esbuild@0.19.0\"\n\
        9 verbose cwd /srv/a\n123 silly placeDep ROOT @s/x@0.19.0 OK for: esbuild@0.19.0 want: 0.19.0\n\
        142 info run esbuild@0.19.0 postinstall node_modules/esbuild node install.js\n143 info run esbuild@0.19.0 postinstall { code: 0, signal: null }\n\
        144 silly ADD node_modules/esbuild\n152 verbose exit 0\n";

    #[test]
    fn the_start_and_the_end_of_a_script_are_read_with_the_time_of_the_run() {
        let tried = tried(&NpmLog, "h/.npm/_logs/2026-11-22T01_03_36_878Z-debug-0.log", LOG.as_bytes(), &[]);
        let scripts: Vec<&String> = tried.said.iter().filter(|s| s.starts_with("script")).collect();
        assert_eq!(scripts, ["script esbuild 0.19.0 Started", "script esbuild 0.19.0 Succeeded"]);
        let last = tried.seen.last().unwrap();
        assert_eq!(last.at.as_ref().unwrap().time.to_string(), "2026-11-22T01:03:36.878Z");
        assert_eq!(last.origin.line, Some(7));
        let folders = tried.seen.iter().filter_map(|s| match &s.fact {
            Fact::InstallScript { folder: Some(folder), .. } => Some(folder.text().into_owned()),
            _ => None,
        });
        assert_eq!(folders.collect::<Vec<_>>(), ["/srv/a/node_modules/esbuild"]);
    }

    #[test]
    fn a_package_that_was_put_there_without_its_script_is_reported() {
        let of = |text: &str| {
            let tried = tried(&NpmLog, "h/.npm/_logs/x-debug-0.log", text.as_bytes(), &["esbuild"]);
            tried.said.into_iter().filter(|s| s.ends_with("Skipped")).collect::<Vec<_>>()
        };
        let quiet = LOG.replace("info run", "silly passed over");
        assert_eq!(of(&quiet), ["script esbuild  Skipped"]);
        // Its script was run; the run failed, or was cut; no indicator names it; it is part of another one.
        assert_eq!(of(LOG), [""; 0]);
        assert_eq!(of(&quiet.replace("exit 0", "exit 1")), [""; 0]);
        assert_eq!(of(&quiet.replace("152 verbose exit 0\n", "")), [""; 0]);
        assert_eq!(of(&quiet.replace("ADD node_modules/esbuild", "ADD node_modules/other")), [""; 0]);
        assert_eq!(of(&quiet.replace("ADD node_modules/esbuild", "ADD node_modules/esbuild/lib")), [""; 0]);
    }

    #[test]
    fn what_was_put_where_in_which_version_is_recorded() {
        let of = |text: &str| {
            let tried = tried(&NpmLog, "h/.npm/_logs/x-debug-0.log", text.as_bytes(), &["axios"]);
            tried.said.into_iter().filter(|s| s.starts_with("recorded")).collect::<Vec<_>>()
        };
        let run = |placed: &str, add: &str, end: &str| {
            of(&format!("9 verbose cwd /srv/a\n20 {placed}\n30 silly ADD {add}\n40 verbose exit {end}\n"))
        };
        let root = "silly placeDep ROOT axios@1.14.1 OK for: b@1.0.0 want: ^1";
        assert_eq!(run(root, "node_modules/axios", "0"), ["recorded axios 1.14.1 /srv/a/node_modules/axios"]);
        let nested = "silly placeDep node_modules/b axios@1.14.1 OK for: b@1.0.0 want: ^1";
        let both = format!("{nested}\n21 silly placeDep ROOT axios@1.14.0 OK for:  want: ^1");
        assert_eq!(
            run(&both, "node_modules/b/node_modules/axios", "0"),
            ["recorded axios 1.14.1 /srv/a/node_modules/b/node_modules/axios"]
        );
        let fetched = "http fetch GET 200 https://registry.example/axios/-/axios-1.14.1.tgz 6ms (cache miss)";
        assert_eq!(run(fetched, "node_modules/axios", "0"), ["recorded axios 1.14.1 /srv/a/node_modules/axios"]);
        // It failed; only a lock file was written; which of two it is nobody can say; no indicator names it.
        assert_eq!(run(root, "node_modules/axios", "1"), [""; 0]);
        assert_eq!(of(&format!("9 verbose cwd /srv/a\n20 {root}\n40 verbose exit 0\n")), [""; 0]);
        let two = format!("{fetched}\n21 http fetch GET 200 https://registry.example/axios/-/axios-1.14.0.tgz 6ms");
        assert_eq!(run(&two, "node_modules/axios", "0"), [""; 0]);
        assert_eq!(run(&root.replace("axios", "chalk"), "node_modules/chalk", "0"), [""; 0]);
    }

    #[test]
    fn what_npm_did_for_volta_is_told_of_where_volta_puts_it() {
        let of = |text: &str| {
            let tried = tried(&NpmLog, "h/.npm/_logs/x-debug-0.log", text.as_bytes(), &["x"]);
            let folder = |s: &crate::fact::Seen| match &s.fact {
                Fact::InstallScript { folder: Some(folder), outcome, .. } => {
                    Some(format!("{outcome:?} {}", folder.text()))
                }
                Fact::Recorded { package, folder } => Some(format!("{} {}", package.version, folder.text())),
                _ => None,
            };
            tried.seen.iter().filter_map(folder).collect::<Vec<_>>()
        };
        let log = |prefix: &str, ran: &str| {
            of(&format!(
                "5 silly config load:file:/h/.volta/{prefix}/etc/npmrc\n7 verbose argv \"install\" \"--global\" \"my\"\n\
                 21 silly placeDep node_modules/my x@1.0.0 OK for: my@1.0.0 want: ^1\n{ran}38 silly ADD node_modules/my/node_modules/x\n\
                 45 verbose exit 0\n"
            ))
        };
        let place = "/h/.volta/tools/image/packages/my/lib/node_modules/my/node_modules/x";
        let (recorded, skipped) = (format!("1.0.0 {place}"), format!("Skipped {place}"));
        assert_eq!(log("tmp/image/packages/.tmp9Oq7VQ", ""), [recorded.clone(), skipped]);
        let ran = "30 info run x@1.0.0 postinstall node_modules/my/node_modules/x node setup.js\n";
        assert_eq!(log("tmp/image/packages/.tmp9Oq7VQ", ran), [format!("Started {place}"), recorded]);
        // A prefix that stays.
        let stays = "/h/.volta/tools/image/node/22.0.0/lib/node_modules/my/node_modules/x";
        assert_eq!(log("tools/image/node/22.0.0", ""), [format!("1.0.0 {stays}"), format!("Skipped {stays}")]);
    }

    #[test]
    fn every_end_of_a_script_is_distinguished() {
        let of = |line: &str| tried(&NpmLog, "h/.npm/_logs/x-debug-0.log", line.as_bytes(), &[]).said;
        for (line, is) in [
            ("1 info run @s/x@1.0.0 install { code: 1, signal: null }", "script @s/x 1.0.0 Failed"),
            ("1 info run a@1.0.0 preinstall { code: null, signal: 'SIGKILL' }", "script a 1.0.0 Failed"),
            ("1 info run a@1.0.0 postinstall { code: 0, signal: 'SIGTERM' }", "script a 1.0.0 Failed"),
            ("1 info lifecycle a@1.0.0~postinstall: a@1.0.0", "script a 1.0.0 Started"),
            ("1 silly lifecycle a@1.0.0~postinstall: Returned: code: 0  signal: null", "script a 1.0.0 Succeeded"),
            ("1 silly lifecycle a@1.0.0~postinstall: Returned: code: 2  signal: null", "script a 1.0.0 Failed"),
        ] {
            assert_eq!(of(line), [is], "{line}");
        }
        for line in [
            "",
            "info run a@1.0.0 postinstall { code: 0, signal: null }",
            "1 info run a@1.0.0 test { code: 0, signal: null }",
            "1 info run a@latest postinstall { code: 0, signal: null }",
            "1 info run a postinstall",
            "1 http fetch GET 200 https://registry.example/a 6ms (cache miss)",
            "1 verbose stack info run a@1.0.0 postinstall { code: 0, signal: null }",
            "1 verbose lifecycle a@1.0.0~postinstall: unsafe-perm in lifecycle true",
            "1 silly lifecycle a@1.0.0~postinstall: Args: [ '-c', 'node x' ]",
        ] {
            assert_eq!(of(line), [""; 0], "{line}");
        }
        assert_eq!(of(&format!("1 info run a@1.0.0 postinstall {}", "x".repeat(LINE))), [""; 0]);
    }

    #[test]
    fn a_name_without_a_time_leaves_that_of_the_file() {
        assert!(start(b"2026-11-22T01_03_36_878Z-debug-0.log").is_some());
        for name in
            ["debug.log", "2026-13-22T01_03_36_878Z-debug-0.log", "2026-11-22T01_03Z-debug.log", "TZ", "\u{e9}TZ"]
        {
            assert_eq!(start(name.as_bytes()), None, "{name}");
        }
    }
}
