//! Opens what a user names, and the stores of a machine that nobody names. Of layers nothing is read yet.

use std::{
    fs::File,
    os::fd::OwnedFd,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    fs::{self as sys, Mode, OFlags},
    io::Errno,
};

use super::{
    ImageError, Inputs, Limits,
    input::{Input, open_below, open_input},
    inputs::Only,
    source::{
        Archive, Layout, Root, Source,
        blob_store::BlobStore,
        containerd::Containerd,
        containers_storage,
        disk::{self, Mounts},
        disk_image, docker_store,
        found::{self, FoundStore, StoreKind},
    },
    target,
};
use crate::{
    coverage::{Gap, GapKind, IMAGE},
    fact::{Origin, TreePath},
    surface::Flaw,
    text::escape_short,
};

/// A home, and the number of the account that has it, where that is known.
pub type Home = (TreePath, Option<u32>);

/// Files and folders of one folder that are looked at.
const ARCHIVES: usize = 10_000;
/// Folders inside folders.
const DEPTH: usize = 4;

/// Opens a file or a folder: an archive, a folder in an image layout, the store of an engine or of a registry, a folder of archives.
///
/// # Errors
/// Where it cannot be opened or holds no images. Problems with what it holds are found by the plan.
pub fn open<'i>(target: &Path, limits: Limits, stop: &'i AtomicBool) -> Result<Inputs<'i>, ImageError> {
    let name = shown_name(target);
    let mut inputs = Inputs::default();
    match open_input(target)? {
        Input::Folder(folder) => {
            let layout = Layout { folder: folder.try_clone()? };
            if layout.is_image() {
                inputs.add(&name, Box::new(layout), Vec::new());
            } else if is_system(&folder) {
                return Err(ImageError::NotAnImage(
                    "the folder is the root of a system: `--root` looks for the stores in it",
                ));
            } else {
                match store_of(&folder) {
                    Ok(Some(store)) => {
                        inputs.add(&name, store, Vec::new());
                        return Ok(inputs);
                    }
                    Ok(None) => {}
                    // It may hold archives all the same.
                    Err(ImageError::Open(error)) => {
                        inputs.gap(super::sweep::gap(&name, TreePath::root(), &Flaw::Io(error)));
                    }
                    Err(error) => return Err(error),
                }
                let mut archives = Archives { limits, stop, inputs: &mut inputs, left: ARCHIVES };
                archives.folder(&name, &folder, &TreePath::root(), 0);
                if inputs.count() == 0 && !inputs.has_gaps() {
                    return Err(ImageError::NotAnImage(
                        "the folder is no image layout, no store of an engine or a registry, and holds no archives",
                    ));
                }
            }
        }
        Input::File(file, len) => match archive(file, len, limits, stop) {
            Err(_) if stop.load(Ordering::Relaxed) => {}
            Ok(_) if stop.load(Ordering::Relaxed) => {}
            Err(flaw) => inputs.unread(&name, flaw),
            Ok(archive) => of_archive(archive, &name, &mut inputs)?,
        },
    }
    Ok(inputs)
}

fn shown_name(target: &Path) -> Arc<str> {
    let name = target.file_name().unwrap_or(target.as_os_str()).as_encoded_bytes();
    escape_short(name, 120).into()
}

/// Whether a folder has the places where a machine's engines keep images.
fn is_system(folder: &OwnedFd) -> bool {
    let stores: [&[u8]; 3] = [b"var/lib/docker", b"var/lib/containers", b"var/lib/containerd"];
    stores.iter().any(|store| disk::folder(folder, store, Mounts::Enter).is_ok())
}

/// Opens a folder that is a store of one kind: `NotAnImage` where it is none.
type Opener = fn(OwnedFd) -> Result<Box<dyn Source>, ImageError>;

