//! This program's own data folder.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::{
    shown,
    writer::{self, apart},
};

/// Makes the folder of a file of ours, and starts the thread that may write there.
///
/// # Errors
/// Where the system refuses.
#[allow(clippy::disallowed_methods)] // the user's own data folder
pub fn prepare(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder = folder(path);
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make `{}`", shown(folder)))?;
    writer::start_in(&[folder.to_owned()]);
    Ok(())
}

/// Puts bytes into this program's own data folder: written beside their place, judged there by `good`, and moved only where it
/// says so. A kill at any moment leaves the old file or the new one. Several that do so at a time wait for one another, so that
/// what `good` compared with is what is replaced; what one that was killed left lying is removed.
///
/// # Errors
/// What `good` says, or the system.
pub fn store(path: &Path, bytes: &[u8], good: impl FnOnce(&Path) -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let cannot = || format!("cannot write in `{}`", shown(folder(path)));
    let (lock, own) = (beside(path, ".lock"), path.to_owned());
    let _lock = apart(move || locked(&lock)).with_context(cannot)?;
    apart(move || {
        remove_leftovers(&own);
        Ok(())
    })?;
    let part = beside(path, &format!(".{}.part", std::process::id()));
    let write = || -> anyhow::Result<()> {
        let new = part.clone();
        let mut file = apart(move || private(&new))?;
        file.write_all(bytes)?;
        Ok(file.sync_all()?)
    };
    let done = write().with_context(cannot).and_then(|()| {
        if !good(&part)? {
            return writer::remove(&part);
        }
        writer::replace(&part, path).with_context(|| format!("cannot replace `{}`", shown(path)))
    });
    if done.is_err() {
        let _ = writer::remove(&part);
    }
    done
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[allow(clippy::disallowed_methods)] // the user's own data folder
fn private(path: &Path) -> anyhow::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    Ok(std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?)
}

pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// An exclusive lock, kept while the file is open; the system releases it when a process dies.
#[allow(clippy::disallowed_methods)] // the user's own data folder
fn locked(path: &Path) -> anyhow::Result<std::fs::File> {
    use std::{fs::TryLockError, os::unix::fs::OpenOptionsExt as _, thread::sleep, time::Duration};
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // Writing takes a second at most.
    for _ in 0..200 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(50)),
            Err(TryLockError::Error(error)) => {
                return Err(error).context("cannot lock it\nhint: set `DOSIMETER_DATA` to a folder of a local disk");
            }
        }
    }
    bail!("another update is at it\nhint: try again when it has ended")
}

/// Whoever wrote them is dead: the lock is ours.
#[allow(clippy::disallowed_methods)] // the user's own data folder
fn remove_leftovers(path: &Path) {
    let start = beside(path, ".");
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let start = name(&start);
    for entry in path.parent().and_then(|f| std::fs::read_dir(f).ok()).into_iter().flatten().flatten() {
        let path = entry.path();
        if name(&path).strip_prefix(&start).is_some_and(|rest| rest.ends_with(".part")) {
            let _ = std::fs::remove_file(path);
        }
    }
}
