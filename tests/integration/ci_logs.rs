//! Logs of CI runs: what they say happened on machines of their own, and the checklist asks for those jobs' secrets.

use std::{fs, io::Write as _, path::Path};

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{finding, findings, report, run, valid},
};

const SHA: &str = "0e58ed8671d6b60d0890c21b07f8835ace038e67";

/// A time before each line.
fn stamped(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("2026-03-24T11:00:00.1234567Z {line}\n")).collect()
}

fn scan(paths: &[&Path]) -> (Value, i32) {
    let mut args = vec!["scan".into(), "--format".into(), "json".into()];
    args.extend(paths.iter().map(|p| p.as_os_str().to_owned()));
    let said = run(args);
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    valid(&report);
    (report, said.code)
}

/// `exposure/confidence indicator tree[ inner]:line time`, sorted.
fn on_machines(report: &Value) -> Vec<String> {
    let all = report["incidents"].as_array().unwrap().iter().flat_map(|i| i["findings"].as_array().unwrap());
    let mut all: Vec<String> = all
        .map(|f| {
            let text = |v: &Value| v.as_str().unwrap_or("").to_owned();
            let place = &f["location"];
            let inner = place["inner"].as_str().map(|i| format!(" [{i}]")).unwrap_or_default();
            let (exposure, sure) = (text(&f["exposure"]), text(&f["confidence"]));
            format!("{exposure}/{sure} {} {}{inner}:{}", text(&f["indicator"]), text(&place["tree"]), place["line"])
        })
        .collect();
    all.sort();
    all
}

fn plan(report: &Value) -> String {
    let items = report["checklist"].as_array().unwrap();
    items.iter().map(|i| format!("{}: {}\n", i["phase"].as_str().unwrap(), i["title"].as_str().unwrap())).collect()
}

#[test]
fn a_run_is_a_machine_of_its_own_and_takes_nothing_of_this_one() {
    let log = "Started by user admin\n[2026-03-24T11:00:00.000Z] Successfully installed litellm-1.82.8\n";
    let key = "[default]\naws_access_key_id = AKIAQQQQQQQQQQQQQQQQ\naws_secret_access_key = abcd1234abcd1234\n";
    let machine =
        Machine::new().file("var/lib/jenkins/jobs/app/builds/42/log", log).file("home/alice/.aws/credentials", key);
    let (report, code) = report(machine.root());
    assert_eq!(code, 1);
    assert_eq!(on_machines(&report), ["executed/likely pypi/litellm@1.82.8 ci:jenkins/app/42:2"]);
    let keys = report["credentials"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        assert_eq!((key["reach"].as_str(), key["rotate"].as_str()), (Some("out_of_reach"), Some("no")), "{key:#}");
    }
    let plan = plan(&report);
    for wanted in [
        "preserve: Keep the logs of the CI runs",
        "purge: Empty what these CI runs could write",
        "rotate: Replace every secret that these CI runs could read",
    ] {
        assert!(plan.contains(wanted), "{wanted}: {plan}");
    }
    for other in
        ["Cut the network", "Keep the evidence before anything is changed", "A is for the machine", "Examine again"]
    {
        assert!(!plan.contains(other), "{other}: {plan}");
    }
    let whole = serde_json::to_string(&report["checklist"]).unwrap();
    assert!(whole.contains("jenkins/app/42: pypi/litellm@1.82.8 at 2026-03-24T11:00:00Z"), "{whole}");
    assert!(report["verdict"]["summary"].as_str().unwrap().ends_with("in 1 run of CI whose logs were read"));
}

#[test]
fn a_folder_of_logs_of_any_name_is_read() {
    // A hidden folder is nobody's own work, in which files without an ending are looked at.
    let above = tempfile::Builder::new().prefix("logs").tempdir().unwrap();
    let folder = above.path().join("app");
    fs::create_dir(&folder).unwrap();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let view: String = stamped(&[
        "Successfully installed litellm-1.82.8",
        &format!("Download action repository 'tj-actions/changed-files@v45' (SHA:{SHA})"),
    ])
    .lines()
    .map(|line| format!("build (3.11)\tUNKNOWN STEP\t{line}\n"))
    .collect();
    put("run-77", &view);
    put("console.txt", "Started by timer\nSuccessfully installed litellm-1.82.7\n");
    put("gl.trace", "Running with gitlab-runner 16.5.0\nInstalled 1 package in 2ms\n + litellm==1.82.8\n");
    put("good.log", &stamped(&["Successfully installed litellm-1.82.6", "Successfully installed litellm-1.83.0"]));
    put("README.md", "Successfully installed litellm-1.82.8\n");
    put("notes.txt", "Successfully installed litellm-1.82.8\n");
    let (report, code) = scan(&[&folder]);
    let expected = [
        "executed/confirmed action/tj-actions/changed-files@v45 ci:github/run-77 [build (3.11)]:2",
        "executed/likely pypi/litellm@1.82.8 ci:github/run-77 [build (3.11)]:1",
        "executed/likely pypi/litellm@1.82.8 ci:gitlab/gl:3",
        "removed/likely pypi/litellm@1.82.7 ci:jenkins/app-console:2",
    ];
    assert_eq!(on_machines(&report), expected);
    assert_eq!(code, 1);
    assert!(report["coverage"]["gaps"].as_array().unwrap().is_empty(), "{:#}", report["coverage"]["gaps"]);
}

