//! Python's installers, and which words of their command lines name packages.

use crate::{
    fact::{Command, CommandAction},
    shell::{
        args::{Long, Options, Parsed, base_name},
        cutoff::{cutoff, left_of_install},
        spec::{Dialect, wanted},
    },
};
use CommandAction::{Download, Install, Resolve, Run, Uninstall};

/// The command that these words are, and the words of another program that it runs.
pub type Recognised<'w> = (Option<Command>, Option<&'w [String]>);

/// Reads a command whose prefixes are gone.
pub fn recognise(words: &[String]) -> Recognised<'_> {
    let Some((first, rest)) = words.split_first() else {
        return (None, None);
    };
    // IPython's `!pip` and `%pip`.
    let name = base_name(first).trim_start_matches(['!', '%']);
    let (command, behind) = if name.starts_with('$') { unknown(name, rest) } else { program(name, rest) };
    let own = words.get(..words.len() - behind.map_or(0, <[String]>::len)).unwrap_or(words);
    let only_asks = |c: &Command| c.action != Run && own.iter().any(|w| w == "--help" || w == "-h");
    let command = command.filter(|c| !only_asks(c)).map(|mut command| {
        command.cutoff = cutoff(own);
        if command.action == Install {
            command.action = left_of_install(&command.tool, own);
        }
        command
    });
    (command, behind)
}

/// A program whose name was an expansion: `$PIP install x`, `$(which pip) install x==1`, `${PYTHON} -m pip install x`.
fn unknown<'w>(name: &str, rest: &'w [String]) -> Recognised<'w> {
    match rest.first().map(String::as_str) {
        Some("-m") => module(rest),
        _ if !name.to_ascii_lowercase().contains("pip") => {
            // Other programs install too, but only those of Python write `name==version`.
            (pip(rest).filter(|c| c.wanted.iter().all(|w| w.pinned.is_some())), None)
        }
        _ => (pip(rest), None),
    }
}

fn program<'w>(name: &str, rest: &'w [String]) -> Recognised<'w> {
    let command = match name {
        "uv" => return uv(rest),
        "uvx" => uvx(rest, "uvx"),
        "pipx" => pipx(rest),
        "poetry" => poetry(rest),
        "pdm" => project("pdm", &PDM, rest),
        "pipenv" => project("pipenv", &PIPENV, rest),
        "rye" => project("rye", &PDM, rest),
        "pixi" => pixi(rest),
        "conda" | "mamba" | "micromamba" => conda(name, rest),
        "py" => return module(rest),
        _ if versioned(name, "pip") => pip(rest),
        _ if versioned(name, "easy_install") => command("easy_install", Install, EASY.all(rest).plain, Dialect::Pip),
        _ if versioned(name, "python") || versioned(name, "pypy") => return module(rest),
        _ => None,
    };
    (command, None)
}

/// Programs that are Python, beside its installers.
const PROGRAMS: &[&str] = &[
    "alembic",
    "ansible",
    "ansible-playbook",
    "black",
    "celery",
    "daphne",
    "django-admin",
    "flask",
    "gunicorn",
    "hypercorn",
    "ipython",
    "jupyter",
    "litellm",
    "mypy",
    "nox",
    "pdm",
    "pipenv",
    "pipx",
    "poetry",
    "pytest",
    "scrapy",
    "sphinx-build",
    "tox",
    "uvicorn",
];

/// The program, where these words start a Python that reads start-up hooks.
pub fn starts(words: &[String]) -> Option<&str> {
    let (first, rest) = words.split_first()?;
    let name = base_name(first);
    // `./manage.py migrate`
    if PROGRAMS.contains(&name) || versioned(name, "pip") || name.ends_with(".py") {
        return Some(if name.ends_with(".py") {
            "python"
        } else {
            PROGRAMS.iter().find(|p| **p == name).unwrap_or(&"pip")
        });
    }
    if !versioned(name, "python") && !versioned(name, "pypy") {
        return None;
    }
    let mut options = rest.iter().take_while(|w| w.starts_with('-') && *w != "-" && *w != "--");
    // `-S` leaves hooks out; `-V` and the like end before they are read. Letters behind `c` and `m` are a program's own.
    let ends = |w: &String| match w.strip_prefix('-').unwrap_or(w) {
        "-version" | "-help" | "-help-all" | "-help-env" => true,
        letters if letters.starts_with('-') => false,
        letters => letters.split(['c', 'm', 'X', 'W']).next().unwrap_or_default().contains(['S', 'V', 'h', '?']),
    };
    let (mut own, mut program) = (Vec::new(), false);
    for word in options.by_ref() {
        if program {
            break;
        }
        program = !word.starts_with("--") && word.contains(['c', 'm']);
        own.push(word);
    }
    (!own.into_iter().any(ends)).then_some("python")
}

