//! The thread that creates, renames and removes the files that the user named. It alone may do so, in the folders of these files
//! alone; what reads the target writes into a file that it was handed, and can open none itself.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        mpsc::{Sender, channel},
    },
};

use anyhow::Context as _;
use rustix::{
    fs::{self as sys, AtFlags, Dir, FileType},
    io::Errno,
    process::Pid,
};

use super::{
    place::{Kind, Place},
    store::beside,
};
use crate::{
    sandbox,
    stop::{self, Watched},
};

/// A report is written as it is made: of thousands of findings it takes hundreds of megabytes.
pub(super) const BUFFER: usize = 1 << 16;

type Job = Box<dyn FnOnce() + Send>;

static WRITER: OnceLock<Sender<Job>> = OnceLock::new();

/// Starts it for these places, and whole folders, before the rest of the process gives up writing. Without any it is not needed.
pub fn start<'p>(places: impl Iterator<Item = &'p Place>, whole: &[PathBuf]) {
    let (mut folders, mut files) = (whole.to_vec(), Vec::new());
    for place in places {
        match place.kind() {
            Kind::File => folders.extend(place.real().and_then(Path::parent).map(Path::to_owned)),
            Kind::Through => files.extend(place.real().map(Path::to_owned)),
            Kind::Stream(_) => {}
        }
    }
    if !(folders.is_empty() && files.is_empty()) {
        run(folders, files);
    }
}

/// Starts it for whole folders.
pub fn start_in(folders: &[PathBuf]) {
    run(folders.to_vec(), Vec::new());
}

fn run(folders: Vec<PathBuf>, files: Vec<PathBuf>) {
    if sandbox::is_off() {
        return;
    }
    let ((jobs, waiting), (begun, ready)) = (channel::<Job>(), channel());
    let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
        sandbox::enclose_writer(&folders, &files);
        let _ = begun.send(());
        waiting.into_iter().for_each(|job| job());
    });
    if thread.is_ok() && ready.recv().is_ok() {
        let _ = WRITER.set(jobs);
    } else {
        // The report is worth more than the lock: no thread is available, so this one must be able to write.
        sandbox::switch_off();
    }
}

/// Runs a job there and waits for it; here, where there is no such thread.
pub(super) fn apart<T: Send + 'static>(job: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    let Some(jobs) = WRITER.get() else {
        return job();
    };
    let (answer, answered) = channel();
    let sent = jobs.send(Box::new(move || {
        let _ = answer.send(job());
    }));
    sent.ok().context("the thread that writes has ended")?;
    answered.recv().context("the thread that writes has ended")?
}

/// Whole or not at all: into a new file beside it, then renamed. A pipe or device is written through.
pub(super) fn write(place: &Place, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let all = |file: File| -> io::Result<File> {
        let mut out = BufWriter::with_capacity(BUFFER, file);
        render(&mut Watched(&mut out))?;
        Ok(out.into_inner()?)
    };
    let path = match (place.kind(), place.real()) {
        (Kind::File, Some(path)) => path.to_owned(),
        _ => {
            let place = place.clone();
            return Ok(all(apart(move || Ok(place.open()?))?).map(drop)?);
        }
    };
    let part = beside(&path, &format!(".{}.part", std::process::id()));
    let new = part.clone();
    let file = apart(move || create(&new))?;
    let written = all(file).and_then(|file| file.sync_all()).map_err(anyhow::Error::new);
    // Whoever wishes to end now shall find it in the report, and nothing where no report is written.
    let written = written.and_then(|()| if stop::unheeded() { Err(stop::ended().into()) } else { Ok(()) });
    let written = written.and_then(|()| replace(&part, &path));
    if written.is_err() {
        let _ = remove(&part);
    }
    written
}

/// A file that is written while the rest of the run goes on: whole or not at all.
pub struct Growing {
    /// What is written into.
    pub file: File,
    /// The file beside it, and the name that it gets.
    moves: Option<(PathBuf, PathBuf)>,
}

