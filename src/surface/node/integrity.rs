//! What lock files and caches write for the bytes of an archive, taken apart into the hashes that indicators have.
//!
//! ```text
//! sha512-<base64>                 one or several, apart by spaces (Subresource Integrity): npm, pnpm, yarn classic, bun, Deno
//! https://…/axios-1.14.1.tgz#<40 hex>      yarn classic: SHA-1
//! content-v2/sha512/aa/bb/<124 hex>        npm's cache: the same hash in hex
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{fact::Artifact, text::hex};

/// Hashes of one archive that are taken; a lock file has one.
const HASHES: usize = 4;
/// Longer texts are none.
const LONGEST: usize = 600;

/// The hashes of an integrity, as `sha512:<hex>`.
pub fn digests(integrity: &str) -> impl Iterator<Item = String> {
    let words = if integrity.len() > LONGEST { "" } else { integrity };
    words.split_ascii_whitespace().take(HASHES).filter_map(|word| {
        let (algorithm, encoded) = word.split_once('-')?;
        let bytes = STANDARD.decode(encoded.split('?').next()?).ok()?;
        let length = match algorithm {
            "sha1" => 20,
            "sha256" => 32,
            "sha384" => 48,
            "sha512" => 64,
            _ => return None,
        };
        (bytes.len() == length).then(|| format!("{algorithm}:{}", hex(&bytes)))
    })
}

/// The SHA-1 behind an address of yarn classic.
pub fn behind(address: &str) -> Option<String> {
    let sha1 = address.rsplit_once('#')?.1;
    (sha1.len() == 40 && sha1.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
        .then(|| format!("sha1:{sha1}"))
}

/// An archive with these bytes.
pub fn archive(digest: String) -> Artifact {
    match digest.strip_prefix("sha256:") {
        Some(sha256) => Artifact { sha256: Some(sha256.to_owned()), ..Artifact::default() },
        None => Artifact { digest: Some(digest.into()), ..Artifact::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_gives_its_hash() {
        let of = |text: &str| digests(text).collect::<Vec<_>>();
        // Of the empty text, by `sha1sum` and `openssl`.
        assert_eq!(of("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="), ["sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"]);
        let two = of("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=?x");
        assert_eq!(two.first().map(String::len), Some(71));
        assert_eq!(two.len(), 2);
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert_eq!(behind(&format!("https://registry.example/x.tgz#{sha1}")), Some(format!("sha1:{sha1}")));
        for text in ["", "sha512-x", "md5-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha1", "sha512-2jmj7l5rSw0yVb/vlWAYkK/YBwk="]
        {
            assert_eq!(of(text), [""; 0], "{text}");
        }
        assert_eq!(of(&"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= ".repeat(100_000)), [""; 0]);
        for text in ["https://registry.example/x.tgz", "x#main", "#DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"] {
            assert_eq!(behind(text), None, "{text}");
        }
    }
}
