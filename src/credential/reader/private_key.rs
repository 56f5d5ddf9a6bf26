//! Private keys in PEM: OpenSSH's own form, PKCS#1 (`RSA PRIVATE KEY`), SEC1 (`EC PRIVATE KEY`), PKCS#8 (`PRIVATE KEY`); the
//! last three also in DER; and PuTTY's files.
//!
//! The identifier is the fingerprint of the public half as `ssh-keygen -lf` prints it. OpenSSH and PuTTY keep the public half
//! outside the encrypted part, so a passphrase does not hide it; the other forms give it only without one. The file's public
//! sibling is not asked. Documented in PROTOCOL.key of openssh-portable, RFC 5958, RFC 8017, RFC 5915 and PuTTY's appendix C.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use pkcs8::ObjectIdentifier;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Findings, Found, numbered};
use crate::surface::Flaw;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
/// Fewer characters than any key has: a sample in a text.
const LEAST: usize = 32;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// What may be said of one key.
struct Key {
    /// The public half in SSH's wire form, where it is available.
    public: Option<Vec<u8>>,
    encrypted: bool,
    /// Its bytes, where nothing else distinguishes it and no passphrase hides it.
    bare: Option<Zeroizing<Vec<u8>>>,
}

impl Key {
    fn new(public: Option<Vec<u8>>, encrypted: bool) -> Self {
        Self { public, encrypted, bare: None }
    }
}

/// One credential each private key; certificates and public keys are none.
pub fn read(bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    if bytes.starts_with(b"PuTTY-User-Key-File-") {
        return push_key(&putty(bytes), 1, out);
    }
    if let Some(key) = der(bytes) {
        return push_key(&key, 1, out);
    }
    let (mut from, mut line) = (0, 1_u32);
    while let Some(rest) = bytes.get(from..) {
        let Some(at) = memchr::memmem::find(rest, BEGIN) else {
            break;
        };
        let before = rest.get(..at).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', before).count();
        line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        let block = rest.get(at + BEGIN.len()..).unwrap_or_default();
        from += at + BEGIN.len();
        if let Some(key) = key(block) {
            push_key(&key, line, out)?;
        }
    }
    Ok(())
}

fn push_key(key: &Key, line: u32, out: &mut Findings) -> Result<(), Flaw> {
    let identifier = key.public.as_deref().map(|p| format!("SHA256:{}", BASE64.encode(Sha256::digest(p))));
    let passphrase = if key.encrypted { "passphrase-protected" } else { "no passphrase" };
    let note =
        if identifier.is_some() { passphrase.to_owned() } else { format!("{passphrase}; fingerprint unavailable") };
    let tag = key.bare.as_ref().filter(|_| identifier.is_none()).and_then(|der| out.1.tag_key(der));
    out.push(Found { line: Some(line), identifier, note: Some(note), tag, ..Found::default() })
}

/// The key of a block that stands behind `-----BEGIN `; `None` where it holds no private key.
fn key(block: &[u8]) -> Option<Key> {
    let label = block.get(..memchr::memmem::find(block.get(..64).unwrap_or(block), DASHES)?)?;
    if !label.ends_with(b"PRIVATE KEY") {
        return None;
    }
    let rest = block.get(label.len() + DASHES.len()..)?;
    // A file that was cut short still held most of a key.
    let body = rest.get(..memchr::memmem::find(rest, DASHES).unwrap_or(rest.len()))?;
    let (headers, der) = decode(body)?;
    let legacy = headers && memchr::memmem::find(body, b"ENCRYPTED").is_some();
    let mut key = match label {
        b"OPENSSH PRIVATE KEY" => openssh(&der).unwrap_or(Key::new(None, false)),
        b"ENCRYPTED PRIVATE KEY" => Key::new(None, true),
        _ if legacy => Key::new(None, true),
        b"RSA PRIVATE KEY" => Key::new(rsa(&der), false),
        b"EC PRIVATE KEY" => Key::new(ec(&der, None), false),
        b"PRIVATE KEY" => Key::new(pkcs8(&der), false),
        _ => Key::new(None, false),
    };
    // With a passphrase the bytes are others each time it is set.
    key.bare = (key.public.is_none() && !key.encrypted).then(|| Zeroizing::new(der));
    Some(key)
}

/// `Encryption:` and `Public-Lines:` stand in front of the private half.
fn putty(bytes: &[u8]) -> Key {
    let (mut encrypted, mut left, mut text) = (true, 0_usize, Vec::new());
    for (_, line) in numbered(bytes) {
        if left > 0 {
            text.extend(line.iter().filter(|b| **b != b'='));
            left -= 1;
        } else if let Some(cipher) = line.strip_prefix(b"Encryption: ") {
            encrypted = cipher != b"none";
        } else if let Some(count) = line.strip_prefix(b"Public-Lines: ") {
            left = std::str::from_utf8(count).ok().and_then(|c| c.parse().ok()).unwrap_or(0);
        } else if line.starts_with(b"Private-Lines: ") {
            break;
        }
    }
    let public = BASE64.decode(text).ok().filter(|blob| is_wire(blob));
    Key::new(public, encrypted)
}

