//! Names and addresses that the examined machine has for itself: a command for one of them ran on it.

use super::{Accounts, MOST};
use crate::work;

/// Names that lead back to this machine, and are kept.
const LOOPED: usize = 1000;

/// Names by which containers and virtual machines call the machine that runs them.
const HOST_OF_GUESTS: &[&str] = &[
    "host.docker.internal",
    "gateway.docker.internal",
    "host.containers.internal",
    "host.lima.internal",
    "host.minikube.internal",
    "host.orb.internal",
];

/// Names that every machine has for itself.
pub fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let host = host.trim_end_matches('.');
    matches!(host, "localhost" | "::1" | "0.0.0.0" | "::" | "0" | "ip6-localhost" | "ip6-loopback")
        || HOST_OF_GUESTS.contains(&host)
        // Docker's own bridge, as every container sees the machine.
        || host == "172.17.0.1"
        || host.starts_with("localhost.")
        || host.ends_with(".localhost")
        || (host.starts_with("127.") && host.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

impl Accounts {
    /// The same, with the names of the machine: the texts of `/etc/hostname` and `/etc/hosts`.
    #[must_use]
    pub fn with_machine_names(mut self, hostname: &[u8], hosts: &[u8]) -> Self {
        let hostname = String::from_utf8_lossy(hostname);
        let named = hostname.lines().map(|l| l.trim().to_ascii_lowercase());
        self.own_names.extend(named.filter(|n| !n.is_empty() && n.len() <= 255 && !n.starts_with('#')).take(2));
        let (mut own, mut looped) = (Vec::new(), Vec::new());
        for line in hosts.split(|b| *b == b'\n').take(MOST) {
            work::done(1);
            let line = String::from_utf8_lossy(line).to_ascii_lowercase();
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().take(50).collect();
            if words.iter().any(|w| self.own_names.contains(*w)) || words.first().is_some_and(|w| *w == "127.0.1.1") {
                own.extend(words.into_iter().map(str::to_owned));
            } else if words.first().is_some_and(|w| is_loopback(w)) {
                // Block lists point many names there; who goes to one of them comes to this machine all the same.
                looped.extend(words.into_iter().skip(1).map(str::to_owned));
            }
        }
        self.own_names.extend(own);
        self.own_names.extend(looped.into_iter().take(LOOPED));
        self
    }

    /// The same, with more names and addresses that the machine has for itself.
    #[must_use]
    pub fn with_own_names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.own_names.extend(names);
        self
    }

    /// The same, with those of these names that lead back to this machine, each with the one that it stands for: `Host me` with
    /// `HostName localhost` of `ssh_config(5)`.
    #[must_use]
    pub fn with_aliases(mut self, aliases: &[(String, String)]) -> Self {
        let own = |(_, real): &&(String, String)| is_loopback(real.trim_matches(['[', ']'])) || self.is_own_name(real);
        let names: Vec<String> = aliases.iter().filter(own).map(|(name, _)| name.to_ascii_lowercase()).collect();
        self.own_names.extend(names.into_iter().take(LOOPED));
        self
    }

    /// Whether a machine's name or address is one of this one's own. A name without a domain is that of any.
    pub fn is_own_name(&self, machine: &str) -> bool {
        let machine = machine.to_ascii_lowercase();
        let label = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let is_address = |name: &str| name.contains(':') || name.chars().all(|c| c.is_ascii_digit() || c == '.');
        self.own_names.iter().any(|own| {
            // `dev1.local` is what mDNS makes of any name.
            let short = !own.contains('.') || !machine.contains('.') || machine.ends_with(".local");
            *own == machine || (short && !is_address(own) && !is_address(&machine) && label(own) == label(&machine))
        })
    }
}
