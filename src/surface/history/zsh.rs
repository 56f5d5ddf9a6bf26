//! Histories of zsh.
//!
//! ```text
//! ~/.zsh_history, ~/.zhistory, $ZDOTDIR/.zsh_history, ~/.histfile (as zsh-newuser-install proposes)
//! ~/.zsh_history.bak, .zsh_history-20260324, .zsh_history_bad      what was kept of it
//! ~/.local/state/zsh/history, ~/.zsh/history                       where HISTFILE was moved
//! ~/.zsh_sessions/*.history        macOS, one file a terminal
//!
//! pip install litellm              plain
//! : 1795308182:0;pip install x     EXTENDED_HISTORY (oh-my-zsh sets it): start, seconds it took, command
//! : 1795308182:0;cat <<EOF\        a line end within a command has a backslash before it
//! multi line\
//! EOF
//! : 1795308182:0;pip install x\      a command that itself ends in a backslash, and a blank that zsh puts behind it
//! \: is a command                   without a time, one that begins with `:`
//! ```
//!
//! Both forms may stand in one file. The file is "metafied": byte 0x83 stands before a byte of a special meaning, which is
//! XORed with 0x20. A hit proves that the command was typed, not that it succeeded. Documented in zshoptions(1),
//! EXTENDED_HISTORY; the bytes in zsh's source, `Src/utils.c`.

use crate::{
    fact::At,
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Subject, Surface,
        history::{Entry, Line, Lines, Reporter, time},
    },
};

/// `.zsh_history`.
pub struct Zsh;

static META: Meta =
    Meta { id: "history/zsh", title: "commands typed in zsh", proves: "the command was typed; not that it succeeded" };

const META_BYTE: u8 = 0x83;

impl Surface for Zsh {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let mut claims: Vec<Claim> = [".zhistory", ".histfile"].map(Claim::name).into();
        claims.extend([Claim::affix(".zsh_history", ""), Claim::suffix("zsh_history")]);
        claims.extend(["zsh", ".zsh"].map(|folder| Claim::name("history").in_tail(folder)));
        claims.push(Claim::suffix(".history").in_tail(".zsh_sessions"));
        claims
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let dated = |line: &[u8]| stamp(line).is_some_and(|(at, _)| at.is_some());
        head.split(|b| *b == b'\n').any(dated).then_some(".zsh_history")
    }

    fn subject(&self) -> Subject {
        Subject::ShellHistory
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let mut reporter = Reporter::new(out, file.interest);
        let mut entry = Entry::default();
        let mut goes_on = false;
        let mut lines = Lines::new(file.reader());
        loop {
            match lines.next() {
                Ok(Some(line)) => {
                    if goes_on && stamp(line.bytes).is_some() {
                        // Old releases wrote no blank behind a command's own backslash: it ends here all the same.
                        reporter.entry(&entry);
                        entry.start(0, None);
                        goes_on = false;
                    }
                    goes_on = add(&line, goes_on, &mut entry);
                }
                Ok(None) => break,
                Err(flaw) => {
                    reporter.entry(&entry);
                    return Err(flaw);
                }
            }
            if !goes_on {
                reporter.entry(&entry);
                entry.start(0, None);
            }
        }
        reporter.entry(&entry);
        reporter.finish();
        Ok(())
    }
}

/// Adds a line to the command; whether the next one belongs to it too.
fn add(line: &Line<'_>, goes_on: bool, entry: &mut Entry) -> bool {
    let raw = unmetafy(line.bytes);
    let continues = line.last == Some(b'\\');
    let mut text = raw.as_slice();
    if !goes_on {
        let (at, command) = stamp(text).map_or((None, text), |(at, command)| (at, command));
        entry.start(line.number, at);
        text = if command.starts_with(b"\\:") { command.get(1..).unwrap_or_default() } else { command };
    }
    entry.long |= line.long;
    let text = if continues { text.strip_suffix(b"\\").unwrap_or(text) } else { without_guard(text) };
    entry.add(text);
    entry.add(b"\n");
    continues
}

/// Without the blank that keeps a command's own backslash at the end from joining the next line: zsh takes one off as well.
fn without_guard(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|b| **b == b' ').count();
    let end = text.len().saturating_sub(blanks);
    let guarded = blanks > 0 && text.get(..end).is_some_and(|t| t.ends_with(b"\\"));
    if guarded { text.get(..text.len() - 1).unwrap_or_default() } else { text }
}

/// `: 1795308182:0;` and what follows it.
fn stamp(line: &[u8]) -> Option<(Option<At>, &[u8])> {
    let rest = line.strip_prefix(b": ")?;
    let colon = memchr::memchr(b':', rest)?;
    let (start, rest) = (rest.get(..colon)?, rest.get(colon + 1..)?);
    let semicolon = memchr::memchr(b';', rest)?;
    let digits = |t: &[u8]| !t.is_empty() && t.iter().all(u8::is_ascii_digit);
    let took = rest.get(..semicolon)?;
    (digits(start.trim_ascii()) && digits(took)).then_some((time(start), rest.get(semicolon + 1..)?))
}

fn unmetafy(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut bytes = line.iter();
    while let Some(b) = bytes.next() {
        match b {
            &META_BYTE => plain.extend(bytes.next().map(|b| b ^ 0x20)),
            b => plain.push(*b),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metafied_bytes_become_utf_8() {
        // The bytes that zsh wrote for "☕ 文".
        assert_eq!(unmetafy(b"\xe2\x83\xb8\x83\xb5 \xe6\x83\xb7\xa5"), b"\xe2\x98\x95 \xe6\x97\xa5");
        assert_eq!(unmetafy(b"a\x83"), b"a");
    }

    #[test]
    fn only_a_stamp_is_a_stamp() {
        assert_eq!(stamp(b": 1795308182:0;x").map(|(at, c)| (at.is_some(), c)), Some((true, b"x".as_slice())));
        assert_eq!(stamp(b": 1:0;x").map(|(at, c)| (at.is_some(), c)), Some((false, b"x".as_slice())));
        for line in [": a:0;x", ": 1795308182:;x", ": 1795308182:0x", ": ${X:=1};x", ":", ": ", ""] {
            assert_eq!(stamp(line.as_bytes()), None, "{line}");
        }
    }
}
