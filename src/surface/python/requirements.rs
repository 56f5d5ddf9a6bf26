//! Requirement and constraint files of pip, uv and pip-tools.
//!
//! ```text
//! project/
//! ├── *requirement*.txt, *constraint*.txt, also .in, .lock, .pip      in any case: `Requirements.txt`, `app-requirements-prod.txt`
//! ├── *reqs*.txt, *freeze*.txt, *overrides*.txt, *.requirements, requirements
//! ├── requirements/**.txt, requirements/**.in                          `requirements/common/base.txt`
//! └── deps/base.txt                                                   whatever its name, where another file asks for it with `-r`
//!
//! litellm==1.82.8 ; python_version > "3.8" \      `\` at the end joins lines
//!     --hash=sha256:…                             each hash is one file of that version
//! litellm @ https://…/litellm-1.82.8-py3-none-any.whl#sha256=…
//! -r other.txt, -c other.txt                      the other file is read too, after the walk
//! ```
//!
//! Written by people, `pip freeze`, `pip-compile`, `uv export`, `poetry export`; in UTF-8, or UTF-16 when PowerShell redirected.
//! A hit proves that the file pins the version (`==`, `===` or a package file's URL); not that it was installed. Documented as
//! "Requirements File Format" of pip.

use super::{
    FILE,
    include::Includes,
    listing::{Listing, numbered, text},
    pin::{Asked, asked, sha256},
};
use crate::{
    ecosystem::pypi::{is_name, requirement},
    fact::{Artifact, Ecosystem, Package, Requirement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::mostly},
};

/// Ends of their names.
const ENDINGS: &[&str] = &[".txt", ".in", ".pip", ".lock"];
const SHORT_ENDINGS: &[&str] = &[".txt", ".in"];
/// Words in the names of folders in which every file with such an end is one.
const FOLDERS: &[&str] = &["requirement", "constraints", "pip-reqs"];

/// A joined line may have so many bytes; hundreds of hashes fit.
const LINE: usize = 1 << 20;

/// `requirements*.txt` and their kin.
pub struct Requirements;

/// Of this surface.
pub static META: Meta = Meta {
    id: "python/requirements",
    title: "requirement and constraint files",
    proves: "the file pins the version; not that it was installed",
};

impl Surface for Requirements {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let words = [("requirement", ENDINGS), ("constraint", ENDINGS), ("reqs", SHORT_ENDINGS)];
        let by_word = words.into_iter().flat_map(|(word, ends)| ends.iter().map(move |end| Claim::holding(word, end)));
        let lists = ["freeze", "override"].map(|word| Claim::holding(word, ".txt"));
        let alone =
            ["requirements", "Requirements", "REQUIREMENTS", "constraints", "req.txt", "deps.txt", "dependencies.txt"];
        let by_folder =
            FOLDERS.iter().flat_map(|folder| ENDINGS.iter().map(|end| Claim::holding("", end).within_holding(folder)));
        let suffixes = [".requirements", ".constraints"].map(Claim::suffix);
        by_word.chain(lists).chain(alone.map(Claim::name)).chain(by_folder).chain(suffixes).collect()
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (mostly(&text, is_requirement)).then_some("requirements.txt")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the requirement file");
        let interest = file.interest;
        // Constraints ask for nothing.
        let asks = !file.entry.path.name().to_ascii_lowercase().windows(10).any(|w| w == b"constraint");
        let text = text(file.all(FILE)?);
        let mut includes = Includes::new(out);
        let mut listing = Listing::new(out, at);
        let mut flaw = None;
        logical_lines(&text, |number, line| match line {
            Some(line) => {
                includes.add_option(line);
                if unreadable_pin(line, number, interest, asks, &mut listing) {
                    flaw.get_or_insert(Flaw::malformed("requirement file", "a pin without a readable version"));
                }
            }
            None => flaw = Some(Flaw::malformed("requirement file", "a line is too long")),
        });
        listing.end_of_manifest(interest);
        includes.end(out);
        flaw.map_or(Ok(()), Err)
    }
}

/// Hands on each logical line as pip joins them, without comments, with the number of its first line; `None` for one that is
/// too long.
fn logical_lines(text: &str, mut each: impl FnMut(u32, Option<&str>)) {
    let mut joined = String::new();
    let mut first = None;
    let mut too_long = false;
    for (number, line) in numbered(text) {
        let comment = line.trim_start().starts_with('#');
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) if !comment => (part, true),
            _ => (line, false),
        };
        let start = *first.get_or_insert(number);
        too_long |= joined.len().saturating_add(part.len()) > LINE;
        if !too_long {
            // A comment line ends a joined line, and the blank makes it a comment there too.
            joined.push_str(if comment && start != number { " " } else { "" });
            joined.push_str(part);
        }
        if !goes_on {
            each(start, (!too_long).then(|| without_comment(&joined)));
            (first, too_long) = (None, false);
            joined.clear();
        }
    }
    if let Some(start) = first {
        each(start, (!too_long).then(|| without_comment(&joined)));
    }
}

