//! What is loaded or run together, and cleaned up together.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{Ecosystem, TreePath};

/// What kind of environment a folder is: a short word. Those that several ecosystems know stand here, the others where the layout of
/// their ecosystem does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvironmentKind(#[serde(deserialize_with = "word")] Cow<'static, str>);

impl EnvironmentKind {
    /// An environment of its own that no other tool claims.
    pub const VENV: Self = Self::new("venv");
    /// One user's, for all that this user starts: `~/.local`.
    pub const USER: Self = Self::new("user");
    /// An interpreter's own, for everybody.
    pub const SYSTEM: Self = Self::new("system");
    /// A folder that only looks like one.
    pub const TARGET: Self = Self::new("target");

    /// Lower case, digits and `-`.
    pub const fn new(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// `uv-tool`.
    pub fn word(&self) -> &str {
        &self.0
    }
}

/// One that somebody else's file says: a newer version of this program may know others.
fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Cow<'static, str>, D::Error> {
    let text = String::deserialize(from)?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || text.len() > 40 || !text.bytes().all(plain) {
        return Err(D::Error::custom("a kind of environment is a short word of lower case letters, digits and `-`"));
    }
    Ok(text.into())
}

/// What is loaded or run together and is cleaned up together: a Python environment, the project that owns a `node_modules`. Made by
/// the surface that knows the layout; nothing after it takes a path apart to find out where something is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unit {
    /// By whose rules it loads.
    pub ecosystem: Ecosystem,
    /// The folder that code is loaded from (a site folder, a `node_modules`), or the archive.
    pub folder: TreePath,
    /// The whole: the prefix of an environment, a project.
    pub root: TreePath,
    /// What its place says it is; a receipt or a marker file may say more.
    pub kind: EnvironmentKind,
    /// Whether the layout of the path says so, rather than what was found there (`pip install --target`).
    pub usual: bool,
}

impl Unit {
    /// Whether it is one folder of something larger, as a site folder is of an environment.
    pub fn is_part(&self) -> bool {
        self.root != self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_is_read_is_a_short_word() {
        let read = |json: &str| serde_json::from_str::<EnvironmentKind>(json).map(|kind| kind.word().to_owned());
        assert_eq!(read(r#""venv""#).unwrap(), EnvironmentKind::VENV.word());
        assert_eq!(read(r#""of-tomorrow-2""#).unwrap(), "of-tomorrow-2");
        for bad in [r#""""#, r#""a b""#, r#""Venv""#, r#""\u001b[1m""#, "7", &format!("\"{}\"", "a".repeat(41))] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