impl Growing {
    /// A new file beside the one of this place; the place itself, where that is a pipe or a device.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn begin(place: &Place) -> anyhow::Result<Self> {
        let (Kind::File, Some(path)) = (place.kind(), place.real()) else {
            let place = place.clone();
            return Ok(Self { file: apart(move || Ok(place.open()?))?, moves: None });
        };
        let part = beside(path, &format!(".{}.part", std::process::id()));
        let new = part.clone();
        Ok(Self { file: apart(move || create(&new))?, moves: Some((part, path.to_owned())) })
    }

    /// Gives it its name, or takes it away where it is not whole.
    ///
    /// # Errors
    /// Where either fails, or what `written` says.
    pub fn end(mut self, written: io::Result<()>) -> anyhow::Result<()> {
        let Some((part, path)) = self.moves.take() else {
            return Ok(written?);
        };
        let done = written.and_then(|()| self.file.sync_all()).map_err(anyhow::Error::new);
        let done = done.and_then(|()| replace(&part, &path));
        if done.is_err() {
            let _ = remove(&part);
        }
        done
    }
}

impl Drop for Growing {
    /// Of a run that ends before it is whole nothing is left.
    fn drop(&mut self) {
        if let Some((part, _)) = self.moves.take() {
            let _ = remove(&part);
        }
    }
}

/// A file that somebody reads while it is written, emptied; the place itself, where that is a pipe or a device.
///
/// # Errors
/// Where it cannot be opened.
pub fn open_now(place: &Place) -> anyhow::Result<File> {
    let (Kind::File, Some(path)) = (place.kind(), place.real()) else {
        let place = place.clone();
        return apart(move || Ok(place.open()?));
    };
    let path = path.to_owned();
    apart(move || empty(&path))
}

#[allow(clippy::disallowed_methods)] // the user named this file
fn empty(path: &Path) -> anyhow::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    Ok(File::options().write(true).create(true).truncate(true).custom_flags(flags).open(path)?)
}

/// Makes a folder for the user alone, and those above it, where there is none.
///
/// # Errors
/// Where it cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Puts a file of this name into a folder of the user's, whole or not at all. Whether it reached the disk nobody waits for.
///
/// # Errors
/// Where it cannot be written.
pub fn put_in(folder: &Path, name: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
    let (part, path) = (folder.join(format!(".{name}.{}.part", std::process::id())), folder.join(name));
    apart(move || {
        // What a run of this number left that was ended by force.
        let _ = remove_here(&part);
        create(&part)?.write_all(&bytes)?;
        rename_here(&part, &path)
    })
}

/// How long the file of another run is left alone, in seconds: where several machines share a folder, nobody here knows whether the
/// run still lives. It is renamed as soon as it is written.
const LEFT_ALONE: i64 = 3600;
/// Names of a folder that are looked at.
const NAMES: usize = 1_000_000;

/// Removes what runs that were ended by force left in a folder of layers. What cannot be removed stays.
pub fn remove_left(folder: &OwnedFd) {
    let now = jiff::Timestamp::now().as_second();
    let Ok(listing) = Dir::read_from(folder) else { return };
    for entry in listing.take(NAMES).map_while(Result::ok) {
        let name = entry.file_name();
        let Some(pid) = run_of(name.to_bytes()).filter(|pid| is_gone(*pid)) else { continue };
        let Ok(stat) = sys::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let is_ours = stat.st_uid == rustix::process::geteuid().as_raw()
            && FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if is_ours && pid != rustix::process::getpid() && stat.st_mtime < now.saturating_sub(LEFT_ALONE) {
            let _ = sys::unlinkat(folder, name, AtFlags::empty());
        }
    }
}

