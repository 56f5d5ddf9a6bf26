//! One request: sent, sent again where that may help, followed where it is redirected. Credentials stay with the server that they
//! were made for.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{
    Certificate, Method, StatusCode, Url,
    blocking::{Client, Response},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
    redirect::Policy,
};

use super::{
    body::Body,
    error::RegistryError,
    files::certificates,
    inside::{is_inside, is_loopback},
    pace::{Clock, Pacer, Patience, SystemClock, retry_after},
    resolve::{OnlyInside, Resolver},
    secret::Secret,
};
use crate::{
    online::{Address, words},
    stop,
    text::escape_short,
};

/// Redirections of one request; registries have one, to where they store.
const HOPS: usize = 5;
/// Requests to a server that cannot be reached: waiting seldom helps.
const UNREACHABLE: u32 = 2;

/// What all requests share.
pub struct Options {
    /// A file of certificates (PEM) that are trusted beside the system's.
    pub ca: Option<PathBuf>,
    /// Servers that the user typed, `HOST[:PORT]`: their names may lead to this machine, those that others name may not.
    pub typed: Vec<String>,
    /// Servers without encryption are asked wherever they are, not on this machine alone.
    pub plain_http: bool,
    /// Bytes fetched by all requests together.
    pub max_bytes: Option<u64>,
    /// How long servers are borne with.
    pub patience: Patience,
    /// The time.
    pub clock: Box<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ca: None,
            typed: Vec::new(),
            plain_http: false,
            max_bytes: None,
            patience: Patience::default(),
            clock: Box::new(SystemClock),
        }
    }
}

/// What was spent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests sent, those of redirections and for tokens included.
    pub requests: u64,
    /// Bytes of bodies received.
    pub bytes: u64,
    /// Requests that were sent again because the first failed.
    pub again: u64,
}

/// The way to servers; any number of registries share one.
pub struct Wire {
    pub(super) options: Options,
    extra: Vec<Certificate>,
    /// To other machines; the proxies that the environment names are used.
    outside: OnceLock<Client>,
    /// To this machine: past any proxy.
    inside: OnceLock<Client>,
    requests: AtomicU64,
    bytes: AtomicU64,
    again: AtomicU64,
}

/// A request.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Sent to the server of `url` alone.
    pub(super) authorization: Option<HeaderValue>,
    /// What is posted, already encoded.
    pub(super) form: Option<Secret>,
}

impl Ask {
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), authorization: None, form: None }
    }
}

/// An answer, whatever its status.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) address: Address,
    /// It came from another server than the one that was asked.
    pub(super) foreign: bool,
    response: Response,
}

impl Reply {
    /// In bytes, as the server says.
    pub(super) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    pub(super) fn body(self, wire: &Wire) -> Result<Body<'_>, RegistryError> {
        if let (Some(max), Some(length)) = (wire.options.max_bytes, self.length())
            && length > max.saturating_sub(wire.bytes.load(Ordering::Relaxed))
        {
            return Err(RegistryError::Budget(max));
        }
        Ok(Body::new(self.response, self.address, wire))
    }
}

impl Wire {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// Where the file of certificates cannot be used.
    pub fn new(options: Options) -> Result<Self, RegistryError> {
        let extra = options.ca.as_deref().map(certificates).transpose()?.unwrap_or_default();
        let (outside, inside) = Default::default();
        let (requests, bytes, again) = Default::default();
        Ok(Self { options, extra, outside, inside, requests, bytes, again })
    }

    /// Loads the system's certificates, for callers that give up the right to read files; otherwise the first request does.
    ///
    /// # Errors
    /// Where they cannot be used.
    pub fn prepare(&self) -> Result<(), RegistryError> {
        [&self.outside, &self.inside].into_iter().zip([false, true]).try_for_each(|(cell, inside)| {
            let client = self.build(inside)?;
            cell.get_or_init(|| client);
            Ok(())
        })
    }

    /// What was spent so far.
    pub fn spent(&self) -> Spent {
        let all = [&self.requests, &self.bytes, &self.again].map(|n| n.load(Ordering::Relaxed));
        let [requests, bytes, again] = all;
        Spent { requests, bytes, again }
    }