/// `#` starts a comment at the start of a line or after white space only: elsewhere it is part of a URL.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (i, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line.get(..i).unwrap_or_default();
        }
        before = c;
    }
    line
}

/// Lists what a line pins; `true` where it pins a package that somebody asks about to something that is no version.
fn unreadable_pin(line: &str, number: u32, interest: &Interest, asks: bool, listing: &mut Listing<'_, '_>) -> bool {
    let (wanted, hashes) = split_options(line);
    match asked(wanted) {
        Asked::Exactly(mut pin) => {
            let known: Vec<_> = pin.artifacts.iter().filter_map(|a| a.sha256.clone()).collect();
            let new = hashes.filter_map(sha256).filter(|h| !known.contains(h));
            pin.artifacts.extend(new.map(|sha256| Artifact { sha256: Some(sha256), ..Artifact::default() }));
            listing.push(pin, Some(number));
            false
        }
        Asked::Unclear(name) => interest.knows_package(Ecosystem::Pypi, &name),
        Asked::Other => {
            let known = |r: &Requirement| interest.knows_package(Ecosystem::Pypi, &r.name);
            if asks && requirement(wanted).is_some_and(|r| known(&r)) {
                listing.asks_openly(wanted, number);
            }
            false
        }
    }
}

/// The requirement of a line, and the values of its `--hash` options. `-e` and other options have no requirement.
fn split_options(line: &str) -> (&str, impl Iterator<Item = &str>) {
    let line = line.trim();
    let end = match line.starts_with('-') {
        true => 0,
        // pip ends the requirement at the first word that begins with a dash.
        false => [" -", "\t-"].iter().filter_map(|dash| line.find(dash)).min().unwrap_or(line.len()),
    };
    let (wanted, options) = line.split_at_checked(end).unwrap_or((line, ""));
    let options = if wanted.is_empty() { "" } else { options };
    let values = options.split_whitespace().filter_map(|o| {
        let value = o.strip_prefix("--hash=").unwrap_or(o);
        value.starts_with("sha256:").then_some(value)
    });
    (wanted, values)
}

