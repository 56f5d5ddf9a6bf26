//! What a responder pastes after `--ioc`: each text must mean one thing.

use super::{
    model::{
        ActionIndicator, ArtifactIndicator, FileIndicator, FileRole, ImageIndicator, Incident, NameWeight,
        NetworkIndicator, NetworkKind, PackageIndicator, Source, Standing, Trigger,
    },
    query::{Query, readings},
};
use crate::{ecosystem, fact::Ecosystem, verdict::Confidence};

/// One incident of everything that was given.
///
/// # Errors
/// A text that is no indicator, or could be several, with what to write instead.
pub fn incident(texts: &[String]) -> Result<Incident, String> {
    let mut incident = Incident {
        schema: "dosimeter.incident/1".to_owned(),
        id: "command-line".to_owned(),
        title: "Indicators given on the command line".to_owned(),
        summary: "Given with `--ioc`; nothing else is known of them.".to_owned(),
        sources: [("given".to_owned(), command_line_source())].into(),
        ..Incident::default()
    };
    for text in texts {
        add(&mut incident, text)?;
    }
    Ok(incident)
}

fn command_line_source() -> Source {
    Source { title: "given on the command line".to_owned(), url: None, relayed: Some("given with `--ioc`".to_owned()) }
}

fn add(incident: &mut Incident, text: &str) -> Result<(), String> {
    let sources = || vec!["given".to_owned()];
    // Whoever runs the program answers for it.
    let standing = || Standing { confidence: Some(Confidence::Confirmed), ..Standing::default() };
    let what = || "given on the command line".to_owned();
    match definite(text)? {
        Query::Package { ecosystem, name, version } => {
            let ecosystem = ecosystem.unwrap_or(Ecosystem::Pypi);
            let version = version.unwrap_or_else(|| "*".to_owned());
            let known =
                ecosystem::is_pattern(ecosystem, &version) || ecosystem::order(ecosystem, &version, &version).is_some();
            if !known {
                return Err(format!("`--ioc {text}`: `{version}` is no version of {}", ecosystem.purl_type()));
            }
            incident.packages.push(PackageIndicator {
                ecosystem,
                name,
                versions: vec![version],
                triggers: vec![Trigger::InstallHook, Trigger::Import],
                runs: what(),
                safe: Vec::new(),
                standing: standing(),
                sources: sources(),
            });
        }
        Query::Hash(hash) => {
            if hash.len() != 64 {
                return Err(format!(
                    "`--ioc {text}`: not a SHA-256\nhint: an examination computes SHA-256 only; find its SHA-256, 64 hex digits"
                ));
            }
            incident.artifacts.push(ArtifactIndicator {
                name: format!("sha256:{hash}"),
                sha256: Some(hash),
                standing: standing(),
                sources: sources(),
                ..ArtifactIndicator::default()
            });
        }
        Query::Host(value) => {
            let kind = if value.parse::<std::net::IpAddr>().is_ok() { NetworkKind::Ip } else { NetworkKind::Domain };
            let (standing, sources) = (standing(), sources());
            incident.network.push(NetworkIndicator {
                kind,
                value,
                what: what(),
                context_only: false,
                standing,
                sources,
            });
        }
        Query::Url(value) => {
            let (kind, standing, sources) = (NetworkKind::Url, standing(), sources());
            incident.network.push(NetworkIndicator {
                kind,
                value,
                what: what(),
                context_only: false,
                standing,
                sources,
            });
        }
        Query::Action { repository, reference } => {
            // A few hex digits are a commit or a tag.
            let commit = ecosystem::action::is_commit(&reference).then(|| reference.to_ascii_lowercase());
            let tag = commit.as_ref().is_none_or(|c| c.len() < 12).then_some(reference);
            let (tags, commits) = (tag.into_iter().collect(), commit.into_iter().collect());
            incident.actions.push(ActionIndicator {
                repository,
                tags,
                moved_tags: Vec::new(),
                safe: Vec::new(),
                commits,
                from: None,
                until: None,
                runs: what(),
                standing: standing(),
                sources: sources(),
            });
        }
        Query::Image { repository, tag } => incident.images.push(ImageIndicator {
            repository,
            tags: vec![tag],
            floating_tags: Vec::new(),
            digests: Vec::new(),
            standing: standing(),
            sources: sources(),
        }),
        Query::Digest(digest) => incident.images.push(ImageIndicator {
            repository: text.split('@').next().unwrap_or(text).to_owned(),
            tags: Vec::new(),
            floating_tags: Vec::new(),
            digests: vec![digest],
            standing: standing(),
            sources: sources(),
        }),
        Query::File(path) => {
            let rooted = ["~/", "/", "site:", "any:"].iter().any(|s| path.starts_with(s));
            let path = if rooted { path } else { format!("any:{path}") };
            incident.files.push(FileIndicator {
                role: FileRole::Trace,
                paths: vec![path],
                sha256: None,
                sha1: None,
                md5: None,
                size: None,
                holds: Vec::new(),
                alone: Some(NameWeight::Distinctive),
                package: None,
                what: "a file given on the command line".to_owned(),
                // Only its name is known.
                standing: Standing { confidence: Some(Confidence::Likely), ..Standing::default() },
                sources: sources(),
            });
        }
        Query::Text(_) => {
            return Err(format!(
                "`--ioc {text}`: an examination does not search for texts\nhint: give a file name, a hash, a domain or a package"
            ));
        }
    }
    Ok(())
}

