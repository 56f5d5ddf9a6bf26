//! What one word of an install command asks for: `litellm[proxy]==1.82.8`, `litellm@1.82.8`, a wheel's file name.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::{
    ecosystem::pypi::{is_name, is_version, normalise},
    fact::{Ecosystem, Wanted},
};

/// How a tool writes versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PEP 508 only.
    Pip,
    /// Also `name@version` (uv's tools).
    At,
    /// Also `name@^1.2` and `name@~1.2`.
    Poetry,
    /// `channel::name=1.2`.
    Conda,
}

/// Longer words name no package.
const LIMIT: usize = 4096;
const SDIST: &[&str] = &[".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"];

/// The package that a word names; `None` for folders, repositories, variables and whatever else.
pub fn wanted(word: &str, dialect: Dialect) -> Option<Wanted> {
    let word = word.trim();
    if word.len() > LIMIT {
        return None;
    }
    if let Some((name, url)) = direct(word) {
        let (found, version) = file(url).unwrap_or((name, None));
        let version = version.filter(|_| normalise(found) == normalise(name));
        return (!is_repository(url)).then(|| pinned(name, version)).flatten();
    }
    if word.contains(['/', '\\']) || word.starts_with('.') || is_archive(word) {
        let channel = word.split_once("::").filter(|_| dialect == Dialect::Conda);
        if channel.is_none() {
            let (name, version) = file(word).filter(|_| !is_repository(word))?;
            return pinned(name, version);
        }
    }
    if dialect == Dialect::Conda {
        return conda(word.rsplit_once("::").map_or(word, |(_, name)| name));
    }
    let word = word.split(';').next().unwrap_or(word).trim();
    let (name, rest) = name_and_rest(word)?;
    match rest.strip_prefix('@') {
        Some(version) if dialect != Dialect::Pip => Some(at(name, version.trim(), dialect)),
        Some(_) => None,
        None => range(name, rest, dialect),
    }
}

/// `name[extra] @ https://…`.
fn direct(word: &str) -> Option<(&str, &str)> {
    let (name, url) = word.split_once('@')?;
    let name = name.split('[').next().unwrap_or(name).trim();
    (url.contains("://") && is_name(name)).then_some((name, url.trim()))
}

fn is_repository(url: &str) -> bool {
    ["git+", "hg+", "svn+", "bzr+"].iter().any(|start| url.starts_with(start))
}

fn is_archive(word: &str) -> bool {
    word.ends_with(".whl") || SDIST.iter().any(|end| word.ends_with(end))
}

/// Name and version in the name of a wheel or sdist, at the end of a path or URL.
fn file(path: &str) -> Option<(&str, Option<&str>)> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    // `wheel.whl[extra]`
    let path = path.split_once(".whl[").map_or(path, |(start, _)| path.get(..start.len() + 4).unwrap_or(path));
    let base = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let (name, version) = if let Some(stem) = base.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        let both = (parts.next()?, parts.next()?);
        (3..=4).contains(&parts.count()).then_some(both)?
    } else {
        SDIST.iter().find_map(|end| base.strip_suffix(end))?.rsplit_once('-')?
    };
    (is_name(name) && Version::from_str(version).is_ok()).then_some((name, Some(version)))
}

/// `name[extra]` and what follows it.
fn name_and_rest(word: &str) -> Option<(&str, &str)> {
    let end = word.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(word.len());
    let (name, rest) = word.split_at_checked(end)?;
    let rest = match rest.trim_start().strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1,
        None => rest,
    };
    is_name(name).then_some((name, rest.trim()))
}

fn unconstrained(name: &str) -> Wanted {
    Wanted { ecosystem: Ecosystem::Pypi, name: normalise(name).into(), pinned: None, specifier: "".into() }
}

fn pinned(name: &str, version: Option<&str>) -> Option<Wanted> {
    let version = version.filter(|v| is_version(v)).map(Into::into);
    is_name(name).then(|| Wanted { pinned: version, ..unconstrained(name) })
}

/// `==1.82.8`, `(>=1.80, !=1.82.7)`. What cannot be read (a variable) leaves the version open.
fn range(name: &str, rest: &str, dialect: Dialect) -> Option<Wanted> {
    let rest = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')).unwrap_or(rest).trim();
    if !rest.is_empty() && !rest.starts_with(['=', '<', '>', '!', '~', '^']) {
        return None;
    }
    if (rest.starts_with('^') || (rest.starts_with('~') && !rest.starts_with("~="))) && dialect != Dialect::Poetry {
        return None;
    }
    if rest.starts_with('=') && !rest.starts_with("==") && dialect != Dialect::Poetry {
        return None;
    }
    Some(at(name, rest, dialect))
}

