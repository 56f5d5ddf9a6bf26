//! Servers that are asked before a registry, where the caller names them.
//!
//! ```text
//! registry.example=https://mirror.example    one server
//! …/certs.d/registry.example/hosts.toml      containerd's: server = "…"  [host."https://mirror.example"] capabilities = ["pull"]
//! …/registries.conf                          the containers tools': [[registry]] location = "…"  [[registry.mirror]] location = "…"
//! ```
//!
//! What weakens a connection is not followed: certificates are verified, and what is not encrypted needs `--plain-http`.

use std::{collections::BTreeMap, path::Path};

use reqwest::Url;
use serde::Deserialize;

use super::{error::RegistryError, files::own_file, reference::Host, wire::clean};
use crate::text::{escape_short, without_user};

/// Servers of one registry.
const SERVERS: usize = 20;

/// A server that holds what a registry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mirror {
    pub(super) host: Host,
    /// Ends with a slash; repositories follow.
    pub(super) base: Url,
    /// Whether tags are resolved there, not digests alone.
    pub(super) resolves: bool,
}

/// All that the caller named.
#[derive(Debug, Default)]
pub struct Mirrors {
    /// `None`: for every registry.
    rows: Vec<(Option<Host>, Mirror)>,
    /// What is never asked: `registry.example`, `registry.example/team`, `*.example`. Lower case.
    blocked: Vec<String>,
    /// What the files say and is not followed, in words.
    pub notes: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HostsFile {
    host: BTreeMap<String, HostTable>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HostTable {
    capabilities: Option<Vec<String>>,
    override_path: bool,
    skip_verify: bool,
    ca: Option<toml::Value>,
    client: Option<toml::Value>,
    header: Option<toml::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RegistriesFile {
    registry: Vec<RegistryTable>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RegistryTable {
    prefix: String,
    location: String,
    blocked: bool,
    mirror: Vec<MirrorTable>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct MirrorTable {
    location: String,
    insecure: bool,
    pull_from_mirror: String,
}

impl Mirrors {
    /// Adds what one `--mirror` names: `HOST=URL`, a `hosts.toml`, or a `registries.conf`.
    ///
    /// # Errors
    /// Where it is none of them.
    pub fn add(&mut self, argument: &str) -> Result<(), RegistryError> {
        // What stands behind `=` may hold a password.
        let shown = without_user(argument.split_once('=').map_or(argument, |(before, _)| before));
        let refused =
            |why: &str| RegistryError::File { file: escape_short(shown.as_bytes(), 200), why: why.to_owned() };
        if let Some((host, url)) = argument.split_once('=').filter(|(_, url)| url.contains("://")) {
            let host = Host::parse(host).ok_or_else(|| refused("what stands before `=` is no registry"))?;
            let mirror = mirror(url, false, true).map_err(|odd| refused(&format!("what stands after `=` is {odd}")))?;
            self.rows.push((Some(host), mirror));
            return Ok(());
        }
        if argument.contains("://") {
            return Err(refused("it is neither `HOST=URL` nor a file"));
        }
        let path = Path::new(argument);
        let bytes = own_file(path)?.ok_or_else(|| refused("there is no such file"))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| refused("it is no text"))?;
        let read = if path.file_name().is_some_and(|n| n == "hosts.toml") {
            let folder = path.parent().and_then(Path::file_name).and_then(|n| n.to_str()).unwrap_or("");
            let host = (folder != "_default").then(|| host_of(folder));
            match host {
                Some(None) => return Err(refused("its folder has not the name of a registry")),
                host => self.hosts(text, host.flatten()),
            }
        } else {
            self.registries(text)
        };
        read.ok_or_else(|| refused("not the TOML that it should be"))
    }

    /// The servers, `HOST[:PORT]`.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|(_, mirror)| mirror.host.as_str())
    }

    fn note(&mut self, of: &str, what: &str) {
        let of = escape_short(without_user(of).as_bytes(), 120);
        self.notes.push(format!("mirror `{of}`: {what} is not followed"));
    }

    fn hosts(&mut self, text: &str, host: Option<Host>) -> Option<()> {
        let file: HostsFile = toml::from_str(text).ok()?;
        // They are asked in the order of the file.
        let mut tables: Vec<_> = file.host.into_iter().map(|(url, table)| (text.find(&url), url, table)).collect();
        tables.sort_by_key(|(at, ..)| *at);
        for (_, url, table) in tables.into_iter().take(SERVERS) {
            for (is_there, what) in [
                (table.skip_verify, "`skip_verify`"),
                (table.ca.is_some(), "`ca` (use `--ca`)"),
                (table.client.is_some(), "`client`"),
                (table.header.is_some(), "`header`"),
            ] {
                if is_there {
                    self.note(&url, what);
                }
            }
            let can = |what: &str| table.capabilities.as_ref().is_none_or(|c| c.iter().any(|c| c == what));
            if !can("pull") {
                continue;
            }
            match mirror(&url, table.override_path, can("resolve")) {
                Ok(mirror) => self.rows.push((host.clone(), mirror)),
                Err(odd) => self.note(&url, odd),
            }
        }
        Some(())
    }

    fn registries(&mut self, text: &str) -> Option<()> {
        let file: RegistriesFile = toml::from_str(text).ok()?;
        for table in file.registry {
            let prefix = if table.prefix.is_empty() { &table.location } else { &table.prefix };
            if table.blocked {
                self.blocked.push(prefix.trim_end_matches('/').to_ascii_lowercase());
            }
            let Some(host) = Host::parse(prefix) else {
                if table.blocked && table.mirror.is_empty() && !prefix.contains('/') {
                    continue;
                }
                self.note(prefix, "a prefix that is more than a host");
                continue;
            };
            if !table.location.is_empty() && table.location != *prefix {
                self.note(prefix, "another `location`");
            }
            for server in table.mirror.into_iter().take(SERVERS) {
                if server.insecure {
                    self.note(&server.location, "`insecure`");
                }
                let (place, path) = server.location.split_once('/').unwrap_or((&server.location, ""));
                let slash = if path.is_empty() { "" } else { "/" };
                let url = format!("https://{place}/v2{slash}{path}");
                let resolves = server.pull_from_mirror != "digest-only";
                match mirror(&url, true, resolves) {
                    Ok(_) if server.pull_from_mirror == "tag-only" => self.note(&server.location, "`tag-only`"),
                    Ok(mirror) => self.rows.push((Some(host.clone()), mirror)),
                    Err(odd) => self.note(&server.location, odd),
                }
            }
        }
        Some(())
    }

    /// Whether a file says that this is never to be asked for: `registry.example/team/app`, or `registry.example/` for all of it.
    pub fn blocks(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let name = name.trim_end_matches('/');
        let host = name.split('/').next().unwrap_or(name);
        self.blocked.iter().any(|blocked| match blocked.strip_prefix("*.") {
            Some(above) => host.strip_suffix(above).is_some_and(|below| below.ends_with('.')),
            None => name.strip_prefix(blocked.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        })
    }

    /// Those of a registry, in the order in which they are asked.
    pub(super) fn of(&self, host: &Host) -> impl Iterator<Item = &Mirror> {
        let exact = self.rows.iter().any(|(of, _)| of.as_ref() == Some(host));
        let wanted = exact.then_some(host);
        let own = self.rows.iter().filter(move |(of, _)| of.as_ref() == wanted).map(|(_, mirror)| mirror);
        own.filter(|mirror| mirror.host != *host)
    }
}

/// The registry that a folder of containerd's is for: `registry.example:5000`, also written `registry.example_5000_`.
fn host_of(folder: &str) -> Option<Host> {
    let ported = folder.strip_suffix('_').and_then(|rest| rest.rsplit_once('_'));
    let with_port = ported.and_then(|(name, port)| Host::parse(&format!("{name}:{port}")));
    with_port.or_else(|| Host::parse(folder))
}

/// In words what it is where it can be no mirror.
fn mirror(url: &str, whole_path: bool, resolves: bool) -> Result<Mirror, &'static str> {
    const ODD: &str = "what is no address";
    let url = if url.contains("://") { url.to_owned() } else { format!("https://{url}") };
    let url = Url::parse(&url).map_err(|_| ODD)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a user or a password in it (`--registry-token-file` gives them)");
    }
    let mut base = clean(url).ok_or(ODD)?;
    base.set_query(None);
    let path = base.path().trim_end_matches('/');
    let version = if whole_path || path.ends_with("/v2") { "" } else { "/v2" };
    base.set_path(&format!("{path}{version}/"));
    let port = base.port().map_or_else(String::new, |p| format!(":{p}"));
    let host = Host::parse(&format!("{}{port}", base.host_str().ok_or(ODD)?)).ok_or(ODD)?;
    Ok(Mirror { host, base, resolves })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use super::*;

    fn bases(mirrors: &Mirrors, host: &str) -> Vec<(String, bool)> {
        mirrors.of(&Host::parse(host).unwrap()).map(|m| (m.base.to_string(), m.resolves)).collect()
    }

    #[test]
    fn mirrors_are_read_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let hosts = write(
            "certs.d/registry.example_5000_/hosts.toml",
            r#"server = "https://registry.example:5000"
[host."https://z.example"]
capabilities = ["pull", "resolve"]
[host."http://a.example:81/prefix"]
capabilities = ["pull"]
skip_verify = true
[host."https://b.example/x"]
override_path = true
[host."https://push.example"]
capabilities = ["push"]
"#,
        );
        let conf = write(
            "registries.conf",
            r#"unqualified-search-registries = ["x"]
[[registry]]
location = "other.example"
[[registry.mirror]]
location = "m.example/team"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "n.example:5000"
insecure = true
[[registry.mirror]]
location = "me:s3cret@n.example"
[[registry]]
prefix = "*.wild.example"
blocked = true
[[registry]]
location = "never.example"
blocked = true
[[registry]]
location = "other.example/bad"
blocked = true
[[registry]]
prefix = "other.example/team"
"#,
        );
        let mut mirrors = Mirrors::default();
        mirrors.add(&hosts).unwrap();
        mirrors.add(&conf).unwrap();
        mirrors.add("third.example=https://m.example/?token=x").unwrap();
        let is = |base: &str, resolves| (base.to_owned(), resolves);
        assert_eq!(
            bases(&mirrors, "registry.example:5000"),
            [
                is("https://z.example/v2/", true),
                is("http://a.example:81/prefix/v2/", false),
                is("https://b.example/x/", true)
            ]
        );
        assert_eq!(
            bases(&mirrors, "other.example"),
            [is("https://m.example/v2/team/", false), is("https://n.example:5000/v2/", true)]
        );
        assert_eq!(bases(&mirrors, "third.example"), [is("https://m.example/v2/", true)]);
        assert!(bases(&mirrors, "registry.example").is_empty());
        let notes = mirrors.notes.join("\n");
        assert!(["`skip_verify`", "`insecure`", "a prefix"].iter().all(|n| notes.contains(n)), "{notes}");
        assert!(notes.contains("mirror `n.example`: an address with a user") && !notes.contains("s3cret"), "{notes}");
        for (name, blocked) in [
            ("never.example/", true),
            ("Never.example/team/app", true),
            ("never.example:5000/app", false),
            ("a.wild.example/app", true),
            ("wild.example/app", false),
            ("other.example/bad/app", true),
            ("other.example/badly", false),
            ("other.example/", false),
        ] {
            assert_eq!(mirrors.blocks(name), blocked, "{name}");
        }
        for text in
            ["a.example=https://me:s3cret@m.example", "x y=https://me:s3cret@m.example", "https://me:s3cret@m.example"]
        {
            let error = mirrors.add(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret") && !error.contains("me:"), "{error}");
        }
        for odd in [
            write("hosts.toml", "["),
            write("certs.d/_default/hosts.toml", "host = 7"),
            "x=y".to_owned(),
            "=https://a".to_owned(),
        ] {
            assert!(mirrors.add(&odd).is_err(), "{odd}");
        }
    }
}
