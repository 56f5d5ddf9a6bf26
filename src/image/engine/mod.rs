//! Engines that run, asked by the Docker Engine API, which Podman speaks too: by GET alone, over a Unix socket behind which an engine is
//! known to run (`listener`), or over TCP where the user named the address. Nothing is created, started, pulled or pinged awake.
//!
//! ```text
//! GET /version                       which engine
//! GET /images/json                   ids, names, digests
//! GET /containers/json?all=1         ids, names, their images, labels of Compose and Kubernetes
//! GET /images/get?names=…            images as a tar, only by `Engine::export`: the engine may write a copy of its own meanwhile,
//!                                    in its data folder, so that the caller must have been asked for it
//! ```
//!
//! Documented in the Engine's API reference. Every answer is hostile input: bounded in bytes, elements and time, and no redirection is
//! followed.

mod endpoint;
mod listener;
mod model;

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{
    Certificate, Identity, StatusCode, Url,
    blocking::{Client, ClientBuilder, Response},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use serde::de::DeserializeOwned;

pub use self::{
    endpoint::{Endpoint, NotAsked, context_endpoint, not_asked},
    listener::{Listener, Refusal},
    model::{EngineContainer, EngineImage, EngineVersion},
};

use crate::{image::listing::lax::Few, online::words, text::escape_short};

/// Bytes of an answer; a list of 20,000 images has 20 MB.
const ANSWER: u64 = 32 << 20;
/// Elements of a list.
const MOST: usize = 100_000;

/// Why an engine did not answer. Problems of the engine or of its answers are gaps to the caller.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It is not asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be reached by this program: the address or its certificates. The caller's fault.
    #[error("cannot ask `{at}`: {why}")]
    Unusable {
        /// Socket or address.
        at: String,
        /// In words.
        why: String,
    },
    /// The connection broke, or there was none.
    #[error("the engine at `{at}` does not answer `{path}`: {why}")]
    Failed {
        /// Socket or address.
        at: String,
        /// Of the request.
        path: String,
        /// In words.
        why: String,
    },
    /// It took too long.
    #[error("the engine at `{at}` did not answer `{path}` within {seconds} s")]
    TooSlow {
        /// Socket or address.
        at: String,
        /// Of the request.
        path: String,
        /// How long it could have taken.
        seconds: u64,
    },
    /// It has no such thing.
    #[error("the engine at `{at}` knows nothing at `{path}` (404)")]
    Missing {
        /// Socket or address.
        at: String,
        /// Of the request.
        path: String,
    },
    /// Another status than success.
    #[error("the engine at `{at}` answered `{path}` with {status}")]
    Status {
        /// Socket or address.
        at: String,
        /// Of the request.
        path: String,
        /// `500 Internal Server Error`.
        status: String,
    },
    /// What came is not what the API says.
    #[error("what `{at}` answered to `{path}` is {what}: no engine's answer")]
    Foreign {
        /// Socket or address.
        at: String,
        /// Of the request.
        path: String,
        /// `not JSON`.
        what: &'static str,
    },
    /// Longer than any answer.
    #[error("the engine at `{at}` answered `{path}` with more than {limit} bytes")]
    TooLarge {
        /// Socket or address.
        at: String,
        /// Of the request.
        path: String,
        /// In bytes.
        limit: u64,
    },
    /// It ended between two requests, and connecting again could start it.
    #[error("the engine at `{0}` has ended: it is not asked again")]
    Ended(String),
}

/// Certificates for an engine that is reached over TCP, in PEM.
#[derive(Default)]
pub struct Tls {
    /// Who signs the engine's certificate; `None` for the system's list.
    pub ca: Option<Vec<u8>>,
    /// Certificate and key of the client, one behind the other.
    pub identity: Option<Vec<u8>>,
}

/// A list, and whether all of it was kept.
#[derive(Debug)]
pub struct Listed<T> {
    /// In the order of the engine.
    pub list: Vec<T>,
    /// There are more than are kept: a gap.
    pub cut: bool,
}

/// A running engine.
pub struct Engine {
    client: Client,
    base: Url,
    at: String,
    listener: Option<Listener>,
    patience: Duration,
}

