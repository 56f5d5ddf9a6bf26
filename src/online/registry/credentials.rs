//! Who the caller is to which registry: what it names itself, then what Docker and the containers tools have written down.
//!
//! ```text
//! $REGISTRY_AUTH_FILE                    {"auths":{"registry.example/team":{"auth":"<base64 of user:password>"}}}
//! $XDG_RUNTIME_DIR/containers/auth.json  the same
//! ~/.config/containers/auth.json         the same
//! $DOCKER_CONFIG/config.json             the same, with "credsStore" and "credHelpers"
//! ~/.docker/config.json                  where DOCKER_CONFIG is not set
//! ```
//!
//! The first of them that knows a registry counts; in a file the longest key that fits. A helper is named by the error that needs
//! it, and never started.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    error::RegistryError,
    files::own_file,
    reference::Host,
    secret::{Login, Secret},
};
use crate::text::escape_short;

/// How Docker writes the registry of names without one.
const DEFAULT_KEYS: &[&str] = &["docker.io", "index.docker.io", "registry-1.docker.io"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    auths: BTreeMap<String, Entry>,
    #[serde(rename = "credsStore")]
    store: String,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<Secret>,
    password: Option<Secret>,
    #[serde(rename = "identitytoken")]
    identity: Option<Secret>,
    #[serde(rename = "registrytoken")]
    token: Option<Secret>,
}

/// What is known for a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// Credentials.
    Login(Login),
    /// That this helper has them.
    Helper(String),
}

/// All that is known. Nothing of it can be shown.
#[derive(Debug, Default)]
pub struct Credentials {
    /// By `host` or `host/namespace`.
    given: Vec<(String, Login)>,
    files: Vec<ConfigFile>,
}

impl Credentials {
    /// None at all: everything is asked for anonymously.
    pub fn none() -> Self {
        Self::default()
    }

    /// What the files hold that these variables of the environment name, `HOME` among them; and what is wrong with them.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<OsString>) -> (Self, Vec<RegistryError>) {
        let at = |name: &str, below: &str| {
            let folder = variable(name).filter(|v| !v.is_empty()).map(PathBuf::from)?;
            Some(folder.join(below)).filter(|p| p.is_absolute())
        };
        let named = variable("REGISTRY_AUTH_FILE").filter(|v| !v.is_empty()).map(PathBuf::from);
        let runtime = at("XDG_RUNTIME_DIR", "containers/auth.json");
        let own = at("XDG_CONFIG_HOME", "containers/auth.json").or_else(|| at("HOME", ".config/containers/auth.json"));
        let docker = at("DOCKER_CONFIG", "config.json").or_else(|| at("HOME", ".docker/config.json"));
        let (mut all, mut problems) = (Self::none(), Vec::new());
        let was_named = named.is_some();
        for (nth, path) in named.into_iter().chain([runtime, own, docker].into_iter().flatten()).enumerate() {
            match all.add_file(&path) {
                // The user wants that one, and would be asked for as nobody.
                Ok(false) if was_named && nth == 0 => problems.push(refused(&path, "there is no such file".to_owned())),
                Ok(_) => {}
                Err(error) => problems.push(error),
            }
        }
        (all, problems)
    }

    /// Adds a file in the form of Docker's `config.json`; it counts less than those before it. Whether it is there.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    pub fn add_file(&mut self, path: &Path) -> Result<bool, RegistryError> {
        let Some(bytes) = own_file(path)?.map(Zeroizing::new) else {
            return Ok(false);
        };
        // The words of the parser may quote what stands there.
        let odd = |e: serde_json::Error| refused(path, format!("not the JSON that it should be, at line {}", e.line()));
        self.files.push(serde_json::from_slice(&bytes).map_err(odd)?);
        Ok(true)
    }

    /// Adds the content of the file that `--registry-token-file` names, or of the environment variable: per line
    /// `HOST[/NAMESPACE] SECRET`, or a secret alone, which is for `alone`: the only registry that is asked, where the user typed it
    /// himself. A secret is `user:password` or a token.
    ///
    /// # Errors
    /// Where a secret is for nobody.
    pub fn give(&mut self, text: &Secret, alone: Option<&Host>) -> Result<(), RegistryError> {
        let lines = text.text().lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        for line in lines {
            let (whom, secret) = match line.split_once([' ', '\t']) {
                Some((whom, secret)) => (whom.to_ascii_lowercase(), secret),
                None => (alone.ok_or(RegistryError::WhoseToken)?.as_str().to_owned(), line),
            };
            let host = whom.split('/').next().and_then(Host::parse);
            match (host, Login::parse(secret)) {
                (Some(_), Some(login)) => self.given.push((whom, login)),
                _ => return Err(RegistryError::WhoseToken),
            }
        }
        Ok(())
    }

    /// For a repository of a registry; for the registry where that is empty.
    pub(super) fn find(&self, host: &Host, repository: &str) -> Known {
        let wanted = format!("{host}/{repository}");
        let fits = |key: &str| {
            let key = key.trim_end_matches('/');
            let below = wanted.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            below.then_some(key.len())
        };
        let mut given: Vec<_> = self.given.iter().filter_map(|(key, login)| Some((fits(key)?, login))).collect();
        given.sort_by_key(|(length, _)| *length);
        if let Some((_, login)) = given.pop() {
            return Known::Login(login.clone());
        }
        let found = self.files.iter().map(|file| file.find(host, &fits));
        found.into_iter().find(|known| *known != Known::Nothing).unwrap_or_default()
    }
}

