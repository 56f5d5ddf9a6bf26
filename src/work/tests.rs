//! Each reader of something that others fill, at n and at 2n.

use std::{fs::File, io::Write as _, os::unix::fs::FileExt as _};

use super::steps;
use crate::{
    accounts::Accounts,
    credential::{
        Catalog, CredentialSurface,
        moved::{Live, Setting, moved_places},
    },
    fact::{Origin, Seen, TreePath},
    interest::Interest,
    ioc::{
        bundle::{Content, build},
        import::{Imported, Reading, read, read_zip},
    },
    surface::{Opened, Sink, Surface, history},
    tree::{Body, Entry},
};

/// The first numbers of which the work is measured.
const N: usize = 400;

/// Twice as much takes at most 2.2 times the work, and it takes some.
fn grows_as_its_input(what: &str, work: impl Fn(usize)) {
    let (once, twice) = (steps(|| work(N)), steps(|| work(2 * N)));
    assert!(once >= N, "{what}: {once} steps for {N} things: they are not counted");
    assert!(twice * 10 <= once * 22, "{what}: {once} steps for {N}, {twice} for {}", 2 * N);
}

fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(|i| line(i) + "\n").collect()
}

#[test]
fn accounts() {
    let passwd = |n: usize| lines(n, |i| format!("u{i}:x:{i}:1::/home/u{i}:/bin/sh"));
    grows_as_its_input("passwd", |n| drop(Accounts::new(passwd(n).as_bytes(), [])));
    // Every account a member of one group, and groups of one member each.
    let one = |n: usize| format!("g:x:7:{}\n", (0..n).map(|i| format!("u{i}")).collect::<Vec<_>>().join(","));
    let many = |n: usize| lines(n, |i| format!("g{i}:x:{i}:u{i}"));
    grows_as_its_input("group", |n| {
        drop(Accounts::new(passwd(n).as_bytes(), []).with_groups(one(n).as_bytes()).with_groups(many(n).as_bytes()));
    });
    grows_as_its_input("below_home", |n| {
        let accounts = Accounts::new(passwd(n).as_bytes(), []);
        for i in 0..n {
            let path = TreePath::new(format!("home/u{i}/.ssh/id").as_bytes()).unwrap();
            assert_eq!(accounts.below_home(&path), Some(b".ssh/id".as_slice()));
        }
    });
}

#[test]
fn moved_credentials() {
    let catalog = Catalog::embedded().unwrap();
    let list = |n: usize| (0..n).map(|i| format!("/k{i}")).collect::<Vec<_>>().join(":");
    grows_as_its_input("one variable", |n| {
        let text = format!("export KUBECONFIG={}\n", list(n));
        drop(moved_places(&catalog, &[Setting { home: None, text: text.as_bytes() }], &[]));
    });
    grows_as_its_input("many lines", |n| {
        let text = lines(n, |i| format!("export KUBECONFIG=/k{i}"));
        drop(moved_places(&catalog, &[Setting { home: None, text: text.as_bytes() }], &[]));
    });
    grows_as_its_input("one file at moved places", |n| {
        let list = list(n);
        let live = Live { home: None, name: "KUBECONFIG", value: &list };
        let moved = moved_places(&catalog, &[], &[live]);
        // Two kinds stand in such a file.
        assert_eq!((moved.places.len(), moved.dropped), (2 * n, 0));
        let surface = CredentialSurface::new(&catalog, &moved.places).unwrap();
        for i in 0..n {
            inspect(&surface, &format!("k{i}"), b"");
        }
    });
}

fn entry(path: &str, len: u64) -> Entry {
    let path = TreePath::new(path.as_bytes()).unwrap();
    Entry { path, len, mtime: None, btime: None, uid: None, gid: None, mode: None }
}

/// Facts and gaps that a surface finds in a file with this content.
fn inspect(surface: &dyn Surface, path: &str, bytes: &[u8]) -> (usize, usize) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    inspect_file(surface, path, &file)
}

fn inspect_file(surface: &dyn Surface, path: &str, file: &File) -> (usize, usize) {
    let len = file.metadata().unwrap().len();
    let entry = entry(path, len);
    let (mut facts, mut gaps) = (0, 0);
    let (mut keep, mut gap) = (|_: Seen| facts += 1, |_| gaps += 1);
    let origin = Origin::file(&"root".into(), entry.path.clone());
    let mut out = Sink::new("test", origin, &entry, &mut keep, &mut gap);
    let (interest, mut body) = (Interest::default(), Body::host(file, len));
    let outcome = surface.inspect(&mut Opened::new(&entry, &interest, &mut body), &mut out);
    (facts, gaps + usize::from(outcome.is_err()))
}