impl Engine {
    /// Over a Unix socket, after it is known that an engine listens there. Looks at other processes, so that it is to be called before
    /// the sandbox takes `/proc` away; nothing is sent yet.
    ///
    /// # Errors
    /// Where no engine is known to run behind it: then nothing was connected to.
    pub fn connect(socket: &Path, patience: Duration) -> Result<Self, EngineError> {
        let listener = listener::find(Path::new("/proc"), socket)?;
        Self::at_socket(socket, patience, Some(listener))
    }

    fn at_socket(socket: &Path, patience: Duration, listener: Option<Listener>) -> Result<Self, EngineError> {
        let at = shown(socket);
        // What a certificate is compared with is not even read.
        let builder = Client::builder().unix_socket(PathBuf::from(socket)).tls_certs_only([]);
        Self::build(builder, "http://localhost/", at, patience, listener)
    }

    /// Over TCP, to an address that the user named. Without certificates only to this machine itself, unless `plain` says otherwise.
    ///
    /// # Errors
    /// Where the address or the certificates cannot be used.
    pub fn dial(host: &str, port: u16, tls: Option<Tls>, plain: bool, patience: Duration) -> Result<Self, EngineError> {
        let at = format!("{host}:{port}");
        let unusable = |why: String| EngineError::Unusable { at: at.clone(), why };
        let mut builder = Client::builder();
        let base = match tls {
            None if plain || endpoint::is_loopback(host) => format!("http://{at}/"),
            None => return Err(unusable("without TLS everybody on the way can read and change what comes".to_owned())),
            Some(Tls { ca, identity }) => {
                install_provider();
                builder = builder.https_only(true);
                if let Some(ca) = ca {
                    builder =
                        builder.tls_certs_only(Certificate::from_pem_bundle(&ca).map_err(|e| unusable(words(&e)))?);
                }
                if let Some(pem) = identity {
                    builder = builder.identity(Identity::from_pem(&pem).map_err(|e| unusable(words(&e)))?);
                }
                format!("https://{at}/")
            }
        };
        Self::build(builder, &base, at.clone(), patience, None)
    }

