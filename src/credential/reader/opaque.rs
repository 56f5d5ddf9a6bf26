//! A file that is one credential as a whole: a token, a wallet, a token cache, a keystore, a history.

use super::{Findings, Found};
use crate::surface::Flaw;

/// Anything but blanks counts; an emptied file holds nothing any more.
pub fn read(bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    if bytes.iter().all(|b| b.is_ascii_whitespace()) {
        return Ok(());
    }
    out.push(Found::default())
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
