//! What a text can mean that somebody types or pastes: each ecosystem's own spelling of a package and a version, actions, images,
//! hashes, hosts, files.

use super::query::Query;
use crate::{
    ecosystem::{
        aur, oci,
        purl::{Parts, Purl},
        rpm,
    },
    fact::Ecosystem,
};

/// Every reading of a text, most likely first. Defanged forms are understood.
pub fn readings(text: &str) -> Vec<Query> {
    let text = refang(text.trim());
    if text.starts_with("pkg:") {
        return package_url(&text).into_iter().collect();
    }
    if let Some((word, rest)) = text.split_once(':')
        && let Some(named) = prefixed(word, rest)
    {
        return named;
    }
    if let Some(rest) = text.strip_prefix("docker://") {
        return image(rest);
    }
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        let host =
            host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
        return vec![Query::Url(text.clone()), Query::Host(host.to_lowercase())];
    }
    // Nothing else has a digest behind `@`, or a registry in front and a tag behind.
    if text.contains("@sha256:") || has_registry(&text) {
        return image(&text);
    }
    let mut all = Vec::new();
    if is_hash(&text) {
        all.push(Query::Hash(text.to_ascii_lowercase()));
    }
    if is_host(&text) {
        all.push(Query::Host(text.to_lowercase()));
    }
    all.extend(module(&text).or_else(|| coordinates(&text)));
    all.extend(action(&text));
    all.extend(image(&text));
    if !text.chars().any(char::is_whitespace) {
        all.push(package(None, &text));
    }
    all.push(Query::File(text.clone()));
    all.push(Query::Text(text));
    all
}

/// With a word in front that says what the rest is; `None` where it says nothing.
fn prefixed(word: &str, rest: &str) -> Option<Vec<Query>> {
    Some(match (word, Ecosystem::from_word(word)) {
        ("action" | "actions" | "githubactions" | "github-actions", _) => action(rest).into_iter().collect(),
        ("sha256", _) if is_hash(rest) => {
            let rest = rest.to_ascii_lowercase();
            vec![Query::Hash(rest.clone()), Query::Digest(format!("sha256:{rest}"))]
        }
        ("sha512" | "sha1" | "md5", _) if is_hash(rest) => vec![Query::Hash(rest.to_ascii_lowercase())],
        ("domain" | "ip" | "host", _) => vec![Query::Host(rest.to_lowercase())],
        ("file" | "path", _) if !rest.starts_with("//") => vec![Query::File(rest.to_owned())],
        // The folder of an editor does not say which marketplace an extension came from.
        ("extension" | "editor-extension", _) => {
            vec![package(Some(Ecosystem::Vscode), rest), package(Some(Ecosystem::Openvsx), rest)]
        }
        ("string" | "git", _) => vec![Query::Text(rest.to_owned())],
        (_, Some(Ecosystem::Oci)) => image(rest.trim_start_matches("//")),
        (_, Some(ecosystem)) => vec![package(Some(ecosystem), rest)],
        _ => return None,
    })
}

/// `hxxps://evil[.]example` is `https://evil.example`.
pub fn refang(text: &str) -> String {
    let text =
        text.replace("[.]", ".").replace("(.)", ".").replace("{.}", ".").replace("[:]", ":").replace("[://]", "://");
    let text = text.replace("[@]", "@").replace("[dot]", ".");
    match text.get(..4) {
        Some("hxxp" | "hXXp" | "HXXP") => format!("http{}", text.get(4..).unwrap_or_default()),
        _ => text,
    }
}

/// Hex digits of a SHA-256, SHA-1 or MD5.
pub fn is_hash(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64 | 128) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The form of a domain or an address.
pub fn is_host(text: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let last = text.rsplit('.').next().unwrap_or_default();
    text.parse::<std::net::IpAddr>().is_ok()
        || (text.contains('.') && text.split('.').all(label) && last.chars().all(char::is_alphabetic))
}

/// A package URL, as an ecosystem's own spelling.
fn package_url(text: &str) -> Option<Query> {
    let Parts { kind, path, version } = Parts::parse(text)?;
    let name = path.join("/");
    let tail = |sign: char| version.as_ref().map(|v| format!("{sign}{v}")).unwrap_or_default();
    if kind == "githubactions" {
        return action(&format!("{name}{}", tail('@')));
    }
    let purl = Purl::parse(text)?;
    match purl.ecosystem {
        Ecosystem::Oci if version.as_ref().is_some_and(|v| v.starts_with("sha256:")) => {
            image(&format!("{name}{}", tail('@'))).into_iter().next()
        }
        Ecosystem::Oci => image(&format!("{name}{}", tail(':'))).into_iter().next(),
        ecosystem => Some(Query::Package { ecosystem: Some(ecosystem), name: purl.name, version: purl.version }),
    }
}

