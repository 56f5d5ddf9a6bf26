//! Logs of GitHub Actions, as its command line and its site hand them out; those of Azure Pipelines, which have the same form.
//!
//! ```text
//! gh run view RUN --log             job⇥step⇥2026-03-24T10:00:00.1234567Z text      under any name
//! a job's raw log                   2026-03-24T10:00:00.1234567Z text               BOM before the first
//! logs_RUN.zip                      the archive of a run
//! ├── 0_build.txt                   a whole job
//! └── build/3_Install.txt           one step of it, the same lines again
//! logs_RUN/build/3_Install.txt      the archive unpacked
//! ```
//!
//! Before a step runs, its script is shown in colour in a group `##[group]Run …`: what is shown there is no output. A hit proves that the
//! tool wrote the line while the job ran; not what the job did with it. Documented by GitHub under "Using workflow run logs".

use std::{collections::HashSet, sync::Arc};

use super::{
    HEAD, LOG, anywhere,
    line::{Form, columns, utc},
    plain, read, read_lines, run_of,
};
use crate::{
    fact::{TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Surface,
        python::zip_directory::{Member, each_member, unpacked},
    },
};

/// Members of one archive that are read: a run has at most 256 jobs of a matrix, each with some twenty steps.
const MEMBERS: usize = 20_000;
/// Bytes of a line by which its form is known: names of a job and a step, and a time.
const START: usize = 1 << 10;
const ZIP: &[u8] = b"PK\x03\x04";

/// `gh run view --log`, raw logs of jobs, `logs_*.zip`.
pub struct GitHub;

static META: Meta = Meta {
    id: "ci-log/github",
    title: "logs of GitHub Actions and Azure Pipelines",
    proves: "a tool wrote while the job ran that it fetched, chose or installed the version; not what the job did with it",
};

impl Surface for GitHub {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Actions, Shows::Images]
    }

    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, interest: &Interest) -> Vec<Claim> {
        let archive = Claim::affix("logs_", ".zip").without_links();
        let named = interest.named.then(|| Claim::suffix(".zip"));
        let unpacked = Claim::suffix(".txt").within_holding("logs_");
        anywhere(interest).into_iter().chain([archive, unpacked]).chain(named).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        if head.starts_with(ZIP) {
            return is_log_archive(head).then_some("*.zip");
        }
        is_log(head).then_some("*.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let head = file.head(HEAD)?;
        if head.starts_with(ZIP) {
            return archive(file, out);
        }
        if !is_log(head) {
            out.not_mine();
            return Ok(());
        }
        let system = if memchr::memmem::find(head, b"##[section]").is_some() { "azure" } else { "github" };
        let machine = format!("ci:{system}/{}", run_of(&file.entry.path));
        read(file, Form::GitHub, Some(&machine), out).map(|_| ())
    }
}

/// Whether a file starts as such a log: a time with seven digits behind its point. One of the first lines may go on with another.
fn is_log(head: &[u8]) -> bool {
    let is = |line: &[u8]| {
        let line = String::from_utf8_lossy(line.get(..START).unwrap_or(line));
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        let line = columns(line).map_or(line, |(.., rest)| rest);
        utc(line).is_some_and(|(time, _)| time.len() == 28 && time.as_bytes().get(19) == Some(&b'.'))
    };
    let lines = head.get(..HEAD).unwrap_or(head).split(|b| *b == b'\n');
    lines.filter(|line| !line.trim_ascii().is_empty()).take(3).any(is)
}

/// Whether an archive starts with a member that has the name of a log of a job.
fn is_log_archive(head: &[u8]) -> bool {
    let length = head.get(26..28).and_then(|n| n.try_into().ok()).map_or(0, u16::from_le_bytes);
    head.get(30..30 + usize::from(length)).is_some_and(is_member)
        || memchr::memmem::find(head, b"_Set up job.txt").is_some()
}

/// `0_build.txt`, `build/3_Install.txt`, `build/system.txt`.
fn is_member(name: &[u8]) -> bool {
    let file = name.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let number = file.iter().take_while(|b| b.is_ascii_digit()).count();
    let numbered = number > 0 && number < 6 && file.get(number) == Some(&b'_');
    file.ends_with(b".txt") && (numbered || file == b"system.txt")
}

/// Reads each member; what two of them say alike counts once.
fn archive(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let path = file.entry.path.clone();
    let written = file.mtime("mtime of the archive, in which the line has no time");
    let claimed = path.name().starts_with(b"logs_");
    if !claimed && !is_log_archive(file.head(HEAD)?) {
        out.not_mine();
        return Ok(());
    }
    let mut zip = file.seekable()?;
    let (mut members, mut more): (Vec<(String, Member)>, usize) = (Vec::new(), 0);
    each_member(&mut zip, &mut |name, member| {
        if is_member(name) && members.len() < MEMBERS {
            members.push((String::from_utf8_lossy(name).into_owned(), member));
        } else if is_member(name) {
            more += 1;
        }
    })?;
    if members.is_empty() {
        out.not_mine();
        return Ok(());
    }
    // Steps say more than the whole job that they are of.
    members.sort_by_key(|(name, _)| (!name.contains('/'), name.clone()));
    out.on_machine(Arc::from(format!("ci:github/{}", run_of(&path))));
    let mut known: HashSet<String> = HashSet::new();
    let mut left = LOG;
    for (name, member) in members {
        let inner: String = name.chars().take(200).collect();
        let read = unpacked(&mut zip, member).and_then(|bytes| {
            let mut counted = Counted { input: bytes, left: &mut left };
            read_lines(&mut counted, Form::GitHub, (Some(&inner), Some(&mut known)), written.as_ref(), out)
        });
        if let Err(flaw) = read {
            let flaw = match flaw {
                Flaw::Io(_) => Flaw::malformed("zip", "a member cannot be unpacked"),
                other => other,
            };
            out.gap(Some(&plain(&inner)), &flaw);
        }
        if left == 0 {
            return Err(Flaw::TooLarge(LOG));
        }
    }
    if more > 0 { Err(Flaw::TooLarge(u64::try_from(MEMBERS).unwrap_or(u64::MAX))) } else { Ok(()) }
}

/// Counts what is unpacked of an archive, all members together.
struct Counted<'l, R> {
    input: R,
    left: &'l mut u64,
}

impl<R: std::io::Read> std::io::Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if *self.left == 0 {
            return Ok(0);
        }
        let n = self.input.read(buf)?;
        *self.left = self.left.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }
}
