//! How often a layer is read.

use super::*;

fn list(text: &str) -> &[u8] {
    text.as_bytes()
}

fn requirements(found: &Examination) -> BTreeSet<String> {
    let lists = |f: &ImageFact| f.seen.surface == "python/requirements";
    found.images[0].facts().into_iter().filter(lists).map(|f| f.seen.origin.path.text().into_owned()).collect()
}

#[test]
fn an_ordinary_layer_is_read_once() {
    let mut tar = Tar::default()
        .file("app/deps/base.txt", list("-r more.in\na==1.0\n"))
        .file("app/deps/more.in", list("b==2.0\n-r base.txt\n"))
        .file("app/deps/other.txt", list("c==1.0\n"))
        .file("app/requirements.txt", list("-r deps/base.txt\n-r nowhere\n-r tests/late\nz==1.0\n"))
        .file("app/tests/late", list("-c tests.lst\ny==1.0\n"))
        .file("app/tests/tests.lst", list("x==1.0\n"));
    for n in 0..500 {
        let info = site(&format!("p{n}-1.0.dist-info"));
        let metadata = format!("Metadata-Version: 2.1\nName: p{n}\nVersion: 1.0\nRequires-Dist: a\n");
        tar = tar
            .file(&format!("{info}/METADATA"), metadata.as_bytes())
            .file(&format!("{info}/RECORD"), format!("p{n}/__init__.py,,\n").as_bytes())
            .file(&format!("{info}/entry_points.txt"), list("[console_scripts]\nx = p:main\n"))
            .file(&site(&format!("p{n}/requirements.txt")), list("-r more/dev.txt\na==1.0\n"))
            .file(&site(&format!("p{n}/more/dev.txt")), list("d==1.0\n"));
    }
    tar = tar
        .file(&site("hook.pth"), list("import os\n"))
        .link(tar::EntryType::Symlink, &site("linked.pth"), "hook.pth")
        .link(tar::EntryType::Link, &site("hard.pth"), &site("hook.pth"));
    let stored = tar.end();
    for stored in [saved(std::slice::from_ref(&stored)), stored.clone(), pack(Pack::Zstd, &stored)] {
        let found = case().bytes(&stored);
        assert_eq!((gaps(&found), found.again), (vec![], 0));
        let lists = requirements(&found);
        let named = ["/app/deps/base.txt", "/app/deps/more.in", "/app/tests/late", "/app/tests/tests.lst"];
        assert!(named.iter().all(|path| lists.contains(*path)) && !lists.contains("/app/deps/other.txt"), "{lists:?}");
        let of_packages = lists.iter().filter(|path| path.contains("/more/dev.txt")).count();
        assert_eq!((lists.len(), of_packages), (1005, 500));
        let links = paths(&found.images[0]).iter().filter(|path| path.ends_with(".pth")).count();
        assert_eq!(links, 3);
    }
}

#[test]
fn what_is_no_longer_in_memory_is_read_in_a_second_pass() {
    let many = |tar: Tar| (0..100).fold(tar, |tar, n| tar.file(&format!("app/{n}.txt"), &[b'#'; 60_000]));
    let tar = Tar::default()
        .file("app/base.txt", list("a==1.0\n"))
        .file("app/base", list("b==1.0\n"))
        .file("app/tool.cfg", list("import os\n"));
    let tar = many(tar).file("app/requirements.txt", list("-r base.txt\n-r base\nz==1.0\n")).link(
        tar::EntryType::Symlink,
        &site("a.pth"),
        "/app/tool.cfg",
    );
    let found = case().bytes(&saved(&[tar.end()]));
    assert_eq!((gaps(&found), found.again), (vec![], 1));
    let expected = ["/app/base", "/app/base.txt", "/app/requirements.txt"].map(str::to_owned);
    assert_eq!(requirements(&found), expected.into());
    assert!(paths(&found.images[0]).iter().any(|path| path.ends_with("a.pth")));
}

