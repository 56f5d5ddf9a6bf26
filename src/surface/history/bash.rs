//! Histories of bash, and of the plain shells that write one command a line.
//!
//! ```text
//! ~/.bash_history                  at the end of a shell, or by `history -a`
//! ~/.bash_history-20260324, .bash_history.1, .bash_history-01234.tmp      what was kept of it, by people and after a crash
//! ~/.local/state/bash/history, ~/.bash_eternal_history, alice_bash_history    where HISTFILE was moved, or somebody collected it
//! ~/.bash_sessions/*.history       macOS, one file a terminal
//! ~/.sh_history, ~/.ash_history, ~/.mksh_history    ksh and busybox: no times
//! ~/.history                       tcsh, whose stamps are `#+1795308182`; zsh
//!
//! #1795308182                      with HISTTIMEFORMAT set: seconds since 1970
//! cat <<EOF > r.txt                the command, over several lines up to the next such line
//! litellm==1.82.8
//! EOF
//! ```
//!
//! A hit proves that the command was typed, not that it succeeded. Without times a command of several lines falls apart into
//! lines; a here-document is put together again where its end mark follows. Lines that a shell without HISTTIMEFORMAT added
//! below a dated command cannot be distinguished from more lines of that command. Documented in bash(1), HISTORY.

use crate::{
    fact::At,
    interest::Interest,
    shell::open_documents,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::{COMMAND, Entry, Line, Lines, Reporter, is_typed, time},
    },
};

/// `.bash_history`.
pub struct Bash;

static META: Meta = Meta {
    id: "history/bash",
    title: "commands typed in bash",
    proves: "the command was typed; not that it succeeded",
};

/// What ksh writes before its first command.
const KSH: &[u8] = b"\x81\x01";
/// Lines of one here-document that are looked through for its end.
const DOCUMENT: u32 = 1000;

impl Surface for Bash {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let names =
            [".sh_history", ".ash_history", ".mksh_history", ".lksh_history", ".history", ".bash_eternal_history"];
        let mut claims: Vec<Claim> = names.map(Claim::name).into();
        claims.extend([Claim::affix(".bash_history", ""), Claim::suffix("bash_history")]);
        claims.extend(["bash", ".bash", ".bash.d"].map(|folder| Claim::name("history").in_tail(folder)));
        claims.push(Claim::suffix(".history").in_tail(".bash_sessions"));
        claims
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let dated = head.split(|b| *b == b'\n').any(|line| stamp(line.trim_ascii_end()).is_some());
        (dated || is_typed(head)).then_some(".bash_history")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let mut reading =
            Reading { reporter: Reporter::new(out, file.interest), entry: Entry::default(), state: State::Plain };
        let mut lines = Lines::new(file.reader());
        let end = loop {
            match lines.next() {
                Ok(Some(mut line)) => {
                    line.bytes = line.bytes.strip_prefix(KSH).unwrap_or(line.bytes);
                    reading.line(&line);
                }
                Ok(None) => break Ok(()),
                Err(flaw) => break Err(flaw),
            }
        };
        reading.end();
        reading.reporter.finish();
        end
    }
}

enum State {
    /// Each line is a command.
    Plain,
    /// Below a stamp: all lines are one command.
    Dated,
    /// The last line goes on behind its backslash.
    Continued,
    /// Within a here-document of a plain command, with its end marks; since that line.
    Document(Vec<(String, bool)>, u32),
}

struct Reading<'o, 's> {
    reporter: Reporter<'o, 's>,
    entry: Entry,
    state: State,
}

impl Reading<'_, '_> {
    fn line(&mut self, line: &Line<'_>) {
        if let Some(at) = stamp(line.bytes) {
            self.end();
            self.entry.start(line.number.saturating_add(1), Some(at));
            self.state = State::Dated;
            return;
        }
        if line.long {
            // Nothing of it is a command, and nothing that was begun goes on behind it.
            self.reporter.too_long();
            self.end();
            return;
        }
        match &mut self.state {
            State::Plain => {
                self.entry.start(line.number, None);
                self.add_unstamped(line);
            }
            State::Continued => self.add_unstamped(line),
            State::Dated => {
                let full = self.entry.text.len() + line.bytes.len() > COMMAND;
                if full {
                    // No command is that long: lines of shells without stamps.
                    self.scatter();
                    self.entry.start(line.number, None);
                    self.add_unstamped(line);
                } else {
                    self.entry.add(line.bytes);
                    self.entry.add(b"\n");
                }
            }
            State::Document(marks, since) => {
                let full = self.entry.text.len() + line.bytes.len() > COMMAND || line.number - *since > DOCUMENT;
                if full {
                    self.scatter();
                    self.entry.start(line.number, None);
                    self.add_unstamped(line);
                    return;
                }
                self.entry.add(line.bytes);
                self.entry.add(b"\n");
                if marks.first().is_some_and(|(mark, tabs)| is_mark(line.bytes, mark, *tabs)) {
                    marks.remove(0);
                }
                if marks.is_empty() {
                    self.finish();
                }
            }
        }
    }

    /// One more line of a command without a stamp.
    fn add_unstamped(&mut self, line: &Line<'_>) {
        self.entry.add(line.bytes);
        self.entry.add(b"\n");
        if line.bytes.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1 && !self.entry.long {
            self.state = State::Continued;
            return;
        }
        let marks = if memchr::memmem::find(&self.entry.text, b"<<").is_some() {
            open_documents(&String::from_utf8_lossy(&self.entry.text))
        } else {
            Vec::new()
        };
        if marks.is_empty() {
            self.finish();
        } else {
            self.state = State::Document(marks, line.number);
        }
    }

    /// The command is complete.
    fn finish(&mut self) {
        self.reporter.entry(&self.entry);
        self.entry.start(0, None);
        self.state = State::Plain;
    }

    /// What was put together is no command after all: each line is one.
    fn scatter(&mut self) {
        let first = self.entry.at.take();
        for (number, line) in (self.entry.line..).zip(self.entry.text.split(|b| *b == b'\n')) {
            let at = first.as_ref().filter(|_| number == self.entry.line);
            self.reporter.report(number, at, line);
        }
        self.entry.start(0, None);
        self.state = State::Plain;
    }

    /// A stamp follows, or the end of the file.
    fn end(&mut self) {
        match self.state {
            State::Document(..) => self.scatter(),
            _ => self.finish(),
        }
    }
}

/// `#1795308182` of bash, `#+1795308182` of tcsh.
pub(super) fn stamp(line: &[u8]) -> Option<At> {
    let digits = line.strip_prefix(b"#")?;
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    digits.iter().all(u8::is_ascii_digit).then(|| time(digits))?
}

fn is_mark(line: &[u8], mark: &str, tabs: bool) -> bool {
    let start = if tabs { line.iter().take_while(|b| **b == b'\t').count() } else { 0 };
    line.get(start..) == Some(mark.as_bytes())
}