/// The store that a folder is; `None` where it is none.
///
/// # Errors
/// Where that cannot be found out, and it is none of those of which it can.
fn store_of<'i>(folder: &OwnedFd) -> Result<Option<Box<dyn Source + 'i>>, ImageError> {
    let openers: [Opener; 4] = [
        |folder| containers_storage::open(folder, Vec::new()),
        |folder| Ok(Box::new(Containerd::open(folder, None)?)),
        docker_store::open,
        |folder| Ok(Box::new(BlobStore::open(folder)?)),
    ];
    let mut failed = None;
    for open in openers {
        match open(folder.try_clone()?) {
            Ok(store) => return Ok(Some(store)),
            Err(ImageError::NotAnImage(_)) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), Err)
}

/// A folder of archives, and of folders that hold images; other files are left out.
struct Archives<'a, 'i> {
    limits: Limits,
    stop: &'i AtomicBool,
    inputs: &'a mut Inputs<'i>,
    /// Files and folders that are still looked at.
    left: usize,
}

impl Archives<'_, '_> {
    fn folder(&mut self, label: &Arc<str>, folder: &OwnedFd, path: &TreePath, depth: usize) {
        let gap = |flaw| super::sweep::gap(label, path.clone(), &flaw);
        let (names, more) = match disk::list(folder, self.left) {
            Ok(listed) => listed,
            Err(error) => return self.inputs.gap(gap(Flaw::Io(error.into()))),
        };
        self.left = self.left.saturating_sub(names.len());
        if more {
            self.inputs.gap(gap(Flaw::Unsupported("a folder with more than 10000 files")));
        }
        for name in names {
            let at = path.join(&name);
            let unread = |flaw| super::sweep::gap(label, at.clone(), &flaw);
            match disk::folder(folder, &name, Mounts::Refuse) {
                Ok(below) => self.below(label, &below, &at, depth),
                Err(Errno::NOTDIR | Errno::LOOP | Errno::NOENT) => match open_below(folder, &name) {
                    Ok(Some((file, len))) => self.file(label, (file, len), &name, &at),
                    // Devices, sockets, links that lead out.
                    Ok(None) => self.inputs.leave_out(label, at, "no regular file"),
                    Err(error) => self.inputs.gap(unread(Flaw::Io(error))),
                },
                Err(Errno::XDEV) => {
                    self.inputs.leave_out(label, at, "another file system is mounted there: name it itself")
                }
                Err(error) => self.inputs.gap(unread(Flaw::Io(error.into()))),
            }
        }
    }

    fn below(&mut self, label: &Arc<str>, folder: &OwnedFd, at: &TreePath, depth: usize) {
        let own: Arc<str> = escape_short(at.as_bytes(), 120).into();
        let unread = |flaw| super::sweep::gap(label, at.clone(), &flaw);
        let opened = folder.try_clone().map_err(ImageError::Open).and_then(|clone| {
            let layout = Layout { folder: clone };
            let is_image = layout.is_image();
            let image = || -> Box<dyn Source> { Box::new(layout) };
            if is_image { Ok(Some(image())) } else { store_of(folder) }
        });
        match opened {
            Ok(Some(source)) => self.inputs.add(&own, source, Vec::new()),
            Ok(None) if depth < DEPTH => self.folder(label, folder, at, depth + 1),
            Ok(None) => self.inputs.gap(unread(Flaw::Unsupported("a folder so deep in others"))),
            Err(ImageError::Open(error)) => self.inputs.gap(unread(Flaw::Io(error))),
            Err(_) => self.inputs.leave_out(label, at.clone(), "no image"),
        }
    }

    fn file(&mut self, label: &Arc<str>, (file, len): (File, u64), name: &[u8], at: &TreePath) {
        let own: Arc<str> = escape_short(at.as_bytes(), 120).into();
        let is_named = target::is_archive_name(name);
        let file = Arc::new(file);
        // A folder of a cluster holds its images by whatever name.
        if let Ok(Some(flaw)) = disk_image::of(&file) {
            return self.inputs.unread(&own, flaw);
        }
        match Archive::open(file, len, self.limits, self.stop) {
            Ok(archive) if archive.is_image() || is_named => {
                if let Err(error) = of_archive(archive, &own, self.inputs) {
                    self.inputs.leave_out(label, at.clone(), &error.to_string());
                }
            }
            Err(flaw) if is_named => self.inputs.unread(&own, flaw),
            Ok(_) | Err(_) => self.inputs.leave_out(label, at.clone(), "no image archive"),
        }
    }
}

