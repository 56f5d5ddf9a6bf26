//! The secret itself out of what stands in a field: the same secret gives the same bytes wherever and however it is written.

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::credential::form;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Parts of connection strings that hold the secret.
const PARTS: &[&str] = &["password=", "pwd=", "accountkey=", "sharedaccesskey=", "sig="];

/// A secret without quotes, armour, scheme and address. `None` where no part of the value is the secret by itself.
pub fn secret(field: &str, value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let value = form::unquoted(value);
    let field = field.rsplit(['/', ':']).next().unwrap_or(field);
    if let Some(pem) = pem(value) {
        return Some(pem);
    }
    let own = |bytes: &[u8]| Some(Zeroizing::new(bytes.to_vec()));
    if let Some(basic) = strip(value, b"basic ") {
        return login(basic).or_else(|| own(basic));
    }
    let value = [&b"bearer "[..], b"token "].iter().find_map(|scheme| strip(value, scheme)).unwrap_or(value);
    match field {
        // `user:password` of Docker and npm.
        "auth" | "_auth" => login(value),
        "_password" => decoded(value),
        _ => match address(value) {
            Some(password) => Some(password),
            None => part(value).map_or_else(|| own(value), own),
        },
    }
}

fn strip<'v>(value: &'v [u8], scheme: &[u8]) -> Option<&'v [u8]> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| rest.trim_ascii())
}

fn decoded(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    LENIENT.decode(value).ok().map(Zeroizing::new)
}

fn login(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let both = decoded(value)?;
    let at = both.iter().position(|b| *b == b':')?;
    Some(Zeroizing::new(both.get(at + 1..)?.to_vec()))
}

/// The password of an address, without its `%` signs.
fn address(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let at = memchr::memmem::find(value, b"://")?;
    let rest = value.get(at + 3..)?;
    let end = rest.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(rest.len());
    let rest = rest.get(..end)?;
    // A password may hold `/` and `@` as they are: the last `@` stands before the host.
    let userinfo = rest.get(..rest.iter().rposition(|b| *b == b'@')?)?;
    let colon = userinfo.iter().position(|b| *b == b':')?;
    let password = userinfo.get(colon + 1..).filter(|p| !p.is_empty())?;
    Some(percent(password))
}

fn percent(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()) && *first == b'%');
        match byte.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

/// `AccountKey=…` among `;` or `&`.
fn part(value: &[u8]) -> Option<&[u8]> {
    let parts = value.split(|b| matches!(b, b';' | b'&' | b'?')).map(<[u8]>::trim_ascii);
    let secret = |part: &'_ [u8]| {
        PARTS
            .iter()
            .find(|p| part.get(..p.len()).is_some_and(|s| s.eq_ignore_ascii_case(p.as_bytes())))
            .map(|p| p.len())
    };
    parts.into_iter().find_map(|part| part.get(secret(part)?..))
}

/// The bytes of a key in armour; in variables and JSON the ends of its lines may be two signs.
fn pem(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const DASHES: &[u8] = b"-----";
    let at = memchr::memmem::find(value, BEGIN)? + BEGIN.len();
    let rest = value.get(at..)?;
    let body = rest.get(memchr::memmem::find(rest, DASHES)? + DASHES.len()..)?;
    let body = body.get(..memchr::memmem::find(body, DASHES).unwrap_or(body.len()))?;
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'\\' {
            rest = after.get(1..).unwrap_or_default();
        } else if !first.is_ascii_whitespace() {
            text.push(*first);
        }
    }
    decoded(&text).filter(|der| der.len() >= 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(field: &str, value: &str) -> Option<String> {
        secret(field, value.as_bytes()).map(|s| String::from_utf8_lossy(&s).into_owned())
    }

    #[test]
    fn one_secret_written_in_many_ways() {
        for (field, value) in [
            ("token", "s3cret"),
            ("token", "  's3cret' "),
            ("Authorization", "Bearer s3cret"),
            ("Authorization", "token s3cret"),
            ("authorization", "BEARER  s3cret"),
            ("Authorization", "Basic YWw6czNjcmV0"),
            ("auth", "YWw6czNjcmV0"),
            ("_auth", "YWw6czNjcmV0"),
            ("auths/registry.example/auth", "YWw6czNjcmV0"),
            ("_password", "czNjcmV0"),
            ("DATABASE_URL", "postgres://al:s3cret@db.example/x?sslmode=require"),
            ("DATABASE_URL", "postgres://al:s3%63ret@db.example/x"),
            ("x", "redis://:s3cret@cache.example:6379/0"),
            ("CONN", "Server=db.example;User=al;Password=s3cret;Encrypt=true"),
            ("CONN", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=s3cret"),
        ] {
            assert_eq!(of(field, value).as_deref(), Some("s3cret"), "{field} {value}");
        }
    }

    #[test]
    fn look_alikes_stay_whole() {
        for value in ["s3:cret@x", "https://hooks.example/services/T0/B0/abc", "a%41b", "pass=word", "bearer", "//al:x"]
        {
            assert_eq!(of("token", value).as_deref(), Some(value));
        }
        // Two secrets that differ in what an address must escape are two.
        assert_eq!(of("u", "a://al:p%2Fq@h").as_deref(), Some("p/q"));
        assert_eq!(of("u", "a://al:p%zz@h").as_deref(), Some("p%zz"));
        assert_eq!(of("u", "a://al:p@ss/w@h/").as_deref(), Some("p@ss/w"));
        // Nothing of it is the secret by itself.
        for (field, value) in [("auth", "not base64 at all!"), ("_auth", "YWw="), ("auth", "")] {
            assert_eq!(of(field, value), None, "{field} {value}");
        }
    }

    #[test]
    fn armour_comes_off() {
        let body = "AAAAB3NzaC1yc2EAAAADAQABAAABAQDabcdefghijklmnop0123456789+/qrstu";
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let der = secret("k", pem.as_bytes()).unwrap();
        assert!(!der.is_empty());
        assert_eq!(der.as_slice(), decoded(body.as_bytes()).unwrap().as_slice());
        for other in
            [pem.replace('\n', "\\n"), pem.replace('\n', "\r\n"), format!("\"{pem}\""), pem.replace("QD", "Q\nD")]
        {
            assert_eq!(secret("k", other.as_bytes()).as_deref(), Some(&*der), "{other}");
        }
        for cut in [0, 8, 12, 30, 40, 70, pem.len()] {
            let _ = secret("k", &pem.as_bytes()[..cut]);
        }
    }

    #[test]
    fn hostile_values_end() {
        for value in [
            b"-----BEGIN ".repeat(1 << 14),
            b"%".repeat(1 << 16),
            b"://:@".repeat(1 << 14),
            b"=;".repeat(1 << 15),
            vec![0xff; 1 << 16],
        ] {
            let _ = secret("auth", &value);
            let _ = secret("", &value);
        }
    }
}
