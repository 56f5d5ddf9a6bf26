//! What git wrote down of the moves of its references: commits, their authors and messages, with times.
//!
//! ```text
//! .git/logs/HEAD, .git/logs/refs/**       <old id> <new id> Name <mail> <seconds> <zone>⇥commit: message
//! ```
//!
//! Kept for 90 days by default, on the machine that made the move: no clone brings them. Commits, authors and messages are reported where
//! an indicator knows them, and nothing else of the file. A hit proves that a reference of this repository was moved to that commit, or
//! that it was made here. Documented in git-reflog(1).

use std::io::{BufRead as _, BufReader, Read as _};

use super::refs::is_id;
use crate::{
    fact::{At, Held, TraceKind},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, fetched},
};

/// Bytes of one file.
const FILE: u64 = 256 << 20;
/// Bytes of one line.
const LINE: u64 = 64 << 10;

/// `.git/logs/**`.
pub struct Log;

static META: Meta = Meta {
    id: "git/log",
    title: "what git wrote down of its references (the reflog)",
    proves: "a reference here was moved to that commit, or the commit was made here; not what ran",
};

impl Surface for Log {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Git]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::any().without_links().nested(".git", "logs")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let mut input = BufReader::new(file.reader().take(FILE));
        let (mut line, mut number, mut long, mut goes_on) = (Vec::new(), 0_u32, false, false);
        loop {
            line.clear();
            if (&mut input).take(LINE).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let (ends, continued) = (line.ends_with(b"\n"), goes_on);
            goes_on = !ends && line.len() >= usize::try_from(LINE).unwrap_or(usize::MAX);
            long |= goes_on;
            number = number.saturating_add(u32::from(!continued));
            if !goes_on && !continued {
                entry(&String::from_utf8_lossy(&line), number, interest, out);
            }
        }
        match (input.get_ref().limit(), long) {
            (0, _) => Err(Flaw::TooLarge(FILE)),
            (_, true) => Err(Flaw::TooLarge(LINE)),
            _ => Ok(()),
        }
    }
}

fn entry(line: &str, number: u32, interest: &Interest, out: &mut Sink<'_>) {
    let (who, message) = line.trim_end().split_once('\t').unwrap_or((line.trim_end(), ""));
    let mut words = who.splitn(3, ' ');
    let (Some(_), Some(new), Some(who)) =
        (words.next().filter(|id| is_id(id)), words.next().filter(|id| is_id(id)), words.next())
    else {
        return;
    };
    let (name, time) = who.rsplit_once("> ").unwrap_or((who, ""));
    let seconds = time.split(' ').next().and_then(|s| s.parse().ok());
    let at = seconds.and_then(|s| At::unix(s, "time in git's log"));
    let mut push =
        |kind, value: &str| out.push_at(None, Some(number), at.clone(), fetched::fact(kind, value, Held::Named));
    if interest.traces.commit(&new.to_ascii_lowercase()).is_some() {
        push(TraceKind::Commit, new);
    }
    // Who moved the reference is who made the commit only where it was made here.
    let made = message.starts_with("commit");
    let mail = name.rsplit_once('<').map_or("", |(_, mail)| mail);
    if let Some(author) = interest.traces.author(mail).filter(|_| made) {
        push(TraceKind::Author, author);
    }
    let subject = message.split_once(": ").map_or("", |(_, subject)| subject);
    if let Some(known) = interest.traces.message(subject).filter(|_| made) {
        push(TraceKind::Message, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fact::Fact, surface::python::trial::tried};

    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

    fn said(path: &str, text: &str) -> (Vec<String>, bool) {
        let known =
            [(TraceKind::Commit, ID), (TraceKind::Author, "bad@mail.example"), (TraceKind::Message, "LongLive")];
        let tried = tried(&Log, path, text.as_bytes(), &Interest::with_traces(&known));
        let words = |s: &crate::fact::Seen| {
            let at = s.at.as_ref().map_or(0, |at| at.time.as_second());
            match &s.fact {
                Fact::Trace(t) => format!("{} {} {} {at}", t.kind.as_str(), t.value, s.origin.line.unwrap_or(0)),
                other => format!("{other:?}"),
            }
        };
        (tried.seen.iter().map(words).collect(), tried.flaw.is_some())
    }

    #[test]
    fn commits_authors_and_messages_with_times() {
        let (zero, other) = ("0".repeat(40), "f".repeat(40));
        let text = format!(
            "{zero} {other} Al <al@x.example> 1774350000 +0100\tclone: from https://a.example/o/n\n\
             {other} {ID} Al <al@x.example> 1774350060 +0000\tpull: Fast-forward\n\
             {ID} {other} Bad B <Bad@mail.example> 1774350120 +0000\tcommit (amend): LongLiveX: aGk=\n"
        );
        let wanted = [
            format!("commit {ID} 2 1774350060"),
            "author bad@mail.example 3 1774350120".to_owned(),
            "message LongLive 3 1774350120".to_owned(),
        ];
        assert_eq!(said("p/.git/logs/HEAD", &text), (wanted.to_vec(), false));
    }

    #[test]
    fn look_alikes_and_broken_lines() {
        let other = "f".repeat(40);
        for text in [
            format!("{other} {other} Al <al@x.example> 1 +0\tcommit: about LongLive"),
            format!("{other} {other} Al <al@x.example> 1 +0\tcheckout: moving from LongLive to x"),
            format!("{ID} {other} Al <bad@mail.example> 1 +0\tpull: LongLive"),
            format!("{other} {ID}"),
            format!("x {ID} y"),
            String::new(),
            "\0\n\u{fffd}\n".to_owned(),
        ] {
            assert_eq!(said("p/.git/logs/HEAD", &text), (Vec::new(), false), "{text}");
        }
        let long = format!("{}\n{other} {ID} Al <a@x.example> 1 +0\tpull: x\n", "x".repeat(150_000));
        assert_eq!(said("p/.git/logs/HEAD", &long), (vec![format!("commit {ID} 2 1")], true));
    }
}
