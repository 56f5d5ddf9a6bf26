//! Names, versions and requirements as the Python packaging specifications write and compare them.

use std::str::FromStr as _;

use pep440_rs::{LocalSegment, Version, VersionSpecifiers};
use pep508_rs::{Requirement as Pep508, VersionOrUrl};

use crate::fact::{Requirement, TreePath, parent};

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: normalise, same: same_version, order, is_version: is_strict_version, admits };

/// A project name as PEP 503 normalises it: lower case, runs of `-`, `_` and `.` are one `-`.
pub fn normalise(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.extend(c.to_lowercase()),
        }
    }
    normal
}

/// Whether a text can be a project name (the core metadata specification's pattern), so that it is safe to show.
pub fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= 200
        && name.chars().all(inner)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Whether a text can be a version, so that it is safe to show. Wider than PEP 440: old distributions have others.
pub fn is_version(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-+!*".contains(c))
}

/// Whether a version that was found is the known one by PEP 440. A known one without a local part is also found with one
/// (`2.0.0` in `2.0.0+cu117`), as `==2.0.0` takes it: a rebuild of malicious code is malicious. An index that takes no local
/// parts never had the found one, so an incident whose genuine releases have them caps its confidence (torchtriton).
pub fn same_version(known: &str, found: &str) -> bool {
    match (Version::from_str(known), Version::from_str(found)) {
        (Ok(known), Ok(found)) if known.is_local() => known == found,
        (Ok(known), Ok(found)) => known == found.with_local(Vec::<LocalSegment>::new()),
        _ => known == found,
    }
}

/// By PEP 440; `None` where one of them is no version.
pub fn order(a: &str, b: &str) -> Option<std::cmp::Ordering> {
    Some(Version::from_str(a).ok()?.cmp(&Version::from_str(b).ok()?))
}

/// Whether a text is a version by PEP 440.
pub fn is_strict_version(text: &str) -> bool {
    Version::from_str(text).is_ok()
}

/// Whether a version range, as written behind a name, admits this version. An empty range admits every version, one that
/// cannot be read too.
pub fn admits(specifier: &str, version: &str) -> bool {
    match (VersionSpecifiers::from_str(specifier.trim()), Version::from_str(version)) {
        (Ok(range), Ok(version)) => range.contains(&version),
        _ => true,
    }
}

/// One `Requires-Dist` value; `None` where it is not one. URLs are left out of the text: they may hold credentials.
pub fn requirement(text: &str) -> Option<Requirement> {
    let parsed: Pep508 = Pep508::from_str(text.trim()).ok()?;
    let specifier = match &parsed.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(s)) => s.to_string().replace(", ", ","),
        Some(VersionOrUrl::Url(_)) => " @ …".to_owned(),
        None => String::new(),
    };
    let name = parsed.name.as_ref();
    Some(Requirement {
        name: normalise(name).into(),
        text: format!("{name}{specifier}").into(),
        // Without any extra its marker can hold nowhere.
        extra: !parsed.marker.evaluate_extras(&[]),
    })
}

/// Whether `site` reads hooks in this folder: `site-packages`, `dist-packages`, or an interpreter's own library folder. What conda
/// unpacked and did not link into an environment yet is none.
pub fn is_site(folder: &[u8]) -> bool {
    has_site_name(folder) && !is_of_conda_package(folder)
}

fn has_site_name(folder: &[u8]) -> bool {
    let name = last(folder);
    name == b"site-packages" || name == b"dist-packages" || is_library(name, folder)
}

/// Whether a folder is, or is below, the site folder of a package that conda unpacked: `pkgs/<name>-<version>-<build>/…`.
pub fn in_conda_package(folder: &TreePath) -> bool {
    let mut up = folder.as_bytes();
    while !up.is_empty() {
        if has_site_name(up) {
            return is_of_conda_package(up);
        }
        up = parent(up);
    }
    false
}

/// `pkgs/<name>-<version>-<build>/site-packages` or `…/lib/python3.12/site-packages`.
fn is_of_conda_package(site: &[u8]) -> bool {
    let mut package = site;
    (0..3).any(|_| {
        package = parent(package);
        last(parent(package)) == b"pkgs" && conda_parts(last(package)).is_some()
    })
}

/// Name, version and build of `litellm-1.82.8-pyhd8ed1ab_0`.
pub fn conda_parts(stem: &[u8]) -> Option<(&str, &str, &str)> {
    let mut parts = std::str::from_utf8(stem).ok()?.rsplitn(3, '-');
    let (build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = !build.is_empty() && !name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit());
    fits.then_some((name, version, build))
}

