//! What was read of a machine, kept without judging, so that the indicators of tomorrow are answered without another look at it.
//!
//! ```text
//! {"format":"dosimeter-inventory","version":1,…}     the head
//! {"read":{"surface":…,"file":…,"facts":[…]}}        a file, as a surface read it
//! {"folder":…} {"gap":…} {"exclusion":…} …           what else the walk met
//! {"end":{"lines":…,"accounts":…}}                   without it the inventory is not whole
//! ```
//!
//! One JSON object a line; compressed with zstd where the file's name ends in `.zst`. It holds no raw words of commands, nothing of
//! an address before `@` or behind `?`, and no secret: what it is made of are facts, and no fact can hold one.

mod packed;
mod read;
mod recorded;
mod redact;
pub mod sbom;
pub mod v1;
mod write;

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{LazyLock, Mutex, PoisonError},
};

use crate::coverage::Weight;

pub use self::{
    packed::{Packed, Packing},
    read::{Begins, EachName, Flaw, Stored, Today, begins, replay, stored, unpacked},
    recorded::{Recorded, UnreadFile},
    write::Writing,
};

/// Bytes of one line, unpacked.
pub const LINE: usize = 24 << 20;
/// Different fixed words of inventories, such as ids of surfaces.
const WORDS: usize = 4096;
/// Different names of times that are kept for good.
const SOURCES: usize = 1024;

/// What a file weighs that no surface can read and that this program wrote, under whatever name it lies there: it names what was
/// found, and nothing is installed from it. `None` for any other. A file that a surface can read is never asked about: who puts such
/// a first line into a history hides nothing.
pub fn weigh_own(bytes: &[u8]) -> Option<Weight> {
    let own = match begins(bytes) {
        Begins::Inventory(_) | Begins::Newer | Begins::Ours => true,
        Begins::Sbom | Begins::Neither => crate::ioc::is_ours(bytes.get(..64 << 10).unwrap_or(bytes)),
    };
    own.then_some(Weight::Nothing)
}

/// Whether the start of a stream may be that of something to judge, rather than a list of files.
pub fn may_be(start: &[u8]) -> bool {
    let packed = start.starts_with(b"\x28\xb5\x2f\xfd") || start.starts_with(b"\x1f\x8b");
    packed || start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start().starts_with(b"{")
}

/// Whether the start of a file is that of an inventory, so that a new one may take its place.
pub fn is_ours(head: &[u8]) -> bool {
    const MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";
    let begin = format!("{{\"format\":\"{}\"", v1::FORMAT);
    if !head.starts_with(MAGIC) {
        return head.starts_with(begin.as_bytes());
    }
    use std::io::Read as _;
    let mut start = Vec::new();
    let opened = zstd::stream::read::Decoder::new(head);
    let read = opened.map(|d| d.take(256).read_to_end(&mut start));
    // The head was cut: what came before the end counts.
    let _ = read;
    start.starts_with(begin.as_bytes())
}

/// A word of which there are few, for good; `None` where it has no ordinary form or there are too many. Another version of this
/// program may know more ids than this one.
pub(crate) fn fixed(word: &str) -> Option<&'static str> {
    static KNOWN: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    kept_in(&KNOWN, word, WORDS)
}

/// What a time is called. There are few such names, and packages whose time has one of them are kept small; those of a hostile
/// inventory take no room from ids.
pub(crate) fn source(name: String) -> Cow<'static, str> {
    static KNOWN: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    kept_in(&KNOWN, &name, SOURCES).map_or(Cow::Owned(name), Cow::Borrowed)
}

fn kept_in(known: &Mutex<HashSet<&'static str>>, word: &str, most: usize) -> Option<&'static str> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = known.get(word) {
        return Some(word);
    }
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    if word.len() > 80 || !word.chars().all(plain) || known.len() >= most {
        return None;
    }
    let kept: &'static str = Box::leak(word.into());
    known.insert(kept);
    Some(kept)
}

/// Takes out of every address in a text what stands before its `@` and behind its `?`.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at_checked(at + 3).unwrap_or((rest, ""));
        clean.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`'));
        let (address, behind) = after.split_at_checked(end.unwrap_or(after.len())).unwrap_or((after, ""));
        let host_end = address.find(['/', '?', '#']).unwrap_or(address.len());
        let (host, path) = address.split_at_checked(host_end).unwrap_or((address, ""));
        clean.push_str(host.rsplit('@').next().unwrap_or(host));
        match path.split_once('?') {
            None => clean.push_str(path),
            Some((path, query)) => {
                clean.push_str(path);
                clean.extend(query.split_once('#').map(|(_, fragment)| format!("#{fragment}")));
            }
        }
        rest = behind;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_may_be_secret() {
        for (text, clean) in [
            ("x @ https://al:pw@h.example/p?token=1#sha", "x @ https://h.example/p#sha"),
            ("git+ssh://git@h.example/r.git", "git+ssh://h.example/r.git"),
            ("https://h.example/@scope/x", "https://h.example/@scope/x"),
            ("a https://u@h?q=1 b https://v@i", "a https://h b https://i"),
            ("no address @ all? none", "no address @ all? none"),
            ("https://a@b@c/d", "https://c/d"),
            ("://", "://"),
        ] {
            assert_eq!(without_secrets(text), clean);
        }
    }

    #[test]
    fn only_words_of_an_ordinary_form_are_kept() {
        assert_eq!(fixed("python/x"), Some("python/x"));
        assert_eq!((fixed("a\nb"), fixed(&"x".repeat(81))), (None, None));
    }

    #[test]
    fn the_source_of_a_time_is_kept_whatever_it_is() {
        assert!(matches!(source("mtime of METADATA".to_owned()), Cow::Borrowed("mtime of METADATA")));
        let long = "x".repeat(81);
        assert!(matches!(source(long.clone()), Cow::Owned(name) if name == long));
        let own = Mutex::default();
        assert_eq!((kept_in(&own, "a", 1), kept_in(&own, "b", 1), kept_in(&own, "a", 1)), (Some("a"), None, Some("a")));
    }
}