    /// Counts what came.
    pub(super) fn received(&self, n: usize) -> Result<(), RegistryError> {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        let before = self.bytes.fetch_add(n, Ordering::Relaxed);
        match self.options.max_bytes {
            Some(max) if before.saturating_add(n) > max => Err(RegistryError::Budget(max)),
            _ => Ok(()),
        }
    }

    pub(super) fn count_again(&self) {
        self.again.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.options.clock
    }

    /// Sends it until there is an answer that another try would not change.
    pub(super) fn send(&self, ask: &Ask, pacer: &Pacer) -> Result<Reply, RegistryError> {
        let (patience, clock) = (&self.options.patience, self.clock());
        let mut nth = 0;
        loop {
            pacer.hold(clock);
            check(self)?;
            let may_again = nth + 1 < patience.tries;
            match self.follow(ask) {
                Err(error) => {
                    let few = matches!(error, RegistryError::Unreachable { .. }) && nth + 1 >= UNREACHABLE;
                    if !error.is_passing() || !may_again || few {
                        return Err(error);
                    }
                    clock.wait(patience.pause(nth, None, clock.per_mille()));
                }
                Ok(reply) => {
                    let asked = retry_after(&reply.headers, clock.date());
                    let limited = reply.status == StatusCode::TOO_MANY_REQUESTS;
                    if !limited && !is_passing(reply.status) {
                        pacer.set_weary(false);
                        return Ok(reply);
                    }
                    if !may_again || limited && pacer.is_weary() {
                        if limited {
                            pacer.set_weary(true);
                            return Err(RegistryError::Limited { address: reply.address, tries: nth + 1, asked });
                        }
                        return Err(status(&reply));
                    }
                    pacer.pause(patience.pause(nth, asked, clock.per_mille()), clock);
                }
            }
            self.count_again();
            nth += 1;
        }
    }

    /// Sends it, and once more wherever it is redirected to.
    fn follow(&self, ask: &Ask) -> Result<Reply, RegistryError> {
        let mut url = ask.url.clone();
        let mut foreign = false;
        let mut visited = HashSet::new();
        let address = Address(ask.url.clone());
        let refused = |why| Err(RegistryError::Redirect { address: Address(ask.url.clone()), why });
        loop {
            if !self.is_allowed(&url) {
                return Err(RegistryError::Plain(Address(url)));
            }
            visited.insert(url.clone());
            let response = self.hop(ask, &url, foreign)?;
            let location = response.headers().get(LOCATION).filter(|_| is_redirection(response.status()));
            let Some(location) = location else {
                let (status, headers) = (response.status(), response.headers().clone());
                return Ok(Reply { status, headers, address, foreign, response });
            };
            let Some(next) = location.to_str().ok().and_then(|l| url.join(l).ok()).and_then(clean) else {
                return refused("to something that is no address of http or https");
            };
            if ask.form.is_some() {
                return refused("what was posted is sent to nobody else");
            }
            if url.scheme() == "https" && next.scheme() != "https" {
                return refused("from https to http");
            }
            if is_inside(&next) && !is_inside(&ask.url) {
                return refused("to this machine or its own network");
            }
            if visited.contains(&next) {
                return refused("in a circle");
            }
            if visited.len() > HOPS {
                return refused("again and again");
            }
            // Once away it stays away: who redirects back may have put something into the address.
            foreign |= next.origin() != ask.url.origin();
            url = next;
        }
    }

