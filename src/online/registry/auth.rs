//! What is sent as `Authorization` to one server: nothing, a password, or a token that was asked for with it.
//!
//! A registry that wants a token names who gives it (`realm`). That may be another host, and it gets the password: the registry,
//! whom the password belongs to, could have asked for it itself. It has to be reached as safely as the registry, and a redirection
//! of it never carries the password on.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{
    Method, StatusCode, Url,
    header::{HeaderValue, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    challenge::{Challenge, challenges},
    credentials::Known,
    error::RegistryError,
    inside::is_inside,
    pace::Pacer,
    reference::Host,
    secret::{Login, Secret, bearer},
    wire::{Ask, Reply, Wire, clean, status},
};
use crate::online::Address;

/// Bytes of an answer that holds a token; large ones have some tens of KB.
const ANSWER: u64 = 1 << 20;
/// Tokens are good for a minute where nothing else is said.
const MINUTE: u64 = 60;
/// No token is used for longer.
const LONGEST: u64 = 3600;
/// Tokens held of one server.
const TOKENS: usize = 1000;

#[derive(Deserialize)]
struct Answer {
    token: Option<Secret>,
    access_token: Option<Secret>,
    expires_in: Option<u64>,
}

struct Token {
    value: HeaderValue,
    until: Instant,
}

/// How one account is known to one server.
pub(super) struct Auth {
    host: Host,
    known: Known,
    /// The server has asked for a password.
    basic: AtomicBool,
    tokens: Mutex<HashMap<String, Token>>,
    /// One thread asks for a token, the others get it.
    asking: Mutex<()>,
}

impl Auth {
    pub(super) fn new(host: Host, known: Known) -> Self {
        let (basic, tokens, asking) = Default::default();
        Self { host, known, basic, tokens, asking }
    }

    /// Whether it is the one that has these credentials.
    pub(super) fn is_for(&self, known: &Known) -> bool {
        self.known == *known
    }

    /// Whether it is worth asking how to be known, before anything is asked for anonymously.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.known, Known::Login(Login::Password { .. } | Login::Identity(_)))
    }

    /// What is sent for this scope.
    pub(super) fn value(&self, scope: &str, now: Instant) -> Option<HeaderValue> {
        match &self.known {
            Known::Login(Login::Token(token)) => return bearer(token),
            Known::Login(login) if self.basic.load(Ordering::Relaxed) => return login.basic(),
            _ => {}
        }
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(scope).filter(|t| t.until > now).map(|t| t.value.clone())
    }

    /// Does what a refusal asks for; `sent` is what was refused.
    pub(super) fn answer(
        &self,
        refusal: &Reply,
        base: &Url,
        scope: &str,
        sent: Option<&HeaderValue>,
        (wire, pacer): (&Wire, &Pacer),
    ) -> Result<(), RegistryError> {
        let _one = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.value(scope, wire.clock().now()).as_ref().is_some_and(|v| Some(v) != sent) {
            return Ok(());
        }
        let address = &refusal.address;
        let ways = challenges(refusal.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok()));
        let way = |scheme: &str| ways.iter().find(|c| c.scheme == scheme);
        if matches!(self.known, Known::Login(Login::Token(_))) {
            return Err(self.denied(address, StatusCode::UNAUTHORIZED));
        }
        if let Some(way) = way("bearer") {
            let token = self.token(way, base, scope, wire, pacer)?;
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            if tokens.len() >= TOKENS {
                tokens.clear();
            }
            tokens.insert(scope.to_owned(), token);
            return Ok(());
        }
        if way("basic").is_some() {
            let has_password = matches!(&self.known, Known::Login(login) if login.basic().is_some());
            if has_password && !self.basic.swap(true, Ordering::Relaxed) {
                return Ok(());
            }
            return Err(self.denied(address, StatusCode::UNAUTHORIZED));
        }
        let why = "neither `Basic` nor `Bearer` is among its ways";
        Err(RegistryError::Challenge { address: address.clone(), why })
    }

    /// The error of a server that does not give what was asked for.
    pub(super) fn denied(&self, address: &Address, status: StatusCode) -> RegistryError {
        match &self.known {
            Known::Helper(helper) => RegistryError::Helper { helper: helper.clone(), host: self.host.to_string() },
            known => RegistryError::Denied {
                address: address.clone(),
                status: status.to_string(),
                known: matches!(known, Known::Login(_)),
            },
        }
    }

    fn token(
        &self,
        way: &Challenge,
        base: &Url,
        scope: &str,
        wire: &Wire,
        pacer: &Pacer,
    ) -> Result<Token, RegistryError> {
        let refused = |why| RegistryError::Challenge { address: Address(base.clone()), why };
        let realm = way.parameter("realm").and_then(|r| Url::parse(r).ok()).and_then(clean);
        let mut realm = realm.ok_or_else(|| refused("it names nobody who gives tokens"))?;
        if base.scheme() == "https" && realm.scheme() != "https" {
            return Err(refused("tokens would be asked for without encryption"));
        }
        if is_inside(&realm) && !is_inside(base) {
            return Err(refused("tokens would be asked for on this machine or its own network"));
        }
        let scope = way.parameter("scope").unwrap_or(scope);
        let pairs = [("service", way.parameter("service").unwrap_or("")), ("scope", scope)];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let mut ask = Ask::get(realm.clone());
        if let Known::Login(Login::Identity(identity)) = &self.known {
            let mut form = Url::parse("http://form.invalid").map_err(|_| refused("it cannot be asked"))?;
            let fixed =
                [("grant_type", "refresh_token"), ("client_id", "dosimeter"), ("refresh_token", identity.text())];
            form.query_pairs_mut().extend_pairs(fixed).extend_pairs(pairs);
            ask.form = form.query().map(|q| Secret::new(q.to_owned()));
            ask.method = Method::POST;
            drop(Zeroizing::new(String::from(form)));
        } else {
            realm.query_pairs_mut().extend_pairs(pairs);
            ask.url = realm;
            if let Known::Login(login) = &self.known {
                ask.authorization = login.basic();
            }
        }
        let reply = wire.send(&ask, pacer)?;
        let address = reply.address.clone();
        match reply.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.denied(&address, reply.status)),
            _ => return Err(status(&reply)),
        }
        let bytes = Zeroizing::new(reply.body(wire)?.whole(ANSWER)?);
        let odd = || RegistryError::Malformed { address: address.clone(), why: "it holds no token" };
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| odd())?;
        let full = |secret: &Secret| !secret.text().is_empty();
        let token = answer.token.filter(full).or(answer.access_token.filter(full)).ok_or_else(odd)?;
        // Renewed a little earlier than it has to be.
        let seconds = answer.expires_in.unwrap_or(MINUTE).clamp(MINUTE, LONGEST);
        let until = wire.clock().now().checked_add(Duration::from_secs(seconds - seconds / 10)).ok_or_else(odd)?;
        Ok(Token { value: bearer(&token).ok_or_else(odd)?, until })
    }
}
