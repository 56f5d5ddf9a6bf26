//! Who listens on a Unix socket. Connecting to one that a service manager holds for an engine starts the engine, and with it containers:
//! evidence would change, and what was stopped would run again.
//!
//! ```text
//! /proc/self/net/unix            listening sockets, with the path they were bound to and their inode
//! /proc/PID/net/unix             the same in the network of each engine that runs (rootless ones have their own)
//! /proc/PID/fd/N -> socket:[I]   which process holds inode I; others' only as root
//! /proc/PID/exe, comm, cmdline   what that process is
//! ```
//!
//! The rule, for every listening socket whose path is the one named (an old one may be behind a new one; each has to pass):
//!
//! * held by `dockerd`: it is asked, whoever else holds it. A service manager that handed it over holds it too.
//! * held by `podman` alone: it is asked. Where somebody holds it too it is not: Podman's service leaves when it is idle, and connecting
//!   could start it again.
//! * held by anybody else (the first process, systemd, a proxy, a program of somebody's own): it is not asked.
//! * held by nobody that can be seen, since processes of others are closed to this user: it is asked only where a process `dockerd` of the
//!   socket's owner runs whose command line is for this socket: `-H unix://` with this path, or the default path with `-H fd://` or none.
//! * nobody is seen to listen there: it is not asked.
//!
//! The process that was seen is kept in hand (a pidfd), so that nothing is connected to after it ended. What other users write into their
//! names and sockets can only add listeners, and by that a refusal.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::File,
    io::Read as _,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{self as sys, Dir, FileType, Mode, OFlags},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::text::escape_short;

/// Bytes of the table of sockets: a hundred thousand of them.
const TABLE: u64 = 16 << 20;
/// Processes and open files that are looked at.
const MOST: usize = 1 << 20;
/// Where Docker listens unless it is asked otherwise.
const DEFAULT: &[u8] = b"/var/run/docker.sock";

/// A process that is an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Dockerd,
    Podman,
}

/// An engine behind a socket.
#[derive(Debug)]
pub struct Listener {
    /// `dockerd` or `podman`.
    pub engine: &'static str,
    /// Its process.
    pub pid: u32,
    /// Whether it was seen to hold the socket; else its command line says so.
    pub seen: bool,
    /// `None` on kernels before 5.3.
    process: Option<OwnedFd>,
}

impl Listener {
    /// Whether the process still runs.
    pub fn is_alive(&self) -> bool {
        let Some(process) = &self.process else {
            return true;
        };
        let mut fds = [PollFd::new(process, PollFlags::IN)];
        // It can be read once the process has ended.
        matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
    }
}

/// Why a socket is not connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The path cannot be looked at.
    #[error("cannot look at `{socket}`: {why}")]
    Unreadable {
        /// As named.
        socket: String,
        /// In words.
        why: String,
    },
    /// It is something else.
    #[error("`{0}` is not a socket")]
    NotASocket(String),
    /// A socket that nobody is seen to listen on.
    #[error(
        "nobody is seen to listen on `{0}`: the engine does not run, or runs where this program cannot see it; not connected\nhint: the images and containers of an engine that does not run are read from its folder; name that"
    )]
    Nobody(String),
    /// Held for an engine that is not running.
    #[error(
        "`{socket}` is held by `{holder}` (process {pid}) for an engine that does not run: connecting would start it, and with it containers; not connected\nhint: the engine's folder is read without it; to ask the engine, start it yourself first"
    )]
    Activated {
        /// As named.
        socket: String,
        /// Program.
        holder: String,
        /// Its process.
        pid: u32,
    },
    /// An engine that leaves when it is idle, and somebody who would start it again.
    #[error(
        "`{socket}` is held by `podman` and by `{holder}` (process {pid}), which starts it again after it left; not connected\nhint: `podman system service --time=0 unix:///some/other.sock` stays, and can be named with `--engine`"
    )]
    LeavesWhenIdle {
        /// As named.
        socket: String,
        /// Program.
        holder: String,
        /// Its process.
        pid: u32,
    },
    /// Held by a program that is no engine known here.
    #[error(
        "`{socket}` is held by `{holder}` (process {pid}), which is no engine that is known here and may start one; not connected\nhint: `docker save` or `podman save` writes images to a file, which can be named"
    )]
    Unknown {
        /// As named.
        socket: String,
        /// Program.
        holder: String,
        /// Its process.
        pid: u32,
    },
    /// The engine may end, and somebody else start it again, without this program seeing it.
    #[error("the engine behind `{socket}` (process {pid}) cannot be watched: {why}; not connected")]
    NotHeld {
        /// As named.
        socket: String,
        /// Its process.
        pid: u32,
        /// In words.
        why: String,
    },
    /// Somebody listens, and this user cannot see who.
    #[error(
        "who listens on `{0}` cannot be seen by this user, and no running engine says that it does; not connected\nhint: run it as root, or as the user that the engine runs as"
    )]
    Unseen(String),
}

