//! `setup.py` of setuptools and distutils.
//!
//! ```text
//! setup(
//!     install_requires=["litellm==1.82.8", 'requests'],     also extras_require, setup_requires, tests_require
//! )
//! ```
//!
//! It is a program, and is not run: what counts are texts in quotes that are a requirement and nothing else, outside of comments. So a
//! list that is read from a file or put together is not seen, and one that asks for nothing is. A hit proves that the file names
//! the version; not that it was installed. Documented under "Dependencies Management in Setuptools".

use super::{
    listing::{Listing, numbered, text},
    pin::exactly,
};
use crate::{
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Far above any file of its kind.
const FILE: usize = 4 << 20;

/// `setup.py`.
pub struct SetupPy;

static META: Meta = Meta {
    id: "python/setup-py",
    title: "setup programs of Python projects",
    proves: "the file names the version in quotes; not that it was installed",
};

impl Surface for SetupPy {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("setup.py")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("setup(") && text.contains("install_requires")).then_some("setup.py")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of setup.py");
        let text = text(file.all(FILE)?);
        let mut listing = Listing::new(out, at);
        for (number, line) in numbered(&text) {
            for pin in quoted(line).into_iter().filter_map(exactly) {
                listing.push(pin, Some(number));
            }
        }
        Ok(())
    }
}

/// The texts in quotes on a line, up to a comment. Those of several lines are prose.
fn quoted(line: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), line);
    while let Some((before, quote, behind)) =
        rest.find(['"', '\'']).and_then(|at| Some((rest.get(..at)?, rest.get(at..at + 1)?, rest.get(at + 1..)?)))
    {
        if before.contains('#') {
            break;
        }
        let Some((inside, after)) = behind.split_once(quote) else {
            break;
        };
        found.push(inside);
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    fn pins(text: &str) -> Vec<String> {
        let read = read(&SetupPy, "p/setup.py", text.as_bytes());
        assert!(read.gaps.is_empty());
        read.pins
    }

    #[test]
    fn requirements_in_quotes() {
        let text = "from setuptools import setup\nsetup(\n    name='x', install_requires=[\"litellm[proxy]==1.82.8\", 'y>=1'],\n    \
                    extras_require={'a': ['litellm == 1.82.7 ; python_version > \"3\"']}, # 'litellm==1.82.6'\n)\n";
        assert_eq!(pins(text), ["litellm 1.82.8@3", "litellm 1.82.7@4"]);
    }

    #[test]
    fn comments_prose_and_other_texts() {
        for text in [
            "# 'litellm==1.82.8'\n",
            "x = 1  # was \"litellm==1.82.8\"\n",
            "description='never take litellm==1.82.8'\n",
            "'''\nlitellm==1.82.8\n'''\n",
            "['litellm!=1.82.8', 'litellm>=1.82.7,<1.82.8', 'litellm==1.82.*']\n",
            "litellm==1.82.8\n",
            "'litellm==' + '1.82.8'\n",
            "'litellm==1.82.8",
            "",
        ] {
            assert!(pins(text).is_empty(), "{text}");
        }
        assert!(pins(&"'\"".repeat(100_000)).is_empty());
        assert!(pins(&"'é'#".repeat(1000)).is_empty());
    }
}