fn refused(path: &Path, why: String) -> RegistryError {
    RegistryError::File { file: escape_short(path.as_os_str().as_encoded_bytes(), 200), why }
}

impl ConfigFile {
    fn find(&self, host: &Host, fits: &dyn Fn(&str) -> Option<usize>) -> Known {
        let helper = self.helpers.iter().find(|(key, _)| names(key, host)).map(|(_, helper)| helper);
        let mut entries: Vec<_> = self.auths.iter().filter_map(|(key, e)| Some((rank(key, host, fits)?, e))).collect();
        entries.sort_by_key(|(rank, _)| *rank);
        let best = entries.pop();
        if let Some(login) = best.and_then(|(_, entry)| entry.login()) {
            return Known::Login(login);
        }
        // Docker leaves an empty entry for what its store holds.
        let stored = best.is_some().then_some(&self.store).filter(|s| !s.is_empty());
        helper.or(stored).map_or(Known::Nothing, |helper| Known::Helper(escape_short(helper.as_bytes(), 60)))
    }
}

/// Whether a key is that of the whole registry: `registry.example`, `https://registry.example/v1/`.
fn names(key: &str, host: &Host) -> bool {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let bare = bare.split('/').next().unwrap_or(bare);
    let is_bare = bare.len() == key.len() || key.contains("://");
    let default = |name: &str| DEFAULT_KEYS.contains(&name);
    is_bare && (bare.eq_ignore_ascii_case(host.as_str()) || default(bare) && default(host.as_str()))
}

/// How closely a key fits: the longer, the closer.
fn rank(key: &str, host: &Host, fits: &dyn Fn(&str) -> Option<usize>) -> Option<usize> {
    if key.contains("://") {
        names(key, host).then_some(0)
    } else {
        fits(key).or_else(|| names(key, host).then_some(1))
    }
}

impl Entry {
    fn login(&self) -> Option<Login> {
        let some = |secret: &Option<Secret>| secret.clone().filter(|s| !s.text().is_empty());
        if let Some(token) = some(&self.token) {
            return Some(Login::Token(token));
        }
        if let Some(identity) = some(&self.identity) {
            return Some(Login::Identity(identity));
        }
        if let Some(auth) = some(&self.auth) {
            let bytes = Zeroizing::new(STANDARD.decode(auth.text().trim()).ok()?);
            // Docker once padded it with NUL.
            let text = std::str::from_utf8(&bytes).ok()?.trim_end_matches('\0');
            let (user, password) = text.split_once(':')?;
            let (user, password) = (Secret::new(user.to_owned()), Secret::new(password.to_owned()));
            return Some(Login::Password { user, password });
        }
        Some(Login::Password { user: some(&self.username)?, password: some(&self.password)? })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use super::*;

    fn file(json: &str) -> Credentials {
        Credentials { given: Vec::new(), files: vec![serde_json::from_str(json).unwrap()] }
    }

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    fn password(known: &Known) -> &str {
        match known {
            Known::Login(Login::Password { password, .. }) => password.text(),
            Known::Login(Login::Token(token) | Login::Identity(token)) => token.text(),
            Known::Nothing => "-",
            Known::Helper(helper) => helper,
        }
    }

    fn entry(password: &str) -> String {
        format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(format!("alice:{password}")))
    }

