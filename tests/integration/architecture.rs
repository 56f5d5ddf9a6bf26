//! Imports point one way, and the promises that are rules about the source.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Each module may use itself, the modules of earlier rows, and nothing of later ones.
const LAYERS: &[&[&str]] = &[
    &["guard", "sandbox", "stop", "text", "verdict", "work", "sqlite", "bolt"],
    &["fact", "interest"],
    &["accounts", "coverage", "ecosystem"],
    &["ioc", "online", "shell", "tree"],
    &["deep", "surface"],
    &["credential", "walk"],
    &["scan"],
    &["matcher"],
    &["assess"],
    &["replay", "rotate"],
    &["report"],
    &["plan", "verify"],
    &["inventory"],
    &["image"],
    &["cli"],
    &["commands"],
];

/// Uses of an earlier row that the design forbids all the same: a surface knows no indicators, a judgement no tree.
const FORBIDDEN: &[(&str, &str)] = &[
    ("surface", "ioc"),
    ("credential", "matcher"),
    ("assess", "tree"),
    ("assess", "walk"),
    ("assess", "scan"),
    ("assess", "image"),
    ("rotate", "tree"),
    ("rotate", "walk"),
    ("report", "tree"),
    ("report", "walk"),
    ("report", "surface"),
    ("verify", "tree"),
    ("verify", "walk"),
    ("verify", "scan"),
    ("verify", "surface"),
    ("image", "ioc"),
];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap);
    let rust = files.filter(|e| e.path().extension().is_some_and(|x| x == "rs"));
    let is_test = |path: &Path| {
        let is = |name: &str| path.file_name().is_some_and(|n| n == name);
        is("tests.rs") || is("testing.rs") || path.parent().is_some_and(|p| p.ends_with("tests"))
    };
    let code = rust.filter(|e| !is_test(e.path()));
    code.map(|e| (e.path().strip_prefix(&root).unwrap().to_owned(), fs::read_to_string(e.path()).unwrap())).collect()
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let kept = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    kept.collect::<Vec<_>>().join("\n")
}

fn module(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules named after `crate::`, in `use crate::{a::…, b}` too.
fn used(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if !rest.starts_with('{') {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            continue;
        }
        let (mut depth, mut word, mut start) = (0, String::new(), true);
        for c in rest.chars() {
            let name = depth == 1 && start && (c.is_alphanumeric() || c == '_');
            match c {
                _ if name => word.push(c),
                c if c.is_whitespace() && word.is_empty() => {}
                _ => {
                    found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                    start = depth == 1 && c == ',' || depth == 0;
                    depth += i32::from(c == '{') - i32::from(c == '}');
                }
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

#[test]
fn imports_point_one_way() {
    let row: BTreeMap<&str, usize> =
        LAYERS.iter().enumerate().flat_map(|(n, names)| names.iter().map(move |m| (*m, n))).collect();
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let from = module(&path);
        if from == "main" || from == "lib" {
            continue;
        }
        let Some(here) = row.get(from.as_str()) else {
            faults.push(format!("{}: `{from}` is in no row of LAYERS", path.display()));
            continue;
        };
        for to in used(&code(&text)) {
            let there = row.get(to.as_str()).copied();
            let forbidden = FORBIDDEN.contains(&(from.as_str(), to.as_str()));
            if to != from && (there.is_none_or(|t| t > *here) || forbidden) {
                faults.push(format!("{}: `{from}` must not use `{to}`", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_reader_of_imports_reads_groups() {
    assert_eq!(used("use crate::fact::X;"), ["fact"]);
    assert_eq!(used("use crate::{\n    a::{b, c::d},\n    e,\n    f::g,\n};\nx"), ["a", "e", "f"]);
    assert_eq!(used("let x: crate::verdict::Phase = y;"), ["verdict"]);
}

#[test]
fn nothing_starts_a_process_or_opens_a_socket() {
    for (path, text) in sources() {
        let code = code(&text);
        for word in ["process::Command", "Command::new", "TcpStream", "UdpSocket", "unsafe ", "libc::"] {
            // The numbers of the system calls that are refused.
            let numbers = word == "libc::" && path.ends_with("sandbox/calls.rs");
            assert!(numbers || !code.contains(word), "{}: {word}", path.display());
        }
        let writes = ["fs::write", "File::create", "OpenOptions", "fs::rename", "fs::remove"];
        let output = path.ends_with("commands/output.rs") || path.starts_with("commands/output");
        assert!(output || !writes.iter().any(|w| code.contains(w)), "{} writes", path.display());
        if ["assess", "rotate", "matcher", "verify"].contains(&module(&path).as_str()) {
            for word in ["Timestamp::now", "SystemTime", "Instant::", "std::fs", "File::"] {
                assert!(!code.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn files_stay_small_enough_to_read() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 450, "{} has {lines} lines", path.display());
    }
}
