//! Histories of shells: what somebody typed. A line proves that a command was typed, not that it succeeded.

include!(concat!(env!("OUT_DIR"), "/surface_history.rs"));
surface_modules!();

mod rows;
mod transcript;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    ecosystem::oci,
    fact::{At, Command, CommandAction, Fact},
    interest::Interest,
    shell::{images, typed_in},
    surface::{Flaw, Sink, container, content::mostly, fetched, git::dependency},
};

/// Bytes of one command that are read.
const COMMAND: usize = 64 << 10;

/// One line of a history.
struct Line<'l> {
    /// From 1.
    number: u32,
    /// Without its end; the first bytes only where it is `long`.
    bytes: &'l [u8],
    /// It has more bytes than a command may have.
    long: bool,
    /// The last byte, also of a long line.
    last: Option<u8>,
}

/// Reads lines in bounded memory, whatever their length.
struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    number: u32,
}

impl<R: Read> Lines<R> {
    fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(1 << 17, input), line: Vec::new(), number: 0 }
    }

    /// The next line; `None` at the end.
    fn next(&mut self) -> Result<Option<Line<'_>>, Flaw> {
        self.line.clear();
        let (mut len, mut last, mut before) = (0_usize, None, None);
        loop {
            let block = match self.input.fill_buf() {
                Ok(block) => block,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e.into()),
            };
            let end = memchr::memchr(b'\n', block);
            let piece = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
            if block.is_empty() && len == 0 {
                return Ok(None);
            }
            let free = COMMAND.saturating_sub(self.line.len());
            self.line.extend_from_slice(piece.get(..free).unwrap_or(piece));
            len = len.saturating_add(piece.len());
            if let [.., a, b] = piece {
                (before, last) = (Some(*a), Some(*b));
            } else if let [b] = piece {
                (before, last) = (last, Some(*b));
            }
            let used = piece.len() + usize::from(end.is_some());
            let over = end.is_some() || block.is_empty();
            self.input.consume(used);
            if over {
                break;
            }
        }
        self.number = self.number.saturating_add(1);
        let long = len > COMMAND;
        if last == Some(b'\r') {
            last = before;
            if !long {
                self.line.pop();
            }
        }
        Ok(Some(Line { number: self.number, bytes: &self.line, long, last }))
    }
}

/// A command that is being put together from lines.
#[derive(Default)]
struct Entry {
    /// Line of its start.
    line: u32,
    at: Option<At>,
    text: Vec<u8>,
    /// It was longer than may be read: not looked at.
    long: bool,
}

/// Environments whose last start is kept of one file.
const ENVIRONMENTS: usize = 200;

/// Reports commands, and once per file that some were too long.
struct Reporter<'o, 's> {
    out: &'o mut Sink<'s>,
    interest: &'o Interest,
    reported_long: bool,
    /// The last start of each environment that has a time: whether one came after something else is all that matters.
    starts: BTreeMap<Box<str>, (At, u32, Command)>,
    /// Where the lines so far went, as if one shell had read them.
    folder: Option<Box<str>>,
}

impl<'o, 's> Reporter<'o, 's> {
    fn new(out: &'o mut Sink<'s>, interest: &'o Interest) -> Self {
        Self { out, interest, reported_long: false, starts: BTreeMap::new(), folder: None }
    }

    /// A command was too long to be read.
    fn too_long(&mut self) {
        if !std::mem::replace(&mut self.reported_long, true) {
            self.out.gap(None, &Flaw::TooLarge(u64::try_from(COMMAND).unwrap_or(u64::MAX)));
        }
    }

    /// Pushes the install commands of one command line, and what it took from a known address or as a known image.
    fn report(&mut self, line: u32, at: Option<&At>, text: &[u8]) {
        for fact in facts_of(text, &mut self.folder, self.interest) {
            match fact {
                Fact::Command(command) if command.action == CommandAction::Start => self.start(line, at, command),
                fact => self.out.push_at(None, Some(line), at.cloned(), fact),
            }
        }
    }

    fn start(&mut self, line: u32, at: Option<&At>, command: Command) {
        let whereabouts = &command.whereabouts;
        let (Some(at), Some(environment)) = (at, whereabouts.environment.clone().filter(|_| whereabouts.is_here()))
        else {
            return;
        };
        let known = self.starts.get(&environment);
        if known.is_some_and(|(before, ..)| before < at) || (known.is_none() && self.starts.len() < ENVIRONMENTS) {
            self.starts.insert(environment, (at.clone(), line, command));
        }
    }

