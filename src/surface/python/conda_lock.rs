//! Lock files of conda's world: every package by the address of its archive.
//!
//! ```text
//! conda-lock.yml, *.conda-lock.yml     package:                    pixi.lock     packages:
//!                                      - name: litellm                           - conda: https://…/litellm-1.82.8-pyhd8ed1ab_0.conda
//!                                        manager: conda, pip                       sha256: …
//!                                        url: https://…                          - pypi: https://…/litellm-1.82.8-py3-none-any.whl
//!                                        hash:                                   - kind: conda            up to version 5
//!                                          sha256: …                               url: https://…
//!
//! conda-linux-64.lock, spec-file.txt, explicit.txt     @EXPLICIT, then one address a line, with #md5 or #sha256:…
//! ```
//!
//! Written by conda-lock 1 to 4, pixi (rattler), and `conda list --explicit`. All are written by programs, a key a line, so they are
//! read by line: a conflict that git left shows both sides. What has no archive (a folder, a repository) is a source tree and left
//! out. A hit proves that the file names the version; not that it was installed. Documented by conda-lock and pixi.

use super::{
    FILE,
    listing::{Listing, numbered, text},
    pin::{Pin, artifact_name, package_file, sha256},
};
use crate::{
    ecosystem::pypi::{conda_parts, is_version},
    fact::{Artifact, Package},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, line_starts},
    },
};

/// What git leaves in a conflict.
const MARKERS: &[&str] = &["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// `conda-lock.yml`, `pixi.lock`, explicit lists.
pub struct CondaLock;

static META: Meta = Meta {
    id: "python/conda-lock",
    title: "lock files of conda-lock and pixi, explicit lists of conda",
    proves: "the file names the version; not that it was installed",
};

impl Surface for CondaLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::suffix("conda-lock.yml"),
            Claim::suffix("conda-lock.yaml"),
            Claim::name("pixi.lock"),
            Claim::affix("conda-", ".lock"),
            Claim::name("spec-file.txt"),
            Claim::name("explicit.txt"),
        ]
    }

    fn salvage(&self, file: &mut Opened<'_, '_>) -> Vec<(Package, u32)> {
        super::raw::pairs(file)
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (has_line(&text, "@EXPLICIT")
            || has_line(&text, "package:") && line_starts(&text, "manager: ")
            || has_line(&text, "packages:") && line_starts(&text, "- conda: "))
        .then_some("conda-lock.yml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the lock file");
        let text = text(file.all(FILE)?);
        let mut listing = Listing::new(out, at);
        if text.lines().any(|line| line.trim() == "@EXPLICIT") {
            for (number, line) in numbered(&text) {
                if let Some(pin) = conda_file(line.trim()) {
                    listing.push(pin, Some(number));
                }
            }
            return Ok(());
        }
        let mut item = Item::default();
        let mut listed = None;
        for (number, line) in numbered(&text) {
            let content = line.trim_start();
            let indent = line.len() - content.len();
            match content.strip_prefix("- ") {
                // One side of a conflict ends, and the other goes on with the same package.
                _ if MARKERS.iter().any(|m| line.starts_with(m)) => {
                    item.end(&mut listing);
                    item.line = number.saturating_add(1);
                }
                _ if content.is_empty() || content.starts_with('#') => {}
                // A key of the whole document.
                None if indent == 0 => {
                    item.end(&mut listing);
                    listed = matches!(content.trim_end(), "package:" | "packages:").then_some(None);
                }
                Some(first) if listed.is_some_and(|list: Option<usize>| list.is_none_or(|at| at == indent)) => {
                    listed = Some(Some(indent));
                    item.end(&mut listing);
                    item.line = number;
                    item.key(first, false);
                }
                None => {
                    if let Some(Some(list)) = listed {
                        item.key(content, indent > list + 2);
                    }
                }
                Some(_) => {}
            }
        }
        item.end(&mut listing);
        Ok(())
    }
}

/// What is read of one package.
#[derive(Default)]
struct Item {
    line: u32,
    url: Option<String>,
    sha256: Option<String>,
    /// The key whose values stand below it.
    above: String,
}

impl Item {
    /// `key: value`; `below` where it belongs to another key.
    fn key(&mut self, line: &str, below: bool) {
        let Some((key, value)) = line.split_once(':') else {
            return;
        };
        let value = value.trim().trim_matches(['\'', '"']);
        match key {
            "url" | "conda" | "pypi" if !below && !value.is_empty() => self.url = Some(value.to_owned()),
            "sha256" if !below || self.above == "hash" => self.sha256 = sha256(value),
            _ => {}
        }
        if !below {
            key.clone_into(&mut self.above);
        }
    }

    fn end(&mut self, listing: &mut Listing<'_, '_>) {
        let item = std::mem::take(self);
        let Some(mut pin) = item.url.as_deref().and_then(|url| conda_file(url).or_else(|| package_file(url))) else {
            return;
        };
        if let (Some(artifact), Some(hash)) = (pin.artifacts.first_mut(), item.sha256) {
            artifact.sha256 = Some(hash);
        }
        listing.push(pin, Some(item.line));
    }
}

