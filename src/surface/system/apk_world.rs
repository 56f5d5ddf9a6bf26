//! What the administrator of an Alpine wants installed.
//!
//! ```text
//! etc/apk/world
//! │   alpine-base
//! │   xz=5.6.1-r0                   one version; `>1.0`, `~1.0` and `@repository` name none
//! ```
//!
//! A hit proves that somebody asked for the version; not that it is installed. Documented in apk-world(5).

use super::{fact, text_lines};
use crate::{
    fact::{Ecosystem, Placement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// `etc/apk/world`.
pub struct ApkWorld;

static META: Meta = Meta {
    id: "system/apk-world",
    title: "what apk keeps installed",
    proves: "somebody asked for the version; not that it is installed",
};

impl Surface for ApkWorld {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("world").in_tail("etc/apk")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of world");
        let mut odd = false;
        text_lines::each(file, &mut |line, number| {
            // Several on a line, as older versions wrote them.
            for word in line.split_whitespace().take(10_000) {
                odd |= !word.bytes().all(|b| b.is_ascii_graphic());
                if let Some((name, version)) = word.split_once('=')
                    && let Some(found) = fact(Ecosystem::Apk, name, version, Placement::Listed)
                {
                    out.push_at(None, Some(number), at.clone(), found);
                }
            }
        })?;
        if odd { Err(Flaw::malformed("world of apk", "words of another form than names")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn of(text: &str) -> Vec<String> {
        let said = said(&ApkWorld, "etc/apk/world", text.as_bytes(), &[]);
        said.iter().map(|line| line.replace(" 2026-03-24T11:00:00Z", "")).collect()
    }

    #[test]
    fn one_version_is_named() {
        assert_eq!(of("alpine-base\nxz=5.6.1-r0\n"), ["xz 5.6.1-r0 Listed :2"]);
        for text in ["", "xz\n", "xz>5.6\nxz~5.6\nxz@edge\n!xz\n", "xz>=5.6.1-r0\nxz<=5.6.1-r0\n"] {
            assert!(of(text).is_empty(), "{text}");
        }
        assert!(of("\u{0}")[0].starts_with("flaw: "));
        assert_eq!(of("a\u{1b}=1.0\n").len(), 1);
    }
}
