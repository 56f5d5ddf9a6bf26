//! What it never does, watched from outside: by `strace`, by comparing the tree before and after, and by planted secrets.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{machine::Machine, program};

fn busy() -> Machine {
    Machine::new()
        .venv("app/.venv")
        .dist("litellm", "1.82.8")
        .owned("litellm", "1.82.8", "litellm_init.pth", "import os\n")
        .home(".config/sysmon/sysmon.py", "# inert\n")
        .home(".bash_history", "#1774350000\npip install litellm\n")
        .home(".ssh/config", "Host x\n")
}

/// Everything below a folder, by listing it.
fn names(root: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root).contents_first(true).into_iter().map(|e| e.unwrap().into_path()).collect()
}

/// Mode, owner, size and times of each, without listing or reading anything. The access times of links are left out.
fn states(paths: &[PathBuf]) -> BTreeMap<&Path, String> {
    let state = |p: &PathBuf| {
        let m = p.symlink_metadata().unwrap();
        let atime = if m.is_symlink() { (0, 0) } else { (m.atime(), m.atime_nsec()) };
        format!(
            "{:o} {} {} {:?} {:?} {atime:?}",
            m.mode(),
            m.uid(),
            m.len(),
            (m.mtime(), m.mtime_nsec()),
            (m.ctime(), m.ctime_nsec())
        )
    };
    paths.iter().map(|p| (p.as_path(), state(p))).collect()
}

#[test]
fn the_tree_is_the_same_before_and_after() {
    let machine = busy();
    std::os::unix::fs::symlink("/etc", machine.root().join("link")).unwrap();
    let paths = names(machine.root());
    let bytes =
        |paths: &[PathBuf]| paths.iter().filter(|p| p.is_file()).map(|p| fs::read(p).unwrap()).collect::<Vec<_>>();
    let bytes_before = bytes(&paths);
    // Access times in the past, which any ordinary read or listing would move.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(1_000_000);
    for path in paths.iter().filter(|p| !p.is_symlink()) {
        fs::File::open(path).unwrap().set_times(fs::FileTimes::new().set_accessed(old)).unwrap();
    }
    let before = states(&paths);
    let (report, code) = program::report(machine.root());
    assert_eq!((code, &report["coverage"]["atime_changed"]), (1, &serde_json::json!(0)));
    assert_eq!(before, states(&paths));
    assert_eq!(bytes_before, bytes(&names(machine.root())));
}

/// System calls of a run, one per line.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the test watches the program
fn calls(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("calls");
    let status = std::process::Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-s",
            "300",
            "-e",
            "trace=execve,execveat,socket,connect,open,openat,openat2,creat,unlink,rename,renameat2,mkdir,utimensat",
            "-o",
        ])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_dosimeter"))
        .args(args)
        .stdout(std::process::Stdio::null())
        .status()
        .expect("the tests need strace: `tests/run` installs it");
    assert_eq!(status.code(), Some(1));
    fs::read_to_string(log).unwrap()
}

/// Kernels of long-lived systems and the filters of old container engines lack calls that are newer than they are.
#[test]
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the test takes calls away from the program
fn an_old_kernel_gives_the_same_answer() {
    let machine = busy();
    let root = machine.root().to_str().unwrap();
    let (now, _) = program::report(machine.root());
    for missing in ["openat2", "statx", "openat2,statx,landlock_create_ruleset,getrandom,close_range,faccessat2"] {
        let run = std::process::Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={missing}:error=ENOSYS")])
            .args([env!("CARGO_BIN_EXE_dosimeter"), "scan", "-q", "--format", "json", "--root", root])
            .output()
            .expect("the tests need strace: `tests/run` installs it");
        let then: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(run.status.code(), Some(1), "{missing}");
        assert_eq!(program::findings(&then), program::findings(&now), "{missing}");
        assert_eq!(then["verdict"], now["verdict"], "{missing}");
    }
}