/// `name`, `name@version`, `name==version`, `@scope/name@version`, and what the ecosystem's own tools write besides.
fn package(ecosystem: Option<Ecosystem>, text: &str) -> Query {
    // An id of Firefox has an `@` of its own.
    let own_at = usize::from(ecosystem == Some(Ecosystem::Firefox) && !text.starts_with('{'));
    let at = text.char_indices().skip(1).filter(|(_, c)| *c == '@').nth(own_at).and_then(|(at, _)| {
        let (name, version) = text.split_at_checked(at)?;
        Some((name, version.trim_start_matches('@')))
    });
    let own = || match ecosystem? {
        // `bundle add name:1.0`, `composer require vendor/name:1.0`, `name=1.0`
        Ecosystem::Gem => text.split_once(':'),
        Ecosystem::Composer => text.split_once([':', '=']),
        Ecosystem::Maven => text.rsplit_once(':').filter(|(name, _)| name.contains(':')),
        Ecosystem::Deb => text.split_once('='),
        Ecosystem::Aur => text.split_once('=').or_else(|| aur::split(text)),
        Ecosystem::Rpm => rpm::split(text),
        _ => None,
    };
    let pinned = text.split_once("==");
    let split = pinned.map(|(name, version)| (name, version.trim_start_matches('='))).or(at).or_else(own);
    let (name, version) = split.map_or((text, None), |(name, version)| (name, Some(version)));
    let ecosystem = ecosystem.or_else(|| pinned.is_some().then_some(Ecosystem::Pypi));
    let version = version.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    Query::Package { ecosystem, name: name.trim().to_owned(), version }
}

/// A Go module: its path begins with a host.
fn module(text: &str) -> Option<Query> {
    let path = text.split('@').next().unwrap_or(text);
    let (host, rest) = path.split_once('/')?;
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._~!/".contains(c);
    (is_host(host) && !rest.is_empty() && rest.chars().all(fine)).then(|| package(Some(Ecosystem::Golang), text))
}

/// `group:artifact`, `group:artifact@1.0`, `group:artifact:1.0`. A group has a dot.
fn coordinates(text: &str) -> Option<Query> {
    let (group, rest) = text.split_once(':')?;
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let artifact = rest.split(['@', ':']).next().unwrap_or_default();
    let fits = group.contains('.') && word(group) && word(artifact) && artifact.contains(|c: char| !c.is_ascii_digit());
    fits.then(|| package(Some(Ecosystem::Maven), text))
}

/// `owner/name@reference`, with a path inside the repository or without.
fn action(text: &str) -> Option<Query> {
    let text = text.strip_prefix("github.com/").unwrap_or(text);
    let (path, reference) = text.split_once('@')?;
    let mut parts = path.split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    // No account of the forge has a dot in its name; a registry and a host have.
    (word(owner) && !owner.contains('.') && word(name) && !reference.is_empty() && !reference.contains(':'))
        .then(|| Query::Action { repository: format!("{owner}/{name}"), reference: reference.to_owned() })
}

/// `repository:tag`, `repository@sha256:…`, both, or the digest alone.
fn image(text: &str) -> Vec<Query> {
    if text.starts_with("sha256:") {
        return vec![Query::Digest(text.to_ascii_lowercase())];
    }
    let Some(image) = oci::parse(text) else {
        return Vec::new();
    };
    let repository = text.split('@').next().unwrap_or(text);
    let written = repository.strip_suffix(image.tag.as_deref().unwrap_or_default()).and_then(|r| r.strip_suffix(':'));
    let tagged = written.zip(image.tag).map(|(r, tag)| Query::Image { repository: r.to_owned(), tag });
    image.digest.map(Query::Digest).into_iter().chain(tagged).collect()
}

