//! Addresses and further names that the machine has for itself, by the files that set up its network. A command for one of them is a
//! command for this machine.
//!
//! ```text
//! etc/netplan/*.yaml                                      addresses: [10.0.0.5/24]
//! etc/network/interfaces, interfaces.d/*                  address 10.0.0.5/24
//! etc/sysconfig/network-scripts/ifcfg-*, etc/sysconfig/network/ifcfg-*     IPADDR=10.0.0.5
//! etc/NetworkManager/system-connections/*                 address1=10.0.0.5/24,10.0.0.1
//! etc/systemd/network/*.network                           Address=10.0.0.5/24
//! etc/rc.conf                                             ifconfig_em0="inet 10.0.0.5 netmask …"
//! var/lib/dhcp/*.leases, run/systemd/netif/leases/*, var/lib/NetworkManager/*.lease      what a server gave it
//! proc/net/fib_trie, proc/net/if_inet6                    of the running machine
//! etc/HOSTNAME, etc/mailname, etc/myname, etc/sysconfig/network, etc/conf.d/hostname     names
//! ```

use std::{collections::BTreeSet, net::IpAddr};

use super::identity::Files;
use crate::fact::TreePath;

/// Files of one folder that are read.
const FILES: usize = 200;
/// Lines of one file.
const LINES: usize = 10_000;
/// Addresses that are kept.
const MOST: usize = 1000;

