//! Files and folders named on the command line: none of them is passed over in silence.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener},
    path::Path,
};

use serde_json::Value;

use crate::program::{Said, findings, run, valid};

const PIN: &str = "litellm==1.82.8\n";
const METADATA: &str = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n";

fn scan(paths: &[&Path]) -> (Value, Said) {
    let mut args = vec![OsStr::new("scan"), OsStr::new("--format"), OsStr::new("json")];
    args.extend(paths.iter().map(|p| p.as_os_str()));
    let said = run(args);
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    valid(&report);
    (report, said)
}

fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["coverage"]["gaps"].as_array().unwrap();
    gaps.iter().map(|g| g["detail"].as_str().unwrap().to_owned()).collect()
}

/// One file, scanned by itself: exposure and confidence of its findings with the surface, gaps, exit code.
fn scan_file(name: &[u8], bytes: &[u8]) -> (Vec<String>, Vec<String>, i32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(name));
    fs::write(&path, bytes).unwrap();
    let (report, said) = scan(&[&path]);
    let incidents = report["incidents"].as_array().unwrap();
    let found = incidents.iter().flat_map(|i| i["findings"].as_array().unwrap());
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let found = found.map(|f| format!("{} {} {}", text(&f["exposure"]), text(&f["confidence"]), text(&f["surface"])));
    (found.collect(), gaps(&report), said.code)
}

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Two surfaces read one form.
#[test]
fn a_build_file_of_another_name_is_read_for_packages_and_for_images() {
    let text = "FROM aquasec/trivy:0.69.4\nRUN pip install litellm==1.82.8\n";
    let (found, gaps, code) = scan_file(b"build.bak", text.as_bytes());
    assert_eq!(
        (found, gaps, code),
        (
            vec![
                "referenced confirmed python/dockerfile".to_owned(),
                "referenced confirmed container/dockerfile".to_owned()
            ],
            vec![],
            1
        )
    );
    let safe = "FROM aquasec/trivy:0.69.3\nRUN pip install litellm==1.82.6\n";
    assert_eq!(scan_file(b"build.bak", safe.as_bytes()), (vec![], vec![], 0));
}

#[test]
fn content_says_what_a_file_is() {
    let utf16: Vec<u8> = format!("\u{feff}{PIN}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wheel = zip(&[("litellm/__init__.py", "#"), ("litellm-1.82.8.dist-info/METADATA", METADATA)]);
    let atuin = include_bytes!("../fixtures/history/atuin-18/history.db");
    let cases: [(&str, &[u8], &[&str]); 17] = [
        ("requeriments.txt", PIN.as_bytes(), &["referenced confirmed python/requirements"]),
        (
            "pins",
            b"# by hand\nsix==1.17.0\nLiteLLM[proxy] == 1.82.8 ; python_version > \"3\"\n",
            &["referenced confirmed python/requirements"],
        ),
        ("windows", &utf16, &["referenced confirmed python/requirements"]),
        ("alice-zsh.hist", b": 1774349600:0;pip install litellm==1.82.8\n", &["removed likely history/zsh"]),
        ("alice.log", b"#1774349600\npip install litellm==1.82.8\n", &["removed likely history/bash"]),
        ("typed", b"cd app\nls -l\npip install litellm==1.82.8\n", &["removed likely history/bash"]),
        ("fish.txt", b"- cmd: pip install litellm==1.82.8\n  when: 1774349600\n", &["removed likely history/fish"]),
        ("copy of atuin", atuin, &["removed likely history/atuin"]),
        ("meta", METADATA.as_bytes(), &["cached confirmed python/dist-info"]),
        (
            "pp",
            b"[project]\nname = \"x\"\ndependencies = [\"litellm==1.82.8\"]\n",
            &["referenced confirmed python/pyproject"],
        ),
        (
            "uv",
            b"version = 1\n\n[[package]]\nname = \"litellm\"\nversion = \"1.82.8\"\nsource = { registry = \"x\" }\n",
            &["referenced confirmed python/uv-lock"],
        ),
        (
            "pipenv",
            b"{\"_meta\": {}, \"default\": {\"litellm\": {\"version\": \"==1.82.8\"}}}",
            &["referenced confirmed python/pipfile-lock"],
        ),
        ("env.old", b"name: x\ndependencies:\n  - litellm=1.82.8\n", &["referenced confirmed python/conda-env"]),
        (
            "build",
            b"# a\nFROM python:3\nRUN pip install litellm==1.82.8\n",
            &["referenced confirmed python/dockerfile"],
        ),
        (
            "tool",
            b"# /// script\n# dependencies = [\"litellm==1.82.8\"]\n# ///\nimport litellm\n",
            &["referenced confirmed python/inline-script"],
        ),
        ("fn.bin", &wheel, &["cached confirmed python/zip-app"]),
        ("litellm-kept.bin", &wheel, &["cached confirmed python/wheel"]),
    ];
    for (name, bytes, want) in cases {
        let (found, gaps, code) = scan_file(name.as_bytes(), bytes);
        assert_eq!(
            (found.iter().map(String::as_str).collect::<Vec<_>>(), code),
            (want.to_vec(), 1),
            "{name}: {gaps:?}"
        );
    }
}

#[test]
fn what_is_understood_and_holds_nothing_is_complete() {
    for (name, bytes) in [
        ("requirements.txt", b"flask\nrequests>=2\n".as_slice()),
        ("pins", b"six==1.17.0\n"),
        ("meta", b"Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\n\n"),
        ("alice.hist", b": 1774349600:0;ls\n"),
        (".bash_history", b"ls\n"),
        ("a.pth", b"/srv/code\n"),
        (
            "six-1.17.0-py3-none-any.whl",
            &zip(&[("six-1.17.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\n")]),
        ),
    ] {
        assert_eq!(scan_file(name.as_bytes(), bytes), (vec![], vec![], 0), "{name}");
    }
}

#[test]
fn what_nobody_understands_is_a_gap() {
    let report = run(["scan", "--root", env!("CARGO_MANIFEST_DIR"), "--only", "host/hosts", "--format", "json"]).out;
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut tar::Header::new_gnu(), "manifest.json", std::io::empty()).unwrap();
    for (name, bytes, says) in [
        (b"notes.txt".as_slice(), b"hello\n".as_slice(), "usual name"),
        (b"packages.csv", b"name,version\nsix,1.0\n", "usual name"),
        (b"sbom.json", b"{\"components\": []}", "usual name"),
        (b"report.json", report.as_bytes(), "dosimeter rotate"),
        (b"image.tar", &tar.into_inner().unwrap(), "dosimeter images"),
        (b"a.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0", "dosimeter images"),
        (b"a.zip", &zip(&[("a.txt", "x")]), "archive"),
        (b"a.zst", b"\x28\xb5\x2f\xfd\0\0", "archive"),
        (b"kept.db", include_bytes!("../fixtures/sqlite/log.db"), "database"),
        (b"empty", b"", "empty"),
        (b"program", b"\x7fELF\x02\x01\x01\0", "known hashes"),
        (b"pyproject.toml", b"[project\n", "TOML"),
        (b"\xff\x1b[2J\n.txt", b"hello\n", "usual name"),
        (b"rebar.lock", b"{\"1.2.0\",\n[{<<\"six\">>,{pkg,<<\"six\">>,<<\"1.0.0\">>},0}]}.\n", "usual name"),
        (b"script.sh", b"#!/bin/sh\npip install six\n", "usual name"),
    ] {
        let (found, gaps, code) = scan_file(name, bytes);
        assert_eq!((found, code), (vec![], 3), "{name:?}");
        assert!(gaps.len() == 1 && gaps[0].contains(says), "{name:?}: {gaps:?}");
    }
}

