//! What a module in Go, or a workspace of them, asks for.
//!
//! ```text
//! project/go.mod, go.work
//! │   require example.com/a v1.2.3
//! │   require ( example.com/b v1.0.0 // indirect )      one line each
//! │   replace example.com/a [v1.2.3] => example.com/c v1.0.0      or `=> ../folder`
//! │   exclude example.com/b v1.0.1                      asks for nothing, as `retract` does
//! ```
//!
//! A version there is the least that the project takes: another module may ask for a newer one. What is replaced is not taken, what stands in its
//! place is. Those of modules in the cache and in `vendor` belong to the modules. A hit proves that the project names the version; not that it
//! was fetched. Nothing of a module runs when it is fetched or built. Documented in "Go Modules Reference".

use super::package;
use crate::{
    ecosystem::golang::{is_name, is_release, unpacked},
    fact::{Fact, Placement},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{line_starts, text},
    },
};

const FILE: usize = 16 << 20;
/// More than any project asks for.
const LINES: usize = 100_000;
const REPLACED: usize = 5_000;

/// `go.mod`, `go.work`.
pub struct GoMod;

static META: Meta = Meta {
    id: "golang/go-mod",
    title: "what modules and workspaces of Go ask for",
    proves: "the project names the version; not that it was fetched",
};

impl Surface for GoMod {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("go.mod"), Claim::name("go.work")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (line_starts(&text, "module ") && line_starts(&text, "go 1.")).then_some("go.mod")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = &file.entry.path;
        if unpacked(path).is_some() || path.components().any(|part| part == b"vendor") {
            return Ok(());
        }
        let at = file.mtime("mtime of the file");
        let text = text(file.all(FILE)?);
        let (statements, mut whole) = statements(&text);
        let mut replaced: Vec<(&str, Option<&str>)> = Vec::new();
        let mut wanted = Vec::new();
        for (line, words) in &statements {
            match words.as_slice() {
                ["require", name, version] => wanted.push((*line, *name, *version)),
                ["replace", name, "=>", rest @ ..] => {
                    whole &= replace((name, None), rest, *line, &mut replaced, &mut wanted)
                }
                ["replace", name, version, "=>", rest @ ..] => {
                    whole &= replace((name, Some(version)), rest, *line, &mut replaced, &mut wanted);
                }
                [word, ..] => whole &= DIRECTIVES.contains(word),
                [] => {}
            }
        }
        for (line, name, version) in wanted {
            let is_replaced = replaced.iter().any(|(n, v)| *n == name && v.is_none_or(|v| v == version));
            if is_replaced {
                continue;
            }
            if is_name(name) && is_release(version) {
                let fact = Fact::Package(package(name, version, Placement::Listed));
                out.push_at(None, Some(line), at.clone(), fact);
            } else {
                // A branch or a commit, until Go writes down what it is.
                whole &= is_name(name) && version.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/+".contains(&b));
            }
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("go.mod", "lines of another form than Go writes")) }
    }
}

const DIRECTIVES: [&str; 9] = ["module", "go", "toolchain", "exclude", "retract", "godebug", "tool", "ignore", "use"];

type Wanted<'t> = (u32, &'t str, &'t str);

/// `=> example.com/c v1.0.0`, or a folder.
fn replace<'t>(
    old: (&'t str, Option<&'t str>),
    new: &[&'t str],
    line: u32,
    replaced: &mut Vec<(&'t str, Option<&'t str>)>,
    wanted: &mut Vec<Wanted<'t>>,
) -> bool {
    if replaced.len() >= REPLACED {
        return false;
    }
    replaced.push(old);
    match new {
        [name, version] => {
            // It may stand in place of itself in another version.
            wanted.push((line, name, version));
            if *name == old.0 {
                replaced.pop();
                wanted.retain(|(at, n, v)| *at == line || *n != old.0 || old.1.is_some_and(|version| version != *v));
            }
            true
        }
        [_folder] => true,
        _ => false,
    }
}