/// Name, version and hash from the address of a package of conda.
fn conda_file(url: &str) -> Option<Pin> {
    let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
    let file = address.rsplit(['/', '\\']).next()?;
    let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
    let (name, version, build) = conda_parts(stem.as_bytes())?;
    let mut pin = Pin::new(name, version).filter(|_| is_version(build))?;
    let name = artifact_name(file, &pin.name);
    pin.artifacts.push(Artifact { name, sha256: sha256(fragment), ..Artifact::default() });
    Some(pin)
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{claims, read},
        *,
    };

    const HASH: &str = "b99a536f802d89b54749739da9eb76398907d623f579ecec91abdf9324057bac";

    fn pins(text: &str) -> Vec<String> {
        let read = read(&CondaLock, "p/pixi.lock", text.as_bytes());
        assert!(read.gaps.is_empty());
        read.pins
    }

    #[test]
    fn a_lock_of_pixi() {
        // As rattler wrote it, with its own hosts replaced.
        let text = format!(
            "version: 7\nplatforms:\n- name: linux-64\nenvironments:\n  default:\n    packages:\n      linux-64:\n      \
             - conda: https://c.example/noarch/litellm-1.82.8-pyhd8ed1ab_0.tar.bz2\n      \
             - pypi: https://f.example/litellm-1.82.7-py3-none-any.whl\npackages:\n\
             - conda: https://c.example/noarch/litellm-1.82.8-pyhd8ed1ab_0.tar.bz2\n  subdir: noarch\n  sha256: {HASH}\n  \
             depends:\n  - python >=3.8\n  - conda: no\n  license: MIT\n\
             - pypi: https://f.example/litellm-1.82.7-py3-none-any.whl\n  name: litellm\n  version: 1.82.7\n\
             - pypi: ./litellm\n  name: litellm\n  version: 1.82.8\n\
             - pypi: git+https://h.example/litellm-1.82.8.zip\n  name: litellm\n"
        );
        let got = read(&CondaLock, "p/pixi.lock", text.as_bytes());
        assert_eq!(got.pins, ["litellm 1.82.8@11", "litellm 1.82.7@18"]);
        let artifact = got.artifacts[0][0].clone();
        assert_eq!(artifact.name.as_deref(), Some("litellm-1.82.8-pyhd8ed1ab_0.tar.bz2"));
        assert_eq!(artifact.sha256.as_deref(), Some(HASH));
        let old = "version: 5\npackages:\n- kind: conda\n  name: litellm\n  version: 1.82.8\n  \
                   url: 'https://c.example/noarch/litellm-1.82.8-0.conda'\n";
        assert_eq!(pins(old), ["litellm 1.82.8@3"]);
    }

    #[test]
    fn a_lock_of_conda_lock() {
        let text = format!(
            "# conda-lock\nversion: 1\nmetadata:\n  channels:\n  - url: https://c.example/litellm-1.82.8-0.conda\npackage:\n\
             - name: litellm\n  version: 1.82.8\n  manager: conda\n  dependencies:\n    python: '>=3.8'\n    \
             url: https://c.example/x-1-0.conda\n  url: https://c.example/noarch/litellm-1.82.8-py_0.conda\n  hash:\n    \
             md5: {0}\n    sha256: {HASH}\n  category: main\n- name: litellm\n  version: 1.82.7\n  manager: pip\n  \
             url: https://f.example/litellm-1.82.7-py3-none-any.whl\n",
            "a".repeat(32)
        );
        let got = read(&CondaLock, "p/conda-lock.yml", text.as_bytes());
        assert_eq!(got.pins, ["litellm 1.82.8@7", "litellm 1.82.7@18"]);
        assert_eq!(got.artifacts[0][0].sha256.as_deref(), Some(HASH));
    }

    #[test]
    fn explicit_lists() {
        let text = format!(
            "# platform: linux-64\n@EXPLICIT\nhttps://c.example/noarch/litellm-1.82.8-py_0.conda#{HASH}\n\
             # https://c.example/noarch/litellm-1.82.7-py_0.conda\nhttps://u:p@c.example/litellm-1.82.7-py_0.tar.bz2#{0}\n",
            "a".repeat(32)
        );
        assert_eq!(pins(&text), ["litellm 1.82.8@3", "litellm 1.82.7@5"]);
        assert!(pins("https://c.example/noarch/litellm-1.82.8-py_0.conda\n").is_empty());
    }

    #[test]
    fn names_that_are_claimed() {
        for path in ["conda-lock.yml", "x/dev.conda-lock.yml", "pixi.lock", "conda-linux-64.lock", "spec-file.txt"] {
            assert!(claims(&CondaLock, path), "{path}");
        }
        assert!(!claims(&CondaLock, "my-pixi.lock") && !claims(&CondaLock, "conda.lock"));
    }

    #[test]
    fn both_sides_of_a_conflict_and_hostile_texts() {
        let conflict = "packages:\n<<<<<<< HEAD\n- conda: https://c.example/litellm-1.82.7-0.conda\n=======\n\
                        - conda: https://c.example/litellm-1.82.8-0.conda\n>>>>>>> b\n- conda: https://c.example/x-1-0.conda\n";
        assert_eq!(pins(conflict), ["litellm 1.82.7@3", "litellm 1.82.8@5", "x 1@7"]);
        let within = "packages:\n- kind: conda\n<<<<<<< HEAD\n  url: https://c.example/litellm-1.82.7-0.conda\n=======\n  \
                      url: https://c.example/litellm-1.82.8-0.conda\n>>>>>>> b\n  name: litellm\n";
        assert_eq!(pins(within), ["litellm 1.82.7@4", "litellm 1.82.8@6"]);
        for text in ["", "packages", "packages:\n- \n", "packages:\n-\n  :\n", "- conda: x\n", "packages: [{}]\n"] {
            assert!(pins(text).is_empty(), "{text}");
        }
        let odd = "packages:\n- conda: https://c.example/lite\u{1b}llm-1.82.8-0.conda\n- conda: a-1-\u{1b}.conda\n";
        assert!(pins(odd).is_empty());
        let many = format!("packages:\n{}", "- conda: a-1-0.conda\n".repeat(60_000));
        assert_eq!(read(&CondaLock, "p/pixi.lock", many.as_bytes()).gaps.len(), 1);
    }
}
