//! Where engines may be: what the environment and Docker's contexts name, and where engines listen by default. None of them is asked
//! unless the user names it; what is not asked is listed.
//!
//! ```text
//! DOCKER_HOST, CONTAINER_HOST                   unix:///run/docker.sock, tcp://build.example:2376, ssh://user@build.example
//! ~/.docker/contexts/meta/SHA256/meta.json      {"Name":"build","Endpoints":{"docker":{"Host":"tcp://…","SkipTLSVerify":false}}}
//! ~/.docker/contexts/tls/SHA256/docker/         ca.pem, cert.pem, key.pem
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{
    image::listing::lax::{Lax, Text},
    text::escape_short,
};

/// Port of engines that speak TLS, by custom.
const WITH_TLS: u16 = 2376;

/// How an engine is reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// Over TCP.
    Tcp {
        /// A name, or an address as in addresses of the web.
        host: String,
        /// 2375 without TLS and 2376 with it by custom.
        port: u16,
        /// Whether it is encrypted: as `http` or `https` says, else by the port.
        tls: bool,
    },
    /// Over ssh, a pipe of Windows, or another way that this program does not go. Its scheme.
    Other(String),
}

impl std::fmt::Display for Endpoint {
    /// As it can be named, escaped.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(socket) => f.write_str(&escape_short(socket.as_os_str().as_encoded_bytes(), 200)),
            Self::Tcp { host, port, tls } => {
                let by_custom = *tls == (*port == WITH_TLS);
                let scheme = if by_custom {
                    "tcp"
                } else if *tls {
                    "https"
                } else {
                    "http"
                };
                write!(f, "{scheme}://{host}:{port}")
            }
            Self::Other(scheme) => f.write_str(scheme),
        }
    }
}

impl Endpoint {
    /// Reads `unix:///run/docker.sock`, `tcp://HOST:PORT`, or the path of a socket. `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with(['/', '.']) {
            return Some(Self::Unix(text.into()));
        }
        let (scheme, rest) = text.split_once("://")?;
        match scheme {
            "unix" => rest.starts_with('/').then(|| Self::Unix(rest.into())),
            "tcp" | "http" | "https" => {
                let rest = rest.trim_end_matches('/');
                let (host, port) = match rest.rsplit_once(':') {
                    Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
                    _ => (rest, if scheme == "https" { WITH_TLS } else { 2375 }),
                };
                let tls = scheme == "https" || scheme == "tcp" && port == WITH_TLS;
                // A user or a path in it belongs to something else.
                let named = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
                (!host.is_empty() && host.bytes().all(named)).then(|| Self::Tcp { host: host.to_owned(), port, tls })
            }
            _ if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) && !scheme.is_empty() => {
                Some(Self::Other(scheme.to_owned()))
            }
            _ => None,
        }
    }
}

/// Whether nothing of it leaves this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An engine that could be asked, and is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotAsked {
    /// `DOCKER_HOST`, `context build`, or the path of a socket. Escaped.
    pub named_by: String,
    /// Where it is; `None` where it cannot be read.
    pub endpoint: Option<Endpoint>,
}

