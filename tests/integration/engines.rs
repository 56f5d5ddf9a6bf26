//! Engines that are named: who listens is looked at before anything connects.

use std::{io::ErrorKind, os::unix::net::UnixListener};

use serde_json::Value;

use crate::program::{run, valid};

/// An archive with one file system, and a socket that this test holds.
fn beside() -> (tempfile::TempDir, [String; 2], UnixListener) {
    let folder = tempfile::tempdir().unwrap();
    let (saved, socket) = (folder.path().join("root.tar"), folder.path().join("docker.sock"));
    let mut tar = tar::Builder::new(std::fs::File::create(&saved).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    tar.append_data(&mut header, "etc/hostname", b"a".as_slice()).unwrap();
    tar.finish().unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    (folder, [saved, socket].map(|path| path.to_str().unwrap().to_owned()), listener)
}

#[test]
fn what_is_no_engine_is_a_gap_and_nobody_connects() {
    let (_folder, [saved, socket], listener) = beside();
    for engine in [socket.clone(), format!("unix://{socket}")] {
        let said = run(["images", &saved, "--engine", &engine, "--engine-export", "--format", "json"]);
        let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.err));
        valid(&report);
        let gaps = report["coverage"]["gaps"].as_array().unwrap();
        let gap = &gaps[0];
        assert_eq!((said.code, gaps.len(), &gap["kind"]), (3, 1, &"unreadable".into()), "{gaps:?}");
        assert_eq!(gap["location"]["tree"], format!("engine {engine}"));
        let detail = gap["detail"].as_str().unwrap();
        assert!(
            detail.contains("which is no engine that is known here") && detail.contains("not connected"),
            "{detail}"
        );
        assert_eq!(report["run"]["sandbox"]["profile"], "images ENGINE");
        assert_eq!(report["sweep"]["images"].as_array().unwrap().len(), 1);
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody connected");
}

#[test]
fn what_names_no_engine_is_an_error() {
    let (_folder, [saved, _], _listener) = beside();
    for (engine, why) in [
        ("docker.sock", "names no engine"),
        ("ssh://build.example", "are not asked over `ssh`"),
        ("tcp://build.example:2375", "without TLS"),
    ] {
        let said = run(["images", &saved, "--engine", engine]);
        assert!(said.code == 2 && said.err.contains(why), "{} {}", said.code, said.err);
    }
    let said = run(["images", &saved, "--engine-export"]);
    assert!(said.code == 2 && said.err.contains("--engine"), "{}", said.err);
}
