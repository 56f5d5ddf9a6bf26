//! Registries that the user named.

use std::{ffi::OsString, path::Path, sync::Arc};

use anyhow::Context as _;

use super::named::Named;
use crate::{
    cli::RegistryOptions,
    coverage::{Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::{self, Inputs, Platforms, RegistryChoice},
    online::registry::{
        self, Credentials, Host, Mirrors, Options, Registry, RegistryError, Secret, TOKEN_VARIABLE, Target, Wire,
    },
    text::escape_short,
};

/// What asking takes: read before the process gives up reading.
pub struct Clients {
    wire: Arc<Wire>,
    credentials: Arc<Credentials>,
    mirrors: Mirrors,
    wanted: Vec<(Host, Vec<Target>)>,
    choice: RegistryChoice,
    /// What is not asked, and what of the settings is not followed.
    gaps: Vec<Gap>,
}

impl Clients {
    /// Reads credentials, certificates and mirrors; asks nobody.
    ///
    /// # Errors
    /// Where a file that the user named cannot be used.
    pub fn prepare(options: &RegistryOptions, named: &Named, threads: usize) -> anyhow::Result<Self> {
        let mut mirrors = Mirrors::default();
        for mirror in &options.mirror {
            mirrors.add(mirror)?;
        }
        let (mut credentials, problems) = Credentials::of_environment(&|name| std::env::var_os(name));
        let alone = named.only_typed().and_then(Host::parse);
        if let Some(secret) = of_variable(std::env::var_os(TOKEN_VARIABLE))? {
            credentials.give(&secret, alone.as_ref())?;
        }
        if let Some(path) = &options.registry_token_file {
            credentials.give(&token(path)?, alone.as_ref())?;
        }
        let mut gaps: Vec<Gap> = problems.iter().map(|error| refused("registries", error)).collect();
        gaps.extend(mirrors.notes.iter().map(|note| gap("registries", GapKind::Unsupported, note.clone())));
        let wanted = wanted(named, &mirrors, &mut gaps)?;
        let wire = Wire::new(Options {
            ca: options.ca.clone(),
            typed: wanted
                .iter()
                .map(|(host, _)| host.as_str())
                .filter(|host| named.is_typed(host))
                .chain(mirrors.servers())
                .map(str::to_owned)
                .collect(),
            plain_http: options.plain_http,
            max_bytes: options.max_bytes,
            ..Options::default()
        })?;
        wire.prepare()?;
        let platforms = match (&options.platform, options.all_platforms) {
            (_, true) => Platforms::All,
            (Some(platform), false) => Platforms::One(platform.clone()),
            (None, false) => Platforms::Here,
        };
        let choice = RegistryChoice { platforms, threads };
        Ok(Self { wire: Arc::new(wire), credentials: Arc::new(credentials), mirrors, wanted, choice, gaps })
    }

    /// The registries. One that cannot be used is a gap.
    pub fn registries(&self, gaps: &mut Vec<Gap>) -> Vec<(Registry, &[Target])> {
        gaps.extend(self.gaps.iter().cloned());
        let mut registries = Vec::new();
        for (host, targets) in &self.wanted {
            match Registry::open(host, self.wire.clone(), &self.credentials, &self.mirrors) {
                Ok(registry) => registries.push((registry, targets.as_slice())),
                Err(error) => gaps.push(refused(host.as_str(), &error)),
            }
        }
        registries
    }

    /// Their images.
    ///
    /// # Errors
    /// Where the platform is none.
    pub fn open<'r>(&self, registries: &'r [(Registry, &[Target])], inputs: &mut Inputs<'r>) -> anyhow::Result<()> {
        for (registry, targets) in registries {
            inputs.absorb(image::open_registry(registry, targets, &self.choice)?);
        }
        Ok(())
    }

    /// What was spent, for people.
    pub fn words(&self) -> String {
        let spent = self.wire.spent();
        format!("{} requests to registries, {} bytes, {} requests again", spent.requests, spent.bytes, spent.again)
    }
}

/// By registry, what is asked for. What must not be asked is a gap.
fn wanted(named: &Named, mirrors: &Mirrors, gaps: &mut Vec<Gap>) -> anyhow::Result<Vec<(Host, Vec<Target>)>> {
    let mut wanted = Vec::new();
    for (registry, names) in named.by_registry() {
        let is_typed = named.is_typed(&registry);
        let Some(host) = Host::parse(&registry) else {
            anyhow::ensure!(!is_typed, "`{registry}` is no registry");
            gaps.push(refused(&registry, &RegistryError::Reference(escape_short(registry.as_bytes(), 120))));
            continue;
        };
        if !is_typed && host.is_inside() {
            gaps.push(refused(&registry, &RegistryError::Inside(registry.clone())));
            continue;
        }
        let mut targets = Vec::new();
        for name in names {
            let target = match registry::parse(&name) {
                Ok(target) => target,
                Err(error) if is_typed => return Err(error.into()),
                Err(error) => {
                    gaps.push(refused(&registry, &error));
                    continue;
                }
            };
            let whole = match &target {
                Target::Whole { host, below } => format!("{host}/{below}"),
                Target::Image(image) => format!("{}/{}", image.host, image.repository),
            };
            if mirrors.blocks(&whole) {
                gaps.push(refused(&registry, &RegistryError::Blocked(whole)));
            } else {
                targets.push(target);
            }
        }
        if !targets.is_empty() {
            wanted.push((host, targets));
        }
    }
    Ok(wanted)
}

