//! Commands of Go that name modules: `go install example.com/x/cmd/y@v1.2.3`, `go get example.com/x@latest`, `go run example.com/x@v1`. They name
//! a package, and its module is that path or one above it. Documented in "Go Modules Reference".

use super::{
    args::{Long, Options, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::golang::{is_name, is_release},
    fact::{Command, CommandAction, Ecosystem, Wanted},
};

static VALUED: &str = "C p asmflags buildmode compiler gcflags ldflags mod modfile overlay o pkgdir tags toolexec exec";
const GO: Options = Options { short: "", long: Long::Valued(&[VALUED]) };
/// Paths above a package that may be its module.
const ABOVE: usize = 5;

/// What the words of Go do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    (base_name(first) == "go").then(|| (command(rest), None))
}

fn command(rest: &[String]) -> Option<Command> {
    let (verb, rest) = rest.split_first()?;
    let (action, rest) = match (verb.as_str(), rest.first().map(String::as_str)) {
        ("install", _) => (CommandAction::Install, rest),
        ("run", _) => (CommandAction::Run, rest),
        // Fetches the code, and runs nothing of it.
        ("get", _) => (CommandAction::Download, rest),
        ("mod", Some("download")) => (CommandAction::Download, rest.get(1..)?),
        _ => return None,
    };
    // Go's long options have one dash.
    let doubled: Vec<String> = rest
        .iter()
        .map(|w| if w.starts_with('-') && !w.starts_with("--") { format!("-{w}") } else { w.clone() })
        .collect();
    let parsed = GO.all(&doubled);
    let count = if action == CommandAction::Run { 1 } else { parsed.plain.len() };
    let wanted: Vec<Wanted> = parsed.plain.iter().take(count).flat_map(|word| wanted(word)).collect();
    (!wanted.is_empty()).then(|| Command::for_packages("go", action, wanted))
}

/// The modules that a word may mean, the longest path first.
fn wanted(word: &str) -> Vec<Wanted> {
    let (path, version) = word.split_once('@').map_or((word, None), |(path, version)| (path, Some(version)));
    let path = path.trim_end_matches("/...");
    let is_host = path.split('/').next().is_some_and(|host| host.contains('.') && !host.starts_with('.'));
    if !is_host || !is_name(path) || path.ends_with(".go") || version == Some("none") {
        return Vec::new();
    }
    let ends = path.rmatch_indices('/').map(|(at, _)| at).take(ABOVE);
    let paths = std::iter::once(path).chain(ends.filter_map(|at| path.get(..at))).filter(|p| p.contains('/'));
    let pinned = version.filter(|v| is_release(v) && v.matches('.').count() > 1);
    let of = |path: &str| Wanted {
        ecosystem: Ecosystem::Golang,
        name: path.into(),
        pinned: pinned.map(Into::into),
        specifier: if version.is_some_and(|v| v.starts_with('$')) { Wanted::UNSAID.into() } else { "".into() },
    };
    paths.map(of).collect()
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::said;

    #[test]
    fn modules_that_go_is_asked_for() {
        for (text, is) in [
            (
                "go install -v x.example/a/cmd/b@v1.2.3",
                "install x.example/a/cmd/b@v1.2.3 x.example/a/cmd@v1.2.3 x.example/a@v1.2.3",
            ),
            ("go get -u x.example/a", "download x.example/a@"),
            ("go get x.example/A@latest", "download x.example/A@"),
            ("go mod download x.example/a@v1.0.0", "download x.example/a@v1.0.0"),
            ("go run -mod mod x.example/a@v1.0.0 y.example/z", "run x.example/a@v1.0.0"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "go build ./...",
            "go install .",
            "go run main.go",
            "go get ./...",
            "go test x.example/a",
            "go",
            "go get x.example/a@none",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }
}
