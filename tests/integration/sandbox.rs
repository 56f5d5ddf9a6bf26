//! What the kernel refuses from inside: this test program starts itself again, locks itself as a command does, and tries.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    net::TcpStream,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use dosimeter::sandbox::{PROFILES, Sandbox, Sockets};
use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::Errno,
};

use crate::{machine::Machine, program};

/// Set for the copy that locks itself: the folder that it may read.
const INSIDE: &str = "DOSIMETER_TEST_INSIDE";

/// Starts a test again in a process of its own, where it locks itself in.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the test watches the program
fn inside(test: &str, before: &[&str], root: &Path) -> String {
    let mut line: Vec<String> = before.iter().map(|w| (*w).to_owned()).collect();
    line.push(std::env::current_exe().unwrap().to_str().unwrap().to_owned());
    line.extend(["--exact", test, "--nocapture", "--test-threads=1"].map(str::to_owned));
    let output = Command::new(&line[0]).args(&line[1..]).env(INSIDE, root).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    said
}

/// Whether this is the copy.
fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(INSIDE).expect("set for the copy"))
}

fn profile(command: &str) -> &'static dosimeter::sandbox::Profile {
    PROFILES.iter().find(|p| p.command == command).unwrap()
}

/// A folder to read, and one beside it that is not.
fn folders() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["root", "elsewhere"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("file"), name).unwrap();
    }
    folder
}

#[test]
fn the_kernel_refuses_what_is_forbidden() {
    if is_inside() {
        return tries_everything();
    }
    let (folder, log) = (folders(), tempfile::NamedTempFile::new().unwrap());
    let strace = ["strace", "-f", "-qq", "-o", log.path().to_str().unwrap()];
    let said = inside("sandbox::the_kernel_refuses_what_is_forbidden", &strace, folder.path());
    let log = fs::read_to_string(log.path()).unwrap();
    let refused = |call: &str, error: &str| {
        assert!(log.lines().any(|l| l.contains(&format!(" {call}(")) && l.contains(error)), "{call} {error}");
    };
    for call in ["socket", "unlink", "rename", "mkdir", "chmod", "openat"] {
        refused(call, "EPERM");
    }
    if said.contains("landlock: Some") {
        refused("openat", "EACCES");
        refused("openat2", "EACCES");
    }
    let elsewhere = folder.path().join("elsewhere");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(elsewhere.join("file")).unwrap(), "elsewhere");
}

#[test]
fn a_download_may_connect_and_nothing_more() {
    if is_inside() {
        return connects();
    }
    inside("sandbox::a_download_may_connect_and_nothing_more", &[], folders().path());
}

#[test]
fn who_asks_an_engine_connects_to_no_other_kind_of_socket() {
    if is_inside() {
        return connects_to_an_engine();
    }
    inside("sandbox::who_asks_an_engine_connects_to_no_other_kind_of_socket", &[], folders().path());
}

#[test]
fn the_thread_that_writes_writes_in_its_folder_only() {
    if is_inside() {
        return writes();
    }
    inside("sandbox::the_thread_that_writes_writes_in_its_folder_only", &[], folders().path());
}

