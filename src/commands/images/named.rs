//! What the user named, opened: files, stores of this machine, registries, lists.

#[cfg(feature = "online")]
use std::collections::BTreeMap;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};

use crate::{
    accounts::Accounts,
    cli::ImagesCommand,
    commands::{input, output},
    coverage::{Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::{
        self, Home, ImageError, Inputs, Limits,
        listing::{self, ImageUse, Listing},
        target::{self, Remote, Stored, Target},
    },
    stop::STOP,
    text::{escape, escape_short},
};

/// Bytes of `/etc/passwd`.
const PASSWD: u64 = 16 << 20;
/// Homes of one machine.
const HOMES: usize = 10_000;

/// What the user named, as data.
#[derive(Debug, Default)]
pub struct Named {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Images of stores.
    pub stored: Vec<Stored>,
    /// Images of registries.
    pub remotes: Vec<Remote>,
    /// Registries, and what is wanted below them.
    pub whole: Vec<(String, String)>,
    /// Who uses images, by the lists that were named.
    pub uses: Vec<ImageUse>,
    /// Nothing was named: the stores of the machine.
    pub all_stores: bool,
    /// Problems with lists.
    gaps: Vec<Gap>,
}

impl Named {
    /// Reads what was named; a list on standard input is read here.
    ///
    /// # Errors
    /// Where something names nothing.
    pub fn read(command: &ImagesCommand) -> anyhow::Result<Self> {
        let mut named = Self::default();
        for text in &command.targets {
            named.add(Target::parse(text, &target::exists)?)?;
        }
        named.paths.extend(command.blob_store.iter().cloned());
        named.all_stores = command.targets.is_empty() && command.blob_store.is_empty();
        Ok(named)
    }

    fn add(&mut self, target: Target) -> anyhow::Result<()> {
        match target {
            Target::Path(path) => match list_in(&path) {
                Some(listing) => self.list(listing, &escape(path.as_os_str().as_encoded_bytes())),
                None => self.paths.push(path),
            },
            Target::Stored(stored) => self.stored.push(stored),
            Target::Remote(remote) => self.remotes.push(remote),
            Target::Whole { registry, below } => self.whole.push((registry, below)),
            Target::List => {
                let most = u64::try_from(listing::LARGEST).unwrap_or(u64::MAX);
                let bytes = input::bytes(Path::new("-"), most).context("the list on standard input")?;
                let read = listing::read(&bytes, &target::exists);
                if read.targets.is_empty() && read.uses.is_empty() && read.bad_lines.is_empty() && read.flaws.is_empty()
                {
                    bail!(
                        "the list on standard input names no image\nhint: a target a line, or what `kubectl get pods -A -o json` prints"
                    );
                }
                self.list(read, "standard input");
            }
        }
        Ok(())
    }

    fn list(&mut self, listing: Listing, name: &str) {
        let tree = name.into();
        let gap = |kind, detail: String| {
            let origin = Origin::file(&tree, TreePath::root());
            Gap { origin, surface: IMAGE, kind, detail }
        };
        self.gaps.extend(listing.flaws.iter().map(|flaw| gap(flaw.kind(), flaw.to_string())));
        for bad in &listing.bad_lines {
            let first = bad.why.to_string();
            let detail = format!("line {}: {}", bad.line, first.lines().next().unwrap_or_default());
            self.gaps.push(gap(GapKind::Malformed, detail));
        }
        self.remotes.extend(listing.remotes());
        self.uses.extend(listing.uses);
        for target in listing.targets {
            // A list in a list is refused, so that nothing here reads another one.
            match target {
                Target::Path(path) => self.paths.push(path),
                Target::Stored(stored) => self.stored.push(stored),
                Target::Remote(remote) => self.remotes.push(remote),
                Target::Whole { registry, below } => self.whole.push((registry, below)),
                Target::List => {}
            }
        }
    }

    /// The places that are read.
    pub fn places(&self, root: &Path) -> Vec<PathBuf> {
        let mut places = self.paths.clone();
        if self.all_stores || !self.stored.is_empty() {
            places.push(root.to_owned());
        }
        places
    }

    /// Whether a registry is asked.
    pub fn is_remote(&self) -> bool {
        !self.remotes.is_empty() || !self.whole.is_empty()
    }

    /// Opens the files and stores. What cannot be opened is an error where nothing else can, else a gap; `has_more` says that there
    /// are engines beside them.
    ///
    /// # Errors
    /// Where nothing of what was named can be opened.
    pub fn open<'i>(&mut self, root: &Path, limits: Limits, has_more: bool) -> anyhow::Result<Inputs<'i>> {
        let mut inputs = Inputs::default();
        std::mem::take(&mut self.gaps).into_iter().for_each(|gap| inputs.gap(gap));
        let mut refused: Vec<(PathBuf, ImageError)> = Vec::new();
        for path in &self.paths {
            match image::open(path, limits, &STOP) {
                Ok(input) => inputs.absorb(input),
                Err(error) => refused.push((path.clone(), error)),
            }
        }
        if self.all_stores || !self.stored.is_empty() {
            let shown = output::shown(root);
            let stores = image::open_stores(root, &homes(root), &self.stored);
            inputs.absorb(stores.with_context(|| format!("`{shown}` cannot be opened"))?);
            // Where something cannot be read, nobody knows whether a store is there: the report says it.
            let is_alone = inputs.count() == 0 && !inputs.has_gaps() && refused.is_empty() && !self.is_remote();
            if is_alone && let [first, ..] = self.stored.as_slice() {
                bail!(
                    "no store of {} was found below `{shown}`, so `{first}` is not there\nhint: `--root` looks below another folder; a data folder of an engine can be named itself",
                    first.store.as_str()
                );
            }
            if is_alone && self.all_stores && !has_more {
                bail!(
                    "no store of images was found below `{shown}`\nhint: name an archive, a folder, an image of a registry, the data folder of an engine, or with `--engine` one that runs"
                );
            }
        }
        if !refused.is_empty() && inputs.count() == 0 && !self.is_remote() {
            let (path, error) = refused.remove(0);
            return Err(anyhow!(error).context(format!("`{}`", output::shown(&path))));
        }
        // What the others hold is reported though one cannot be examined.
        refused.iter().for_each(|(path, error)| inputs.gap(not_examined(path, error)));
        Ok(inputs)
    }

    /// By registry, what is wanted of it.
    #[cfg(feature = "online")]
    pub fn by_registry(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for remote in &self.remotes {
            all.entry(remote.registry.clone()).or_default().push(remote.to_string());
        }
        for (registry, below) in &self.whole {
            all.entry(registry.clone()).or_default().push(format!("{registry}/{below}"));
        }
        all.values_mut().for_each(|names| {
            names.sort();
            names.dedup();
        });
        all
    }

    /// As a report names it.
    pub fn id(&self, command: &ImagesCommand) -> String {
        const SHOWN: usize = 10;
        if self.all_stores {
            let root = command.root.as_os_str().as_encoded_bytes();
            return if root == b"/" {
                "stores of this machine".to_owned()
            } else {
                format!("stores below {}", escape_short(root, 200))
            };
        }
        let named: Vec<&OsStr> = command
            .targets
            .iter()
            .map(|t| t.as_os_str())
            .chain(command.blob_store.iter().map(|p| p.as_os_str()))
            .collect();
        let shown: Vec<String> = named.iter().take(SHOWN).map(|n| escape_short(n.as_encoded_bytes(), 200)).collect();
        let more = named.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", shown.join(" "))
    }
}

/// A file that is a list of images and their users, and no archive: what `kubectl get` printed, a Compose file, values of a chart.
fn list_in(path: &Path) -> Option<Listing> {
    const START: usize = 512;
    let most = u64::try_from(listing::LARGEST).unwrap_or(u64::MAX);
    let ends = |end: &&str| path.as_os_str().as_encoded_bytes().to_ascii_lowercase().ends_with(end.as_bytes());
    if !path.is_file() || ![".json", ".yaml", ".yml"].iter().any(ends) {
        return None;
    }
    let bytes = input::bytes(path, most).ok()?;
    let is_text = !bytes.get(..START.min(bytes.len())).unwrap_or_default().contains(&0);
    let read = is_text.then(|| listing::read(&bytes, &|_| false))?;
    (!read.uses.is_empty()).then_some(read)
}

fn homes(root: &Path) -> Vec<Home> {
    let passwd = input::bytes(&root.join("etc/passwd"), PASSWD).unwrap_or_default();
    let below = walkdir::WalkDir::new(root.join("home")).min_depth(1).max_depth(1).sort_by_file_name();
    let found = below.into_iter().take(HOMES).flatten().filter(|e| e.file_type().is_dir());
    let found = found.filter_map(|e| TreePath::new(&[&b"home/"[..], e.file_name().as_encoded_bytes()].concat()));
    let accounts = Accounts::new(&passwd, found);
    accounts.homes().take(HOMES).map(|home| (home.clone(), accounts.owner_of(home))).collect()
}

/// An input that is no image, or cannot be opened, beside others that were examined.
fn not_examined(file: &Path, error: &ImageError) -> Gap {
    let kind = match error {
        ImageError::Open(_) => GapKind::Unreadable,
        ImageError::NotAnImage(_) | ImageError::Platform => GapKind::Malformed,
    };
    let tree = escape(file.as_os_str().as_encoded_bytes()).into();
    Gap { origin: Origin::file(&tree, TreePath::root()), surface: IMAGE, kind, detail: error.to_string() }
}
