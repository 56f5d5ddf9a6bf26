//! Histories of aider: what people typed behind `/run` and `!`, and what they had it run.
//!
//! ```text
//! PROJECT/.aider.input.history             of prompt_toolkit: "# 2026-03-24 11:02:03.123456", then each line behind `+`
//!
//! +/run pip install x                      also `!pip install x` and `/test …`; aider adds what it ran itself as `/run …`
//!
//! PROJECT/.aider.chat.history.md
//!
//! > Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: y
//! > Running pip install x
//! ```
//!
//! Commands in answers of the model are none until somebody says yes. Times are those of the machine's own clock without a zone and are left
//! out. A hit proves that the command was started; not that it succeeded. Documented by aider's source, `aider/io.py` and
//! `aider/coders/base_coder.py`.

use super::{Lines, Reporter};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface},
};

/// `.aider.input.history`, `.aider.chat.history.md`.
pub struct Aider;

static META: Meta = Meta {
    id: "history/aider",
    title: "commands that were run in aider",
    proves: "the command was started; not that it succeeded",
};

/// What a typed line runs begins so.
const TYPED: &[&[u8]] = &[b"/run ", b"/test ", b"!"];

impl Surface for Aider {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [".aider.input.history", ".aider.chat.history.md"].map(Claim::name).into()
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let chat = file.entry.path.name().ends_with(b".md");
        let mut reporter = Reporter::new(out, file.interest);
        let mut lines = Lines::new(file.reader());
        let mut agreed = false;
        let end = loop {
            match lines.next() {
                Ok(Some(line)) => {
                    let command = if chat { agreed_to(line.bytes, &mut agreed) } else { typed(line.bytes) };
                    if let Some(command) = command {
                        if line.long {
                            reporter.too_long();
                        } else {
                            reporter.report(line.number, None, command);
                        }
                    }
                    // Each starts in a shell of its own.
                    reporter.folder = None;
                }
                Ok(None) => break Ok(()),
                Err(flaw) => break Err(flaw),
            }
        };
        reporter.finish();
        end
    }
}

/// Of a line of the history of what was typed.
fn typed(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"+")?;
    TYPED.iter().find_map(|start| line.strip_prefix(*start))
}

/// Of a line of the chat: what runs once somebody has said yes, until something else is said.
fn agreed_to<'l>(line: &'l [u8], agreed: &mut bool) -> Option<&'l [u8]> {
    let line = line.trim_ascii_end();
    if let Some(asked) = line.strip_prefix(b"> Run shell command") {
        *agreed = [&b" y"[..], b" yes", b" a", b" all"].iter().any(|end| asked.to_ascii_lowercase().ends_with(end));
        return None;
    }
    *agreed &= line.is_empty() || line.starts_with(b">");
    line.strip_prefix(b"> Running ").filter(|_| *agreed)
}
