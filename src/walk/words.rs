//! The paths that the program compares with those of a tree, for file systems that take them in any case.

use std::sync::Arc;

use super::Router;
use crate::{
    ecosystem,
    interest::Interest,
    surface::{FileMatch, FolderMatch},
    tree::spelling::Spelling,
};

/// Names of folders that no claim has: what surfaces and families look at around a file.
const AROUND: &[&str] = &[
    ".npm",
    ".pnpm",
    ".venv",
    "AppData",
    "AppData/Local",
    "AppData/Roaming",
    "Application Support",
    "Caches",
    "Library",
    "Microsoft",
    "Python.framework",
    "Python3.framework",
    "System32",
    "Users",
    "Windows",
    "__pycache__",
    "_cacache",
    "app",
    "apps",
    "bin",
    "boot",
    "cache",
    "code",
    "conda-meta",
    "data",
    "dev",
    "dist-packages",
    "envs",
    "etc",
    "home",
    "lib32",
    "lib64",
    "log",
    "media",
    "mnt",
    "node_modules",
    "opt",
    "pip",
    "pkgs",
    "private",
    "proc",
    "projects",
    "root",
    "run",
    "sbin",
    "share",
    "site-packages",
    "src",
    "srv",
    "static",
    "sys",
    "tmp",
    "usr",
    "uv",
    "var",
    "web",
    "work",
    "workspace",
    "www",
];
/// What paths of folders start with, that no claim has.
const STARTS: &[&str] = &[
    "Python3",
    "archive-v",
    "built-wheels-v",
    "environments-v",
    "pypy3.",
    "python2.",
    "python3.",
    "sdists-v",
    "wheels-v",
];

impl Router<'_> {
    /// How the paths of its claims are usually spelled.
    pub fn spelling(&self, interest: &Interest, windows: bool) -> Arc<Spelling> {
        // Either is usual; for `LIB` the first counts.
        let library = if windows { ["Lib", "lib"] } else { ["lib", "Lib"] };
        let mut paths: Vec<String> = library.iter().chain(AROUND).map(|name| (*name).to_owned()).collect();
        let mut ends: Vec<(String, String)> = STARTS.iter().map(|start| ((*start).to_owned(), String::new())).collect();
        for claim in self.surfaces.iter().flat_map(|s| s.claims(interest)) {
            match claim.file {
                FileMatch::Name(name) => paths.push(name),
                FileMatch::Affix(start, end) => ends.push((start, end)),
                FileMatch::Holding(..) | FileMatch::Hex(_) | FileMatch::NoEnding | FileMatch::Any => {}
            }
            match claim.folder {
                FolderMatch::Suffix(end) => ends.push((String::new(), end)),
                FolderMatch::Tail(path) | FolderMatch::Root(path) | FolderMatch::Below(path) => paths.push(path),
                FolderMatch::Within(name) | FolderMatch::PackageIn(name) => paths.push(name),
                FolderMatch::Nested(outer, inner) => {
                    ends.push((String::new(), outer));
                    paths.push(inner);
                }
                FolderMatch::Any | FolderMatch::Holding(_) | FolderMatch::OwnWork => {}
            }
        }
        for path in &interest.paths {
            let patterns = path.split('/').filter_map(|part| part.split_once('*'));
            ends.extend(patterns.map(|(start, end)| (start.to_owned(), end.to_owned())));
            paths.extend(path.split('*').map(str::to_owned));
        }
        paths.extend(ecosystem::extension::editors().map(str::to_owned));
        Arc::new(Spelling::new(paths, ends))
    }
}
