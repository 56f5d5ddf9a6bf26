//! What a log of npm says of its run as a whole: the folder that its paths are relative to, and which packages it put there without
//! running a script of theirs.
//!
//! ```text
//! 3 silly config load:file:/srv/a/.npmrc            the project; of a global run only <prefix>/etc/npmrc
//! 8 verbose argv "exec" "--package" "cowsay@1.5.0"  npx: <cache>/_npx/<first 16 digits of the SHA-512 of the packages>
//! 62 silly ADD node_modules/axios                   put there, or `CHANGE`; of a run that failed it was taken out again
//! 71 verbose exit 0
//! ```
//!
//! Volta runs npm in a folder of its own, and gives that its place afterwards: `<volta>/tmp/image/packages/.tmpAb12` is
//! `<volta>/tools/image/packages/axios` then. Not documented; read in Volta's sources and watched.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha512};

use super::identity::{is_name, is_version, package};
use crate::{
    ecosystem::npm::{layout::package_of, reference, volta::in_its_place},
    fact::{Ecosystem, Fact, Placement, ScriptOutcome, TreePath},
    interest::Interest,
    text::hex,
};

/// Packages that are taken of one log.
const ADDED: usize = 2000;

/// A run of npm.
pub struct Run {
    /// What paths of packages are relative to.
    base: Option<TreePath>,
    /// Versions by the path that the log has for a package, and by its name.
    versions: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// Packages that an indicator names.
    added: Vec<Added>,
    /// Folders of which a script was started.
    started: BTreeSet<TreePath>,
    /// It ended without a fault.
    ended_well: bool,
}

/// A package that was put somewhere.
struct Added {
    folder: TreePath,
    /// The same as the log has it.
    path: Box<str>,
    name: Box<str>,
    line: u32,
}

impl Run {
    /// Reads the messages of a log.
    pub fn new<'l>(log: &TreePath, messages: impl Iterator<Item = &'l str>) -> Self {
        let (mut cwd, mut argv, mut files, mut ended_well) = (None, Vec::new(), Vec::new(), false);
        for text in messages {
            if let Some(folder) = text.strip_prefix("verbose cwd ") {
                cwd = TreePath::root().resolve(folder.trim().as_bytes());
            } else if let Some(words) = text.strip_prefix("verbose argv ") {
                argv = quoted(words);
            } else if let Some((_, file)) =
                text.split_once(" config:load:file:").or(text.split_once(" config load:file:"))
            {
                // npm 8 and 9 add the time that it took.
                let file = file.split(" Completed in ").next().unwrap_or(file);
                files.extend(TreePath::root().resolve(file.trim().as_bytes()));
            } else if text.starts_with("verbose exit ") {
                ended_well = text == "verbose exit 0";
            }
        }
        let base = base(log, cwd.as_ref(), &argv, &files);
        Self { base, versions: BTreeMap::new(), added: Vec::new(), started: BTreeSet::new(), ended_well }
    }

    /// The folder of a package by the path that the log has for it: where it stands once the run is over.
    pub fn folder(&self, path: &str) -> Option<TreePath> {
        self.base.as_ref()?.resolve(path.as_bytes()).map(in_its_place)
    }

    /// Remembers that a script of the package in a folder was started.
    pub fn start(&mut self, folder: &TreePath) {
        self.started.insert(folder.clone());
    }

    /// Reads a line about a package that was put somewhere.
    pub fn add(&mut self, text: &str, line: u32, interest: &Interest) {
        self.note_version(text, interest);
        let path = text.strip_prefix("silly ADD ").or_else(|| text.strip_prefix("silly CHANGE "));
        let Some((path, folder)) = path.and_then(|path| Some((path, self.folder(path)?))) else {
            return;
        };
        if let Some(installed) = package_of(&folder).filter(|i| i.folder == folder)
            && is_name(&installed.name)
            && interest.knows_package(Ecosystem::Npm, &installed.name)
            && self.added.len() < ADDED
        {
            self.added.push(Added { folder, path: path.into(), name: installed.name, line });
        }
    }

    /// `silly placeDep ROOT axios@1.14.1 OK`, `silly placeDep node_modules/a axios@1.14.1 OK`, `http fetch GET 200 https://….tgz`
    fn note_version(&mut self, text: &str, interest: &Interest) {
        let (at, package) = match text.strip_prefix("silly placeDep ") {
            Some(placed) => {
                let mut words = placed.split(' ');
                (words.next(), words.next().map(reference::locator))
            }
            None => {
                (None, text.strip_prefix("http fetch GET 200 ").and_then(|f| f.split(' ').next()).map(reference::read))
            }
        };
        let Some((name, version)) = package.as_ref().and_then(|p| Some((p.name.as_deref()?, p.version()?))) else {
            return;
        };
        if !is_name(name) || !is_version(version) || !interest.knows_package(Ecosystem::Npm, name) {
            return;
        }
        let place = at.map(|at| match at {
            "ROOT" => format!("node_modules/{name}"),
            above => format!("{above}/node_modules/{name}"),
        });
        for key in place.as_deref().into_iter().chain([name]) {
            if self.versions.len() < ADDED || self.versions.contains_key(key) {
                let known = self.versions.entry(key.into()).or_default();
                if known.len() < 2 {
                    known.insert(version.into());
                }
            }
        }
    }

    /// The packages that it put there in a version that the log says, with their lines. Of a run that failed nothing is left.
    pub fn recorded(&self) -> Vec<(u32, Fact)> {
        let of = |key: &str| match self.versions.get(key)?.iter().collect::<Vec<_>>().as_slice() {
            [version] => Some((*version).clone()),
            _ => None,
        };
        let fact = |added: &Added| {
            let version = of(&added.path).or_else(|| of(&added.name))?;
            let package = package(&added.name, &version, Placement::Loadable);
            Some((added.line, Fact::Recorded { package, folder: added.folder.clone() }))
        };
        self.added.iter().filter(|_| self.ended_well).filter_map(fact).collect()
    }

    /// The packages of which no script was run when they were put there, with their lines. npm writes a line before each that it runs.
    pub fn skipped(self) -> impl Iterator<Item = (u32, Fact)> {
        let (started, ended_well) = (self.started, self.ended_well);
        let left = self.added.into_iter().filter(move |added| ended_well && !started.contains(&added.folder));
        left.map(|Added { folder, name, line, .. }| {
            let (version, folder, outcome) = ("".into(), Some(folder), ScriptOutcome::Skipped);
            (line, Fact::InstallScript { name, version, folder, outcome })
        })
    }
}

