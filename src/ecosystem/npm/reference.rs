//! What a `package.json` or a lock file writes for a dependency: a version, a range, a tag, another name (`npm:x@1`), a tarball,
//! a repository with a commit, a folder.

use super::{is_version, without_prefix};

/// What a reference says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The real name, where the reference has one: an alias, a tarball of a registry.
    pub name: Option<String>,
    /// What is taken.
    pub target: Target,
}

/// What is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One version.
    Exact(String),
    /// `^1.2.0`, `1.x || 2`.
    Range(String),
    /// `latest`.
    Tag(String),
    /// An archive; without user, password, query and fragment.
    Tarball {
        /// Its address.
        url: String,
        /// Where the address has a registry's form: `…/name/-/name-1.0.0.tgz`.
        version: Option<String>,
    },
    /// A repository.
    Git {
        /// `github.com/owner/name`, without scheme, user and `.git`.
        repository: String,
        /// Full or short.
        commit: Option<String>,
        /// Tag, branch or `semver:^1`.
        wanted: Option<String>,
    },
    /// A folder or file of the machine, another member of the workspace, or an entry of a catalogue.
    Local(String),
}

impl Reference {
    /// The version that was certainly taken.
    pub fn version(&self) -> Option<&str> {
        match &self.target {
            Target::Exact(version) => Some(version),
            Target::Tarball { version, .. } => version.as_deref(),
            _ => None,
        }
    }
}

/// Reads the text beside a name.
pub fn read(text: &str) -> Reference {
    let text = text.trim();
    let unnamed = |target| Reference { name: None, target };
    if let Some((scheme, rest)) = text.split_once(':') {
        match scheme {
            "npm" => return alias(rest, str::to_owned),
            "jsr" => {
                return alias(rest, |name| format!("@jsr/{}", name.trim_start_matches('@').replacen('/', "__", 1)));
            }
            "patch" => {
                let inner = rest.split('#').next().unwrap_or(rest).replace("%3A", ":").replace("%40", "@");
                return locator(&inner.replace("%2F", "/").replace("%5E", "^"));
            }
            "workspace" | "file" | "link" | "portal" | "catalog" => return unnamed(Target::Local(text.to_owned())),
            "github" | "gitlab" | "bitbucket" | "gist" => {
                let host = match scheme {
                    "github" => "github.com",
                    "gitlab" => "gitlab.com",
                    "bitbucket" => "bitbucket.org",
                    _ => "gist.github.com",
                };
                return unnamed(git(&format!("{host}/{rest}")));
            }
            "http" | "https" if !is_git(text) => return address(text),
            _ if is_git(text) => return unnamed(git(text)),
            _ => {}
        }
    }
    if text.starts_with(['.', '/', '~']) && (text.contains('/') || text.len() <= 2) && !is_range(text) {
        return unnamed(Target::Local(text.to_owned()));
    }
    let owner = text.split('/').next().unwrap_or_default();
    if text.contains('/') && !text.starts_with('@') && !owner.contains(char::is_whitespace) {
        return unnamed(git(&format!("github.com/{text}")));
    }
    unnamed(wanted(text))
}

/// Reads `name@reference`, as in lock files and commands: `@a/b@1.0.0`, `x@npm:y@^1`, pnpm's `/@a/b@1.0.0(react@18.0.0)` and
/// `/@a/b/1.0.0_react@18.0.0`.
pub fn locator(text: &str) -> Reference {
    let text = text.trim().trim_matches('"');
    let text = text.split_once('(').map_or(text, |(before, _)| before);
    if let Some(path) = text.strip_prefix('/') {
        let parts: Vec<&str> = path.split('/').collect();
        let scoped = path.starts_with('@');
        let (name, version) = match parts.as_slice() {
            [scope, name, version] if scoped => (format!("{scope}/{name}"), *version),
            [name, version] if !scoped => ((*name).to_owned(), *version),
            _ => return locator(path),
        };
        let version = version.split('_').next().unwrap_or(version);
        return Reference { name: Some(name), target: wanted(version) };
    }
    let at = text.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(text.len(), |(at, _)| at);
    let (name, reference) = text.split_at_checked(at).unwrap_or((text, ""));
    let mut read = read(reference.trim_start_matches('@'));
    read.name.get_or_insert_with(|| super::name(name));
    read
}

fn alias(rest: &str, real: impl Fn(&str) -> String) -> Reference {
    // Yarn writes `npm:^1.0.0` for the name before it.
    if is_range(rest) {
        return Reference { name: None, target: wanted(rest) };
    }
    let at = rest.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(rest.len(), |(at, _)| at);
    let (name, version) = rest.split_at_checked(at).unwrap_or((rest, ""));
    Reference { name: Some(real(&super::name(name))), target: wanted(version.trim_start_matches('@')) }
}

