//! Hosts that are not the attacker's: whoever talks to them has done nothing wrong.

/// Whose a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nothing is known: the attacker's, as far as this list goes.
    Unknown,
    /// A well-known host, with all names below it.
    WellKnown,
    /// A platform that anybody may have a name below: the platform itself.
    Platform,
}

/// Registries of packages: name, and top level. Their own pages are named and not linked.
const REGISTRIES: &[(&str, &str)] = &[
    ("central.sonatype", "com"),
    ("crates", "io"),
    ("docker", "io"),
    ("ghcr", "io"),
    ("hub.docker", "com"),
    ("marketplace.visualstudio", "com"),
    ("maven", "org"),
    ("mvnrepository", "com"),
    ("npmjs", "com"),
    ("npmjs", "org"),
    ("nuget", "org"),
    ("open-vsx", "org"),
    ("packages.debian", "org"),
    ("packagist", "org"),
    ("pkg.go", "dev"),
    ("proxy.golang", "org"),
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("quay", "io"),
    ("rubygems", "org"),
    ("yarnpkg", "com"),
];

/// Legitimate, and everything below it too.
const WELL_KNOWN: &[&str] = &[
    "anthropic.com",
    "apple.com",
    "bitbucket.org",
    "bittorrent.com",
    "bun.sh",
    "catbox.moe",
    "cloudflare-dns.com",
    "cloudflare-ipfs.com",
    "cloudflare.com",
    "codeberg.org",
    "debian.org",
    "discord.com",
    "discord.gg",
    "discordapp.com",
    "docker.com",
    "dweb.link",
    "etherscan.io",
    "facebook.com",
    "file.io",
    "getsession.org",
    "github.com",
    "githubusercontent.com",
    "gitlab.com",
    "golang.org",
    "google.com",
    "googleapis.com",
    "gstatic.com",
    "huggingface.co",
    "icanhazip.com",
    "ifconfig.me",
    "infura.io",
    "ip-api.com",
    "ipfs.io",
    "ipify.org",
    "ipinfo.io",
    "jsdelivr.net",
    "microsoft.com",
    "microsoftonline.com",
    "mozilla.org",
    "nodejs.org",
    "office.com",
    "openai.com",
    "pastebin.com",
    "publicnode.com",
    "python.org",
    "rentry.co",
    "rust-lang.org",
    "sigstore.dev",
    "slack.com",
    "solana.com",
    "supportxmr.com",
    "t.me",
    "telegram.org",
    "transfer.sh",
    "trongrid.io",
    "ubuntu.com",
    "unpkg.com",
    "visualstudio.com",
    "wikipedia.org",
    "windowsupdate.com",
];

/// Platforms: what stands below is a customer's.
const PLATFORMS: &[&str] = &[
    "amazonaws.com",
    "appspot.com",
    "appwrite.io",
    "azureedge.net",
    "azurewebsites.net",
    "backblazeb2.com",
    "beeceptor.com",
    "blob.core.windows.net",
    "blogspot.com",
    "bore.pub",
    "burpcollaborator.net",
    "cloudapp.azure.com",
    "cloudfront.net",
    "codeberg.page",
    "core.windows.net",
    "ddns.net",
    "digitaloceanspaces.com",
    "dnslog.cn",
    "duckdns.org",
    "firebaseapp.com",
    "firebaseio.com",
    "fly.dev",
    "freemyip.com",
    "github.io",
    "gitlab.io",
    "glitch.me",
    "herokuapp.com",
    "hostwindsdns.com",
    "ic0.app",
    "icp0.io",
    "interact.sh",
    "loca.lt",
    "netlify.app",
    "ngrok-free.app",
    "ngrok-free.dev",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "nip.io",
    "oast.fun",
    "oast.live",
    "oast.me",
    "oast.online",
    "oast.pro",
    "oast.site",
    "oastify.com",
    "ondigitalocean.app",
    "onrender.com",
    "pages.dev",
    "pipedream.net",
    "plesk.page",
    "publicvm.com",
    "r2.dev",
    "railway.app",
    "raw.icp0.io",
    "replit.app",
    "requestbin.net",
    "run.app",
    "serveo.net",
    "sslip.io",
    "supabase.co",
    "surge.sh",
    "trycloudflare.com",
    "vercel.app",
    "web.app",
    "webhook.site",
    "windows.net",
    "wordpress.com",
    "workers.dev",
];

/// Whose a host is; without regard to case.
pub fn owner(host: &str) -> Owner {
    let host = host.to_ascii_lowercase();
    let bare = host.strip_prefix("www.").unwrap_or(&host);
    // `s3.eu-west-1.amazonaws.com` is the service; `name.s3.amazonaws.com` somebody's.
    let service = bare.ends_with(".amazonaws.com") && bare.starts_with("s3");
    if service || PLATFORMS.contains(&bare) {
        return Owner::Platform;
    }
    let known = WELL_KNOWN.iter().any(|known| is_below(&host, known));
    if known || is_registry(&host) { Owner::WellKnown } else { Owner::Unknown }
}

/// Whether a host is a registry's.
pub fn is_registry(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    REGISTRIES
        .iter()
        .any(|(name, top)| host.strip_suffix(top).and_then(|h| h.strip_suffix('.')).is_some_and(|h| is_below(h, name)))
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The host of a URL, without port and account.
pub fn of_url(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_nobodys_and_a_name_below_it_somebodys() {
        for host in ["trycloudflare.com", "www.webhook.site", "AmazonAWS.com", "s3.eu-west-1.amazonaws.com"] {
            assert_eq!(owner(host), Owner::Platform, "{host}");
        }
        for host in ["github.com", "api.github.com", "gist.githubusercontent.com"] {
            assert_eq!(owner(host), Owner::WellKnown, "{host}");
        }
        for host in ["a-b.trycloudflare.com", "x.s3.amazonaws.com", "notgithub.com", "github.com.evil.example"] {
            assert_eq!(owner(host), Owner::Unknown, "{host}");
        }
    }

    #[test]
    fn registries_are_known_by_name_and_top_level() {
        for (name, top) in REGISTRIES {
            assert!(is_registry(&format!("{name}.{top}")) && is_registry(&format!("www.{name}.{top}")));
            assert!(!is_registry(&format!("{name}.example")) && !is_registry(&format!("x{name}.{top}")));
        }
    }

    #[test]
    fn the_host_of_a_url() {
        assert_eq!(of_url("https://a@evil.example:8443/x?y"), Some("evil.example"));
        assert_eq!(of_url("http://[::1]:80/"), Some("::1"));
        assert_eq!((of_url("evil.example/x"), of_url("https:///x"), of_url("://x")), (None, None, None));
    }
}
