//! A file that cannot be read is a gap only where it could hide something.

use std::fs;

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{finding, findings, report, run},
};

const TEMPLATE: &str =
    "[project]\nname = \"{{folder_name}}\"\ndependencies = [\n  {{ dependencies }}\n  \"crewai>=0.1\",\n]\n";

/// Paths of gaps, of files without weight, and the exit code.
fn weighed(machine: &Machine) -> (Vec<String>, Vec<String>, i32) {
    let (report, code) = report(machine.root());
    let paths = |list: &Value| {
        let list = list.as_array().unwrap().iter();
        list.map(|g| g["location"]["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let complete = report["verdict"]["complete"].as_bool().unwrap();
    assert_eq!(complete, report["coverage"]["gaps"].as_array().unwrap().is_empty());
    (paths(&report["coverage"]["gaps"]), paths(&report["coverage"]["unreadable_without_weight"]), code)
}

#[test]
fn a_template_is_listed_and_the_examination_complete() {
    let machine = Machine::new().home("t/pyproject.toml", TEMPLATE);
    let path = || vec!["/home/alice/t/pyproject.toml".to_owned()];
    assert_eq!(weighed(&machine), (vec![], path(), 0));
    for text in [
        "\u{feff}[project\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
        b"[project\nauthor = \"Ren\xe9\"\n".to_vec(),
        b"[project\nlitellm==1.83.0\n".to_vec(),
        b"[project\ndescription = litellm and other proxies\n".to_vec(),
    ] {
        assert_eq!(weighed(&Machine::new().home("t/pyproject.toml", &text)), (vec![], path(), 0), "{text:?}");
    }
}

#[test]
fn what_could_hide_something_stays_a_gap() {
    let path = || vec!["/home/alice/t/pyproject.toml".to_owned()];
    for text in [
        // A range that admits it; a version that is not known; hosts; escapes.
        "[project\nx = [\"litellm>=1.80\"]\n".as_bytes().to_vec(),
        b"[project\nx = [\"litellm=={{ version }}\"]\n".to_vec(),
        b"[project\nlite\\u006clm = \"^1.82\"\n".to_vec(),
        b"[project\nurl = models.litellm.cloud\n".to_vec(),
        "[project\nlitellm~=1.82\n".encode_utf16().flat_map(u16::to_be_bytes).collect(),
        // No text at all.
        b"[project\n\0\n".to_vec(),
        b"\x9c\x8f\xe2\xff\x80\x81\x92\xa3\xb4\xc5".to_vec(),
    ] {
        assert_eq!(weighed(&Machine::new().home("t/pyproject.toml", &text)), (path(), vec![], 3), "{text:?}");
    }
}

#[test]
fn a_gap_that_names_something_known_leads() {
    let machine = Machine::new()
        .home("a/pyproject.toml", b"[project\n\0")
        .home("z/pyproject.toml", "[project\n\"litellm>=1.80\"\n");
    let (gaps, ..) = weighed(&machine);
    assert_eq!(gaps, ["/home/alice/z/pyproject.toml", "/home/alice/a/pyproject.toml"]);
}

#[test]
fn histories_that_nobody_reads_are_weighed() {
    let psql = |text: &str| Machine::new().home(".psql_history", text);
    let path = || vec!["/home/alice/.psql_history".to_owned()];
    assert_eq!(weighed(&psql("select 1;\n")), (vec![], path(), 0));
    assert_eq!(weighed(&psql("\\! pip install litellm==1.82.8\n")), (path(), vec![], 3));
    // In a history the name is enough where it is installed, in whatever version.
    let shell = |text: &str| Machine::new().home(".mysql_history", text);
    assert_eq!(weighed(&shell("pip install litellm\n")).2, 3);
    assert_eq!(weighed(&shell("pip show litellm\npip install six\n")).2, 0);
    // One that is read is no gap.
    assert_eq!(weighed(&Machine::new().home(".bash_history", "ls\n")), (vec![], vec![], 0));
    // A database is weighed by the texts that it holds, its log among them.
    let (main, log) = (include_bytes!("../fixtures/sqlite/log.db"), include_bytes!("../fixtures/sqlite/log.db-wal"));
    let other = |main: &[u8]| Machine::new().home(".sqlite_history", main);
    assert_eq!(weighed(&other(main)).2, 0);
    assert_eq!(weighed(&other(main).home(".sqlite_history-wal", log)).2, 0);
    assert_eq!(weighed(&other(main).home(".sqlite_history-wal", b"no log")).2, 3);
    assert_eq!(weighed(&other(&main[..600])).2, 3);
    let atuin = include_bytes!("../fixtures/history/atuin-18/history.db");
    assert_eq!(weighed(&other(atuin)).2, 3);
}

#[test]
fn the_log_of_a_database_is_read_and_left_as_it_is() {
    let (main, log) = (
        include_bytes!("../fixtures/history/atuin-18/history.db"),
        include_bytes!("../fixtures/history/atuin-18/history.db-wal"),
    );
    let machine = || Machine::new().home(".local/share/atuin/history.db", main);
    let (found, code) = report(machine().root());
    assert_eq!((findings(&found).len(), code), (1, 1));
    let both = machine().home(".local/share/atuin/history.db-wal", log);
    let (found, _) = report(both.root());
    let in_log = finding(&found, "pypi/litellm@1.82.7", "history.db");
    assert_eq!(
        (in_log["at"].as_str(), in_log["location"]["inner"].as_str()),
        (Some("2026-03-24T10:56:40.123456789Z"), Some("row 3"))
    );
    let folder = both.root().join("home/alice/.local/share/atuin");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    assert!(
        fs::read(folder.join("history.db")).unwrap() == main && fs::read(folder.join("history.db-wal")).unwrap() == log
    );
    // A log that is none hides the newest rows.
    let broken = machine().home(".local/share/atuin/history.db-wal", b"no log");
    assert_eq!(weighed(&broken).0, ["/home/alice/.local/share/atuin/history.db"]);
}

#[test]
fn credentials_that_cannot_be_read_matter_once_something_is_found() {
    let broken = |m: Machine| m.home(".docker/config.json", "{ \"auths\": ] }");
    let path = "/home/alice/.docker/config.json".to_owned();
    assert_eq!(weighed(&broken(Machine::new())), (vec![], vec![path.clone()], 0));
    let (gaps, _, code) = weighed(&broken(Machine::new()).venv("v").dist("litellm", "1.82.8"));
    assert_eq!((gaps, code), (vec![path], 1));
}

#[test]
fn layers_of_images_are_weighed_too() {
    let folder = tempfile::tempdir().unwrap();
    let saved = |name: &str, text: &str| {
        let path = folder.path().join(name);
        let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(text.len()).unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, "srv/pyproject.toml", text.as_bytes()).unwrap();
        tar.into_inner().unwrap();
        let said = run(["images", path.to_str().unwrap(), "--format", "json"]);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let count = |list: &str| report["coverage"][list].as_array().unwrap().len();
        (count("gaps"), count("unreadable_without_weight"), said.code)
    };
    assert_eq!(saved("a.tar", TEMPLATE), (0, 1, 0));
    assert_eq!(saved("b.tar", "[project\n\"litellm>=1.80\"\n"), (1, 0, 3));
}

#[test]
fn people_see_the_list_too() {
    let machine = Machine::new().home("t/pyproject.toml", TEMPLATE);
    let root = machine.root().to_str().unwrap();
    for (format, heading) in [("table", "UNREADABLE, WITHOUT WEIGHT"), ("markdown", "## Unreadable, without weight")] {
        let said = run(["scan", "--root", root, "--format", format]);
        assert!(said.out.contains(heading) && said.out.contains("1 unreadable without weight"), "{}", said.out);
        let none = run([
            "scan",
            "--root",
            Machine::new().home("requirements.txt", "").root().to_str().unwrap(),
            "--format",
            format,
        ]);
        assert!(!none.out.to_lowercase().contains("without weight"), "{}", none.out);
    }
    let lines = run(["scan", "--root", root, "--format", "ndjson"]).out;
    assert!(
        lines.contains("\"type\":\"unreadable_without_weight\"") && lines.contains("\"unreadable_without_weight\":1")
    );
}
