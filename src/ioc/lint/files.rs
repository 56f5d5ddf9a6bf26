//! Files, artefacts, texts and processes: hashes that are hashes, names and texts that are not everybody's.

use super::Lint;
use crate::ioc::{
    model::{FileIndicator, FileRole},
    pattern::{COMMON, base},
};

/// A shorter text is in files and command lines that have nothing to do with it.
const SHORTEST: usize = 8;

/// The empty file.
const EMPTY: &[&str] = &[
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "d41d8cd98f00b204e9800998ecf8427e",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
];

/// Folders that everybody has.
const FOLDERS: &[&str] = &[
    "",
    "*",
    ".claude",
    ".cursor",
    ".github",
    ".vscode",
    "app",
    "bin",
    "dist",
    "lib",
    "node_modules",
    "scripts",
    "src",
    "tmp",
    "var",
    "vendor",
    "workflows",
];

impl Lint<'_> {
    pub(super) fn files(&mut self) {
        let incident = self.incident;
        for (n, a) in incident.artifacts.iter().enumerate() {
            let place = format!("artifacts[{n}]");
            self.hashes(&place, [&a.sha256, &a.sha1, &a.md5, &a.sha512]);
            self.size(&place, a.size);
            self.text(format!("{place}.name"), &a.name);
            let unnamed = [&a.sha256, &a.sha512, &a.sha1, &a.md5].iter().all(|h| h.is_none());
            if unnamed && a.name.is_empty() {
                self.say(place, "neither a name nor a hash", "give one of them");
            }
        }
        self.twice("artifacts", incident.artifacts.iter().filter_map(|a| a.sha256.as_deref()));
        for (n, f) in incident.files.iter().enumerate() {
            self.file(&format!("files[{n}]"), f);
        }
        for (n, s) in incident.strings.iter().enumerate() {
            self.text(format!("strings[{n}].what"), &s.what);
            self.long(format!("strings[{n}].value"), &s.value);
        }
        self.twice("strings", incident.strings.iter().map(|s| s.value.as_str()));
        for (n, p) in incident.processes.iter().enumerate() {
            self.text(format!("processes[{n}].what"), &p.what);
            if p.holds.trim().len() < 4 {
                let place = format!("processes[{n}].holds");
                self.say(place, format!("`{}` is in many command lines", p.holds), "give at least 4 characters");
            }
            // Whatever starts what lies in the payload's own folder counts.
            let own = p.holds.contains('/') && p.holds.len() > SHORTEST;
            let none = |p: &String| p.contains('/') || (p.trim_matches('*').is_empty() && !own);
            if p.programs.is_empty() || p.programs.iter().any(none) {
                let hint = "list base names (`python*`): an editor or `grep` of the text is none; `*` is for paths of the payload";
                self.say(format!("processes[{n}].programs"), "no program", hint);
            }
        }
    }

    fn file(&mut self, place: &str, f: &FileIndicator) {
        self.hashes(place, [&f.sha256, &f.sha1, &f.md5, &None]);
        self.size(place, f.size);
        self.text(format!("{place}.what"), &f.what);
        if f.paths.is_empty() {
            self.say(format!("{place}.paths"), "no path", "give `~/…`, `/…`, `site:…` or `any:…`");
        }
        self.twice(&format!("{place}.paths"), f.paths.iter().map(String::as_str));
        for (n, holds) in f.holds.iter().enumerate() {
            self.long(format!("{place}.holds[{n}]"), holds);
        }
        let by_name = !matches!(f.role, FileRole::Module | FileRole::Companion);
        let known = f.sha256.is_some() || !f.holds.is_empty();
        for (n, path) in f.paths.iter().enumerate() {
            let place = format!("{place}.paths[{n}]");
            let rooted = ["~/", "/", "site:", "any:"].iter().any(|start| path.starts_with(start));
            if !rooted || path.ends_with(['/', ':']) || path.split('/').any(|p| p == "..") || path.contains('\\') {
                let hint = "start it with `~/`, `/`, `site:` or `any:`, and write `/` between folders";
                self.say(place, format!("`{path}` is not a pattern"), hint);
            } else if base(path).trim_matches('*').is_empty() {
                let hint = "name the files: with this one every file of a disk is looked at";
                self.say(place, format!("`{path}` fits every name"), hint);
            } else if by_name && !known && is_everybodys(path) {
                let hint = "give its `sha256`, what it `holds`, or a folder that nobody else has; or role `module`";
                self.say(place, format!("`{path}` is a name that others use"), hint);
            }
        }
        if let Some(size) = f.size.filter(|_| f.role == FileRole::Module && !known) {
            let hint = "a size alone shows nothing: give `sha256` or `holds`";
            self.say(format!("{place}.size"), format!("{size} bytes and no hash"), hint);
        }
    }

    fn long(&mut self, place: String, text: &str) {
        let length = text.trim().chars().count();
        if length < SHORTEST {
            let what = format!("{length} characters are in files that have nothing to do with it");
            self.say(place, what, format!("give at least {SHORTEST}, or leave it out"));
        }
    }

    fn size(&mut self, place: &str, size: Option<u64>) {
        const MOST: u64 = 16 << 30;
        if let Some(size) = size.filter(|s| *s == 0 || *s > MOST) {
            let hint = "write the size in bytes, or leave it out";
            self.say(format!("{place}.size"), format!("{size} bytes"), hint);
        }
    }

    fn hashes(&mut self, place: &str, hashes: [&Option<String>; 4]) {
        let kinds = [("sha256", "SHA-256", 64), ("sha1", "SHA-1", 40), ("md5", "MD5", 32), ("sha512", "SHA-512", 128)];
        for ((field, kind, length), hash) in kinds.into_iter().zip(hashes) {
            let Some(hash) = hash else {
                continue;
            };
            let place = format!("{place}.{field}");
            if hash.len() != length || !is_hex(hash) {
                let what = match hash.chars().count() {
                    n if n == length => format!("not a {kind}: other characters than 0-9 and a-f"),
                    n => format!("not a {kind}: {n} characters"),
                };
                let hint = format!("{length} lower-case hex digits; leave it out where the source has another number");
                self.say(place, what, hint);
            } else if EMPTY.contains(&&**hash) {
                self.say(place, format!("the {kind} of an empty file"), "leave it out: it fits every empty file");
            } else if hash.chars().all(|c| hash.starts_with(c)) {
                self.say(place, "a placeholder", "leave it out, or write the hash");
            }
        }
    }
}

