//! Identifiers that a server writes into its log for each credential, made of what stands in a file, as a Kubernetes API server makes
//! them.
//!
//! ```text
//! X509SHA256=4155bb96…   SHA-256 of a client certificate in DER, as `openssl x509 -fingerprint -sha256` has it
//! JTI=2b76b98d-…         the claim `jti` of a token, a UUID
//! ```
//!
//! Both are public: a certificate is, and the number of a token opens nothing. A claim that is no UUID is not shown.

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{credential::form, text::hex};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END";
/// Bytes of a token, and of a certificate.
const MOST: usize = 1 << 16;

/// Of a certificate in PEM, or of that in base64 as kubeconfig files have it. Of a chain the first counts.
pub fn certificate(value: &[u8]) -> Option<String> {
    let value = form::unquoted(value).get(..).filter(|v| v.len() <= MOST)?;
    let pem = match memchr::memmem::find(value, BEGIN) {
        Some(_) => value.to_vec(),
        None => BASE64.decode(without_blanks(value)).ok()?,
    };
    let body = pem.get(memchr::memmem::find(&pem, BEGIN)? + BEGIN.len()..)?;
    let body = body.get(..memchr::memmem::find(body, END)?)?;
    let der = BASE64.decode(without_blanks(body)).ok()?;
    is_sequence(&der).then(|| format!("X509SHA256={}", hex(&Sha256::digest(&der))))
}

/// Of a token in the form of a JWT.
pub fn token(value: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        jti: String,
    }
    let value = form::unquoted(value).trim_ascii();
    let mut parts = value.split(|b| *b == b'.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims = Zeroizing::new(BASE64_URL.decode(claims).ok().filter(|_| value.len() <= MOST)?);
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    is_uuid(&claims.jti).then(|| format!("JTI={}", claims.jti))
}

/// Whether a text has the form of one of these.
pub fn is_one(text: &str) -> bool {
    let digits = |hex: &str| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    text.strip_prefix("X509SHA256=").is_some_and(digits) || text.strip_prefix("JTI=").is_some_and(is_uuid)
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    lengths && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn without_blanks(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect()
}

/// Whether the bytes are one SEQUENCE of DER and nothing else.
fn is_sequence(der: &[u8]) -> bool {
    let long = |bytes: &[u8]| bytes.iter().fold(0_usize, |n, b| n << 8 | usize::from(*b));
    match der {
        [0x30, length, rest @ ..] if *length < 0x80 => usize::from(*length) == rest.len(),
        [0x30, 0x81, length, rest @ ..] => usize::from(*length) == rest.len(),
        [0x30, 0x82, a, b, rest @ ..] => long(&[*a, *b]) == rest.len(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The certificate of the fixtures, and what `openssl x509 -fingerprint -sha256 -noout` prints for it.
    const PEM: &[u8] = include_bytes!("../../../tests/fixtures/credential/keys/certificate.pem");
    const FINGERPRINT: &str = "f2ba7749d84051c9f2900cff8d4ea73360f663f38f35d67b726a73a207eca764";

    #[test]
    fn a_certificate_has_the_fingerprint_of_openssl() {
        let own = Some(format!("X509SHA256={FINGERPRINT}"));
        let folded = BASE64.encode(PEM).into_bytes().chunks(60).collect::<Vec<_>>().join(&b"\n"[..]);
        let chain =
            [b"subject=CN = x\n".as_slice(), PEM, b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"]
                .concat();
        for text in
            [PEM.to_vec(), BASE64.encode(PEM).into_bytes(), folded, chain.clone(), BASE64.encode(chain).into_bytes()]
        {
            assert_eq!(certificate(&text), own);
        }
        assert!(own.as_deref().is_some_and(is_one));
    }

    #[test]
    fn what_is_no_certificate_gets_none() {
        let cut = |n: usize| PEM.get(..n).unwrap().to_vec();
        for text in [
            Vec::new(),
            b"CANARY".to_vec(),
            b"LS0tLS1CRUdJTi".to_vec(),
            cut(PEM.len() / 2),
            BASE64.encode(cut(400)).into_bytes(),
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".to_vec(),
            b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----".to_vec(),
            [PEM, &[b'x'; MOST]].concat(),
        ] {
            assert_eq!(certificate(&text), None);
        }
    }

    fn jwt(claims: &str) -> Vec<u8> {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.CANARY", BASE64_URL.encode(claims)).into_bytes()
    }

    #[test]
    fn a_token_is_known_by_its_jti() {
        let claims =
            r#"{"aud":["x"],"exp":1,"jti":"2b76b98d-e185-4970-918e-6fa3f30606ab","sub":"system:serviceaccount:a:b"}"#;
        let number = "JTI=2b76b98d-e185-4970-918e-6fa3f30606ab";
        let own = Some(number);
        let text = jwt(claims);
        assert_eq!(token(&text).as_deref(), own);
        let unpadded: Vec<u8> = text.iter().copied().filter(|b| *b != b'=').chain(*b"\n").collect();
        assert_eq!(token(&unpadded).as_deref(), own);
        assert!(is_one(number));
        for other in [
            jwt("{}"),
            jwt(r#"{"jti":7}"#),
            jwt(r#"{"jti":"CANARY-secret"}"#),
            jwt(r#"{"jti":"2b76b98d-e185-4970-918e-6fa3f30606zz"}"#),
            jwt("["),
            b"a.b".to_vec(),
            b"..".to_vec(),
            [text.as_slice(), b".x"].concat(),
            jwt(&format!("{{\"jti\":\"2b76b98d-e185-4970-918e-6fa3f30606ab\",\"x\":\"{}\"}}", "y".repeat(MOST))),
            b"hvs.CANARY".to_vec(),
        ] {
            assert_eq!(token(&other), None);
        }
        for text in ["JTI=", "JTI=x", "X509SHA256=ab", "SHA256:ab", ""] {
            assert!(!is_one(text), "{text}");
        }
    }
}
