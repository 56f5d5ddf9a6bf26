//! A file that is one credential as a whole: a token, a wallet, a token cache, a keystore, a history.

use super::{Findings, Found};
use crate::surface::Flaw;

/// Anything but blanks counts; an emptied file holds nothing any more.
pub fn read(bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    if bytes.iter().all(|b| b.is_ascii_whitespace()) {
        return Ok(());
    }
    let tag = is_token(bytes).then(|| out.1.tag("", bytes)).flatten();
    out.push(Found { tag, ..Found::default() })
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
        assert!(count(b"").is_empty() && count(b" \r\n").is_empty());
    }
}
