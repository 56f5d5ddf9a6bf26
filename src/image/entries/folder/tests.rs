//! Layers made here, honest and hostile.
#![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, makedev, mknodat, setxattr};
use tempfile::TempDir;

use super::*;

fn open(path: &Path) -> OwnedFd {
    fs::File::open(path).unwrap().into()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

/// As an overlay of a user writes it, which needs no rights.
fn mark(path: &Path, name: &str, value: &[u8]) {
    let set = setxattr(path, format!("user.overlay.{name}"), value, XattrFlags::empty());
    set.expect("the file system of the tests' folders has no extended attributes");
}

fn special(path: &Path, kind: FileType, device: u64) {
    let made = mknodat(CWD, path, kind, Mode::RUSR, device);
    made.expect("a FIFO or a device 0:0 cannot be made here");
}

fn none() -> Lower {
    Box::new(|_| None)
}

/// `a/b dir`, `a/b/c file text`.
fn read_all(mut folder: Folder) -> (Vec<String>, Vec<(String, String)>) {
    let mut found = Vec::new();
    while let Some(member) = folder.next().unwrap() {
        let mut bytes = Vec::new();
        let read = folder.body().take(1 << 20).read_to_end(&mut bytes);
        let what = match &member.kind {
            Kind::File if read.is_err() => "file !".to_owned(),
            Kind::File => format!("file {}", String::from_utf8_lossy(&bytes)),
            Kind::Dir => "dir".to_owned(),
            Kind::Symlink(to) => format!("-> {}", String::from_utf8_lossy(to)),
            Kind::Whiteout => "gone".to_owned(),
            Kind::Opaque => "opaque".to_owned(),
            kind => format!("{kind:?}"),
        };
        found.push(format!("{} {what}", String::from_utf8_lossy(&member.path)));
    }
    let unread = folder.unread().into_iter();
    (found, unread.map(|(path, flaw)| (String::from_utf8_lossy(&path).into_owned(), flaw.to_string())).collect())
}

fn overlay(path: &Path) -> (Vec<String>, Vec<(String, String)>) {
    read_all(Folder::new(open(path), Form::Overlay(none())).unwrap())
}

#[test]
fn each_folder_comes_before_what_is_in_it_and_nothing_else_is_opened() {
    let (layer, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(outside.path(), "secret", b"s");
    let file = write(layer.path(), "b/x", b"text");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    write(layer.path(), "a.c/y", b"");
    write(layer.path(), "a/.wh.z", b"");
    symlink(outside.path(), layer.path().join("out")).unwrap();
    symlink("b/x", layer.path().join("in")).unwrap();
    special(&layer.path().join("pipe"), FileType::Fifo, 0);
    let expected = [
        "a dir".to_owned(),
        "a/.wh.z file ".to_owned(),
        "a.c dir".to_owned(),
        "a.c/y file ".to_owned(),
        "b dir".to_owned(),
        "b/x file text".to_owned(),
        "in -> b/x".to_owned(),
        format!("out -> {}", outside.path().display()),
        "pipe Other".to_owned(),
    ];
    assert_eq!(overlay(layer.path()), (expected.to_vec(), Vec::new()));
    let mut folder = Folder::new(open(layer.path()), Form::Files).unwrap();
    let x = std::iter::from_fn(|| folder.next().unwrap()).find(|m| m.path == b"b/x").unwrap();
    assert_eq!((x.len, x.mode, x.mtime.is_some(), x.uid.is_some()), (4, Some(0o640), true, true));
}

#[test]
fn what_an_overlay_hides() {
    let layer = TempDir::new().unwrap();
    let at = |name: &str| layer.path().join(name);
    special(
        &{
            fs::create_dir(at("d")).unwrap();
            at("d/gone")
        },
        FileType::CharacterDevice,
        makedev(0, 0),
    );
    write(layer.path(), "opaque/new", b"n");
    mark(&at("opaque"), "opaque", b"y");
    write(layer.path(), "by-attribute/gone", b"");
    write(layer.path(), "by-attribute/here", b"");
    write(layer.path(), "by-attribute/full", b"f");
    mark(&at("by-attribute"), "opaque", b"x");
    mark(&at("by-attribute/gone"), "whiteout", b"");
    mark(&at("by-attribute/full"), "whiteout", b"");
    // The kernel does not look at it where the folder does not say so.
    mark(&write(layer.path(), "plain/empty", b""), "whiteout", b"");
    fs::create_dir(at("renamed")).unwrap();
    mark(&at("renamed"), "redirect", b"/before");
    let expected = [
        "by-attribute dir",
        "by-attribute/full file f",
        "by-attribute/gone gone",
        "by-attribute/here file ",
        "d dir",
        "d/gone gone",
        "opaque dir",
        "opaque opaque",
        "opaque/new file n",
        "plain dir",
        "plain/empty file ",
        "renamed dir",
    ];
    let (found, unread) = overlay(layer.path());
    assert_eq!(found, expected);
    let why = "a folder that has another name in lower layers is not supported";
    assert_eq!(unread, [("renamed".to_owned(), why.to_owned())]);
    // Files of a volume mean nothing but themselves.
    let files = read_all(Folder::new(open(layer.path()), Form::Files).unwrap()).0;
    assert!(files.contains(&"d/gone Other".to_owned()) && !files.iter().any(|f| f.ends_with("opaque opaque")));
}

#[test]
fn data_of_a_file_whose_owner_alone_was_changed_come_from_below() {
    let (upper, middle, lower) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    for (name, bytes) in [("a/same", "....."), ("a/moved", "....."), ("a/nowhere", ".....")] {
        mark(&write(upper.path(), name, bytes.as_bytes()), "metacopy", b"");
    }
    mark(&upper.path().join("a/moved"), "redirect", b"/old/name");
    mark(&write(middle.path(), "a/same", b"....."), "metacopy", b"");
    write(lower.path(), "a/same", b"bytes");
    write(lower.path(), "old/name", b"other");
    let below = [middle.path().to_owned(), lower.path().to_owned()];
    let lower: Lower = Box::new(move |nth| below.get(nth).map(|path| open(path)));
    let (found, unread) = read_all(Folder::new(open(upper.path()), Form::Overlay(lower)).unwrap());
    assert_eq!(found, ["a dir", "a/moved file other", "a/nowhere file !", "a/same file bytes"]);
    assert_eq!(unread.len(), 1);
    assert!(unread[0].0 == "a/nowhere" && unread[0].1.contains("lower layer"), "{unread:?}");
}

#[test]
fn of_a_whole_copy_only_what_its_layer_changed() {
    let (now, then) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let time = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    for folder in [now.path(), then.path()] {
        for name in ["same", "d/same", "d/longer", "d/touched", "gone/x", "file-to-folder"] {
            let file = write(folder, name, b"12345");
            fs::File::options().write(true).open(file).unwrap().set_times(time).unwrap();
        }
        symlink("a", folder.join("link")).unwrap();
        symlink("a", folder.join("same-link")).unwrap();
    }
    write(now.path(), "d/longer", b"123456");
    write(now.path(), "d/touched", b"54321");
    write(now.path(), "new/x", b"n");
    fs::remove_dir_all(now.path().join("gone")).unwrap();
    fs::remove_file(now.path().join("file-to-folder")).unwrap();
    write(now.path(), "file-to-folder/y", b"y");
    fs::remove_file(now.path().join("link")).unwrap();
    symlink("b", now.path().join("link")).unwrap();
    let found = read_all(Folder::new(open(now.path()), Form::Changed(open(then.path()))).unwrap());
    let expected = [
        "gone gone",
        "d/longer file 123456",
        "d/touched file 54321",
        "file-to-folder dir",
        "file-to-folder/y file y",
        "link -> b",
        "new dir",
        "new/x file n",
    ];
    assert_eq!(found, (expected.map(str::to_owned).to_vec(), Vec::new()));
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn of_a_whole_copy_the_names_that_the_engine_wrote_down() {
    let copy = TempDir::new().unwrap();
    for name in ["a/old", "a/new", "b\u{fc}", "c/old"] {
        write(copy.path(), name, b"x");
    }
    // The third is `bü`.
    let list = r#"{"type":2,"payload":"AAAA","position":0}
{"type":1,"name":"./a/","payload":null,"position":1}
{"type":1,"name":"a/new","size":1,"payload":"AAAA","position":2}
{"type":1,"name_raw":"YsO8","position":3}
{"type":1,"name":"../../etc/passwd","position":4}
{"type":1,"name":"c/.wh.gone","position":5}
"#;
    let split = Split::read(gzip(list).as_slice()).unwrap();
    let found = read_all(Folder::new(open(copy.path()), Form::Listed(split)).unwrap());
    let expected = ["c/.wh.gone file ", "a dir", "a/new file x", "b\u{fc} file x"];
    assert_eq!(found.0, expected);
}

#[test]
fn a_list_of_names_that_is_not_whole_is_none() {
    let whole = gzip("{\"type\":1,\"name\":\"a\"}\n");
    assert!(Split::read(whole.as_slice()).is_ok());
    assert!(Split::read(&whole[..whole.len() - 9]).is_err());
    assert!(Split::read(b"no gzip".as_slice()).is_err());
    for text in ["{\"type\":1}\n", "[]\n", "{\"type\":1,\"name_raw\":\"!\"}\n", "{\"type\":1,\"name\":\"a\"}", "\n"] {
        assert!(Split::read(gzip(text).as_slice()).is_err(), "{text}");
    }
    let long = format!("{{\"type\":2,\"payload\":\"{}\"}}\n", "A".repeat(5 << 20));
    assert!(matches!(Split::read(gzip(&long).as_slice()), Err(Flaw::Truncated(_))));
}

#[test]
fn folders_without_end_and_files_of_holes_are_reported() {
    let layer = TempDir::new().unwrap();
    let mut deep = layer.path().to_owned();
    for _ in 0..DEPTH + 10 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    write(&deep, "x", b"x");
    let holes = write(layer.path(), "holes", b"");
    fs::File::options().write(true).open(holes).unwrap().set_len(1 << 40).unwrap();
    write(layer.path(), "z", b"z");
    let (found, unread) = overlay(layer.path());
    assert_eq!(found.len(), DEPTH + 1, "the folders, and two files");
    assert_eq!(found.last().map(String::as_str), Some("z file z"));
    assert!(found.contains(&"holes file !".to_owned()));
    let why: Vec<&str> = unread.iter().map(|(_, why)| why.as_str()).collect();
    assert!(why.len() == 2 && why[0].contains("nested") && why[1].contains("holes"), "{why:?}");
}

#[test]
fn what_goes_while_it_is_read_is_no_problem() {
    let layer = TempDir::new().unwrap();
    write(layer.path(), "a", b"a");
    let b = write(layer.path(), "b", b"b");
    let mut folder = Folder::new(open(layer.path()), Form::Files).unwrap();
    assert!(folder.next().unwrap().is_some());
    fs::remove_file(b).unwrap();
    assert!(folder.next().unwrap().is_none() && folder.unread().is_empty());
}
