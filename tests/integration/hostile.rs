//! Evidence written by an attacker: nothing of it may stop, blind or mislead the examination.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::{ffi::OsStrExt as _, fs as unix},
    path::Path,
};

use dosimeter::fact::TreePath;

use crate::{
    machine::Machine,
    program::{self, exposure, findings, report},
};

#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // makes the evidence
pub fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn links_do_not_lead_out_of_the_root() {
    let outside = tempfile::tempdir().unwrap();
    let bad = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    fs::create_dir_all(outside.path().join("site-packages/litellm-1.82.8.dist-info")).unwrap();
    fs::write(outside.path().join("site-packages/litellm-1.82.8.dist-info/METADATA"), bad).unwrap();
    let machine = Machine::new().venv("v").dist("ok", "1.0");
    let site = machine.root().join("home/alice/v/lib/python3.11/site-packages");
    unix::symlink(outside.path().join("site-packages"), machine.root().join("home/alice/elsewhere")).unwrap();
    unix::symlink(outside.path().join("site-packages/litellm-1.82.8.dist-info"), site.join("litellm-1.82.8.dist-info"))
        .unwrap();
    fs::create_dir(site.join("x-1.dist-info")).unwrap();
    unix::symlink(
        outside.path().join("site-packages/litellm-1.82.8.dist-info/METADATA"),
        site.join("x-1.dist-info/METADATA"),
    )
    .unwrap();
    unix::symlink("../../../../../../../../../../../../etc/passwd", site.join("y.pth")).unwrap();
    unix::symlink(".", machine.root().join("home/alice/loop")).unwrap();
    unix::symlink("a", machine.root().join("b")).unwrap();
    unix::symlink("b", machine.root().join("a")).unwrap();
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("none", 0), "{:#?}", findings(&report));
}

#[test]
fn an_absolute_link_resolves_inside_the_root() {
    let machine =
        Machine::new().venv("v").file("store/METADATA", "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n");
    let info = machine.root().join("home/alice/v/lib/python3.11/site-packages/litellm-1.82.8.dist-info");
    fs::create_dir_all(&info).unwrap();
    unix::symlink("/store/METADATA", info.join("METADATA")).unwrap();
    let (report, _) = report(machine.root());
    assert_eq!(exposure(&report), "installed");
}

/// A folder of programs is full of links to the system's: each would be a line of the report.
#[test]
fn links_to_programs_elsewhere_are_no_news() {
    let machine = Machine::new().home("src/v/bin/app", "#!/usr/bin/env python3\nprint()\n");
    unix::symlink("/usr/bin/python3", machine.root().join("home/alice/src/v/bin/python")).unwrap();
    unix::symlink("/etc/hostname", machine.root().join("home/alice/src/requirements.txt")).unwrap();
    let said = program::run(["scan", "--format", "json", machine.root().join("home/alice/src").to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let left_out = report["coverage"]["exclusions"].as_array().unwrap();
    assert_eq!(left_out.len(), 1, "{left_out:#?}");
    assert!(left_out[0]["location"]["path"].as_str().unwrap().ends_with("src/requirements.txt"));
}

#[test]
fn special_files_are_never_opened() {
    let machine = Machine::new().venv("v").dist("litellm", "1.82.8");
    let site = machine.root().join("home/alice/v/lib/python3.11/site-packages");
    fs::create_dir(site.join("a-1.dist-info")).unwrap();
    fifo(&site.join("a-1.dist-info/METADATA"));
    fifo(&site.join("evil.pth"));
    let _socket = std::os::unix::net::UnixListener::bind(site.join("s.pth")).unwrap();
    unix::symlink("evil.pth", site.join("linked.pth")).unwrap();
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("installed", 1));
}

/// The paths that a walk visits, and what was left out.
#[derive(Default)]
struct Visited(std::sync::Mutex<(Vec<String>, Vec<String>)>);

impl dosimeter::tree::Visit for Visited {
    type Folder = ();
    fn folder(&self, _: &TreePath) {}
    fn wants(&self, (): &(), name: &[u8], _: dosimeter::tree::Kind) -> bool {
        name.ends_with(b".pth")
    }
    fn file(&self, entry: &dosimeter::tree::Entry, _: &mut dosimeter::tree::Body<'_>) {
        self.0.lock().unwrap().0.push(entry.path.text().into_owned());
    }
    fn gap(&self, gap: dosimeter::coverage::Gap) {
        panic!("{gap:?}");
    }
    fn exclude(&self, exclusion: dosimeter::coverage::Exclusion) {
        self.0.lock().unwrap().1.push(format!("{}: {}", exclusion.origin.path.text(), exclusion.reason));
    }
    fn seen(&self, _: u64) {}
    fn atime_changed(&self) {}
}

/// Reading some files of `/proc` changes the machine, and a server that is gone never answers.
#[test]
fn a_link_into_a_mount_that_is_left_out_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("real.pth"), "").unwrap();
    unix::symlink("/proc/version", folder.path().join("kernel.pth")).unwrap();
    unix::symlink("real.pth", folder.path().join("local.pth")).unwrap();
    let skips = dosimeter::tree::mounts::to_skip(&fs::read("/proc/self/mountinfo").unwrap());
    let host = dosimeter::tree::host::Host::open("host", Path::new("/"), TreePath::root(), skips).unwrap();
    let visited = Visited::default();
    let start = TreePath::new(folder.path().as_os_str().as_bytes()).unwrap();
    host.walk(&visited, std::slice::from_ref(&start), 1, &std::sync::atomic::AtomicBool::new(false));
    let (mut files, excluded) = visited.0.into_inner().unwrap();
    files.sort();
    assert_eq!(files, [format!("{}/local.pth", start.text()), format!("{}/real.pth", start.text())]);
    assert_eq!(excluded, [format!("{}/kernel.pth: link that leads out of what is examined", start.text())]);
}

