#![allow(clippy::disallowed_methods)] // makes a `/proc` of its own

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
};

use super::*;

/// A `/proc` made by hand, and a socket.
struct Made {
    folder: tempfile::TempDir,
    _listener: UnixListener,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        fs::create_dir_all(folder.path().join("proc/self/net")).unwrap();
        let made = Self { folder, _listener: listener };
        made.table("", &[]);
        made
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    fn proc(&self) -> PathBuf {
        self.folder.path().join("proc")
    }

    /// The table of sockets: those of this path, by inode, and some others.
    fn table(&self, more: &str, inodes: &[u64]) {
        let path = self.socket();
        let line = |inode: &u64| {
            format!("0000000000000000: 00000002 00000000 00010000 0001 01 {inode:5} {}\n", path.display())
        };
        let lines: String = inodes.iter().map(line).collect();
        let text = format!(
            "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01     7 /run/other.sock\n0000000000000000: 00000003 00000000 00000000 0001 03  99 {}\n0000000000000000: 00000002 00000000 00010000 0001 01 98 @{}\n0000000000000000: 00000003 00000000 00000000 0001 03 97\n{lines}{more}",
            path.display(),
            path.display()
        );
        fs::write(self.proc().join("self/net/unix"), text).unwrap();
    }

    /// A process that holds these.
    fn process(&self, pid: u32, exe: &str, cmdline: &str, inodes: &[u64]) -> &Self {
        let folder = self.proc().join(pid.to_string());
        fs::create_dir_all(folder.join("fd")).unwrap();
        fs::create_dir_all(folder.join("net")).unwrap();
        fs::write(folder.join("comm"), format!("{}\n", exe.rsplit('/').next().unwrap())).unwrap();
        fs::write(folder.join("cmdline"), cmdline.replace(' ', "\0")).unwrap();
        symlink(exe, folder.join("exe")).unwrap();
        symlink("/dev/null", folder.join("fd/0")).unwrap();
        for (n, inode) in inodes.iter().enumerate() {
            symlink(format!("socket:[{inode}]"), folder.join(format!("fd/{}", n + 3))).unwrap();
        }
        self
    }

    /// A process whose files may not be looked at.
    fn closed(&self, pid: u32, comm: &str, cmdline: &str) -> &Self {
        let folder = self.proc().join(pid.to_string());
        fs::create_dir_all(&folder).unwrap();
        // Listing it fails, as it does where the system refuses.
        fs::write(folder.join("fd"), "").unwrap();
        fs::write(folder.join("comm"), format!("{comm}\n")).unwrap();
        fs::write(folder.join("cmdline"), cmdline.replace(' ', "\0")).unwrap();
        self
    }

    /// Which engine, or how the refusal begins.
    fn said(&self) -> String {
        // There is no such process.
        self.said_where(&|_| Ok(None))
    }

    fn said_where(&self, hold: &Hold<'_>) -> String {
        match find_and_hold(&self.proc(), &self.socket(), hold) {
            Ok(l) => format!("{} {}{}", l.engine, l.pid, if l.seen { "" } else { " unseen" }),
            Err(e) => {
                e.to_string().replace(&self.socket().display().to_string(), "S").lines().next().unwrap().to_owned()
            }
        }
    }
}

const PID: u32 = 4_000_001;

#[test]
fn who_holds_the_socket_decides() {
    let made = Made::new();
    assert!(made.said().starts_with("nobody is seen to listen on `S`"));
    made.table("", &[5]);
    assert!(made.said().starts_with("nobody is seen"), "a socket that nobody holds");
    made.process(1, "/usr/lib/systemd/systemd", "/sbin/init", &[5]);
    assert_eq!(
        made.said(),
        "`S` is held by `systemd` (process 1) for an engine that does not run: connecting would start it, and with it containers; not connected"
    );
    // Handed over, and held by both.
    made.process(PID, "/usr/bin/dockerd", "/usr/bin/dockerd -H fd://", &[9, 5]);
    assert_eq!(made.said(), format!("dockerd {PID}"));
}

#[test]
fn whoever_is_no_engine_is_not_asked() {
    for (pid, exe, is) in [
        (PID, "/usr/bin/systemd-socket-activate", "for an engine that does not run"),
        (PID, "/usr/bin/python3.11", "which is no engine that is known here"),
        (1, "/process_api", "for an engine that does not run"),
        (PID, "/usr/bin/dockerd-proxy", "which is no engine that is known here"),
    ] {
        let made = Made::new();
        made.table("", &[5]);
        // Another engine, for another socket, changes nothing.
        made.process(PID + 1, "/usr/bin/dockerd", "dockerd", &[7]);
        made.process(pid, exe, "x", &[5]);
        assert!(made.said().contains(is), "{exe}: {}", made.said());
    }
    let made = Made::new();
    made.table("", &[5]);
    made.process(PID, "/usr/bin/podman", "podman system service", &[5]);
    assert_eq!(made.said(), format!("podman {PID}"));
    made.process(1, "/usr/lib/systemd/systemd", "init", &[5]);
    assert!(made.said().contains("which starts it again after it left"), "{}", made.said());
    // The first process of a container may be the engine.
    let made = Made::new();
    made.table("", &[5]);
    made.process(1, "/usr/local/bin/dockerd (deleted)", "dockerd", &[5]);
    assert_eq!(made.said(), "dockerd 1");
}

