//! The only place that talks to the network, and only for the commands that say so.

use std::{io::Read as _, time::Duration};

use reqwest::{blocking::Client, redirect::Policy};

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It cannot be asked for: the caller's fault, or the network's.
    #[error("cannot fetch `{url}`: {why}")]
    Failed {
        /// The address.
        url: String,
        /// In words.
        why: String,
    },
    /// The server's answer.
    #[error("`{url}` answered {status}")]
    Status {
        /// The address.
        url: String,
        /// `404 Not Found`.
        status: String,
    },
    /// More than anybody needs.
    #[error("`{url}` sends more than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// In bytes.
        limit: u64,
    },
}

/// The bytes behind a URL, at most `limit` of them, within `patience` all in all.
///
/// # Errors
/// Where they do not come.
pub fn fetch(url: &str, limit: u64, patience: Duration) -> Result<Vec<u8>, FetchError> {
    let failed = |why: String| FetchError::Failed { url: url.to_owned(), why };
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .user_agent(concat!("dosimeter/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::limited(5))
        .connect_timeout(patience.min(Duration::from_secs(15)))
        .timeout(patience)
        .build()
        .map_err(|e| failed(words(&e)))?;
    let answer = client.get(url).send().map_err(|e| failed(words(&e)))?;
    if !answer.status().is_success() {
        return Err(FetchError::Status { url: url.to_owned(), status: answer.status().to_string() });
    }
    let announced = answer.content_length();
    if announced.is_some_and(|n| n > limit) {
        return Err(FetchError::TooLarge { url: url.to_owned(), limit });
    }
    let mut bytes = Vec::new();
    answer.take(limit + 1).read_to_end(&mut bytes).map_err(|e| failed(words(&e)))?;
    let got = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if got > limit {
        return Err(FetchError::TooLarge { url: url.to_owned(), limit });
    }
    if announced.is_some_and(|n| n != got) {
        return Err(failed(format!("{got} bytes came, {} were announced", announced.unwrap_or_default())));
    }
    Ok(bytes)
}

/// The innermost cause, which is the one that helps.
fn words(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