#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // that is what is tried
fn tries_everything() {
    let folder = folder();
    let (root, elsewhere) = (folder.join("root"), folder.join("elsewhere"));
    let (inner, outer) = (root.join("file"), elsewhere.join("file"));
    let sandbox = Sandbox::begin(profile("scan"));
    sandbox.enclose(std::slice::from_ref(&root));
    let held = sandbox.held();
    assert!(held.seccomp && held.no_new_privs && held.memory_closed && held.no_core, "{held:?}");
    std::io::Write::write_all(&mut std::io::stdout(), format!("{held:?}\n").as_bytes()).unwrap();
    let landlock = held.landlock.is_some();

    let tries = move || {
        let refused = |what: &str, error: std::io::Result<()>| {
            assert_eq!(error.map_err(|e| e.kind()), Err(ErrorKind::PermissionDenied), "{what}");
        };
        // Programs and sockets.
        assert!(Command::new("/bin/true").status().is_err());
        let parent = rustix::process::getppid().unwrap();
        assert_eq!(rustix::process::kill_process(parent, rustix::process::Signal::CONT), Err(Errno::PERM));
        refused("connect", TcpStream::connect("127.0.0.1:9").map(drop));
        refused("bind", std::net::UdpSocket::bind("127.0.0.1:0").map(drop));
        refused("unix", std::os::unix::net::UnixStream::connect("/run/x").map(drop));
        refused("pair", std::os::unix::net::UnixStream::pair().map(drop));
        // Files, within and without.
        for file in [&inner, &outer] {
            let new = file.with_extension("new");
            refused("create", fs::write(&new, "x"));
            refused("append", fs::OpenOptions::new().append(true).open(file).map(drop));
            refused("truncate", fs::File::create(file).map(drop));
            refused("both", fs::OpenOptions::new().read(true).write(true).open(file).map(drop));
            refused("remove", fs::remove_file(file));
            refused("rename", fs::rename(file, &new));
            refused("link", fs::hard_link(file, &new));
            refused("symlink", std::os::unix::fs::symlink(file, &new));
            refused("mkdir", fs::create_dir(&new));
            refused("chmod", fs::set_permissions(file, fs::metadata(file).unwrap().permissions()));
            let times = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
            refused("times", fs::File::open(file).and_then(|f| f.set_times(times)));
        }
        // Reading.
        assert_eq!(fs::read_to_string(&inner).unwrap(), "root");
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
        assert!(fs::read("/proc/self/mountinfo").is_ok());
        if landlock {
            refused("outside", fs::read(&outer).map(drop));
            refused("listing", fs::read_dir(&elsewhere).map(drop));
            refused("a file of the system", fs::read("/etc/fstab").map(drop));
            // No filter sees the flags of this call: landlock does.
            let here = fs::File::open(&root).unwrap();
            let flags = OFlags::WRONLY | OFlags::CREATE;
            let made = rustix::fs::openat2(here.as_fd(), "new", flags, Mode::RUSR, ResolveFlags::BENEATH);
            assert_eq!(made.map(drop), Err(Errno::ACCESS));
        }
        // What a scan needs goes on working.
        let mut random = [0; 8];
        fs::File::open("/dev/urandom").unwrap().read_exact(&mut random).unwrap();
        assert!(std::thread::available_parallelism().is_ok());
        assert!(vec![1_u8; 64 << 20].iter().any(|b| *b == 1));
    };
    tries.clone()();
    // Threads that it starts are held to the same.
    std::thread::spawn(tries).join().unwrap();
}

#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // that is what is tried
fn connects() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let profile = profile("iocs update");
    assert_eq!(profile.sockets, Sockets::Tcp);
    Sandbox::begin(profile).enclose(&[]);
    assert!(TcpStream::connect(address).is_ok());
    // A name is found: by the file of hosts at least.
    assert!(std::net::ToSocketAddrs::to_socket_addrs(&("localhost", 80)).is_ok());
    assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err());
    assert!(std::os::unix::net::UnixStream::connect("/run/x").is_err_and(|e| e.kind() == ErrorKind::PermissionDenied));
    assert!(Command::new("/bin/true").status().is_err());
    assert!(fs::write(folder().join("elsewhere/new"), "x").is_err());
}

#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // that is what is tried
fn connects_to_an_engine() {
    let socket = folder().join("engine.sock");
    let _engine = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(profile("images ENGINE REGISTRY").sockets, Sockets::TcpAndUnix);
    let profile = profile("images ENGINE");
    assert_eq!(profile.sockets, Sockets::Unix);
    Sandbox::begin(profile).enclose(&[]);
    assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
    let denied = |outcome: std::io::Result<()>| assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied);
    denied(TcpStream::connect(address).map(drop));
    denied(std::net::UdpSocket::bind("127.0.0.1:0").map(drop));
    denied(std::os::unix::net::UnixListener::bind(folder().join("own.sock")).map(drop));
    assert!(Command::new("/bin/true").status().is_err());
    assert!(fs::write(folder().join("elsewhere/new"), "x").is_err());
}

