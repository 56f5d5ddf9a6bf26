//! One examination of a tree of this machine: what to walk, in which order, with which surfaces.

mod addresses;
mod by_hand;
mod folders;
mod folding;
mod follow;
mod hostname;
mod identity;
mod leave_out;
mod links;
pub mod process;
mod record;
mod roots;
mod settings;

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

pub use hostname::Disk;
use leave_out::LeaveOut;
pub use record::META as RECORD;
pub use settings::{Setting, Settings, settings};

use self::by_hand::{LISTED, Part, parts};
use crate::{
    accounts::{self, Accounts},
    coverage::{Coverage, Exclusion, Gap, GapKind, WALK},
    fact::{Origin, Seen, TreePath},
    interest::Interest,
    surface::Surface,
    tree::{Visit as _, body::BYTES_READ, host::Host, mounts},
    walk::{Inspector, Keep, Recording, Router, Weigh},
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

impl Target {
    /// The label of its tree. Commands of a checklist name paths of this machine only for the tree called `host`.
    pub fn tree(&self) -> &'static str {
        if matches!(self, Self::Root(_)) { "root" } else { "host" }
    }
}

/// A target that cannot be opened: the caller's fault.
#[derive(Debug, thiserror::Error)]
#[error("cannot open `{}`: {error}", crate::text::escape(path.as_os_str().as_encoded_bytes()))]
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
    /// What a file weighs that cannot be read.
    pub weigh: &'s Weigh<'s>,
    /// Whether to compare every file that a `RECORD` lists: the surface `record::META`.
    pub deep: bool,
    /// Worker threads.
    pub threads: usize,
    /// Set to end early.
    pub stop: &'s AtomicBool,
    /// Files and folders examined so far, for whoever shows progress.
    pub progress: &'s AtomicU64,
    /// Called once the processes were looked at, and before anything else is: from there on the kernel lets this thread and
    /// those that it starts read the target only.
    pub enclose: &'s dyn Fn(),
    /// Files of this machine that are no evidence: what this run will write.
    pub leave_out: Vec<PathBuf>,
    /// Who takes everything that is read, for an inventory.
    pub recording: Option<&'s Recording<'s>>,
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
    /// What a mounted disk says of its machine.
    pub disk: Disk,
    /// The label of the tree.
    pub tree: Arc<str>,
    /// The facts of files that were compared with what lists them, which are among those kept, where everything is recorded; and
    /// how many files that were.
    pub compared: (u64, Vec<Seen>),
    /// The problems of that comparison, which are among those of the coverage.
    pub compared_gaps: Vec<Gap>,
}

/// First what vanishes, then what persists; everything else follows.
const VOLATILE: &[&str] =
    &["tmp", "var/tmp", "dev/shm", "run", "etc/systemd", "etc/cron.d", "var/spool/cron", "usr/local/lib/systemd"];

/// What a mounted disk says of its machine, before it is examined; nothing, of all else.
pub fn disk(target: &Target) -> Disk {
    if !matches!(target, Target::Root(_)) {
        return Disk::default();
    }
    let first = parts(target).ok().and_then(|parts| parts.into_iter().next());
    let host = first.and_then(|part| open(&Arc::from(target.tree()), &part, &own_mounts()).ok());
    host.map(|host| Disk::of(&host)).unwrap_or_default()
}