/// The one thing a text means.
fn definite(text: &str) -> Result<Query, String> {
    let unclear = |hint: &str| Err(format!("`--ioc {text}` could mean several things\nhint: {hint}"));
    let all = readings(text);
    let first = all.first().cloned();
    match (all.len(), first) {
        (_, None) => {
            unclear("write `pypi:name@1.0`, `sha256:…`, `domain:evil.example`, `action:owner/name@v1` or `file:name`")
        }
        (1, Some(query)) => Ok(query),
        (_, Some(query @ (Query::Hash(_) | Query::Url(_) | Query::Digest(_)))) => Ok(query),
        (_, Some(Query::Host(host))) if !looks_like_a_file(&host) => Ok(Query::Host(host)),
        (_, Some(query)) => match all.iter().find(|q| matches!(q, Query::Package { ecosystem: Some(_), .. })) {
            Some(package) => Ok(package.clone()),
            None if text.starts_with('/') || text.starts_with("~/") => Ok(Query::File(text.to_owned())),
            None if matches!(query, Query::Action { .. }) => unclear(&format!(
                "write `action:{text}`, or the ecosystem of the package: `npm:{text}`, `golang:{text}`"
            )),
            None => unclear(&format!("say which: `pypi:{text}`, `npm:{text}`, `domain:{text}`, `file:{text}`")),
        },
    }
}

/// `setup.py` and `index.js` have the form of a host.
pub fn looks_like_a_file(host: &str) -> bool {
    let ending = host.rsplit('.').next().unwrap_or_default();
    [
        "py", "js", "cjs", "mjs", "ts", "sh", "rs", "go", "rb", "pth", "exe", "dll", "so", "json", "yml", "yaml",
        "toml", "service", "plist", "bin", "zip",
    ]
    .contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Incident, String> {
        incident(&[text.to_owned()])
    }

    #[test]
    fn what_is_pasted_at_three_in_the_morning_works() {
        assert_eq!(parsed("litellm==1.82.7").unwrap().packages[0].versions, ["1.82.7"]);
        assert_eq!(parsed("npm:@a/b@1.0.0").unwrap().packages[0].name, "@a/b");
        assert_eq!(parsed("npm:evil").unwrap().packages[0].versions, ["*"]);
        assert_eq!(parsed(&"ab".repeat(32)).unwrap().artifacts.len(), 1);
        assert_eq!(parsed(&format!("sha256:{}", "AB".repeat(32))).unwrap().artifacts.len(), 1);
        assert_eq!(parsed("evil[.]example").unwrap().network[0].value, "evil.example");
        assert_eq!(parsed("203.0.113[.]9").unwrap().network[0].kind, NetworkKind::Ip);
        assert_eq!(parsed("hxxps://evil[.]example/a").unwrap().network[0].kind, NetworkKind::Url);
        assert_eq!(parsed("action:a/b@v1").unwrap().actions[0].tags, ["v1"]);
        assert_eq!(parsed("docker:a/b:1.0").unwrap().images[0].tags, ["1.0"]);
        assert_eq!(parsed("~/.config/x/y.py").unwrap().files[0].paths, ["~/.config/x/y.py"]);
        assert_eq!(parsed("file:evil.py").unwrap().files[0].paths, ["any:evil.py"]);
    }

    #[test]
    fn what_is_unclear_says_what_to_write() {
        for text in ["evil", "a/b@v1", "setup.py", "pypi:x@not a version", &"a".repeat(40)] {
            let error = parsed(text).unwrap_err();
            assert!(error.contains("--ioc"), "{error}");
        }
    }
}