/// One constraint: an exact version, or clauses.
fn at(name: &str, constraint: &str, dialect: Dialect) -> Wanted {
    let mut wanted = unconstrained(name);
    let exact = constraint.trim_start_matches('=').trim();
    let operator = constraint.len() - constraint.trim_start_matches('=').len();
    if operator <= 3 && is_exact(exact) {
        wanted.pinned = Some(exact.into());
        return wanted;
    }
    if operator >= 2 && exact.starts_with('$') {
        wanted.specifier = Wanted::UNSAID.into();
        return wanted;
    }
    let clauses: Option<Vec<String>> = constraint.split(',').map(|c| clause(c.trim(), dialect)).collect();
    wanted.specifier = clauses.and_then(|c| readable(&c.join(","))).unwrap_or_default();
    wanted
}

/// A version and nothing else. It starts with a digit, so that `latest` is none.
fn is_exact(text: &str) -> bool {
    is_version(text)
        && !text.contains('*')
        && text.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit())
}

fn readable(specifier: &str) -> Option<Box<str>> {
    VersionSpecifiers::from_str(specifier).is_ok().then(|| specifier.into())
}

/// One clause in PEP 440's spelling.
fn clause(text: &str, dialect: Dialect) -> Option<String> {
    for operator in ["===", "==", "~=", "!=", "<=", ">=", "<", ">"] {
        if let Some(version) = text.strip_prefix(operator) {
            let version = version.trim();
            return is_version(version).then(|| format!("{operator}{version}"));
        }
    }
    if let Some(version) = text.strip_prefix('^').filter(|_| dialect == Dialect::Poetry) {
        return caret(version.trim());
    }
    if let Some(version) = text.strip_prefix('~').filter(|_| dialect == Dialect::Poetry) {
        return tilde(version.trim());
    }
    let bare = text.strip_prefix('=').unwrap_or(text).trim();
    is_version(bare).then(|| format!("=={bare}"))
}

/// `^1.2.3` is `>=1.2.3,<2`; `^0.2.3` is `>=0.2.3,<0.3`: the first part that is not zero may not change.
fn caret(version: &str) -> Option<String> {
    let release = release(version)?;
    let fixed = release.iter().position(|n| *n != 0).unwrap_or(release.len().saturating_sub(1));
    Some(format!(">={version},<{}", next(&release, fixed)?))
}

/// `~1.2.3` is `>=1.2.3,<1.3`; `~1` is `>=1,<2`.
fn tilde(version: &str) -> Option<String> {
    let release = release(version)?;
    Some(format!(">={version},<{}", next(&release, usize::from(release.len() > 1))?))
}

fn release(version: &str) -> Option<Vec<u64>> {
    Version::from_str(version).ok().filter(|_| is_version(version)).map(|v| v.release().to_vec())
}

/// The release that follows everything that starts with the first `last + 1` parts.
fn next(release: &[u64], last: usize) -> Option<String> {
    let bumped = release.get(last)?.checked_add(1)?;
    let parts = release.iter().take(last).chain([&bumped]).map(u64::to_string);
    Some(parts.collect::<Vec<_>>().join("."))
}

/// `name=1.2.3`, `name=1.2` (any 1.2), `name==1.2`, `name>=1.2`, `name=1.2=build`.
fn conda(word: &str) -> Option<Wanted> {
    let (name, rest) = name_and_rest(word)?;
    let Some(version) = rest.strip_prefix('=').filter(|r| !r.starts_with('=')) else {
        let rest = if rest.starts_with("==") { before_build(rest) } else { rest };
        return range(name, rest, Dialect::Pip);
    };
    let (version, built) = version.split_once('=').map_or((version, false), |(v, _)| (v, true));
    if is_exact(version) && (built || version.split('.').count() > 2) {
        return pinned(name, Some(version));
    }
    let any = version.trim_end_matches('*').trim_end_matches('.');
    let specifier = if is_exact(any) { readable(&format!("=={any}.*")) } else { None };
    Some(Wanted { specifier: specifier.unwrap_or_default(), ..unconstrained(name) })
}

