//! Names, versions and requirements as the Python packaging specifications write and compare them.

use std::str::FromStr as _;

use pep440_rs::{LocalSegment, Version, VersionSpecifiers};

use super::marker::{Machine, System};
pub use super::requirement::{needs_an_extra, requirement};
use crate::{
    fact::{Ecosystem, EnvironmentKind, TreePath, Unit, parent},
    guard::quietly,
};

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: normalise, same: same_version, order, is_version: is_strict_version, admits };

/// Longer versions are equal to themselves only.
const LONGEST: usize = 256;
/// Longer ranges are not read.
const RANGE: usize = 4096;

/// A project name as PEP 503 normalises it: lower case, runs of `-`, `_` and `.` are one `-`.
pub fn normalise(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c if c.is_ascii() => normal.push(c.to_ascii_lowercase()),
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
    match (version(known), version(found)) {
        (Some(known), Some(found)) if known.is_local() => known == found,
        (Some(known), Some(found)) => known == found.with_local(Vec::<LocalSegment>::new()),
        _ => known == found,
    }
}

/// The two calls of the crate that reads versions. What it may panic on is refused before, or costs this text alone.
fn version(text: &str) -> Option<Version> {
    let fits = text.len() <= LONGEST && text.is_ascii();
    fits.then(|| quietly(|| Version::from_str(text).ok())).flatten().flatten()
}

/// A version range.
pub(super) fn specifiers(text: &str) -> Option<VersionSpecifiers> {
    let fits = text.len() <= RANGE && text.is_ascii();
    fits.then(|| quietly(|| VersionSpecifiers::from_str(text).ok())).flatten().flatten()
}

/// By PEP 440; `None` where one of them is no version.
pub fn order(a: &str, b: &str) -> Option<std::cmp::Ordering> {
    Some(version(a)?.cmp(&version(b)?))
}

/// Whether a text is a version by PEP 440.
pub fn is_strict_version(text: &str) -> bool {
    version(text).is_some()
}

/// Whether a version range, as written behind a name, admits this version. An empty range admits every version, one that
/// cannot be read too.
pub fn admits(specifier: &str, version: &str) -> bool {
    match (specifiers(specifier.trim()), self::version(version)) {
        (Some(range), Some(version)) => range.contains(&version),
        _ => true,
    }
}

/// Where site folders lie, and what reads them.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Pypi,
    unit: unit_of,
    is_interpreter,
    original: original_hook,
    leads_to: None,
    store_entry,
};

/// Whether a program is an interpreter, by its name.
fn is_interpreter(program: &TreePath) -> bool {
    program.name().starts_with(b"python")
}

/// The end of the name of a hook.
pub const PTH: &str = ".pth";

