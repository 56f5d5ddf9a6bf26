//! Signals, and inputs without an end: whatever the program is at, it ends within seconds, and what it says is whole.

use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    hostile::fifo,
    machine::Machine,
    program::{command, run, valid},
};

/// Far more than the second that it takes: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, with SIGHUP as a terminal leaves it: whoever runs the tests with `nohup` has it ignored in all of them.
fn hearing() -> Command {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|l| l.strip_prefix("SigIgn:")).unwrap();
    if u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 0 {
        return command();
    }
    let plain = command();
    let mut hearing = Command::new("env");
    hearing.arg("--default-signal=HUP").arg(plain.get_program());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => hearing.env(name, value),
            None => hearing.env_remove(name),
        };
    }
    hearing
}

fn start(args: &[&str]) -> Child {
    hearing().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

/// Waits until the program handles SIGHUP, the last of the signals that it takes up.
fn has_started(child: &Child) {
    let since = Instant::now();
    let caught = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let mask = status.lines().find_map(|l| l.strip_prefix("SigCgt:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    while caught().is_none_or(|mask| mask & 1 == 0) {
        assert!(since.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end(mut child: Child) -> Output {
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < PATIENCE, "it is deaf");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// A report that says that it was interrupted, valid by the schema.
fn interrupted(text: &[u8]) -> Value {
    let report: Value = serde_json::from_slice(text).unwrap();
    valid(&report);
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert_eq!(gaps.iter().filter(|g| g["kind"] == "interrupted").count(), 1, "{gaps:?}");
    assert_eq!(report["verdict"]["complete"], false);
    let summary = report["verdict"]["summary"].as_str().unwrap();
    assert!(summary.ends_with("examination incomplete: interrupted"), "{summary}");
    report
}

#[test]
fn each_signal_ends_a_wait_with_a_report() {
    let machine = Machine::new();
    let root = machine.root().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (pipe, out) = (folder.path().join("pipe"), folder.path().join("out.json"));
    fifo(&pipe);
    let (pipe, out) = (pipe.to_str().unwrap(), out.to_str().unwrap());
    let scan = ["scan", "--built-in", "--root", root, "--iocs", pipe, "--format", "json", "-o", out];
    let rotate = ["rotate", pipe, "--format", "json", "-o", out];
    let standard = ["rotate", "-", "--format", "json", "-o", out];
    for signal in ["-INT", "-TERM", "-HUP"] {
        for args in [scan.as_slice(), &rotate, &standard] {
            let child = start(args);
            has_started(&child);
            send(&child, signal);
            let output = end(child);
            assert_eq!(output.status.code(), Some(130), "{signal} {args:?}");
            assert_eq!(interrupted(&output.stdout), interrupted(&fs::read(out).unwrap()));
            fs::remove_file(out).unwrap();
        }
    }
}

#[test]
fn a_signal_at_any_moment_gives_a_whole_report() {
    let mut machine = Machine::new().venv("app").dist("litellm", "1.82.8");
    for n in 0..300 {
        machine = machine.dist(&format!("other-{n}"), "1.0");
    }
    let args = ["scan", "--built-in", "--root", machine.root().to_str().unwrap(), "--format", "json"];
    let since = Instant::now();
    let whole = command().args(args).output().unwrap();
    let took = since.elapsed();
    assert_eq!(whole.status.code(), Some(1));
    let mut cut = 0;
    for step in 0..16 {
        let child = start(&args);
        has_started(&child);
        std::thread::sleep(took * step / 16);
        send(&child, "-INT");
        let output = end(child);
        // Whoever is late changes nothing.
        match output.status.code() {
            Some(130) => {
                interrupted(&output.stdout);
                cut += 1;
            }
            code => {
                assert_eq!(code, Some(1), "{:?}", output.status.signal());
                let report: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(report["verdict"]["complete"], true);
            }
        }
    }
    assert!(cut > 0);
}

#[test]
fn an_import_that_is_ended_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, out) = (folder.path().join("pipe"), folder.path().join("out.bundle"));
    fifo(&pipe);
    fs::write(&out, "as it was").unwrap();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let (pipe, out) = (pipe.to_str().unwrap(), out.to_str().unwrap());
        let child = start(&["iocs", "import", pipe, "-o", out, "--force-output"]);
        has_started(&child);
        send(&child, signal);
        assert_eq!(end(child).status.code(), Some(130));
        assert_eq!(fs::read_to_string(out).unwrap(), "as it was");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

#[test]
fn nohup_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    fifo(&pipe);
    let script = format!("trap '' HUP; exec {} rotate {}", env!("CARGO_BIN_EXE_dosimeter"), pipe.display());
    let mut child = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    let since = Instant::now();
    let handles = |child: &Child| {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let mask = status.lines().find_map(|l| l.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << 14) != 0
    };
    while !handles(&child) {
        assert!(since.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    send(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    send(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

fn sparse(path: &Path, len: u64) {
    File::create(path).unwrap().set_len(len).unwrap();
}

#[test]
fn inputs_without_an_end_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (large, out) = (folder.path().join("large.json"), folder.path().join("o.bundle"));
    sparse(&large, 1 << 40);
    let (large, out) = (large.to_str().unwrap(), out.to_str().unwrap());
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    for (args, why) in [
        (vec!["rotate", large], "is larger than 256 MB"),
        (vec!["rotate", "/dev/zero"], "is a device"),
        (vec!["iocs", "import", large, "-o", out], "is larger than 128 MB"),
        (vec!["iocs", "import", "/dev/zero", "-o", out], "is a device"),
        (vec!["scan", "--built-in", "--iocs", large, empty], "is larger than 128 MB"),
    ] {
        let said = run(&args);
        assert_eq!(said.code, 2, "{args:?} {}", said.err);
        assert!(said.err.contains(why), "{args:?} {}", said.err);
    }
}

#[test]
fn a_pipe_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, out) = (folder.path().join("pipe"), folder.path().join("o.bundle"));
    fifo(&pipe);
    let child = start(&["iocs", "import", pipe.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    fs::write(&pipe, "evil.example\nother.example\n").unwrap();
    let output = end(child);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("taken: 2 network names"));
}

#[test]
fn few_threads_are_enough() {
    let machine = Machine::new().venv("app").dist("litellm", "1.82.8");
    let limited = |limit: &str| {
        let program = env!("CARGO_BIN_EXE_dosimeter");
        let root = machine.root().display();
        let script =
            format!("ulimit {limit} && exec {program} scan --built-in --threads 8 --root {root} --format json");
        // glibc reserves 64 MB of addresses for each thread that allocates: which of them comes last would decide.
        Command::new("sh").args(["-c", &script]).env("MALLOC_ARENA_MAX", "1").output().unwrap()
    };
    for limit in ["-v 400000", "-v 200000"] {
        let output = limited(limit);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{limit}: {said}");
    }
}
