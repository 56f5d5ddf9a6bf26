//! What installs from lists instead of words: `pip install -r requirements.txt`, `uv sync`, `npm ci`. Which packages that are stands in
//! the lists, which other surfaces read.

use super::{
    args::{Long, Options, base_name},
    cutoff::cutoff,
};
use crate::fact::{Command, CommandAction};

/// Lists of one command that are kept.
const MOST: usize = 20;
/// A longer path is not kept.
const PATH: usize = 512;

/// A tool, the words that install, and the lists of a project that it reads, the locks first.
type Project = (&'static str, &'static [&'static str], &'static [&'static str]);

static PROJECTS: &[Project] = &[
    ("uv", &["sync", "run"], &["uv.lock", "pyproject.toml"]),
    ("poetry", &["install", "sync"], &["poetry.lock", "pyproject.toml"]),
    ("pdm", &["install", "sync"], &["pdm.lock", "pyproject.toml"]),
    ("pipenv", &["install", "sync"], &["Pipfile.lock", "Pipfile"]),
    ("rye", &["sync"], &["requirements.lock", "pyproject.toml"]),
    ("npm", &["ci", "clean-install", "cit"], &["npm-shrinkwrap.json", "package-lock.json"]),
    ("npm", &["install", "i", "it"], &["npm-shrinkwrap.json", "package-lock.json", "package.json"]),
    ("pnpm", &["install", "i"], &["pnpm-lock.yaml", "package.json"]),
    ("yarn", &["install", ""], &["yarn.lock", "package.json"]),
    ("bun", &["install", "i", "ci"], &["bun.lock", "bun.lockb", "package.json"]),
    ("deno", &["install", "i"], &["deno.lock", "package.json"]),
];

/// Options of a pip, or of uv's, that take a value: those that name a list among them.
const PIP: Options = Options {
    short: "bcCdefirtwpP",
    long: Long::Valued(&[
        "requirement requirements constraint constraints editable index-url extra-index-url find-links target prefix \
         root src python cache-dir report platform python-version upgrade-strategy config-settings no-binary \
         only-binary progress-bar timeout retries proxy cert trusted-host index exclude-newer uploaded-prior-to",
    ]),
};
/// Before the word of a project's tool, and behind it.
const TOOL: Options = Options {
    short: "CFcpP",
    long: Long::Valued(&[
        "prefix dir directory project cwd registry cache userconfig loglevel omit include python group extra filter \
         package modules-folder mode config lockfile venv",
    ]),
};
/// Options of these tools that lead to another folder.
const FOLDERS: &[&str] = &["C", "prefix", "dir", "directory", "project", "cwd"];

/// The command that these words are, where it installs from lists.
pub fn from_lists(words: &[String]) -> Option<Command> {
    let (first, rest) = words.split_first()?;
    let (tool, lists) = match base_name(first).trim_start_matches(['!', '%']) {
        name if is_pip(name) => ("pip", of_pip(rest)?),
        "uv" if rest.first().is_some_and(|w| w == "pip") => ("uv", of_pip(rest.get(1..)?)?),
        name if name.starts_with("python") || name == "py" => {
            let at = rest.iter().position(|w| w == "-m").filter(|at| rest.get(at + 1).is_some_and(|w| w == "pip"))?;
            ("pip", of_pip(rest.get(at + 2..)?)?)
        }
        name => of_project(name.strip_suffix(".cmd").unwrap_or(name), rest)?,
    };
    if lists.is_empty() || words.iter().any(|w| is_trial(w)) {
        return None;
    }
    Some(Command { lists, cutoff: cutoff(words), ..Command::for_packages(tool, CommandAction::Install, Vec::new()) })
}

fn is_pip(name: &str) -> bool {
    name.strip_prefix("pip").is_some_and(|v| v.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn is_trial(word: &str) -> bool {
    let trials = [
        "--dry-run",
        "--help",
        "-h",
        "--package-lock-only",
        "--lockfile-only",
        "--no-install",
        "--no-sync",
        "--lock",
        "-g",
        "--global",
    ];
    trials.contains(&word) || word.starts_with("--mode=update-lockfile")
}

/// `-r requirements.txt`, `-e .`, `.`: the lists, and what a project in a folder says of itself.
fn of_pip(rest: &[String]) -> Option<Vec<Box<str>>> {
    let parsed = PIP.all(rest);
    if !matches!(parsed.plain.first(), Some(&("install" | "sync"))) || parsed.has(&["d", "download"]) {
        return None;
    }
    let synced = parsed.plain.iter().skip(1).filter(|_| parsed.plain.first() == Some(&"sync")).copied();
    let named = parsed.values(&["r", "requirement", "requirements"]).chain(synced).filter_map(ordinary);
    let folders = parsed.plain.iter().skip(1).copied().chain(parsed.values(&["e", "editable"]));
    let folders = folders.map(|f| f.split('[').next().unwrap_or(f)).filter(|f| f.starts_with(['.', '/', '~']));
    let manifests = folders.filter_map(ordinary).flat_map(|f| {
        ["pyproject.toml", "setup.cfg"].map(|name| if &*f == "." { name.into() } else { format!("{f}/{name}").into() })
    });
    Some(named.chain(manifests).take(MOST).collect())
}

/// `npm --prefix web ci`, `uv sync`. What names packages too is read elsewhere.
fn of_project(name: &str, rest: &[String]) -> Option<(&'static str, Vec<Box<str>>)> {
    let parsed = TOOL.all(rest);
    let verb = parsed.plain.first().copied().unwrap_or_default();
    let known = |(tool, verbs, _): &&Project| *tool == name && verbs.contains(&verb);
    let (tool, _, lists) = PROJECTS.iter().find(known)?;
    // `uv run` names a program; the others would name packages.
    if *tool != "uv" && parsed.plain.len() > 1 {
        return None;
    }
    let folder = parsed.values(FOLDERS).last().filter(|f| *f != ".");
    let folder = match folder {
        Some(folder) => Some(ordinary(folder)?),
        None => None,
    };
    let below = |list: &&'static str| folder.as_ref().map_or_else(|| (*list).into(), |f| format!("{f}/{list}").into());
    Some((tool, lists.iter().map(below).collect()))
}

/// A path of a form that may be shown.
fn ordinary(path: &str) -> Option<Box<str>> {
    let home = ["$HOME/", "${HOME}/"].iter().find_map(|start| path.strip_prefix(start));
    let path = home.map_or_else(|| path.to_owned(), |rest| format!("~/{rest}"));
    let plain = |c: char| c.is_alphanumeric() || " ._-+@~/".contains(c);
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let path = if path.is_empty() { "." } else { path };
    (path.len() <= PATH && path.chars().all(plain)).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        from_lists(&words).map(|c| format!("{}: {}", c.tool, c.lists.join(" "))).unwrap_or_default()
    }

    #[test]
    fn lists_that_a_command_installs_from() {
        for (text, expected) in [
            ("pip install -r requirements.txt", "pip: requirements.txt"),
            ("pip3 install -qr ./deps/base.txt six", "pip: deps/base.txt"),
            ("~/v/bin/python -I -m pip install --requirement=$HOME/r.txt", "pip: ~/r.txt"),
            ("pip install -e .[dev]", "pip: pyproject.toml setup.cfg"),
            ("pip install ./lib", "pip: lib/pyproject.toml lib/setup.cfg"),
            ("uv pip sync requirements.txt", "uv: requirements.txt"),
            ("uv pip install -r pyproject.toml", "uv: pyproject.toml"),
            ("uv sync --frozen", "uv: uv.lock pyproject.toml"),
            ("uv sync --locked", "uv: uv.lock pyproject.toml"),
            ("uv run --group dev pytest -q", "uv: uv.lock pyproject.toml"),
            ("npm ci --omit dev", "npm: npm-shrinkwrap.json package-lock.json"),
            ("npm --prefix web i", "npm: web/npm-shrinkwrap.json web/package-lock.json web/package.json"),
            ("yarn", "yarn: yarn.lock package.json"),
            ("pnpm i --frozen-lockfile", "pnpm: pnpm-lock.yaml package.json"),
            ("poetry install --no-root", "poetry: poetry.lock pyproject.toml"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_installs_nothing_or_from_no_list() {
        for text in [
            "pip install six",
            "pip download -r requirements.txt",
            "pip install --dry-run -r requirements.txt",
            "pip install -c constraints.txt six",
            "pip install -r $LIST",
            "uv lock",
            "uv add six",
            "uv pip compile requirements.in",
            "npm install --package-lock-only",
            "npm install axios",
            "npm run ci",
            "npm i -g",
            "yarn add axios",
            "yarn build",
            "pnpm --lockfile-only i",
            "poetry install --dry-run",
            "pipx install six",
            "",
        ] {
            assert_eq!(show(text), "", "{text}");
        }
        let many = format!("pip install {}", "-r a.txt ".repeat(500));
        assert_eq!(show(&many).matches("a.txt").count(), MOST);
    }
}
