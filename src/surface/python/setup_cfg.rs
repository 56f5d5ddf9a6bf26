//! `setup.cfg` of setuptools.
//!
//! ```text
//! [options]
//! install_requires =                also setup_requires, tests_require
//!     litellm==1.82.8               one per line, indented; or behind the `=`, with `;` between them
//! install_requires = file: a.txt    the files are read too, after the walk
//! [options.extras_require]
//! dev =
//!     pytest==8.0.0
//! ```
//!
//! Written by people. A hit proves that the project asks for the version; not that it was installed. Documented under
//! "Configuring setuptools using setup.cfg files".

use super::{
    include::Includes,
    listing::{Listing, numbered, text},
    pin::exactly,
};
use crate::{
    fact::Package,
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, line_starts},
    },
};

/// Far above any file of its kind.
const FILE: usize = 4 << 20;

/// `setup.cfg`.
pub struct SetupCfg;

static META: Meta = Meta {
    id: "python/setup-cfg",
    title: "manifests of setuptools",
    proves: "the project asks for the version; not that it was installed",
};

impl Surface for SetupCfg {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("setup.cfg")]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "[options]") && line_starts(&text, "install_requires")).then_some("setup.cfg")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of setup.cfg");
        let text = text(file.all(FILE)?);
        let mut includes = Includes::new(out);
        let mut listing = Listing::new(out, at);
        let (mut section, mut wanted, mut files) = ("", false, false);
        for (number, line) in numbered(&text) {
            let line = line.split(" #").next().unwrap_or_default();
            let content = line.trim();
            if content.starts_with(['#', ';']) {
                continue;
            }
            let indented = line.starts_with([' ', '\t']);
            let value = if indented || content.is_empty() {
                content
            } else if let Some(name) = content.strip_prefix('[').and_then(|c| c.strip_suffix(']')) {
                (section, wanted) = (name, false);
                continue;
            } else if let Some((key, value)) = content.split_once(['=', ':']).filter(|_| !is_marker(content)) {
                wanted = holds_requirements(section, key.trim());
                files = value.trim_start().starts_with("file:");
                value
            } else {
                continue;
            };
            if wanted && files {
                value.trim_start().trim_start_matches("file:").split(',').for_each(|file| includes.add(file));
            } else if wanted {
                // What stands behind a `;` is a marker, or on one line the next requirement.
                for pin in value.split(';').filter_map(exactly) {
                    listing.push(pin, Some(number));
                }
            }
        }
        includes.end(out);
        Ok(())
    }
}

/// A line that git left in a conflict: it ends no list.
fn is_marker(line: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker))
}

fn holds_requirements(section: &str, key: &str) -> bool {
    match section {
        "options" => matches!(key, "install_requires" | "setup_requires" | "tests_require" | "dependencies"),
        "options.extras_require" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::read, *};

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = read(&SetupCfg, "p/setup.cfg", text.as_bytes());
        (read.pins, read.gaps.len())
    }

    #[test]
    fn pins_of_the_requirement_lists_and_nothing_else() {
        let text = "[metadata]\nname = x\nversion = litellm==1.0\n[options]\npackages = find:\ninstall_requires =\n    \
                    litellm==1.82.8 ; python_version == '3.8'  # x\n    # a==1\n\n    b>=1\n<<<<<<< HEAD\n    c==1\n=======\n    c==2\n\
                    >>>>>>> b\nsetup_requires = d==1; e==2\npython_requires = ==3.9\nother =\n    z==1\n[options.extras_require]\n\
                    dev =\n\tf==1.0\n[tool:pytest]\ninstall_requires = z==2\n";
        let expected = ["litellm 1.82.8@7", "c 1@12", "c 2@14", "d 1@16", "e 2@16", "f 1.0@22"];
        assert_eq!(pins(text), (expected.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn lists_may_stand_in_other_files() {
        let text = "[metadata]\nlong_description = file: README.md\n[options]\ninstall_requires = file: deps/base.txt, b.txt\n\
                    [options.extras_require]\ndev = file:\n    dev.txt\ntest = litellm==1.82.8\n";
        let read = read(&SetupCfg, "p/setup.cfg", text.as_bytes());
        let want = ["b.txt", "deps/base.txt", "dev.txt"].map(|f| format!("python/requirements /p/{f}"));
        assert_eq!((read.includes, read.pins), (want.to_vec(), vec!["litellm 1.82.8@8".to_owned()]));
    }

    #[test]
    fn hostile_files_do_no_harm() {
        let hostile = "[options]\ninstall_requires =\n  a\u{1b}[2J==1\n  b==1\u{202e}\n  \0\n[[[[\n";
        assert_eq!(pins(hostile), (vec![], 0));
        assert_eq!(pins(&"[".repeat(5 << 20)).1, 1);
    }
}