/// `pip`, `pip3`, `pip3.12`, `easy_install-3.11`.
fn versioned(name: &str, tool: &str) -> bool {
    name.strip_prefix(tool).is_some_and(|v| v.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | 't')))
}

/// `python -I -m pip …`.
fn module(words: &[String]) -> Recognised<'_> {
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        let Some(letters) = word.strip_prefix('-') else {
            break;
        };
        rest = match letters {
            // Code, or a script from the input: nothing of this line.
            "" | "c" => break,
            "X" | "W" => behind.get(1..).unwrap_or_default(),
            _ if letters.starts_with('-') || letters.starts_with("V:") => behind,
            _ => match letters.split_once('m') {
                Some((flags, _)) if flags.contains(['X', 'W', 'c']) => behind,
                Some((_, "")) => {
                    let module = behind.split_first();
                    return module.map_or((None, None), |(name, rest)| program(name, rest));
                }
                Some((_, name)) => return program(name, behind),
                None => behind,
            },
        };
    }
    (None, None)
}

/// A command, if it names a package.
fn command<'w>(
    tool: &str,
    action: CommandAction,
    specs: impl IntoIterator<Item = &'w str>,
    dialect: Dialect,
) -> Option<Command> {
    let wanted: Vec<_> = specs.into_iter().filter_map(|s| wanted(s, dialect)).collect();
    (!wanted.is_empty()).then(|| Command::for_packages(tool, action, wanted))
}

/// The plain words behind the first `n`.
fn behind<'w>(parsed: &Parsed<'w>, n: usize) -> Vec<&'w str> {
    parsed.plain.get(n..).unwrap_or_default().to_vec()
}

/// Options of pip that uv, easy_install and others know too.
static INDEX: &str = "index-url extra-index-url find-links";
/// Options of pip and `uv pip`; `--no-binary` takes no value elsewhere in uv.
static BINARY: &str = "no-binary only-binary platform python-version";
static PIP_LONG: &str = "abi build build-constraint build-option cache-dir cert client-cert config-setting config-settings \
        constraint dest download-cache editable exists-action global-option group hash implementation \
        install-option keyring-provider log prefix progress-bar proxy python report requirement \
        requirements-from-script resume-retries retries root root-user-action src target timeout \
        trusted-host upgrade-strategy uploaded-prior-to use-deprecated use-feature wheel-dir";
const PIP: Options = Options { short: "bcCdefirtw", long: Long::Valued(&[INDEX, BINARY, PIP_LONG]) };

fn pip(rest: &[String]) -> Option<Command> {
    let parsed = PIP.all(rest);
    let action = match *parsed.plain.first()? {
        "install" if parsed.has(&["download", "d"]) => Download,
        "install" => Install,
        "download" | "wheel" => Download,
        "lock" => Resolve,
        "uninstall" => Uninstall,
        _ => return None,
    };
    command("pip", action, behind(&parsed, 1), Dialect::Pip)
}

const EASY: Options = Options {
    short: "dsxfibS",
    long: Long::Valued(&[INDEX, "install-dir script-dir exclude-scripts build-directory site-dirs record"]),
};

static UV_LONG: &str = "allow-insecure-host bounds branch build-constraint build-constraints cache-dir color config-file \
        config-setting config-settings config-settings-package constraint constraints default-index \
        directory editable env-file exclude-newer exclude-newer-package excludes extra fork-strategy from \
        group index index-strategy keyring-provider link-mode marker no-binary-package \
        no-build-isolation-package no-build-package no-editable-package no-extra no-group no-sources-package \
        only-group optional override overrides package prefix prerelease project python python-platform \
        raw-sources-file refresh-package reinstall-package requirement requirements resolution rev script \
        tag target torch-backend upgrade-package with with-editable with-executables-from with-requirements";