impl Scan<'_> {
    /// Examines a target.
    ///
    /// # Errors
    /// Where the target itself cannot be opened; everything below it that cannot be read is a gap.
    pub fn run(&self, target: &Target) -> Result<Outcome, TargetError> {
        let tree: Arc<str> = target.tree().into();
        let router = Router::new(self.surfaces.clone(), self.interest);
        let inspector =
            Inspector::new(&router, self.interest, self.keep, tree.clone(), None).counting(self.progress).shelving();
        let inspector = inspector.weighing(self.weigh).recording(self.recording);
        let mountinfo = own_mounts();
        let (mut accounts, mut os, mut disk) = (Accounts::default(), None, Disk::default());
        let (mut compared, mut hosts, mut walked) = (Vec::new(), Vec::new(), Vec::new());
        let visit = LeaveOut::new(&inspector, &tree, &self.leave_out);
        if *target != Target::Live {
            (self.enclose)();
        }
        for part in parts(target)? {
            let host = open(&tree, &part, &mountinfo)?;
            let folding = folding::folders(&host, &mountinfo);
            let host = if folding.is_empty() { host } else { host.folding(folding, router.spelling(self.interest)) };
            if accounts.homes().next().is_none() {
                let gaps;
                (accounts, gaps) = accounts_of(&host, target, &part);
                gaps.into_iter().for_each(|gap| inspector.gap(gap));
                os = os_of(&host);
                disk = if matches!(target, Target::Root(_)) { Disk::of(&host) } else { Disk::default() };
            }
            if let Target::Paths(_, homes) = target {
                accounts = accounts.with_homes(given_home(&host, &part, *homes));
                accounts = accounts.with_files_by_hand(part.files.iter().map(|f| part.prefix.join(f.as_bytes())));
            }
            if *target == Target::Live {
                process::visit(&host, &inspector, &mountinfo, self.stop);
                (self.enclose)();
            }
            by_hand::read(&host, &inspector, &part, self.stop);
            let before = inspector.inspected();
            let whole = part.starts.is_empty() && part.files.is_empty();
            let starts = if whole { order(&host, &accounts) } else { part.starts.clone() };
            host.walk(&visit, &starts, self.threads, self.stop);
            if part.files.is_empty() {
                let read = inspector.inspected() > before;
                self.nothing_read(&host, &inspector, &part, read, matches!(target, Target::Paths(_, true)));
            }
            if self.deep {
                compared.push(self.compare(&host, &tree, &starts));
            }
            walked.push(!starts.is_empty());
            hosts.push(host);
        }
        self.follow(&inspector, &tree, &hosts, &walked);
        let (mut seen, mut coverage) = inspector.finish();
        let (mut recorded, mut compared_gaps) = ((0, Vec::new()), Vec::new());
        for (differ, gaps, files) in compared {
            if self.recording.is_some() {
                recorded.0 += files;
                recorded.1.extend(differ.iter().cloned());
                compared_gaps.extend(gaps.iter().cloned());
            }
            let count = coverage.surfaces.entry(record::META.id).or_default();
            count.files += files;
            count.facts += u64::try_from(differ.len()).unwrap_or(u64::MAX);
            seen.extend(differ);
            coverage.gaps.extend(gaps);
        }
        let here = matches!(target, Target::Paths(..));
        let accounts = accounts.with_folders(folders::above_credentials(&hosts, &seen, here));
        let links = links::of_commands(&hosts, &seen, &accounts);
        let own = |name: &str| match here {
            true => read_own(&format!("/{name}")),
            false => {
                let read = |host: &Host| host.read(&TreePath::new(name.as_bytes())?, TABLES);
                hosts.iter().find_map(read).unwrap_or_default().bytes
            }
        };
        let accounts = accounts.with_links(links).with_other_roots(roots::of_others(&hosts, &seen, &own));
        coverage.bytes_read = BYTES_READ.load(Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) {
            coverage.interrupted();
        }
        if !is_root() {
            exclude_unreadable_homes(&mut coverage, &accounts);
        }
        coverage.sort_and_dedup();
        Ok(Outcome { seen, coverage, accounts, os, disk, tree, compared: recorded, compared_gaps })
    }
}

impl Scan<'_> {
    fn compare(&self, host: &Host, tree: &Arc<str>, starts: &[TreePath]) -> (Vec<Seen>, Vec<Gap>, u64) {
        let compare = record::Compare::new(host, tree.clone());
        host.walk(&compare, starts, self.threads, self.stop);
        compare.finish()
    }
}

/// The places of this machine that an examination of this target reads. A file that was named is read from its folder.
pub fn reads(target: &Target) -> Vec<PathBuf> {
    parts(target).map_or_else(|_| Vec::new(), |parts| parts.into_iter().map(|p| p.root).collect())
}

fn open(tree: &str, part: &Part, mountinfo: &[u8]) -> Result<Host, TargetError> {
    let fail = |error| TargetError { path: part.root.clone(), error };
    Host::open(tree, &part.root, part.prefix.clone(), mounts::to_skip(mountinfo)).map_err(fail)
}

/// Bytes of `passwd(5)` and `group(5)` that are read.
const TABLES: u64 = 4 << 20;

/// The folder of a part, where the caller calls it a home, or it holds a shell's history as homes do.
fn given_home(host: &Host, part: &Part, home: bool) -> Option<TreePath> {
    let is_history = |name: &Vec<u8>| {
        let name = name.strip_prefix(b".").unwrap_or(name);
        name == b"histfile" || [&b"_history"[..], b"history"].iter().any(|end| name.ends_with(end))
    };
    let holds = || part.files.is_empty() && host.list(&TreePath::root(), LISTED).iter().any(is_history);
    (home || holds()).then(|| part.prefix.clone())
}

/// Folders beside the homes that are nobody's.
const SHARED_HOMES: &[&str] = &["shared", "public", "default", "default user", "all users", "guest"];

/// The homes of a Mac or of Windows, with their owners.
fn users(host: &Host) -> Vec<(TreePath, u32)> {
    let is_one = |name: &Vec<u8>| {
        let shared = SHARED_HOMES.iter().any(|shared| name.eq_ignore_ascii_case(shared.as_bytes()));
        !shared && !name.starts_with(b".")
    };
    let above = folding::drives(host).into_iter().map(|drive| drive.join(b"Users"));
    let homes = above.flat_map(|above| {
        let names = host.list(&above, accounts::MOST + 1).into_iter().filter(is_one);
        names.map(|name| above.join(&name)).collect::<Vec<_>>()
    });
    let homes = homes.filter_map(|home| host.real(&home).filter(|real| *real == home)).take(accounts::MOST + 1);
    homes.filter_map(|home| Some((home.clone(), host.access_shown(&home)?.uid))).collect()
}