/// What a walk of `root` from these starts visits, with mounts on these folders left out.
fn walked(root: &Path, mounts: &str, starts: &[&str]) -> (Vec<String>, Vec<String>) {
    let skips = dosimeter::tree::mounts::to_skip(mounts.as_bytes());
    let host = dosimeter::tree::host::Host::open("host", root, TreePath::root(), skips).unwrap();
    let starts: Vec<_> = starts.iter().map(|s| TreePath::new(s.as_bytes()).unwrap()).collect();
    let visited = Visited::default();
    host.walk(&visited, &starts, 2, &std::sync::atomic::AtomicBool::new(false));
    let (mut files, excluded) = visited.0.into_inner().unwrap();
    files.sort();
    (files, excluded)
}

#[test]
fn mounts_are_left_out_whatever_name_the_root_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().canonicalize().unwrap().join("real");
    for name in ["share/a.pth", "local/b.pth"] {
        fs::create_dir_all(real.join(name).parent().unwrap()).unwrap();
        fs::write(real.join(name), "").unwrap();
    }
    let link = folder.path().join("link");
    unix::symlink("real", &link).unwrap();
    let mounts = format!("24 22 0:9 / {}/share rw - nfs4 srv:/x rw\n", real.display());
    for root in [&real, &link] {
        let (files, excluded) = walked(root, &mounts, &[""]);
        assert_eq!(files, ["/local/b.pth"]);
        assert_eq!(excluded, ["/share: network file system: examine it on the machine that holds it"]);
    }
    // What was asked for is read.
    assert_eq!(walked(&real.join("share"), &mounts, &[""]).0, ["/a.pth"]);
}

/// A server that is gone never answers, and opening a folder of the automounter changes the machine.
#[test]
fn nothing_in_a_mount_of_another_machine_is_opened_because_it_is_looked_at_first() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for home in ["far", "auto", "near"] {
        let config = root.join(home).join("al/.config/systemd");
        fs::create_dir_all(&config).unwrap();
        fs::write(config.join("x.pth"), "").unwrap();
    }
    let mount = |name: &str, kind: &str| format!("24 22 0:9 / {}/{name} rw - {kind} srv:/x rw\n", root.display());
    let mounts = mount("far", "nfs4") + &mount("auto", "autofs") + &mount("near", "ext4");
    let starts = ["far/al/.config/systemd", "auto/al/.config/systemd", "near/al/.config/systemd", ""];
    let (files, excluded) = walked(&root, &mounts, &starts);
    assert_eq!(files, ["/near/al/.config/systemd/x.pth"]);
    assert_eq!(excluded.len(), 2, "{excluded:?}");
    let skips = dosimeter::tree::mounts::to_skip(mounts.as_bytes());
    let host = dosimeter::tree::host::Host::open("host", &root, TreePath::root(), skips).unwrap();
    for (home, there) in [("far", false), ("auto", false), ("near", true)] {
        let at = |below: &str| TreePath::new(format!("{home}/{below}").as_bytes()).unwrap();
        assert_eq!(!host.list(&at("al"), 9).is_empty(), there, "{home}");
        assert_eq!(host.read(&at("al/.config/systemd/x.pth"), 9).is_some(), there, "{home}");
    }
}

