//! Registries that the user named.

use std::{path::Path, sync::Arc};

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
};

/// What asking takes: read before the process gives up reading.
pub struct Clients {
    wire: Arc<Wire>,
    credentials: Arc<Credentials>,
    mirrors: Mirrors,
    wanted: Vec<(Host, Vec<Target>)>,
    choice: RegistryChoice,
    problems: Vec<RegistryError>,
}

impl Clients {
    /// Reads credentials, certificates and mirrors; asks nobody.
    ///
    /// # Errors
    /// Where a file that the user named cannot be used.
    pub fn prepare(options: &RegistryOptions, named: &Named, threads: usize) -> anyhow::Result<Self> {
        let mut wanted = Vec::new();
        for (host, names) in named.by_registry() {
            let targets = names.iter().map(|name| registry::parse(name)).collect::<Result<Vec<_>, _>>()?;
            let host = Host::parse(&host).with_context(|| format!("`{host}` is no registry"))?;
            wanted.push((host, targets));
        }
        let (mut credentials, problems) = Credentials::of_environment(&|name| std::env::var_os(name));
        let hosts: Vec<Host> = wanted.iter().map(|(host, _)| host.clone()).collect();
        if let Ok(text) = std::env::var(TOKEN_VARIABLE) {
            credentials.give(&Secret::new(text), &hosts)?;
        }
        if let Some(path) = &options.registry_token_file {
            credentials.give(&token(path)?, &hosts)?;
        }
        let mut mirrors = Mirrors::default();
        for mirror in &options.mirror {
            mirrors.add(mirror)?;
        }
        let wire = Wire::new(Options {
            ca: options.ca.clone(),
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
        Ok(Self { wire: Arc::new(wire), credentials: Arc::new(credentials), mirrors, wanted, choice, problems })
    }

    /// The registries. One that cannot be used is a gap.
    pub fn registries(&self, gaps: &mut Vec<Gap>) -> Vec<(Registry, &[Target])> {
        let gap = |host: &str, error: &RegistryError| {
            let origin = Origin::file(&host.into(), TreePath::root());
            Gap { origin, surface: IMAGE, kind: GapKind::Unreadable, detail: error.line() }
        };
        gaps.extend(self.problems.iter().map(|error| gap("registries", error)));
        let mut registries = Vec::new();
        for (host, targets) in &self.wanted {
            match Registry::open(host, self.wire.clone(), &self.credentials, &self.mirrors) {
                Ok(registry) => registries.push((registry, targets.as_slice())),
                Err(error) => gaps.push(gap(host.as_str(), &error)),
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

fn token(path: &Path) -> anyhow::Result<Secret> {
    const MOST: u64 = 1 << 20;
    let text = crate::commands::input::text(path, MOST).context("the file of `--registry-token-file`")?;
    Ok(Secret::new(text))
}
