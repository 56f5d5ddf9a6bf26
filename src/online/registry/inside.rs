//! Addresses that lead to this machine, or to what only this machine reaches.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Where clouds answer a machine about itself, beside link-local addresses.
const METADATA: &[IpAddr] =
    &[IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254))];
const METADATA_NAME: &str = "metadata.google.internal";

fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

/// Whether it is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.host_str() == Some("localhost") || literal(url).is_some_and(|ip| ip.to_canonical().is_loopback())
}

/// Whether it is on this machine or on what only this machine reaches, like the metadata of a cloud.
pub(super) fn is_inside(url: &Url) -> bool {
    let name = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let is_named = name == "localhost" || name.ends_with(".localhost") || name == METADATA_NAME;
    is_named || is_loopback(url) || literal(url).is_some_and(is_own)
}

/// Whether an address is one that only this machine reaches, loopback aside.
pub(super) fn is_own(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        ip if METADATA.contains(&ip) => true,
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_this_machine_reaches_is_inside() {
        for (host, inside) in [
            ("localhost", true),
            ("LOCALHOST.:5000", true),
            ("a.b.localhost", true),
            ("a.localhost.", true),
            ("127.9.9.9", true),
            ("127.1", true),
            ("0x7f000001", true),
            ("[::1]:5000", true),
            ("[::ffff:127.0.0.1]", true),
            ("0.0.0.0", true),
            ("169.254.169.254", true),
            ("[fe80::1]", true),
            ("[fd00:ec2::254]:80", true),
            ("[FD00:0EC2:0:0:0:0:0:254]", true),
            ("100.100.100.200", true),
            ("[::ffff:100.100.100.200]", true),
            ("[::ffff:169.254.169.254]", true),
            ("169.254.169.254.", true),
            ("metadata.google.internal", true),
            ("registry.example", false),
            ("localhost.example", false),
            ("notlocalhost", false),
            ("10.0.0.1", false),
            ("100.100.100.20", false),
            ("[fd00:ec2::25]", false),
        ] {
            let url = Url::parse(&format!("https://{host}/v2/")).unwrap();
            assert_eq!(is_inside(&url), inside, "{host}");
        }
    }
}