#[test]
fn names_of_any_bytes_are_reported_whole_and_shown_harmless() {
    let machine = Machine::new();
    let name = std::ffi::OsStr::from_bytes(b"e\x1b[31m\xff\n\xe2\x80\xae.d");
    let info =
        machine.root().join("home/alice").join(name).join("lib/python3.11/site-packages/litellm-1.82.8.dist-info");
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n").unwrap();
    let (report, _) = report(machine.root());
    let path = &report["incidents"][0]["findings"][0]["location"]["path"]["bytes"];
    assert!(path.is_string(), "{path}");
    for format in ["table", "markdown"] {
        let said = program::run(["scan", "--root", machine.root().to_str().unwrap(), "--format", format]);
        assert!(!said.out.contains('\x1b') && !said.out.contains('\u{202e}'), "{}", said.out);
        assert!(said.out.contains("\\u{1b}[31m"), "{}", said.out);
    }
}

#[test]
fn what_cannot_be_read_is_a_gap_and_exit_3() {
    let machine = Machine::new().venv("v").site_file("broken-1.dist-info/METADATA", "nothing\0\n");
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("none", 3));
    assert_eq!(report["verdict"]["complete"], false);
    assert_eq!(report["verdict"]["summary"], "nothing found, examination incomplete");
    let gap = &report["coverage"]["gaps"][0];
    assert_eq!((gap["kind"].as_str(), gap["surface"].as_str()), (Some("malformed"), Some("python/dist-info")));
}

#[test]
fn a_sparse_giant_costs_nothing() {
    let machine = Machine::new().venv("v").dist("litellm", "1.82.7");
    let info = machine.root().join("home/alice/v/lib/python3.11/site-packages/giant-1.dist-info");
    fs::create_dir_all(&info).unwrap();
    let mut file = fs::File::create(info.join("METADATA")).unwrap();
    file.seek(SeekFrom::Start(5 << 30)).unwrap();
    file.write_all(b"x").unwrap();
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("installed", 1));
    assert!(report["coverage"]["bytes_read"].as_u64().unwrap() < 64 << 20);
    assert_eq!(report["coverage"]["gaps"].as_array().unwrap().len(), 1);
}

/// Ten terabytes of nothing would be hashed for hours, and the name alone is evidence.
#[test]
fn a_hook_made_of_holes_is_found_by_its_name() {
    let machine =
        Machine::new().venv("v").site_file("litellm_init.pth", "import os\n").site_file("ok.pth", "import os\n");
    let site = machine.root().join("home/alice/v/lib/python3.11/site-packages");
    for name in ["litellm_init.pth", "ok.pth"] {
        fs::File::options().write(true).open(site.join(name)).unwrap().set_len(10 << 40).unwrap();
    }
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("installed", 1));
    assert_eq!(findings(&report).len(), 1, "{:#?}", findings(&report));
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert!(
        gaps.len() == 2 && gaps.iter().all(|g| g["detail"] == "cannot read: a file of holes is not hashed"),
        "{gaps:#?}"
    );
}

#[test]
fn deep_nesting_ends_as_a_gap() {
    let machine = Machine::new().venv("v").dist("litellm", "1.82.7");
    let mut at = rustix::fs::open(machine.root(), rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..10_000 {
        rustix::fs::mkdirat(&at, "d", rustix::fs::Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, "d", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
    }
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("installed", 1));
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|g| g["detail"].as_str().unwrap().contains("nested too deeply")), "{gaps:#?}");
}

/// A million pins of one file would be a million findings in memory.
#[test]
fn a_file_of_too_many_matches_is_cut_and_reported() {
    let machine = Machine::new().home("requirements.txt", "litellm==1.82.8\n".repeat(5001));
    let (report, code) = report(machine.root());
    assert_eq!((exposure(&report), code), ("referenced", 1));
    assert_eq!(report["incidents"][0]["findings"].as_array().unwrap().len(), 5000);
    assert_eq!(report["coverage"]["gaps"][0]["detail"], "1 more matches than are kept of one file");
}
