//! Histories of fish.
//!
//! ```text
//! ~/.local/share/fish/fish_history     fish 2.0 to 4.x; `<name>_history` for a session with a name; `fish_history.bak`
//!
//! - cmd: pip install litellm           `\\` is a backslash, `\n` a line end
//!   when: 1795308256
//!   paths:                             files that the command names, where there are any
//!     - /root/x.txt
//! ```
//!
//! It looks like YAML and is none. A hit proves that the command was typed, not that it succeeded. Documented in fish's
//! source, `src/history`.

use crate::{
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::{Entry, Lines, Reporter, time},
    },
};

/// `fish_history`.
pub struct Fish;

static META: Meta = Meta {
    id: "history/fish",
    title: "commands typed in fish",
    proves: "the command was typed; not that it succeeded",
};

impl Surface for Fish {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("fish_history", ""), Claim::suffix("_history").in_tail(".local/share/fish")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let mut lines = head.split(|b| *b == b'\n');
        lines.any(|line| line.starts_with(b"- cmd: ")).then_some("fish_history")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let mut reporter = Reporter::new(out, file.interest);
        let mut entry = Entry::default();
        let mut lines = Lines::new(file.reader());
        let end = loop {
            match lines.next() {
                Ok(Some(line)) => {
                    if let Some(text) = line.bytes.strip_prefix(b"- cmd: ") {
                        reporter.entry(&entry);
                        entry.start(line.number, None);
                        entry.long = line.long;
                        entry.add(&unescape(text));
                    } else if let Some(digits) = line.bytes.strip_prefix(b"  when: ") {
                        entry.at = entry.at.take().or_else(|| time(digits));
                    }
                }
                Ok(None) => break Ok(()),
                Err(flaw) => break Err(flaw),
            }
        };
        reporter.entry(&entry);
        reporter.finish();
        end
    }
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(b) = bytes.next() {
        match b {
            b'\\' => match bytes.next() {
                Some(b'n') => plain.push(b'\n'),
                Some(b'\\') | None => plain.push(b'\\'),
                Some(other) => plain.extend([b'\\', *other]),
            },
            b => plain.push(*b),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_are_taken_off_once() {
        assert_eq!(unescape(br"echo 'a\\nb' \\\\ back"), br"echo 'a\nb' \\ back");
        assert_eq!(unescape(br"a\nb\"), b"a\nb\\");
    }
}