#[test]
fn it_starts_nothing_connects_nowhere_and_writes_only_what_was_named() {
    let machine = busy();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("case.json");
    let log = calls(&["scan", "--root", machine.root().to_str().unwrap(), "-o", file.to_str().unwrap()]);
    let of = |name: &str| log.lines().filter(|l| l.contains(&format!(" {name}("))).collect::<Vec<_>>();
    assert_eq!(of("execve").len() + of("execveat").len(), 1, "{:#?}", of("execve"));
    assert!(of("connect").is_empty() && of("socket").is_empty(), "{:#?}", of("socket"));
    let opened = log.lines().filter(|l| l.contains(" open"));
    let writing: Vec<&str> =
        opened.filter(|l| l.contains("O_WRONLY") || l.contains("O_RDWR") || l.contains("O_CREAT")).collect();
    assert!(!writing.is_empty() && writing.iter().all(|l| l.contains("case.json")), "{writing:#?}");
    for call in ["creat", "unlink", "mkdir", "utimensat"] {
        assert!(of(call).is_empty(), "{:#?}", of(call));
    }
    assert!(of("rename").iter().chain(&of("renameat2")).all(|l| l.contains("case.json")));
    // As root every file of the target is opened without touching its access time.
    let target = machine.root().to_str().unwrap();
    let touched = log
        .lines()
        .filter(|l| l.contains("openat") && l.contains(target) && !l.contains("O_NOATIME") && !l.contains("ENOENT"))
        // Landlock is given a handle of the folder, which opens nothing.
        .filter(|l| !l.contains("O_PATH"));
    assert_eq!(touched.count(), 0);
}

/// Opening alone can do harm (`/dev/watchdog`), and a link needs no rights to make: what it leads to is looked at first.
#[test]
fn a_link_to_a_special_file_is_not_followed_into_it() {
    let machine = busy();
    crate::hostile::fifo(&machine.root().join("pipe"));
    for name in ["home/alice/linked.pth", "home/alice/.bashrc", "home/alice/.config/systemd/user/linked.service"] {
        fs::create_dir_all(machine.root().join(name).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/pipe", machine.root().join(name)).unwrap();
    }
    let log = calls(&["scan", "--root", machine.root().to_str().unwrap()]);
    for name in ["linked.pth", ".bashrc", "linked.service"] {
        let opened: Vec<&str> = log.lines().filter(|l| l.contains(name)).collect();
        assert!(!opened.is_empty() && opened.iter().all(|l| l.contains("O_PATH")), "{opened:#?}");
    }
    assert!(!log.lines().any(|l| l.contains("O_RDONLY") && l.contains("pipe\"")));
}

#[test]
fn a_parser_that_panics_costs_its_file_and_shows_none_of_it() {
    use dosimeter::{
        interest::Interest,
        surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
        tree::{Body, Entry, Visit as _},
        walk::{Inspector, Router, Worth},
    };
    struct Clumsy;
    static META: Meta = Meta { id: "test/clumsy", title: "", proves: "" };
    impl Surface for Clumsy {
        fn meta(&self) -> &'static Meta {
            &META
        }
        fn claims(&self, _: &Interest) -> Vec<Claim> {
            vec![Claim::any()]
        }
        fn inspect(&self, file: &mut Opened<'_, '_>, _: &mut Sink<'_>) -> Result<(), Flaw> {
            let text = String::from_utf8_lossy(file.all(100)?).into_owned();
            panic!("cannot read {text}");
        }
    }
    let interest = Interest::default();
    let router = Router::new(vec![&Clumsy], &interest);
    let inspector = Inspector::new(&router, &interest, &|_| Worth::Evidence, "t".into(), None);
    let path = dosimeter::fact::TreePath::new(b"x").unwrap();
    let entry = Entry { path, len: 6, mtime: None, btime: None, uid: None, gid: None, mode: None };
    inspector.file(&entry, &mut Body::stream(&mut b"CANARY".as_slice(), 6));
    let (_, coverage) = inspector.finish();
    assert_eq!(coverage.gaps.len(), 1);
    assert!(!coverage.complete());
    let gaps = format!("{:?}", coverage.gaps);
    assert!(gaps.contains("Panicked") && !gaps.contains("CANARY"), "{gaps}");
}
