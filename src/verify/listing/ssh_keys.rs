//! Public keys of an account of GitHub or GitLab: `gh api /user/keys`, `gh api repos/O/R/keys`, `glab api /user/keys`.
//!
//! ```text
//! [{"id": 7, "title": "laptop", "key": "ssh-ed25519 AAAA… comment", "created_at": "2026-11-01T09:00:00Z", "expires_at": null}]
//! ```
//!
//! Entries are compared by the fingerprint of the key. Other places that accept a key, servers above all, are not in it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Document, Entries, Entry, Form, Standing, label, text, time, until};

/// The form.
pub struct Keys;

/// What a listing of one place leaves open of a key.
pub const ELSEWHERE: &str = "other accounts and servers that accept the key are not in it";

impl Form for Keys {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn command(&self) -> &'static str {
        "gh api /user/keys"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["ssh.user_private_key"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        let is_key = |object: &Value| text(object, "key").and_then(fingerprint).is_some();
        document.lists(&["id", "key"]) && document.objects().is_some_and(|list| list.iter().all(is_key))
    }

    fn read(&self, document: &Document<'_>, now: Timestamp, out: &mut Entries) {
        for key in document.objects().into_iter().flatten() {
            let Some(id) = text(key, "key").and_then(fingerprint) else { continue };
            let standing = until(time(key, "expires_at"), now);
            out.push(Entry {
                id,
                label: label(key, "title"),
                account: None,
                standing,
                created: time(key, "created_at"),
            });
        }
    }

    fn leaves_open(&self) -> Option<&'static str> {
        Some(ELSEWHERE)
    }
}

/// The fingerprint of `ssh-ed25519 AAAA… comment`.
pub fn fingerprint(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let (kind, blob) = (words.next()?, STANDARD.decode(words.next()?).ok()?);
    // The blob begins with the length of its own name and that name.
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let name = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    (name == kind.as_bytes()).then(|| format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&blob))))
}

/// A key that is accepted.
pub fn accepted(id: String) -> Entry {
    Entry { id, label: None, account: None, standing: Standing::Active, created: None }
}
