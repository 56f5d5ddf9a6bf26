//! Addresses, texts and marks in repositories that indicators know. A surface asks with what it read and gets the indicator's own
//! words, so that nothing else of a text leaves it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::everywhere::Everywhere;
use crate::fact::TraceKind;

/// Longer words are no address that anybody typed.
const LONGEST: usize = 4096;

/// What indicators know of traces in texts.
#[derive(Debug, Default)]
pub struct Traces {
    /// Hosts and addresses, lower case.
    hosts: BTreeSet<String>,
    urls: Vec<String>,
    texts: Vec<String>,
    messages: Vec<String>,
    /// Lower case.
    authors: BTreeSet<String>,
    /// By the first seven digits.
    commits: BTreeMap<String, Vec<String>>,
    /// The hosts, those of the URLs too.
    network: Option<AhoCorasick>,
    finder: Option<AhoCorasick>,
    /// Made where somebody asks for it.
    everywhere: OnceLock<Option<Everywhere>>,
}

impl Traces {
    /// The hosts and addresses that are looked for, lower case.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// Of these values.
    pub fn new(values: impl IntoIterator<Item = (TraceKind, String)>) -> Self {
        let mut traces = Self::default();
        for (kind, value) in values {
            match kind {
                TraceKind::Host => _ = traces.hosts.insert(value.to_ascii_lowercase()),
                TraceKind::Url => traces.urls.push(value),
                TraceKind::Text => traces.texts.push(value),
                TraceKind::Message => traces.messages.push(value),
                TraceKind::Author => _ = traces.authors.insert(value.to_ascii_lowercase()),
                TraceKind::Commit => {
                    let value = value.to_ascii_lowercase();
                    let start = value.get(..7).unwrap_or(&value).to_owned();
                    traces.commits.entry(start).or_default().push(value);
                }
                // Their surfaces report what they read, whatever is asked for.
                TraceKind::Repository | TraceKind::Branch | TraceKind::Workflow => {}
            }
        }
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let of_urls = traces.urls.iter().map(|url| split(url).0);
        let hosts: BTreeSet<String> = traces.hosts.iter().cloned().chain(of_urls).filter(|h| !h.is_empty()).collect();
        traces.network = AhoCorasick::builder().kind(kind).ascii_case_insensitive(true).build(&hosts).ok();
        traces.finder = AhoCorasick::builder().kind(kind).build(&traces.texts).ok();
        traces
    }

    /// All texts and hosts in one search.
    pub(super) fn everywhere(&self) -> Option<&Everywhere> {
        let of_urls = || self.urls.iter().map(|url| split(url).0).filter(|host| !host.is_empty());
        let made = || {
            let hosts: BTreeSet<String> = self.hosts.iter().cloned().chain(of_urls()).collect();
            Everywhere::new(&self.texts, hosts.iter().map(String::as_str))
        };
        self.everywhere.get_or_init(made).as_ref()
    }

    /// Whether a text may hold an address that is asked for. A single pass, and most texts hold none.
    pub fn may_name_network(&self, text: &[u8]) -> bool {
        self.network.as_ref().is_some_and(|network| network.is_match(text))
    }

    /// Which known address a word is, or lies below: a URL before its host.
    pub fn address(&self, word: &str) -> Option<(TraceKind, &str)> {
        if word.len() > LONGEST {
            return None;
        }
        let (host, rest) = split(word);
        let plain = [format!("https://{host}{rest}"), format!("http://{host}{rest}")];
        let tried = plain.iter().filter(|p| !word.contains("://") || scheme(p) == scheme(word));
        let url = tried.flat_map(|p| self.urls.iter().filter(|known| begins(known, p))).max_by_key(|known| known.len());
        if let Some(url) = url {
            return Some((TraceKind::Url, url));
        }
        let name = if host.starts_with('[') {
            host.split_once(']').map_or("", |(h, _)| h.get(1..).unwrap_or(""))
        } else {
            &host
        };
        let mut name = if name.starts_with(|c: char| c.is_ascii_hexdigit()) && name.contains("::") {
            name
        } else {
            name.split(':').next().unwrap_or_default()
        };
        if let Some(known) = self.hosts.get(name) {
            return Some((TraceKind::Host, known));
        }
        // An address has nothing above it, and is above nothing.
        while let Some((_, above)) = name.split_once('.').filter(|_| !is_address(name)) {
            if let Some(known) = self.hosts.get(above).filter(|known| !is_address(known)) {
                return Some((TraceKind::Host, known));
            }
            name = above;
        }
        None
    }

    /// The known texts that these bytes hold, each time with where it begins.
    pub fn texts_in(&self, bytes: &[u8]) -> Vec<(usize, &str)> {
        let Some(finder) = &self.finder else {
            return Vec::new();
        };
        let found = finder.find_overlapping_iter(bytes);
        found.filter_map(|m| Some((m.start(), self.texts.get(m.pattern().as_usize())?.as_str()))).collect()
    }