    fn build(
        builder: ClientBuilder,
        base: &str,
        at: String,
        patience: Duration,
        listener: Option<Listener>,
    ) -> Result<Self, EngineError> {
        install_provider();
        let builder = builder
            .user_agent(concat!("dosimeter/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .pool_max_idle_per_host(0)
            // Of each step; whole answers have a bound of their own.
            .timeout(patience);
        let client = builder.build().map_err(|e| EngineError::Unusable { at: at.clone(), why: words(&e) })?;
        let base = Url::parse(base).map_err(|e| EngineError::Unusable { at: at.clone(), why: e.to_string() })?;
        Ok(Self { client, base, at, listener, patience })
    }

    /// Socket or address, for people.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// Who was seen to listen; `None` over TCP.
    pub fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    /// Which engine it is.
    ///
    /// # Errors
    /// Where it does not answer as an engine.
    pub fn version(&self) -> Result<EngineVersion, EngineError> {
        self.ask("version", &[])
    }

    /// All images but those that are only steps of others.
    ///
    /// # Errors
    /// Where it does not answer as an engine.
    pub fn images(&self) -> Result<Listed<EngineImage>, EngineError> {
        self.list("images/json", &[])
    }

    /// All containers, stopped ones too.
    ///
    /// # Errors
    /// Where it does not answer as an engine.
    pub fn containers(&self) -> Result<Listed<EngineContainer>, EngineError> {
        self.list("containers/json", &[("all", "1")])
    }

    /// Images as one tar, as `docker save` writes it. The engine may write a copy into its own data folder while it does so: only where
    /// the user asked for it. At most `limit` bytes.
    ///
    /// # Errors
    /// Where it does not answer as an engine; while reading, where the stream breaks, stalls or is longer.
    pub fn export(&self, names: &[String], limit: u64) -> Result<Export, EngineError> {
        let query: Vec<(&str, &str)> = names.iter().map(|n| ("names", n.as_str())).collect();
        let url = self.url("images/get", &query)?;
        let response = self.send(self.client.get(url.clone()), &url)?;
        let json = is_json(&response);
        let html = media(&response).starts_with("text/");
        if json || html {
            let what = if json { "JSON instead of a tar" } else { "text instead of a tar" };
            return Err(EngineError::Foreign { at: self.at.clone(), path: path_of(&url), what });
        }
        Ok(Export { response, left: limit })
    }

    fn list<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<Listed<T>, EngineError> {
        let few: Few<T, MOST> = self.ask(path, query)?;
        Ok(Listed { list: few.list, cut: few.cut })
    }

    /// The path below the root of the API, its parts escaped.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, EngineError> {
        let mut url = self.base.clone();
        // `..` and empty parts would lead elsewhere.
        let bad = path.split('/').any(|part| part.is_empty() || part.chars().all(|c| c == '.'));
        let unusable = || EngineError::Unusable { at: self.at.clone(), why: "the name of an image is none".to_owned() };
        if bad {
            return Err(unusable());
        }
        url.path_segments_mut().map_err(|()| unusable())?.clear().extend(path.split('/'));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn send(&self, request: reqwest::blocking::RequestBuilder, url: &Url) -> Result<Response, EngineError> {
        if self.listener.as_ref().is_some_and(|l| !l.is_alive()) {
            return Err(EngineError::Ended(self.at.clone()));
        }
        let (at, path) = (self.at.clone(), path_of(url));
        let response = request.send().map_err(|e| self.failed(&e, e.is_timeout(), url))?;
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::NOT_FOUND => Err(EngineError::Missing { at, path }),
            status => Err(EngineError::Status { at, path, status: status.to_string() }),
        }
    }

    fn failed(&self, error: &dyn std::error::Error, slow: bool, url: &Url) -> EngineError {
        let (at, path) = (self.at.clone(), path_of(url));
        if slow {
            return EngineError::TooSlow { at, path, seconds: self.patience.as_secs() };
        }
        EngineError::Failed { at, path, why: escape_short(words(error).as_bytes(), 200) }
    }

    /// A value of JSON, all of it within the time and the size that an answer may have.
    fn ask<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, EngineError> {
        let url = self.url(path, query)?;
        let response = self.send(self.client.get(url.clone()).timeout(self.patience), &url)?;
        let (at, path) = (self.at.clone(), path_of(&url));
        if !is_json(&response) {
            return Err(EngineError::Foreign { at, path, what: "not JSON" });
        }
        let too_large = || EngineError::TooLarge { at: self.at.clone(), path: path_of(&url), limit: ANSWER };
        if response.content_length().is_some_and(|n| n > ANSWER) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let read = response.take(ANSWER + 1).read_to_end(&mut bytes);
        read.map_err(|e| self.failed(&e, is_timeout(&e), &url))?;
        if u64::try_from(bytes.len()).is_ok_and(|n| n > ANSWER) {
            return Err(too_large());
        }
        serde_json::from_slice(&bytes).map_err(|_| EngineError::Foreign { at, path, what: "broken JSON" })
    }
}

/// Images as a tar, as they come.
pub struct Export {
    response: Response,
    left: u64,
}

impl Read for Export {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.response.read(into)?;
        let longer = || io::Error::new(io::ErrorKind::FileTooLarge, "the engine sends more bytes than are read");
        self.left = self.left.checked_sub(u64::try_from(n).unwrap_or(u64::MAX)).ok_or_else(longer)?;
        Ok(n)
    }
}

fn install_provider() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn media(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.trim().to_ascii_lowercase()
}

fn is_json(response: &Response) -> bool {
    media(response).starts_with("application/json")
}

/// Whether the time was over while a body was read.
fn is_timeout(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<reqwest::Error>());
    inner.is_some_and(reqwest::Error::is_timeout) || error.kind() == io::ErrorKind::TimedOut
}

fn path_of(url: &Url) -> String {
    escape_short(url.path().as_bytes(), 120)
}

fn shown(path: &Path) -> String {
    escape_short(path.as_os_str().as_encoded_bytes(), 200)
}

#[cfg(test)]
mod tests;