/// `==1.2=build` without the build.
fn before_build(rest: &str) -> &str {
    let version = rest.trim_start_matches('=');
    let end = version.find('=').unwrap_or(version.len());
    rest.get(..rest.len() - version.len() + end).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::{Dialect::*, *};

    fn show(word: &str, dialect: Dialect) -> String {
        match wanted(word, dialect) {
            None => "-".to_owned(),
            Some(w) => format!("{} {} {}", w.name, w.pinned.as_deref().unwrap_or("?"), w.specifier).trim().to_owned(),
        }
    }

    #[test]
    fn pip_specs() {
        for (word, expected) in [
            ("litellm", "litellm ?"),
            ("LiteLLM[proxy,extra_proxy]==1.82.8", "litellm 1.82.8"),
            ("litellm === 1.82.8", "litellm 1.82.8"),
            ("litellm==v1.82.8", "litellm v1.82.8"),
            ("litellm>=1.80, !=1.82.7", "litellm ? >=1.80,!=1.82.7"),
            ("litellm (>=1,<2)", "litellm ? >=1,<2"),
            ("litellm==1.82.*", "litellm ? ==1.82.*"),
            ("litellm~=1.82.0", "litellm ? ~=1.82.0"),
            ("litellm==1.82.8;python_version>'3'", "litellm 1.82.8"),
            ("litellm==${V", "litellm ? ==?"),
            ("litellm>=${V", "litellm ?"),
            ("litellm @ https://u:s@registry.example/litellm-1.82.8-py3-none-any.whl#sha256=0", "litellm 1.82.8"),
            ("litellm@https://registry.example/main.zip", "litellm ?"),
            ("litellm @ https://registry.example/other-1.0.tar.gz", "litellm ?"),
            ("./dist/litellm-1.82.8-py3-none-any.whl[proxy]", "litellm 1.82.8"),
            ("litellm-1.82.8.tar.gz", "litellm 1.82.8"),
            ("https://registry.example/my-egg-1.0.zip?x=1", "my-egg 1.0"),
        ] {
            assert_eq!(show(word, Pip), expected, "{word}");
        }
    }

    #[test]
    fn what_names_no_package() {
        let none = [
            "",
            ".",
            "..",
            "./x",
            "/",
            "-",
            "$",
            "$V",
            "a b",
            "git+https://registry.example/x.git@v1#egg=x",
            "~/x",
            "x/",
            "x @ git+https://registry.example/x",
            "x@1.2",
            "x=1.2",
            "x^1",
            "x~1",
            "é",
            "x[",
            "litellm-*.whl",
            "x.whl",
            "https://u:p@registry.example/simple",
            "x-main.zip",
            "\u{1b}[2J",
            "token=hunter2",
        ];
        for word in none {
            assert_eq!(show(word, Pip), "-", "{word}");
        }
        assert_eq!(show(&"x".repeat(5000), Pip), "-");
    }

    #[test]
    fn specs_of_uv_tools() {
        assert_eq!(show("litellm@1.82.8", At), "litellm 1.82.8");
        assert_eq!(show("litellm[proxy]@1.82.8", At), "litellm 1.82.8");
        assert_eq!(show("litellm@latest", At), "litellm ?");
        assert_eq!(show("litellm@", At), "litellm ?");
    }

    #[test]
    fn specs_of_poetry() {
        for (word, expected) in [
            ("litellm@1.82.8", "litellm 1.82.8"),
            ("litellm@^1.82", "litellm ? >=1.82,<2"),
            ("litellm@^0.2.3", "litellm ? >=0.2.3,<0.3"),
            ("litellm@^0.0.3", "litellm ? >=0.0.3,<0.0.4"),
            ("litellm@^0.0", "litellm ? >=0.0,<0.1"),
            ("litellm@~1.82.3", "litellm ? >=1.82.3,<1.83"),
            ("litellm@~1", "litellm ? >=1,<2"),
            ("litellm@1.82.*", "litellm ? ==1.82.*"),
            ("litellm@^1.2,!=1.2.5", "litellm ? >=1.2,<2,!=1.2.5"),
            ("litellm@^1 || ^2", "litellm ?"),
            ("litellm@latest", "litellm ?"),
            ("litellm=1.82.8", "litellm 1.82.8"),
            ("litellm@^99999999999999999999", "litellm ?"),
        ] {
            assert_eq!(show(word, Poetry), expected, "{word}");
        }
    }

    #[test]
    fn specs_of_conda() {
        for (word, expected) in [
            ("conda-forge::litellm=1.82.8", "litellm 1.82.8"),
            ("conda-forge/label/x::litellm", "litellm ?"),
            ("litellm==1.82", "litellm 1.82"),
            ("litellm==1.82.8=py311_0", "litellm 1.82.8"),
            ("litellm=1.82=py311_0", "litellm 1.82"),
            ("litellm=1.82", "litellm ? ==1.82.*"),
            ("litellm=1.82.*", "litellm ? ==1.82.*"),
            ("litellm>=1.80,<2", "litellm ? >=1.80,<2"),
        ] {
            assert_eq!(show(word, Conda), expected, "{word}");
        }
    }
}