#[test]
fn what_links_lead_to_is_held_where_it_comes_later() {
    let tar = Tar::default()
        .link(tar::EntryType::Symlink, "etc/a.pth", "x")
        .link(tar::EntryType::Symlink, &format!("etc/{SITE}/a.pth"), "/lib/hook.cfg")
        .link(tar::EntryType::Symlink, "lib", "usr/lib")
        .link(tar::EntryType::Symlink, &format!("opt/{SITE}/b.pth"), "/lib/other.cfg")
        .link(tar::EntryType::Symlink, &format!("opt/{SITE}/c.pth"), "/usr/lib/third.cfg")
        .file("usr/lib/hook.cfg", list("import os\n"))
        .file("usr/lib/other.cfg", list("import os\n"))
        .file("usr/lib/third.cfg", list("import os\n"));
    let found = case().bytes(&saved(&[tar.end()]));
    assert_eq!((gaps(&found), found.again), (vec![], 0));
    let hooks = [format!("/etc/{SITE}/a.pth"), format!("/opt/{SITE}/b.pth"), format!("/opt/{SITE}/c.pth")];
    assert_eq!(paths(&found.images[0]), hooks);
}

#[test]
fn a_large_program_with_two_names_is_read_once_and_a_large_script_twice() {
    let large = |start: &[u8]| [start, &[b'\n'; 200_000]].concat();
    let program = large(b"\x7fELF");
    let script = large(b"#!/usr/bin/env python3\n# /// script\n# dependencies = [\"litellm==1.82.8\"]\n# ///\n");
    let two = |bytes: &[u8], name: &str| {
        let tar = Tar::default().file("usr/bin/perl", bytes).link(tar::EntryType::Link, name, "usr/bin/perl");
        let found = case().bytes(&saved(&[tar.end()]));
        assert_eq!(gaps(&found), []);
        (found.again, paths(&found.images[0]).iter().filter(|path| **path == format!("/{name}")).count())
    };
    assert_eq!(two(&program, "usr/bin/perl5.36.0"), (0, 0));
    // Where it stands can say what it is.
    assert_eq!(two(&program, "srv/bin/perl5.36.0"), (1, 0));
    let (again, found) = two(&script, "usr/bin/tool");
    assert!(again == 1 && found > 0, "{found}");
}

#[test]
fn of_a_named_file_that_comes_twice_the_last_counts() {
    let versions = |tar: Tar| {
        let found = case().bytes(&saved(&[tar.end()]));
        assert_eq!(gaps(&found), []);
        let version = |f: ImageFact| {
            let lists = f.seen.surface == "python/requirements";
            lists.then(|| format!("{} {:?}", f.seen.origin.path.text(), f.seen.fact))
        };
        let all: Vec<String> = found.images[0].facts().into_iter().filter_map(version).collect();
        let of =
            |version: &str| all.iter().filter(|line| line.starts_with("/app/b.txt") && line.contains(version)).count();
        (of("1.0.1"), of("2.0.2"))
    };
    let (old, new) = (list("a==1.0.1\n"), list("a==2.0.2\n"));
    let names = |tar: Tar| tar.file("app/requirements.txt", list("-r b.txt\n"));
    let before = names(Tar::default().file("app/b.txt", old).file("app/b.txt", new));
    let around = names(Tar::default().file("app/b.txt", old)).file("app/b.txt", new);
    let behind = names(Tar::default()).file("app/b.txt", old).file("app/b.txt", new);
    for (nth, tar) in [before, around, behind].into_iter().enumerate() {
        assert_eq!(versions(tar), (0, 1), "{nth}");
    }
    // A link in its place leads elsewhere.
    let linked = names(Tar::default().file("app/b.txt", old).file("app/n", new));
    assert_eq!(versions(linked.link(tar::EntryType::Symlink, "app/b.txt", "n")), (0, 1));
}

#[test]
fn files_that_name_each_other_end() {
    let mut tar = Tar::default();
    for n in 0..300 {
        let names: String = (0..300).map(|other| format!("-r {other}.txt\n")).collect();
        tar = tar.file(&format!("app/{n}.txt"), names.as_bytes());
    }
    let found = case().bytes(&saved(&[tar.file("app/requirements.txt", list("-r 7.txt\na==1\n")).end()]));
    assert_eq!((gaps(&found), found.again), (vec![], 0));
    assert_eq!(found.coverage.surfaces["python/requirements"].files, 301);
}
