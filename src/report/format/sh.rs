//! The steps for the examined machine as one script: POSIX `sh`, read by dash, bash, busybox and the `sh` of macOS, and from any other
//! shell by `sh FILE`. It changes nothing but by `keep`, which removes only what it could keep; what needs a person's look is a comment.

use std::io::{self, Write};

use super::{super::page::Labels, Format, v1, words};
use crate::{
    text::printable,
    verdict::{Phase, Place},
};

/// Declared here alone.
pub static FORMAT: Format = Format {
    name: "sh",
    endings: &[".sh"],
    about: "The steps for the examined machine, as a POSIX script",
    for_people: true,
    report: Some(|report, out, _| checklist(report, out)),
    checklist: Some(|report, out, _| checklist(report, out)),
    is_ours: |text| {
        let answer = text.strip_prefix("#!/bin/sh\n# ");
        answer.is_some_and(super::starts_with_answer) && text.contains(USE)
    },
};

/// A line of every script.
const USE: &str =
    "POSIX sh: run it with `sh FILE`, on the examined machine, as root or as whoever owns the files; read it before";

/// The script.
fn checklist(report: &v1::Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "#!/bin/sh")?;
    comment(out, &report.verdict.summary)?;
    comment(out, &words::run(report))?;
    comment(out, USE)?;
    comment(out, "ROOT=/mnt/disk sh FILE works on that disk, mounted, instead of the running system")?;
    let on_host = |i: &&v1::Item| i.done_at() == Place::Host && i.phase < Phase::Freeze;
    let labels = Labels::new(report);
    let items = || report.checklist.iter();
    let runs = |i: &v1::Item| i.steps.iter().any(|s| s.command.is_some() && !s.by_hand);
    if !report.checklist.iter().filter(on_host).any(runs) {
        comment(out, "there is nothing for a script to do")?;
        writeln!(out, "exit 0")?;
        return Ok(());
    }
    writeln!(out, "set -u\nfailed=0\numask 077")?;
    if let Some(name) = &report.run.target.name {
        only_there(out, name)?;
    }
    // The script goes to the folder of the evidence, from where a relative name leads elsewhere.
    writeln!(out, "case ${{ROOT:-/}} in /*) ;; *) ROOT=$(CDPATH='' cd -- \"$ROOT\" && pwd) || exit 1 ;; esac")?;
    if report.machines.is_empty() {
        for item in items().filter(on_host) {
            steps(out, report, &labels, item)?;
        }
    } else {
        each_machine(report, &labels, out)?;
    }
    writeln!(out, "\necho 'Done by this script: what is moved to the evidence. Still to do, by hand and elsewhere:'")?;
    for item in items() {
        if !on_host(&item) || item.steps.iter().any(|s| s.command.is_none() || s.by_hand) {
            let line = format!(
                "{}. {} ({}): {}",
                labels.of(&item.id),
                item.phase.as_str(),
                item.done_at().as_str(),
                words::title(report, item)
            );
            writeln!(out, "printf '%s\\n' {}", crate::rotate::shell::quote(line.as_bytes()))?;
        }
    }
    writeln!(out, "exit \"$failed\"")
}

/// On the machine where the disk was only looked at, the same paths are somebody else's files.
fn only_there(out: &mut dyn Write, name: &str) -> io::Result<()> {
    let quote = |text: &str| crate::rotate::shell::quote(text.as_bytes());
    let hint = format!(
        "this list is of the disk of {}: set ROOT to where it is mounted, or to / on that machine",
        printable(name)
    );
    writeln!(
        out,
        "if [ -z \"${{ROOT:-}}\" ] && ! grep -qwF -e {} /etc/hostname 2>/dev/null; then echo {} >&2; exit 2; fi",
        quote(name),
        quote(&hint)
    )
}

/// A part for each machine; which one it is, is asked when the script runs.
fn each_machine(report: &v1::Report, labels: &Labels<'_>, out: &mut dyn Write) -> io::Result<()> {
    comment(
        out,
        "it holds the steps of several machines: `MACHINE=NAME sh FILE` runs those of one, by default of this one or of the disk",
    )?;
    // Of a mounted disk it is the disk's own name.
    let own = "if [ \"${ROOT:-/}\" = / ]; then uname -n; else head -n 1 \"$ROOT/etc/hostname\"; fi";
    writeln!(out, "MACHINE=${{MACHINE:-$({own})}}\ncase \"$MACHINE\" in")?;
    for machine in &report.machines {
        let of =
            |i: &&v1::Item| i.done_at() == Place::Host && i.phase < Phase::Freeze && i.machines.contains(&machine.tree);
        let mut all = report.checklist.iter().filter(of).peekable();
        if all.peek().is_some() {
            let name = printable(&machine.tree);
            writeln!(out, "{})", crate::rotate::shell::quote(name.as_bytes()))?;
            for item in all {
                steps(out, report, labels, item)?;
            }
            writeln!(out, ";;")?;
        }
    }
    writeln!(out, "*) printf 'no steps for %s\\n' \"$MACHINE\" >&2; exit 2 ;;\nesac")
}

fn steps(out: &mut dyn Write, report: &v1::Report, labels: &Labels<'_>, item: &v1::Item) -> io::Result<()> {
    writeln!(out)?;
    comment(out, &format!("{}. {}: {}", labels.of(&item.id), item.phase.as_str(), words::title(report, item)))?;
    for step in &item.steps {
        comment(out, &format!("  {}", step.what))?;
        match &step.command {
            None => {}
            Some(command) if step.by_hand => comment(out, &format!("  by hand: {command}"))?,
            Some(command) => run(out, item.phase, command)?,
        }
        for remark in words::remarks(step) {
            comment(out, &format!("    {remark}"))?;
        }
    }
    Ok(())
}

/// Making the folder must work; what the service manager cannot do is said, and the files still go: what is gone starts no more.
fn run(out: &mut dyn Write, phase: Phase, command: &str) -> io::Result<()> {
    let command = printable(command);
    let manager = ["systemctl ", "launchctl "].iter().any(|p| command.starts_with(p));
    match phase {
        Phase::Preserve => writeln!(
            out,
            "{command}\ncd \"${{EVIDENCE:?}}\" || exit 1\nif [ ! -f DOSIMETER-EVIDENCE ]; then exit 1; fi"
        ),
        _ if manager => {
            let quoted = crate::rotate::shell::quote(command.as_bytes());
            writeln!(out, "if [ \"${{ROOT:-/}}\" = / ]; then {command} || printf 'not done: %s\\n' {quoted} >&2; fi")
        }
        _ => writeln!(out, "{command} || failed=1"),
    }
}

/// One line, whatever the text.
fn comment(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "# {}", printable(text))
}