fn wanted(text: &str) -> Target {
    let exact = without_prefix(text);
    if is_version(exact) {
        Target::Exact(exact.to_owned())
    } else if text.is_empty() || is_range(text) {
        Target::Range(if text.is_empty() { "*" } else { text }.to_owned())
    } else {
        Target::Tag(text.to_owned())
    }
}

fn is_range(text: &str) -> bool {
    nodejs_semver::Range::parse(text).is_ok()
}

fn is_git(text: &str) -> bool {
    let path = text.split(['#', '?']).next().unwrap_or(text);
    ["git+", "git:", "git@", "ssh:"].iter().any(|s| text.starts_with(s)) || path.ends_with(".git") || is_forge(path)
}

/// `https://github.com/OWNER/NAME` and the like: npm takes it as a repository.
fn is_forge(path: &str) -> bool {
    let address = path.split_once("://").map_or("", |(_, address)| address).trim_end_matches('/');
    let parts: Vec<&str> = address.split('/').collect();
    matches!(parts.as_slice(), [host, _, _] if ["github.com", "gitlab.com", "bitbucket.org"].contains(&host.trim_start_matches("www.")))
}

/// A repository with what stands behind `#`.
fn git(text: &str) -> Target {
    let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.strip_prefix("git+").unwrap_or(address);
    let end = address.find('/').unwrap_or(address.len());
    // A user or password stands before the host.
    let address = address.get(..end).and_then(|h| h.rfind('@')).and_then(|at| address.get(at + 1..)).unwrap_or(address);
    let repository = address.replacen(':', "/", 1);
    let repository = repository.trim_end_matches('/').trim_end_matches(".git").to_owned();
    let fragment = fragment.split('&').next().unwrap_or_default();
    let named =
        ["commit=", "tag=", "head=", "commit:"].iter().find_map(|k| fragment.strip_prefix(k)).unwrap_or(fragment);
    let hex = (7..=64).contains(&named.len()) && named.bytes().all(|b| b.is_ascii_hexdigit());
    let commit = hex.then(|| named.to_ascii_lowercase());
    let wanted = (!hex && !named.is_empty()).then(|| named.to_owned());
    Target::Git { repository, commit, wanted }
}

/// A tarball. Those that GitHub makes of a commit are the repository.
fn address(text: &str) -> Reference {
    let bare = text.split(['#', '?']).next().unwrap_or(text);
    let (scheme, rest) = bare.split_once("://").unwrap_or(("https", bare));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host).to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').collect();
    match (host.as_str(), parts.as_slice()) {
        ("codeload.github.com", [owner, name, "tar.gz", reference @ ..])
        | ("github.com", [owner, name, "archive" | "tarball", reference @ ..])
        | ("api.github.com", ["repos", owner, name, "tarball", reference @ ..]) => {
            let reference = reference.join("/");
            let reference =
                ["refs/tags/", "refs/heads/"].iter().find_map(|r| reference.strip_prefix(r)).unwrap_or(&reference);
            let reference = reference.trim_end_matches(".tar.gz").trim_end_matches(".zip");
            return Reference { name: None, target: git(&format!("github.com/{owner}/{name}#{reference}")) };
        }
        _ => {}
    }
    let url = format!("{scheme}://{host}/{path}");
    match registry(&parts) {
        Some((name, version)) => {
            Reference { name: Some(name), target: Target::Tarball { url, version: Some(version) } }
        }
        None => Reference { name: None, target: Target::Tarball { url, version: None } },
    }
}