/// A file that is one key in DER.
fn der(bytes: &[u8]) -> Option<Key> {
    if bytes.first() != Some(&0x30) {
        return None;
    }
    let plain = |public| Some(Key::new(public, false));
    if pkcs8::PrivateKeyInfo::try_from(bytes).is_ok() {
        return plain(pkcs8(bytes));
    }
    let public = rsa(bytes);
    if public.is_some() || sec1::EcPrivateKey::try_from(bytes).is_ok() {
        return plain(public.or_else(|| ec(bytes, None)));
    }
    None
}

/// Whether the blob begins as public keys of SSH do.
fn is_wire(mut blob: &[u8]) -> bool {
    let known = |name: &[u8]| [b"ssh-".as_slice(), b"ecdsa-", b"sk-"].iter().any(|start| name.starts_with(start));
    string(&mut blob).is_some_and(known)
}

/// Whether the body has headers, and its bytes; `None` where there is too little of them.
fn decode(body: &[u8]) -> Option<(bool, Vec<u8>)> {
    let mut headers = false;
    let mut text = Vec::with_capacity(body.len());
    for line in body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii) {
        if line.contains(&b':') {
            headers = true;
            continue;
        }
        // Keys in JSON and in variables have `\n` as two characters.
        text.extend(line.iter().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')));
    }
    if text.len() < LEAST {
        return None;
    }
    let whole = text.len() - usize::from(text.len() % 4 == 1);
    Some((headers, BASE64.decode(text.get(..whole)?).unwrap_or_default()))
}

/// openssh-key-v1: magic, cipher, key derivation and its options, number of keys, public key.
fn openssh(der: &[u8]) -> Option<Key> {
    let mut rest = der.strip_prefix(b"openssh-key-v1\0")?;
    let cipher = string(&mut rest)?;
    let (_derivation, _options) = (string(&mut rest)?, string(&mut rest)?);
    rest = rest.get(4..)?;
    let public = string(&mut rest)?;
    Some(Key::new(is_wire(public).then(|| public.to_vec()), cipher != b"none"))
}

/// A length in four bytes and as many bytes.
fn string<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (text, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(text)
}

fn pkcs8(der: &[u8]) -> Option<Vec<u8>> {
    let info = pkcs8::PrivateKeyInfo::try_from(der).ok()?;
    match info.algorithm.oid {
        RSA => rsa(info.private_key),
        EC => ec(info.private_key, info.algorithm.parameters_oid().ok()),
        ED25519 => {
            // An OCTET STRING of 32 bytes.
            let seed = info.private_key.strip_prefix(&[4, 32])?.try_into().ok()?;
            let pair = ssh_key::private::Ed25519Keypair::from_seed(seed);
            Some(wire(&[b"ssh-ed25519", pair.public.as_ref()]))
        }
        _ => None,
    }
}

fn rsa(der: &[u8]) -> Option<Vec<u8>> {
    let key = pkcs1::RsaPrivateKey::try_from(der).ok()?;
    Some(wire(&[b"ssh-rsa", &positive(key.public_exponent.as_bytes()), &positive(key.modulus.as_bytes())]))
}

fn ec(der: &[u8], curve: Option<ObjectIdentifier>) -> Option<Vec<u8>> {
    let key = sec1::EcPrivateKey::try_from(der).ok()?;
    let curve = curve.or_else(|| key.parameters.and_then(|p| p.named_curve()))?;
    let (algorithm, name): (&[u8], &[u8]) = match curve {
        P256 => (b"ecdsa-sha2-nistp256", b"nistp256"),
        P384 => (b"ecdsa-sha2-nistp384", b"nistp384"),
        P521 => (b"ecdsa-sha2-nistp521", b"nistp521"),
        _ => return None,
    };
    Some(wire(&[algorithm, name, key.public_key?]))
}

/// A number as SSH writes it: a zero byte in front where the first bit is set.
fn positive(number: &[u8]) -> Vec<u8> {
    let sign = number.first().is_some_and(|b| b & 0x80 != 0).then_some(0);
    sign.into_iter().chain(number.iter().copied()).collect()
}

