//! What the TOML lock files share: a list of tables, each with a name, a version and the files of that version.
//!
//! ```text
//! [[package]]                        uv, poetry, pdm; `[[packages]]` in pylock.toml
//! name = "litellm"
//! version = "1.82.8"
//! source = { registry = "…" }        uv; `[package.source] type = "…"` in poetry; `vcs`, `directory` keys in pylock.toml
//! sdist = { url, hash, size }        uv; `hashes = { sha256 }` in pylock.toml
//! wheels = [{ url, hash, size }, …]
//! files = [{ file, hash }, …]        poetry, pdm (`url` in place of `file` with static URLs)
//!
//! [metadata.files]                   poetry up to 1.2, pdm before 2.8: the files of every package, in a table behind all
//! litellm = [{ file, hash }, …]      pdm: `"litellm 1.82.8"`
//! ```
//!
//! The file is cut where such a table starts, and each piece is parsed alone. So a lock file of any size costs little memory,
//! and a piece that is broken (a conflict that git left) costs only itself: that piece is then read line by line.
//! Packages from a source tree (editable, directory, git) are not those of the index and are left out.

use std::collections::HashMap;

use toml::de::{DeTable, DeValue};

use super::{
    FILE,
    listing::{Listing, numbered, text},
    lock_requires,
    pin::{Pin, artifact_name, package_file, sha256},
    toml_doc::{Lines, field, items, parse, string, table},
};
use crate::{
    ecosystem::pypi::normalise,
    fact::Artifact,
    surface::{Flaw, Opened, Sink},
};

/// Reads a lock file; `what` names the format, and `source` where its time comes from.
///
/// # Errors
/// When it cannot be read at all.
pub fn inspect(
    file: &mut Opened<'_, '_>,
    out: &mut Sink<'_>,
    what: &'static str,
    source: &'static str,
) -> Result<(), Flaw> {
    let at = file.mtime(source);
    let text = text(file.all(FILE)?);
    let mut listing = Listing::new(out, at);
    let files = files_behind(&text, what);
    let mut first = None;
    for piece in pieces(&text) {
        if let Err(flaw) = read_piece(&piece, what, &files, &mut listing) {
            by_line(&piece, &mut listing);
            first.get_or_insert(flaw);
        }
    }
    first.map_or(Ok(()), Err)
}

/// A part of the file that is a document of its own.
struct Piece<'t> {
    text: &'t str,
    /// Lines that precede it.
    before: u32,
}

/// Cuts before each `[[package]]` and before each header that is not below one.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut before = 0_u32;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut length, mut lines) = (0, 0_u32);
        for line in rest.split_inclusive('\n') {
            if length > 0 && starts_piece(line) {
                break;
            }
            length += line.len();
            lines = lines.saturating_add(1);
        }
        let (text, behind) = rest.split_at_checked(length)?;
        let piece = Piece { text, before };
        (rest, before) = (behind, before.saturating_add(lines));
        Some(piece)
    })
}

fn starts_piece(line: &str) -> bool {
    let line = line.trim();
    let below = ["[package.", "[packages.", "[[package.", "[[packages."].iter().any(|start| line.starts_with(start));
    line.starts_with('[') && line.ends_with(']') && !below
}

fn read_piece(
    piece: &Piece<'_>,
    what: &'static str,
    files: &HashMap<String, Vec<Artifact>>,
    listing: &mut Listing<'_, '_>,
) -> Result<(), Flaw> {
    let document = parse(piece.text, what)?;
    let lines = Lines::new(piece.text, piece.before);
    let mut odd = false;
    for item in items(&document, "package").chain(items(&document, "packages")) {
        let Some(entry) = item.get_ref().as_table() else {
            odd = true;
            continue;
        };
        if is_source_tree(entry) {
            continue;
        }
        let line = entry.get("name").and_then(|name| lines.line_of(&name.span()));
        match pin(entry, files) {
            Some(pin) => listing.push(pin, line),
            None => odd |= string(entry, "version").is_some(),
        }
    }
    if odd { Err(Flaw::malformed(what, "a package without a proper name and version")) } else { Ok(()) }
}