/// `lib/python3.11`, where `sitecustomize.py` also counts.
fn is_library(name: &[u8], folder: &[u8]) -> bool {
    let version = name.strip_prefix(b"python").unwrap_or_default();
    let up = last(parent(folder));
    version.starts_with(b"3") && (up == b"lib" || up == b"lib64")
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or(path)
}

/// The innermost site folder that holds a path, if there is one.
pub fn site_of(path: &TreePath) -> Option<TreePath> {
    let mut folder = path.parent();
    while !folder.as_bytes().is_empty() {
        if is_site(folder.as_bytes()) {
            return Some(folder);
        }
        folder = folder.parent();
    }
    None
}

/// The environment that a site folder belongs to: what stands before `lib/python3.11/site-packages`, `lib/pypy3.10/site-packages`,
/// or on Windows `Lib/site-packages`. `None` where the folder has no such form.
pub fn prefix_of(site: &TreePath) -> Option<TreePath> {
    let library = match last(site.as_bytes()) {
        b"site-packages" if last(parent(site.as_bytes())) == b"Lib" => return Some(site.parent().parent()),
        b"site-packages" | b"dist-packages" => site.parent(),
        _ => site.clone(),
    };
    let lib = library.parent();
    let of_python = [b"python".as_slice(), b"pypy"].iter().any(|start| last(library.as_bytes()).starts_with(start));
    let fits = of_python && last(lib.as_bytes()).starts_with(b"lib");
    fits.then(|| lib.parent())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        assert_eq!(normalise("My.Egg__pkg-_x"), "my-egg-pkg-x");
        assert!(is_name("litellm") && !is_name("lite llm") && !is_name("-x") && !is_name("x\u{1b}"));
    }

    #[test]
    fn versions_compare_as_pep_440_does() {
        let same = same_version;
        assert!(same("1.82.8", "1.82.8") && same("1.82.8", "v1.82.8.0") && same("1.82.8", "1.82.8+local"));
        for other in ["1.82.80", "1.82.8.post1", "1.82.8rc1", "11.82.8", "1.82", "not a version"] {
            assert!(!same("1.82.8", other), "{other}");
        }
    }

    #[test]
    fn requirements_keep_their_range_and_say_when_an_extra_is_needed() {
        let get = |t| requirement(t).map(|r| (r.name.to_string(), r.text.to_string(), r.extra));
        let plain = get("LiteLLM[proxy] (>=1.60,!=1.82.7) ; python_version >= '3.8'");
        assert_eq!(plain, Some(("litellm".into(), "litellm>=1.60,!=1.82.7".into(), false)));
        let extra = get("litellm>=1; extra == 'llm' and python_version < '4'");
        assert_eq!(extra, Some(("litellm".into(), "litellm>=1".into(), true)));
        let url = get("litellm @ https://user:secret@registry.example/litellm.whl");
        assert_eq!(url, Some(("litellm".into(), "litellm @ …".into(), false)));
        assert_eq!(get("not a requirement"), None);
    }

    #[test]
    fn conda_stems_split_from_the_right() {
        assert_eq!(conda_parts(b"my-lib-1.82.8-pyhd8ed1ab_0"), Some(("my-lib", "1.82.8", "pyhd8ed1ab_0")));
        for other in ["litellm-1.82.8", "a-b-c", "-1-b", "a-1-", ""] {
            assert_eq!(conda_parts(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn an_environment_is_what_stands_before_its_library() {
        let prefix = |site: &str| {
            let found = prefix_of(&TreePath::new(site.as_bytes()).unwrap());
            found.map(|p| String::from_utf8_lossy(p.as_bytes()).into_owned())
        };
        for site in
            ["lib/python3.11/site-packages", "lib64/pypy3.10/site-packages", "Lib/site-packages", "lib/python3.11"]
        {
            assert_eq!(prefix(&format!("srv/v/{site}")).as_deref(), Some("srv/v"), "{site}");
        }
        for other in ["srv/app/site-packages", "srv/lib/site-packages", "srv/v/share/python3/site-packages", "srv/Lib"]
        {
            assert_eq!(prefix(other), None, "{other}");
        }
    }

    #[test]
    fn what_conda_unpacked_is_no_site_folder() {
        for site in ["site-packages", "lib/python3.12/site-packages", "Lib/site-packages", "lib/python3.12"] {
            let package = format!("h/.cache/rattler/cache/pkgs/litellm-1.82.8-pyhd8ed1ab_0/{site}");
            assert!(!is_site(package.as_bytes()), "{package}");
            assert!(is_site(format!("opt/conda/envs/a/{site}").as_bytes()));
        }
        assert!(is_site(b"mono/pkgs/x-1.0-b/.venv/lib/python3.12/site-packages"));
        assert!(is_site(b"mono/pkgs/tool/lib/python3.12/site-packages"));
    }
}
