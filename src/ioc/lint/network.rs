//! Network names: exact, and the attacker's.

use std::net::IpAddr;

use super::{
    Lint,
    hosts::{self, Owner},
};
use crate::ioc::model::{NetworkIndicator, NetworkKind};

/// Name servers that everybody asks.
const RESOLVERS: &[&str] = &["1.0.0.1", "1.1.1.1", "8.8.4.4", "8.8.8.8", "9.9.9.9"];

impl Lint<'_> {
    pub(super) fn network(&mut self) {
        let mut met = std::collections::HashSet::new();
        for (n, name) in self.incident.network.iter().enumerate() {
            let place = format!("network[{n}].value");
            self.text(format!("network[{n}].what"), &name.what);
            if !met.insert((name.kind, &name.value)) {
                self.say(place.clone(), format!("`{}` is listed twice", name.value), "remove one");
            }
            if is_defanged(&name.value) {
                self.say(place, "defanged", "write the exact name");
                continue;
            }
            match name.kind {
                NetworkKind::Domain => self.domain(&place, name),
                NetworkKind::Ip => self.ip(&place, name),
                NetworkKind::Url => self.url(&place, name),
            }
        }
    }

    fn domain(&mut self, place: &str, name: &NetworkIndicator) {
        let value = &name.value;
        if !is_domain(value) {
            let hint = "lower case, without scheme, port and path; an address has kind `ip`, a path `url`";
            return self.say(place, format!("`{value}` is no domain"), hint);
        }
        if name.context_only {
            return;
        }
        match hosts::owner(value) {
            Owner::WellKnown => {
                let hint = "set `context_only`, or give the attacker's `url` there";
                self.say(place, format!("`{value}` is a well-known host"), hint);
            }
            Owner::Platform => {
                let hint = "give the attacker's name below it, or set `context_only`";
                self.say(place, format!("`{value}` is a host that many share"), hint);
            }
            Owner::Unknown => {}
        }
    }

    fn ip(&mut self, place: &str, name: &NetworkIndicator) {
        let Ok(ip) = name.value.parse::<IpAddr>() else {
            return self.say(
                place,
                format!("`{}` is no address", name.value),
                "a name has kind `domain`, a path `url`",
            );
        };
        if name.context_only {
            return;
        }
        if let Some(what) = not_global(ip) {
            self.say(place, format!("`{ip}` is {what}"), "leave it out, or set `context_only`");
        } else if RESOLVERS.contains(&&*name.value) {
            self.say(place, format!("`{ip}` is a public name server"), "leave it out, or set `context_only`");
        }
    }

    fn url(&mut self, place: &str, name: &NetworkIndicator) {
        let value = &name.value;
        let Some(host) = hosts::of_url(value) else {
            return self.say(place, format!("`{value}` is no URL"), "write scheme and host: `https://evil.example/x`");
        };
        if name.context_only {
            return;
        }
        match host.parse::<IpAddr>() {
            Ok(ip) => {
                if let Some(what) = not_global(ip) {
                    self.say(place, format!("`{ip}` is {what}"), "leave it out, or set `context_only`");
                }
            }
            Err(_) => {
                let path = value.split_once("://").and_then(|(_, rest)| rest.split_once(['/', '?']));
                let bare = path.is_none_or(|(_, path)| path.trim_matches('/').is_empty());
                if bare && hosts::owner(host) != Owner::Unknown {
                    let hint = "give the attacker's path there, or set `context_only`";
                    self.say(place, format!("`{host}` is a host that many share"), hint);
                }
            }
        }
    }
}

fn is_defanged(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    ["[.]", "(.)", "{.}", "[dot]", "[:]", "[://"].iter().any(|d| lower.contains(d)) || lower.starts_with("hxxp")
}

fn is_domain(value: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
    };
    let top = value.rsplit('.').next().unwrap_or_default();
    value.len() <= 253
        && value.contains('.')
        && value.split('.').all(label)
        && top.chars().any(|c| c.is_ascii_alphabetic())
}

/// What an address is that nobody on the Internet has.
fn not_global(ip: IpAddr) -> Option<&'static str> {
    let kinds = match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            [
                (v4.is_private() || (a == 100 && b & 0xc0 == 64), "private"),
                (v4.is_loopback() || v4.is_unspecified(), "the machine itself"),
                (v4.is_link_local(), "of the own network"),
                (v4.is_documentation() || (a, b & 0xfe) == (198, 18), "for documentation and tests"),
                (v4.is_multicast() || v4.is_broadcast() || a == 0 || (a, b, c) == (192, 0, 0), "nobody's"),
            ]
        }
        IpAddr::V6(v6) => [
            (v6.is_unique_local(), "private"),
            (v6.is_loopback() || v6.is_unspecified(), "the machine itself"),
            (v6.is_unicast_link_local(), "of the own network"),
            (matches!(v6.segments(), [0x2001, 0xdb8, ..]), "for documentation and tests"),
            (v6.is_multicast(), "nobody's"),
        ],
    };
    kinds.into_iter().find_map(|(is, what)| is.then_some(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_nobody_has() {
        let what = |ip: &str| not_global(ip.parse().unwrap());
        assert_eq!(what("10.1.2.3"), Some("private"));
        assert_eq!(what("100.64.0.1"), Some("private"));
        assert_eq!(what("127.0.0.1"), Some("the machine itself"));
        assert_eq!(what("169.254.169.254"), Some("of the own network"));
        assert_eq!(what("203.0.113.9"), Some("for documentation and tests"));
        assert_eq!(what("2001:db8::1"), Some("for documentation and tests"));
        assert_eq!(what("fd00::1"), Some("private"));
        assert_eq!((what("100.128.0.1"), what("2a00::1"), what("198.20.0.1")), (None, None, None));
    }

    #[test]
    fn a_domain_is_no_url_and_no_address() {
        assert!(is_domain("evil.example") && is_domain("_x.a-b.example") && is_domain("bt.node.js"));
        for value in
            ["evil", "https://evil.example", "evil.example/x", "Evil.example", "1.2.3.4", "a..b", "x.example:80"]
        {
            assert!(!is_domain(value), "{value}");
        }
        assert!(is_defanged("evil[.]example") && is_defanged("hXXps://x") && !is_defanged("https://x/?a[1]=.2"));
    }
}
