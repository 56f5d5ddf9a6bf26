//! One examination of a tree of this machine: what to walk, in which order, with which surfaces.

mod folders;
pub mod process;
mod record;
mod settings;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

pub use settings::{Setting, settings};

use crate::{
    accounts::Accounts,
    coverage::{Coverage, Exclusion, Gap, GapKind},
    fact::{Origin, Seen, TreePath},
    interest::Interest,
    surface::Surface,
    tree::{Kind, Visit as _, body::BYTES_READ, host::Host, mounts},
    walk::{Inspector, Keep, Router},
};

/// What to examine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This machine.
    Live,
    /// A mounted disk or unpacked evidence.
    Root(PathBuf),
    /// Folders and files of this machine. The flag says that they are homes.
    Paths(Vec<PathBuf>, bool),
}

/// A target that cannot be opened: the caller's fault.
#[derive(Debug, thiserror::Error)]
#[error("cannot open `{}`: {error}", path.display())]
pub struct TargetError {
    /// As the caller wrote it.
    pub path: PathBuf,
    /// The system's reason.
    pub error: io::Error,
}

/// What a scan needs.
pub struct Scan<'s> {
    /// The surfaces to use.
    pub surfaces: Vec<&'s dyn Surface>,
    /// What they shall look for.
    pub interest: &'s Interest,
    /// Which facts to keep.
    pub keep: &'s Keep<'s>,
    /// Whether to compare every file that a `RECORD` lists.
    pub deep: bool,
    /// Worker threads.
    pub threads: usize,
    /// Set to end early.
    pub stop: &'s AtomicBool,
    /// Names met so far, for whoever shows progress.
    pub progress: &'s AtomicU64,
}

/// What a scan found.
pub struct Outcome {
    /// The facts kept.
    pub seen: Vec<Seen>,
    /// What was examined.
    pub coverage: Coverage,
    /// Who lives there.
    pub accounts: Accounts,
    /// `PRETTY_NAME` or `ID VERSION_ID` of os-release, where its form is ordinary.
    pub os: Option<String>,
    /// The label of the tree.
    pub tree: Arc<str>,
}

/// First what vanishes, then what persists; everything else follows.
const VOLATILE: &[&str] =
    &["tmp", "var/tmp", "dev/shm", "run", "etc/systemd", "etc/cron.d", "var/spool/cron", "usr/local/lib/systemd"];

/// One folder to walk, and the files or folders in it to start from.
struct Part {
    root: PathBuf,
    prefix: TreePath,
    starts: Vec<TreePath>,
    files: Vec<TreePath>,
}

impl Scan<'_> {
    /// Examines a target.
    ///
    /// # Errors
    /// Where the target itself cannot be opened; everything below it that cannot be read is a gap.
    pub fn run(&self, target: &Target) -> Result<Outcome, TargetError> {
        // Commands of a checklist name paths of this machine only for the tree called `host`.
        let tree: Arc<str> = if matches!(target, Target::Root(_)) { "root" } else { "host" }.into();
        let router = Router::new(self.surfaces.clone(), self.interest);
        let inspector = Inspector::new(&router, self.interest, self.keep, tree.clone(), None).counting(self.progress);
        let mountinfo = own_mounts();
        let (mut accounts, mut os) = (Accounts::default(), None);
        let (mut compared, mut hosts) = (Vec::new(), Vec::new());
        for part in parts(target)? {
            let host = open(&tree, &part, &mountinfo)?;
            if accounts.homes().next().is_none() {
                accounts = accounts_of(&host, target, &part);
                os = os_of(&host);
            }
            if *target == Target::Live {
                process::visit(&host, &inspector, &mountinfo);
            }
            host.visit_files(&inspector, &part.files);
            not_read(&inspector, &tree, &part);
            let starts =
                if part.starts.is_empty() && part.files.is_empty() { order(&host, &accounts) } else { part.starts };
            host.walk(&inspector, &starts, self.threads, self.stop);
            if self.deep {
                compared.push(self.compare(&host, &tree, &starts));
            }
            hosts.push(host);
        }
        let (mut seen, mut coverage) = inspector.finish();
        for (differ, gaps, files) in compared {
            let count = coverage.surfaces.entry(record::ID).or_default();
            count.files += files;
            count.facts += u64::try_from(differ.len()).unwrap_or(u64::MAX);
            seen.extend(differ);
            coverage.gaps.extend(gaps);
        }
        let here = matches!(target, Target::Paths(..));
        let accounts = accounts.with_folders(folders::above_credentials(&hosts, &seen, here));
        coverage.bytes_read = BYTES_READ.load(Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) {
            coverage.interrupted();
        }
        if !is_root() {
            leave_others_alone(&mut coverage, &accounts);
        }
        coverage.settle();
        Ok(Outcome { seen, coverage, accounts, os, tree })
    }
}