/// Folders, how the names in them begin and end, and the words before an address in them.
type Place = (&'static str, &'static str, &'static str, &'static [&'static str]);

const ANY: &[&str] = &["address", "addresses", "ipaddr", "ipv6addr", "fixed-address", "local-ipv4", "inet", "inet6"];
static PLACES: &[Place] = &[
    ("etc/netplan", "", ".yaml", &["addresses", "-"]),
    ("etc/netplan", "", ".yml", &["addresses", "-"]),
    ("run/netplan", "", ".yaml", &["addresses", "-"]),
    ("etc/network", "interfaces", "", ANY),
    ("etc/network/interfaces.d", "", "", ANY),
    ("etc/sysconfig/network-scripts", "ifcfg-", "", ANY),
    ("etc/sysconfig/network", "ifcfg-", "", ANY),
    ("etc/NetworkManager/system-connections", "", "", ANY),
    ("run/NetworkManager/system-connections", "", "", ANY),
    ("etc/systemd/network", "", ".network", ANY),
    ("run/systemd/network", "", ".network", ANY),
    ("etc", "rc.conf", "", ANY),
    ("etc", "dhcpcd.conf", "", &["ip_address", "ip6_address"]),
    ("var/lib/dhcp", "", ".leases", ANY),
    ("var/lib/dhclient", "", ".leases", ANY),
    ("var/lib/NetworkManager", "", ".lease", ANY),
    ("run/systemd/netif/leases", "", "", ANY),
];

/// Files with a name of the machine: as the whole text, or behind a key.
static NAMES: &[(&str, &str)] = &[
    ("etc/HOSTNAME", ""),
    ("etc/mailname", ""),
    ("etc/myname", ""),
    ("etc/sysconfig/network", "HOSTNAME"),
    ("etc/conf.d/hostname", "hostname"),
];

/// The addresses and names that these files say are the machine's own, in lower case.
pub fn own(files: &dyn Files) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    let path = |p: &str| TreePath::new(p.as_bytes());
    for (folder, start, end, words) in PLACES {
        let Some(folder) = path(folder) else { continue };
        let mut names = files.list(&folder);
        names.retain(|n| n.starts_with(start.as_bytes()) && n.ends_with(end.as_bytes()));
        names.sort();
        for name in names.iter().take(FILES) {
            let text = files.read(&folder.join(name)).unwrap_or_default();
            own.extend(addresses(&String::from_utf8_lossy(&text), words).map(|a| a.to_string()));
        }
    }
    for (file, key) in NAMES {
        let text = path(file).and_then(|p| files.read(&p)).unwrap_or_default();
        own.extend(name_in(&String::from_utf8_lossy(&text), key));
    }
    own.into_iter().take(MOST).collect()
}

/// The same by the kernel's own tables.
pub fn of_kernel(fib_trie: &[u8], if_inet6: &[u8]) -> BTreeSet<String> {
    let trie = String::from_utf8_lossy(fib_trie).into_owned();
    let mut last = None;
    let mut own = BTreeSet::new();
    // `|-- 10.0.0.5` above `/32 host LOCAL`.
    for line in trie.lines().take(LINES * 10) {
        if let Some(address) = line.trim_start().strip_prefix("|-- ") {
            last = address.parse::<IpAddr>().ok();
        } else if line.contains("/32 host LOCAL") {
            own.extend(last.filter(is_own).map(|a| a.to_string()));
        }
    }
    for line in String::from_utf8_lossy(if_inet6).lines().take(LINES) {
        let digits = line.split_whitespace().next().filter(|d| d.len() == 32 && d.is_ascii());
        let address = digits.and_then(|d| u128::from_str_radix(d, 16).ok());
        own.extend(address.map(|a| IpAddr::from(a.to_be_bytes())).filter(is_own).map(|a| a.to_string()));
    }
    own.into_iter().take(MOST).collect()
}

/// Addresses behind one of these words. Routes, gateways and name servers are other machines.
fn addresses<'t>(text: &'t str, words: &'static [&'static str]) -> impl Iterator<Item = IpAddr> + 't {
    let mut others = false;
    text.lines().take(LINES).flat_map(move |line| {
        let line = line.split('#').next().unwrap_or_default().trim().to_ascii_lowercase();
        let yaml = words.contains(&"-");
        if yaml && line.ends_with(':') || line.starts_with('[') {
            others = ["nameservers", "routes", "routing-policy", "[route", "[peer", "[ipv6acceptra", "[dhcpserver"]
                .iter()
                .any(|o| line.starts_with(o))
                || (others && matches!(line.as_str(), "addresses:" | "search:"));
        }
        let cut = |c: char| c.is_whitespace() || matches!(c, '=' | ',' | ';' | '"' | '\'' | '[' | ']' | '{' | '}');
        let parts: Vec<&str> = line.split(cut).filter(|p| !p.is_empty()).collect();
        let key = |word: &str| word.trim_end_matches(':').trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let named = |word: &&str| words.iter().any(|w| *w == key(word) || *w == word.trim_end_matches(':'));
        let at = parts.iter().position(named).filter(|_| !others && !line.contains("nameservers"));
        // One `address1=` of NetworkManager has the gateway behind it.
        let most = if at.is_some_and(|at| parts.get(at).is_some_and(|p| key(p) == "address")) { 1 } else { 20 };
        let behind = at.map(|at| parts.into_iter().skip(at + 1)).into_iter().flatten();
        let found: Vec<IpAddr> = behind.filter_map(|p| address(p, yaml)).filter(is_own).take(most).collect();
        found
    })
}

/// `10.0.0.5`, `10.0.0.5/24`; with a prefix where only that distinguishes an interface's address from others.
fn address(word: &str, prefixed: bool) -> Option<IpAddr> {
    let word = word.trim_end_matches(':');
    match word.split_once('/') {
        Some((address, _)) => address.parse().ok(),
        None => word.parse().ok().filter(|_| !prefixed),
    }
}

/// Neither all zeros, nor of every machine, nor a netmask.
fn is_own(address: &IpAddr) -> bool {
    let is_mask = matches!(address, IpAddr::V4(four) if four.octets().first() == Some(&255));
    !is_mask && !address.is_unspecified() && !address.is_multicast() && !address.is_loopback()
}