    #[test]
    fn the_longest_key_that_fits_counts() {
        let all = format!(
            r#"{{"auths":{{"registry.example":{},"registry.example/team":{},"registry.example/team/app":{},"https://other.example/v1/":{},"https://index.docker.io/v1/":{}}}}}"#,
            entry("host"),
            entry("team"),
            entry("app"),
            entry("other"),
            entry("hub")
        );
        let all = file(&all);
        for (at, repository, expected) in [
            ("registry.example", "team/app", "app"),
            ("registry.example", "team/app2", "team"),
            ("registry.example", "teams/x", "host"),
            ("registry.example", "", "host"),
            ("registry.example:5000", "team/app", "-"),
            ("registry.example.evil.example", "team/app", "-"),
            ("example", "team/app", "-"),
            ("other.example", "x", "other"),
            ("docker.io", "library/nginx", "hub"),
        ] {
            assert_eq!(password(&all.find(&host(at), repository)), expected, "{at}/{repository}");
        }
        assert!(!format!("{all:?}").contains("alice") && !format!("{all:?}").contains(&STANDARD.encode("alice")[..6]));
    }

    #[test]
    fn helpers_are_named_and_what_is_written_down_counts_more() {
        let all = format!(
            r#"{{"auths":{{"a.example":{{}},"b.example":{}}},"credsStore":"desktop","credHelpers":{{"c.example":"ecr-login"}}}}"#,
            entry("plain")
        );
        let all = file(&all);
        for (at, expected) in
            [("a.example", "desktop"), ("b.example", "plain"), ("c.example", "ecr-login"), ("d.example", "-")]
        {
            assert_eq!(password(&all.find(&host(at), "x")), expected, "{at}");
        }
    }

    #[test]
    fn what_the_caller_gives_is_for_its_registry_alone() {
        let mut all = file(&format!(r#"{{"auths":{{"a.example":{}}}}}"#, entry("file")));
        let text = Secret::new("# mine\na.example/team bob:given\nB.example t0ken\n".to_owned());
        all.give(&text, None).unwrap();
        assert_eq!(password(&all.find(&host("a.example"), "team/x")), "given");
        assert_eq!(password(&all.find(&host("a.example"), "x")), "file");
        assert_eq!(password(&all.find(&host("b.example"), "x")), "t0ken");
        let alone = Secret::new("t1\n".to_owned());
        assert!(matches!(all.give(&alone, None), Err(RegistryError::WhoseToken)));
        all.give(&alone, Some(&host("c.example"))).unwrap();
        assert_eq!(password(&all.find(&host("c.example"), "x")), "t1");
        assert!(all.give(&Secret::new("a?b x:y".to_owned()), None).is_err());
    }

    #[test]
    fn files_are_found_by_the_environment_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("run/containers")).unwrap();
        std::fs::create_dir_all(at(".docker")).unwrap();
        std::fs::write(at("run/containers/auth.json"), format!(r#"{{"auths":{{"a.example":{}}}}}"#, entry("run")))
            .unwrap();
        std::fs::write(
            at(".docker/config.json"),
            format!(r#"{{"auths":{{"a.example":{0},"b.example":{0}}}}}"#, entry("docker")),
        )
        .unwrap();
        std::fs::write(at("broken"), r#"{"auths":{"a.example":{"auth":["s3cret"]}}}"#).unwrap();
        let variable = |name: &str| match name {
            "HOME" => Some(folder.path().as_os_str().to_owned()),
            "XDG_RUNTIME_DIR" => Some(at("run").into_os_string()),
            "REGISTRY_AUTH_FILE" => Some(at("broken").into_os_string()),
            _ => None,
        };
        let (all, problems) = Credentials::of_environment(&variable);
        assert_eq!(password(&all.find(&host("a.example"), "x")), "run");
        assert_eq!(password(&all.find(&host("b.example"), "x")), "docker");
        assert_eq!(problems.len(), 1);
        assert!(!format!("{problems:?} {}", problems[0]).contains("s3cret"), "{problems:?}");
        let gone = |name: &str| (name == "REGISTRY_AUTH_FILE").then(|| at("gone").into_os_string());
        let (_, problems) = Credentials::of_environment(&gone);
        assert!(problems.len() == 1 && problems[0].to_string().ends_with("there is no such file"), "{problems:?}");
        let none = |name: &str| (name == "HOME").then(|| at("gone").into_os_string());
        assert!(Credentials::of_environment(&none).1.is_empty());
    }

    #[test]
    fn odd_entries_are_no_credentials() {
        for odd in [r#"{"auth":"%%%"}"#, r#"{"auth":"YWxpY2U="}"#, r#"{"username":"a"}"#, r#"{"auth":""}"#, "{}"] {
            assert_eq!(
                file(&format!(r#"{{"auths":{{"a.example":{odd}}}}}"#)).find(&host("a.example"), "x"),
                Known::Nothing,
                "{odd}"
            );
        }
        let token = file(r#"{"auths":{"a.example":{"identitytoken":"i","auth":"YWxpY2U6"}}}"#);
        assert_eq!(token.find(&host("a.example"), ""), Known::Login(Login::Identity(Secret::new("i".to_owned()))));
    }
}
