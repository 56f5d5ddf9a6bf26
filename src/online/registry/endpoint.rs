//! One server that answers for a registry: the registry itself, or a mirror of it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, HeaderValue, RANGE},
};

use super::{
    auth::Auth,
    credentials::Credentials,
    error::RegistryError,
    inside::is_loopback,
    mirrors::Mirror,
    pace::Pacer,
    reference::Host,
    wire::{Ask, Reply, Wire, status},
};
use crate::online::Address;

/// Times that a refusal is answered for one request: a token may have run out meanwhile.
const ANSWERS: u32 = 2;

/// What is asked of a registry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'c> {
    /// `HEAD` instead of `GET`.
    pub(super) head_only: bool,
    /// Empty where it is about the whole registry.
    pub(super) repository: &'c str,
    /// What follows it: `tags/list`.
    pub(super) path: &'c str,
    pub(super) query: &'c [(&'c str, &'c str)],
    pub(super) accept: Option<&'static str>,
    /// The first byte that is wanted.
    pub(super) from: u64,
}

impl<'c> Call<'c> {
    pub(super) fn get(repository: &'c str, path: &'c str) -> Self {
        Self { head_only: false, repository, path, query: &[], accept: None, from: 0 }
    }

    fn scope(&self) -> String {
        match self.repository {
            "" => "registry:catalog:*".to_owned(),
            repository => format!("repository:{repository}:pull"),
        }
    }
}

pub(super) struct Endpoint {
    host: Host,
    /// Ends with a slash; repositories follow.
    base: Url,
    /// Of which registry it is a mirror.
    mirrors: Option<Host>,
    /// Whether tags are resolved there, not digests alone.
    pub(super) resolves: bool,
    pub(super) pacer: Pacer,
    credentials: Arc<Credentials>,
    auths: Mutex<Vec<Arc<Auth>>>,
    asked: AtomicBool,
    /// It could not be reached: it is not asked any more.
    out: AtomicBool,
}

impl Endpoint {
    /// The registry itself.
    pub(super) fn of_registry(host: &Host, wire: &Wire, credentials: &Arc<Credentials>) -> Result<Self, RegistryError> {
        let refused = || RegistryError::Reference(host.to_string());
        let url = |scheme: &str| Url::parse(&format!("{scheme}://{}/v2/", host.api())).map_err(|_| refused());
        let mut base = url("https")?;
        let plain = is_loopback(&base) || wire.options.plain_http;
        if plain && !wire.speaks_tls(&base)? {
            base = url("http")?;
        }
        Ok(Self::new(host.clone(), base, None, true, credentials))
    }

    /// A mirror of this registry.
    pub(super) fn of_mirror(mirror: &Mirror, of: &Host, credentials: &Arc<Credentials>) -> Self {
        Self::new(mirror.host.clone(), mirror.base.clone(), Some(of.clone()), mirror.resolves, credentials)
    }

    fn new(host: Host, base: Url, mirrors: Option<Host>, resolves: bool, credentials: &Arc<Credentials>) -> Self {
        let (pacer, auths, asked, out) = Default::default();
        Self { host, base, mirrors, resolves, pacer, credentials: credentials.clone(), auths, asked, out }
    }

    pub(super) fn is_mirror(&self) -> bool {
        self.mirrors.is_some()
    }

    pub(super) fn is_out(&self) -> bool {
        self.out.load(Ordering::Relaxed)
    }

    /// Where the answer to a call is.
    pub(super) fn url(&self, call: &Call<'_>) -> Url {
        let mut url = self.base.clone();
        let slash = if call.repository.is_empty() { "" } else { "/" };
        url.set_path(&format!("{}{}{slash}{}", self.base.path(), call.repository, call.path));
        let namespace = self.mirrors.iter().map(|of| ("ns", of.as_str()));
        let pairs: Vec<_> = call.query.iter().copied().chain(namespace).collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        url
    }

    pub(super) fn address(&self, call: &Call<'_>) -> Address {
        Address(self.url(call))
    }

    fn auth(&self, repository: &str) -> Arc<Auth> {
        let known = self.credentials.find(&self.host, repository);
        let mut auths = self.auths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(auth) = auths.iter().find(|a| a.is_for(&known)) {
            return auth.clone();
        }
        let auth = Arc::new(Auth::new(self.host.clone(), known));
        auths.push(auth.clone());
        auth
    }

    /// The answer, where it is a good one: 200 or 206.
    pub(super) fn ask(&self, wire: &Wire, call: &Call<'_>) -> Result<Reply, RegistryError> {
        let asked = self.ask_once(wire, call);
        if let Err(RegistryError::Unreachable { .. }) = &asked
            && self.is_mirror()
        {
            self.out.store(true, Ordering::Relaxed);
        }
        asked
    }

    fn ask_once(&self, wire: &Wire, call: &Call<'_>) -> Result<Reply, RegistryError> {
        let (auth, scope) = (self.auth(call.repository), call.scope());
        let mut ask = Ask::get(self.url(call));
        if call.head_only {
            ask.method = Method::HEAD;
        }
        if let Some(accept) = call.accept {
            ask.headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        if call.from > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", call.from))
        {
            ask.headers.insert(RANGE, range);
        }
        // Who is not asked for a password may get less than who gives one.
        if auth.is_known() && !self.asked.swap(true, Ordering::Relaxed) {
            let reply = wire.send(&Ask::get(self.base.clone()), &self.pacer)?;
            if reply.status == StatusCode::UNAUTHORIZED && !reply.foreign {
                auth.answer(&reply, &self.base, &scope, None, (wire, &self.pacer))?;
            }
        }
        let mut answers = 0;
        loop {
            ask.authorization = auth.value(&scope, wire.clock().now());
            let reply = wire.send(&ask, &self.pacer)?;
            match reply.status {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => return Ok(reply),
                // Where the registry keeps its bytes nobody asks for its password.
                StatusCode::UNAUTHORIZED if !reply.foreign && answers < ANSWERS => {
                    let sent = ask.authorization.as_ref();
                    auth.answer(&reply, &self.base, &scope, sent, (wire, &self.pacer))?;
                    answers += 1;
                }
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if !reply.foreign => {
                    return Err(auth.denied(&reply.address, reply.status));
                }
                _ => return Err(status(&reply)),
            }
        }
    }

    /// The whole of a small answer, and its head. A connection that breaks on the way is tried again.
    pub(super) fn whole(&self, wire: &Wire, call: &Call<'_>, limit: u64) -> Result<(Vec<u8>, Head), RegistryError> {
        let patience = &wire.options.patience;
        let mut nth = 0;
        loop {
            let reply = self.ask(wire, call)?;
            let text = |name: &str| reply.text(name).map(str::to_owned);
            let head = Head { digest: text(DIGEST), media_type: text("content-type"), link: text("link") };
            match reply.body(wire).and_then(|body| body.whole(limit)) {
                Err(error) if error.is_passing() && nth + 1 < patience.tries => {
                    wire.clock().wait(patience.pause(nth, None, wire.clock().per_mille()));
                    nth += 1;
                }
                other => return other.map(|bytes| (bytes, head)),
            }
        }
    }
}

/// The header that names what was sent.
pub(super) const DIGEST: &str = "docker-content-digest";

/// What the head of an answer says.
pub(super) struct Head {
    pub(super) digest: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) link: Option<String>,
}
