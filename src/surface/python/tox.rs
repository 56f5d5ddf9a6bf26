//! `tox.ini` of tox.
//!
//! ```text
//! [testenv]
//! deps =
//!     litellm==1.82.8                one per line, indented; or behind the `=`
//!     py311: pytest==8.0.0           for some environments only
//!     -r{toxinidir}/deps/base.txt    that file is read too, after the walk
//! ```
//!
//! Written by people. A hit proves that the file names the version; not that it was installed. Documented in tox, "Configuration".

use super::{
    include::Includes,
    listing::{Listing, numbered, text},
    pin::exactly,
};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Far above any file of its kind.
const FILE: usize = 4 << 20;

/// `tox.ini`.
pub struct Tox;

static META: Meta = Meta {
    id: "python/tox",
    title: "test environments of tox",
    proves: "the file names the version; not that it was installed",
};

impl Surface for Tox {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("tox.ini")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of tox.ini");
        let text = text(file.all(FILE)?);
        let mut includes = Includes::new(out);
        let mut listing = Listing::new(out, at);
        let mut wanted = false;
        for (number, line) in numbered(&text) {
            let line = line.split(" #").next().unwrap_or_default();
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            let value = if line.starts_with([' ', '\t']) {
                content
            } else if content.starts_with('[') {
                wanted = false;
                continue;
            } else if let Some((key, value)) = content.split_once('=') {
                wanted = matches!(key.trim(), "deps" | "requires" | "constraints");
                value.trim()
            } else {
                continue;
            };
            if wanted {
                let asked = for_some(value);
                includes.add_option(&asked.replace("{toxinidir}/", "").replace("{tox_root}/", ""));
                if let Some(pin) = exactly(asked) {
                    listing.push(pin, Some(number));
                }
            }
        }
        includes.end(out);
        Ok(())
    }
}

/// Without the environments that a line is for: `py311,py312: x`.
fn for_some(line: &str) -> &str {
    let factors = |f: &str| f.chars().all(|c| c.is_ascii_alphanumeric() || "-_.,{}! ".contains(c));
    line.split_once(": ").filter(|(f, _)| factors(f)).map_or(line, |(_, rest)| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    #[test]
    fn dependencies_and_the_files_they_stand_in() {
        let text = "[tox]\nenvlist = py\n[testenv]\ndeps =\n    litellm==1.82.8  # why\n    # a==1\n    py311,py312: b==2\n\
                    \x20   -r{toxinidir}/deps/base.txt\n    -c c.txt\ncommands =\n    pytest litellm==1.0\n[testenv:x]\ndeps = c==3\n";
        let got = read(&Tox, "p/tox.ini", text.as_bytes());
        assert_eq!(got.pins, ["litellm 1.82.8@5", "b 2@7", "c 3@13"]);
        assert_eq!(got.includes, ["python/requirements /p/c.txt", "python/requirements /p/deps/base.txt"]);
        assert!(got.gaps.is_empty());
    }

    #[test]
    fn odd_files_do_no_harm() {
        for text in
            ["", "[", "deps", "deps =", "[testenv]\ndeps = -r", "    x==1", "[testenv]\nnotes = litellm==1.82.8\n"]
        {
            let got = read(&Tox, "p/tox.ini", text.as_bytes());
            assert!(got.pins.is_empty() && got.includes.is_empty(), "{text}");
        }
        assert_eq!(read(&Tox, "p/tox.ini", &b"deps = [".repeat(1 << 20)).gaps.len(), 1);
    }
}