/// Finds who listens on a socket. `proc` is `/proc`.
///
/// # Errors
/// Where no engine is known to.
pub(super) fn find(proc: &Path, socket: &Path) -> Result<Listener, Refusal> {
    find_and_hold(proc, socket, &hold)
}

/// A process, in hand; `None` on kernels that have no such thing.
fn hold(pid: u32) -> rustix::io::Result<Option<OwnedFd>> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
    match pidfd_open(number, PidfdFlags::empty()) {
        Err(Errno::NOSYS) => Ok(None),
        held => held.map(Some),
    }
}

type Hold<'h> = dyn Fn(u32) -> rustix::io::Result<Option<OwnedFd>> + 'h;

fn find_and_hold(proc: &Path, socket: &Path, hold: &Hold<'_>) -> Result<Listener, Refusal> {
    let shown = escape_short(socket.as_os_str().as_encoded_bytes(), 200);
    let unreadable = |e: Errno| Refusal::Unreadable { socket: shown.clone(), why: e.to_string() };
    let stat = sys::stat(socket).map_err(unreadable)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Err(Refusal::NotASocket(shown));
    }
    let is_same = |path: &Path| sys::stat(path).is_ok_and(|s| (s.st_dev, s.st_ino) == (stat.st_dev, stat.st_ino));
    let processes = Processes::read(proc);
    let inodes = processes.listening(&is_same);
    if inodes.is_empty() {
        return Err(Refusal::Nobody(shown));
    }
    let (holders, hidden) = processes.holders(&inodes);
    let mut found = None;
    let speaks = |pid: &u32| processes.owner(*pid) == Some(stat.st_uid) && processes.listens(*pid, &is_same);
    for inode in &inodes {
        let held = holders.get(inode).map(Vec::as_slice).unwrap_or_default();
        let pid = match judge(held, &shown)? {
            Some(pid) => (pid, true),
            None if hidden => {
                let engine = processes.dockerds().find(speaks);
                (engine.ok_or_else(|| Refusal::Unseen(shown.clone()))?, false)
            }
            None => return Err(Refusal::Nobody(shown)),
        };
        found = found.or(Some(pid));
    }
    let (pid, seen) = found.ok_or_else(|| Refusal::Nobody(shown.clone()))?;
    let is_podman = holders.values().flatten().any(|h| h.pid == pid && h.program == Some(Program::Podman));
    let process = match hold(pid) {
        Ok(process) => process,
        Err(Errno::SRCH) => return Err(Refusal::Nobody(shown)),
        Err(e) => return Err(Refusal::NotHeld { socket: shown, pid, why: e.to_string() }),
    };
    // It could have ended, and its number be another's, before it was in hand.
    let is_still = match seen {
        true => processes.holders(&inodes).0.values().flatten().any(|h| h.pid == pid),
        false => program(&processes.name(pid)) == Some(Program::Dockerd) && speaks(&pid),
    };
    if !is_still {
        return Err(if seen { Refusal::Nobody(shown) } else { Refusal::Unseen(shown) });
    }
    Ok(Listener { engine: if is_podman { "podman" } else { "dockerd" }, pid, seen, process })
}