fn wire(parts: &[&[u8]]) -> Vec<u8> {
    let mut blob = Vec::new();
    for part in parts {
        blob.extend_from_slice(&u32::try_from(part.len()).unwrap_or(0).to_be_bytes());
        blob.extend_from_slice(part);
    }
    blob
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<(Option<String>, String)> {
        let mut out = Findings::default();
        read(bytes, &mut out).unwrap();
        out.0.into_iter().map(|f| (f.identifier, f.note.unwrap_or_default())).collect()
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../../tests/fixtures/credential/keys/", $name)).as_slice()
        };
    }

    /// The fingerprints are those that `ssh-keygen -lf` printed for the fixtures.
    #[test]
    fn fingerprints_are_those_of_ssh_keygen() {
        let prints = std::str::from_utf8(fixture!("fingerprints.txt")).unwrap();
        let files: &[(&str, &[u8], &str)] = &[
            ("ed25519", fixture!("ed25519"), "no passphrase"),
            ("ed25519-passphrase", fixture!("ed25519-passphrase"), "passphrase-protected"),
            ("rsa", fixture!("rsa"), "no passphrase"),
            ("rsa-passphrase", fixture!("rsa-passphrase"), "passphrase-protected"),
            ("rsa-pem", fixture!("rsa-pem"), "no passphrase"),
            ("rsa-pkcs8", fixture!("rsa-pkcs8"), "no passphrase"),
            ("ecdsa", fixture!("ecdsa"), "no passphrase"),
            ("ecdsa-passphrase", fixture!("ecdsa-passphrase"), "passphrase-protected"),
            ("ecdsa-pem", fixture!("ecdsa-pem"), "no passphrase"),
            ("ecdsa-pkcs8", fixture!("ecdsa-pkcs8"), "no passphrase"),
            ("ecdsa521-pem", fixture!("ecdsa521-pem"), "no passphrase"),
            ("ed25519-pkcs8", fixture!("ed25519-pkcs8"), "no passphrase"),
            ("ed25519-putty2", fixture!("ed25519-putty2.ppk"), "no passphrase"),
            ("ecdsa-putty3-passphrase", fixture!("ecdsa-putty3-passphrase.ppk"), "passphrase-protected"),
            ("rsa-der", fixture!("rsa-der"), "no passphrase"),
            ("ecdsa-der", fixture!("ecdsa-der"), "no passphrase"),
        ];
        for (name, bytes, note) in files {
            let want = prints.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')).unwrap();
            assert_eq!(keys(bytes), [(Some(want.to_owned()), (*note).to_owned())], "{name}");
        }
    }

    #[test]
    fn an_encrypted_key_in_another_form_has_no_fingerprint() {
        for bytes in [fixture!("rsa-pem-passphrase"), fixture!("rsa-pkcs8-passphrase")] {
            assert_eq!(keys(bytes), [(None, "passphrase-protected; fingerprint unavailable".to_owned())]);
        }
        let other_curve = keys(fixture!("secp256k1-pem"));
        assert_eq!(other_curve, [(None, "no passphrase; fingerprint unavailable".to_owned())]);
    }

    #[test]
    fn public_keys_certificates_and_samples_are_left_alone() {
        let sample = b"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n";
        let pgp = b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQdGBGMabcdefghijklmnopqrstuvwxyz0123456789\n-----END PGP PRIVATE KEY BLOCK-----";
        for bytes in [
            fixture!("ed25519.pub"),
            fixture!("certificate.pem"),
            fixture!("rsa-public.pem"),
            sample,
            pgp,
            fixture!("certificate-der"),
            b"",
            b"\x30\x82\x04\xbe\x02\x01\x00",
            b"\0\xff-----BEGIN ",
        ] {
            assert!(keys(bytes).is_empty());
        }
    }

    #[test]
    fn a_bundle_gives_each_key_and_damage_is_no_excuse() {
        let bundle = [fixture!("certificate.pem"), fixture!("rsa-pkcs8"), fixture!("ed25519")].concat();
        let mut out = Findings::default();
        read(&bundle, &mut out).unwrap();
        let lines = fixture!("certificate.pem").iter().filter(|b| **b == b'\n').count();
        assert_eq!(out.0.len(), 2);
        assert_eq!(out.0[0].line, Some(u32::try_from(lines).unwrap() + 1));
        let cut = fixture!("rsa-pem").get(..600).unwrap();
        assert_eq!(keys(cut), [(None, "no passphrase; fingerprint unavailable".to_owned())]);
        let crlf = String::from_utf8_lossy(fixture!("rsa")).replace('\n', "\r\n");
        assert_eq!(keys(crlf.as_bytes()), keys(fixture!("rsa")));
        let many = b"-----BEGIN PRIVATE KEY-----".repeat(10_000);
        assert!(keys(&many).is_empty());
        let lengths = [b"openssh-key-v1\0".as_slice(), &[0xff; 64]].concat();
        let hostile = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n", BASE64.encode(lengths));
        assert_eq!(keys(hostile.as_bytes()).len(), 1);
    }
}