/// Name and version of `…/@scope/name/-/name-1.0.0.tgz`.
fn registry(parts: &[&str]) -> Option<(String, String)> {
    let dash = parts.iter().rposition(|p| *p == "-")?;
    let (before, after) = parts.split_at_checked(dash)?;
    let last = super::name(before.last()?);
    let scope = before.len().checked_sub(2).and_then(|at| before.get(at)).map(|s| super::name(s));
    let name = match scope.filter(|s| s.starts_with('@') && !last.starts_with('@')) {
        Some(scope) => format!("{scope}/{last}"),
        None => last,
    };
    let base = name.rsplit('/').next()?;
    let file = after.last()?.strip_suffix(".tgz")?;
    let version = file.strip_prefix(base)?.strip_prefix('-')?;
    is_version(version).then(|| (name.clone(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(v: &str) -> Target {
        Target::Exact(v.to_owned())
    }

    fn git(repository: &str, commit: Option<&str>, wanted: Option<&str>) -> Target {
        let owned = |t: Option<&str>| t.map(str::to_owned);
        Target::Git { repository: repository.to_owned(), commit: owned(commit), wanted: owned(wanted) }
    }

    #[test]
    fn versions_ranges_and_tags() {
        assert_eq!(read("1.2.3").target, exact("1.2.3"));
        assert_eq!(read("=v1.2.3").target, exact("1.2.3"));
        for range in ["^1.2.0", "1.x", "*", ">=1 <2", "1 || 2", "~1"] {
            assert_eq!(read(range).target, Target::Range(range.to_owned()), "{range}");
        }
        assert_eq!(read("").target, Target::Range("*".to_owned()));
        assert_eq!(read("latest").target, Target::Tag("latest".to_owned()));
        assert_eq!(read("^1.2.0").version(), None);
    }

    #[test]
    fn an_alias_gives_the_real_name() {
        let named = |t: &str| (read(t).name.unwrap_or_default(), read(t).target);
        assert_eq!(named("npm:x@1.0.0"), ("x".to_owned(), exact("1.0.0")));
        assert_eq!(named("npm:@a/b@^1"), ("@a/b".to_owned(), Target::Range("^1".to_owned())));
        assert_eq!(named("npm:@a/b"), ("@a/b".to_owned(), Target::Range("*".to_owned())));
        assert_eq!(named("npm:^1.0.0"), (String::new(), Target::Range("^1.0.0".to_owned())));
        assert_eq!(named("jsr:@a/b@1.0.0"), ("@jsr/a__b".to_owned(), exact("1.0.0")));
        assert_eq!(named("patch:x@npm%3A1.0.0#./x.patch"), ("x".to_owned(), exact("1.0.0")));
    }

    #[test]
    fn keys_of_lock_files() {
        let key = |t: &str| (locator(t).name.unwrap_or_default(), locator(t).target);
        assert_eq!(key("@a/b@1.0.0"), ("@a/b".to_owned(), exact("1.0.0")));
        assert_eq!(key("\"x@npm:y@1.0.0\""), ("y".to_owned(), exact("1.0.0")));
        assert_eq!(key("@a/b@1.0.0(react@18.0.0)"), ("@a/b".to_owned(), exact("1.0.0")));
        assert_eq!(key("/@a/b@1.0.0(react@18.0.0)"), ("@a/b".to_owned(), exact("1.0.0")));
        assert_eq!(key("/@a/b/1.0.0_react@18.0.0"), ("@a/b".to_owned(), exact("1.0.0")));
        assert_eq!(key("/x/1.0.0"), ("x".to_owned(), exact("1.0.0")));
        assert_eq!(key("x"), ("x".to_owned(), Target::Range("*".to_owned())));
    }

    #[test]
    fn tarballs_of_a_registry_say_name_and_version() {
        let of = |t: &str| (read(t).name.unwrap_or_default(), read(t).version().unwrap_or_default().to_owned());
        let is = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(of("https://registry.example/x/-/x-1.0.0-rc.1.tgz#abc"), is("x", "1.0.0-rc.1"));
        assert_eq!(of("https://registry.example/api/npm/@a/b/-/b-1.0.0.tgz"), is("@a/b", "1.0.0"));
        assert_eq!(of("https://registry.example/@a%2fb/-/b-1.0.0.tgz"), is("@a/b", "1.0.0"));
        assert_eq!(of("https://registry.example/@a/b/-/@a/b-1.0.0.tgz"), is("@a/b", "1.0.0"));
        for other in ["https://registry.example/x-1.0.0.tgz", "https://registry.example/x/-/y-1.0.0.tgz"] {
            assert_eq!(of(other), is("", ""), "{other}");
        }
        let secret = read("https://user:secret@registry.example/x.tgz?token=secret#secret");
        let url = "https://registry.example/x.tgz".to_owned();
        assert_eq!(secret.target, Target::Tarball { url, version: None });
    }

    #[test]
    fn repositories_say_their_commit() {
        let commit = "0e58ed8671d6b60d0890c21b07f8835ace038e67";
        let (with, repository) = (Some(commit), "github.com/a/b");
        for text in [
            format!("github:a/b#{commit}"),
            format!("a/b#{commit}"),
            format!("git+https://user:secret@github.com/a/b.git#{commit}"),
            format!("git+ssh://git@github.com/a/b.git#commit={commit}"),
            format!("git@github.com:a/b.git#{commit}"),
            format!("https://github.com/a/b.git#{commit}"),
            format!("https://codeload.github.com/a/b/tar.gz/{commit}"),
            format!("https://github.com/a/b/archive/{commit}.tar.gz"),
        ] {
            assert_eq!(read(&text).target, git(repository, with, None), "{text}");
        }
        assert_eq!(read("a/b#semver:^1").target, git(repository, None, Some("semver:^1")));
        assert_eq!(read("gitlab:a/b#main").target, git("gitlab.com/a/b", None, Some("main")));
        assert_eq!(read("a/b").target, git(repository, None, None));
        for local in ["file:../x", "link:./x", "workspace:*", "./x", "../x", "/x/y.tgz", "~/x"] {
            assert_eq!(read(local).target, Target::Local(local.to_owned()), "{local}");
        }
    }
}
