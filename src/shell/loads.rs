//! What a start of Python names of the code that it loads: `v/bin/litellm`, `python -m litellm`, `uvicorn litellm.proxy.proxy_server:app`,
//! `python v/lib/python3.12/site-packages/litellm/proxy/proxy_cli.py`.

use super::args::base_name;

/// Names of one start that are kept.
const MOST: usize = 8;
/// A longer name is none.
const NAME: usize = 100;

/// Programs that load an application which their words name as `module:object`, or behind an option.
const SERVERS: &[&str] = &[
    "arq",
    "celery",
    "daphne",
    "dramatiq",
    "fastapi",
    "flask",
    "granian",
    "gunicorn",
    "huey_consumer",
    "hypercorn",
    "rq",
    "uvicorn",
    "waitress-serve",
];

/// Options of these that name an application.
const APPLICATION: &[&str] = &["-A", "--app"];

/// The names, normalised: lower case, words joined by `-`.
pub fn of_start(words: &[String]) -> Vec<Box<str>> {
    let mut found: Vec<Box<str>> = Vec::new();
    let mut add = |name: &str| {
        if let Some(name) = normal(name).filter(|name| !found.contains(name) && found.len() < MOST) {
            found.push(name);
        }
    };
    let Some((first, rest)) = words.split_first() else {
        return found;
    };
    let name = base_name(first);
    if !is_interpreter(name) {
        of_program(first, rest, &mut add);
        return found;
    }
    let mut rest = rest;
    while let Some((word, behind)) = rest.split_first() {
        match option(word) {
            Word::Module(attached) => {
                let (module, args) = match attached {
                    "" => behind.split_first().map_or(("", behind), |(module, args)| (module.as_str(), args)),
                    attached => (attached, behind),
                };
                of_program(module, args, &mut add);
                return found;
            }
            Word::Code => {
                behind.first().into_iter().flat_map(|code| imported(code)).for_each(&mut add);
                return found;
            }
            Word::WithValue => rest = behind.get(1..).unwrap_or_default(),
            Word::Flag => rest = behind,
            Word::Script => {
                if let Some(package) = in_site(word) {
                    add(package);
                } else if in_programs(word) {
                    of_program(word, behind, &mut add);
                }
                return found;
            }
        }
    }
    found
}

/// A word before the program of an interpreter.
enum Word<'w> {
    Module(&'w str),
    Code,
    WithValue,
    Flag,
    Script,
}

fn option(word: &str) -> Word<'_> {
    let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty()) else {
        return Word::Script;
    };
    if letters.starts_with('-') {
        return Word::Flag;
    }
    match letters.find(['m', 'c', 'X', 'W']).and_then(|at| letters.get(at..)) {
        None => Word::Flag,
        Some(rest) => match (rest.split_at(1), rest.len()) {
            (("m", module), _) => Word::Module(module),
            (("c", _), _) => Word::Code,
            (_, 1) => Word::WithValue,
            _ => Word::Flag,
        },
    }
}

/// A program or a module, with the application that it loads.
fn of_program(program: &str, args: &[String], add: &mut impl FnMut(&str)) {
    let name = base_name(program);
    // `litellm.proxy.proxy_cli` is a module of `litellm`; `manage.py` is a script.
    match name.strip_suffix(".exe") {
        _ if name.ends_with(".py") || name.ends_with(".sh") => return,
        Some(name) => add(name),
        None => add(name.split('.').next().unwrap_or_default()),
    }
    if !SERVERS.contains(&name) {
        return;
    }
    let mut is_value = false;
    for arg in args {
        let value = APPLICATION.iter().find_map(|o| arg.strip_prefix(o)?.strip_prefix('='));
        if let Some(module) = value.or_else(|| is_value.then_some(arg.as_str())) {
            add(module.split(['.', ':']).next().unwrap_or_default());
        } else if let Some((module, object)) = arg.split_once(':')
            && is_dotted(module)
            && is_dotted(object.split('(').next().unwrap_or_default())
        {
            add(module.split('.').next().unwrap_or_default());
        }
        is_value = APPLICATION.contains(&arg.as_str());
    }
}