impl Scan<'_> {
    fn compare(&self, host: &Host, tree: &Arc<str>, starts: &[TreePath]) -> (Vec<Seen>, Vec<Gap>, u64) {
        let compare = record::Compare::new(host, tree.clone());
        host.walk(&compare, starts, self.threads, self.stop);
        compare.finish()
    }
}

fn open(tree: &str, part: &Part, mountinfo: &[u8]) -> Result<Host, TargetError> {
    let fail = |error| TargetError { path: part.root.clone(), error };
    Host::open(tree, &part.root, part.prefix.clone(), mounts::to_skip(mountinfo)).map_err(fail)
}

fn parts(target: &Target) -> Result<Vec<Part>, TargetError> {
    let whole =
        |root: &Path| Part { root: root.to_owned(), prefix: TreePath::root(), starts: Vec::new(), files: Vec::new() };
    match target {
        Target::Live => Ok(vec![whole(Path::new("/"))]),
        Target::Root(root) => Ok(vec![whole(root)]),
        Target::Paths(paths, _) => paths.iter().map(|p| part_of(p)).collect(),
    }
}

/// A folder is walked below itself; of a file, its folder is opened and only the file read.
fn part_of(path: &Path) -> Result<Part, TargetError> {
    use std::os::unix::ffi::OsStrExt as _;
    let fail = |error| TargetError { path: path.to_owned(), error };
    let full = absolute(path).map_err(fail)?;
    let is_dir = rustix::fs::stat(&full)
        .map(|s| rustix::fs::FileType::from_raw_mode(s.st_mode) == rustix::fs::FileType::Directory)
        .map_err(|e| fail(e.into()))?;
    let tree_path =
        |p: &Path| TreePath::new(p.as_os_str().as_bytes()).ok_or_else(|| fail(io::ErrorKind::InvalidInput.into()));
    if is_dir {
        return Ok(Part { prefix: tree_path(&full)?, root: full, starts: vec![TreePath::root()], files: Vec::new() });
    }
    let folder = full.parent().unwrap_or(Path::new("/"));
    let name = TreePath::root().join(full.file_name().map_or(b"".as_slice(), |n| n.as_bytes()));
    Ok(Part { prefix: tree_path(folder)?, root: folder.to_owned(), starts: Vec::new(), files: vec![name] })
}

/// Absolute and without `..`, by the text alone but for the working folder.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let mut full = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            std::path::Component::ParentDir => {
                full.pop();
            }
            other => full.push(other),
        }
    }
    Ok(full)
}

/// Files that the caller named and nothing reads.
fn not_read(inspector: &Inspector<'_>, tree: &Arc<str>, part: &Part) {
    let folder = inspector.folder(&part.prefix);
    for file in part.files.iter().filter(|f| !inspector.wants(&folder, f.name(), Kind::File)) {
        let archive = [&b".tar"[..], b".tgz", b".zst"].iter().any(|end| file.name().ends_with(end));
        let hint = if archive { ": `dosimeter images` examines saved images" } else { "" };
        let reason = format!("no surface reads a file of this name{hint}");
        inspector.exclude(Exclusion { origin: Origin::file(tree, part.prefix.join(file.name())), reason });
    }
}

fn accounts_of(host: &Host, target: &Target, part: &Part) -> Accounts {
    let mut homes = Vec::new();
    if let Some(home) = TreePath::new(b"home") {
        homes.extend(host.list(&home).iter().map(|name| home.join(name)));
    }
    let list = |name: &str| match target {
        // Owners of files of this machine are this machine's accounts.
        Target::Paths(..) => read_own(&format!("/etc/{name}")),
        Target::Live | Target::Root(_) => {
            let path = TreePath::new(format!("etc/{name}").as_bytes());
            path.and_then(|p| host.read(&p, 16 << 20)).unwrap_or_default()
        }
    };
    if let Target::Paths(_, true) = target {
        homes.push(part.prefix.clone());
    }
    let accounts = Accounts::new(&list("passwd"), homes).with_groups(&list("group"));
    if let Target::Paths(..) = target {
        return accounts;
    }
    // A home may be a link, or lie behind one: what is in it is met where it really is.
    let real: Vec<TreePath> = accounts.homes().filter_map(|h| host.real(h)).collect();
    accounts.with_homes(real)
}