    /// The known commit that this one is; either may be cut.
    pub fn commit(&self, id: &str) -> Option<&str> {
        let known = self.commits.get(id.get(..7)?)?;
        known.iter().find(|k| k.starts_with(id) || id.starts_with(k.as_str())).map(String::as_str)
    }

    /// Whether a mail address is known.
    pub fn author(&self, mail: &str) -> Option<&str> {
        self.authors.get(&mail.to_ascii_lowercase()).map(String::as_str)
    }

    /// The known message that the subject of a commit begins with.
    pub fn message(&self, subject: &str) -> Option<&str> {
        self.messages.iter().find(|m| subject.starts_with(m.as_str())).map(String::as_str)
    }
}

/// Whether a URL is a known one, or lies below it.
pub fn begins(known: &str, url: &str) -> bool {
    let rest = url.strip_prefix(known.trim_end_matches('/'));
    rest.is_some_and(|r| r.is_empty() || r.starts_with(['/', '?', '#']))
}

/// Whether a host is a network address.
pub fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

fn scheme(url: &str) -> String {
    url.split_once("://").map_or_else(String::new, |(scheme, _)| scheme.to_ascii_lowercase())
}

/// Host with its port, lower case and without an account; what stands behind it.
fn split(word: &str) -> (String, &str) {
    let rest = word.split_once("://").map_or(word, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (host.trim_end_matches('.').to_ascii_lowercase(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        Traces::new(
            [
                (TraceKind::Host, "Evil.example"),
                (TraceKind::Host, "203.0.113.7"),
                (TraceKind::Url, "https://shared.example/a/x.sh"),
                (TraceKind::Url, "http://203.0.113.9:8080"),
                (TraceKind::Text, "PAYLOAD-1"),
                (TraceKind::Text, "PAYLOAD-12"),
                (TraceKind::Message, "LongLive"),
                (TraceKind::Author, "bad@mail.example"),
                (TraceKind::Commit, "0A1B2C3D4E5F60718293a4b5c6d7e8f901234567"),
                (TraceKind::Commit, "d267cc4"),
            ]
            .map(|(kind, value)| (kind, value.to_owned())),
        )
    }

    #[test]
    fn an_address_is_known_by_itself_or_by_what_is_above_it() {
        let traces = traces();
        let says = |word: &str| traces.address(word).map(|(_, value)| value.to_owned()).unwrap_or_default();
        for (word, known) in [
            ("https://evil.example/x?token=1", "evil.example"),
            ("EVIL.example.", "evil.example"),
            ("http://a.b.evil.example:8443", "evil.example"),
            ("https://me:secret@evil.example/x", "evil.example"),
            ("203.0.113.7:80/x", "203.0.113.7"),
            ("https://shared.example/a/x.sh", "https://shared.example/a/x.sh"),
            ("shared.example/a/x.sh?x", "https://shared.example/a/x.sh"),
            ("http://203.0.113.9:8080/a", "http://203.0.113.9:8080"),
        ] {
            assert_eq!(says(word), known, "{word}");
            assert!(traces.may_name_network(word.as_bytes()), "{word}");
        }
        for word in [
            "https://notevil.example/",
            "https://evil.example.org/",
            "https://good.example/?u=evil.example",
            "https://evil.example@good.example/",
            "https://shared.example/a/x.shx",
            "https://shared.example/b",
            "http://shared.example/a/x.sh",
            "http://203.0.113.9:80801/a",
            "http://1.203.0.113.7/",
            "203.0.113.70",
            "",
            "://",
            "[",
            "[::1]:80",
        ] {
            assert_eq!(says(word), "", "{word}");
        }
        assert_eq!(traces.address(&format!("https://evil.example/{}", "a".repeat(5000))), None);
    }

    #[test]
    fn texts_and_marks_of_commits() {
        let traces = traces();
        let mut found = traces.texts_in(b"x PAYLOAD-12 PAYLOAD-1");
        found.sort_unstable();
        assert_eq!(found, [(2, "PAYLOAD-1"), (2, "PAYLOAD-12"), (13, "PAYLOAD-1")]);
        assert!(traces.texts_in(b"payload-1").is_empty() && Traces::default().texts_in(b"x").is_empty());
        assert!(traces.commit("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567").is_some());
        assert!(traces.commit("d267cc4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").is_some());
        for other in [
            "0a1b2c3d4e5f60718293a4b5c6d7e8f901234568",
            "d267cc",
            "",
            "d267cd4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "éééé",
        ] {
            assert_eq!(traces.commit(other), None, "{other}");
        }
        assert!(traces.author("Bad@Mail.example").is_some() && traces.author("x@mail.example").is_none());
        assert!(traces.message("LongLiveX: y").is_some() && traces.message("why LongLive").is_none());
    }
}
