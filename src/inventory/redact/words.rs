//! Words of paths that say nothing about whose they are.

use serde_json::{Map, Value};

/// Folders below which a program lays out what stands there.
pub fn starts_own(part: &str) -> bool {
    let by_programs = matches!(part, "proc" | "Library" | "AppData" | "ProgramData");
    holds_packages(part) || by_programs || part.len() > 1 && part.starts_with('.')
}

/// Folders whose folders are packages, by their names.
pub fn holds_packages(part: &str) -> bool {
    matches!(part, "node_modules" | "site-packages" | "dist-packages")
}

/// Whether every machine may have a folder or a host of that name.
pub fn is_structure(part: &str) -> bool {
    const WORDS: &[&str] = &[
        "Applications", "Desktop", "Documents", "Downloads", "Program Files", "Users", "Windows", "alternatives", "anaconda3",
        "app", "apps", "bin", "boot", "build", "cache", "code", "conda", "cron", "cron.d", "data", "dev", "dist", "docs",
        "env", "envs", "etc", "example", "examples", "games", "git", "go", "home", "host", "include", "init.d", "js", "lib",
        "lib32", "lib64", "libexec", "local", "localdomain", "localhost", "log", "mail", "main", "man", "media", "miniconda3",
        "mnt", "node", "npm", "null", "opt", "packages", "passwd", "pip", "pkgs", "private", "projects", "python", "repos",
        "root", "run", "sbin", "scripts", "share", "spool", "src", "srv", "static", "sys", "system", "systemd", "target", "test",
        "tests", "tmp", "tools", "user", "usr", "uv", "var", "vendor", "venv", "venvs", "virtualenvs", "web", "work",
        "workspace", "www",
    ];
    let version = part.strip_prefix("python").or_else(|| part.strip_prefix('v')).unwrap_or(part);
    let numbers = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    numbers || WORDS.contains(&part)
}

/// The field of a use or a trace that names a repository, an image or a branch.
pub fn used(fields: &Map<String, Value>) -> Option<&'static str> {
    let kind = fields.get("kind").and_then(Value::as_str);
    match kind {
        Some("action" | "image") if fields.contains_key("usage") => Some("name"),
        Some("repository" | "branch") if fields.contains_key("held") => Some("value"),
        _ => None,
    }
}