#[test]
fn files_named_by_hand_are_known_by_their_content_and_others_stay_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.data");
    fs::write(&path, stamped(&["Successfully installed litellm-1.82.8"])).unwrap();
    let (report, code) = scan(&[&path]);
    assert_eq!((findings(&report).len(), code), (1, 1));
    // A log of no system, a text that quotes one, and one that is no log at all.
    for (name, text, found, exit) in [
        ("build.log", "Successfully installed litellm-1.82.8\n", 1, 1),
        ("saved", "x\nSuccessfully installed litellm-1.82.8\n", 1, 1),
        ("advisory.md", "Successfully installed litellm-1.82.8\n", 0, 3),
        ("daemon.log", "Mar 24 11:00:00 host x: started\n", 0, 3),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let (report, code) = scan(&[&path]);
        assert_eq!((findings(&report).len(), code), (found, exit), "{name}");
    }
}

#[test]
fn the_archive_of_a_run_is_read_and_a_damaged_one_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs_4711.zip");
    let bytes = stored(&[
        ("0_build.txt", &stamped(&["Successfully installed litellm-1.82.8"])),
        ("build/3_Install.txt", &stamped(&["Successfully installed litellm-1.82.8"])),
    ]);
    fs::write(&path, &bytes).unwrap();
    let (report, code) = scan(&[&path]);
    assert_eq!(on_machines(&report), ["executed/likely pypi/litellm@1.82.8 ci:github/4711 [build/3_Install.txt]:1"]);
    assert_eq!(code, 1);
    fs::write(&path, &bytes[..bytes.len() - 30]).unwrap();
    let (report, code) = scan(&[&path]);
    assert_eq!((findings(&report).len(), code), (0, 3));
}

#[test]
fn an_archive_that_was_unpacked_says_each_thing_once() {
    let line = stamped(&["Successfully installed litellm-1.82.8"]);
    let machine = Machine::new()
        .file("home/alice/logs_7/0_build.txt", &line)
        .file("home/alice/logs_7/build/3_Install.txt", &line)
        .file("home/alice/logs_8/0_build.txt", &line);
    let (report, _) = report(machine.root());
    assert_eq!(
        findings(&report),
        [
            "executed/likely pypi/litellm@1.82.8 /home/alice/logs_7/build/3_Install.txt:1",
            "executed/likely pypi/litellm@1.82.8 /home/alice/logs_8/0_build.txt:1",
        ]
    );
}

#[test]
fn a_time_without_a_zone_widens_the_window() {
    // The tag was moved from 2025-03-12 to the end of 2025-03-15, UTC.
    let of = |time: &str| {
        let log = format!("Started by timer\n[{time}] Download action repository 'tj-actions/changed-files@v35'\n");
        let machine = Machine::new().file("var/lib/jenkins/jobs/app/builds/42/log", log);
        findings(&report(machine.root()).0).len()
    };
    assert_eq!((of("2025-03-16T11:00:00.000Z"), of("2025-03-16T11:00:00"), of("2025-03-17T11:00:00")), (0, 1, 0));
}

#[test]
fn an_inventory_keeps_whose_machine_it_was() {
    let machine = Machine::new()
        .file("var/lib/jenkins/jobs/app/builds/42/log", "Started by timer\nSuccessfully installed litellm-1.82.8\n");
    let out = tempfile::tempdir().unwrap();
    let kept = out.path().join("host.inventory");
    let root = machine.root().to_str().unwrap();
    run(["scan", "--root", root, "-q", "--format", "json", "--inventory", kept.to_str().unwrap()]);
    let said = run(["match", kept.to_str().unwrap(), "--format", "json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    let found = finding(&report, "pypi/litellm@1.82.8", "builds/42/log");
    assert_eq!(found["location"]["tree"], "ci:jenkins/app/42");
}

/// A zip of these members, stored.
fn stored(members: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in members {
        let offset = u32::try_from(bytes.len()).unwrap();
        let (size, length) = (u32::try_from(text.len()).unwrap(), u16::try_from(name.len()).unwrap());
        let head = |to: &mut Vec<u8>| {
            to.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            to.extend(size.to_le_bytes());
            to.extend(size.to_le_bytes());
            to.extend(length.to_le_bytes());
            to.extend([0, 0]);
        };
        bytes.extend(b"PK\x03\x04");
        head(&mut bytes);
        bytes.write_all(name.as_bytes()).unwrap();
        bytes.write_all(text.as_bytes()).unwrap();
        directory.extend(b"PK\x01\x02\x14\x00");
        head(&mut directory);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size) = (u32::try_from(bytes.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    let count = u16::try_from(members.len()).unwrap();
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}