fn refused(host: &str, error: &RegistryError) -> Gap {
    gap(host, GapKind::Unreadable, error.line())
}

fn gap(host: &str, kind: GapKind, detail: String) -> Gap {
    Gap { origin: Origin::file(&host.into(), TreePath::root()), surface: IMAGE, kind, detail }
}

/// What the variable of the environment holds.
fn of_variable(value: Option<OsString>) -> anyhow::Result<Option<Secret>> {
    let odd = |_| anyhow::anyhow!("the value of `{TOKEN_VARIABLE}` is no UTF-8");
    value.filter(|v| !v.is_empty()).map(|v| v.into_string().map_err(odd).map(Secret::new)).transpose()
}

fn token(path: &Path) -> anyhow::Result<Secret> {
    const MOST: u64 = 1 << 20;
    let text = crate::commands::input::text(path, MOST).context("the file of `--registry-token-file`")?;
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use std::{fs, os::unix::ffi::OsStringExt as _, path::PathBuf};

    use super::*;
    use crate::image::target::Remote;

    /// Registries that were typed, and images that a list names.
    fn named(typed: &[&str], listed: &[&str]) -> Named {
        let mut named = Named::default();
        typed.iter().for_each(|registry| named.typed((*registry).to_owned(), String::new()));
        named.remotes = listed.iter().map(|image| Remote::complete(image).unwrap()).collect();
        named
    }

    fn options(token: Option<PathBuf>, mirror: Option<PathBuf>) -> RegistryOptions {
        RegistryOptions {
            platform: None,
            all_platforms: false,
            registry_token_file: token,
            ca: None,
            plain_http: false,
            max_bytes: None,
            mirror: mirror.iter().map(|path| path.to_str().unwrap().to_owned()).collect(),
        }
    }

    #[test]
    fn a_secret_that_names_nobody_goes_only_to_a_registry_that_was_typed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "s3cret").unwrap();
        let prepare = |named: &Named| Clients::prepare(&options(Some(file.clone()), None), named, 1).map(|_| ());
        for (typed, listed, fits) in [
            (&["a.example"][..], &[][..], true),
            (&["a.example"], &["a.example/x"], true),
            (&["a.example"], &["b.example/x"], false),
            (&[], &["b.example/x"], false),
            (&["a.example", "b.example"], &[], false),
        ] {
            let outcome = prepare(&named(typed, listed)).map_err(|e| e.to_string());
            assert_eq!(outcome.is_ok(), fits, "{typed:?} {listed:?} {outcome:?}");
            assert!(outcome.is_ok() || outcome.unwrap_err().starts_with("the token does not say which registry"));
        }
        fs::write(&file, "b.example s3cret").unwrap();
        prepare(&named(&["a.example"], &["b.example/x"])).unwrap();
    }

    #[test]
    fn what_must_not_be_asked_is_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("registries.conf");
        fs::write(&conf, "[[registry]]\nlocation = \"never.example\"\nblocked = true\n[[registry]]\nlocation = \"a.example\"\n[[registry.mirror]]\nlocation = \"m.example\"\ninsecure = true\n").unwrap();
        let named = named(
            &["localhost:5000", "never.example"],
            &["localhost:5001/x", "169.254.169.254/x", "a.example/x", "never.example/y"],
        );
        let clients = Clients::prepare(&options(None, Some(conf)), &named, 1).unwrap();
        let hosts: Vec<&str> = clients.wanted.iter().map(|(host, _)| host.as_str()).collect();
        assert_eq!(hosts, ["a.example", "localhost:5000"]);
        let said: Vec<&str> = clients.gaps.iter().map(|gap| gap.detail.as_str()).collect();
        for is in [
            "`169.254.169.254` is not asked: only a list names it",
            "`localhost:5001` is not asked: only a list names it",
            "`never.example/` is not asked: a file of `--mirror` says that it is `blocked`",
            "`never.example/y` is not asked: a file",
            "mirror `m.example`: `insecure` is not followed",
        ] {
            assert!(said.iter().any(|said| said.starts_with(is)), "{is}: {said:?}");
        }
    }

    #[test]
    fn a_variable_that_is_no_text_is_refused() {
        assert!(of_variable(None).unwrap().is_none() && of_variable(Some(OsString::new())).unwrap().is_none());
        assert!(of_variable(Some("t0ken".into())).unwrap().is_some());
        let error = of_variable(Some(OsString::from_vec(b"s3\xff".to_vec()))).unwrap_err().to_string();
        assert_eq!(error, "the value of `DOSIMETER_REGISTRY_TOKEN` is no UTF-8");
    }
}
