//! Who made a bundle. The signature is minisign's, over the bundle's head.

use minisign_verify::{Error, PublicKey, Signature};

use super::bundle::Bundle;

/// Keys whose signatures count without being named. None is pinned until there is a release key.
const PINNED: &[&str] = &[];

/// A public key.
#[derive(Debug, Clone)]
pub struct Key {
    /// As it is written: `RW…`.
    text: String,
    key: PublicKey,
}

/// Why a bundle is not trusted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// It has none.
    #[error("it is not signed")]
    Missing,
    /// There is no key to check it with.
    #[error("no key is known to check its signature with")]
    NoKey,
    /// It is no minisign signature.
    #[error("its signature cannot be read")]
    Malformed,
    /// Another key.
    #[error("its signature is not by any key that is trusted here")]
    Wrong,
    /// The key is trusted, and it has not signed this.
    #[error("it is not what was signed: it, or its signature, was changed")]
    Changed,
}

impl Key {
    /// From the text of a public key, or of the file that minisign writes. `None` where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.lines().map(str::trim).rfind(|l| !l.is_empty() && !l.starts_with("untrusted comment:"))?;
        Some(Self { text: text.to_owned(), key: PublicKey::from_base64(text).ok()? })
    }

    /// The keys of this program.
    pub fn pinned() -> Vec<Self> {
        PINNED.iter().filter_map(|text| Self::parse(text)).collect()
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Checks the head of a bundle against its signature, or one that came beside it.
///
/// # Errors
/// Where nobody trusted has signed it.
pub fn verify<'k>(bundle: &Bundle, beside: Option<&str>, keys: &'k [Key]) -> Result<&'k Key, SignatureError> {
    let text = beside.or(bundle.signature.as_deref()).ok_or(SignatureError::Missing)?;
    if keys.is_empty() {
        return Err(SignatureError::NoKey);
    }
    let signature = Signature::decode(text).map_err(|_| SignatureError::Malformed)?;
    let mut refused = SignatureError::Wrong;
    for key in keys {
        match key.key.verify(&bundle.signed_part, &signature, true) {
            Ok(()) => return Ok(key),
            Err(Error::UnexpectedKeyId) => {}
            Err(_) => refused = SignatureError::Changed,
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;
    use crate::ioc::bundle::{Content, build, head_of, with_signature};

    fn bundle(bytes: &[u8]) -> Bundle {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Bundle::open(file, "test").unwrap()
    }

    #[test]
    fn only_the_signer_of_this_head_is_believed() {
        let content = |sequence| Content {
            title: "made up".into(),
            sequence,
            created: "2026-11-25T00:00:00Z".parse().unwrap(),
            incidents: Vec::new(),
            rows: Vec::new(),
        };
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let other = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let key = Key::parse(&pair.pk.to_box().unwrap().to_string()).unwrap();
        let foreign = Key::parse(&other.pk.to_base64()).unwrap();
        let bytes = build(&content(1)).unwrap();
        let sign = |head: &[u8]| minisign::sign(None, &pair.sk, Cursor::new(head), None, None).unwrap().to_string();
        let signature = sign(head_of(&bytes).unwrap());
        let signed = bundle(&with_signature(bytes.clone(), &signature).unwrap());
        assert_eq!(verify(&signed, None, std::slice::from_ref(&key)).unwrap().as_str(), key.as_str());
        assert!(verify(&bundle(&bytes), Some(&signature), &[foreign.clone(), key.clone()]).is_ok());
        assert_eq!(verify(&signed, None, &[foreign]).unwrap_err(), SignatureError::Wrong);
        assert_eq!(verify(&signed, None, &[]).unwrap_err(), SignatureError::NoKey);
        assert_eq!(verify(&bundle(&bytes), None, std::slice::from_ref(&key)).unwrap_err(), SignatureError::Missing);
        let newer = bundle(&with_signature(build(&content(2)).unwrap(), &signature).unwrap());
        assert_eq!(verify(&newer, None, std::slice::from_ref(&key)).unwrap_err(), SignatureError::Changed);
        let garbage = bundle(&with_signature(bytes.clone(), "untrusted comment: x\nno").unwrap());
        assert_eq!(verify(&garbage, None, &[key]).unwrap_err(), SignatureError::Malformed);
    }

    #[test]
    fn keys_are_read_with_and_without_their_comment() {
        assert!(Key::parse("not a key").is_none() && Key::parse("").is_none());
        assert!(Key::pinned().is_empty());
    }
}
