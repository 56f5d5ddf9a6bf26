//! Where the description of a distribution stands, and what that says: the one rule for `*.dist-info`, `*.egg-info`, loose wheels
//! and hooks.
//!
//! ```text
//! …/site-packages/x-1.dist-info                        Loadable
//! …/any/folder/x-1.dist-info                           Loadable   pip --target, Lambda layers, zip apps, pex's installed_wheels
//! …/site-packages/~-1.dist-info                        Leftover   pip renames to `~…` what it is about to delete
//! /tmp/pip-uninstall-abc/…/x-1.dist-info               Leftover
//! <uv>/archive-v0/<id>/x-1.dist-info                   Cached     an unpacked wheel
//! <uv>/archive-v0/<id>/lib/python3.12/site-packages/…  Loadable   an environment that uv keeps among the wheels
//! <uv>/sdists-v9/…/src/x.egg-info                      Cached     an unpacked sdist
//! <pdm>/packages/<wheel stem>/x-1.dist-info            Cached
//! <conda>/pkgs/<n>-<v>-<b>/…/site-packages/…           Cached     an unpacked conda package
//! /tmp/pip-unpack-abc/…, pip-install-, pip-metadata-   Cached     what a crashed pip left
//! …/build/bdist.linux-x86_64/…                         Cached     where setuptools puts a wheel or egg together
//! ```
//!
//! A folder that is none of these counts as loadable: `--target` folders have no mark of their own, and a folder beside code on
//! `sys.path` is how Lambda, zip apps and pex (its `installed_wheels` are on `sys.path` while a PEX runs) load packages.

use crate::{
    ecosystem::pypi::{in_conda_package, is_archive_bucket, site_of},
    fact::{Placement, TreePath},
};

/// Temporary folders in which pip prepares what it installs from.
const PIP_TEMPORARY: &[&[u8]] = &[
    b"pip-unpack-",
    b"pip-install-",
    b"pip-req-build-",
    b"pip-download-",
    b"pip-metadata-",
    b"pip-modern-metadata-",
    b"pip-wheel-",
    b"pip-ephem-wheel-cache-",
];

/// What the folder of a distribution's description (`…/x-1.dist-info`) says by its place.
pub fn of_info(info: &TreePath) -> Placement {
    if info.name().starts_with(b"~") || has_start(info, b"pip-uninstall-") {
        return Placement::Leftover;
    }
    of_content(&info.parent())
}

/// What a folder says about the distributions and hooks that stand in it.
pub fn of_content(folder: &TreePath) -> Placement {
    if site_of(&folder.join(b"x")).is_some() {
        return Placement::Loadable;
    }
    let cached = in_conda_package(folder)
        || is_archive_bucket(folder.parent().name())
        || folder.components().any(is_sdist_bucket)
        || PIP_TEMPORARY.iter().any(|start| has_start(folder, start))
        || in_build(folder)
        || (folder.parent().name() == b"packages" && is_wheel_stem(folder.name()));
    if cached { Placement::Cached } else { Placement::Loadable }
}

/// `build/bdist.<platform>` and below.
fn in_build(folder: &TreePath) -> bool {
    let within = folder.components().skip(1);
    folder.components().zip(within).any(|(up, name)| up == b"build" && name.starts_with(b"bdist."))
}

/// What a wheel file says by its place: a wheel that pip or uv built from an sdist is kept apart from those they fetched; those of
/// a PEX that is a folder (`--layout packed`) are on its `sys.path`.
pub fn of_wheel(file: &TreePath) -> Placement {
    if file.parent().name() == b".deps" {
        return Placement::Loadable;
    }
    let built = file.components().any(is_sdist_bucket) || in_pip_wheels(file);
    if built { Placement::Built } else { Placement::Cached }
}

/// uv's folder of sdists and what was built from them: `sdists-v9`, before 0.4 `built-wheels-v3`.
pub fn is_sdist_bucket(name: &[u8]) -> bool {
    is_bucket(name, &[b"sdists-v", b"built-wheels-v"])
}

/// uv's folder of fetched wheels: `wheels-v5`.
pub fn is_wheel_bucket(name: &[u8]) -> bool {
    is_bucket(name, &[b"wheels-v"])
}