/// The process that wrote a file of this name, which is that of a layer that was not renamed.
fn run_of(name: &[u8]) -> Option<Pid> {
    let name = std::str::from_utf8(name).ok()?;
    let (entry, pid) = name.strip_prefix('.')?.strip_suffix(".part")?.rsplit_once('.')?;
    let is_ours = entry.starts_with("sha256-") && entry.ends_with(".layer") && pid.bytes().all(|b| b.is_ascii_digit());
    Pid::from_raw(pid.parse().ok().filter(|_| is_ours)?)
}

/// Whether no process has this number.
fn is_gone(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid) == Err(Errno::SRCH)
}

#[allow(clippy::disallowed_methods)] // a file of ours, in the folder that the user named
fn remove_here(part: &Path) -> io::Result<()> {
    std::fs::remove_file(part)
}

#[allow(clippy::disallowed_methods)] // a file of ours, in the folder that the user named
fn rename_here(part: &Path, path: &Path) -> anyhow::Result<()> {
    Ok(std::fs::rename(part, path)?)
}

#[allow(clippy::disallowed_methods)] // the user named this file
fn create(path: &Path) -> anyhow::Result<File> {
    use anyhow::Context as _;
    match File::create_new(path) {
        // A run of this number left it that was ended by force: in a container that starts again every run has the same.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_file = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
            anyhow::ensure!(is_file, "`{}` is in the way", super::shown(path));
            std::fs::remove_file(path)?;
            File::create_new(path).with_context(|| format!("`{}`", super::shown(path)))
        }
        made => made.with_context(|| format!("`{}`", super::shown(path))),
    }
}

/// Moves a file over another. The move itself is on the disk only with its folder.
#[allow(clippy::disallowed_methods)] // the user named this file
pub(super) fn replace(part: &Path, path: &Path) -> anyhow::Result<()> {
    let (part, path) = (part.to_owned(), path.to_owned());
    apart(move || {
        std::fs::rename(&part, &path)?;
        // A folder that may be written and not read cannot be waited for.
        if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    })
}

/// Removes a file of ours.
#[allow(clippy::disallowed_methods)] // the user named the file beside it
pub(super) fn remove(part: &Path) -> anyhow::Result<()> {
    let part = part.to_owned();
    apart(move || Ok(std::fs::remove_file(part)?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests make their own inputs")]

    use std::{fs, os::unix::fs::symlink, time::SystemTime};

    use super::*;

    #[test]
    fn what_runs_that_were_ended_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - std::time::Duration::from_secs(7200);
        // No process has so large a number.
        let (gone, here) = (i32::MAX, std::process::id());
        let put = |name: &str, is_old: bool| {
            let file = File::create(folder.path().join(name)).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
        };
        let left = [format!(".sha256-a.layer.{gone}.part"), format!(".sha256-b.x.layer.{gone}.part")];
        left.iter().for_each(|name| put(name, true));
        let new = format!(".sha256-new.layer.{gone}.part");
        put(&new, false);
        let mut others = vec![format!(".sha256-own.layer.{here}.part"), ".sha256-init.layer.1.part".to_owned()];
        for odd in ["0", "-5", "+5", "99999999999", "", "5 "] {
            others.push(format!(".sha256-a.layer.{odd}.part"));
        }
        for odd in ["sha256-a.layer.N.part", ".x.N.part", "..N.part", ".sha256-a.layer.N.part~", ".sha256-a.layer.N"] {
            others.push(odd.replace('N', &gone.to_string()));
        }
        others.iter().for_each(|name| put(name, true));
        let dir = format!(".sha256-folder.layer.{gone}.part");
        fs::create_dir(folder.path().join(&dir)).unwrap();
        let link = format!(".sha256-link.layer.{gone}.part");
        symlink("a.layer", folder.path().join(&link)).unwrap();
        remove_left(&File::open(folder.path()).unwrap().into());
        let is_there = |name: &String| folder.path().join(name).symlink_metadata().is_ok();
        assert!(!left.iter().any(is_there));
        assert!(others.iter().chain([&new, &dir, &link]).all(is_there));
    }
}