fn name_in(text: &str, key: &str) -> Option<String> {
    let line = match key {
        "" => text.lines().next(),
        key => text.lines().find_map(|l| l.trim().strip_prefix(key)?.trim_start().strip_prefix('=')),
    }?;
    let name = line.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    (plain && !name.is_empty() && name.len() <= 255 && !name.starts_with("localhost")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{super::identity::made::Made, *};

    fn found(path: &'static str, text: &str) -> Vec<String> {
        own(&Made([(path, text)].into())).into_iter().collect()
    }

    #[test]
    fn every_way_to_set_an_address() {
        let netplan = "network:\n  ethernets:\n    eth0:\n      addresses:\n        - 10.0.0.5/24\n        - \"fd00::5/64\"\n      \
                       routes:\n        - to: 10.9.0.0/16\n          via: 10.0.0.1\n      nameservers:\n        addresses:\n          \
                       - 8.8.8.8\n          - 9.9.9.9/32\n    eth1:\n      addresses: [10.1.0.5/24]\n";
        for (path, text, expected) in [
            ("/etc/netplan/50-cloud-init.yaml", netplan, vec!["10.0.0.5", "10.1.0.5", "fd00::5"]),
            (
                "/etc/netplan/1.yaml",
                "    eth1:\n      addresses: [10.1.0.5/24, 10.1.0.6/24]\n",
                vec!["10.1.0.5", "10.1.0.6"],
            ),
            (
                "/etc/network/interfaces",
                "iface eth0 inet static\n  address 10.0.0.5/24\n  gateway 10.0.0.1\n  dns-nameservers 8.8.8.8\n",
                vec!["10.0.0.5"],
            ),
            (
                "/etc/network/interfaces.d/a",
                "address 10.0.0.5\nnetmask 255.255.255.0\n# address 10.0.0.6\n",
                vec!["10.0.0.5"],
            ),
            (
                "/etc/sysconfig/network-scripts/ifcfg-eth0",
                "IPADDR=10.0.0.5\nGATEWAY=10.0.0.1\nIPADDR1='10.0.0.6'\nDNS1=8.8.8.8\n",
                vec!["10.0.0.5", "10.0.0.6"],
            ),
            (
                "/etc/NetworkManager/system-connections/a.nmconnection",
                "[ipv4]\naddress1=10.0.0.5/24,10.0.0.1\ndns=8.8.8.8;\nroute1=10.2.0.0/16,10.0.0.2\n",
                vec!["10.0.0.5"],
            ),
            (
                "/etc/systemd/network/a.network",
                "[Network]\nAddress=10.0.0.5/24\nGateway=10.0.0.1\n[Route]\nDestination=10.2.0.0/16\n[DHCPServer]\nAddress=10.7.0.1\n",
                vec!["10.0.0.5"],
            ),
            (
                "/var/lib/dhcp/dhclient.eth0.leases",
                "lease {\n  fixed-address 10.0.0.5;\n  option routers 10.0.0.1;\n}\n",
                vec!["10.0.0.5"],
            ),
            ("/run/systemd/netif/leases/2", "ADDRESS=10.0.0.5\nROUTER=10.0.0.1\nDNS=8.8.8.8\n", vec!["10.0.0.5"]),
            (
                "/etc/rc.conf",
                "ifconfig_em0=\"inet 10.0.0.5 netmask 255.255.255.0\"\ndefaultrouter=\"10.0.0.1\"\n",
                vec!["10.0.0.5"],
            ),
            ("/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=web1.corp.example\n", vec!["web1.corp.example"]),
            ("/etc/mailname", "web1.corp.example\n", vec!["web1.corp.example"]),
            ("/etc/mailname", "$(reboot)\n", vec![]),
            ("/srv/interfaces", "address 10.0.0.5\n", vec![]),
            ("/etc/network/interfaces", "\u{0}address 999.0.0.5 address\n=\n", vec![]),
        ] {
            assert_eq!(found(path, text), expected, "{path}: {text}");
        }
        assert!(found("/etc/network/interfaces", &"address 10.0.0.5\n".repeat(100_000)).len() == 1);
    }

    #[test]
    fn the_kernel_says_which_are_local() {
        let trie = b"Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.0\n        /24 link UNICAST\n     |-- 10.0.0.5\n        /32 host LOCAL\n     \
                     |-- 10.0.0.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n";
        let six = b"fe80000000000000000000000000cafe 02 40 20 80 eth0\n00000000000000000000000000000001 01 80 10 80 lo\nbroken\n";
        let own: Vec<String> = of_kernel(trie, six).into_iter().collect();
        assert_eq!(own, ["10.0.0.5", "fe80::cafe"]);
        assert!(of_kernel(b"\xff|-- x\n", b"").is_empty());
    }
}