/// The words of each statement with its line; those of a block have the word before it in front. And whether every block ends.
fn statements(text: &str) -> (Vec<(u32, Vec<&str>)>, bool) {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    for (number, line) in (1_u32..).zip(text.lines()).take(LINES) {
        let line = line.split("//").next().unwrap_or_default().trim();
        let words = line.split_whitespace().map(|word| word.trim_matches(['"', '`']));
        match (block, line) {
            (_, "") => {}
            (Some(_), ")") => block = None,
            (Some(verb), _) => found.push((number, std::iter::once(verb).chain(words).take(8).collect())),
            (None, _) => match line.strip_suffix('(').map(str::trim) {
                Some(verb) if !verb.contains(char::is_whitespace) => block = Some(verb),
                _ => found.push((number, words.take(8).collect())),
            },
        }
    }
    let whole = block.is_none() && text.lines().nth(LINES).is_none();
    (found, whole)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&GoMod, "p/go.mod", text.as_bytes(), &[])
    }

    const TEXT: &str = "module example.com/app\n\ngo 1.22\n\nrequire example.com/a v1.2.3\nrequire (\n\texample.com/b v1.0.0 // \
                        indirect\n\t\"example.com/c/v2\" v2.0.0-20260805040439-27421527967b\n)\n";

    #[test]
    fn requirements_are_read() {
        let is = [
            "package example.com/a v1.2.3 Listed@5",
            "package example.com/b v1.0.0 Listed@7",
            "package example.com/c/v2 v2.0.0-20260805040439-27421527967b Listed@8",
        ];
        assert_eq!(read(TEXT), (is.map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn what_is_replaced_is_not_taken() {
        let of = |line: &str| read(&format!("{TEXT}{line}\n")).0;
        let has = |found: &[String], text: &str| found.iter().any(|f| f.contains(text));
        for line in [
            "replace example.com/a => ../a",
            "replace example.com/a v1.2.3 => example.com/x v1.0.0",
            "replace (\nexample.com/a => ./a\n)",
        ] {
            let found = of(line);
            assert!(!has(&found, "example.com/a ") && has(&found, "example.com/b"), "{line}");
            assert_eq!(has(&found, "example.com/x v1.0.0 Listed@10"), line.contains("/x"), "{line}");
        }
        assert!(has(&of("replace example.com/a v1.2.2 => ../a"), "example.com/a v1.2.3"));
        let newer = of("replace example.com/a => example.com/a v1.2.4");
        assert!(has(&newer, "example.com/a v1.2.4") && !has(&newer, "example.com/a v1.2.3"));
    }

    #[test]
    fn exclusions_comments_and_dependencies_name_nothing() {
        for text in [
            "exclude example.com/a v1.2.3",
            "exclude (\nexample.com/a v1.2.3\n)",
            "retract v1.2.3",
            "// require example.com/a v1.2.3",
            "module example.com/a",
            "tool example.com/a/cmd",
            "require example.com/a master",
            "",
        ] {
            assert_eq!(read(text), (vec![], None), "{text}");
        }
        for path in ["h/go/pkg/mod/example.com/x@v1.0.0/go.mod", "p/vendor/example.com/x/go.mod"] {
            assert_eq!(said(&GoMod, path, TEXT.as_bytes(), &[]), (vec![], None), "{path}");
        }
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in [
            "{{ x }}".to_owned(),
            "<<<<<<< HEAD\n".into(),
            "require (\n".into(),
            "require a\u{1b} v1.0.0".into(),
            "require a v1.0.0\u{202e}".into(),
            "\u{0}".into(),
            "require a v1\n".repeat(LINES + 1),
        ] {
            assert!(read(&text).1.is_some(), "{}", text.chars().take(20).collect::<String>());
        }
        let many: String = (0..20_000).map(|n| format!("require a{n} v1.0.{n}\n")).collect();
        assert_eq!(read(&many).0.len(), 20_000);
        // Both sides of a conflict.
        let (said, flaw) = read("<<<<<<< HEAD\nrequire a v1.0.0\n=======\nrequire a v1.0.1\n>>>>>>> b\n");
        assert_eq!((said.len(), flaw.is_some()), (2, true));
    }
}
