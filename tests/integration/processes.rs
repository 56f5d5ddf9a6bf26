//! What is read of the processes of this machine.

use std::{fs, path::Path, process::Command, sync::Mutex};

use dosimeter::{
    coverage::{Exclusion, Gap},
    fact::TreePath,
    scan::process::visit,
    tree::{Body, Entry, Kind, Visit, host::Host, mounts},
};

/// The files visited, with what they hold.
#[derive(Default)]
struct Visited(Mutex<Vec<(String, Vec<u8>)>>);

impl Visit for Visited {
    type Folder = ();
    fn folder(&self, _: &TreePath) {}
    fn wants(&self, (): &(), _: &[u8], _: Kind) -> bool {
        true
    }
    fn file(&self, entry: &Entry, body: &mut Body<'_>) {
        let bytes = body.head(1 << 20).unwrap().to_vec();
        self.0.lock().unwrap().push((entry.path.text().into_owned(), bytes));
    }
    fn gap(&self, _: Gap) {}
    fn exclude(&self, _: Exclusion) {}
    fn seen(&self, _: u64) {}
    fn atime_changed(&self) {}
}

#[test]
fn a_program_whose_file_is_gone_is_still_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("dropped");
    fs::copy("/bin/sleep", &program).unwrap();
    let mut child = Command::new(&program).arg("60").spawn().unwrap();
    fs::remove_file(&program).unwrap();
    let mounts = fs::read("/proc/self/mountinfo").unwrap();
    let host = Host::open("host", Path::new("/"), TreePath::root(), mounts::to_skip(&mounts)).unwrap();
    let visited = Visited::default();
    visit(&host, &visited, &mounts, &std::sync::atomic::AtomicBool::new(false));
    child.kill().unwrap();
    child.wait().unwrap();
    let visited = visited.0.into_inner().unwrap();
    let of = |name: &str| visited.iter().find(|(p, _)| *p == format!("/proc/{}/{name}", child.id())).map(|(_, b)| b);
    assert_eq!(of("exe"), Some(&format!("{} (deleted)", program.display()).into_bytes()));
    assert!(of("maps").is_some_and(|b| !b.is_empty()) && of("environ").is_some());
    assert!(of("cmdline").is_some_and(|b| b.ends_with(b"60\0")));
    let own = format!("/proc/{}/", std::process::id());
    assert!(!visited.iter().any(|(p, _)| p.starts_with(&own)));
}
