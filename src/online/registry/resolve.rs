//! Which addresses a name may lead to: one that nobody typed must not lead to this machine or to the metadata of a cloud, whatever the
//! answer of its name server is.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    thread,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use super::inside::is_own;

/// A name that nobody typed has no other addresses.
#[derive(Debug, thiserror::Error)]
#[error("its name leads to this machine or to what only this machine reaches")]
pub(super) struct OnlyInside;

/// Asks the system for the addresses of a name.
pub(super) struct Resolver {
    /// Names that may lead anywhere, lower case, without a dot at the end.
    typed: BTreeSet<String>,
    ask: Lookup,
}

type Lookup = fn(&str) -> io::Result<Vec<SocketAddr>>;

fn system(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((name, 0).to_socket_addrs()?.collect())
}

impl Resolver {
    /// `typed` are names of servers, with or without a port; the proxies that `variable` gives are such as well.
    pub(super) fn new(typed: &[String], variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let named = typed.iter().filter_map(|host| host_of(&format!("https://{host}/")));
        let proxies = PROXIES.iter().flat_map(|name| [(*name).to_owned(), name.to_ascii_uppercase()]);
        let proxies = proxies.filter_map(|name| variable(&name));
        let proxies = proxies.filter_map(|url| host_of(&url).or_else(|| host_of(&format!("http://{url}/"))));
        Self { typed: named.chain(proxies).collect(), ask: system }
    }

    fn is_typed(&self, name: &str) -> bool {
        self.typed.contains(&plain(name))
    }
}

/// Variables of the environment that name a proxy.
const PROXIES: &[&str] = &["http_proxy", "https_proxy", "all_proxy"];

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn host_of(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(plain)
}

/// What is left of the addresses of a name that nobody typed.
fn outside(all: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, OnlyInside> {
    let is_outside = |ip: IpAddr| !ip.to_canonical().is_loopback() && !is_own(ip);
    let (none, left) = (all.is_empty(), all.into_iter().filter(|at| is_outside(at.ip())).collect::<Vec<_>>());
    if left.is_empty() && !none { Err(OnlyInside) } else { Ok(left) }
}

type Answer = Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>>;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (is_typed, ask) = (self.is_typed(name.as_str()), self.ask);
        let name = name.as_str().to_owned();
        Box::pin(Waiting::start(move || -> Answer {
            let all = ask(&name)?;
            if is_typed { Ok(all) } else { Ok(outside(all)?) }
        }))
    }
}

/// What a thread will answer: the system lets its callers wait.
struct Waiting(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Waiting {
    fn start(ask: impl FnOnce() -> Answer + Send + 'static) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let own = state.clone();
        let put = |state: &Mutex<State>, answer| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.answer = Some(answer);
            state.waker.take()
        };
        let started = thread::Builder::new().name("names".to_owned()).spawn(move || {
            if let Some(waker) = put(&own, ask()) {
                waker.wake();
            }
        });
        if let Err(error) = started {
            put(&state, Err(error.into()));
        }
        Self(state)
    }
}

impl Future for Waiting {
    type Output = Result<Addrs, Box<dyn std::error::Error + Send + Sync>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer.map(|all| -> Addrs { Box::new(all.into_iter()) })),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn names_that_were_typed_and_proxies_lead_anywhere() {
        let typed = ["Registry.Example:5000", "other.example", "[::1]:5000", "not a host"].map(str::to_owned);
        let proxy = |name: &str| match name {
            "https_proxy" => Some("http://user:word@proxy.example:3128".to_owned()),
            "ALL_PROXY" => Some("localhost:1080".to_owned()),
            "http_proxy" => Some("::".to_owned()),
            _ => None,
        };
        let resolver = Resolver::new(&typed, &proxy);
        for name in ["registry.example", "registry.example.", "other.example", "proxy.example", "localhost"] {
            assert!(resolver.is_typed(name), "{name}");
        }
        for name in ["example", "x.registry.example", "metadata.example", ""] {
            assert!(!resolver.is_typed(name), "{name}");
        }
    }

    #[test]
    fn other_names_lead_outside_only() {
        let read = |list: &[&str]| {
            let all = list.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
            outside(all).map(|left| left.iter().map(|at| at.ip().to_string()).collect::<Vec<_>>().join(" ")).ok()
        };
        assert_eq!(read(&["127.0.0.1", "192.0.2.1", "169.254.169.254"]), Some("192.0.2.1".to_owned()));
        assert_eq!(read(&["10.0.0.1", "fd00::1"]), Some("10.0.0.1 fd00::1".to_owned()), "own networks have registries");
        assert_eq!(read(&[]), Some(String::new()));
        for ip in
            ["127.9.9.9", "::1", "::ffff:127.0.0.1", "fe80::1", "0.0.0.0", "::", "100.100.100.200", "fd00:ec2::254"]
        {
            assert_eq!(read(&[ip]), None, "{ip}");
        }
    }

    #[test]
    fn an_answer_is_waited_for() {
        let client = |typed: &[String], ask: Lookup| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let resolver = Resolver { ask, ..Resolver::new(typed, &none) };
            reqwest::blocking::Client::builder().no_proxy().dns_resolver(Arc::new(resolver)).build().unwrap()
        };
        let server = super::super::tests::server::Server::start(|_| super::super::tests::server::Reply::ok("here"));
        let port = server.address.rsplit_once(':').unwrap().1;
        let url = format!("http://registry.example:{port}/");
        let ask: Lookup = |_| {
            thread::sleep(std::time::Duration::from_millis(50));
            Ok(vec![([127, 0, 0, 1], 0).into()])
        };
        let typed = ["registry.example:5000".to_owned()];
        assert_eq!(client(&typed, ask).get(&url).send().unwrap().text().unwrap(), "here");
        let refused = client(&[], ask).get(&url).send().unwrap_err();
        assert!(super::super::wire::leads_inside(&refused), "{refused:?}");
        let failed = client(&[], |_| Err(io::Error::other("no such name"))).get(&url).send().unwrap_err();
        assert!(failed.is_connect() && !super::super::wire::leads_inside(&failed));
        assert_eq!(server.log().len(), 1);
    }
}
