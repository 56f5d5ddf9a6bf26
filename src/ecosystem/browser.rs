//! Extensions of browsers: Chrome's by an id of 32 letters from `a` to `p`, which is a hash of a key, Firefox's by an id that looks like a mail
//! address or a UUID in braces. Versions are numbers with dots, where zeros at the end count nothing; Firefox allowed letters.

use std::cmp::Ordering;

use crate::{
    ecosystem::extension::EXTENSION,
    fact::{Ecosystem, TreePath, Unit},
};

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_lowercase, same, order, is_version, admits };

/// How installed extensions of Chrome's kind lie; those of Firefox are single files.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Chrome,
    unit: unit_of,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: None,
    store_entry: |_| None,
};

fn same(known: &str, found: &str) -> bool {
    order(known, found) == Some(Ordering::Equal)
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let numbers = |text: &str| text.split('.').all(super::is_number);
    (numbers(a) && numbers(b)).then(|| super::dotted(a, b))
}

fn is_version(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_+".contains(c));
    text.starts_with(|c: char| c.is_ascii_digit()) && text.len() <= 100 && text.split('.').all(part)
}

fn admits(specifier: &str, version: &str) -> bool {
    order(specifier, specifier).is_none() || same(version, specifier)
}

/// Whether a text is an id of Chrome's kind.
pub fn is_chrome_id(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(|b| matches!(b, b'a'..=b'p'))
}

/// Whether a text is an id of Firefox's kind, safe to show.
pub fn is_firefox_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._@{}+".contains(c);
    let form = text.contains('@') || text.starts_with('{') && text.ends_with('}');
    form && text.len() <= 200 && text.chars().all(plain)
}

/// The folder of an extension's version in which a path lies, and its id: `Extensions/ID/1.2.3_0/…`.
pub fn installed(path: &TreePath) -> Option<(TreePath, String)> {
    let parts: Vec<&[u8]> = path.components().collect();
    let at = parts.windows(2).position(|pair| matches!(pair, [b"Extensions", id] if is_chrome_id(id)))?;
    let folder = parts.get(..at + 3)?;
    let id = String::from_utf8_lossy(parts.get(at + 1)?).into_owned();
    Some((TreePath::new(&folder.join(&b'/'))?, id))
}

/// The version in the name of such a folder: `1.2.3_0`.
pub fn folder_version(name: &[u8]) -> Option<String> {
    let (version, install) = std::str::from_utf8(name).ok()?.rsplit_once('_')?;
    (super::is_number(install) && order(version, version).is_some() && version.len() <= 100).then(|| version.to_owned())
}

fn unit_of(path: &TreePath) -> Option<Unit> {
    // Asked of each file, and most are in no such folder.
    memchr::memmem::find(path.as_bytes(), b"Extensions/")?;
    let (folder, _) = installed(path)?;
    Some(Unit { ecosystem: Ecosystem::Chrome, root: folder.clone(), folder, kind: EXTENSION, usual: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_folders_and_units() {
        let id = "abcdefghijklmnopabcdefghijklmnop";
        assert!(
            is_chrome_id(id.as_bytes()) && !is_chrome_id(b"abcdefghijklmnopabcdefghijklmnoq") && !is_chrome_id(b"a")
        );
        for good in ["uBlock0@raymondhill.net", "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}"] {
            assert!(is_firefox_id(good), "{good}");
        }
        for bad in ["", "x", "{x", "a@b\u{1b}", "a/b@c"] {
            assert!(!is_firefox_id(bad), "{bad}");
        }
        let unit = |path: &str| unit_of(&TreePath::new(path.as_bytes()).unwrap()).map(|u| u.folder.text().to_string());
        let base = format!("home/a/.config/chromium/Default/Extensions/{id}/1.2.3_0");
        assert_eq!(unit(&format!("{base}/js/x.js")), Some(format!("/{base}")));
        for other in [
            "home/a/Extensions/x/1.0_0/y.js",
            &format!("home/a/extensions/{id}/1.0_0/y"),
            &format!("a/Extensions/{id}"),
        ] {
            assert_eq!(unit(other), None, "{other}");
        }
        assert_eq!(folder_version(b"1.2.3_0").as_deref(), Some("1.2.3"));
        for name in [&b"1.2.3"[..], b"_0", b"1.x_0", b"1.2_x", b"Temp", b"\xff_0"] {
            assert_eq!(folder_version(name), None);
        }
    }
}