fn base(log: &TreePath, cwd: Option<&TreePath>, argv: &[String], files: &[TreePath]) -> Option<TreePath> {
    let has = |words: &[&str]| argv.iter().any(|a| words.contains(&a.as_str()));
    if argv.first().is_some_and(|verb| matches!(verb.as_str(), "exec" | "x")) {
        return Some(log.parent().parent().join(b"_npx").join(npx_folder(argv)?.as_bytes()));
    }
    if has(&["--global", "-g", "--location=global"]) {
        let prefix =
            files.iter().rev().find(|f| f.name() == b"npmrc" && f.parent().name() == b"etc")?.parent().parent();
        // On Windows there is no `lib`.
        return Some(prefix.join(b"lib"));
    }
    // From a folder below the project npm works in the project, whose settings it reads first. npm 8 and 9 write no working folder.
    let is_above = |f: &&TreePath| f.name() == b".npmrc" && cwd.is_none_or(|cwd| cwd.is_within(&f.parent()));
    files.iter().find(is_above).map(TreePath::parent).or_else(|| cwd.cloned())
}

/// The name of the folder in which npx installs what it was asked to run.
fn npx_folder(argv: &[String]) -> Option<String> {
    let mut packages: Vec<&str> = Vec::new();
    let mut words = argv.iter().skip(1).map(String::as_str);
    let mut first = None;
    while let Some(word) = words.next() {
        match word {
            "--" => {
                first = first.or_else(|| words.next());
                break;
            }
            "--package" | "-p" => packages.extend(words.next()),
            _ if word.starts_with("--package=") => packages.extend(word.strip_prefix("--package=")),
            _ if word.starts_with('-') => {}
            _ => {
                first = Some(word);
                break;
            }
        }
    }
    if packages.is_empty() {
        packages.extend(first);
    }
    packages.sort_unstable();
    let name = hex(&Sha512::digest(packages.join("\n")));
    (!packages.is_empty()).then(|| name.get(..16).map(str::to_owned)).flatten()
}

/// `"a" "b \" c"`
fn quoted(words: &str) -> Vec<String> {
    serde_json::Deserializer::from_str(words).into_iter::<String>().map_while(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_of(lines: &str) -> Option<String> {
        let log = TreePath::new(b"h/.npm/_logs/x-debug-0.log").unwrap();
        Run::new(&log, lines.lines()).base.map(|b| b.text().into_owned())
    }

    #[test]
    fn paths_are_relative_to_where_npm_worked() {
        for (lines, base) in [
            ("verbose argv \"install\"\nverbose cwd /srv/a", Some("/srv/a")),
            (
                "silly config load:file:/usr/lib/node_modules/npm/npmrc\nsilly config load:file:/srv/a/.npmrc\nsilly config load:file:/h/.npmrc\nverbose cwd /srv/a/src/x",
                Some("/srv/a"),
            ),
            ("timing config:load:file:/srv/a/.npmrc Completed in 1ms\nverbose cwd /srv/a/src", Some("/srv/a")),
            (
                "silly config load:file:/h/.npmrc\nsilly config load:file:/h/.npm-global/etc/npmrc\nverbose argv \"install\" \"--global\" \"x\"\nverbose cwd /srv/a",
                Some("/h/.npm-global/lib"),
            ),
            // The folders that npm 10 made of `npx` and `npm exec --package=my-plugin`; the digits by `sha512sum`.
            (
                "verbose argv \"exec\" \"--yes\" \"--package\" \"my-plugin\" \"--\" \"node\"",
                Some("/h/.npm/_npx/d7cf0fedc1e45c85"),
            ),
            ("verbose argv \"exec\" \"--\" \"my-plugin@1.0.0\" \"-p\" \"x\"", Some("/h/.npm/_npx/acdf956bd4259421")),
            ("timing config:load:file:/srv/a/.npmrc Completed in 1ms\nverbose argv \"install\"", Some("/srv/a")),
            ("verbose argv \"exec\"", None),
            ("verbose argv \"install\" \"-g\" \"x\"\nverbose cwd /srv/a", None),
            ("verbose argv \"inst\nverbose cwd ../../..", Some("/")),
            ("", None),
        ] {
            assert_eq!(base_of(lines).as_deref(), base, "{lines}");
        }
    }
}