/// Opens an archive.
///
/// # Errors
/// Where it cannot be read; of what holds a file system of another kind, which.
fn archive(file: Arc<File>, len: u64, limits: Limits, stop: &AtomicBool) -> Result<Archive<'_>, Flaw> {
    match disk_image::of(&file)? {
        Some(flaw) => Err(flaw),
        None => Archive::open(file, len, limits, stop),
    }
}

fn of_archive<'i>(mut archive: Archive<'i>, name: &Arc<str>, inputs: &mut Inputs<'i>) -> Result<(), ImageError> {
    if let Some(flaw) = archive.nothing_but() {
        inputs.unread(name, flaw);
        return Ok(());
    }
    if !archive.is_tar() {
        return Err(ImageError::NotAnImage("the file is not a tar"));
    }
    let flaws = archive.flaws();
    let folders = if archive.is_image() { Vec::new() } else { archive.folders() };
    if !folders.is_empty() {
        let mut flaws = Some(flaws);
        for folder in folders {
            inputs.add(name, Box::new(archive.within(folder)), flaws.take().unwrap_or_default());
        }
        return Ok(());
    }
    // Whoever owns a container can put a file with the name of a manifest into it: that must not hide the rest.
    if archive.holds_files() || !archive.is_image() {
        inputs.add(name, Box::new(Root::new(archive.whole())), Vec::new());
    }
    if archive.is_image() {
        inputs.add(name, Box::new(archive), flaws);
    }
    Ok(())
}

/// Opens the stores of a machine, its own and those in these homes: of all engines, or of those named, each with the images wanted.
///
/// # Errors
/// Where the root cannot be opened.
pub fn open_stores<'i>(root: &Path, homes: &[Home], named: &[target::Stored]) -> Result<Inputs<'i>, ImageError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = sys::open(root, flags, Mode::empty()).map_err(std::io::Error::from)?;
    let found = found::find(&root, homes);
    let mut inputs = Inputs { named: named.iter().map(ToString::to_string).collect(), ..Inputs::default() };
    let stores: Arc<str> = "stores".into();
    for (path, flaw) in found.flaws {
        inputs.gap(super::sweep::gap(&stores, path, &flaw));
    }
    for store in &found.stores {
        let of_store = named.iter().enumerate().filter(|(_, n)| is_of(store, n.store));
        let only: Vec<Only> =
            of_store.map(|(nth, n)| Only { nth, namespace: n.namespace.clone(), image: n.image.clone() }).collect();
        if !named.is_empty() && only.is_empty() {
            continue;
        }
        if store.kind == StoreKind::MachineDisk {
            let (origin, detail) = (Origin::file(&stores, store.path.clone()), store.note.to_owned());
            inputs.gap(Gap { origin, surface: IMAGE, kind: GapKind::Unsupported, detail });
            continue;
        }
        let name: Arc<str> = format!("{} in {}", store.note, store.path.text()).into();
        let mut beside = |path: &TreePath, flaw: &Flaw| inputs.gap(super::sweep::gap(&name, path.clone(), flaw));
        match opened(&root, store, &mut beside) {
            Ok(Some(source)) => inputs.add_some(&name, source, only),
            // A folder that an engine made and never used.
            Ok(None) => {}
            Err(flaw) => inputs.unread(&name, flaw),
        }
    }
    Ok(inputs)
}