const UV_PIP: Options = Options { short: "pifcbeCPrtmw", long: Long::Valued(&[INDEX, BINARY, UV_LONG]) };
/// For `uv` before its first word, `uv add`, `uv tool install`.
const UV: Options = Options { short: "pifcbeCPrtmw", long: Long::Valued(&[INDEX, UV_LONG]) };
/// `uv run`, `uvx`: there `-m`, `-s` and `--script` are flags.
const UV_RUN: Options = Options { short: "pifcbCPw", long: Long::Valued(&[INDEX, UV_RUN_LONG]) };
static UV_RUN_LONG: &str = "allow-insecure-host build-constraints cache-dir color config-file config-setting \
        config-settings-package constraints default-index directory env-file exclude-newer \
        exclude-newer-package extra fork-strategy from group index index-strategy keyring-provider link-mode \
        no-binary-package no-build-isolation-package no-build-package no-extra no-group no-sources-package \
        only-group overrides package prerelease project python python-platform refresh-package \
        reinstall-package resolution torch-backend upgrade-package with with-editable with-requirements";

fn uv(rest: &[String]) -> Recognised<'_> {
    let global = UV.leading(rest);
    let rest = global.behind;
    let command = match global.plain.first().copied() {
        Some("pip") => {
            let parsed = UV_PIP.all(rest);
            match parsed.plain.first().copied() {
                Some("install") => command("uv", Install, behind(&parsed, 1), Dialect::Pip),
                Some("uninstall") => command("uv", Uninstall, behind(&parsed, 1), Dialect::Pip),
                Some("compile") => command("uv", Resolve, parsed.values(&["upgrade-package", "P"]), Dialect::Pip),
                _ => None,
            }
        }
        Some("add") => command("uv", Install, UV.all(rest).plain, Dialect::Pip),
        Some("remove") => command("uv", Uninstall, UV.all(rest).plain, Dialect::Pip),
        // What is locked is installed by another command, and the lock file speaks for itself.
        Some(verb @ ("sync" | "lock")) => {
            let parsed = UV.all(rest);
            let action = if verb == "lock" { Resolve } else { Install };
            command("uv", action, parsed.values(&["upgrade-package", "P"]), Dialect::Pip)
        }
        Some("run") => return uv_run(rest),
        Some("tool") => uv_tool(rest),
        Some("x") => uvx(rest, "uv"),
        _ => None,
    };
    (command, None)
}

fn uv_run(rest: &[String]) -> Recognised<'_> {
    let parsed = UV_RUN.leading(rest);
    let found = command("uv", Run, with(&parsed), Dialect::At);
    // From the program on, not behind it.
    let at = rest.len().saturating_sub(parsed.behind.len() + 1);
    (found, if parsed.plain.is_empty() { None } else { rest.get(at..) })
}

/// Values of `--with`, which may list several.
fn with<'w>(parsed: &Parsed<'w>) -> Vec<&'w str> {
    parsed.values(&["with", "w"]).flat_map(split_list).collect()
}

/// Cuts at commas that a name follows: those before a version clause or within extras belong to a spec.
fn split_list(list: &str) -> Vec<&str> {
    let (mut specs, mut from, mut extras) = (Vec::new(), 0, false);
    for (at, c) in list.char_indices() {
        match c {
            '[' => extras = true,
            ']' => extras = false,
            ',' if !extras => {
                let behind = list.get(at + 1..).unwrap_or_default();
                if behind.trim_start().starts_with(|c: char| c.is_ascii_alphanumeric()) {
                    specs.extend(list.get(from..at));
                    from = at + 1;
                }
            }
            _ => {}
        }
    }
    specs.extend(list.get(from..));
    specs
}

fn uv_tool(rest: &[String]) -> Option<Command> {
    let (verb, behind) = rest.split_first()?;
    let parsed = UV.all(behind);
    match verb.as_str() {
        "install" => {
            let from: Vec<&str> = parsed.values(&["from"]).collect();
            let main = if from.is_empty() { parsed.plain.clone() } else { from };
            command("uv", Install, main.into_iter().chain(with(&parsed)), Dialect::At)
        }
        "upgrade" => command("uv", Install, parsed.plain, Dialect::At),
        "uninstall" => command("uv", Uninstall, parsed.plain, Dialect::At),
        "run" => uvx(behind, "uv"),
        _ => None,
    }
}

/// `[--from spec] [--with spec] name …`: what follows the name belongs to the program.
fn uvx(rest: &[String], tool: &str) -> Option<Command> {
    let parsed = UV_RUN.leading(rest);
    let from: Vec<&str> = parsed.values(&["from"]).collect();
    let main = if from.is_empty() { parsed.plain.clone() } else { from };
    command(tool, Run, main.into_iter().chain(with(&parsed)), Dialect::At)
}