/// Who lives on the target, and what of it is not known.
fn accounts_of(host: &Host, target: &Target, part: &Part) -> (Accounts, Vec<Gap>) {
    let (mut homes, mut gaps) = (Vec::new(), Vec::new());
    if let Some(home) = TreePath::new(b"home") {
        homes.extend(host.list(&home, accounts::MOST + 1).iter().map(|name| home.join(name)));
    }
    let mut list = |name: &str| match target {
        // Owners of files of this machine are this machine's accounts.
        Target::Paths(..) => read_own(&format!("/etc/{name}")),
        Target::Live | Target::Root(_) => {
            let Some(path) = TreePath::new(format!("etc/{name}").as_bytes()) else {
                return Vec::new();
            };
            let start = host.read(&path, TABLES).unwrap_or_default();
            if start.cut {
                let detail = format!("larger than {TABLES} bytes: who comes after is not known");
                gaps.push(settings::too_large(host, path, &detail));
            }
            start.bytes
        }
    };
    if let Target::Paths(_, true) = target {
        homes.push(part.prefix.clone());
    }
    let mut accounts = Accounts::new(&list("passwd"), homes).with_groups(&list("group"));
    accounts = accounts.with_users(users(host));
    accounts = accounts.with_machine_names(&list("hostname"), &list("hosts"));
    if !matches!(target, Target::Root(_)) {
        accounts = accounts
            .with_own_names(addresses::of_kernel(&read_own("/proc/net/fib_trie"), &read_own("/proc/net/if_inet6")));
    }
    if !matches!(target, Target::Paths(..)) {
        accounts = accounts.with_own_names(addresses::own(&settings::Shown { host, prefix: &part.prefix }));
        // A home may be a link, or lie behind one: what is in it is met where it really is.
        let real = |home: &TreePath| Some((home.clone(), host.real(home)?));
        let real: Vec<(TreePath, TreePath)> = accounts.homes().filter_map(real).collect();
        accounts = accounts.with_homes(real.iter().map(|(_, real)| real.clone()));
        accounts = accounts.with_links(real.into_iter().filter(|(home, real)| home != real));
    }
    if accounts.dropped() > 0 {
        let detail = format!("{} more accounts and homes than are looked at", accounts.dropped());
        gaps.push(settings::too_large(host, part.prefix.clone(), &detail));
    }
    (accounts, gaps)
}

fn os_of(host: &Host) -> Option<String> {
    let paths = ["etc/os-release", "usr/lib/os-release"];
    let text = paths.iter().find_map(|p| host.read(&TreePath::new(p.as_bytes())?, 1 << 16));
    let Some(text) = text else {
        return by_folders(host).map(str::to_owned);
    };
    let text = String::from_utf8_lossy(&text.bytes).into_owned();
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
            .is_some_and(|f| host.list(&f, LISTED).iter().any(|n| n.eq_ignore_ascii_case(name.as_bytes())))
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
    for home in accounts.homes().filter(|home| host.real(home).is_some()) {
        starts.extend([&b".config/systemd"[..], b".config/autostart"].map(|p| home.join(p)));
    }
    starts.retain(|s| !host.list(s, 1).is_empty());
    starts.push(TreePath::root());
    starts
}

/// Other people's homes that an ordinary user may not read are left out, and that is said once per home.
pub fn exclude_unreadable_homes(coverage: &mut Coverage, accounts: &Accounts) {
    let mut homes: BTreeSet<TreePath> = accounts.homes().cloned().collect();
    homes.extend(TreePath::new(b"root"));
    let gaps = std::mem::take(&mut coverage.gaps);
    for gap in gaps {
        let denied = gap.kind == GapKind::Unreadable && gap.surface == WALK && gap.detail == "permission denied";
        let home = homes.get(&gap.origin.path).filter(|_| denied);
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

/// Bytes of a table of the examiner's own system.
const OWN: u64 = 16 << 20;

/// The table of mounts.
fn own_mounts() -> Vec<u8> {
    read_own("/proc/self/mountinfo")
}

/// A file of the examiner's own system, which is not evidence; empty where it cannot be read.
#[allow(clippy::disallowed_methods)] // the machine's own tables, at fixed paths
fn read_own(path: &str) -> Vec<u8> {
    use io::Read as _;
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What was read before an error is still true.
        let _ = file.take(OWN).read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{coverage::Weight, surface::SURFACES, walk::Worth};

    #[test]
    #[allow(clippy::disallowed_methods)] // makes the evidence
    fn an_examination_that_was_ended_is_never_complete() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("requirements.txt"), "six==1.17.0\n").unwrap();
        let (interest, progress) = (Interest::default(), AtomicU64::new(0));
        let complete = |stop: bool| {
            let stop = AtomicBool::new(stop);
            let scan = Scan {
                surfaces: SURFACES.to_vec(),
                interest: &interest,
                keep: &|_| Worth::Evidence,
                weigh: &|_, _| Weight::Unknown,
                deep: false,
                threads: 1,
                stop: &stop,
                progress: &progress,
                enclose: &|| {},
                leave_out: Vec::new(),
                recording: None,
            };
            scan.run(&Target::Paths(vec![folder.path().to_owned()], false)).unwrap().coverage.complete()
        };
        assert!(complete(false));
        assert!(!complete(true));
    }
}