/// The name that a hook had before somebody changed it: `x.pth.bak`, `x.pth~`, `.x.pth`.
pub fn original_hook(name: &[u8]) -> Option<&[u8]> {
    let name = name.strip_prefix(b".").unwrap_or(name);
    let end = memchr::memmem::find(name, PTH.as_bytes())? + PTH.len();
    name.get(..end).filter(|n| n.len() > PTH.len())
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

/// The folder of uv's store: `archive-v0`.
pub fn is_archive_bucket(name: &[u8]) -> bool {
    let number = name.strip_prefix(b"archive-v").unwrap_or_default();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

/// The entry of uv's store that a file lies in: `archive-v0/<id>` is an unpacked wheel, where it is no environment that uv keeps there.
pub fn store_entry(path: &TreePath) -> Option<TreePath> {
    let parts: Vec<&[u8]> = path.components().collect();
    let entry = parts.iter().position(|part| is_archive_bucket(part))? + 2;
    let inside = parts.get(..entry).filter(|_| parts.len() > entry && site_of(path).is_none())?;
    TreePath::new(&inside.join(&b'/'))
}

/// The environment that a site folder belongs to: what stands before `lib/python3.11/site-packages`, `lib/pypy3.10/site-packages`,
/// or on Windows `Lib/site-packages`. `None` where the folder has no such form.
pub fn prefix_of(site: &TreePath) -> Option<TreePath> {
    let library = match last(site.as_bytes()) {
        b"site-packages" if last(parent(site.as_bytes())).eq_ignore_ascii_case(b"lib") => {
            return Some(site.parent().parent());
        }
        b"site-packages" | b"dist-packages" => site.parent(),
        _ => site.clone(),
    };
    let lib = library.parent();
    let of_python = [b"python".as_slice(), b"pypy"].iter().any(|start| last(library.as_bytes()).starts_with(start));
    let fits = of_python && last(lib.as_bytes()).starts_with(b"lib");
    fits.then(|| lib.parent())
}

/// Made by `uv tool install`.
pub const UV_TOOL: EnvironmentKind = EnvironmentKind::new("uv-tool");
/// Made by `pipx`.
pub const PIPX: EnvironmentKind = EnvironmentKind::new("pipx");
/// Made by a tool in its cache to run a program once (`uvx`, `uv run --with`, `pipx run`).
pub const EPHEMERAL: EnvironmentKind = EnvironmentKind::new("ephemeral");
/// A conda prefix.
pub const CONDA: EnvironmentKind = EnvironmentKind::new("conda");
/// An interpreter of pyenv.
pub const PYENV: EnvironmentKind = EnvironmentKind::new("pyenv");

/// The site folder that holds a path, with its environment.
pub fn unit_of(path: &TreePath) -> Option<Unit> {
    site_of(path).map(|site| unit(site, true))
}

/// The same of a file that a surface of Python reads: a distribution outside of site folders (`pip install --target`) makes the folder
/// around it one, and an archive that Python runs is one by itself.
pub fn unit_around(path: &TreePath, is_archive: bool) -> Unit {
    if is_archive {
        return unit(path.clone(), false);
    }
    unit_of(path).unwrap_or_else(|| {
        let folder = path.parent();
        let of_description = [b".dist-info".as_slice(), b".egg-info"].iter().any(|e| folder.as_bytes().ends_with(e));
        // `x-1-py3.8.egg/EGG-INFO`: the egg itself is on the path.
        let site = if of_description || folder.name() == b"EGG-INFO" { folder.parent() } else { folder };
        unit(site, false)
    })
}

fn unit(site: TreePath, usual: bool) -> Unit {
    // conda keeps its records beside the environment's `lib`, not in the site folder.
    let prefix = if site.name() == CONDA_META { Some(site.parent()) } else { prefix_of(&site) };
    let by_place = |prefix: &TreePath| match prefix.name() {
        _ if prefix.parent().as_bytes().ends_with(b".pyenv/versions") => PYENV,
        b".local" => EnvironmentKind::USER,
        _ => EnvironmentKind::SYSTEM,
    };
    // Windows, `lib/python3/dist-packages` and the like are recognised by what is above them, else by nothing.
    let kind = prefix.as_ref().map_or(EnvironmentKind::TARGET, by_place);
    Unit { ecosystem: Ecosystem::Pypi, root: prefix.unwrap_or_else(|| site.clone()), folder: site, kind, usual }
}

const CONDA_META: &[u8] = b"conda-meta";

/// What the place of a site folder says of the interpreter and the system that use it: `lib/python3.11/site-packages` is no
/// Windows, `Lib/site-packages` is.
pub fn machine_of(site: &TreePath) -> Machine {
    let library = if is_library(last(site.as_bytes()), site.as_bytes()) { site.clone() } else { site.parent() };
    let name = last(library.as_bytes());
    if last(site.as_bytes()) == b"site-packages" && name.eq_ignore_ascii_case(b"lib") {
        // `C:\\Python311`, `…\\Programs\\Python\\Python311`; a virtual environment does not say it.
        let python = last(parent(library.as_bytes())).strip_prefix(b"Python3").and_then(number).map(|minor| (3, minor));
        return Machine { python, system: Some(System::Windows) };
    }
    if !last(parent(library.as_bytes())).starts_with(b"lib") {
        return Machine::default();
    }
    let version = [b"python".as_slice(), b"pypy"].iter().find_map(|start| name.strip_prefix(*start));
    let Some(version) = version else {
        return Machine::default();
    };
    let mut parts = version.split(|b| *b == b'.');
    let python = parts.next().and_then(number).zip(parts.next().and_then(number));
    let of_macos = [b"Users/".as_slice(), b"Library/", b"opt/homebrew/", b"System/", b"Applications/"];
    let is_macos = of_macos.iter().any(|start| site.as_bytes().starts_with(start));
    Machine { python, system: Some(if is_macos { System::Darwin } else { System::Linux }) }
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
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
    fn conda_stems_split_from_the_right() {
        assert_eq!(conda_parts(b"my-lib-1.82.8-pyhd8ed1ab_0"), Some(("my-lib", "1.82.8", "pyhd8ed1ab_0")));
        for other in ["litellm-1.82.8", "a-b-c", "-1-b", "a-1-", ""] {
            assert_eq!(conda_parts(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn the_place_of_a_site_folder_says_which_machine() {
        let linux = |python| Machine { python, system: Some(System::Linux) };
        let windows = |python| Machine { python, system: Some(System::Windows) };
        for (site, machine) in [
            ("srv/v/lib/python3.11/site-packages", linux(Some((3, 11)))),
            ("srv/v/lib64/pypy3.10/site-packages", linux(Some((3, 10)))),
            ("usr/lib/python3/dist-packages", linux(None)),
            ("usr/lib/python3.12", linux(Some((3, 12)))),
            ("Users/al/v/lib/python3.9/site-packages", Machine { python: Some((3, 9)), system: Some(System::Darwin) }),
            ("srv/v/Lib/site-packages", windows(None)),
            ("Users/al/AppData/Local/Programs/Python/Python311/Lib/site-packages", windows(Some((3, 11)))),
            ("srv/app/site-packages", Machine::default()),
            ("srv/app", Machine::default()),
            ("", Machine::default()),
        ] {
            assert_eq!(machine_of(&TreePath::new(site.as_bytes()).unwrap()), machine, "{site}");
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

    #[test]
    fn unpacked_wheels_of_uv_are_entries_of_its_store() {
        let of = |p: &str| store_entry(&TreePath::new(p.as_bytes()).unwrap()).map(|e| e.text().into_owned());
        let entry = Some("/h/uv/archive-v0/id".to_owned());
        assert_eq!(of("h/uv/archive-v0/id/x/__init__.py"), entry);
        assert_eq!(of("h/uv/archive-v0/id/x-1.dist-info/METADATA"), entry);
        for other in [
            "h/uv/archive-v0/id",
            "h/uv/archive-vault/id/x",
            "h/uv/archive-v/id/x",
            "archive-v0/id/lib/python3.12/site-packages/x.py",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