/// Whether a line is a requirement with a version, or an option beside one.
fn is_requirement(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or(line);
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('[').and_then(|r| r.split_once(']')).map_or(rest, |(_, rest)| rest.trim_start());
    let rest = rest.strip_prefix('(').unwrap_or(rest);
    let ranged = ["==", ">=", "<=", "~=", "!=", "<", ">", "@ "].iter().any(|sign| {
        rest.strip_prefix(sign)
            .is_some_and(|r| r.trim_start_matches(['=', ' ']).starts_with(|c: char| c.is_ascii_alphanumeric()))
    });
    is_name(name) && ranged || line.starts_with("--hash=sha256:")
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{claims, read},
        *,
    };

    fn pins(text: &str) -> (Vec<String>, usize) {
        let read = read(&Requirements, "p/requirements.txt", text.as_bytes());
        (read.pins, read.gaps.len())
    }

    #[test]
    fn names_that_are_claimed() {
        for path in [
            "requirements.txt",
            "a/requirements-dev.txt",
            "dev-requirements.txt",
            "requirements.in",
            "constraints.txt",
            "requirements/prod.txt",
            "a/requirements/base.in",
            "Requirements.txt",
            "REQUIREMENTS.TXT",
            "app-requirements-prod.txt",
            "py_requirements_dev.txt",
            "requirement.txt",
            "requirements/common/base.txt",
            "Requirements/Base.TXT",
            "my-requirements/base.txt",
            "prod.requirements",
            "Constraints.txt",
            "upper-constraints.txt",
            "requirements.lock",
            "dev_reqs.txt",
            "pip-freeze-old.txt",
            "requirements",
        ] {
            assert!(claims(&Requirements, path), "{path}");
        }
        for path in [
            "notes.txt",
            "x.egg-info/requires.txt",
            "requirements/README.md",
            "requirements.py",
            "requirements.txt.md",
            "requirements.md",
            "deps/base.txt",
            "require/base.txt",
        ] {
            assert!(!claims(&Requirements, path), "{path}");
        }
    }

    #[test]
    fn a_file_that_uv_exported() {
        let bytes = include_bytes!("../../../tests/fixtures/python-locks/uv-export.sample");
        let read = read(&Requirements, "requirements-export.txt", bytes);
        assert_eq!(read.pins, ["dspy 2.6.0@3", "litellm 1.82.8@8", "my-plugin 0.3.0@13"]);
        let hash = "50c3d2d4dac77433f360ba6bc1cc2aaf363f82c91a32b565854306c382d8dc5f";
        let artifact = Artifact { sha256: Some(hash.into()), ..Artifact::default() };
        assert_eq!((read.artifacts.get(1), read.gaps.len()), (Some(&vec![artifact]), 0));
    }

    #[test]
    fn options_comments_and_ranges_are_nothing() {
        let text = "-r base==1.txt\n--index-url https://u:p@host.example/litellm==1.82.8\n-e ./x#egg=litellm==1.82.8\n\
                    # litellm==1.82.8\n   # litellm==1.82.8\nrequests[security]>=2,<3 # litellm==1.82.8\n\
                    x>=1 \\\n# litellm==1.82.8 \\\na!=1.0\n<<<<<<< HEAD\n=======\n????\n\n-c c.txt\n";
        assert_eq!(pins(text), (vec![], 0));
    }

    #[test]
    fn lines_are_joined_as_pip_joins_them() {
        let text = "lite\\\nllm==1.82.8 # note\n# comment \\\na==1\nb==2 \\\n  --hash=sha256:00 \\\n\nc==3 # x \\\nd==4\ne==5\\";
        let expected = ["litellm 1.82.8@1", "a 1@4", "b 2@5", "c 3@8", "e 5@10"].map(str::to_owned).to_vec();
        assert_eq!(pins(text), (expected, 0));
    }

    #[test]
    fn an_address_gives_name_version_and_hash() {
        let hash = "7bbe164f65099ada05ecfeab47590adfef55461e99a68656ddc001433535b96a";
        // As `pip freeze` of pip 23.2 writes it; the second line repeats the hash in both places.
        let line = format!("hello @ file:///w/hello-1.0-py3-none-any.whl#sha256={hash}");
        let read = read(&Requirements, "requirements.txt", format!("{line}\n{line} --hash=sha256:{hash}\n").as_bytes());
        let file = vec![Artifact {
            name: Some("hello-1.0-py3-none-any.whl".into()),
            sha256: Some(hash.into()),
            ..Artifact::default()
        }];
        assert_eq!(read.pins, ["hello 1.0@1", "hello 1.0@2"]);
        assert_eq!(read.artifacts, [file.clone(), file]);
    }

    #[test]
    fn files_of_powershell_are_read() {
        let text = "\u{feff}litellm==1.82.8\r\nmy_plugin==0.3.0\r\n";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let read = read(&Requirements, "requirements.txt", &wide);
        assert_eq!(read.pins, ["litellm 1.82.8@1", "my-plugin 0.3.0@2"]);
    }

    #[test]
    fn an_unreadable_pin_is_a_gap_only_where_somebody_asks() {
        assert_eq!(pins("other==${V}\nodd line == x\na==1\n"), (vec!["a 1@3".into()], 0));
        assert_eq!(pins("litellm==${V}\na==1\n"), (vec!["a 1@2".into()], 1));
    }

    #[test]
    fn other_files_that_it_names_are_handed_on() {
        let text = "-r base.txt\n--requirement=../up/Deps.in\n-c https://host.example/c.txt\n-c ${HOME}/c.txt\n# -r no.txt\n\
                    -r base.txt\n-r pyproject.toml\n-r ../../../../etc/x\n-r \\\n  joined.txt\na==1 # -r no.txt\n-r tool.py\n";
        let read = read(&Requirements, "p/q/requirements.txt", text.as_bytes());
        let mut want: Vec<_> = ["/etc/x", "/p/q/base.txt", "/p/q/joined.txt", "/p/up/Deps.in"]
            .map(|f| format!("python/requirements {f}"))
            .into();
        want.insert(3, "python/inline-script /p/q/tool.py".to_owned());
        assert_eq!(read.includes, want);
        assert_eq!((read.pins, read.gaps.len()), (vec!["a 1@11".to_owned()], 0));
    }

    #[test]
    fn hostile_files_do_no_harm() {
        let many: String = (0..5000).map(|n| format!("-r {n}.txt\n")).collect();
        assert_eq!(read(&Requirements, "requirements.txt", many.as_bytes()).includes.len(), 1000);
        assert_eq!(pins(&format!("{}\na==1\n", "xx\\\n".repeat(1 << 20))), (vec!["a 1@1048578".into()], 1));
        assert_eq!(pins(&"[".repeat(1 << 20)), (vec![], 0));
        assert_eq!(pins("\u{1b}[2J==1\nlitellm\u{202e}==1.82.8\na\0==1\n"), (vec![], 0));
        let read = read(&Requirements, "requirements.txt", &[0xff; 1 << 16]);
        assert_eq!((read.pins.len(), read.gaps.len()), (0, 0));
        assert_eq!(pins(&"a==1\n".repeat(200_010)).1, 1);
    }
}