fn is_of(store: &FoundStore, named: target::StoreKind) -> bool {
    let of_docker = || docker_root(store).is_some();
    match store.kind {
        StoreKind::Docker => named == target::StoreKind::Docker,
        StoreKind::Containerd if of_docker() => named == target::StoreKind::Docker,
        StoreKind::Containerd => named == target::StoreKind::Containerd,
        StoreKind::ContainersStorage => {
            matches!(named, target::StoreKind::Podman | target::StoreKind::CriO | target::StoreKind::Buildah)
        }
        StoreKind::MachineDisk => false,
    }
}

/// The data root of the Docker whose containerd this is.
fn docker_root(store: &FoundStore) -> Option<TreePath> {
    TreePath::new(store.path.as_bytes().strip_suffix(b"/containerd/daemon")?)
}

/// Opens a store; `None` where it is none. What it stands on and cannot be opened is reported to `beside`.
fn opened(
    root: &OwnedFd,
    store: &FoundStore,
    beside: &mut dyn FnMut(&TreePath, &Flaw),
) -> Result<Option<Box<dyn Source>>, Flaw> {
    let open = |path: &TreePath| found::open(root, path).map_err(|e| Flaw::Io(e.into()));
    let mut other = |path: &TreePath| open(path).map_err(|flaw| beside(path, &flaw)).ok();
    let folder = open(&store.path)?;
    let opened = match store.kind {
        StoreKind::Docker => docker_store::open(folder),
        StoreKind::ContainersStorage => {
            let additional = store.additional.iter().filter_map(&mut other);
            containers_storage::open(folder, additional.collect())
        }
        StoreKind::Containerd => {
            let docker = docker_root(store).and_then(|path| other(&path));
            Containerd::open(folder, docker).map(|store| -> Box<dyn Source> { Box::new(store) })
        }
        StoreKind::MachineDisk => return Ok(None),
    };
    match opened {
        Ok(source) => Ok(Some(source)),
        Err(ImageError::Open(error)) => Err(Flaw::Io(error)),
        Err(_) => Ok(None),
    }
}

/// For which platforms the images of a registry are wanted, `linux/arm64/v8`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Platforms {
    /// That of this machine.
    #[default]
    Here,
    /// This one.
    One(String),
    /// All.
    All,
}

/// How the images of a registry are wanted.
#[cfg(feature = "online")]
#[derive(Debug, Clone, Default)]
pub struct RegistryChoice {
    /// Of an image for several platforms.
    pub platforms: Platforms,
    /// Requests at a time.
    pub threads: usize,
}

/// The images of a registry that these names stand for.
///
/// # Errors
/// Where the platform is none.
#[cfg(feature = "online")]
pub fn open_registry<'r>(
    registry: &'r crate::online::registry::Registry,
    targets: &[crate::online::registry::Target],
    choice: &RegistryChoice,
) -> Result<Inputs<'r>, ImageError> {
    use super::source::registry::{Choice, Platforms as Wanted, RegistryImages};
    let platforms = match &choice.platforms {
        Platforms::Here => Some(Wanted::here()),
        Platforms::One(text) => Wanted::of(text),
        Platforms::All => Some(Wanted::All),
    };
    let platforms = platforms.ok_or(ImageError::Platform)?;
    let choice = Choice { platforms, referrers: true, threads: choice.threads };
    let mut inputs = Inputs::default();
    let name: Arc<str> = registry.host().as_str().into();
    inputs.add(&name, Box::new(RegistryImages::named(registry, targets, choice)), Vec::new());
    Ok(inputs)
}

/// Images that an engine knows, as far as no other input has them: to be added behind those. Without `export` they are gaps.
#[cfg(feature = "online")]
pub fn open_engine<'e>(
    engine: &'e crate::image::engine::Engine,
    images: &'e [crate::image::engine::EngineImage],
    export: bool,
    limits: Limits,
    stop: &'e AtomicBool,
) -> Inputs<'e> {
    let mut inputs = Inputs::default();
    let name: Arc<str> = format!("engine {}", engine.at()).into();
    for image in images {
        let source = super::source::engine::EngineExport { engine, image, export, limits, stop };
        inputs.add_some(&name, Box::new(source), Vec::new());
    }
    inputs
}