/// `None` where the name or version is none, or there is no version at all (a package that computes it when it is built).
fn pin(entry: &DeTable<'_>, files: &HashMap<String, Vec<Artifact>>) -> Option<Pin> {
    let name = string(entry, "name")?;
    let mut pin = match string(entry, "version") {
        Some(version) => Pin::new(name, version)?,
        None => {
            let archive = archives(entry).find_map(|a| address(a).and_then(package_file))?;
            Some(archive).filter(|p| p.name == normalise(name))?
        }
    };
    pin.artifacts = archives(entry).filter_map(|a| artifact(a, &pin.name)).collect();
    pin.requires = lock_requires::of_entry(entry);
    let behind = files.get(&pin.name).or_else(|| files.get(&format!("{} {}", pin.name, pin.version)));
    pin.artifacts.extend(behind.into_iter().flatten().cloned());
    Some(pin)
}

fn is_source_tree(entry: &DeTable<'_>) -> bool {
    let has = |table: &DeTable<'_>, keys: &[&str]| keys.iter().any(|key| table.contains_key(*key));
    let source = table(entry, "source");
    let local_path = string(entry, "path").is_some_and(|path| package_file(path).is_none());
    local_path
        || has(entry, &["vcs", "directory", "git", "hg", "svn", "bzr"])
        || field(entry, "editable").and_then(DeValue::as_bool) == Some(true)
        || source.is_some_and(|s| has(s, &["editable", "virtual", "directory", "git"]))
        || source.and_then(|s| string(s, "type")).is_some_and(|kind| matches!(kind, "git" | "directory"))
}

/// The tables of an entry that describe one downloadable file each.
fn archives<'a, 't>(entry: &'a DeTable<'t>) -> impl Iterator<Item = &'a DeTable<'t>> {
    let single = ["sdist", "archive"].into_iter().filter_map(|key| table(entry, key));
    let lists = ["wheels", "files"].into_iter().flat_map(|key| items(entry, key));
    single.chain(lists.filter_map(|item| item.get_ref().as_table()))
}

fn address<'a>(archive: &'a DeTable<'_>) -> Option<&'a str> {
    ["file", "name", "filename", "url", "path"].into_iter().find_map(|key| string(archive, key))
}

fn artifact(archive: &DeTable<'_>, name: &str) -> Option<Artifact> {
    let hash = string(archive, "hash").or_else(|| string(table(archive, "hashes")?, "sha256"));
    let size = field(archive, "size").and_then(DeValue::as_integer);
    let artifact = Artifact {
        name: address(archive).and_then(|a| artifact_name(a, name)),
        size: size.and_then(|s| s.as_str().parse().ok()),
        sha256: hash.and_then(sha256),
        digest: None,
    };
    (artifact.name.is_some() || artifact.sha256.is_some()).then_some(artifact)
}

/// `[metadata.files]` of old formats, by normalised name or by `name version`.
fn files_behind(text: &str, what: &'static str) -> HashMap<String, Vec<Artifact>> {
    let mut files = HashMap::new();
    for piece in pieces(text).filter(|p| p.text.trim_start().starts_with("[metadata.files]")) {
        // Where it is broken the reading of the pieces says so.
        let Ok(document) = parse(piece.text, what) else {
            continue;
        };
        let Some(listed) = table(&document, "metadata").and_then(|m| table(m, "files")) else {
            continue;
        };
        for (key, list) in listed.iter() {
            let (name, version) = key.get_ref().split_once(' ').unwrap_or((key.get_ref(), ""));
            let name = normalise(name.split('[').next().unwrap_or_default());
            let tables = list.get_ref().as_array().into_iter().flat_map(|a| a.iter());
            let found = tables.filter_map(|t| artifact(t.get_ref().as_table()?, &name)).collect();
            let key = if version.is_empty() { name } else { format!("{name} {version}") };
            files.insert(key, found);
        }
    }
    files
}