fn os_of(host: &Host) -> Option<String> {
    let paths = ["etc/os-release", "usr/lib/os-release"];
    let text = paths.iter().find_map(|p| host.read(&TreePath::new(p.as_bytes())?, 1 << 16));
    let Some(text) = text else {
        return by_folders(host).map(str::to_owned);
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let field = |key: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='))?;
        let value = line.trim().trim_matches('"');
        let plain = value.len() <= 40 && value.chars().all(|c| c.is_ascii_alphanumeric() || "._- ".contains(c));
        plain.then(|| value.to_owned())
    };
    let id = field("ID")?;
    Some(field("VERSION_ID").map_or(id.clone(), |version| format!("{id} {version}")))
}

/// The systems that have no os-release, by folders that only they have.
fn by_folders(host: &Host) -> Option<&'static str> {
    let holds = |folder: &str, name: &str| {
        TreePath::new(folder.as_bytes())
            .is_some_and(|f| host.list(&f).iter().any(|n| n.eq_ignore_ascii_case(name.as_bytes())))
    };
    if holds("System/Library/CoreServices", "SystemVersion.plist") || (holds("System", "Library") && holds("", "Users"))
    {
        return Some("macos");
    }
    (holds("Windows", "System32") || holds("windows", "system32")).then_some("windows")
}

/// Volatile places, the start-up places of each home, then the rest.
fn order(host: &Host, accounts: &Accounts) -> Vec<TreePath> {
    let mut starts: Vec<TreePath> = VOLATILE.iter().filter_map(|p| TreePath::new(p.as_bytes())).collect();
    for home in accounts.homes() {
        starts.extend([&b".config/systemd"[..], b".config/autostart"].map(|p| home.join(p)));
    }
    starts.retain(|s| !host.list(s).is_empty());
    starts.push(TreePath::root());
    starts
}

/// Other people's homes that an ordinary user may not read are left out, and that is said once a home.
fn leave_others_alone(coverage: &mut Coverage, accounts: &Accounts) {
    let mut homes: Vec<TreePath> = accounts.homes().cloned().collect();
    homes.extend(TreePath::new(b"root"));
    let gaps = std::mem::take(&mut coverage.gaps);
    for gap in gaps {
        let denied = gap.kind == GapKind::Unreadable && gap.surface == "walk" && gap.detail == "permission denied";
        let home = homes.iter().find(|h| denied && gap.origin.path == **h);
        match home {
            Some(home) => coverage.exclusions.push(Exclusion {
                origin: Origin::file(&gap.origin.tree, home.clone()),
                reason: "another user's home: run as root to examine it".to_owned(),
            }),
            None => coverage.gaps.push(gap),
        }
    }
}

/// Whether this process may read everything.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The table of mounts.
fn own_mounts() -> Vec<u8> {
    read_own("/proc/self/mountinfo")
}

/// A file of the examiner's own system, which is not evidence; empty where it cannot be read.
#[allow(clippy::disallowed_methods)] // the machine's own tables, at fixed paths
fn read_own(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{surface::SURFACES, walk::Worth};

    #[test]
    fn an_examination_that_was_ended_is_never_complete() {
        let folder = tempfile::tempdir().unwrap();
        let (interest, progress) = (Interest::default(), AtomicU64::new(0));
        let complete = |stop: bool| {
            let stop = AtomicBool::new(stop);
            let scan = Scan {
                surfaces: SURFACES.to_vec(),
                interest: &interest,
                keep: &|_| Worth::Evidence,
                deep: false,
                threads: 1,
                stop: &stop,
                progress: &progress,
            };
            scan.run(&Target::Paths(vec![folder.path().to_owned()], false)).unwrap().coverage.complete()
        };
        assert!(complete(false));
        assert!(!complete(true));
    }
}
