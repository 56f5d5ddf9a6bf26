//! Formats, exit codes, files, and what the commands say.

use std::fs;

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{command, report_with, run, said, valid},
};

fn exposed() -> Machine {
    Machine::new().venv("v").dist("litellm", "1.82.8")
}

fn scan(machine: &Machine, more: &[&str]) -> crate::program::Said {
    let mut args = vec!["scan", "--root", machine.root().to_str().unwrap()];
    args.extend(more);
    run(args)
}

#[test]
fn exit_codes() {
    let (bad, good) = (exposed(), Machine::new());
    assert_eq!(scan(&bad, &[]).code, 1);
    assert_eq!(scan(&bad, &["--exit-zero"]).code, 0);
    assert_eq!(scan(&bad, &["--fail-on", "executed"]).code, 0);
    assert_eq!(scan(&good, &[]).code, 0);
    assert_eq!(scan(&good, &["--incident", "no-such"]).code, 2);
    assert_eq!(scan(&good, &["--only", "no-such"]).code, 2);
    assert_eq!(run(["scan", "/no/such/folder"]).code, 2);
    assert_eq!(run(["scan", "--root", "/no/such/folder"]).code, 2);
    assert_eq!(run(["no-such-command"]).code, 2);
    assert_eq!(run(["--help"]).code, 0);
}

