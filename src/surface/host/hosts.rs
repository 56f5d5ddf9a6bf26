//! `/etc/hosts`: names that somebody pointed elsewhere.
//!
//! A malicious name that points to a loopback or null address is a defence, not an infection. Documented in hosts(5).

use std::net::IpAddr;

use crate::{
    fact::Fact,
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, content::mostly},
};

/// Block lists have hundreds of thousands of lines.
const LIMIT: usize = 64 << 20;

/// `/etc/hosts`.
pub struct Hosts;

static META: Meta = Meta {
    id: "host/hosts",
    title: "names in /etc/hosts",
    proves: "somebody pointed that name elsewhere; not that it was contacted",
};

impl Surface for Hosts {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Network]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let windows = ["Windows/System32", "WINDOWS/system32", "WINDOWS/System32", "Windows/system32"];
        let windows = windows.map(|system| Claim::name("hosts").in_root(&format!("{system}/drivers/etc")));
        [Claim::name("hosts").in_root("etc")].into_iter().chain(windows).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        let is_host = |line: &str| line.split_ascii_whitespace().next().is_some_and(|a| a.parse::<IpAddr>().is_ok());
        (mostly(&text, is_host) && text.contains("localhost")).then_some("etc/hosts")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the file");
        let bytes = file.all(LIMIT)?;
        for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
            let line = line.split(|b| *b == b'#').next().unwrap_or_default();
            let Ok(line) = std::str::from_utf8(line) else {
                continue;
            };
            let mut words = line.split_ascii_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse::<IpAddr>) else {
                continue;
            };
            let sinkholed = address.is_loopback() || address.is_unspecified();
            for name in words.filter(|n| is_host(n)) {
                let name = name.trim_end_matches('.').to_ascii_lowercase().into();
                out.push_at(None, Some(number), at.clone(), Fact::Host { name, sinkholed });
            }
        }
        Ok(())
    }
}

/// Whether a text can be a host name, so that it is safe to show.
pub fn is_host(name: &str) -> bool {
    name.len() <= 253 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
