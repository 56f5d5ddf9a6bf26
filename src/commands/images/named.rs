//! What the user named, opened: files, stores of this machine, registries, lists.

#[cfg(feature = "online")]
use std::collections::BTreeMap;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use rustix::fs::{self as sys, Mode, OFlags};

use crate::{
    accounts::Accounts,
    cli::ImagesCommand,
    commands::{input, output},
    coverage::{Exclusion, Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    image::{
        self, Disk, Home, ImageError, Inputs, Limits,
        listing::{self, Form, ImageUse, Listing},
        target::{self, Remote, Stored, Target},
    },
    scan,
    stop::STOP,
    surface::Flaw,
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
    /// What lists name and leave out.
    pub exclusions: Vec<Exclusion>,
    /// Problems with lists, and with what says who lives on the machine.
    gaps: Vec<Gap>,
    /// The registries among those that the user typed himself: no list did.
    typed: BTreeSet<String>,
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
        if named.all_stores || !named.stored.is_empty() {
            named.gaps.extend(read_homes(&command.root).1);
        }
        Ok(named)
    }

    fn add(&mut self, target: Target) -> anyhow::Result<()> {
        match target {
            Target::Path(path) => match list_in(&path) {
                Some(listing) => self.list(listing, &escape(path.as_os_str().as_encoded_bytes())),
                None => self.paths.push(path),
            },
            Target::Stored(stored) => self.stored.push(stored),
            Target::Remote(remote) => {
                self.typed.insert(remote.registry.clone());
                self.remotes.push(remote);
            }
            Target::Whole { registry, below } => self.typed(registry, below),
            Target::List => {
                let most = u64::try_from(listing::LARGEST).unwrap_or(u64::MAX);
                let bytes = input::bytes(Path::new("-"), most).context("the list on standard input")?;
                let read = listing::read(&bytes, &target::exists);
                if read.targets.is_empty() && read.bad_lines.is_empty() && says_nothing(&read) {
                    bail!(
                        "the list on standard input names no image\nhint: a target a line, or what `kubectl get pods -A -o json` prints"
                    );
                }
                self.list(read, "standard input");
            }
        }
        Ok(())
    }

    /// All of a registry, or what is below, as the user typed it.
    pub(super) fn typed(&mut self, registry: String, below: String) {
        self.typed.insert(registry.clone());
        self.whole.push((registry, below));
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
        for image in listing.uses.iter().filter(|image| image.remote().is_none()) {
            let image = escape_short(image.image.as_bytes(), 120);
            let detail = format!("`{image}` is no name that a registry could be asked for");
            self.gaps.push(gap(GapKind::Malformed, detail));
        }
        for left in &listing.left_out {
            let reason = format!("{}: {}", left.place, left.reason);
            if left.is_gap {
                self.gaps.push(gap(GapKind::Malformed, reason));
            } else {
                self.exclusions.push(Exclusion { origin: Origin::file(&tree, TreePath::root()), reason });
            }
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
                output::note(&format!(
                    "no store of images was found below `{shown}`\nhint: name an archive, a folder, an image of a registry, the data folder of an engine, or with `--engine` one that runs"
                ));
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

    /// Whether the user typed this registry himself.
    #[cfg(feature = "online")]
    pub fn is_typed(&self, registry: &str) -> bool {
        self.typed.contains(registry)
    }

    /// The registry, where there is one and the user typed it.
    #[cfg(feature = "online")]
    pub fn only_typed(&self) -> Option<&str> {
        let only = self.typed.first().filter(|_| self.typed.len() == 1)?;
        let mut all = self.remotes.iter().map(|r| &r.registry).chain(self.whole.iter().map(|(registry, _)| registry));
        all.all(|registry| registry == only).then_some(only.as_str())
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

    /// What the machine says of itself whose stores are examined.
    pub fn machine(&self, root: &Path) -> scan::Disk {
        match (self.all_stores, root == Path::new("/")) {
            (false, _) => scan::Disk::default(),
            (true, true) => scan::Disk { name: Some(output::host_name()), installation: None },
            (true, false) => scan::disk(&scan::Target::Root(root.to_owned())),
        }
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

/// Whether a file is called as lists of images and their users are.
pub(super) fn may_be_list(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes().to_ascii_lowercase();
    [".json", ".yaml", ".yml"].iter().any(|end| name.ends_with(end.as_bytes()))
}

/// A file that is a list of images and their users, and no archive: what `kubectl get` printed, a Compose file, values of a chart.
fn list_in(path: &Path) -> Option<Listing> {
    const START: usize = 512;
    let most = u64::try_from(listing::LARGEST).unwrap_or(u64::MAX);
    if !path.is_file() || !may_be_list(path) {
        return None;
    }
    let bytes = input::bytes(path, most).ok()?;
    let is_text = !bytes.get(..START.min(bytes.len())).unwrap_or_default().contains(&0);
    let read = is_text.then(|| listing::read(&bytes, &|_| false))?;
    (read.form != Form::Targets && !says_nothing(&read)).then_some(read)
}

fn says_nothing(listing: &Listing) -> bool {
    listing.uses.is_empty() && listing.left_out.is_empty() && listing.flaws.is_empty()
}

fn homes(root: &Path) -> Vec<Home> {
    read_homes(root).0
}

/// Where accounts live on a machine, and what could not be read of that.
fn read_homes(root: &Path) -> (Vec<Home>, Vec<Gap>) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Whoever opens the stores says it.
    let Ok(root) = sys::open(root, flags, Mode::empty()) else { return Default::default() };
    let (disk, mut gaps) = (Disk::new(root), Vec::new());
    let stores = "stores".into();
    let mut gap = |path: &str, flaw: &Flaw| {
        let origin = Origin::file(&stores, TreePath::new(path.as_bytes()).unwrap_or_else(TreePath::root));
        gaps.push(Gap { origin, surface: IMAGE, kind: flaw.kind(), detail: flaw.to_string() });
    };
    let passwd = disk.small(b"etc/passwd", PASSWD).unwrap_or_else(|flaw| {
        gap("etc/passwd", &flaw);
        None
    });
    // A link on some systems, to `var/home`; what it leads to is below this root whatever is written there.
    let home = disk.link(b"home").and_then(|target| TreePath::root().resolve(&target));
    let home = home.or_else(|| TreePath::new(b"home")).unwrap_or_else(TreePath::root);
    let (names, more) = disk.folders(home.as_bytes()).unwrap_or_else(|flaw| {
        gap("home", &flaw);
        Default::default()
    });
    if more || names.len() > HOMES {
        gap("home", &Flaw::Unsupported("a machine of more than 10000 homes"));
    }
    let found = names.iter().take(HOMES).map(|name| home.join(name));
    let accounts = Accounts::new(&passwd.unwrap_or_default(), found);
    (accounts.homes().take(HOMES).map(|home| (home.clone(), accounts.owner_of(home))).collect(), gaps)
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

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use std::fs;

    use rustix::fs::{CWD, FileType};

    use super::*;

    fn listed(name: &str, text: &str) -> Option<Named> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let mut named = Named::default();
        named.list(list_in(&path)?, name);
        Some(named)
    }

    #[test]
    fn nothing_of_a_list_is_dropped() {
        let long = "x".repeat(2000);
        let text = format!(
            "services:\n  a: {{image: registry.example/a}}\n  b: {{build: .}}\n  c: {{image: \"b\\e[2J d\"}}\n  d: {{image: [x]}}\n  e: {{image: {long}}}\n"
        );
        let named = listed("compose.yaml", &text).unwrap();
        assert_eq!(named.remotes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["registry.example/a:latest"]);
        let left: Vec<&str> = named.exclusions.iter().map(|e| e.reason.as_str()).collect();
        assert!(left.len() == 1 && left[0].starts_with("service b: it is built"), "{left:?}");
        let gaps: Vec<&str> = named.gaps.iter().map(|g| g.detail.as_str()).collect();
        assert_eq!(gaps.len(), 3, "{gaps:?}");
        assert!(gaps.contains(&"`b\\u{1b}[2J d` is no name that a registry could be asked for"), "{gaps:?}");
        assert!(gaps.contains(&"service d: the name of its image is too long, or is none"), "{gaps:?}");
        assert!(named.gaps.iter().all(|gap| gap.kind == GapKind::Malformed && gap.detail.len() < 300));
        let pod = format!(
            r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"a","image":"{long}"}},{{"name":"b"}}]}}}}"#
        );
        let named = listed("pods.json", &pod).unwrap();
        assert_eq!((named.gaps.len(), named.exclusions.len(), named.uses.len()), (1, 1, 0));
        assert!(named.gaps[0].detail.starts_with("default/p, container a: "), "{}", named.gaps[0].detail);
    }

    #[test]
    fn a_list_that_names_no_image_is_one() {
        assert_eq!(listed("compose.yml", "services: {a: {build: .}}").unwrap().exclusions.len(), 1);
        assert_eq!(listed("values.json", r#"{"image":{"repository":"registry.example/a"}"#).unwrap().gaps.len(), 1);
        assert!(listed("other.json", r#"{"a":1}"#).is_none() && listed("x.yaml", "registry.example/a").is_none());
        assert!(listed("x.txt", "services: {a: {build: .}}").is_none());
    }

    #[test]
    fn who_lives_on_a_machine_is_read_without_waiting_or_leaving_it() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(read_homes(root.path()), (Vec::new(), Vec::new()));
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::create_dir_all(root.path().join("home/anna")).unwrap();
        fs::write(root.path().join("home/file"), "").unwrap();
        std::os::unix::fs::symlink("/", root.path().join("home/link")).unwrap();
        let homes = |path: &str| {
            let (homes, gaps) = read_homes(&root.path().join(path));
            let homes: Vec<String> = homes.iter().map(|(home, _)| home.text().into_owned()).collect();
            (homes, gaps.iter().map(|gap| gap.origin.path.text().into_owned()).collect::<Vec<_>>())
        };
        assert_eq!(homes(""), (vec!["/home/anna".to_owned()], Vec::new()));
        sys::mknodat(CWD, root.path().join("etc/passwd"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(homes(""), (vec!["/home/anna".to_owned()], vec!["/etc/passwd".to_owned()]));
        // One link is followed, below the root alone; what it leads to is none.
        fs::create_dir_all(root.path().join("linked/var/home/bert")).unwrap();
        let link = root.path().join("linked/home");
        std::os::unix::fs::symlink("../../var/home", &link).unwrap();
        assert_eq!(homes("linked"), (vec!["/var/home/bert".to_owned()], Vec::new()));
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("home", &link).unwrap();
        assert_eq!(homes("linked"), (Vec::new(), vec!["/home".to_owned()]));
    }
}
