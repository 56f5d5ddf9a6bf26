//! Which site folders one interpreter of the system reads at every start: its own, those that the administrator fills, and the one in
//! the home of whoever starts it.
//!
//! ```text
//! usr/lib/python3/dist-packages                      Debian's own packages, of every version
//! usr/local/lib/python3.11/dist-packages             `sudo pip install` on Debian and Ubuntu
//! usr/{,local/}lib{,64}/python3.11/site-packages     elsewhere; `usr/local` alone in images of Python
//! home/al/.local/lib/python3.11/site-packages        `pip install --user`, read when this account starts it
//! ```
//!
//! A virtual environment reads none of them. Documented in the `site` module and in site.py of Debian.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    assess::units::{Folder, Units},
    fact::{At, TreePath, split},
};

/// Whose interpreter reads a site folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader<'p> {
    /// One of the system: the version, unless it is of every one, and the last folder's name.
    System(Option<&'p [u8]>, &'p [u8]),
    /// The same, started by the account with this home.
    User(&'p [u8], &'p [u8]),
    /// One that somebody installed beside the system's: pyenv, uv, a folder in `/opt`.
    Other(&'p [u8]),
}

/// Who reads a site folder; `None` where it is an environment's own.
fn reader(site: &TreePath) -> Option<Reader<'_>> {
    let (above, last) = split(site.as_bytes());
    let (above, version) = split(above);
    let version = version.strip_prefix(b"python")?;
    let (prefix, lib) = split(above);
    if !matches!(lib, b"lib" | b"lib64") {
        return None;
    }
    if let Some(home) = prefix.strip_suffix(b"/.local") {
        return Some(Reader::User(home, version));
    }
    match prefix {
        b"usr" | b"usr/local" => Some(Reader::System((version != b"3").then_some(version), last)),
        _ => [&b"/versions/"[..], b"/uv/python/", b"/installs/python/"]
            .iter()
            .any(|folder| memchr::memmem::find(prefix, folder).is_some())
            .then_some(Reader::Other(version)),
    }
}

/// Whether a program of the system reads a site folder at its start; `in_own_home` where that is in the home of whoever started it.
pub fn is_read_by(site: &TreePath, program: &TreePath, in_own_home: bool) -> bool {
    let (folder, name) = split(program.as_bytes());
    let Some(version) = name.strip_prefix(b"python") else {
        return false;
    };
    let is_local = folder == b"usr/local/bin";
    match reader(site) {
        Some(Reader::System(of, name)) if is_local => {
            of == Some(version) && name == b"site-packages" && site.as_bytes().starts_with(b"usr/local/")
        }
        Some(Reader::System(of, _)) => matches!(folder, b"usr/bin" | b"bin") && of.is_none_or(|of| of == version),
        Some(Reader::User(_, of)) => {
            in_own_home && of == version && (is_local || matches!(folder, b"usr/bin" | b"bin"))
        }
        _ => false,
    }
}

/// The site folders of interpreters of the system, by version.
#[derive(Default)]
pub struct SameInterpreter<'s> {
    by_version: HashMap<(&'s str, &'s [u8]), Vec<&'s Folder>>,
    others: HashSet<(&'s str, &'s [u8])>,
}

impl<'s> SameInterpreter<'s> {
    /// Of these units.
    pub fn new(units: &'s Units) -> Self {
        let mut known = Self::default();
        for key in units.by_folder.keys() {
            match reader(&key.1) {
                Some(Reader::System(version, _)) => {
                    known.by_version.entry((&key.0, version.unwrap_or_default())).or_default().push(key);
                }
                Some(Reader::User(_, version)) => known.by_version.entry((&key.0, version)).or_default().push(key),
                Some(Reader::Other(version)) => {
                    known.others.insert((&key.0, version));
                }
                None => {}
            }
        }
        known
    }

    /// What pip put after a time into other folders that the interpreter which reads this one reads too: it started pip.
    pub fn installed_after(
        &self,
        units: &'s Units,
        tree: &Arc<str>,
        site: &TreePath,
        there: Timestamp,
    ) -> Vec<(&'s At, &'s str)> {
        let Some(own) = reader(site) else {
            return Vec::new();
        };
        let version = match own {
            Reader::System(version, _) => version.unwrap_or_default(),
            Reader::User(_, version) | Reader::Other(version) => version,
        };
        // Another interpreter of this version may have filled a home's folder.
        let alone = !self.others.contains(&(&**tree, version));
        let is_sister = |other: &TreePath| match (own, reader(other)) {
            (Reader::System(_, name), Some(Reader::System(_, other))) => name == other,
            (Reader::System(version, _), Some(Reader::User(..))) => alone && version.is_some(),
            // What stands in a folder of the system was put there by root.
            (Reader::User(home, _), Some(Reader::System(..))) => home == b"root",
            _ => false,
        };
        let same = [version, b""].into_iter().filter_map(|v| self.by_version.get(&(&**tree, v))).flatten();
        let sisters = same.filter(|(_, other)| other != site && is_sister(other));
        let put = sisters.filter_map(|key| units.by_folder.get(*key)).flat_map(|s| &s.distributions);
        let by_pip = put.filter(|d| d.installer.as_deref() == Some("pip"));
        by_pip
            .filter_map(|d| Some((d.installed.as_ref()?, &*d.package.name)))
            .filter(|(at, _)| at.time > there)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader_text(path: &str) -> String {
        let path = TreePath::new(path.as_bytes()).unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        match reader(&path) {
            None => "none".to_owned(),
            Some(Reader::System(version, name)) => format!("system {} {}", text(version.unwrap_or(b"-")), text(name)),
            Some(Reader::User(home, version)) => format!("user {} {}", text(home), text(version)),
            Some(Reader::Other(version)) => format!("other {}", text(version)),
        }
    }

    #[test]
    fn who_reads_a_site_folder() {
        for (path, expected) in [
            ("usr/lib/python3/dist-packages", "system - dist-packages"),
            ("usr/local/lib/python3.11/dist-packages", "system 3.11 dist-packages"),
            ("usr/lib64/python3.12/site-packages", "system 3.12 site-packages"),
            ("home/al/.local/lib/python3.11/site-packages", "user home/al 3.11"),
            ("root/.local/lib/python3.11/site-packages", "user root 3.11"),
            ("home/al/.pyenv/versions/3.11.4/lib/python3.11/site-packages", "other 3.11"),
            ("home/al/.local/share/uv/python/cpython-3.11/lib/python3.11/site-packages", "other 3.11"),
            ("home/al/v/lib/python3.11/site-packages", "none"),
            ("srv/usr/lib/python3.11/site-packages", "none"),
            ("usr/share/python3.11/site-packages", "none"),
            ("usr/lib/node_modules/x", "none"),
            ("x", "none"),
            ("", "none"),
        ] {
            assert_eq!(reader_text(path), expected, "{path}");
        }
    }
}
