//! Files that a manifest names: `-r deps/base.txt` of a requirement file, `file: deps/base.txt` of `setup.cfg`. What they are called
//! says nothing, so they are read because they are named.

use std::collections::BTreeSet;

use super::{inline_script, requirements};
use crate::{
    fact::{Fact, TreePath},
    surface::Sink,
};

/// More than any file names.
const MOST: usize = 1000;

/// Long and short names of the options of pip and uv that name such files.
const OPTIONS: &[&str] =
    &["--requirements", "--requirement", "--constraints", "--constraint", "--overrides", "--override"];
const SHORT: &[&str] = &["-r", "-c"];

/// Takes the names that stand in one file.
pub struct Includes {
    folder: TreePath,
    found: BTreeSet<(TreePath, &'static str)>,
}

impl Includes {
    /// For the file that `out` reports on.
    pub fn new(out: &Sink<'_>) -> Self {
        Self { folder: out.origin().path.parent(), found: BTreeSet::new() }
    }

    /// A path as written, relative to the folder of the file.
    pub fn add(&mut self, text: &str) {
        let folder = self.folder.clone();
        self.add_from(&folder, text);
    }

    /// A path as written, relative to a folder.
    pub fn add_from(&mut self, folder: &TreePath, text: &str) {
        let path = text.trim();
        let path = path.strip_prefix("file://").or_else(|| path.strip_prefix("file:")).unwrap_or(path);
        // Variables, patterns and other machines lead nowhere that is known here.
        if path.is_empty() || path == "-" || path.contains("://") || path.contains(['$', '*', '?', '{', '\0']) {
            return;
        }
        let Some((file, surface)) = folder.resolve(path.as_bytes()).and_then(|f| Some((f.clone(), reader(&f)?))) else {
            return;
        };
        if self.found.len() < MOST {
            self.found.insert((file, surface));
        }
    }

    /// The file that an option of pip or uv names, where a line is one.
    pub fn add_option(&mut self, line: &str) {
        if let Some(path) = named_by_option(line) {
            self.add(&path);
        }
    }

    /// Hands on what was named.
    pub fn end(self, out: &mut Sink<'_>) {
        for (file, surface) in self.found {
            out.push(None, Fact::Includes { file, surface });
        }
    }
}

/// The surface that reads a file of this name; `None` for manifests, which are read wherever they stand.
fn reader(file: &TreePath) -> Option<&'static str> {
    let name = file.name();
    if name.is_empty() || name.ends_with(b".toml") || name == b"setup.cfg" || name == b"setup.py" {
        return None;
    }
    Some(if name.ends_with(b".py") { inline_script::META.id } else { requirements::META.id })
}

/// `-r x`, `-rx`, `--requirement x`, `--requirement=x`, also in quotes.
fn named_by_option(line: &str) -> Option<String> {
    let line = line.trim();
    let value = OPTIONS.iter().find_map(|option| {
        let rest = line.strip_prefix(option)?;
        rest.starts_with(|c: char| c == '=' || c.is_whitespace()).then_some(rest)
    });
    let value = value.or_else(|| SHORT.iter().find_map(|option| line.strip_prefix(option)))?;
    let value = value.trim_start();
    first_word(value.strip_prefix('=').unwrap_or(value).trim_start())
}

/// The first word as a shell takes it: quotes and backslashes off.
fn first_word(text: &str) -> Option<String> {
    let (mut word, mut quote) = (String::new(), None);
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.extend(letters.next()),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => break,
            (c, _) => word.push(c),
        }
    }
    (!word.is_empty()).then_some(word)
}

/// The files that the options of a command line name: `pip install -r a.txt -c b.txt`.
pub fn named_by_command(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().map(|w| w.trim_matches(['"', '\'', ',', '[', ']', ';'])).collect();
    let installs = |w: &&str| matches!(w.rsplit('/').next(), Some("pip" | "pip3" | "uv" | "pip-sync" | "pip-compile"));
    let Some(from) = words.iter().position(installs) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut rest = words.into_iter().skip(from);
    while let Some(word) = rest.next() {
        let alone = SHORT.contains(&word) || OPTIONS.contains(&word);
        let named = if alone { rest.next().map(str::to_owned) } else { named_by_option(word) };
        found.extend(named.filter(|_| found.len() < MOST));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_name_files_in_every_form() {
        for (line, path) in [
            ("-r base.txt", "base.txt"),
            ("-rbase.txt", "base.txt"),
            ("  --requirement base.txt", "base.txt"),
            ("--requirement=base.txt", "base.txt"),
            ("--requirement \"my base.txt\" ", "my base.txt"),
            ("-c '../c.txt'", "../c.txt"),
            ("--constraint=c.txt --pre", "c.txt"),
            (r"-r my\ base.txt", "my base.txt"),
        ] {
            assert_eq!(named_by_option(line).as_deref(), Some(path), "{line}");
        }
        for line in
            ["--requirements-from-script x", "--require-hashes", "-e ./x", "--pre", "-r", "-r ''", "base.txt", ""]
        {
            assert_eq!(named_by_option(line), None, "{line}");
        }
    }

    #[test]
    fn the_readers_are_surfaces() {
        for name in ["base.txt", "job.py", "base"] {
            let id = reader(&TreePath::new(name.as_bytes()).unwrap()).unwrap();
            assert!(crate::surface::SURFACES.iter().any(|s| s.meta().id == id), "{id}");
        }
        assert_eq!(reader(&TreePath::new(b"pyproject.toml").unwrap()), None);
    }

    #[test]
    fn commands_name_files() {
        let named = |text: &str| named_by_command(text).join(" ");
        assert_eq!(named("apt-get -c x && pip install --no-cache-dir -r a.txt -cb.txt"), "a.txt b.txt");
        assert_eq!(named("[\"pip\", \"install\", \"-r\", \"a.txt\"]"), "a.txt");
        assert_eq!(named("uv pip install --requirement=a.txt; rm -r b.txt"), "a.txt b.txt");
        assert_eq!(named("grep -r x ."), "");
        assert_eq!(named(&"pip -r ".repeat(10_000)).len(), "pip ".len() * MOST - 1);
    }
}
