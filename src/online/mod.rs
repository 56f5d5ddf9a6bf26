//! Talks to the network, for the commands that say so: downloads, and registries. `image::engine` alone asks somebody else: engines.

pub mod registry;

use std::{
    fmt::{self, Display, Formatter},
    io::Read as _,
    time::{Duration, Instant},
};

use reqwest::{
    Url,
    blocking::Client,
    redirect::{Attempt, Policy},
};

/// More hops than any publisher needs.
const HOPS: usize = 5;

/// Where something is fetched from. Shown without user, password and query: they may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// From its text; `None` where it is no address of `http` or `https`.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(Self(url))
    }

    /// Of the file beside it whose name has this behind it.
    pub fn beside(&self, ending: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{ending}", self.0.path()));
        Self(url)
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        // Of an address with a host neither can fail.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_query(None);
        url.set_fragment(None);
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It cannot be asked for: the caller's fault, or the network's.
    #[error("cannot fetch `{address}`: {why}")]
    Failed {
        /// The address.
        address: Address,
        /// In words.
        why: String,
    },
    /// It took too long, all in all.
    #[error("cannot fetch `{address}`: not done within {seconds} s\nhint: `--timeout` gives it longer")]
    TooSlow {
        /// The address.
        address: Address,
        /// How long it could have taken.
        seconds: u64,
    },
    /// There is no such thing.
    #[error("`{0}` answered 404 Not Found")]
    Missing(Address),
    /// The server's answer.
    #[error("`{address}` answered {status}")]
    Status {
        /// The address.
        address: Address,
        /// `500 Internal Server Error`.
        status: String,
    },
    /// More than anybody needs.
    #[error("`{address}` sends more than {limit} bytes")]
    TooLarge {
        /// The address.
        address: Address,
        /// In bytes.
        limit: u64,
    },
}

/// Some downloads that share one limit of time.
pub struct Session {
    client: Client,
    patience: Duration,
    until: Instant,
}

impl Session {
    /// Time runs from now. The proxies that the environment names are used.
    ///
    /// # Errors
    /// In words, where the system's certificates cannot be used.
    pub fn start(patience: Duration) -> Result<Self, String> {
        // An error means that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("dosimeter/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(|hop| match refusal(&hop) {
                Some(why) => hop.error(why),
                None => hop.follow(),
            }))
            .referer(false)
            // A server that closes a kept connection just as it is used again would fail the second download.
            .pool_max_idle_per_host(0)
            .timeout(patience)
            .build()
            .map_err(|e| words(&e))?;
        let until = Instant::now().checked_add(patience).ok_or("a timeout without end")?;
        Ok(Self { client, patience, until })
    }

    /// The bytes behind an address, at most `limit` of them.
    ///
    /// # Errors
    /// Where they do not come, or not all of them.
    pub fn fetch(&self, address: &Address, limit: u64) -> Result<Vec<u8>, FetchError> {
        let failed = |why: String| {
            let address = address.clone();
            if self.left().is_zero() {
                return FetchError::TooSlow { address, seconds: self.patience.as_secs() };
            }
            FetchError::Failed { address, why }
        };
        let too_large = || FetchError::TooLarge { address: address.clone(), limit };
        // The timeout of a request bounds all of it, the client's only each of its steps.
        let request = self.client.get(address.0.clone()).timeout(self.left());
        let answer = request.send().map_err(|e| failed(words(&e)))?;
        if !answer.status().is_success() {
            return Err(match answer.status() {
                reqwest::StatusCode::NOT_FOUND => FetchError::Missing(address.clone()),
                status => FetchError::Status { address: address.clone(), status: status.to_string() },
            });
        }
        if answer.content_length().is_some_and(|n| n > limit) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        answer.take(limit + 1).read_to_end(&mut bytes).map_err(|e| failed(words(&e)))?;
        if u64::try_from(bytes.len()).is_ok_and(|got| got <= limit) { Ok(bytes) } else { Err(too_large()) }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// Why a redirection is not followed.
fn refusal(hop: &Attempt<'_>) -> Option<&'static str> {
    let from = hop.previous().last().map_or("", Url::scheme);
    if hop.previous().len() > HOPS {
        return Some("it is redirected again and again");
    }
    (from == "https" && hop.url().scheme() != "https").then_some("it is redirected from https to http")
}

/// The innermost cause, which is the one that helps.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_shown_without_secrets() {
        let address = Address::parse("https://user:pass@updates.example/a/b.bundle?token=s3#x").unwrap();
        assert_eq!(address.to_string(), "https://updates.example/a/b.bundle");
        assert_eq!(format!("{address:?}"), "Address(https://updates.example/a/b.bundle)");
        let signature = address.beside(".minisig");
        assert_eq!(signature.to_string(), "https://updates.example/a/b.bundle.minisig");
        assert_eq!(signature.0.query(), Some("token=s3"));
        for text in ["file:///etc/passwd", "ftp://updates.example/x", "updates.example/x", "https://"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
