//! Keyed tags: whether the secret that stands here today is the one of the report, without keeping anything that reveals it or
//! lets a guess be confirmed. Made where the value is read; only the tag leaves that function.
//!
//! ```text
//! case key   32 random bytes, made and kept by the responder, in no report
//! sub key    HMAC-SHA256(case key, "dosimeter/fp/v1/id")
//! tag        base32, lower case, of the first 16 bytes of HMAC-SHA256(sub key, u16 length of the kind, kind, secret)
//! ```
//!
//! Passwords get none: whoever learns the case key could try a dictionary. Nor does a value that may be shorter than 80 bits.

use std::{fmt, sync::Arc};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::form;

mod canonical;
mod entropy;

const ID_LABEL: &[u8] = b"dosimeter/fp/v1/id";
/// What the public name of a key is made from.
const NAME_LABEL: &[u8] = b"dosimeter/fp/v1/key-name";
/// Bytes of a case key.
pub const KEY: usize = 32;
/// Bytes of a tag before they are written as text.
const TAG: usize = 16;
/// Fewer different bytes are no random key: by chance 32 bytes have some thirty.
const DIFFERENT: usize = 12;

/// Why a case key cannot be used: the caller's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither 32 bytes nor 64 hex digits.
    #[error("neither 32 bytes nor 64 hex digits")]
    Length,
    /// Zeros, a word repeated.
    #[error("not random: the same few bytes over and over")]
    NotRandom,
}

/// The key of a case. It can be neither printed nor read back.
pub struct CaseKey {
    sub: Zeroizing<[u8; KEY]>,
    name: String,
}

impl fmt::Debug for CaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaseKey({})", self.name)
    }
}

impl CaseKey {
    /// From what its file holds: 32 bytes, or 64 hex digits.
    ///
    /// # Errors
    /// Where it is something else, or obviously not random.
    pub fn new(file: &[u8]) -> Result<Self, KeyError> {
        let key = raw(file).ok_or(KeyError::Length)?;
        let different = (0..=u8::MAX).filter(|byte| key.contains(byte)).count();
        if different < DIFFERENT {
            return Err(KeyError::NotRandom);
        }
        let name = mac(&*key, &[NAME_LABEL]);
        Ok(Self { sub: mac(&*key, &[ID_LABEL]), name: crate::text::hex(name.get(..8).unwrap_or_default()) })
    }

    /// Its public name, which reports carry: 16 hex digits.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag of a secret of a kind.
    fn tag(&self, kind: &str, secret: &[u8]) -> String {
        let length = u16::try_from(kind.len()).unwrap_or(u16::MAX).to_be_bytes();
        let full = mac(&*self.sub, &[&length, kind.as_bytes(), secret]);
        base32(full.get(..TAG).unwrap_or_default())
    }
}

fn raw(file: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
    if let Ok(key) = <[u8; KEY]>::try_from(file) {
        return Some(Zeroizing::new(key));
    }
    let text = file.trim_ascii();
    if text.len() != 2 * KEY {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY]);
    for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        // `from_str_radix` takes a sign.
        let digits = std::str::from_utf8(pair).ok().filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Zeroizing::new([0; 32]);
    };
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// RFC 4648 in lower case, without padding.
fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0_u32);
    let digit =
        |five: u32| usize::try_from(five & 31).ok().and_then(|at| DIGITS.get(at)).map_or('?', |d| char::from(*d));
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(digit(held >> bits));
        }
    }
    if bits > 0 {
        text.push(digit(held << (5 - bits)));
    }
    text
}