/// A process that holds a socket.
struct Holder {
    pid: u32,
    program: Option<Program>,
    /// As people know it.
    name: String,
}

/// The process to ask, of those that hold one socket; `None` where nobody is seen to.
fn judge(held: &[Holder], socket: &str) -> Result<Option<u32>, Refusal> {
    let pid_of = |p: Program| held.iter().find(|h| h.program == Some(p)).map(|h| h.pid);
    if let Some(pid) = pid_of(Program::Dockerd) {
        return Ok(Some(pid));
    }
    let Some(other) = held.iter().find(|h| h.program.is_none()) else {
        return Ok(pid_of(Program::Podman));
    };
    let (socket, holder, pid) = (socket.to_owned(), other.name.clone(), other.pid);
    Err(match (pid_of(Program::Podman), is_manager(other)) {
        (Some(_), _) => Refusal::LeavesWhenIdle { socket, holder, pid },
        (None, true) => Refusal::Activated { socket, holder, pid },
        (None, false) => Refusal::Unknown { socket, holder, pid },
    })
}

/// Whether a program is there to start others when somebody connects.
fn is_manager(holder: &Holder) -> bool {
    let managers =
        ["systemd", "systemd-executor", "systemd-socket-activate", "systemd-socket-", "init", "xinetd", "inetd"];
    holder.pid == 1 || managers.contains(&holder.name.as_str())
}

/// The processes of this machine.
struct Processes<'p> {
    proc: &'p Path,
    pids: Vec<u32>,
}

impl<'p> Processes<'p> {
    fn read(proc: &'p Path) -> Self {
        let mut pids: Vec<u32> = names(proc).unwrap_or_default().iter().filter_map(|n| number(n)).collect();
        pids.sort_unstable();
        Self { proc, pids }
    }

    fn path(&self, pid: u32, name: &str) -> PathBuf {
        self.proc.join(pid.to_string()).join(name)
    }

    /// By its program where that may be looked at, else by what it calls itself.
    fn name(&self, pid: u32) -> String {
        let comm = || read(&self.path(pid, "comm"), 64);
        let name = match sys::readlink(self.path(pid, "exe"), Vec::new()) {
            Ok(exe) => exe.to_bytes().rsplit(|b| *b == b'/').next().unwrap_or_default().to_vec(),
            Err(_) => comm().strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or_default(),
        };
        let name = escape_short(&name, 60);
        name.strip_suffix(" (deleted)").map(str::to_owned).unwrap_or(name)
    }

    fn dockerds(&self) -> impl Iterator<Item = u32> {
        self.pids.iter().copied().filter(|pid| program(&self.name(*pid)) == Some(Program::Dockerd))
    }

    fn owner(&self, pid: u32) -> Option<u32> {
        sys::stat(self.proc.join(pid.to_string())).ok().map(|s| s.st_uid)
    }

    /// Inodes of the listening sockets that are bound to this file.
    fn listening(&self, is_same: &dyn Fn(&Path) -> bool) -> BTreeSet<u64> {
        let mut inodes = bound(&read(&self.proc.join("self/net/unix"), TABLE), is_same);
        let engines = self.pids.iter().copied().filter(|pid| program(&self.name(*pid)).is_some());
        for pid in engines {
            // Its paths are those of its own root.
            let root = self.path(pid, "root");
            let there =
                |path: &Path| is_same(path) || path.strip_prefix("/").is_ok_and(|below| is_same(&root.join(below)));
            inodes.extend(bound(&read(&self.path(pid, "net/unix"), TABLE), &there));
        }
        inodes
    }