/// What there is to ask: variables of the environment by `variable`, contexts by the text of each `meta.json`, and the usual sockets
/// that `exists` says are there, below `home` and `runtime` (`XDG_RUNTIME_DIR`) too. Sorted, each endpoint once. Nothing is opened.
pub fn not_asked(
    variable: &dyn Fn(&str) -> Option<String>,
    contexts: &[Vec<u8>],
    home: Option<&Path>,
    runtime: Option<&Path>,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<NotAsked> {
    let mut all = Vec::new();
    for name in ["DOCKER_HOST", "CONTAINER_HOST"] {
        if let Some(value) = variable(name).filter(|v| !v.is_empty()) {
            all.push(NotAsked { named_by: name.to_owned(), endpoint: Endpoint::parse(&value) });
        }
    }
    for meta in contexts {
        let (name, endpoint) = context_endpoint(meta).unwrap_or_default();
        let name = escape_short(name.as_bytes(), 80);
        all.push(NotAsked { named_by: format!("context {name}").trim_end().to_owned(), endpoint });
    }
    let system = ["/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from);
    let below = |folder: Option<&Path>, names: &[&str]| -> Vec<PathBuf> {
        folder.map(|f| names.iter().map(|n| f.join(n)).collect()).unwrap_or_default()
    };
    let of_home =
        [".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock", ".rd/docker.sock"];
    let sockets =
        system.into_iter().chain(below(runtime, &["docker.sock", "podman/podman.sock"])).chain(below(home, &of_home));
    for socket in sockets.filter(|s| exists(s)) {
        let named_by = escape_short(socket.as_os_str().as_encoded_bytes(), 200);
        all.push(NotAsked { named_by, endpoint: Some(Endpoint::Unix(socket)) });
    }
    let mut seen: Vec<Endpoint> = Vec::new();
    all.retain(|n| match &n.endpoint {
        Some(endpoint) if seen.contains(endpoint) => false,
        Some(endpoint) => {
            seen.push(endpoint.clone());
            true
        }
        None => true,
    });
    all.sort();
    all
}

/// Name and endpoint of a context, by its `meta.json`. `None` where it is none.
pub fn context_endpoint(meta: &[u8]) -> Option<(String, Option<Endpoint>)> {
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "PascalCase")]
    struct Meta {
        name: Text,
        endpoints: Lax<Endpoints>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Endpoints {
        docker: Lax<Docker>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default, rename_all = "PascalCase")]
    struct Docker {
        host: Text,
    }
    if meta.len() > 1 << 20 {
        return None;
    }
    let meta: Meta = serde_json::from_slice(meta).ok()?;
    let host = meta.endpoints.0.and_then(|e| e.docker.0).unwrap_or_default().host.0;
    Some((meta.name.0, Endpoint::parse(&host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read() {
        let over = |host: &str, port, tls| Some(Endpoint::Tcp { host: host.to_owned(), port, tls });
        let tcp = |host: &str, port| over(host, port, false);
        for (text, is) in [
            ("unix:///run/docker.sock", Some(Endpoint::Unix("/run/docker.sock".into()))),
            ("/run/docker.sock", Some(Endpoint::Unix("/run/docker.sock".into()))),
            ("tcp://build.example:2376", over("build.example", 2376, true)),
            ("http://build.example:2376", tcp("build.example", 2376)),
            ("https://build.example:443", over("build.example", 443, true)),
            ("tcp://build.example/", tcp("build.example", 2375)),
            ("https://build.example", over("build.example", 2376, true)),
            ("tcp://[::1]:2375", tcp("[::1]", 2375)),
            ("tcp://[::1]", tcp("[::1]", 2375)),
            ("ssh://me@build.example", Some(Endpoint::Other("ssh".to_owned()))),
            ("npipe:////./pipe/docker_engine", Some(Endpoint::Other("npipe".to_owned()))),
            ("unix://run/docker.sock", None),
            ("tcp://me@build.example:1", None),
            ("tcp://build.example:99999", None),
            ("tcp://:1", None),
            ("fd://", Some(Endpoint::Other("fd".to_owned()))),
            ("build.example:2375", None),
            ("", None),
        ] {
            assert_eq!(Endpoint::parse(text), is, "{text}");
        }
        assert!(is_loopback("localhost") && is_loopback("127.0.0.9") && is_loopback("[::1]"));
        assert!(!is_loopback("127.0.0.1.example") && !is_loopback("10.0.0.1"));
    }

    #[test]
    fn what_is_not_asked_is_listed_once() {
        let variable = |name: &str| (name == "DOCKER_HOST").then(|| "unix:///run/docker.sock".to_owned());
        let context = br#"{"Name":"build\u001b","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://build.example:2376","SkipTLSVerify":false}}}"#;
        let broken = [b"{".to_vec(), br#"{"Name":3,"Endpoints":[]}"#.to_vec()];
        let contexts = [vec![context.to_vec()], broken.to_vec()].concat();
        let exists = |path: &Path| path.starts_with("/run") || path.ends_with(".rd/docker.sock");
        let home = Path::new("/home/a");
        let all = not_asked(&variable, &contexts, Some(home), Some(Path::new("/run/user/1")), &exists);
        let names: Vec<&str> = all.iter().map(|n| n.named_by.as_str()).collect();
        assert_eq!(
            names,
            [
                "/home/a/.rd/docker.sock",
                "/run/podman/podman.sock",
                "/run/user/1/docker.sock",
                "/run/user/1/podman/podman.sock",
                "DOCKER_HOST",
                "context",
                "context 3",
                "context build\\u{1b}"
            ]
        );
        assert_eq!(context_endpoint(&vec![b' '; 2 << 20]), None);
    }
}
