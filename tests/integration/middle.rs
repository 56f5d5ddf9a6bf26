//! The middle knows no ecosystem: what is Python's or Node's stands behind a family, and a surface is known by its id only to itself.

use std::{fs, path::Path};

/// Words of ecosystems, their tools and their layouts. They are looked for as whole words of identifiers and of texts.
const WORDS: &[&str] = &[
    "pypi",
    "pip",
    "pipx",
    "pipenv",
    "pipfile",
    "uv",
    "conda",
    "poetry",
    "pex",
    "shiv",
    "egg",
    "wheel",
    "sdist",
    "pyc",
    "pycache",
    "pth",
    "sitecustomize",
    "python",
    "npm",
    "npx",
    "pnpm",
    "yarn",
    "bun",
    "deno",
    "axios",
    "litellm",
    "cargo",
    "gem",
    "ruby",
    "composer",
    "maven",
    "nuget",
];

/// Texts that hold no word of their own.
const TEXTS: &[&str] = &[
    "site-packages",
    "dist-packages",
    "dist-info",
    "egg-info",
    "EGG-INFO",
    ".pth",
    "RECORD",
    "INSTALLER",
    "METADATA",
    "PKG-INFO",
    "direct_url",
    "node_modules",
    "package.json",
    "package-lock",
];

/// The code of the middle, without its families, comments and tests.
fn middle() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap);
    let mut found = Vec::new();
    for file in files.filter(|e| e.path().extension().is_some_and(|x| x == "rs")) {
        let name = file.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let inside = name == "matcher.rs" || ["assess/", "rotate/", "report/"].iter().any(|f| name.starts_with(f));
        let test = name.ends_with("tests.rs") || name.contains("/tests/");
        let family = name.starts_with("assess/family/") && name != "assess/family/mod.rs";
        if inside && !test && !family {
            found.push((name, code(&fs::read_to_string(file.path()).unwrap())));
        }
    }
    assert!(found.len() > 40, "{} files", found.len());
    found
}

fn code(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\n").next().unwrap_or(text);
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    lines.map(|l| l.split(" // ").next().unwrap_or(l)).collect::<Vec<_>>().join("\n")
}

/// The words of a line: of `SITE_of`, `siteOf` and `"site of"` these are `site` and `of`.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in line.chars() {
        let new = !c.is_ascii_alphabetic() || c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if new {
            words.push(String::new());
        }
        if c.is_ascii_alphabetic() {
            words.last_mut().unwrap().push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Faults of the code of one file.
fn faults(name: &str, code: &str) -> Vec<String> {
    let mut faults = Vec::new();
    // The slice of families names each of them.
    let allowed = |line: &str| {
        name == "assess/family/mod.rs"
            && ["pub mod ", "pub use ", "pub static FAMILIES", "    &"].iter().any(|start| line.starts_with(start))
    };
    let code = code.replace("env!(\"CARGO_PKG", "");
    for line in code.lines().filter(|l| !allowed(l)) {
        let bad = words(line).into_iter().find(|w| WORDS.contains(&w.as_str()));
        let bad = bad.or_else(|| TEXTS.iter().find(|t| line.contains(**t)).map(|t| (*t).to_owned()));
        if let Some(bad) = bad {
            faults.push(format!("{name}: `{bad}` in `{}`", line.trim()));
        }
    }
    faults
}

#[test]
fn the_middle_names_no_ecosystem() {
    let faults: Vec<String> = middle().iter().flat_map(|(name, code)| faults(name, code)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_reader_of_names_reads_them() {
    let of = |line: &str| faults("assess/x.rs", &code(line)).len();
    for bad in [
        "let x = pypi::site_of(p);",
        "Ecosystem::Npm => 1,",
        r#"if name == b"METADATA" {"#,
        r#""where Python loads it""#,
        "EnvironmentKind::UvTool",
        r#"folder.ends_with(b".dist-info")"#,
    ] {
        assert_eq!(of(bad), 1, "{bad}");
    }
    for good in ["// pip and uv", "let pipe = 1;", "Recorded { package }", "let installer = x;", "x; // as pip does"] {
        assert_eq!(of(good), 0, "{good}");
    }
}

/// What a surface is, it says itself: `commands`, `reads` …
#[test]
fn a_surface_is_compared_only_where_it_is_declared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let ids: Vec<String> = dosimeter::surface::SURFACES.iter().map(|s| format!("\"{}\"", s.meta().id)).collect();
    let mut faults = Vec::new();
    for file in walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap) {
        let name = file.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".rs") || name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        let code = code(&fs::read_to_string(file.path()).unwrap());
        for line in code.lines() {
            let own = |id: &str| name == format!("surface/{}.rs", id.trim_matches('"').replace('-', "_"));
            let named = ids.iter().find(|id| line.contains(id.as_str()) && !own(id));
            let compares = [".surface ==", ".surface !=", "surface.starts_with", "surface.ends_with"];
            let outside = ["assess/", "rotate/", "report/", "matcher.rs"].iter().any(|f| name.starts_with(f));
            if let Some(id) = named {
                faults.push(format!("{name}: {id} is named in `{}`", line.trim()));
            } else if outside && compares.iter().any(|c| line.contains(c)) {
                faults.push(format!("{name}: `{}`", line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