    /// Who holds these; and whether there are processes whose files this user may not look at.
    fn holders(&self, inodes: &BTreeSet<u64>) -> (BTreeMap<u64, Vec<Holder>>, bool) {
        let (mut holders, mut hidden) = (BTreeMap::<u64, Vec<Holder>>::new(), false);
        for pid in &self.pids {
            let folder = self.path(*pid, "fd");
            let files = match names(&folder) {
                Ok(files) => files,
                // It has ended, which makes nobody hidden.
                Err(Errno::NOENT | Errno::SRCH) => continue,
                Err(_) => {
                    hidden = true;
                    continue;
                }
            };
            let links = files.iter().filter_map(|f| sys::readlink(folder.join(OsStr::from_bytes(f)), Vec::new()).ok());
            let held: BTreeSet<u64> = links.filter_map(|link| socket_inode(link.to_bytes())).collect();
            for inode in held.intersection(inodes) {
                let name = self.name(*pid);
                holders.entry(*inode).or_default().push(Holder { pid: *pid, program: program(&name), name });
            }
        }
        (holders, hidden)
    }

    /// Whether a `dockerd` was started for this socket.
    fn listens(&self, pid: u32, is_same: &dyn Fn(&Path) -> bool) -> bool {
        hosts(&read(&self.path(pid, "cmdline"), 64 << 10)).iter().any(|host| {
            let path = host.strip_prefix(b"unix://").filter(|p| !p.is_empty());
            let path = path.or(matches!(host.as_slice(), b"fd://" | b"unix://").then_some(DEFAULT));
            path.is_some_and(|p| is_same(Path::new(OsStr::from_bytes(p))))
        })
    }
}

/// Where a `dockerd` listens, by its command line.
fn hosts(cmdline: &[u8]) -> Vec<Vec<u8>> {
    let mut words = cmdline.split(|b| *b == 0).skip(1);
    let mut hosts = Vec::new();
    while let Some(word) = words.next() {
        let host = match word {
            b"-H" | b"--host" => words.next(),
            _ => [b"--host=".as_slice(), b"-H=", b"-H"].iter().find_map(|p| word.strip_prefix(*p)),
        };
        hosts.extend(host.map(<[u8]>::to_vec));
    }
    if hosts.is_empty() {
        hosts.push(b"unix://".to_vec());
    }
    hosts
}

fn program(name: &str) -> Option<Program> {
    match name {
        // As Nix wraps it.
        "dockerd" | ".dockerd-wrapped" => Some(Program::Dockerd),
        "podman" | ".podman-wrapped" => Some(Program::Podman),
        _ => None,
    }
}

/// `Num RefCount Protocol Flags Type St Inode Path`: of those that listen, by streams, at a path.
fn bound(table: &[u8], is_same: &dyn Fn(&Path) -> bool) -> BTreeSet<u64> {
    let entry = |line: &[u8]| {
        let mut rest = line;
        // The path may hold blanks, and begins behind the one that ends the inode.
        let mut field = || {
            let (word, behind) = split_blank(rest.trim_ascii_start())?;
            rest = behind;
            Some(word)
        };
        let [_, _, _, flags, kind, _, inode] = [field()?, field()?, field()?, field()?, field()?, field()?, field()?];
        let listens = flags == b"00010000" && kind == b"0001" && rest.starts_with(b"/");
        let inode = number(inode).filter(|_| listens)?;
        is_same(Path::new(OsStr::from_bytes(rest))).then_some(inode)
    };
    table.split(|b| *b == b'\n').filter_map(entry).collect()
}

fn split_blank(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|b| *b == b' ')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Of `socket:[123]`.
fn socket_inode(link: &[u8]) -> Option<u64> {
    number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

fn number<N: FromStr>(digits: &[u8]) -> Option<N> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The names in a folder.
fn names(folder: &Path) -> rustix::io::Result<Vec<Vec<u8>>> {
    let fd = sys::open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let entries = Dir::new(fd)?.flatten().take(MOST);
    Ok(entries.map(|e| e.file_name().to_bytes().to_vec()).filter(|n| !n.starts_with(b".")).collect())
}

/// The start of a file of the kernel; what was read before an error is still true.
fn read(path: &Path, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(fd) = sys::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty()) {
        let _ = File::from(fd).take(limit).read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests;