/// `python`, `python3.12`, `pypy3`.
fn is_interpreter(name: &str) -> bool {
    let version = |v: &str| v.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 't'));
    ["python", "pypy"].iter().any(|i| name.strip_prefix(i).is_some_and(version))
}

/// `litellm` of `/srv/v/lib/python3.12/site-packages/litellm/proxy/proxy_cli.py`.
fn in_site(script: &str) -> Option<&str> {
    let ends = ["/site-packages/", "/dist-packages/"];
    let below = ends.iter().find_map(|end| Some(script.split_once(end)?.1))?;
    below.split_once('/').map(|(package, _)| package)
}

/// `/srv/v/bin/litellm`, given to an interpreter.
fn in_programs(script: &str) -> bool {
    let mut parts = script.rsplit('/');
    parts.next().is_some_and(|name| !name.is_empty()) && parts.next() == Some("bin")
}

/// What the code of `python -c` imports.
fn imported(code: &str) -> Vec<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let words: Vec<&str> = code.split(|c| !plain(c)).filter(|w| !w.is_empty()).take(1000).collect();
    let mut found = Vec::new();
    let mut of_module = false;
    for (word, next) in words.iter().zip(words.iter().skip(1)) {
        // `from module import name`
        let named = match *word {
            "from" => true,
            "import" => !std::mem::take(&mut of_module),
            _ => false,
        };
        if named {
            of_module = *word == "from";
            found.push(next.split('.').next().unwrap_or_default());
        }
    }
    found
}

/// `litellm.proxy.proxy_server`.
fn is_dotted(text: &str) -> bool {
    let identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    !text.is_empty() && text.len() <= NAME && text.split('.').all(identifier)
}

/// Lower case, words joined by `-`; `None` where it is no name.
fn normal(name: &str) -> Option<Box<str>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= NAME && name.chars().all(plain);
    is_name.then(|| name.to_ascii_lowercase().replace('_', "-").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        of_start(&text.split('|').map(str::to_owned).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn a_start_names_what_it_loads() {
        for (text, expected) in [
            ("/srv/v/bin/litellm|--config|/srv/c.yaml", "litellm"),
            ("/srv/v/bin/python|-m|litellm|--port|1", "litellm"),
            ("/srv/v/bin/python3.12|-u|-Wignore|-X|utf8|-m|litellm.proxy.proxy_cli", "litellm"),
            ("python|-Imlitellm", "litellm"),
            ("python|-u|/srv/v/bin/litellm|--config|x", "litellm"),
            ("python|/srv/v/lib/python3.12/site-packages/litellm/proxy/proxy_cli.py", "litellm"),
            ("/srv/v/bin/uvicorn|--host|0.0.0.0|litellm.proxy.proxy_server:app", "uvicorn litellm"),
            ("python|-m|gunicorn|-b|unix:/run/x.sock|my_app.wsgi:make(1)|-w|2", "gunicorn my-app"),
            ("celery|-A|jobs.app|worker", "celery jobs"),
            ("flask|--app=web:app|run", "flask web"),
            ("python|-c|import os, sys; from litellm.proxy import x", "os litellm"),
            ("/srv/v/bin/My_App", "my-app"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_names_nothing_loads_nothing_that_is_known() {
        for text in [
            "python|app.py|litellm",
            "python|/srv/app/litellm.py",
            "./manage.py|runserver",
            "python|-",
            "python|-m",
            "python|-c",
            "python|--version",
            "python|-X",
            "",
            "|",
            "/srv/v/bin/\u{1b}[2J",
        ] {
            assert_eq!(of(text), "", "{text}");
        }
        // An address and a file are no application.
        assert_eq!(of("uvicorn|localhost:8000|main.py|unix:/x"), "uvicorn");
        assert_eq!(of(&format!("python|-m|{}", "x".repeat(500))), "");
        let many: Vec<String> = (0..5000).map(|n| format!("a{n}:app")).collect();
        assert_eq!(of(&format!("uvicorn|{}", many.join("|"))).split(' ').count(), MOST);
    }
}