/// Lower-case hex digits.
pub fn is_hex(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// A name of `COMMON`, or one that is all wildcard, in no folder that says anything.
fn is_everybodys(path: &str) -> bool {
    let name = base(path);
    let bare: String = name.chars().filter(|c| *c != '*').collect();
    let stem = bare.split('.').next().unwrap_or_default();
    let wild = name.contains('*') && stem.is_empty() && bare.len() <= 5;
    let rest = path.strip_suffix(name).unwrap_or_default();
    let rest = ["~/", "/", "site:", "any:"].iter().find_map(|start| rest.strip_prefix(start)).unwrap_or(rest);
    let is_specific = rest.split('/').any(|folder| !FOLDERS.contains(&folder));
    (COMMON.contains(&name) || wild) && !is_specific
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_every_name_is_a_fault() {
        let check = |path: &str| {
            let text = format!(
                r#"{{"schema":"dosimeter.incident/1","id":"x","title":"x","date":"2026-01-01","summary":"x",
                "sources":{{"s":{{"title":"s","url":"https://report.example"}}}},
                "files":[{{"role":"trace","paths":["{path}"],"what":"x","sources":["s"]}}],
                "examples":[{{"title":"x","lookups":["x"]}}],"near_misses":[{{"title":"x","lookups":["y"]}}]}}"#
            );
            let found = super::super::check(&[("x.json", &text)], jiff::Timestamp::now()).1;
            found.iter().any(|p| p.what.ends_with("fits every name"))
        };
        assert!(check("~/.made-up/*") && check("any:made-up/**"));
        assert!(!check("~/.made-up/*.bin") && !check("~/.made-up/evil"));
    }

    #[test]
    fn a_common_name_counts_in_a_folder_of_its_own() {
        for path in
            ["any:index.js", "any:.github/workflows/*.yml", "~/.vscode/tasks.json", "any:node_modules/*/setup.js"]
        {
            assert!(is_everybodys(path), "{path}");
        }
        for path in ["any:node_modules/made-up/index.js", "~/.dev-env/setup.sh", "any:evil.js", "~/*miasma*.plist"] {
            assert!(!is_everybodys(path), "{path}");
        }
    }
}