fn is_bucket(name: &[u8], starts: &[&[u8]]) -> bool {
    let number = starts.iter().find_map(|s| name.strip_prefix(*s)).unwrap_or_default();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

fn has_start(path: &TreePath, start: &[u8]) -> bool {
    path.components().any(|c| c.starts_with(start) && c.len() > start.len())
}

/// `aa/bb/cc/<50 hex digits>/x.whl`: a SHA-224, so pip or PDM built it. Poetry's downloads have a SHA-256 (58 digits).
fn in_pip_wheels(file: &TreePath) -> bool {
    let mut up = file.components().rev().skip(1);
    let hex = |c: Option<&[u8]>, len: usize| c.is_some_and(|c| c.len() == len && is_hex(c));
    hex(up.next(), 50) && hex(up.next(), 2) && hex(up.next(), 2) && hex(up.next(), 2)
}

/// Whether all are lower-case hex digits.
pub fn is_hex(text: &[u8]) -> bool {
    text.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `click-8.1.7-py3-none-any`.
fn is_wheel_stem(name: &[u8]) -> bool {
    let parts = name.split(|b| *b == b'-').count();
    (parts == 5 || parts == 6)
        && name.split(|b| *b == b'-').nth(1).is_some_and(|v| v.first().is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_description_is_judged_by_its_folder() {
        use Placement::{Cached, Leftover, Loadable};
        for (place, says) in [
            ("v/lib/python3.11/site-packages/x-1.dist-info", Loadable),
            ("usr/lib/python3/dist-packages/x-1.egg-info", Loadable),
            ("srv/lambda/x-1.dist-info", Loadable),
            ("h/.cache/pex/installed_wheels/3/1ea7/x-1-py3-none-any.whl/x-1.dist-info", Loadable),
            ("c/uv/archive-v0/SwJqFGqkJxEEAgSd/x-1.dist-info", Cached),
            ("c/uv/archive-v0/ooPuWlG27XyfHAWP/lib/python3.12/site-packages/x-1.dist-info", Loadable),
            ("c/uv/archive-v0/ooPuWlG27XyfHAWP/Lib/site-packages/x-1.dist-info", Loadable),
            ("c/uv/archive-vault/id/x-1.dist-info", Loadable),
            ("c/uv/sdists-v11/pypi/x/1/5KyESjuLQA/src/x.egg-info", Cached),
            ("c/uv/builds-v0/.tmpAb/lib/python3.12/site-packages/x-1.dist-info", Loadable),
            ("c/pdm/packages/x-1-py3-none-any/x-1.dist-info", Cached),
            ("mono/packages/my-very-own-tool/x-1.dist-info", Loadable),
            ("opt/conda/pkgs/x-1.0-pyhd8ed1ab_0/site-packages/x-1.dist-info", Cached),
            ("opt/conda/pkgs/x-1.0-py312_0/lib/python3.12/site-packages/x-1.dist-info", Cached),
            ("opt/conda/pkgs/x-1.0-py312_0/lib/python3.12/site-packages/pip/_vendor/y-1.dist-info", Cached),
            ("opt/conda/pkgs/x-1.0-py312_0/Lib/site-packages/x-1.dist-info", Cached),
            ("opt/conda/lib/python3.12/site-packages/x-1.dist-info", Loadable),
            ("mono/pkgs/x-1.0-b/.venv/lib/python3.12/site-packages/x-1.dist-info", Loadable),
            ("tmp/pip-unpack-ab12/x-1.dist-info", Cached),
            ("src/x/build/bdist.linux-x86_64/wheel/x-1.dist-info", Cached),
            ("src/x/build/bdist.linux-x86_64/egg", Cached),
            ("src/build/x-1.dist-info", Loadable),
            ("src/bdist.linux/x-1.dist-info", Loadable),
            ("tmp/pip-build-env-ab/overlay/lib/python3.12/site-packages/x-1.dist-info", Loadable),
            ("v/lib/python3.11/site-packages/~-1.dist-info", Leftover),
            ("tmp/pip-uninstall-ab12/x-1.dist-info", Leftover),
        ] {
            assert_eq!(of_info(&path(place)), says, "{place}");
        }
    }

    #[test]
    fn a_wheel_that_was_built_here_stands_apart() {
        let rest = "416b0fa1e61fb98599e1945a98208a4bc59f589e93f4e97fef";
        let built = |p: String| of_wheel(&path(&p)) == Placement::Built;
        assert!(built(format!("c/pip/wheels/85/e6/d2/{rest}/x-1-py3-none-any.whl")));
        assert!(built(format!("var/lib/layer/85/e6/d2/{rest}/x-1-py3-none-any.whl")));
        assert!(built("c/uv/sdists-v11/index/e2/x/1/O_bq/x-1-py3-none-any.whl".to_owned()));
        assert!(built("c/uv/built-wheels-v3/pypi/x/1/O_bq/x-1-py3-none-any.whl".to_owned()));
        assert!(!built(format!("c/pypoetry/artifacts/85/e6/d2/{rest}00112233/x-1-py3-none-any.whl")));
        assert!(!built("h/Downloads/x-1-py3-none-any.whl".to_owned()));
        assert_eq!(of_wheel(&path("srv/app/.deps/x-1-py3-none-any.whl")), Placement::Loadable);
    }
}
