//! Histories of nushell in plain text.
//!
//! ```text
//! ~/.config/nushell/history.txt      ~/Library/Application Support/nushell, %APPDATA%\\nushell; one command a line
//!
//! pip install litellm                line ends within a command are written `<\n>`
//! ^pip install litellm               `^` calls a program, whatever else has its name
//! ```
//!
//! There are no times; `history.sqlite3` beside it has some, where nushell is set up to write that. A hit proves that the command was
//! typed, not that it succeeded. Documented in nushell's book, under history; the form by the source of `reedline`.

use std::borrow::Cow;

use crate::{
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::{Lines, Reporter},
    },
};

/// `history.txt` of nushell.
pub struct Nushell;

static META: Meta = Meta {
    id: "history/nushell",
    title: "commands typed in nushell",
    proves: "the command was typed; not that it succeeded",
};

impl Surface for Nushell {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("history.txt").in_tail("nushell")]
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let mut reporter = Reporter::new(out, file.interest);
        let mut lines = Lines::new(file.reader());
        let end = loop {
            match lines.next() {
                Ok(Some(line)) if line.long => reporter.too_long(),
                Ok(Some(line)) => {
                    let text = String::from_utf8_lossy(line.bytes).replace("<\\n>", "\n");
                    reporter.report(line.number, None, for_posix(&text).as_bytes());
                }
                Ok(None) => break Ok(()),
                Err(flaw) => break Err(flaw),
            }
        };
        reporter.finish();
        end
    }
}

/// What a POSIX shell reads as the same: without the mark of programs.
pub(super) fn for_posix(text: &str) -> Cow<'_, str> {
    if !text.contains('^') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.chars() {
        if !(starts && c == '^') {
            plain.push(c);
        }
        starts = c.is_whitespace() || "(;|{".contains(c);
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::for_posix;

    #[test]
    fn the_mark_of_programs_is_dropped() {
        assert_eq!(for_posix("^pip install x; (^npm i y) | ^z"), "pip install x; (npm i y) | z");
        assert_eq!(for_posix("poetry add x@^1"), "poetry add x@^1");
    }
}
