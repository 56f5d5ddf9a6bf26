//! Passwords and tokens, in a type that cannot show them.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::HeaderValue;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password or a token. It is wiped from memory when it is dropped, and no `Debug` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'d> Deserialize<'d> for Secret {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

/// How somebody is known to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A name and a password.
    Password {
        /// The account; no secret by itself, but not shown either.
        user: Secret,
        /// Its password, or a token that stands for it.
        password: Secret,
    },
    /// What `docker login` keeps as `identitytoken`: it is exchanged for a token per repository.
    Identity(Secret),
    /// A token that is sent as it is.
    Token(Secret),
}

impl Login {
    /// `user:password`, or a token where there is no colon; `None` where nothing is there.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.split_once(':') {
            Some((user, password)) if !user.is_empty() && !password.is_empty() => {
                Some(Self::Password { user: Secret::new(user.to_owned()), password: Secret::new(password.to_owned()) })
            }
            Some(_) => None,
            None => (!text.is_empty()).then(|| Self::Token(Secret::new(text.to_owned()))),
        }
    }

    /// The value of `Authorization` for a server that asks for a password.
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let Self::Password { user, password } = self else {
            return None;
        };
        let pair = Zeroizing::new(format!("{}:{}", user.text(), password.text()));
        value("Basic ", &Zeroizing::new(STANDARD.encode(pair.as_bytes())))
    }
}

/// The value of `Authorization` that carries a token.
pub(super) fn bearer(token: &Secret) -> Option<HeaderValue> {
    value("Bearer ", token.text())
}

fn value(scheme: &str, secret: &str) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("{scheme}{secret}"));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_secret() {
        let login = Login::parse(" alice:s3:cret\n").unwrap();
        assert!(!format!("{login:?}").contains("s3") && !format!("{login:?}").contains("alice"));
        assert_eq!(login.basic().unwrap().to_str().unwrap(), "Basic YWxpY2U6czM6Y3JldA==");
        assert!(!format!("{:?}", login.basic()).contains("YWxp"));
        let token = Login::parse("t0ken").unwrap();
        assert_eq!((token.basic(), format!("{token:?}")), (None, "Token(Secret(..))".to_owned()));
        assert!(bearer(&Secret::new("a\nb".to_owned())).is_none(), "no header of its own can be written");
        for none in ["", " \n", ":", "user:", ":password"] {
            assert_eq!(Login::parse(none), None, "{none:?}");
        }
    }
}
