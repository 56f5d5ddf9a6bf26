//! A file that is one credential as a whole: a token, a wallet, a token cache, a keystore, a history.

use super::{Findings, Found, identity};
use crate::surface::Flaw;

/// Anything but blanks counts; an emptied file holds nothing any more.
pub fn read(bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    if bytes.iter().all(|b| b.is_ascii_whitespace()) {
        return Ok(());
    }
    let whole = is_token(bytes);
    let tag = whole.then(|| out.1.tag("", bytes)).flatten();
    let identifier = whole.then(|| identity::token(bytes)).flatten();
    out.push(Found { identifier, tag, ..Found::default() })
}

/// Whether the file is one word. What programs write into caches and databases changes while the secret in it stays, and of a
/// longer file only the start was read.
fn is_token(bytes: &[u8]) -> bool {
    let word = bytes.trim_ascii();
    let plain = word.iter().all(u8::is_ascii_graphic) && !word.starts_with(b"{") && !word.starts_with(b"[");
    plain && bytes.len() < super::OPAQUE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_holds_nothing() {
        let count = |bytes: &[u8]| {
            let mut out = Findings::default();
            read(bytes, &mut out).unwrap();
            out.0
        };
        assert_eq!(count(b"hvs.CANARY\n"), [Found::default()]);
        assert_eq!(count(b"\0"), [Found::default()]);
        // A token that says its own number: {"jti":"2b76b98d-e185-4970-918e-6fa3f30606ab"}.
        let token = b"e30.eyJqdGkiOiIyYjc2Yjk4ZC1lMTg1LTQ5NzAtOTE4ZS02ZmEzZjMwNjA2YWIifQ.CANARY\n";
        let found = count(token);
        assert_eq!(found[0].identifier.as_deref(), Some("JTI=2b76b98d-e185-4970-918e-6fa3f30606ab"));
        assert!(!format!("{found:?}").contains("CANARY"));
        assert!(count(b"").is_empty() && count(b" \r\n").is_empty());
    }
}