#[allow(clippy::disallowed_methods)] // that is what is tried
fn writes() {
    let folder = folder();
    let (root, elsewhere) = (folder.join("root"), folder.join("elsewhere"));
    let (begun, ready) = std::sync::mpsc::channel();
    let (go, locked) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        dosimeter::sandbox::enclose_writer(std::slice::from_ref(&root), &[]);
        begun.send(()).unwrap();
        locked.recv().unwrap();
        fs::write(root.join("new"), "x").unwrap();
        fs::rename(root.join("new"), root.join("newer")).unwrap();
        fs::remove_file(root.join("newer")).unwrap();
        for denied in [fs::write(elsewhere.join("new"), "x"), fs::remove_file(elsewhere.join("file"))] {
            assert_eq!(denied.map_err(|e| e.kind()), Err(ErrorKind::PermissionDenied));
        }
        assert!(TcpStream::connect("127.0.0.1:9").is_err_and(|e| e.kind() == ErrorKind::PermissionDenied));
    });
    ready.recv().unwrap();
    Sandbox::begin(profile("scan")).enclose(&[]);
    go.send(()).unwrap();
    writer.join().unwrap();
}

#[test]
fn a_report_says_what_held_and_can_do_without() {
    let machine = Machine::new().venv("v").dist("litellm", "1.82.8");
    let (report, code) = program::report(machine.root());
    let held = &report["run"]["sandbox"];
    assert_eq!((code, &held["profile"], &held["seccomp"]), (1, &"scan".into(), &true.into()));
    assert!(held["landlock"].is_null() || held["landlock"].as_u64() > Some(0), "{held}");
    let (without, code) = program::report_with(machine.root(), &["--no-sandbox"]);
    assert_eq!((code, &without["run"]["sandbox"]["seccomp"]), (1, &false.into()));
    assert_eq!(without["incidents"], report["incidents"]);
    let verbose = program::run(["scan", "--root", machine.root().to_str().unwrap(), "-v"]);
    assert!(verbose.err.contains("sandbox `scan`: "), "{}", verbose.err);
}

#[test]
fn every_command_has_a_profile() {
    for command in PROFILES.iter().map(|p| p.command) {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.push("--help");
        assert_eq!(program::run(args).code, 0, "{command}");
    }
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for p in PROFILES {
        let row = format!("| `{}` | {} | {} | {} |", p.command, p.sockets.as_str(), p.reads, p.writes);
        assert!(readme.contains(&row), "README lacks: {row}");
    }
}

/// Landlock would hide it: then system calls are filtered only.
#[test]
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the test needs a process to look at
fn another_process_can_be_named() {
    let mut child = Command::new("sleep").arg("60").env("MADE_UP_TOKEN", "CANARY-a1").spawn().unwrap();
    let file = format!("/proc/{}/environ", child.id());
    // Until it has started the program.
    while !fs::read(&file).unwrap().windows(7).any(|w| w == b"MADE_UP") {}
    let said = program::run(["scan", &file, "--format", "json"]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.code == 0 && !said.out.contains("CANARY"), "{}{}", said.out, said.err);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["coverage"]["gaps"], serde_json::json!([]));
    assert_eq!(report["credentials"][0]["location"]["inner"], "MADE_UP_TOKEN");
    assert_eq!(report["run"]["sandbox"]["seccomp"], true);
}

#[test]
fn every_command_can_do_without_it() {
    for args in [&["surfaces", "--no-sandbox"][..], &["iocs", "list", "--no-sandbox"], &["--no-sandbox", "--help"]] {
        assert_eq!(program::run(args).code, 0, "{args:?}");
    }
}