/// Whether a text has the form of a tag. What stands in stored files may have been written by anybody.
pub fn is_tag(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

/// Whether a text has the form of the public name of a key.
pub fn is_key_name(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a reader makes tags with: the key of the case, if there is one, and the kind that it reads.
#[derive(Debug, Clone, Default)]
pub struct Tagger {
    key: Option<Arc<CaseKey>>,
    kind: Arc<str>,
    /// The kind is one of passwords.
    password: bool,
}

impl Tagger {
    /// For a kind. `password` says that its values are chosen by people.
    pub fn new(key: Option<Arc<CaseKey>>, kind: Arc<str>, password: bool) -> Self {
        Self { key, kind, password }
    }

    /// The same for a value of another kind.
    pub fn for_kind(&self, kind: Arc<str>, password: bool) -> Self {
        Self { key: self.key.clone(), kind, password }
    }

    /// The tag of a value that stands in a field of this name (empty where it has none).
    pub fn tag(&self, field: &str, value: &[u8]) -> Option<String> {
        let key = self.key.as_ref().filter(|_| !self.password)?;
        let secret = canonical::secret(field, value)?;
        let token = form::has_token_start(&String::from_utf8_lossy(&secret));
        let chosen = !token && is_password(field);
        (!chosen && entropy::is_high(&secret)).then(|| key.tag(&self.kind, &secret))
    }

    /// The tag of a private key, from its bytes without the armour.
    pub fn tag_key(&self, der: &[u8]) -> Option<String> {
        let key = self.key.as_ref().filter(|_| !der.is_empty())?;
        Some(key.tag(&self.kind, der))
    }
}

/// Whether people choose what stands in a field of this name.
fn is_password(field: &str) -> bool {
    let lower = field.to_ascii_lowercase();
    let word = lower.rsplit(['_', '-', '.', '/']).next().unwrap_or(&lower);
    const ENDS: &[&str] = &["password", "passwd", "passphrase", "passcode", "pwd", "pin"];
    ENDS.iter().any(|end| word.ends_with(end) && (*end != "pin" || word == "pin")) || matches!(word, "pass" | "pw")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTOR: [u8; 32] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
        30, 31,
    ];

    fn tagger(kind: &str, password: bool) -> Tagger {
        Tagger::new(Some(Arc::new(CaseKey::new(&VECTOR).unwrap())), kind.into(), password)
    }

    /// The vector that was worked out with Python's `hmac` and `base64`.
    #[test]
    fn the_published_vector() {
        let key = CaseKey::new(&VECTOR).unwrap();
        assert_eq!(key.tag("github.pat", b"example-not-a-token"), "xeeisvnxslrs6xxpn32mpok6di");
        assert_ne!(key.tag("github.oauth_cli", b"example-not-a-token"), "xeeisvnxslrs6xxpn32mpok6di");
        // The kind is framed: nothing of it can move into the secret.
        assert_ne!(key.tag("a.b", b"c"), key.tag("a.", b"bc"));
    }

    #[test]
    fn base32_as_the_standard_has_it() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "my"), (b"fo", "mzxq"), (b"foo", "mzxw6"), (b"foobar", "mzxw6ytboi")]
        {
            assert_eq!(base32(bytes), text);
        }
        assert_eq!(base32(&[0xff; 16]), "77777777777777777777777774");
    }

    #[test]
    fn a_key_is_32_random_bytes_or_their_digits() {
        let hex: String = VECTOR.iter().map(|b| format!("{b:02x}")).collect();
        let name = CaseKey::new(&VECTOR).unwrap().name().to_owned();
        assert_eq!(name.len(), 16);
        for text in [hex.clone(), format!("{hex}\n"), format!(" {}\r\n", hex.to_uppercase())] {
            assert_eq!(CaseKey::new(text.as_bytes()).unwrap().name(), name, "{text:?}");
        }
        for bad in [&b""[..], &VECTOR[..31], &[VECTOR.as_slice(), b"\n"].concat(), hex.replace('f', "g").as_bytes()] {
            assert_eq!(CaseKey::new(bad).unwrap_err(), KeyError::Length);
        }
        let signs = format!("+f{}", &hex[2..]);
        assert_eq!(CaseKey::new(signs.as_bytes()).unwrap_err(), KeyError::Length);
        for bad in [[0; 32], [b'a'; 32], *b"passwordpasswordpasswordpassword"] {
            assert_eq!(CaseKey::new(&bad).unwrap_err(), KeyError::NotRandom);
        }
        let key = CaseKey::new(&VECTOR).unwrap();
        assert_eq!(format!("{key:?}"), format!("CaseKey({name})"));
    }

    #[test]
    fn only_long_random_values_are_tagged() {
        let pat = b"ghp_16C7e42F292c6912E7710c838347Ae178B4a";
        let tag = |field: &str, value: &[u8]| tagger("github.pat", false).tag(field, value);
        assert!(tag("token", pat).is_some());
        assert_eq!(tag("token", b" \"ghp_16C7e42F292c6912E7710c838347Ae178B4a\" \n"), tag("", pat));
        // A token in a field for passwords is a token; anything else there may be a password, however long.
        assert_eq!(tag("password", pat), tag("", pat));
        assert_eq!(tag("TWINE_PASSWORD", pat), tag("", pat));
        for (field, value) in [
            ("password", &b"q8Zr2LxV0sYwTn5KbHd7Jc3MfGp9"[..]),
            ("DB_PASS", b"q8Zr2LxV0sYwTn5KbHd7Jc3MfGp9"),
            ("token", b"hunter2"),
            ("token", b""),
            ("token", b"correct horse battery staple over the hill"),
        ] {
            assert_eq!(tag(field, value), None, "{field}");
        }
        assert!(tag("api_key", b"q8Zr2LxV0sYwTn5KbHd7Jc3MfGp9").is_some());
        assert_eq!(tagger("db.mysql", true).tag("", pat), None);
        assert_eq!(Tagger::default().tag("", pat), None);
        for field in ["compass", "spin", "bypass"] {
            assert!(tag(field, pat).is_some() && !is_password(field), "{field}");
        }
    }
}