#[test]
fn errors_are_one_line_with_a_hint_and_nothing_on_standard_output() {
    let said = scan(&Machine::new(), &["-o", "report.xyz"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert_eq!(said.err, "error: no format ends like `report.xyz`\nhint: use .json, .ndjson, .md, .txt or .sh\n");
    let said = run(["/no/such"]);
    assert!(said.code == 2 && said.err.ends_with("hint: to examine a folder or a file write `dosimeter scan PATH`\n"));
    let said = scan(&Machine::new(), &["-o", "/no/such/folder/report.json"]);
    assert!(said.code == 2 && said.err.contains("hint:"), "{}", said.err);
}

#[test]
fn a_full_disk_costs_no_other_report() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let (full, good) = (out.path().join("full.json"), out.path().join("good.md"));
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let said = scan(&machine, &["-o", full.to_str().unwrap(), "-o", good.to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: cannot write `") && said.err.contains("No space left"), "{}", said.err);
    assert!(said.out.starts_with("exposed: ") && fs::read_to_string(good).unwrap().starts_with("# exposed: "));
    let folder = out.path().join("folder.json");
    fs::create_dir(&folder).unwrap();
    let said = scan(&machine, &["-o", folder.to_str().unwrap()]);
    assert!(
        said.code == 2 && said.out.is_empty() && said.err.ends_with("is a folder\nhint: name a file\n"),
        "{}",
        said.err
    );
}

#[test]
fn the_whole_list_is_that_of_the_disk_and_not_of_this_machine() {
    let out = tempfile::tempdir().unwrap();
    let case = out.path().join("case.json");
    let said = scan(&exposed(), &["-o", case.to_str().unwrap()]);
    assert!(said.out.contains("every step and the reasons: add `-o case.json`"), "{}", said.out);
    let listed = run(["rotate", case.to_str().unwrap()]);
    assert_eq!(run(["rotate", case.to_str().unwrap(), "--root", "/"]).code, 2);
    assert!(listed.out.contains("on the machine that this disk belongs to, never here"), "{}", listed.out);
}

#[test]
fn a_checklist_without_steps_says_what_was_not_examined() {
    let machine = Machine::new().file("srv/v/lib/python3.11/site-packages/litellm-9.dist-info/METADATA", "\0");
    let root = machine.root().to_str().unwrap();
    for format in ["table", "markdown"] {
        let said = run(["rotate", "--root", root, "--format", format]);
        assert_eq!(said.code, 3);
        assert!(
            said.out.contains("nothing was found that asks for a step") && said.out.contains("litellm"),
            "{}",
            said.out
        );
    }
    let said = run(["rotate", "--root", Machine::new().root().to_str().unwrap()]);
    assert!(said.code == 0 && !said.out.to_lowercase().contains("not examined"), "{}", said.out);
}

#[test]
fn each_file_has_the_format_of_its_ending() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let name = |n: &str| out.path().join(n).to_str().unwrap().to_owned();
    let files: Vec<String> = ["a.json", "a.ndjson", "a.md", "a.txt"].iter().map(|n| name(n)).collect();
    let options: Vec<&str> = files.iter().flat_map(|f| ["-o", f]).collect();
    let (report, code) = report_with(machine.root(), &options);
    assert_eq!(code, 1);
    let read = |n: &str| fs::read_to_string(name(n)).unwrap();
    let written: Value = serde_json::from_str(&read("a.json")).unwrap();
    valid(&written);
    assert_eq!(written["incidents"], report["incidents"]);
    let first: Value = serde_json::from_str(read("a.ndjson").lines().next().unwrap()).unwrap();
    let last: Value = serde_json::from_str(read("a.ndjson").lines().last().unwrap()).unwrap();
    assert_eq!((first["type"].as_str(), last["type"].as_str()), (Some("run_start"), Some("run_summary")));
    assert!(read("a.md").contains("- [ ]") && read("a.txt").contains("WHAT TO DO NOW"));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 4);
}

#[test]
fn two_runs_say_the_same() {
    let machine = exposed().home(".config/sysmon/sysmon.py", "x").venv("w").dist("litellm", "1.107.0");
    let strip = |mut r: Value| {
        for key in ["run", "indicators"] {
            r[key] = Value::Null;
        }
        r["coverage"]["bytes_read"] = Value::Null;
        r
    };
    let once = strip(report_with(machine.root(), &["--threads", "1"]).0);
    for _ in 0..3 {
        assert_eq!(strip(report_with(machine.root(), &["--threads", "8"]).0), once);
    }
}

#[test]
fn the_checklist_of_a_report_is_that_of_the_machine() {
    let (machine, out) = (exposed(), tempfile::tempdir().unwrap());
    let file = out.path().join("case.json");
    scan(&machine, &["-o", file.to_str().unwrap()]);
    let said = run(["rotate", file.to_str().unwrap(), "--format", "markdown"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("- [ ]"), "{}", said.out);
    fs::write(&file, "{}").unwrap();
    let said = run(["rotate", file.to_str().unwrap()]);
    assert!(said.code == 2 && said.err.contains("is not a report"), "{}", said.err);
}

#[test]
fn choices_narrow_what_is_looked_at() {
    let machine = exposed().home(".config/sysmon/sysmon.py", "x");
    let exposure =
        |more: &[&str]| report_with(machine.root(), more).0["verdict"]["exposure"].as_str().unwrap().to_owned();
    assert_eq!(exposure(&[]), "executed");
    assert_eq!(exposure(&["--only", "python"]), "installed");
    assert_eq!(exposure(&["--skip", "host/file"]), "installed");
    assert_eq!(exposure(&["--incident", "litellm-2026-10"]), "none");
}

#[test]
fn a_folder_a_file_and_a_home_can_be_named() {
    let machine = exposed().home("app/requirements.txt", "litellm==1.82.7\n");
    let home = machine.root().join("home/alice");
    let named = |args: &[&std::ffi::OsStr]| {
        let said = said(command().args(args).args(["--format", "json"]).output().unwrap());
        let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
        report["incidents"][0]["findings"][0]["location"]["path"].as_str().unwrap_or("nothing").to_owned()
    };
    let (scan, option) = (std::ffi::OsStr::new("scan"), std::ffi::OsStr::new("--home"));
    let site = home.join("v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA");
    assert_eq!(named(&[scan, home.as_os_str()]), site.to_str().unwrap());
    assert_eq!(named(&[option, home.as_os_str()]), site.to_str().unwrap());
    assert_eq!(named(&[scan, site.as_os_str()]), site.to_str().unwrap());
}

#[test]
fn surfaces_and_indicators_can_be_listed() {
    let said = run(["surfaces", "--format", "json"]);
    let surfaces: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    assert!(surfaces.iter().any(|s| s["id"] == "python/dist-info"));
    assert!(surfaces.iter().all(|s| s["proves"].as_str().is_some_and(|p| !p.is_empty())));
    let said = run(["iocs", "check"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("litellm-2026-10.json");
    let text = include_str!("../../iocs/incidents/litellm-2026-10.json").replace("1.107.0\"", "1.107.00000\"");
    fs::write(&broken, text.replacen("installed/confirmed", "cached/confirmed", 1)).unwrap();
    let said = run(["iocs", "check", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("examples[0]") && said.err.contains("hint:"), "{}", said.err);
}