const PIPX: Options = Options {
    short: "ir",
    long: Long::Valued(&[INDEX, "python pip-args suffix spec preinstall requirement backend skip fetch-python with"]),
};

fn pipx(rest: &[String]) -> Option<Command> {
    let global = PIPX.leading(rest);
    let rest = global.behind;
    let parsed = PIPX.all(rest);
    let (action, specs) = match *global.plain.first()? {
        "install" => {
            let spec: Vec<&str> = parsed.values(&["spec"]).collect();
            let main = if spec.is_empty() { parsed.plain.clone() } else { spec };
            (Install, main.into_iter().chain(parsed.values(&["preinstall"])).collect())
        }
        "run" => {
            let parsed = PIPX.leading(rest);
            let spec: Vec<&str> = parsed.values(&["spec"]).collect();
            let main = if spec.is_empty() { parsed.plain.clone() } else { spec };
            (Run, main.into_iter().chain(parsed.values(&["with"])).collect())
        }
        "inject" => (Install, behind(&parsed, 1)),
        "upgrade" | "reinstall" => (Install, parsed.plain),
        "uninstall" => (Uninstall, parsed.plain),
        "uninject" => (Uninstall, behind(&parsed, 1)),
        "runpip" => return pip(rest.get(1..)?),
        _ => return None,
    };
    command("pipx", action, specs, Dialect::Pip)
}

const POETRY: Options = Options {
    short: "GECP",
    long: Long::Valued(&[INDEX, "group extras platform python source markers directory project"]),
};
const PDM: Options = Options {
    short: "GpLe",
    long: Long::Valued(&[INDEX, "group project lockfile editable venv config exclude-newer"]),
};
const PIPENV: Options = Options {
    short: "rei",
    long: Long::Valued(&[INDEX, "requirements editable index pypi-mirror python categories extra-pip-args"]),
};

fn poetry(rest: &[String]) -> Option<Command> {
    let global = POETRY.leading(rest);
    match global.plain.first() {
        Some(&"self") => project("poetry", &POETRY, global.behind),
        _ => project("poetry", &POETRY, rest),
    }
}

/// Tools with `add` or `install`, `update` or `upgrade`, and `remove` or `uninstall`.
fn project(tool: &str, options: &Options, rest: &[String]) -> Option<Command> {
    let parsed = options.all(rest);
    let action = match *parsed.plain.first()? {
        "install" if matches!(tool, "pipenv" | "rye") => Install,
        "add" | "update" | "upgrade" => Install,
        "remove" | "uninstall" => Uninstall,
        _ => return None,
    };
    let dialect = if tool == "poetry" { Dialect::Poetry } else { Dialect::Pip };
    command(tool, action, behind(&parsed, 1), dialect)
}

const CONDA: Options = Options {
    short: "npcfr",
    long: Long::Valued(&[
        "name prefix channel file root-prefix solver experimental-solver repodata-fn revision subdir platform \
        category rc-file clone environment-specifier console default-packages",
    ]),
};

const PIXI: Options = Options {
    short: "cefps",
    long: Long::Valued(&["channel environment feature manifest-path platform spec with expose branch tag rev subdir"]),
};

/// Packages of conda, behind `--pypi` those of the index.
fn pixi(rest: &[String]) -> Option<Command> {
    let parsed = PIXI.all(rest);
    let (action, own) = match (*parsed.plain.first()?, parsed.plain.get(1).copied()) {
        ("global", Some("install" | "update" | "upgrade")) => (Install, 2),
        ("global", Some("uninstall" | "remove")) => (Uninstall, 2),
        ("add" | "update" | "upgrade", _) => (Install, 1),
        ("remove", _) => (Uninstall, 1),
        _ => return None,
    };
    let dialect = if parsed.has(&["pypi"]) { Dialect::Pip } else { Dialect::Conda };
    command("pixi", action, behind(&parsed, own), dialect)
}

fn conda(tool: &str, rest: &[String]) -> Option<Command> {
    let parsed = CONDA.all(rest);
    let action = match *parsed.plain.first()? {
        "install" | "create" | "update" | "upgrade" => Install,
        "remove" | "uninstall" => Uninstall,
        _ => return None,
    };
    command(tool, action, behind(&parsed, 1), Dialect::Conda)
}