#[test]
fn an_old_listener_of_the_same_path_counts_too() {
    let made = Made::new();
    made.table("", &[5, 6]);
    made.process(PID, "/usr/bin/dockerd", "dockerd", &[5]);
    made.process(1, "/usr/lib/systemd/systemd", "init", &[6]);
    assert!(made.said().contains("process 1"), "{}", made.said());
    // A line that somebody put into the name of a socket only adds one.
    let made = Made::new();
    let fake =
        format!("0: 00000002 00000000 00010000 0001 01 6 /x\n0: 1 2 00010000 0001 01 8 {}\n", made.socket().display());
    made.table(&fake, &[5]);
    made.process(PID, "/usr/bin/dockerd", "dockerd", &[8]);
    made.process(1, "/usr/lib/systemd/systemd", "init", &[5]);
    assert!(made.said().contains("process 1"), "{}", made.said());
}

#[test]
fn what_cannot_be_seen_is_asked_only_where_the_engine_says_so() {
    let socket = |made: &Made| made.socket().display().to_string();
    for (cmdline, asked) in [
        ("dockerd -H unix://S", true),
        ("dockerd -D --host=unix://S --iptables=false", true),
        ("dockerd -Hunix://S", true),
        ("dockerd -H unix:///run/other.sock", false),
        ("dockerd -H tcp://127.0.0.1:1", false),
        ("dockerd -H fd://", false),
        ("dockerd", false),
    ] {
        let made = Made::new();
        made.table("", &[5]);
        made.closed(1, "systemd", "init").closed(PID, "dockerd", &cmdline.replace('S', &socket(&made)));
        let is = if asked { format!("dockerd {PID} unseen") } else { String::new() };
        assert!(
            made.said() == is || !asked && made.said().starts_with("who listens on `S` cannot be seen"),
            "{cmdline}: {}",
            made.said()
        );
    }
    let made = Made::new();
    made.table("", &[5]);
    made.closed(PID, "podman", &format!("podman system service unix://{}", socket(&made)));
    assert!(made.said().starts_with("who listens on `S` cannot be seen by this user"));
    assert_eq!(hosts(b"dockerd"), [b"unix://".to_vec()]);
    assert_eq!(hosts(b"dockerd\0-H\0fd://\0-H\0unix:///a\0"), [b"fd://".to_vec(), b"unix:///a".to_vec()]);
    assert_eq!(hosts(b"dockerd\0-H"), [b"unix://".to_vec()]);
}

#[test]
fn who_cannot_be_held_is_not_asked() {
    let made = Made::new();
    made.table("", &[5]);
    made.process(PID, "/usr/bin/dockerd", "dockerd", &[5]);
    assert_eq!(made.said(), format!("dockerd {PID}"), "an old kernel");
    let said = made.said_where(&|_| Err(Errno::PERM));
    assert!(said.starts_with("the engine behind `S`") && said.ends_with("; not connected"), "{said}");
    assert!(made.said_where(&|_| Err(Errno::SRCH)).starts_with("nobody is seen to listen on `S`"));
    assert!(matches!(hold(u32::MAX), Err(Errno::SRCH)) && hold(std::process::id()).is_ok());
    // It ends, and another has its number, before it is in hand.
    let gone = |_| {
        fs::remove_file(made.proc().join(format!("{PID}/fd/3"))).unwrap();
        Ok(None)
    };
    assert!(made.said_where(&gone).starts_with("nobody is seen to listen on `S`"));
    let made = Made::new();
    made.table("", &[5]);
    let cmdline = format!("dockerd -H unix://{}", made.socket().display());
    made.closed(1, "systemd", "init").closed(PID, "dockerd", &cmdline);
    assert_eq!(made.said(), format!("dockerd {PID} unseen"));
    for (file, text) in [("comm", "sleep\n"), ("cmdline", "dockerd\0-H\0fd://")] {
        let another = |_| {
            fs::write(made.proc().join(format!("{PID}/{file}")), text).unwrap();
            Ok(None)
        };
        assert!(made.said_where(&another).starts_with("who listens on `S` cannot be seen"), "{file}");
        made.closed(PID, "dockerd", &cmdline);
    }
}

#[test]
fn what_is_no_socket_is_none() {
    let made = Made::new();
    let refused = |path: &Path| find(&made.proc(), path).unwrap_err().to_string();
    fs::write(made.folder.path().join("file"), "").unwrap();
    assert!(refused(&made.folder.path().join("file")).ends_with("is not a socket"));
    assert!(refused(&made.folder.path().join("none")).starts_with("cannot look at `"));
    assert!(find(Path::new("/nonexistent"), &made.socket()).is_err());
    let junk = bound(b"\n\0\n a b c d e f g h\nNum: 1 2 00010000 0001 01 x /x\n0: 1 2 00010000 0001 01 1\n", &|_| true);
    assert!(junk.is_empty());
    let blanks = bound(b"0: 1 2 00010000 0001 01     9 /a b/c\n", &|p| p == Path::new("/a b/c"));
    assert_eq!(blanks.into_iter().collect::<Vec<_>>(), [9]);
}

/// This process itself listens: no engine, and seen as such by the real `/proc`.
#[test]
#[cfg(target_os = "linux")]
fn a_listener_of_this_test_is_found_and_refused() {
    let made = Made::new();
    match find(Path::new("/proc"), &made.socket()) {
        Err(Refusal::Unknown { pid, .. }) => assert_eq!(pid, std::process::id()),
        other => panic!("{other:?}"),
    }
    // Through a link in the path too.
    let link = made.folder.path().join("link.sock");
    symlink(made.socket(), &link).unwrap();
    assert!(matches!(find(Path::new("/proc"), &link), Err(Refusal::Unknown { .. })));
}

#[test]
fn an_engine_that_ended_is_known_to_have() {
    let own = i32::try_from(std::process::id()).ok().and_then(Pid::from_raw).unwrap();
    let process = pidfd_open(own, PidfdFlags::empty()).ok();
    let alive = Listener { engine: "dockerd", pid: 1, seen: true, process };
    assert!(alive.is_alive());
}