/// `ghcr.io/owner/name:tag`, `localhost:5000/name:tag`.
fn has_registry(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let tagged = text.rsplit('/').next().is_some_and(|last| last.contains(':'));
    tagged
        && text.contains('/')
        && !text.contains('@')
        && (is_host(host) || host.contains(':'))
        && oci::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Query {
        readings(text).into_iter().next().unwrap()
    }

    fn package_of(ecosystem: impl Into<Option<Ecosystem>>, name: &str, version: Option<&str>) -> Query {
        Query::Package { ecosystem: ecosystem.into(), name: name.into(), version: version.map(str::to_owned) }
    }

    #[test]
    fn texts_are_read_as_people_write_them() {
        let package = package_of;
        assert_eq!(first("litellm==1.82.7"), package(Ecosystem::Pypi, "litellm", Some("1.82.7")));
        assert_eq!(first("npm:@a/b@1.0.0"), package(Ecosystem::Npm, "@a/b", Some("1.0.0")));
        assert_eq!(first("pkg:npm/%40a/b@1.0.0"), package(Ecosystem::Npm, "@a/b", Some("1.0.0")));
        assert_eq!(first("evil[.]example"), Query::Host("evil.example".into()));
        assert_eq!(first("hxxps://evil[.]example/x"), Query::Url("https://evil.example/x".into()));
        assert_eq!(first("203.0.113[.]7"), Query::Host("203.0.113.7".into()));
        let action = Query::Action { repository: "a/b".into(), reference: "v1".into() };
        assert_eq!(first("a/b@v1"), action);
        assert_eq!(first("a/b/sub@v1"), action);
        assert_eq!(first("pkg:githubactions/a/b@v1"), action);
        assert!(readings("github.com/a/b/sub@v1").contains(&action));
        assert!(readings("@a/b@1.0.0").contains(&package_of(None, "@a/b", Some("1.0.0"))));
        assert!(!readings("@a/b@1.0.0").iter().any(|q| matches!(q, Query::Action { .. })));
        assert_eq!(first(&"A".repeat(64)), Query::Hash("a".repeat(64)));
    }

    #[test]
    fn every_ecosystem_is_read_in_its_own_spelling() {
        use Ecosystem::{Composer, Deb, Gem, Golang, Maven, Openvsx, Rpm, Vscode};
        let cases = [
            ("github.com/x/y@v1.2.3", Golang, "github.com/x/y", Some("v1.2.3")),
            ("gopkg.in/x.v2@v2.0.0", Golang, "gopkg.in/x.v2", Some("v2.0.0")),
            ("github.com/x/y/v2", Golang, "github.com/x/y/v2", None),
            ("pkg:golang/github.com/x/y@v2.0.0%2Bincompatible", Golang, "github.com/x/y", Some("v2.0.0+incompatible")),
            ("org.a:b@1.0", Maven, "org.a:b", Some("1.0")),
            ("org.a:b:1.0", Maven, "org.a:b", Some("1.0")),
            ("maven:org.a:b", Maven, "org.a:b", None),
            ("pkg:maven/org.a/b@1.0?type=jar", Maven, "org.a:b", Some("1.0")),
            ("vscode:pub.name@1.0.0", Vscode, "pub.name", Some("1.0.0")),
            ("openvsx:pub.name@1.0.0@linux-x64", Openvsx, "pub.name", Some("1.0.0@linux-x64")),
            ("pkg:vscode-extension/pub/name@1.0.0", Vscode, "pub.name", Some("1.0.0")),
            ("composer:a/b:v1.0", Composer, "a/b", Some("v1.0")),
            ("gem:rails:7.0", Gem, "rails", Some("7.0")),
            ("deb:xz-utils=5.6.1-1", Deb, "xz-utils", Some("5.6.1-1")),
            ("pkg:deb/debian/xz-utils@5.6.1-1?arch=amd64", Deb, "xz-utils", Some("5.6.1-1")),
            ("rpm:xz-libs-5.6.0-1.fc40.x86_64", Rpm, "xz-libs", Some("5.6.0-1.fc40")),
            ("rpm:xz-libs", Rpm, "xz-libs", None),
        ];
        for (text, ecosystem, name, version) in cases {
            assert_eq!(first(text), package_of(ecosystem, name, version), "{text}");
        }
        assert!(readings("pub.name@1.0.0").contains(&package_of(None, "pub.name", Some("1.0.0"))));
        assert!(!readings("localhost:5000").iter().any(|q| matches!(q, Query::Package { ecosystem: Some(_), .. })));
    }

    #[test]
    fn images_are_read_with_registries_tags_and_digests() {
        let tagged = |repository: &str, tag: &str| Query::Image { repository: repository.into(), tag: tag.into() };
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(readings("ghcr.io/x/y:1.0"), [tagged("ghcr.io/x/y", "1.0")]);
        assert_eq!(readings("localhost:5000/y:1.0"), [tagged("localhost:5000/y", "1.0")]);
        assert_eq!(readings("docker://x/y:1.0"), [tagged("x/y", "1.0")]);
        assert_eq!(readings("docker:x/y:1.0"), [tagged("x/y", "1.0")]);
        assert_eq!(readings(&format!("x/y@{digest}")), [Query::Digest(digest.clone())]);
        assert_eq!(readings(&format!("x/y:1@{digest}")), [Query::Digest(digest.clone()), tagged("x/y", "1")]);
        assert_eq!(readings("pkg:docker/x/y@1.0"), [tagged("x/y", "1.0")]);
        assert!(readings("x/y:1.0").contains(&tagged("x/y", "1.0")));
        assert!(!readings("localhost:5000/y").iter().any(|q| matches!(q, Query::Image { .. })));
    }
}