#[test]
fn histories() {
    let surfaces: [(&dyn Surface, &str, &str); 3] = [
        (&history::bash::Bash, ".bash_history", "pip install a"),
        (&history::zsh::Zsh, ".zsh_history", ": 1795308182:0;pip install a"),
        (&history::fish::Fish, "fish_history", "- cmd: pip install a"),
    ];
    for (surface, name, line) in surfaces {
        grows_as_its_input(name, |n| {
            assert_eq!(inspect(surface, name, lines(n, |_| line.to_owned()).as_bytes()), (n, 0), "{name}");
        });
        grows_as_its_input("one long line", |n| {
            assert_eq!(inspect(surface, name, "x".repeat(n * 1000).as_bytes()).0, 0);
        });
        // A terabyte that is not there takes no more work than two lines.
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(format!("{line}\n").as_bytes(), 0).unwrap();
        file.write_all_at(format!("{line}\n").as_bytes(), 8 << 40).unwrap();
        file.set_len(15 << 40).unwrap();
        let mut found = (0, 0);
        let steps = steps(|| found = inspect_file(surface, name, &file));
        assert_eq!(found, (2, 1), "{name}");
        assert!(steps < 1 << 20, "{name}: {steps}");
    }
}

fn imported(name: &str, text: String) -> Imported {
    read(&[(name.to_owned(), text.into_bytes())], Reading::default()).unwrap()
}

#[test]
fn lists_of_indicators() {
    let hosts = |n: usize| lines(n, |i| format!("evil{i}.example"));
    let hashes = |n: usize| lines(n, |i| format!("{i:064x}"));
    let packages = |n: usize| format!("ecosystem,name,version\n{}", lines(n, |i| format!("npm,evil{i},1.0.0")));
    let value = |i: usize| format!(r#"{{"type":"domain","value":"evil{i}.example","to_ids":true}}"#);
    let misp = |n: usize| {
        let all: Vec<String> = (0..n).map(value).collect();
        format!(r#"{{"Event":{{"info":"x","Attribute":[{}]}}}}"#, all.join(","))
    };
    let osv = |n: usize| {
        let versions: Vec<String> = (0..n).map(|i| format!("\"1.0.{i}\"")).collect();
        format!(
            r#"{{"id":"MAL-1","schema_version":"1.7.5","modified":"2026-03-24T00:00:00Z","affected":[
               {{"package":{{"ecosystem":"npm","name":"evil"}},"versions":[{}]}}]}}"#,
            versions.join(",")
        )
    };
    grows_as_its_input("hosts", |n| assert_eq!(imported("x.txt", hosts(n)).incidents[0].network.len(), n));
    grows_as_its_input("hashes", |n| assert_eq!(imported("x.txt", hashes(n)).incidents[0].artifacts.len(), n));
    grows_as_its_input("packages", |n| assert_eq!(imported("x.csv", packages(n)).rows.len(), n));
    grows_as_its_input("MISP", |n| assert_eq!(imported("x.json", misp(n)).incidents[0].network.len(), n));
    grows_as_its_input("OSV", |n| assert_eq!(imported("x.json", osv(n)).rows[0].2.versions.len(), n));
    // The same again and again is one.
    let again = |n: usize| lines(n, |_| "evil.example".to_owned());
    grows_as_its_input("one host", |n| assert_eq!(imported("x.txt", again(n)).incidents[0].network.len(), 1));
}

#[test]
fn archives_and_bundles() {
    grows_as_its_input("zip", |n| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for i in 0..n {
            zip.start_file(format!("{i}.csv"), zip::write::SimpleFileOptions::default()).unwrap();
            write!(zip, "ecosystem,name,version\nnpm,evil{i},1.0.0\n").unwrap();
        }
        let found = read_zip("x.zip", &mut zip.finish().unwrap(), Reading::default()).unwrap();
        assert_eq!(found.rows.len(), n);
    });
    grows_as_its_input("bundle", |n| {
        let text = format!("ecosystem,name,version\n{}", lines(n, |i| format!("npm,evil{i},1.0.0")));
        let rows = imported("x.csv", text).rows;
        let created = jiff::Timestamp::UNIX_EPOCH;
        let content = Content { title: String::new(), sequence: 1, created, incidents: Vec::new(), rows };
        assert!(build(&content).unwrap().len() > n);
    });
}