    fn hop(&self, ask: &Ask, url: &Url, foreign: bool) -> Result<Response, RegistryError> {
        let client = self.client(url)?;
        let mut request = client.request(ask.method.clone(), url.clone()).headers(ask.headers.clone());
        if let Some(value) = ask.authorization.as_ref().filter(|_| !foreign) {
            request = request.header(AUTHORIZATION, value.clone());
        }
        if let Some(form) = &ask.form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.text().to_owned());
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        request.send().map_err(|e| self.trouble(&e, Address(url.clone())))
    }

    fn trouble(&self, error: &reqwest::Error, address: Address) -> RegistryError {
        if error.is_timeout() {
            let after = if error.is_connect() { self.options.patience.connect } else { self.options.patience.step };
            return RegistryError::Stalled { address, after };
        }
        if leads_inside(error) {
            return RegistryError::LeadsInside(address);
        }
        let why = why(error);
        match tls(error) {
            Some(rustls::Error::InvalidCertificate(_)) => RegistryError::Untrusted { address, why },
            _ if error.is_connect() => RegistryError::Unreachable { address, why },
            _ => RegistryError::Failed { address, why },
        }
    }

    /// Whether a server on this machine speaks TLS at all. Nothing secret is sent.
    pub(super) fn speaks_tls(&self, url: &Url) -> Result<bool, RegistryError> {
        check(self)?;
        match self.hop(&Ask::get(url.clone()), url, true) {
            Err(RegistryError::Unreachable { address, why }) if why.contains("refused") => {
                Err(RegistryError::Unreachable { address, why })
            }
            Err(RegistryError::Unreachable { .. } | RegistryError::Failed { .. } | RegistryError::Stalled { .. }) => {
                Ok(false)
            }
            Err(other) => Err(other),
            Ok(_) => Ok(true),
        }
    }

    pub(super) fn is_allowed(&self, url: &Url) -> bool {
        url.scheme() == "https" || self.options.plain_http || is_loopback(url)
    }

    fn client(&self, url: &Url) -> Result<&Client, RegistryError> {
        let inside = is_loopback(url);
        let cell = if inside { &self.inside } else { &self.outside };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(inside)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, inside: bool) -> Result<Client, RegistryError> {
        // An error means that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let patience = &self.options.patience;
        let mut builder = Client::builder()
            .user_agent(concat!("dosimeter/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(patience.connect)
            .pool_idle_timeout(Duration::from_secs(15))
            .timeout(patience.step);
        if inside {
            let local = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].map(|ip: IpAddr| (ip, 0).into());
            builder = builder.no_proxy().resolve_to_addrs("localhost", &local);
        } else {
            let resolver = Resolver::new(&self.options.typed, &|name| std::env::var(name).ok());
            builder = builder.dns_resolver(Arc::new(resolver));
        }
        if !self.extra.is_empty() {
            builder = builder.tls_certs_merge(self.extra.clone());
        }
        builder.build().map_err(|e| RegistryError::Client(why(&e)))
    }
}

/// Before anything is sent: the user's wish to end, and the budget.
fn check(wire: &Wire) -> Result<(), RegistryError> {
    if stop::requested() {
        return Err(RegistryError::Interrupted);
    }
    wire.received(0)
}

/// The error that a status makes.
pub(super) fn status(reply: &Reply) -> RegistryError {
    let address = reply.address.clone();
    match reply.status {
        StatusCode::NOT_FOUND => RegistryError::Missing(address),
        status => RegistryError::Status { address, status: status.to_string() },
    }
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504)
}

fn is_redirection(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// An address of http or https, without what its writer wants to be sent as user and password.
pub(super) fn clean(mut url: Url) -> Option<Url> {
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host();
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_fragment(None);
    fits.then_some(url)
}

/// The innermost cause, which is the one that helps; a server may have a word in it.
pub(super) fn why(error: &dyn std::error::Error) -> String {
    escape_short(words(error).as_bytes(), 200)
}

/// What TLS complained about.
fn tls<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    cause(error)
}

/// Whether a name that nobody typed leads to this machine alone.
pub(super) fn leads_inside(error: &(dyn std::error::Error + 'static)) -> bool {
    cause::<OnlyInside>(error).is_some()
}

/// The error of this type that led to another.
fn cause<'e, E: std::error::Error + 'static>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(|e| e.get_ref());
        if let Some(found) = inner.and_then(|e| e.downcast_ref()).or_else(|| error.downcast_ref()) {
            return Some(found);
        }
        next = inner.map_or_else(|| error.source(), |e| Some(e));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_server_do_not_steer_a_terminal() {
        let error = std::io::Error::other("bad \u{1b}[2J answer");
        assert_eq!(why(&error), "bad \\u{1b}[2J answer");
    }
}