    /// Pushes what was kept to the end.
    fn finish(&mut self) {
        for (at, line, command) in std::mem::take(&mut self.starts).into_values() {
            self.out.push_at(None, Some(line), Some(at), Fact::Command(command));
        }
    }

    fn entry(&mut self, entry: &Entry) {
        if entry.long {
            self.too_long();
        } else {
            self.report(entry.line, entry.at.as_ref(), &entry.text);
        }
    }
}

impl Entry {
    fn start(&mut self, line: u32, at: Option<At>) {
        self.line = line;
        self.at = at;
        self.text.clear();
        self.long = false;
    }

    /// Adds bytes, up to what a command may have.
    fn add(&mut self, bytes: &[u8]) {
        self.long |= self.text.len() + bytes.len() > COMMAND;
        if !self.long {
            self.text.extend_from_slice(bytes);
        }
    }
}

/// What raw bytes of a command say, behind lines that went to this folder: what it installs or starts, what it fetches from a known
/// address, which known images it takes. Broken text and NUL bytes (a crash of the machine leaves them) take nothing with them.
fn facts_of(raw: &[u8], folder: &mut Option<Box<str>>, interest: &Interest) -> Vec<Fact> {
    let text = without_nul(raw);
    let mut facts: Vec<Fact> = typed_in(&text, folder).into_iter().map(Fact::Command).collect();
    // Most commands name no address, which one pass over their bytes shows.
    if interest.traces.may_name_network(raw) {
        facts.extend(fetched::addresses(&text, interest, None));
    }
    facts.extend(dependency::in_command(&text, interest));
    // Images that no indicator may mean are nobody's business.
    let is_known = |fact: &Fact| match fact {
        Fact::Use(used) => used.digest.is_some() || interest.images.contains(&*oci::repository(&used.name)),
        _ => false,
    };
    facts.extend(images(&text).iter().filter_map(|image| container::typed(image)).filter(is_known));
    facts
}

/// The same of a command that the system logged as one of this account.
fn logged_facts(raw: &[u8], mut folder: Option<Box<str>>, account: Option<&str>, interest: &Interest) -> Vec<Fact> {
    let mut facts = facts_of(raw, &mut folder, interest);
    for fact in &mut facts {
        if let (Fact::Command(command), Some(account)) = (fact, account) {
            command.whereabouts.account.get_or_insert_with(|| account.into());
        }
    }
    facts
}

fn without_nul(raw: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(raw);
    if text.contains('\0') { text.replace('\0', "").into() } else { text }
}

/// Programs that people start by hand, all day.
const EVERYDAY: &[&str] = &[
    "apt",
    "apt-get",
    "aws",
    "az",
    "brew",
    "cargo",
    "cat",
    "cd",
    "chmod",
    "clear",
    "code",
    "conda",
    "cp",
    "curl",
    "df",
    "docker",
    "echo",
    "exit",
    "export",
    "find",
    "gcloud",
    "git",
    "go",
    "grep",
    "helm",
    "history",
    "kubectl",
    "less",
    "ll",
    "ls",
    "make",
    "mamba",
    "man",
    "mkdir",
    "mv",
    "nano",
    "node",
    "npm",
    "npx",
    "pip",
    "pip3",
    "pipx",
    "pnpm",
    "podman",
    "poetry",
    "ps",
    "pwd",
    "python",
    "python3",
    "rm",
    "source",
    "ssh",
    "sudo",
    "systemctl",
    "tail",
    "tar",
    "terraform",
    "tmux",
    "top",
    "uv",
    "uvx",
    "vi",
    "vim",
    "wget",
    "which",
    "yarn",
];

/// Whether a text without stamps is what somebody typed: most of its lines begin with such a program. A script says what it is.
fn is_typed(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let everyday = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip_while(|w| w.contains('='));
        words.next().is_some_and(|word| EVERYDAY.contains(&word))
    };
    !head.starts_with(b"#!") && !head.contains(&0) && mostly(&text, everyday)
}

/// A time of this time: between 2001 and 2038.
fn of_this_time(time: Timestamp) -> Option<At> {
    (1_000_000_000..=2_147_483_647).contains(&time.as_second()).then(|| At::new(time, "time in the history"))
}

/// One in seconds since 1970, with fractions.
fn of_seconds(seconds: f64) -> Option<At> {
    of_this_time(Timestamp::from_duration(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()?)
}

/// A time as histories write it.
fn time(digits: &[u8]) -> Option<At> {
    let seconds: i64 = std::str::from_utf8(digits).ok()?.trim().parse().ok()?;
    of_this_time(Timestamp::from_second(seconds).ok()?)
}

#[cfg(test)]
mod tests;
