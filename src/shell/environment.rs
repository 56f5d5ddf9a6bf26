//! Which environment a command belongs to, where its words say it: `~/v/bin/pip install x`, `. v/bin/activate`, `uv pip install -p v x`.

use super::args::base_name;

/// A longer path is not kept.
const PATH: usize = 512;

/// Options of an installer that name an interpreter or its environment.
const OPTIONS: &[&str] = &["--python", "-p", "--prefix"];

/// The environment of a program's own folder, or the one that it is asked to change.
pub fn of_command(words: &[String]) -> Option<Box<str>> {
    let program = words.first()?;
    let named = words.iter().enumerate().find_map(|(at, word)| {
        if let Some((option, value)) = word.split_once('=') {
            return OPTIONS.contains(&option).then_some(value);
        }
        OPTIONS.contains(&word.as_str()).then(|| words.get(at + 1).map(String::as_str)).flatten()
    });
    // A version (`-p 3.12`) names no folder.
    let named = named.filter(|n| n.contains(['/', '\\']) || n.starts_with('.'));
    match named {
        Some(named) => prefix(named).or_else(|| ordinary(named)),
        None => prefix(program),
    }
}

/// Programs that environments hold and that no interpreter runs, or that end before one reads start-up code.
const NATIVE: &[&str] =
    &["activate", "cmake", "deactivate", "node", "ninja", "npm", "npx", "py", "ruff", "ty", "uv", "uvx"];

/// A program in the folder of an environment, by the path that its words name. Interpreters are known by their options too.
pub fn program(words: &[String]) -> Option<&str> {
    let first = words.first()?;
    let name = base_name(first);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let known = NATIVE.contains(&name) || name.starts_with("python") || name.starts_with("pypy");
    (!known && !name.is_empty() && name.len() <= 64 && name.chars().all(plain) && prefix(first).is_some())
        .then_some(name)
}

/// `v` of `v/bin/pip` and `v\Scripts\pip.exe`.
fn prefix(program: &str) -> Option<Box<str>> {
    let folder = program.strip_suffix(program.rsplit(['/', '\\']).next()?)?.trim_end_matches(['/', '\\']);
    let above = ["/bin", "/Scripts", "\\Scripts"].iter().find_map(|end| folder.strip_suffix(end));
    // Of the system's own programs not even the prefix says which folders they load from.
    above.filter(|a| !matches!(*a, "" | "/usr" | "/usr/local" | "/opt/homebrew")).and_then(ordinary)
}

/// Tools that run a program in the environment of a project, with what stands before the program: options and their values.
const RUNNERS: &[&str] = &["uv", "poetry", "pdm", "rye"];

/// The environment that `uv run`, `poetry run` and the like take from the project's folder, and the program behind them.
pub fn of_project(words: &[String]) -> Option<(Box<str>, &[String])> {
    let (tool, mut rest) = words.split_first()?;
    let tool = base_name(tool);
    let (mut folder, mut run) = (None, false);
    while let Some((word, behind)) = rest.split_first().filter(|_| RUNNERS.contains(&tool)) {
        rest = behind;
        match (word.as_str(), word.split_once('=')) {
            ("run", _) if !run => run = true,
            // An environment of its own.
            ("--isolated" | "--no-project" | "--script" | "-s", _) => return None,
            ("--project" | "--directory" | "-C" | "-P", _) => {
                let (value, behind) = behind.split_first()?;
                (folder, rest) = (Some(value.as_str()), behind);
            }
            (_, Some(("--project" | "--directory", value))) => folder = Some(value),
            // Another option, of which nothing is known: what stands behind it may be its value.
            (option, _) if option.starts_with('-') && !run => return None,
            (option, _) if option.starts_with('-') => {}
            _ if run => {
                let named = folder.map_or_else(|| ".venv".to_owned(), |f| format!("{}/.venv", f.trim_end_matches('/')));
                let at = words.len().checked_sub(rest.len() + 1)?;
                return Some((ordinary(&named)?, words.get(at..)?));
            }
            _ => return None,
        }
    }
    None
}

/// `source v/bin/activate`.
pub fn activated(words: &[String]) -> Option<Box<str>> {
    let [command, script, ..] = words else {
        return None;
    };
    let sources = matches!(command.as_str(), "." | "source");
    (sources && base_name(script).starts_with("activate")).then(|| prefix(script)).flatten()
}

/// `~/v`, `/srv/v`, or the last parts of a path whose start is not known: `v`.
fn ordinary(path: &str) -> Option<Box<str>> {
    let home =
        ["~", "$HOME", "${HOME"].iter().find_map(|start| path.strip_prefix(start)).filter(|r| r.starts_with('/'));
    let path = match home {
        Some(rest) => format!("~{rest}"),
        None => path.trim_start_matches("./").trim_end_matches('/').to_owned(),
    };
    let plain = |c: char| c.is_alphanumeric() || " ._-+@~/\\:".contains(c);
    let whole = !path.is_empty() && path.len() <= PATH && path.chars().all(plain);
    (whole && !path.split(['/', '\\']).any(|p| matches!(p, ".." | "."))).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Option<String> {
        let words: Vec<String> = text.split('|').map(str::to_owned).collect();
        activated(&words).or_else(|| of_command(&words)).map(Into::into)
    }

    #[test]
    fn a_project_has_an_environment_of_its_own() {
        let of = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            of_project(&words).map(|(environment, behind)| format!("{environment} {}", behind.join(" ")))
        };
        for (text, expected) in [
            ("uv run litellm --config x", ".venv litellm --config x"),
            ("/usr/bin/uv --directory /srv/app run --frozen python -m x", "/srv/app/.venv python -m x"),
            ("uv run --project=/srv/app/ x", "/srv/app/.venv x"),
            ("poetry -C /srv/app run x", "/srv/app/.venv x"),
            ("pdm run x", ".venv x"),
        ] {
            assert_eq!(of(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "uv run --isolated x",
            "uv run --script x.py",
            "uv pip install x",
            "uv run",
            "uv --project",
            "uv -q run x",
            "npm run x",
            "run uv x",
            "uv run --project ../x y",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn an_environment_is_named_by_its_program_or_by_an_option() {
        for (text, expected) in [
            ("~/v/bin/pip|install|x", "~/v"),
            ("$HOME/v/bin/python3|-m|pip|install|x", "~/v"),
            ("./venv/bin/pip|install|x", "venv"),
            ("/srv/app/.venv/bin/pip|install|x", "/srv/app/.venv"),
            ("venv\\Scripts\\pip.exe|install|x", "venv"),
            ("uv|pip|install|-p|.venv/bin/python|x", ".venv"),
            ("uv|pip|install|--python=/srv/v|x", "/srv/v"),
            ("source|v/bin/activate", "v"),
            (".|~/v/bin/activate.fish", "~/v"),
        ] {
            assert_eq!(named(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "pip|install|x",
            "uv|pip|install|-p|3.12|x",
            "../v/bin/pip|install|x",
            "$VENV/bin/pip|install|x",
            "source|x.sh",
            "/pip|install|x",
            "",
        ] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