/// Every `version = "…"` that follows a `name = "…"`, for a piece that is no TOML: both sides of a conflict.
fn by_line(piece: &Piece<'_>, listing: &mut Listing<'_, '_>) {
    let mut name = None;
    for (number, line) in numbered(piece.text) {
        let line = line.trim();
        if let Some(text) = quoted(line, "name") {
            name = Some(text);
        } else if line.starts_with("[[") {
            name = None;
        } else if let (Some(name), Some(version)) = (name, quoted(line, "version"))
            && let Some(pin) = Pin::new(name, version)
        {
            listing.push(pin, number.checked_add(piece.before));
        }
    }
}

fn quoted<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let value = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            pdm_lock::PdmLock,
            poetry_lock::PoetryLock,
            pylock::Pylock,
            testing::{claims, read},
            uv_lock::UvLock,
        },
        *,
    };
    use crate::surface::Surface;

    const LITELLM: &str = "50c3d2d4dac77433f360ba6bc1cc2aaf363f82c91a32b565854306c382d8dc5f";

    fn uv(text: &str) -> (Vec<String>, Vec<String>) {
        let read = read(&UvLock, "p/uv.lock", text.as_bytes());
        (read.pins, read.gaps)
    }

    fn litellm_file() -> Vec<Artifact> {
        let name = Some("litellm-1.82.8-py3-none-any.whl".to_owned());
        vec![Artifact { name, sha256: Some(LITELLM.to_owned()), ..Artifact::default() }]
    }

    #[test]
    fn files_that_uv_poetry_and_pip_wrote() {
        let real = read(&UvLock, "p/uv.lock", include_bytes!("../../../tests/fixtures/python-locks/uv.lock.sample"));
        // The project itself is no package of the index.
        assert_eq!(real.pins, ["dspy 2.6.0@29", "litellm 1.82.8@40", "my-plugin 0.3.0@48"]);
        assert_eq!((real.artifacts.get(1), real.gaps.len()), (Some(&litellm_file()), 0));

        let real = read(
            &PoetryLock,
            "p/poetry.lock",
            include_bytes!("../../../tests/fixtures/python-locks/poetry.lock.sample"),
        );
        assert_eq!(real.pins, ["dspy 2.6.0@4", "litellm 1.82.8@23", "my-plugin 0.3.0@39"]);
        assert_eq!((real.artifacts.get(1), real.gaps.len()), (Some(&litellm_file()), 0));

        let real =
            read(&Pylock, "pylock.toml", include_bytes!("../../../tests/fixtures/python-locks/pylock.uv.toml.sample"));
        assert_eq!(real.pins, ["dspy 2.6.0@8", "litellm 1.82.8@14", "my-plugin 0.3.0@20"]);
        assert_eq!((real.artifacts.get(1), real.gaps.len()), (Some(&litellm_file()), 0));

        let real =
            read(&Pylock, "pylock.toml", include_bytes!("../../../tests/fixtures/python-locks/pylock.pip.toml.sample"));
        assert_eq!(real.pins, ["litellm 1.82.8@5"]);
        assert_eq!((real.artifacts.first(), real.gaps.len()), (Some(&litellm_file()), 0));
    }

    #[test]
    fn names_that_are_claimed() {
        let claimed: [(&dyn Surface, &str); 5] = [
            (&UvLock, "uv.lock"),
            (&UvLock, "x/tool.py.lock"),
            (&PdmLock, "pdm.lock"),
            (&PdmLock, "pdm.linux.lock"),
            (&Pylock, "pylock.dev.toml"),
        ];
        for (surface, path) in claimed {
            assert!(claims(surface, path), "{path}");
        }
        assert!(!claims(&UvLock, "my-uv.lock") && !claims(&Pylock, "mypylock.toml") && !claims(&PdmLock, "xpdm.lock"));
    }

    #[test]
    fn old_files_have_their_hashes_behind() {
        let text = format!(
            "[[package]]\nname = \"LiteLLM\"\nversion = \"1.82.8\"\n\n[metadata]\nlock-version = \"1.1\"\n\n\
             [metadata.files]\nlitellm = [\n    {{file = \"litellm-1.82.8-py3-none-any.whl\", hash = \"sha256:{LITELLM}\"}},\n]\n"
        );
        let poetry = read(&PoetryLock, "poetry.lock", text.as_bytes());
        assert_eq!((poetry.pins, poetry.artifacts), (vec!["litellm 1.82.8@2".into()], vec![litellm_file()]));
        let text = text.replace("\nlitellm = [", "\n\"litellm 1.82.8\" = [");
        let pdm = read(&PdmLock, "pdm.lock", text.as_bytes());
        assert_eq!((pdm.pins, pdm.artifacts), (vec!["litellm 1.82.8@2".into()], vec![litellm_file()]));
    }

    #[test]
    fn source_trees_are_not_the_package_of_the_index() {
        for source in [
            "source = { editable = \".\" }",
            "source = { virtual = \".\" }",
            "source = { git = \"https://host.example/x?rev=1\" }",
            "editable = true",
            "path = \"./litellm\"",
            "directory = { path = \".\" }",
            "vcs = { type = \"git\" }",
            "[package.source]\ntype = \"directory\"",
        ] {
            let text = format!("[[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\n{source}\n");
            assert_eq!(uv(&text), (vec![], vec![]), "{source}");
        }
        for source in ["source = { url = \"https://host.example/a.whl\" }", "path = \"./litellm-1.82.8.tar.gz\""] {
            let text = format!("[[package]]\r\nname = \"litellm\"\r\nversion = \"1.82.8\"\r\n{source}\r\n");
            assert_eq!(uv(&text), (vec!["litellm 1.82.8@2".into()], vec![]), "{source}");
        }
    }

    #[test]
    fn a_version_may_stand_in_the_file_name_alone() {
        let text = "[[packages]]\nname = \"litellm\"\narchive = { url = \"https://h.example/litellm-1.82.8.zip\" }\n";
        assert_eq!(uv(text), (vec!["litellm 1.82.8@2".into()], vec![]));
        let other = text.replace("\"litellm\"", "\"other\"");
        assert_eq!(uv(&other), (vec![], vec![]));
        assert_eq!(uv("package = [{ name = \"a\", version = \"1\" }]"), (vec!["a 1@1".into()], vec![]));
    }

    #[test]
    fn both_sides_of_a_conflict_are_found_and_a_gap() {
        let text = "[[package]]\nname = \"a\"\nversion = \"1\"\n\n[[package]]\nname = \"litellm\"\n<<<<<<< HEAD\n\
                    version = \"1.82.7\"\n=======\nversion = \"1.82.8\"\n>>>>>>> b\ndependencies = [\n    \
                    { name = \"x\" },\n]\n\n[[package]]\nname = \"b\"\nversion = \"2\"\n";
        let pins = ["a 1@2", "litellm 1.82.7@8", "litellm 1.82.8@10", "b 2@17"].map(str::to_owned).to_vec();
        assert_eq!(uv(text), (pins, vec!["not a valid uv.lock: not TOML".to_owned()]));
    }

    #[test]
    fn hostile_files_are_gaps() {
        let n = 100_000;
        let head = "[[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\n";
        for bomb in [
            format!("x = {}", "[".repeat(n)),
            format!("x = {}1{}", "{a=".repeat(n), "}".repeat(n)),
            format!("{}a = 1", "a.".repeat(n)),
            format!("x = \"{}\"", "y".repeat(3 << 20)),
            "x = \"".into(),
            "\u{0}".into(),
        ] {
            let (pins, gaps) = uv(&format!("{head}{bomb}\n[[package]]\nname = \"b\"\nversion = \"2\"\n"));
            assert_eq!((pins.len(), gaps.len()), (2, 1), "{}", bomb.chars().take(20).collect::<String>());
        }
        for entry in
            ["name = \"a\"\nversion = \"1\\u001b\"", "name = \"a b\"\nversion = \"1\"", "name = 1\nversion = \"1\""]
        {
            let (pins, gaps) = uv(&format!("[[package]]\n{entry}\n"));
            assert_eq!((pins.len(), gaps.len()), (0, 1), "{entry}");
        }
        assert_eq!(uv(""), (vec![], vec![]));
        assert_eq!(uv("package = 1\n[[package]]\nname=\"a\"\nversion=\"1\"").0.len(), 1);
        assert_eq!(uv("package = [1]").1.len(), 1);
        assert_eq!(uv(&"[[package]]\n".repeat(50_000)), (vec![], vec![]));
    }
}