#[test]
fn a_text_that_names_a_known_version_says_so_and_leads() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    fs::write(&a, "name,version\nsix,1.0\n").unwrap();
    fs::write(&b, "name,version\nlitellm,1.82.8\n").unwrap();
    let (report, said) = scan(&[&a, &b]);
    let gaps = gaps(&report);
    assert_eq!((gaps.len(), said.code), (2, 3));
    assert!(gaps[0].ends_with("; it names what an indicator knows") && !gaps[1].contains("indicator"), "{gaps:?}");
}

#[test]
fn what_is_no_file_is_not_opened_and_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RUSR).unwrap();
    let _socket = UnixListener::bind(path("socket")).unwrap();
    symlink("fifo", path("link")).unwrap();
    for (path, says) in [
        (path("fifo"), "FIFO"),
        (path("link"), "FIFO"),
        (path("socket"), "socket"),
        ("/dev/null".into(), "device"),
        ("/dev/zero".into(), "device"),
    ] {
        let (report, said) = scan(&[&path]);
        let gaps = gaps(&report);
        assert!(said.code == 3 && gaps.len() == 1 && gaps[0].contains(says), "{path:?}: {gaps:?}");
    }
}

#[test]
fn links_are_followed_to_what_was_meant() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(other.path().join("kept"), PIN).unwrap();
    symlink(other.path().join("kept"), folder.path().join("link")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let (report, said) = scan(&[&folder.path().join("link")]);
    assert_eq!((findings(&report).len(), said.code), (1, 1));
    assert_eq!(run([OsStr::new("scan"), folder.path().join("dangling").as_os_str()]).code, 2);
}

#[test]
fn a_folder_in_which_nothing_is_read_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, file) in
        [("code", "main.go"), ("layout", "oci-layout"), ("saved", "i.tar"), ("good", "requirements.txt")]
    {
        fs::create_dir_all(root.join(name)).unwrap();
        fs::write(root.join(name).join(file), "x\n").unwrap();
    }
    fs::create_dir(root.join("empty")).unwrap();
    for (name, says) in
        [("code", "reads"), ("layout", "dosimeter images"), ("saved", "dosimeter images"), ("empty", "mounted")]
    {
        for way in [&["--root"][..], &["--home"], &[]] {
            let mut args = vec![OsStr::new("scan"), OsStr::new("--format"), OsStr::new("json")];
            args.extend(way.iter().map(OsStr::new));
            let path = root.join(name);
            args.push(path.as_os_str());
            let said = run(args);
            let gaps = gaps(&serde_json::from_str(&said.out).unwrap());
            assert!(said.code == 3 && gaps.len() == 1 && gaps[0].contains(says), "{name} {way:?}: {gaps:?}");
        }
    }
    let (report, said) = scan(&[&root.join("good")]);
    assert_eq!((gaps(&report), said.code), (vec![], 0));
    // One that is read does not speak for the other.
    let (report, said) = scan(&[&root.join("good"), &root.join("code")]);
    assert_eq!((gaps(&report).len(), said.code), (1, 3));
    // Whoever asks for one surface may find nothing for it.
    let code = root.join("code");
    assert_eq!(run([OsStr::new("scan"), OsStr::new("--only"), OsStr::new("host/hosts"), code.as_os_str()]).code, 0);
}

#[test]
fn a_file_that_is_named_twice_is_found_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requirements.txt");
    fs::write(&path, PIN).unwrap();
    let (report, _) = scan(&[&path, folder.path(), &path]);
    assert_eq!(findings(&report).len(), 1);
}
