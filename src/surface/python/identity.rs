//! What the name of a folder or file says of a distribution. A hostile package writes into its own description what it likes, or
//! nothing; an installer named what stands around it.
//!
//! ```text
//! litellm-1.82.8.dist-info              name and version, once escaped: `-` of the name is `_`
//! My.Egg_pkg-1.2-py3.8.egg-info, .egg   the same, with the interpreter and sometimes a platform behind
//! litellm-1.82.8-py3-none-any.whl       with tags
//! litellm-1.82.8.tar.gz, .zip           an sdist
//! ```

use super::{
    archive::{sdist_parts, wheel_parts},
    placement,
};
use crate::{
    ecosystem::pypi::{is_name, is_version, normalise, same_version},
    fact::{Ecosystem, Fact, Package, Placement, TreePath},
    surface::Sink,
};

/// A distribution of which no more is known.
pub fn package(name: &str, version: &str, placement: Placement) -> Package {
    Package {
        ecosystem: Ecosystem::Pypi,
        name: normalise(name).into(),
        version: version.into(),
        placement,
        requires: [].into(),
        artifacts: Vec::new(),
    }
}

/// Name and version of `litellm-1.82.8.dist-info`, of `x-1.0-py3.8.egg-info`, or of an egg.
pub fn folder_parts(name: &[u8]) -> Option<(&str, &str)> {
    let name = std::str::from_utf8(name).ok()?;
    if let Some(stem) = name.strip_suffix(".dist-info") {
        return versioned(stem);
    }
    let stem = name.strip_suffix(".egg-info").or_else(|| name.strip_suffix(".egg"))?;
    let tag = stem.match_indices("-py").map(|(at, _)| at).find(|at| {
        let behind = stem.get(at + 3..).unwrap_or_default();
        behind.starts_with(|c: char| c.is_ascii_digit())
    });
    versioned(tag.and_then(|at| stem.get(..at)).unwrap_or(stem))
}

fn versioned(stem: &str) -> Option<(&str, &str)> {
    let (name, version) = stem.rsplit_once('-')?;
    let starts = |c: char| c.is_ascii_digit() || c == 'v';
    (is_name(name)
        && is_version(version)
        && version.starts_with(starts)
        && version.contains(|c: char| c.is_ascii_digit()))
    .then_some((name, version))
}

/// Name and version of a file that holds a distribution.
pub fn file_parts(name: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(name).ok()?;
    if text.ends_with(".whl") {
        return wheel_parts(text);
    }
    if text.ends_with(".egg") || text.ends_with(".egg-info") {
        return folder_parts(name);
    }
    sdist_parts(text.strip_suffix(".tar.gz").or_else(|| text.strip_suffix(".zip"))?.as_bytes())
}

/// What a folder that describes a distribution says by its name, at the file that should describe it.
pub fn of_folder(folder: &TreePath) -> Option<(TreePath, Fact)> {
    let (name, version) = folder_parts(folder.name())?;
    let inside = match folder.name() {
        n if n.ends_with(b".dist-info") => b"METADATA".as_slice(),
        n if n.ends_with(b".egg-info") => b"PKG-INFO",
        _ => b"EGG-INFO/PKG-INFO",
    };
    Some((folder.join(inside), Fact::Named(package(name, version, placement::of_info(folder)))))
}

/// Tells of what a folder or file is called where it says something else than what describes it.
pub fn compare(out: &mut Sink<'_>, named: Option<(&str, &str)>, by: &str, found: &Package, what: &str) -> bool {
    let Some((name, version)) = named else {
        return false;
    };
    let name = normalise(name);
    // Folders have `_` where a version has `-` or `+`.
    let plain = |v: &str| v.replace(['_', '+'], "-").to_lowercase();
    let same = plain(version) == plain(&found.version)
        || same_version(&found.version, version)
        || same_version(version, &found.version);
    if name == *found.name && same {
        return false;
    }
    let words = format!("{by} says {name} {version}, {what} says {} {}", found.name, found.version);
    out.push(None, Fact::Disagreement { names: [name.into(), (*found.name).into()], what: words });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_and_files_are_taken_apart() {
        for (name, says) in [
            ("litellm-1.82.8.dist-info", Some(("litellm", "1.82.8"))),
            ("my_lib-1.0.post1+cu117.dist-info", Some(("my_lib", "1.0.post1+cu117"))),
            ("My.Egg_pkg-1.2-py3.8.egg-info", Some(("My.Egg_pkg", "1.2"))),
            ("litellm-1.82.8-py3.8-linux-x86_64.egg", Some(("litellm", "1.82.8"))),
            ("ruamel-py3-1.0-py2.7.egg", None),
            ("lite-llm-1.0.egg-info", Some(("lite-llm", "1.0"))),
            ("litellm.egg-info", None),
            ("litellm.dist-info", None),
            ("~itellm-1.82.8.dist-info", None),
            ("a\u{1b}-1.dist-info", None),
            ("a-1\u{202e}.dist-info", None),
            ("notes-about.dist-info", None),
            (".dist-info", None),
        ] {
            assert_eq!(folder_parts(name.as_bytes()), says, "{name}");
        }
        for (name, says) in [
            ("litellm-1.82.8-py3-none-any.whl", Some(("litellm", "1.82.8"))),
            ("litellm-1.82.8.tar.gz", Some(("litellm", "1.82.8"))),
            ("litellm-1.82.8.zip", Some(("litellm", "1.82.8"))),
            ("litellm-1.82.8.egg-info", Some(("litellm", "1.82.8"))),
            ("litellm-1.82.8.txt", None),
            ("litellm-notes.zip", None),
        ] {
            assert_eq!(file_parts(name.as_bytes()), says, "{name}");
        }
        assert_eq!(folder_parts(b"\xff-1.dist-info"), None);
    }
}
